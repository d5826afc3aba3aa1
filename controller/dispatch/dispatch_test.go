package dispatch

import (
	"context"
	"log/slog"
	"sync"
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

// bus remembers what was published, in order.
type bus struct {
	mu  sync.Mutex
	out []broker.Message
	err error
}

func (b *bus) Publish(topic string, payload []byte, retained bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.out = append(b.out, broker.Message{Topic: topic, Payload: payload, Retained: retained})
	return nil
}

// on returns what went out on a topic since the last call, and forgets it.
func (b *bus) on(topic string) []broker.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var got, rest []broker.Message
	for _, m := range b.out {
		if m.Topic == topic {
			got = append(got, m)
		} else {
			rest = append(rest, m)
		}
	}
	b.out = rest
	return got
}

// rig is a dispatch over a real database with one confirmed node.
type rig struct {
	*Dispatch
	t     *testing.T
	bus   *bus
	db    *store.DB
	house *sealtest.House
	clock time.Time
}

func (r *rig) Service(context.Context) (seal.Signer, error) { return r.house.Service, nil }

const node broadcast.ID = "tan-lap-1"

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	r := &rig{t: t, bus: &bus{}, db: db, clock: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	r.house = sealtest.NewHouse("tuyen-quang", broadcast.InstantOf(r.clock), true)
	r.Dispatch = r.restart()
	r.enrol()
	return r
}

func (r *rig) restart() *Dispatch {
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		r.t.Fatal(err)
	}
	now := func() time.Time { return r.clock }
	hub := &events.Hub{}
	f := fleet.New(fleet.Config{DB: r.db, Office: sealtest.Belief{House: r.house, Places: places()}, Tree: organisation.Fixed(tree), Events: hub, Now: now, Log: slog.New(slog.DiscardHandler),
		Controllers: []broadcast.Controller{{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}}})
	return New(Config{DB: r.db, Fleet: f, Events: hub, Office: r, Bus: r.bus, Run: "run", Now: now, Log: slog.New(slog.DiscardHandler)})
}

// enrol brings the node into the fleet as it comes in the field.
func (r *rig) enrol() {
	r.t.Helper()
	ctx := r.t.Context()
	token, err := r.cfg.Fleet.Invite(ctx, "ky-thuat", fleet.Invitation{Node: node, Area: "tan-lap"})
	if err != nil {
		r.t.Fatal(err)
	}
	e := wire.Enrolment{Node: node, Token: token, Board: "simulated", Key: sealtest.Public(string(node))}.Prove(sealtest.Key(string(node)))
	got, err := r.cfg.Fleet.Enrol(ctx, e, []broadcast.Envelope{r.house.Root})
	if err != nil {
		r.t.Fatal(err)
	}
	signer := r.house.Officer("ky-thuat", broadcast.District, "bac-quang")
	if err := r.cfg.Fleet.Confirm(ctx, "ky-thuat", node, got.ShortCode, signer); err != nil {
		r.t.Fatal(err)
	}
}

