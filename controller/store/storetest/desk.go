package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func desk() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"an announcement is changed only by who read it last": staleWriter,
		"announcements come newest first, page by page":       newestFirst,
		"what can still end comes in the order of its end":    closable,
		"one person signs an announcement once":               onePersonOnce,
		"a programme belongs to its announcement":             runningOrders,
		"a row is one revision, and one waits at a time":      revisions,
		"content is kept as it was first uploaded":            firstUpload,
		"an answer is given once and forgotten in time":       answers,
	}
}

func row(id broadcast.ID) store.Announcement {
	return store.Announcement{ID: id, State: store.Draft, Author: "lan", Body: "{}", Meta: "{}", Digest: broadcast.Sum([]byte(id)), Created: 10}
}

func staleWriter(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error { return tx.AddAnnouncement(ctx, row("a")) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddAnnouncement(ctx, row("a")) })
	first := need[store.Announcement](t)(db.Announcement(ctx, "a"))
	second := first
	first.State, first.Revision, first.Envelope = store.Submitted, 1700000000000, "e"
	update(t, db, func(tx store.Tx) error { return tx.SaveAnnouncement(ctx, first) })
	second.State = store.Closed
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveAnnouncement(ctx, second) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveAnnouncement(ctx, row("b")) })
	update(t, db, func(tx store.Tx) error {
		got, err := tx.Announcement(ctx, "a")
		if got.State != store.Submitted || got.Version != 2 || got.Revision != 1700000000000 || got.Author != "lan" {
			t.Errorf("%+v", got)
		}
		return err
	})
	if _, err := db.Announcement(ctx, "b"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func revisions(t *testing.T, db *store.DB) {
	ctx := context.Background()
	old := row("01a")
	old.State, old.SHA256, old.Revision = store.Published, broadcast.Sum(nil), 5
	waits := row("01b")
	waits.Document, waits.Replaces = "01a", "01a"
	other := row("01c")
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddAnnouncement(ctx, old), tx.AddAnnouncement(ctx, waits), tx.AddAnnouncement(ctx, other))
	})
	if got := need[[]broadcast.ID](t)(db.Revisions(ctx, "01a")); !slices.Equal(got, []broadcast.ID{"01b", "01a"}) {
		t.Errorf("revisions: %v", got)
	}
	if got := need[store.Announcement](t)(db.Revising(ctx, "01a")); got.ID != "01b" || got.Document != "01a" {
		t.Errorf("what waits: %+v", got)
	}
	update(t, db, func(tx store.Tx) error {
		got, err := tx.RevisionOf(ctx, "01a", 5)
		if got.ID != "01a" {
			t.Errorf("revision 5: %+v", got)
		}
		if _, also := tx.RevisionOf(ctx, "01a", 0); !errors.Is(also, store.ErrNotFound) {
			t.Errorf("what was never published: %v", also)
		}
		waits, also := tx.Revising(ctx, "01a")
		waits.State = store.Closed
		return errors.Join(err, also, tx.SaveAnnouncement(ctx, waits))
	})
	for _, id := range []broadcast.ID{"01a", "01b", "01c"} {
		if _, err := db.Revising(ctx, id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nothing waits for %s any more: %v", id, err)
		}
	}
}

func newestFirst(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		var err error
		for _, id := range []broadcast.ID{"01b", "01a", "01d", "01c"} {
			r := row(id)
			if id == "01c" {
				r.State = store.Published
			}
			err = errors.Join(err, tx.AddAnnouncement(ctx, r))
		}
		return err
	})
	for _, c := range []struct {
		before broadcast.ID
		state  store.AnnouncementState
		limit  int
		want   []broadcast.ID
	}{
		{"", "", 3, []broadcast.ID{"01d", "01c", "01b"}}, {"01b", "", 3, []broadcast.ID{"01a"}}, {"01a", "", 3, nil},
		{"", store.Published, 3, []broadcast.ID{"01c"}}, {"01c", store.Published, 3, nil},
	} {
		var got []broadcast.ID
		for _, a := range need[[]store.Announcement](t)(db.AnnouncementsBefore(ctx, c.before, c.state, c.limit)) {
			got = append(got, a.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("before %q in state %q: %v, want %v", c.before, c.state, got, c.want)
		}
	}
}

