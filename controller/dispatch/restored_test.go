package dispatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/store"
)

// restore makes the database one that came out of a backup an hour ago, and starts
// a controller on it.
func (r *rig) restore() {
	r.t.Helper()
	made := broadcast.InstantOf(r.clock)
	r.clock = r.clock.Add(20 * time.Second)
	err := r.db.Update(r.t.Context(), func(tx store.Tx) error {
		return tx.Restored(r.t.Context(), store.Restoration{Made: made, At: broadcast.InstantOf(r.clock)})
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Dispatch = r.restart()
	r.clock = r.clock.Add(time.Second)
}

// published gives a listed announcement its row at the desk.
func (r *rig) published(id broadcast.ID, raw []byte) {
	r.t.Helper()
	env, err := broadcast.Decode[broadcast.Envelope](raw)
	if err != nil {
		r.t.Fatal(err)
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		r.t.Fatal(err)
	}
	var a broadcast.Announcement
	if err := json.Unmarshal(payload, &a); err != nil {
		r.t.Fatal(err)
	}
	row := store.Announcement{ID: id, Revision: a.Revision, State: store.Published, SHA256: broadcast.Sum(raw), Published: broadcast.InstantOf(r.clock)}
	if err := r.db.Update(r.t.Context(), func(tx store.Tx) error { return tx.AddAnnouncement(r.t.Context(), row) }); err != nil {
		r.t.Fatal(err)
	}
}

// everything that went out since the last call, without what answers a node.
func (r *rig) out() []string {
	r.bus.mu.Lock()
	defer r.bus.mu.Unlock()
	var topics []string
	for _, m := range r.bus.out {
		if m.Topic != wire.ControllerTopic && !strings.HasSuffix(m.Topic, "/time") && !strings.HasSuffix(m.Topic, "/receipt/ack") {
			topics = append(topics, m.Topic)
		}
	}
	r.bus.out = nil
	return topics
}

// says that an announcement ended, in a receipt of the node.
func (r *rig) ended(id broadcast.ID, of broadcast.Revision, rung broadcast.Rung, why broadcast.Reason) {
	r.t.Helper()
	receipt := broadcast.Receipt{Seq: 1, Prev: broadcast.Sum(nil), At: 1000, Clock: broadcast.ClockProved, Boot: "b1",
		Announcement: id, Of: of, Payload: broadcast.Sum(nil), Rung: rung, Reason: why}
	if acks := r.send(node, node, string(node), []broadcast.Receipt{receipt}); len(acks) != 1 {
		r.t.Fatalf("%d acknowledgements", len(acks))
	}
}

func TestRestoreDoesNotSpeak(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	old := r.list("a-old", "tan-lap")
	r.published("a-old", old)
	r.scan(ctx, true)
	r.out()
	r.restore()
	for range 3 {
		r.Up(ctx)
		r.scan(ctx, true)
		r.state(broadcast.Sum([]byte("other"))) // asks for what it lacks
		for len(r.wanting) > 0 {
			if err := r.give(ctx, <-r.wanting); err != nil {
				t.Fatal(err)
			}
		}
		r.clock = r.clock.Add(time.Minute)
	}
	if got := r.out(); len(got) != 0 {
		t.Fatalf("a restored controller published %v", got)
	}
	if _, err := r.Pack(ctx, node, 3, shelf(t.TempDir()), &bytes.Buffer{}); !errors.Is(err, ErrRestored) {
		t.Errorf("a pack for a stick: %v", err)
	}

	t.Run("but an alarm of today goes out at once", func(t *testing.T) {
		flood := r.list("a-flood", "tan-lap")
		r.published("a-flood", flood)
		r.calm("a-market", "tan-lap")
		r.scan(ctx, false)
		if got := r.bus.on(wire.Area("tan-lap", "announcement")); len(got) != 1 || !bytes.Equal(got[0].Payload, flood) {
			t.Errorf("%d announcements went out, want the flood alone", len(got))
		}
		if got := r.out(); len(got) != 0 {
			t.Errorf("and %v", got)
		}
	})
	t.Run("and after the difference was accepted, everything", func(t *testing.T) {
		r.clock = r.clock.Add(hearing)
		d, err := r.Restored(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Accept(ctx, "an", d.Digest); err != nil {
			t.Fatal(err)
		}
		r.scan(ctx, true)
		if got := r.out(); !slices.Contains(got, wire.Area("tan-lap", "manifest")) {
			t.Errorf("%v", got)
		}
		if err := r.Accept(ctx, "an", d.Digest); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("accepted twice: %v", err)
		}
	})
}

func TestWhatNodesSayHasEndedIsNotPublishedAgain(t *testing.T) {
	for rung, why := range map[broadcast.Rung]broadcast.Reason{broadcast.Withdrawn: broadcast.WhyWithdrawn, broadcast.Superseded: broadcast.WhySuperseded} {
		r := newRig(t)
		ctx := t.Context()
		r.published("a-gone", r.list("a-gone", "tan-lap"))
		r.published("a-stays", r.list("a-stays", "tan-lap"))
		of := broadcast.Revision(broadcast.InstantOf(r.clock))
		r.restore()
		r.ended("a-gone", of, rung, why)
		r.clock = r.clock.Add(hearing)
		d, err := r.Restored(ctx)
		if err != nil || len(d.Ended) != 1 || d.Ended[0].Announcement != "a-gone" || d.Ended[0].Rung != rung || d.Ended[0].Node != node {
			t.Fatalf("%s: %+v %v", rung, d.Ended, err)
		}
		if err := r.Accept(ctx, "an", d.Digest); err != nil {
			t.Fatal(err)
		}
		r.clock = r.clock.Add(-hearing) // their deadlines would hide what is listed
		rows, err := r.db.Listings(ctx, []broadcast.ID{"tan-lap"}, broadcast.InstantOf(r.clock))
		if err != nil || slices.ContainsFunc(rows, func(l store.Listing) bool { return l.ID == "a-gone" }) || !slices.ContainsFunc(rows, func(l store.Listing) bool { return l.ID == "a-stays" }) {
			t.Errorf("%s: listed are %v, %v", rung, rows, err)
		}
		row, err := r.db.Announcement(ctx, "a-gone")
		if err != nil || row.State != store.Withdrawn || row.WithdrawnBy != "an" || !strings.Contains(row.WithdrawnWhy, string(node)) {
			t.Errorf("%+v %v", row, err)
		}
	}
}

func TestARestoreIsAcceptedAsItWasShownAndWhenNodesHaveSpoken(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	if _, err := r.Restored(ctx); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing was restored: %v", err)
	}
	r.scan(ctx, false)
	r.restore()
	silent, err := r.Restored(ctx)
	if err != nil || len(silent.Nodes) != 1 || silent.Nodes[0].Heard || silent.Until != broadcast.InstantOf(r.began.Add(hearing)) {
		t.Fatalf("%+v %v", silent, err)
	}
	if err := r.Accept(ctx, "an", silent.Digest); !errors.Is(err, ErrHearing) {
		t.Errorf("accepted before any node spoke: %v", err)
	}
	raw, err := broadcast.Encode(wire.State{Boot: "b1", Version: "1", Board: "simulated", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "c1",
		Manifests: map[broadcast.ID]broadcast.Revision{"tan-lap": broadcast.Revision(broadcast.InstantOf(r.clock)), "bac-quang": 1}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.cfg.Fleet.State(ctx, node, raw, true); err != nil {
		t.Fatal(err)
	}
	heard, err := r.Restored(ctx)
	if err != nil || !heard.Nodes[0].Heard || heard.Nodes[0].Same || heard.Until != 0 || !slices.Equal(heard.Nodes[0].Newer, []broadcast.ID{"tan-lap"}) {
		t.Fatalf("%+v %v", heard, err)
	}
	if err := r.Accept(ctx, "an", silent.Digest); !errors.Is(err, ErrDifference) {
		t.Errorf("accepted what was shown before: %v", err)
	}
	if err := r.Accept(ctx, "an", heard.Digest); err != nil {
		t.Error(err)
	}
	rows, err := r.db.AuditPage(ctx, store.AuditQuery{Act: "house.accept", Limit: 2})
	if err != nil || len(rows) != 1 || rows[0].Person != "an" {
		t.Errorf("%+v %v", rows, err)
	}
}

func TestAWithdrawalSignedAfterARestoreGoesOut(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.restore()
	lan := r.house.Officer("lan", broadcast.District, "bac-quang")
	now := broadcast.InstantOf(r.clock)
	w := broadcast.Withdrawal{ID: "a-old", Revision: broadcast.Revision(now), Announcement: "a-old", Upto: 1, Class: broadcast.Emergency, Areas: []broadcast.ID{"tan-lap"}, Reason: "nhầm"}
	raw := sealtest.Sealed(broadcast.KindWithdrawal, w, lan)
	err := r.db.Update(ctx, func(tx store.Tx) error {
		sha, err := tx.PutDocument(ctx, store.Document{Kind: broadcast.KindWithdrawal, ID: w.ID, Revision: w.Revision, Raw: raw})
		return errors.Join(err, tx.List(ctx, store.Listing{Area: "tan-lap", Kind: broadcast.KindWithdrawal, ID: w.ID, Revision: w.Revision, SHA256: sha, Until: now.Add(time.Hour)}))
	})
	if err != nil {
		t.Fatal(err)
	}
	r.scan(ctx, false)
	if got := r.out(); !slices.Equal(got, []string{wire.Area("tan-lap", "withdrawal")}) {
		t.Errorf("%v", got)
	}
}
