package loaxa

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	controller "github.com/loaxa/loaxa/controller/store"
)

// onceNodes stand in different places of one district.
var onceNodes = []struct{ id, area broadcast.ID }{{"tan-lap-1", "tan-lap"}, {"tan-lap-2", "tan-lap"}, {"quang-minh-1", "quang-minh"}}

// onceKit is a house with its nodes confirmed, to begin every seed with.
type onceKit struct {
	dir        string
	begun      time.Time
	token      string
	enrolled   []wire.Enrolled
	recordings map[broadcast.Digest][]byte
	long       map[broadcast.Digest]time.Duration
	contents   []broadcast.Digest
}

func newOnceKit(t *testing.T) *onceKit {
	t.Helper()
	k := &onceKit{dir: filepath.Join(t.TempDir(), "data"), begun: time.Date(2026, 11, 23, 8, 0, 0, 0, broadcast.Local()),
		recordings: map[broadcast.Digest][]byte{}, long: map[broadcast.Digest]time.Duration{}}
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(k.begun))
		house := peopletest.Demo(t, time.Now)
		f := fleetOf(house.DB, house.Office, house.Config.Tree(), &events.Hub{})
		for _, n := range onceNodes {
			k.enrolled = append(k.enrolled, enrolled(t, house, f, n.id, n.area))
		}
		k.token = house.Token(t, "approver", broadcast.BacQuang)
		for i, length := range []time.Duration{4 * time.Second, 11 * time.Second, 23 * time.Second, 7 * time.Second, 16 * time.Second, 5 * time.Second} {
			raw := []byte("recording " + strconv.Itoa(i))
			sum := broadcast.Sum(raw)
			k.recordings[sum], k.long[sum], k.contents = raw, length, append(k.contents, sum)
			err := house.DB.Update(t.Context(), func(tx controller.Tx) error {
				return tx.AddContent(t.Context(), controller.Content{SHA256: sum, Bytes: int64(len(raw)), Millis: length.Milliseconds(),
					Name: "tin.mp3", Person: "bien-tap", Measured: "{}", Created: broadcast.InstantOf(time.Now())})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(house.DB.Close(), copyHouse(k.dir, house.Dir)); err != nil {
			t.Fatal(err)
		}
	})
	return k
}

func fleetOf(db *controller.DB, office *people.Office, tree broadcast.Tree, hub *events.Hub) *fleet.Fleet {
	return fleet.New(fleet.Config{DB: db, Office: office, Tree: organisation.Fixed(tree), Events: hub, ControllerSecret: "of the controller", Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Controllers: []broadcast.Controller{{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}}})
}

// onceCentre is one life of the controller. What leaves it passes through
// leaves, so that it can die between any two things that it says.
type onceCentre struct {
	w        *onceWorld
	dir      string
	db       *controller.DB
	dispatch *dispatch.Dispatch
	desk     *desk.Desk
	office   *people.Office
	person   people.Person
	heard    chan broker.Message
	stop     func()
	last     rites
	// said is how much stood in the database's log when it last said something.
	said int64
}

// startCentre begins another life on the files in a folder.
func (w *onceWorld) startCentre(dir string) {
	w.Helper()
	db, err := controller.Open(context.Background(), dir)
	w.must(err)
	office, err := people.Open(context.Background(), dir, db, peopletest.Config(w, time.Now))
	w.must(err)
	by, err := office.Bearer(context.Background(), w.kit.token)
	w.must(err)
	tree, err := broadcast.BacQuangTree()
	w.must(err)
	hub, log := &events.Hub{}, slog.New(slog.DiscardHandler)
	c := &onceCentre{w: w, dir: dir, db: db, office: office, person: by.Person, heard: make(chan broker.Message, 4096), last: rites{died: make(chan struct{})}}
	f := fleetOf(db, office, tree, hub)
	w.lives++
	w.pin = office.Fingerprint()
	c.dispatch = dispatch.New(dispatch.Config{DB: db, Fleet: f, Events: hub, Office: office, Bus: c,
		Run: broadcast.ID("run-" + strconv.Itoa(w.lives)), Now: time.Now, Log: log})
	c.desk = desk.New(desk.Config{DB: db, Keys: office, Rights: office, Fleet: f, Tree: organisation.Fixed(tree), Events: hub, Wake: c.dispatch, Now: time.Now, Log: log})
	c.stop = serveAll(func(ctx context.Context) { _ = c.dispatch.Serve(ctx) }, func(ctx context.Context) { _ = c.desk.Serve(ctx) }, c.listen)
	w.mu.Lock()
	w.centre = c
	retained, up := maps.Clone(w.retained), w.broker != nil
	w.mu.Unlock()
	w.standing()
	if up {
		c.connect(retained)
	}
}

