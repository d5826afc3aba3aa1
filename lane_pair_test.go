package loaxa

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/store"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// pair is a real node and a real dispatch with a wire between them.
type pair struct {
	*nodetest.Rig
	db       *store.DB
	fleet    *fleet.Fleet
	dispatch *dispatch.Dispatch
	// mute keeps the answers to questions for the time back.
	mute bool
	// lists are the manifests of the district that passed the wire.
	lists []broadcast.Manifest
	// halt stops the controller.
	halt func()
	// carries is asked of every message on either way whether the broker carries
	// it; nil for one that carries all.
	carries func(carried) bool
	// plug guards which node is at the wire.
	plug sync.RWMutex
}

// carried is a message at the broker.
type carried struct {
	topic    string
	payload  []byte
	retained bool
	from     wire.Side
}

func (w *pair) Service(context.Context) (seal.Signer, error) { return w.Centre.House.Service, nil }

// Publish is the way from the controller to the node.
func (w *pair) Publish(topic string, payload []byte, retained bool) error {
	t, err := wire.ParseTopic(topic)
	if err != nil || w.mute && t.Channel.Name == "time" {
		return err
	}
	if w.carries != nil && !w.carries(carried{topic, payload, retained, wire.FromController}) {
		return nil
	}
	if topic == wire.Area(nodetest.Top, "manifest") {
		here := broadcast.Assignment{Chain: []broadcast.Place{{Area: nodetest.Top, Level: broadcast.District}}}
		m, _, err := seal.Open[broadcast.Manifest](w.Centre.House.Keyring(here), broadcast.KindManifest, payload, seal.Context{Places: here})
		if err != nil {
			return err
		}
		w.lists = append(w.lists, m)
	}
	w.plug.RLock()
	defer w.plug.RUnlock()
	for _, reads := range w.Wire.Topics() {
		if topic == reads || strings.HasSuffix(reads, "/+") && strings.HasPrefix(topic, strings.TrimSuffix(reads, "+")) {
			w.Send(topic, payload)
		}
	}
	return nil
}

// take is the way back.
func (w *pair) take(topic string, payload []byte) []nodetest.Outgoing {
	if w.carries != nil && !w.carries(carried{topic, payload, false, wire.FromNode}) {
		return nil
	}
	w.dispatch.Message(broker.Message{Topic: topic, Payload: payload})
	return nil
}

// newPair makes both and starts the controller.
func newPair(t *testing.T) *pair {
	t.Helper()
	<-time.After(time.Until(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)))
	w := &pair{Rig: nodetest.NewRig(t)}
	var err error
	if w.db, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		t.Fatal(err)
	}
	hub, log := &events.Hub{}, slog.New(slog.NewTextHandler(t.Output(), nil))
	w.fleet = fleet.New(fleet.Config{DB: w.db, Office: sealtest.Belief{House: w.Centre.House, Places: broadcast.Assignment{}}, Tree: organisation.Fixed(tree), Events: hub, ControllerSecret: "of the controller", Now: time.Now, Log: log,
		Controllers: []broadcast.Controller{{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}}})
	w.enlist(t)
	w.dispatch = dispatch.New(dispatch.Config{DB: w.db, Fleet: w.fleet, Events: hub, Office: w, Bus: w, Run: "run-1", Now: time.Now, Log: log})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.dispatch.Serve(ctx) // the context's error
	}()
	w.halt = func() {
		cancel()
		<-done
	}
	t.Cleanup(func() {
		w.Stop()
		w.halt()
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// plugIn starts the node on the card as it is, with its wire down.
func (w *pair) plugIn() {
	w.plug.Lock()
	defer w.plug.Unlock()
	w.BootAlone()
	w.Wire.Take = w.take
}

// boot starts the node and gives it its place by hand.
func (w *pair) boot() {
	w.plugIn()
	w.Settle()
	w.Wire.Up()
}

// enlist makes the rig's node one that the controller confirmed.
func (w *pair) enlist(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	token, err := w.fleet.Invite(ctx, "tho", fleet.Invitation{Node: nodetest.NodeID, Area: nodetest.Area})
	if err != nil {
		t.Fatal(err)
	}
	e, err := w.fleet.Enrol(ctx, wire.Enrolment{Node: nodetest.NodeID, Token: token, Board: "simulated"}.Prove(w.Key), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.fleet.Confirm(ctx, "tho", nodetest.NodeID, e.ShortCode, w.Centre.Editor); err != nil {
		t.Fatal(err)
	}
}

// publish makes the district hold an announcement.
func (w *pair) publish(t *testing.T, a broadcast.Announcement) {
	t.Helper()
	w.hold(t, broadcast.KindAnnouncement, a, a.Timing.Deadline(a.Class), w.Centre.Editor, w.Centre.Approver)
}

// hold makes the district hold a document of any kind until a moment.
func (w *pair) hold(t *testing.T, kind broadcast.Kind, doc broadcast.Validator, until broadcast.Instant, by ...seal.Signer) {
	t.Helper()
	raw, claim := w.Centre.Sealed(kind, doc, nodetest.Top, by...), claimOf(t, doc)
	err := w.db.Update(t.Context(), func(tx store.Tx) error {
		sum, err := tx.PutDocument(t.Context(), store.Document{Kind: kind, ID: claim.ID, Revision: claim.Revision, Raw: raw})
		if err != nil {
			return err
		}
		return tx.List(t.Context(), store.Listing{Area: nodetest.Top, Kind: kind, ID: claim.ID, Revision: claim.Revision, SHA256: sum, Until: until})
	})
	if err != nil {
		t.Fatal(err)
	}
	w.dispatch.Changed()
}

func claimOf(t *testing.T, doc broadcast.Validator) seal.Claim {
	t.Helper()
	claim, ok := seal.ClaimOf(doc)
	if !ok {
		t.Fatalf("%T claims nothing", doc)
	}
	return claim
}

func TestNodeWithoutTimeSoundsTheEmergencyThatItsQuestionCameBackWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPair(t)
		w.mute = true
		w.Ticks.Set(-20*365*24*time.Hour, false)
		w.boot()
		<-time.After(3 * time.Hour) // questions have become rare
		w.publish(t, w.Announcement("market", broadcast.Priority, 30*time.Second, time.Second))
		<-time.After(time.Hour)
		if n := len(w.Player.Sounded()); n != 0 {
			t.Fatalf("%d soundings without the time", n)
		}
		for _, m := range w.lists {
			if len(m.Nonces) > 0 {
				t.Fatalf("nonces without an emergency: %q", m.Nonces)
			}
		}
		idle := len(w.lists)
		flood := w.Announcement("flood", broadcast.Emergency, 5*time.Second, 2*time.Second)
		flood.Timing.Repeat, flood.Timing.Window = 600, 1500
		w.publish(t, flood)
		<-time.After(20 * time.Second)
		heard := w.Player.Sounded()
		if len(heard) != 1 {
			t.Fatalf("the emergency sounded %d times", len(heard))
		}
		if off := heard[0].First.Sub(flood.Timing.Start.Time()).Abs(); off > time.Second {
			t.Errorf("it sounded %v off", off)
		}
		<-time.After(time.Hour)
		if n := len(w.Player.Sounded()); n != 3 {
			t.Errorf("with its repeats it sounded %d times, want 3", n)
		}
		if n := len(w.lists) - idle; n > 10 {
			t.Errorf("%d manifests for one emergency and one node", n)
		}
	})
}

