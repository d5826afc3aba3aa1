package loaxa

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/link/linktest"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store"
)

const restingNode broadcast.ID = "tan-lap-1"

// resting is one node with nothing to do at a controller with nothing to say,
// both real, with a broker of the test and its pipes between them.
type resting struct {
	house    peopletest.House
	fleet    *fleet.Fleet
	hub      *events.Hub
	dispatch *dispatch.Dispatch
	broker   *linktest.Broker
	link     *link.Link
	player   *nodetest.Player
	// recording is the one content there is, if there is any.
	recording []byte

	out, in atomic.Int64
}

func newResting(t *testing.T) *resting {
	t.Helper()
	r := &resting{house: peopletest.Demo(t, time.Now), broker: linktest.NewBroker(), hub: &events.Hub{}}
	log := slog.New(slog.DiscardHandler)
	r.fleet = fleet.New(fleet.Config{DB: r.house.DB, Office: r.house.Office, Tree: r.house.Config.Tree, Events: r.hub, ControllerSecret: "of the controller",
		Now: time.Now, Log: log, Controllers: []broadcast.Controller{{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}}})
	r.dispatch = dispatch.New(dispatch.Config{DB: r.house.DB, Fleet: r.fleet, Events: r.hub, Office: r.house.Office, Bus: r,
		Run: "run-1", Now: time.Now, Log: log})
	heard := make(chan linktest.Message, 1024)
	r.broker.Misbehave(linktest.Faults{Drop: func(m linktest.Message) bool {
		if m.Client != "" {
			heard <- m
		}
		return false
	}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{}, 4)
	for _, serve := range []func(context.Context){
		func(ctx context.Context) { _ = r.dispatch.Serve(ctx) },
		func(ctx context.Context) { r.listen(ctx, heard) },
		r.node(t, enrolled(t, r.house, r.fleet, restingNode, "tan-lap")),
		func(ctx context.Context) { _ = r.link.Serve(ctx) },
	} {
		go func() {
			serve(ctx)
			done <- struct{}{}
		}()
	}
	t.Cleanup(func() {
		cancel()
		for range cap(done) {
			<-done
		}
		r.broker.Close()
		// A statement handed to Paho in the last moment gives up within ten seconds.
		<-time.After(15 * time.Second)
	})
	r.dispatch.Up(ctx)
	return r
}

// Publish is the controller's way to the broker.
func (r *resting) Publish(topic string, payload []byte, retained bool) error {
	r.broker.Publish(topic, payload, retained)
	return nil
}

// Document is how the node fetches what is not pushed.
func (r *resting) Document(ctx context.Context, sum link.Sum) ([]byte, error) {
	d, err := r.house.DB.Document(ctx, broadcast.Digest(fmt.Sprintf("%x", sum)))
	return d.Raw, err
}

// Content is asked for by nobody who has nothing to sound.
func (r *resting) Content(_ context.Context, o link.Order) (err error) {
	if sha256.Sum256(r.recording) != o.Sum {
		return link.ErrNotFound
	}
	p, err := o.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if _, err := p.Write(r.recording[p.Offset():]); err != nil {
		return err
	}
	return p.Commit()
}

// listen is the way back.
func (r *resting) listen(ctx context.Context, heard <-chan linktest.Message) {
	for {
		select {
		case m := <-heard:
			r.dispatch.Message(broker.Message{Topic: m.Topic, Payload: m.Payload})
		case <-ctx.Done():
			return
		}
	}
}

// enrolled takes a node in up to its confirmation.
func enrolled(t *testing.T, house peopletest.House, f *fleet.Fleet, id, area broadcast.ID) wire.Enrolled {
	t.Helper()
	ctx := context.Background()
	token := house.Token(t, "technician", "")
	by, err := house.Office.Bearer(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	once, err := f.Invite(ctx, by.Person.ID, fleet.Invitation{Node: id, Area: area})
	if err != nil {
		t.Fatal(err)
	}
	request := wire.Enrolment{Node: id, Token: once, Board: "simulated"}.Prove(sealtest.Key(string(id)))
	e, err := f.Enrol(ctx, request, house.Office.Roots())
	if err != nil {
		t.Fatal(err)
	}
	err = house.Office.With(ctx, people.Credential{Token: token}, func(s seal.Signer) error {
		return f.Confirm(ctx, by.Person.ID, id, e.ShortCode, s)
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// node makes the node with its card and its link, and returns how it is served.
func (r *resting) node(t *testing.T, e wire.Enrolled) func(context.Context) {
	t.Helper()
	dir, fs := t.TempDir(), store.OS()
	journal, err := store.OpenJournal(fs, filepath.Join(dir, "journal"), store.JournalLimits{Record: 8 << 10, Segment: 128 << 10, Total: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	registers, err := store.OpenRegisters(fs, filepath.Join(dir, "registers"), store.RegisterLimits{Value: 260 << 10, Count: 6000, Total: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	contents, err := store.OpenContents(fs, filepath.Join(dir, "contents"), store.ContentLimits{File: 64 << 20, Quota: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	ticks := node.SystemTicks()
	dial := node.NewDial(ticks)
	r.player = &nodetest.Player{Now: dial.Now, WarmUp: warmUp}
	cfg := node.Config{Node: restingNode, Top: broadcast.BacQuang, Pin: r.house.Office.Fingerprint(), Demo: true, Roots: e.Roots,
		Key: sealtest.Key(string(restingNode)), Version: "v0.0.0-20261122000000-0123456789ab", BoardName: "simulated",
		Built:   broadcast.InstantOf(time.Now().Add(-time.Hour)),
		Board:   plan.Board{WarmUp: warmUp, Hold: 2 * time.Second, MinOff: 500 * time.Millisecond, MaxOn: 3 * time.Hour, Chimes: map[string]time.Duration{}},
		Journal: journal, Registers: registers, Contents: contents, Path: func(s store.Sum) string { return "" }, Quota: 256 << 20,
		Fetcher: r, Player: r.player,
		Ticks: ticks, Dial: dial, Rand: rand.New(rand.NewPCG(1, 2)), Log: slog.New(slog.DiscardHandler),
		Traffic: func() (int64, int64) { s := r.link.Stats(); return s.BytesOut, s.BytesIn }}
	n, err := node.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.link, err = link.New(link.Config{Brokers: []string{e.Controllers[0].MQTT}, Dial: r.dial, Will: n.Will, Listener: n,
		Credentials: func() (string, string, bool) { return string(restingNode), e.Secret, true },
		Log:         slog.New(slog.DiscardHandler), Rand: rand.New(rand.NewPCG(3, 4))})
	if err != nil {
		t.Fatal(err)
	}
	n.Connect(r.link)
	return func(ctx context.Context) { _ = n.Serve(ctx) }
}

// dial is a line on which pieces are counted.
func (r *resting) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := r.broker.Dial(ctx, network, address)
	return &counting{conn, r}, err
}

type counting struct {
	net.Conn
	r *resting
}

// Write counts a piece out.
func (c *counting) Write(p []byte) (int, error) {
	c.r.out.Add(1)
	return c.Conn.Write(p)
}

// Read counts a piece in.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.r.in.Add(1)
	}
	return n, err
}

// inStep says whether the node is there, knows the time and holds what it should.
func (r *resting) inStep(t *testing.T) bool {
	t.Helper()
	all, err := r.fleet.Overview(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d nodes: %v", len(all), err)
	}
	want, err := r.dispatch.Holding(t.Context(), restingNode)
	if err != nil {
		t.Fatal(err)
	}
	s := all[0].State
	return s != nil && s.Holding == want && s.Clock == broadcast.ClockProved
}

// counted is what went over the line so far.
func (r *resting) counted() idleData {
	s := r.link.Stats()
	return idleData{bytes: s.BytesIn + s.BytesOut, out: r.out.Load(), in: r.in.Load()}
}
