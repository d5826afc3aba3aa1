package loaxa

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/store"
	"github.com/loaxa/loaxa/device/link/linktest"
)

// onceSeeds is how many fates are played unless LOAXA_SOAK says another number.
const onceSeeds = 30

// TestWhateverDiesEverythingSoundsOnceAndEndsOnce kills controller, broker and
// nodes in virtual time while announcements are made, withdrawn and sounded. An
// outside judge then looks at relays, sounds and receipts, and both sides must
// tell of every attempt the same.
func TestWhateverDiesEverythingSoundsOnceAndEndsOnce(t *testing.T) {
	t.Parallel()
	first, seeds := uint64(1), uint64(onceSeeds)
	if text := os.Getenv("LOAXA_SEED"); text != "" {
		first, seeds = number(t, "LOAXA_SEED", text), 1
	}
	if text := os.Getenv("LOAXA_SOAK"); text != "" {
		seeds = number(t, "LOAXA_SOAK", text)
	}
	kit := newOnceKit(t)
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprintf("LOAXA_SEED=%d", seed), func(t *testing.T) {
			t.Parallel()
			for _, breach := range playOnce(t, kit, seed, nothingWrong) {
				t.Error(breach)
			}
		})
	}
}

// TestTheJudgeOfEverythingOnceCatches shows that the test above can fail.
func TestTheJudgeOfEverythingOnceCatches(t *testing.T) {
	t.Parallel()
	kit := newOnceKit(t)
	for _, wrong := range []wrongdoing{forgetfulJournal, stutteringHorn, forgetfulCentre} {
		t.Run(string(wrong), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(10) {
				if breaches := playOnce(t, kit, seed, wrong); len(breaches) > 0 {
					t.Logf("seed %d: %s", seed, breaches[0])
					return
				}
			}
			t.Error("ten fates went by and nobody noticed")
		})
	}
}

// playOnce plays one fate to its end and returns what was broken.
func playOnce(t *testing.T, kit *onceKit, seed uint64, wrong wrongdoing) (breaches []string) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(kit.begun.Add(time.Minute)))
		w := &onceWorld{TB: t, kit: kit, seed: seed, wrong: wrong, dice: rand.New(rand.NewPCG(seed, 179)), retained: map[string][]byte{},
			accepted: map[broadcast.ID]string{}, used: map[broadcast.ID][]broadcast.Digest{}, revisions: map[string]broadcast.Revision{}}
		w.open()
		defer w.close()
		var office sync.WaitGroup
		office.Go(func() { w.office(rand.New(rand.NewPCG(seed, 180))) })
		for range 4 + w.dice.IntN(4) {
			w.strike()
		}
		office.Wait()
		breaches = w.judge()
		t.Logf("seed %d\n%s", seed, strings.Join(w.chronicle, "\n"))
	})
	return breaches
}

// onceWorld is a controller, a broker and nodes, each of which can die.
type onceWorld struct {
	testing.TB
	kit   *onceKit
	seed  uint64
	wrong wrongdoing
	dice  *rand.Rand // of fate
	pin   broadcast.Digest
	sites []*onceSite
	lives int

	mu        sync.Mutex
	centre    *onceCentre      // nil while it is dead
	broker    *linktest.Broker // nil while it is dead
	retained  map[string][]byte
	accepted  map[broadcast.ID]string             // what somebody was told is published
	used      map[broadcast.ID][]broadcast.Digest // the recordings of all revisions
	earlier   []store.Announcement                // what was published before a newer revision
	revisions map[string]broadcast.Revision       // by announcement and path of their recording
	chronicle []string
}

// rites are how a life ends: between two things that it says, or just so.
type rites struct {
	armed, gone bool
	left        int // things that it still says
	died        chan struct{}
}

// speak says whether what is said still gets out.
func (r *rites) speak() bool {
	if r.armed && r.left == 0 && !r.gone {
		r.gone = true
		close(r.died)
	}
	r.left--
	return !r.gone
}

// end ends a life, and says whether it had ended in the middle of its words.
func (r *rites) end() (inWords bool) {
	inWords, r.gone = r.gone, true
	return inWords
}

