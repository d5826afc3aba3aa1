package dispatch

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/store"
)

// patience is far above what anything here takes.
const patience = 60 * time.Second

// world is a controller's database and the network around it: an embedded
// broker and dispatch, each of which can be stopped and started by itself.
type world struct {
	*rig
	secret string // the node's
	dir    string // the broker's
	addr   string
	door   *broker.Embedded
	fleet  *fleet.Fleet

	stopBroker, stopDispatch func()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{rig: &rig{t: t, db: db, clock: time.Now()}, dir: t.TempDir(), addr: "127.0.0.1:0"}
	w.house = sealtest.NewHouse("tuyen-quang", broadcast.InstantOf(w.clock), true)
	w.newFleet()
	w.join()
	w.startBroker()
	w.startDispatch("run1")
	return w
}

func (w *world) newFleet() {
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		w.t.Fatal(err)
	}
	w.fleet = fleet.New(fleet.Config{DB: w.db, Office: sealtest.Belief{House: w.house, Places: places()}, Tree: organisation.Fixed(tree), Events: &events.Hub{}, Now: time.Now, Log: slog.New(slog.DiscardHandler), ControllerSecret: "of the controller",
		Controllers: []broadcast.Controller{{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}}})
}

// join takes the node into the fleet and keeps its secret.
func (w *world) join() {
	w.t.Helper()
	token, err := w.fleet.Invite(w.t.Context(), "ky-thuat", fleet.Invitation{Node: node, Area: "tan-lap"})
	if err != nil {
		w.t.Fatal(err)
	}
	e := wire.Enrolment{Node: node, Token: token, Board: "simulated"}.Prove(sealtest.Key(string(node)))
	got, err := w.fleet.Enrol(w.t.Context(), e, []broadcast.Envelope{w.house.Root})
	if err != nil {
		w.t.Fatal(err)
	}
	w.secret = got.Secret
	if err := w.fleet.Confirm(w.t.Context(), "ky-thuat", node, got.ShortCode, w.house.Officer("ky-thuat", broadcast.District, "bac-quang")); err != nil {
		w.t.Fatal(err)
	}
}

// serve runs things until the stop that it returns, which waits for their end.
func serve(t *testing.T, all ...func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, len(all))
	for _, f := range all {
		go func() { ended <- f(ctx) }()
	}
	done := false
	stop = func() {
		if done {
			return
		}
		done = true
		cancel()
		for range all {
			if err := <-ended; err != nil && ctx.Err() == nil {
				t.Errorf("ended with %v", err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

func (w *world) startBroker() {
	w.t.Helper()
	var err error
	w.door, err = broker.Embed(broker.EmbedConfig{Dir: w.dir, Addr: w.addr, Authorise: w.fleet, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.stopBroker = serve(w.t, w.door.Serve)
	select {
	case <-w.door.Ready():
		w.addr = w.door.Addr()
	case <-time.After(patience):
		w.t.Fatal("the broker is not ready")
	}
}

// startDispatch starts a controller's side on the database as it is, and waits
// until it hears what nodes say.
func (w *world) startDispatch(run broadcast.ID) {
	w.t.Helper()
	var d *Dispatch
	up := make(chan struct{}, 16)
	client, err := broker.Connect(broker.ClientConfig{URL: "mqtt://" + w.addr, Username: fleet.ControllerUser, Password: "of the controller",
		Subscriptions: wire.ControllerReads(), OnMessage: func(m broker.Message) { d.Message(m) },
		OnUp: func(ctx context.Context) { d.Up(ctx); up <- struct{}{} }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	d = New(Config{DB: w.db, Fleet: w.fleet, Events: &events.Hub{}, Office: w, Bus: client, Broker: w.door, Run: run, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	w.Dispatch = d
	w.stopDispatch = serve(w.t, client.Serve, d.Serve)
	select {
	case <-up:
	case <-time.After(patience):
		w.t.Fatal("dispatch has no link")
	}
}

// fakeNode speaks for the node at the broker and keeps what it hears.
type fakeNode struct {
	*broker.Client
	t     *testing.T
	heard chan broker.Message
	kept  []broker.Message
	up    chan struct{}
}

// connect brings the node to the broker.
func (w *world) connect() *fakeNode {
	w.t.Helper()
	_, read := wire.NodeRights(node, places().Chain)
	n := &fakeNode{t: w.t, heard: make(chan broker.Message, 1024), up: make(chan struct{}, 16)}
	var err error
	n.Client, err = broker.Connect(broker.ClientConfig{URL: "mqtt://" + w.addr, Username: string(node), Password: w.secret, Subscriptions: read,
		OnMessage: func(m broker.Message) { n.heard <- m }, OnUp: func(context.Context) { n.up <- struct{}{} }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	serve(w.t, n.Serve)
	n.online()
	return n
}

// online waits for the next link.
func (n *fakeNode) online() {
	n.t.Helper()
	select {
	case <-n.up:
	case <-time.After(patience):
		n.t.Fatal("the node has no link")
	}
}

// say publishes one message of the node.
func (n *fakeNode) say(name string, payload []byte, retained bool) {
	n.t.Helper()
	if err := n.Publish(wire.Node(node, name), payload, retained); err != nil {
		n.t.Fatal(err)
	}
}

// hint publishes an unsealed message of the node.
func (n *fakeNode) hint(name string, v broadcast.Validator, retained bool) {
	n.t.Helper()
	raw, err := broadcast.Encode(v)
	if err != nil {
		n.t.Fatal(err)
	}
	n.say(name, raw, retained)
}

// hears waits for a message on a topic that fits. What came meanwhile on other
// topics is kept for later.
func (n *fakeNode) hears(topic string, fits func(broker.Message) bool) broker.Message {
	n.t.Helper()
	fit := func(m broker.Message) bool { return m.Topic == topic && (fits == nil || fits(m)) }
	if i := slices.IndexFunc(n.kept, fit); i >= 0 {
		m := n.kept[i]
		n.kept = slices.Delete(n.kept, i, i+1)
		return m
	}
	for end := time.After(patience); ; {
		select {
		case m := <-n.heard:
			if fit(m) {
				return m
			}
			if m.Topic != topic {
				n.kept = append(n.kept, m)
			}
		case <-end:
			n.t.Fatalf("nothing that fits on %s; %d other messages", topic, len(n.kept))
		}
	}
}

// proves sends part of a chain and returns the acknowledgement.
func (w *world) proves(n *fakeNode, list []broadcast.Receipt) broadcast.ReceiptAck {
	w.t.Helper()
	n.say("receipt", sealtest.Sealed(broadcast.KindReceipts, broadcast.ReceiptBatch{Node: node, Chain: "c1", Receipts: list}, sealtest.Bare(string(node))), false)
	m := n.hears(wire.Node(node, "receipt/ack"), nil)
	ack, _, err := seal.Open[broadcast.ReceiptAck](w.house.Keyring(places()), broadcast.KindAck, m.Payload, seal.Context{Places: places()})
	if err != nil {
		w.t.Fatal(err)
	}
	return ack
}

// lists says whether a message is a manifest that lists a document.
func (w *world) lists(id broadcast.ID) func(broker.Message) bool {
	return func(m broker.Message) bool {
		if _, err := seal.Parse(broadcast.KindManifest, m.Payload); err != nil {
			return false
		}
		_, ok := w.manifest(m).Find(broadcast.KindAnnouncement, id)
		return ok
	}
}