// proved are the rungs of an announcement that the controller stored as beyond
// doubt, and as doubtful.
func (w *pair) proved(t *testing.T, a broadcast.Announcement) (sure, doubtful []broadcast.Rung) {
	t.Helper()
	rows, err := w.db.ReceiptsOf(t.Context(), a.ID, a.Revision)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		r, err := broadcast.Decode[broadcast.Receipt](row.Raw)
		switch {
		case err != nil:
			t.Fatal(err)
		case row.Doubtful:
			doubtful = append(doubtful, r.Rung)
		default:
			sure = append(sure, r.Rung)
		}
	}
	return sure, doubtful
}

// sounds publishes an emergency and waits for its end.
func (w *pair) sounds(t *testing.T, id broadcast.ID) broadcast.Announcement {
	t.Helper()
	a := w.Announcement(id, broadcast.Emergency, 5*time.Second, 2*time.Second)
	before := len(w.Player.Sounded())
	w.publish(t, a)
	<-time.After(time.Minute)
	if n := len(w.Player.Sounded()) - before; n != 1 {
		t.Fatalf("%s sounded %d times", id, n)
	}
	return a
}

func TestNodeOnAnOldCardIsSeenAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPair(t)
		w.boot()
		<-time.After(time.Minute)
		first := w.sounds(t, "flood")
		if sure, doubtful := w.proved(t, first); !slices.Contains(sure, broadcast.Ended) || len(doubtful) != 0 {
			t.Fatalf("%v, doubtful %v", sure, doubtful)
		}
		image := w.Disk.Ops() // somebody copies the card
		second := w.sounds(t, "dam")
		<-time.After(time.Hour)
		w.Stop()
		w.Disk, _ = w.Disk.Cut(image, 1) // and puts the copy in
		w.boot()
		<-time.After(time.Minute)
		third := w.sounds(t, "storm")
		<-time.After(10 * time.Minute)
		doubts, err := w.db.Doubts(t.Context())
		if err != nil || doubts[nodetest.NodeID].Code != broadcast.FaultRolledBack {
			t.Errorf("%+v %v", doubts, err)
		}
		if sure, _ := w.proved(t, first); !slices.Contains(sure, broadcast.Ended) {
			t.Errorf("what both cards have in common: %v", sure)
		}
		if _, doubtful := w.proved(t, second); !slices.Contains(doubtful, broadcast.Ended) {
			t.Errorf("what only the first card proved is gone: %v", doubtful)
		}
		if _, doubtful := w.proved(t, third); !slices.Contains(doubtful, broadcast.Ended) {
			t.Errorf("what the old card proved since: %v", doubtful)
		}
		standings, err := w.fleet.Overview(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s := standings[0].State; s == nil || s.Acked != s.Seq || s.Seq == 0 {
			t.Errorf("the node still waits for an acknowledgement: %+v", s)
		}
	})
}