func closable(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		var err error
		for id, a := range map[broadcast.ID]store.Announcement{
			"a": {State: store.Published, Until: 300}, "b": {State: store.Withdrawn, Until: 100}, "c": {State: store.Submitted, Until: 50},
			"d": {State: store.Closed, Until: 20}, "e": {State: store.Published, Until: 100},
		} {
			a.ID = id
			err = errors.Join(err, tx.AddAnnouncement(ctx, a))
		}
		return err
	})
	var got []broadcast.ID
	for _, a := range need[[]store.Announcement](t)(db.Closable(ctx)) {
		got = append(got, a.ID)
	}
	if !slices.Equal(got, []broadcast.ID{"b", "e", "a"}) {
		t.Errorf("%v", got)
	}
}

func onePersonOnce(t *testing.T, db *store.DB) {
	ctx := context.Background()
	sign := func(a, person broadcast.ID, place int64) func(store.Tx) error {
		return func(tx store.Tx) error {
			return tx.AddApproval(ctx, store.Approval{Announcement: a, Person: person, Place: place, KID: broadcast.Sum(nil), Digest: broadcast.Sum(nil), At: 5})
		}
	}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddAnnouncement(ctx, row("a")), tx.AddAnnouncement(ctx, row("b")))
	})
	update(t, db, sign("a", "lan", 2))
	update(t, db, sign("a", "binh", 1))
	update(t, db, sign("b", "lan", 1))
	refused(t, db, store.ErrConflict, sign("a", "lan", 3))
	if err := db.Update(ctx, sign("nothing", "lan", 1)); err == nil {
		t.Error("a signature on nothing was kept")
	}
	all := need[[]store.Approval](t)(db.Approvals(ctx, "a", "b"))
	if len(all) != 3 || all[0].Person != "binh" || all[1].Person != "lan" || all[2].Announcement != "b" {
		t.Errorf("%+v", all)
	}
	update(t, db, func(tx store.Tx) error {
		got, err := tx.Approvals(ctx, "a")
		if len(got) != 2 {
			t.Errorf("%+v", got)
		}
		return err
	})
	if none := need[[]store.Approval](t)(db.Approvals(ctx)); len(none) != 0 {
		t.Errorf("of no announcement: %+v", none)
	}
}

func runningOrders(t *testing.T, db *store.DB) {
	ctx := context.Background()
	order := store.RunningOrder{Announcement: "a", SHA256: broadcast.Sum([]byte("{}")), Raw: []byte("{}")}
	if err := db.Update(ctx, func(tx store.Tx) error { return tx.AddRunningOrder(ctx, order) }); err == nil {
		t.Error("a programme of nothing was kept")
	}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddAnnouncement(ctx, row("a")), tx.AddRunningOrder(ctx, order))
	})
	update(t, db, func(tx store.Tx) error {
		got, err := tx.RunningOrders(ctx, "a")
		if len(got) != 1 || string(got[0].Raw) != "{}" {
			t.Errorf("%+v", got)
		}
		return err
	})
	if got := need[[]store.RunningOrder](t)(db.RunningOrders(ctx, "a")); len(got) != 1 || got[0].SHA256 != order.SHA256 {
		t.Errorf("outside of a transaction: %+v", got)
	}
}

func firstUpload(t *testing.T, db *store.DB) {
	ctx := context.Background()
	c := store.Content{SHA256: broadcast.Sum([]byte("c")), Bytes: 10, Millis: 20, Name: "tin.mp3", Person: "lan", Measured: "{}", Created: 1}
	again := c
	again.Name, again.Created = "khác.mp3", 2
	update(t, db, func(tx store.Tx) error { return errors.Join(tx.AddContent(ctx, c), tx.AddContent(ctx, again)) })
	if got := need[store.Content](t)(db.Content(ctx, c.SHA256)); got.Name != "tin.mp3" || got.Millis != 20 || got.Bytes != 10 {
		t.Errorf("%+v", got)
	}
	if _, err := db.Content(ctx, broadcast.Sum(nil)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func answers(t *testing.T, db *store.DB) {
	ctx := context.Background()
	a := store.Answer{Person: "lan", Name: "k", Request: broadcast.Sum(nil), Status: 201, Body: []byte("{}"), Created: 10}
	add := func(a store.Answer) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.AddAnswer(ctx, a) }
	}
	update(t, db, add(a))
	refused(t, db, store.ErrConflict, add(a))
	other := a
	other.Person, other.Created = "binh", 20
	update(t, db, add(other))
	if got := need[store.Answer](t)(db.Answer(ctx, "lan", "k")); got.Status != 201 || string(got.Body) != "{}" {
		t.Errorf("%+v", got)
	}
	update(t, db, func(tx store.Tx) error { return tx.ForgetAnswers(ctx, 20) })
	if _, err := db.Answer(ctx, "lan", "k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("not forgotten: %v", err)
	}
	need[store.Answer](t)(db.Answer(ctx, "binh", "k"))
}
