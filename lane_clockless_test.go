package loaxa

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/store"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// withheld is a real node and a real dispatch with a wire between them that
// carries everything but the answers to questions for the time.
type withheld struct {
	*nodetest.Rig
	db       *store.DB
	dispatch *dispatch.Dispatch
	// lists are the manifests of the district that passed the wire.
	lists []broadcast.Manifest
}

func (w *withheld) Service(context.Context) (seal.Signer, error) { return w.Centre.House.Service, nil }

// Publish is the way from the controller to the node.
func (w *withheld) Publish(topic string, payload []byte, _ bool) error {
	t, err := wire.ParseTopic(topic)
	if err != nil || t.Channel.Name == "time" {
		return err
	}
	if topic == wire.Area(nodetest.Top, "manifest") {
		here := broadcast.Assignment{Chain: []broadcast.Place{{Area: nodetest.Top, Level: broadcast.District}}}
		m, _, err := seal.Open[broadcast.Manifest](w.Centre.House.Keyring(here), broadcast.KindManifest, payload, seal.Context{Places: here})
		if err != nil {
			return err
		}
		w.lists = append(w.lists, m)
	}
	for _, reads := range w.Wire.Topics() {
		if topic == reads || strings.HasSuffix(reads, "/+") && strings.HasPrefix(topic, strings.TrimSuffix(reads, "+")) {
			w.Send(topic, payload)
		}
	}
	return nil
}

// take is the way back.
func (w *withheld) take(topic string, payload []byte) []nodetest.Outgoing {
	w.dispatch.Message(broker.Message{Topic: topic, Payload: payload})
	return nil
}

// newWithheld starts both; the board believes it is twenty years ago.
func newWithheld(t *testing.T) *withheld {
	t.Helper()
	<-time.After(time.Until(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)))
	w := &withheld{Rig: nodetest.NewRig(t)}
	var err error
	if w.db, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		t.Fatal(err)
	}
	hub, log := &events.Hub{}, slog.New(slog.NewTextHandler(t.Output(), nil))
	f := fleet.New(fleet.Config{DB: w.db, Tree: tree, Events: hub, ControllerSecret: "of the controller", Now: time.Now, Log: log,
		Controllers: []broadcast.Controller{{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}}})
	w.enlist(t, f)
	w.dispatch = dispatch.New(dispatch.Config{DB: w.db, Fleet: f, Events: hub, Office: w, Bus: w, Run: "run-1", Now: time.Now, Log: log})
	w.Ticks.Set(-20*365*24*time.Hour, false)
	w.BootAlone()
	w.Wire.Take = w.take
	w.Settle()
	w.Wire.Up()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.dispatch.Serve(ctx) // the context's error
	}()
	t.Cleanup(func() {
		w.Stop()
		cancel()
		<-done
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// enlist makes the rig's node one that the controller confirmed.
func (w *withheld) enlist(t *testing.T, f *fleet.Fleet) {
	t.Helper()
	ctx := t.Context()
	token, err := f.Invite(ctx, "tho", fleet.Invitation{Node: nodetest.NodeID, Area: nodetest.Area})
	if err != nil {
		t.Fatal(err)
	}
	e, err := f.Enrol(ctx, wire.Enrolment{Node: nodetest.NodeID, Token: token, Board: "simulated"}.Prove(w.Key), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Confirm(ctx, "tho", nodetest.NodeID, e.ShortCode, w.Centre.Editor); err != nil {
		t.Fatal(err)
	}
}

// publish makes the district hold an announcement.
func (w *withheld) publish(t *testing.T, a broadcast.Announcement) {
	t.Helper()
	raw := w.Sealed(a)
	err := w.db.Update(t.Context(), func(tx store.Tx) error {
		sum, err := tx.PutDocument(t.Context(), store.Document{Kind: broadcast.KindAnnouncement, ID: a.ID, Revision: a.Revision, Raw: raw})
		if err != nil {
			return err
		}
		return tx.List(t.Context(), store.Listing{Area: nodetest.Top, Kind: broadcast.KindAnnouncement, ID: a.ID, Revision: a.Revision,
			SHA256: sum, Until: a.Timing.Deadline(a.Class)})
	})
	if err != nil {
		t.Fatal(err)
	}
	w.dispatch.Changed()
}

func TestNodeWithoutTimeSoundsTheEmergencyThatItsQuestionCameBackWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWithheld(t)
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