// connect gives the controller what the broker kept of the nodes, and the nodes
// what the controller has.
func (c *onceCentre) connect(retained map[string][]byte) {
	for _, topic := range slices.Sorted(maps.Keys(retained)) {
		c.hear(broker.Message{Topic: topic, Payload: retained[topic], Retained: true})
	}
	c.dispatch.Up(context.Background())
}

// serveAll runs everything until the stop that it returns, which waits.
func serveAll(all ...func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, len(all))
	for _, serve := range all {
		go func() {
			serve(ctx)
			done <- struct{}{}
		}()
	}
	return func() {
		cancel()
		for range all {
			<-done
		}
	}
}

// hear takes a message from the broker, or loses it.
func (c *onceCentre) hear(m broker.Message) {
	select {
	case c.heard <- m:
	default:
	}
}

func (c *onceCentre) listen(ctx context.Context) {
	for {
		select {
		case m := <-c.heard:
			c.dispatch.Message(m)
		case <-ctx.Done():
			return
		}
	}
}

// leaves says whether what the controller says still gets out.
func (c *onceCentre) leaves() bool {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if !c.last.speak() {
		return false
	}
	c.said = c.logged()
	return true
}

// logged is the length of the database's log.
func (c *onceCentre) logged() int64 {
	info, err := os.Stat(filepath.Join(c.dir, "loaxa.db-wal"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// Publish is the controller's way to the broker.
func (c *onceCentre) Publish(topic string, payload []byte, retained bool) error {
	if !c.leaves() {
		return errors.New("nobody is there")
	}
	c.w.mu.Lock()
	to := c.w.broker
	c.w.mu.Unlock()
	if to == nil {
		return errors.New("the broker is gone")
	}
	to.Publish(topic, payload, retained)
	return nil
}

// killCentre is kill -9: nothing is heard of the controller any more, and its
// files are as they lay there at some moment after it last said something.
func (w *onceWorld) killCentre() (revive func()) {
	w.mu.Lock()
	c := w.centre
	w.mu.Unlock()
	w.doom(&c.last)
	synctest.Wait() // its transactions are over
	w.mu.Lock()
	c.last.end()
	w.centre = nil
	said, size := c.said, c.logged()
	w.mu.Unlock()
	if w.wrong == forgetfulCentre {
		said = min(said, size/2)
	}
	keep := said + w.dice.Int64N(size-said+1)
	next := filepath.Join(filepath.Dir(c.dir), strconv.Itoa(w.lives+1))
	w.must(copyHouse(next, c.dir))
	w.must(errors.Join(os.RemoveAll(filepath.Join(next, "loaxa.db-shm")), os.Truncate(filepath.Join(next, "loaxa.db-wal"), keep)))
	w.standing()
	w.note("kill -9 of the controller, %d bytes of its log after what it said are lost", size-keep)
	c.stop()
	w.must(c.db.Close())
	w.must(os.RemoveAll(c.dir))
	return func() { w.startCentre(next) }
}

// ask asks the desk until it answers, as a person does whose screen went blank.
func (w *onceWorld) ask(f func(c *onceCentre) error) error {
	for {
		w.mu.Lock()
		c := w.centre
		w.mu.Unlock()
		if c != nil {
			if err := f(c); c.leaves() {
				return err
			}
		}
		<-time.After(time.Second)
	}
}

// copyHouse copies the files of a house, as private as they have to be.
func copyHouse(to, from string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	all := []error{os.MkdirAll(to, 0o700)}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(from, f.Name()))
		all = append(all, err, os.WriteFile(filepath.Join(to, f.Name()), raw, 0o600))
	}
	return errors.Join(all...)
}