// list makes an area hold an announcement and returns its bytes.
func (r *rig) list(id broadcast.ID, area broadcast.ID) []byte {
	r.t.Helper()
	ctx := r.t.Context()
	lan := r.house.Officer("lan", broadcast.District, "bac-quang")
	a := sealtest.Announcement(id, broadcast.InstantOf(r.clock), area)
	raw := sealtest.Sealed(broadcast.KindAnnouncement, a, lan)
	err := r.db.Update(ctx, func(tx store.Tx) error {
		sha, err := tx.PutDocument(ctx, store.Document{Kind: broadcast.KindAnnouncement, ID: id, Revision: a.Revision, Raw: raw})
		if err != nil {
			return err
		}
		return tx.List(ctx, store.Listing{Area: area, Kind: broadcast.KindAnnouncement, ID: id, Revision: a.Revision, SHA256: sha,
			Until: a.Timing.Deadline(a.Class)})
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return raw
}

// places is the node's chain.
func places() broadcast.Assignment {
	return broadcast.Assignment{Chain: []broadcast.Place{{Area: "tuyen-quang", Level: broadcast.Province}, {Area: "bac-quang", Level: broadcast.District},
		{Area: "xa-tan-quang", Level: broadcast.Commune}, {Area: "tan-lap", Level: broadcast.Village}}}
}

func (r *rig) manifest(m broker.Message) broadcast.Manifest {
	r.t.Helper()
	doc, _, err := seal.Open[broadcast.Manifest](r.house.Keyring(places()), broadcast.KindManifest, m.Payload, seal.Context{Places: places()})
	if err != nil {
		r.t.Fatal(err)
	}
	return doc
}

func TestManifestFollowsTheListings(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.scan(ctx, false)
	topic := wire.Area("bac-quang", "manifest")
	empty := r.bus.on(topic)
	if len(empty) != 1 || !empty[0].Retained || len(r.manifest(empty[0]).Documents) != 0 {
		t.Fatalf("an area with nodes has a manifest even when it is empty: %v", empty)
	}
	raw := r.list("a1", "bac-quang")
	r.scan(ctx, false)
	if got := r.bus.on(wire.Area("bac-quang", "announcement")); len(got) != 1 || string(got[0].Payload) != string(raw) || got[0].Retained {
		t.Errorf("pushed %d times", len(got))
	}
	first := r.manifest(empty[0])
	second := r.manifest(r.bus.on(topic)[0])
	if e, ok := second.Find(broadcast.KindAnnouncement, "a1"); !ok || e.SHA256 != broadcast.Sum(raw) || second.Revision <= first.Revision {
		t.Errorf("%+v", second)
	}
	r.scan(ctx, false)
	if again := r.bus.on(topic); len(again) != 0 {
		t.Errorf("an unchanged manifest was published %d times", len(again))
	}
	r.clock = r.clock.Add(time.Hour)
	r.scan(ctx, false)
	if third := r.manifest(r.bus.on(topic)[0]); len(third.Documents) != 0 {
		t.Errorf("past its deadline still listed: %+v", third)
	}
}

func TestManifestIsRenewedBeforeItLooksStale(t *testing.T) {
	r := newRig(t)
	r.scan(t.Context(), false)
	before := r.manifest(r.bus.on(wire.Area("tan-lap", "manifest"))[0])
	r.clock = r.clock.Add(refreshAfter + time.Minute)
	r.scan(t.Context(), false)
	after := r.manifest(r.bus.on(wire.Area("tan-lap", "manifest"))[0])
	if after.Revision.IssuedAt() != broadcast.InstantOf(r.clock) || after.Revision <= before.Revision {
		t.Errorf("%v then %v", before.Revision, after.Revision)
	}
}

func TestRestartGoesOnWithTheSameManifest(t *testing.T) {
	r := newRig(t)
	r.list("a1", "tan-lap")
	r.scan(t.Context(), false)
	before := r.bus.on(wire.Area("tan-lap", "manifest"))[0]
	r.clock = r.clock.Add(time.Minute)
	next := r.restart()
	next.Up(t.Context())
	if on := r.bus.on(wire.ControllerTopic); len(on) != 1 || !on[0].Retained {
		t.Error("nobody was told that the controller is online")
	}
	next.scan(t.Context(), true)
	after := r.bus.on(wire.Area("tan-lap", "manifest"))
	if len(after) != 1 || string(after[0].Payload) != string(before.Payload) {
		t.Errorf("%d manifests after the restart, or another one", len(after))
	}
	if got := r.bus.on(wire.Area("tan-lap", "announcement")); len(got) != 2 {
		t.Errorf("what was due before the restart went out %d times, want once before and once after", len(got))
	}
}

func TestFailedPushIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.list("a1", "tan-lap")
	r.bus.err = context.DeadlineExceeded
	r.scan(t.Context(), false)
	r.bus.err = nil
	r.scan(t.Context(), false)
	if got := r.bus.on(wire.Area("tan-lap", "announcement")); len(got) != 1 {
		t.Errorf("pushed %d times", len(got))
	}
	// The manifest was sealed while the broker was gone, and is not forgotten.
	if got := r.bus.on(wire.Area("tan-lap", "manifest")); len(got) != 1 {
		t.Errorf("manifest published %d times", len(got))
	}
}

func TestNonceIsAnsweredWithTheTime(t *testing.T) {
	r := newRig(t)
	nonce := "AAAAAAAAAAAAAAAAAAAAAA"
	p, err := broadcast.Encode(wire.Presence{State: wire.Ready, Connection: "c1", Boot: "b1", Nonce: nonce})
	if err != nil {
		t.Fatal(err)
	}
	r.Message(broker.Message{Topic: wire.Node(node, "presence"), Payload: p, Retained: true})
	if got := r.bus.on(wire.Node(node, "time")); len(got) != 0 {
		t.Error("a retained presence, of unknown age, was answered")
	}
	r.Message(broker.Message{Topic: wire.Node(node, "presence"), Payload: p})
	got := r.bus.on(wire.Node(node, "time"))
	if len(got) != 1 {
		t.Fatalf("%d answers", len(got))
	}
	answer, _, err := seal.Open[broadcast.TimeAnswer](r.house.Keyring(places()), broadcast.KindTime, got[0].Payload, seal.Context{Places: places()})
	if err != nil || answer.Nonce != nonce || answer.Boot != "b1" || answer.At != broadcast.InstantOf(r.clock) {
		t.Errorf("%+v %v", answer, err)
	}
}

func (r *rig) state(holding broadcast.Digest) {
	r.t.Helper()
	raw, err := broadcast.Encode(wire.State{Boot: "b1", Version: "1", Board: "simulated", Clock: broadcast.ClockProved, Holding: holding, Chain: "c1"})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Message(broker.Message{Topic: wire.Node(node, "state"), Payload: raw})
}

func TestDriftingNodeIsGivenWhatItLacks(t *testing.T) {
	r := newRig(t)
	raw := r.list("a1", "bac-quang")
	r.scan(t.Context(), false)
	r.state(broadcast.Sum(nil))
	r.state(broadcast.Sum(nil))
	if len(r.wanting) != 1 {
		t.Fatalf("%d nodes wait, want the one, once", len(r.wanting))
	}
	if err := r.give(t.Context(), <-r.wanting); err != nil {
		t.Fatal(err)
	}
	if got := r.bus.on(wire.Node(node, "assignment")); len(got) != 1 || !got[0].Retained {
		t.Errorf("assignment sent %d times", len(got))
	}
	docs := r.bus.on(wire.Node(node, "document"))
	if len(docs) != 1+len(places().Chain) || string(docs[0].Payload) != string(raw) {
		t.Errorf("%d documents, want the emergency first and then %d manifests", len(docs), len(places().Chain))
	}
	want, err := r.Holding(t.Context(), node)
	if err != nil {
		t.Fatal(err)
	}
	r.clock = r.clock.Add(time.Minute)
	r.state(want)
	if len(r.wanting) != 0 {
		t.Error("a node in step was served again")
	}
}

func TestGarbageOnEveryTopicIsHarmless(t *testing.T) {
	r := newRig(t)
	big := make([]byte, wire.MaxMessage+1)
	for _, c := range wire.Channels() {
		for _, topic := range []string{wire.Node(node, c.Name), wire.Node("unknown", c.Name), wire.Area("tan-lap", c.Name), "loaxa/1/node/../" + c.Name, c.Name} {
			for _, payload := range [][]byte{nil, []byte("{}"), []byte("null"), []byte("\xff\xfe"), []byte(`{"state":"ready"}`), big} {
				r.Message(broker.Message{Topic: topic, Payload: payload})
			}
		}
	}
	for len(r.receipts) > 0 {
		r.take(t.Context(), []incoming{<-r.receipts})
	}
	if len(r.bus.out) != 0 {
		t.Errorf("garbage was answered: %v", r.bus.out)
	}
}

func TestNodeThatWasSentAwayIsServedAsSoonAsItIsBack(t *testing.T) {
	r := newRig(t)
	r.placed = map[broadcast.ID]broadcast.Digest{} // the node was pending at the last look
	drifts := broadcast.Sum([]byte("something else"))
	r.state(drifts)
	r.state(drifts)
	if len(r.wanting) != 1 {
		t.Fatalf("a node was served %d times in a moment, want once", len(r.wanting))
	}
	r.scan(t.Context(), false)
	r.state(drifts)
	if len(r.wanting) != 2 {
		t.Error("what was lost with the old session waits for the node's next state")
	}
}

// door counts who was sent away.
type door struct{ kicked []string }

func (d *door) Kick(user string) int {
	d.kicked = append(d.kicked, user)
	return 1
}

func TestNodeWhoseStandingChangedComesBackWithItsRights(t *testing.T) {
	r := newRig(t)
	d := &door{}
	r.cfg.Broker = d
	r.scan(t.Context(), false)
	if len(d.kicked) != 0 {
		t.Errorf("sent away at the start: %v", d.kicked)
	}
	token, err := r.cfg.Fleet.Invite(t.Context(), "ky-thuat", fleet.Invitation{Node: "n2", Area: "tan-lap"})
	if err != nil {
		t.Fatal(err)
	}
	e := wire.Enrolment{Node: "n2", Token: token, Board: "simulated"}.Prove(sealtest.Key("n2"))
	got, err := r.cfg.Fleet.Enrol(t.Context(), e, []broadcast.Envelope{r.house.Root})
	if err != nil {
		t.Fatal(err)
	}
	r.scan(t.Context(), false)
	if err := r.cfg.Fleet.Confirm(t.Context(), "ky-thuat", "n2", got.ShortCode, r.house.Officer("ky-thuat", broadcast.District, "bac-quang")); err != nil {
		t.Fatal(err)
	}
	r.scan(t.Context(), false)
	r.scan(t.Context(), false)
	if len(d.kicked) != 1 || d.kicked[0] != "n2" || len(r.bus.on(wire.Node("n2", "assignment"))) != 1 {
		t.Errorf("after confirming: %v", d.kicked)
	}
	if err := r.cfg.Fleet.Revoke(t.Context(), "ky-thuat", "n2"); err != nil {
		t.Fatal(err)
	}
	r.scan(t.Context(), false)
	if len(d.kicked) != 2 {
		t.Errorf("after revoking: %v", d.kicked)
	}
}