// doom lets a life end with one of the next things that it says, if there are
// any soon, or now.
func (w *onceWorld) doom(r *rites) {
	w.mu.Lock()
	if n := w.dice.IntN(8); n > 0 {
		r.armed, r.left = true, n-1
	}
	armed := r.armed
	w.mu.Unlock()
	if armed {
		select {
		case <-r.died:
		case <-time.After(5 * time.Second):
		}
	}
	synctest.Wait()
}

func (w *onceWorld) must(err error) {
	if err != nil {
		w.Helper()
		w.Fatal(err)
	}
}

func (w *onceWorld) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.chronicle = append(w.chronicle, fmt.Sprintf("%s %s", broadcast.InstantOf(time.Now()), fmt.Sprintf(format, args...)))
}

func (w *onceWorld) open() {
	dir := filepath.Join(w.TempDir(), "0")
	w.must(copyHouse(dir, w.kit.dir))
	w.startBroker()
	w.startCentre(dir)
	for i, n := range onceNodes {
		w.sites = append(w.sites, newOnceSite(w, n.id, w.kit.enrolled[i]))
	}
	for _, s := range w.sites {
		s.power()
	}
	<-time.After(20 * time.Second) // to be given everything
}

func (w *onceWorld) close() {
	for _, s := range w.sites {
		if s.boot != nil {
			s.boot.stop()
		}
	}
	if w.centre != nil {
		w.centre.stop()
		_ = w.centre.db.Close()
	}
	if w.broker != nil {
		w.broker.Close()
	}
	// A statement handed to Paho in the last moment gives up within ten seconds.
	<-time.After(15 * time.Second)
}

// startBroker starts one that knows nothing. Every third delivers everything
// twice, as a broker may.
func (w *onceWorld) startBroker() {
	b := linktest.NewBroker()
	copies := 0
	if w.dice.IntN(3) == 0 {
		copies = 1
	}
	b.Misbehave(linktest.Faults{Drop: w.overheard, Copies: copies})
	w.mu.Lock()
	w.broker = b
	clear(w.retained)
	c := w.centre
	w.mu.Unlock()
	if c != nil {
		c.connect(nil)
	}
}

// overheard hands the controller what nodes and their wills say.
func (w *onceWorld) overheard(m linktest.Message) bool {
	if m.Client == "" {
		return false
	}
	w.mu.Lock()
	if m.Retained {
		w.retained[m.Topic] = m.Payload
	}
	c := w.centre
	w.mu.Unlock()
	if c != nil {
		c.hear(broker.Message{Topic: m.Topic, Payload: m.Payload})
	}
	return false
}

func (w *onceWorld) killBroker() (revive func()) {
	w.mu.Lock()
	b := w.broker
	w.broker = nil
	w.mu.Unlock()
	w.note("kill -9 of the broker")
	b.Close()
	return w.startBroker
}

// dial is the nodes' way to the broker.
func (w *onceWorld) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	b := w.broker
	w.mu.Unlock()
	if b == nil {
		return nil, errors.New("connection refused")
	}
	return b.Dial(ctx, network, address)
}

// standing notes how every site stands, after the controller died or came back.
func (w *onceWorld) standing() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sites {
		if s.boot != nil && !s.boot.last.gone {
			s.boot.stands()
		}
	}
}

// strike kills somebody, often in the middle of a sounding and sometimes
// somebody else as well, and brings them back after a while.
func (w *onceWorld) strike() {
	<-time.After(time.Duration(w.dice.Int64N(int64(20 * time.Second))))
	if w.dice.IntN(2) == 0 {
		for range 60 {
			if w.sounding() {
				break
			}
			<-time.After(500 * time.Millisecond)
		}
		<-time.After(time.Duration(w.dice.Int64N(int64(3 * time.Second))))
	}
	parts := []func() func(){w.killCentre, w.killBroker}
	for _, s := range w.sites {
		parts = append(parts, s.cut)
	}
	order := w.dice.Perm(len(parts))
	var revive []func()
	for _, i := range order[:1+w.dice.IntN(3)/2] {
		revive = append(revive, parts[i]())
		<-time.After(time.Duration(w.dice.Int64N(int64(15 * time.Second))))
	}
	for _, again := range revive {
		again()
	}
}

func (w *onceWorld) sounding() bool {
	for _, s := range w.sites {
		if s.boot != nil && s.boot.sounds() {
			return true
		}
	}
	return false
}
