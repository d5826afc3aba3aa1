package dispatch

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/store"
)

func TestOldManifestsAreForgotten(t *testing.T) {
	r := newRig(t)
	var all []broadcast.Digest
	for range 5 {
		r.scan(t.Context(), false)
		doc, err := r.db.NewestDocument(t.Context(), broadcast.KindManifest, "tan-lap")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, doc.SHA256)
		r.clock = r.clock.Add(refreshAfter + time.Minute)
	}
	for i, sha := range all {
		_, err := r.db.Document(t.Context(), sha)
		if kept := err == nil; kept != (i >= 3) {
			t.Errorf("manifest %d of %d: %v", i+1, len(all), err)
		}
	}
}

func TestManifestThatDidNotGoOutIsPublishedAtTheNextLook(t *testing.T) {
	r := newRig(t)
	topic := wire.Area("tan-lap", "manifest")
	r.scan(t.Context(), false)
	r.bus.on(topic)
	r.list("a1", "tan-lap")
	r.bus.err = context.DeadlineExceeded // a stall; the link stays, so nobody calls Up
	r.scan(t.Context(), false)
	r.bus.err = nil
	r.scan(t.Context(), false)
	got := r.bus.on(topic)
	if len(got) != 1 {
		t.Fatalf("published %d times", len(got))
	}
	if _, ok := r.manifest(got[0]).Find(broadcast.KindAnnouncement, "a1"); !ok {
		t.Error("an older one")
	}
	r.scan(t.Context(), false)
	if again := r.bus.on(topic); len(again) != 0 {
		t.Errorf("and %d times more", len(again))
	}
}

func TestReconnectionIsNotForgottenWhileManyNodesWait(t *testing.T) {
	r := newRig(t)
	for len(r.wanting) < cap(r.wanting) {
		r.wanting <- node
	}
	for range 3 {
		r.Up(t.Context())
	}
	if len(r.up) != 1 {
		t.Errorf("%d reconnections are noted, want one for all", len(r.up))
	}
	r.state(broadcast.Sum(nil)) // finds no room, and does not wait
	for range cap(r.receipts) + 1 {
		r.Message(broker.Message{Topic: wire.Node(node, "receipt"), Payload: []byte("{}")})
	}
	r.Changed()
	r.Changed()
	if len(r.changed) != 1 {
		t.Errorf("%d changes wait", len(r.changed))
	}
}

// silence lists a document that has a topic of its own.
func (r *rig) silence(rev broadcast.Revision, until broadcast.Instant) []byte {
	r.t.Helper()
	lan := r.house.Officer("lan", broadcast.District, "bac-quang")
	doc := broadcast.Silence{ID: "s1", Revision: broadcast.Revision(r.clock.UnixMilli()) + rev, Areas: []broadcast.ID{"bac-quang"}, Classes: []broadcast.Class{broadcast.Normal},
		Until: broadcast.InstantOf(r.clock).Add(time.Hour), Reason: "tang lễ"}
	raw := sealtest.Sealed(broadcast.KindSilence, doc, lan)
	err := r.db.Update(r.t.Context(), func(tx store.Tx) error {
		sha, err := tx.PutDocument(r.t.Context(), store.Document{Kind: broadcast.KindSilence, ID: "s1", Revision: doc.Revision, Raw: raw})
		return errors.Join(err, tx.List(r.t.Context(), store.Listing{Area: "bac-quang", Kind: broadcast.KindSilence, ID: "s1", Revision: doc.Revision, SHA256: sha, Until: until}))
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return raw
}

func TestRetainedDocumentsFollowTheListings(t *testing.T) {
	r := newRig(t)
	topic := wire.Area("bac-quang", "silence")
	ends := broadcast.InstantOf(r.clock).Add(time.Hour)
	for _, step := range []struct {
		name string
		do   func() []byte
		want int
	}{
		{"nothing listed", func() []byte { return nil }, 0},
		{"listed", func() []byte { return r.silence(1, ends) }, 1},
		{"unchanged", func() []byte { return nil }, 0},
		{"a newer revision", func() []byte { return r.silence(2, ends) }, 1},
		{"over", func() []byte { r.clock = r.clock.Add(2 * time.Hour); return nil }, 1},
		{"still over", func() []byte { return nil }, 0},
	} {
		want := step.do()
		r.scan(t.Context(), false)
		got := r.bus.on(topic)
		if len(got) != step.want {
			t.Fatalf("%s: published %d times", step.name, len(got))
		}
		for _, m := range got {
			if !m.Retained || string(m.Payload) != string(want) {
				t.Errorf("%s: %+v", step.name, m)
			}
		}
	}
}

func TestDamagedManifestKeepsNoAreaFromItsLists(t *testing.T) {
	r := newRig(t)
	ahead := broadcast.Revision(broadcast.InstantOf(r.clock.Add(time.Hour)))
	err := r.db.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.PutDocument(t.Context(), store.Document{Kind: broadcast.KindManifest, ID: "tan-lap", Revision: ahead, Raw: []byte("{}")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.list("a1", "tan-lap")
	r.scan(t.Context(), false)
	got := r.bus.on(wire.Area("tan-lap", "manifest"))
	if len(got) != 1 {
		t.Fatalf("published %d times", len(got))
	}
	m := r.manifest(got[0])
	if _, ok := m.Find(broadcast.KindAnnouncement, "a1"); !ok || m.Revision <= ahead {
		t.Errorf("%+v", m)
	}
}

func TestEndedListingsAreForgotten(t *testing.T) {
	r := newRig(t)
	raw := r.list("a1", "tan-lap") // for half an hour
	r.clock = r.clock.Add(listedFor)
	r.list("a2", "tan-lap")
	r.sweep(t.Context())
	everything := func() int {
		t.Helper()
		rows, err := r.db.AllListings(t.Context(), -1)
		if err != nil {
			t.Fatal(err)
		}
		return len(rows)
	}
	if n := everything(); n != 2 {
		t.Fatalf("%d listings, want both", n)
	}
	r.clock = r.clock.Add(time.Hour)
	r.sweep(t.Context())
	if n := everything(); n != 1 {
		t.Errorf("%d listings, want the one that is young", n)
	}
	if _, err := r.db.Document(t.Context(), broadcast.Sum(raw)); err != nil {
		t.Errorf("the document went with it: %v", err)
	}
}
