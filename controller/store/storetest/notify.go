package storetest

import (
	"context"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func notify() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a notice is told when it comes and when it ends, each once": noticeTold,
		"what ended before it was told is never told":                noticeUntold,
		"messages are due by way and time, urgent ones first":        messagesDue,
		"a message that was sent is not changed any more":            messageSent,
		"a subscription ends with what was still to be sent":         subscriptionEnds,
		"old notices and messages are forgotten, open ones never":    noticesForgotten,
		"what was closed lately is found":                            closedLately,
	}
}

func untold(t *testing.T, db *store.DB, subscription broadcast.ID) []string {
	t.Helper()
	var out []string
	update(t, db, func(tx store.Tx) error {
		rows, err := tx.Untold(context.Background(), subscription)
		for _, n := range rows {
			out = append(out, n.Name)
		}
		return err
	})
	return out
}

func saveNotices(t *testing.T, db *store.DB, list ...store.Notice) {
	t.Helper()
	update(t, db, func(tx store.Tx) error { return tx.SaveNotices(context.Background(), list) })
}

func told(t *testing.T, db *store.DB, list ...store.Telling) {
	t.Helper()
	update(t, db, func(tx store.Tx) error { return tx.Tell(context.Background(), list) })
}

func noticeTold(t *testing.T, db *store.DB) {
	n := store.Notice{Name: "a", Topic: "faults", Cause: "c", Shown: 1, Words: "{}"}
	m := store.Notice{Name: "b", Topic: "faults", Cause: "c", Shown: 2, Words: "{}", Passing: true}
	saveNotices(t, db, n, m)
	same(t, untold(t, db, "s"), []string{"a", "b"})
	told(t, db, store.Telling{Subscription: "s", Notice: "a"}, store.Telling{Subscription: "s", Notice: "b"}, store.Telling{Subscription: "s", Notice: "a"})
	same(t, untold(t, db, "s"), nil)
	same(t, untold(t, db, "other"), []string{"a", "b"})
	n.Ended, m.Ended = 5, 5
	saveNotices(t, db, n, m)
	same(t, untold(t, db, "s"), []string{"a"})
	told(t, db, store.Telling{Subscription: "s", Notice: "a", Ended: true})
	same(t, untold(t, db, "s"), nil)
}

func noticeUntold(t *testing.T, db *store.DB) {
	n := store.Notice{Name: "a", Topic: "faults", Cause: "c", Shown: 1, Words: "{}"}
	saveNotices(t, db, n)
	n.Ended = 2
	saveNotices(t, db, n)
	same(t, untold(t, db, "s"), nil)
	update(t, db, func(tx store.Tx) error {
		open, err := tx.OpenNotices(context.Background())
		same(t, open, nil)
		return err
	})
}

func message(id broadcast.ID, change func(*store.Message)) store.Message {
	m := store.Message{ID: id, Subscription: "s", Person: "an", Way: "mail", Address: "an@example.vn", Subject: "x", Body: "y",
		State: store.MessageQueued, Next: 10, Created: 5}
	if change != nil {
		change(&m)
	}
	return m
}

func queue(t *testing.T, db *store.DB, list ...store.Message) {
	t.Helper()
	update(t, db, func(tx store.Tx) error {
		for _, m := range list {
			if err := tx.AddMessage(context.Background(), m); err != nil {
				return err
			}
		}
		return nil
	})
}

func due(t *testing.T, db *store.DB, way string, now broadcast.Instant) []broadcast.ID {
	t.Helper()
	var out []broadcast.ID
	for _, m := range need[[]store.Message](t)(db.MessagesDue(context.Background(), way, now, 9)) {
		out = append(out, m.ID)
	}
	return out
}

func messagesDue(t *testing.T, db *store.DB) {
	queue(t, db, message("m1", nil), message("m2", func(m *store.Message) { m.Next = 99 }),
		message("m3", func(m *store.Message) { m.Urgent = true }), message("m4", func(m *store.Message) { m.Way = "webhook" }))
	same(t, due(t, db, "mail", 10), []broadcast.ID{"m3", "m1"})
	same(t, due(t, db, "mail", 9), nil)
	same(t, due(t, db, "webhook", 99), []broadcast.ID{"m4"})
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddMessage(context.Background(), message("m1", nil)) })
	update(t, db, func(tx store.Tx) error {
		n, err := tx.CountMessages(context.Background(), "s", 5)
		same(t, n, int64(4))
		return err
	})
}

func messageSent(t *testing.T, db *store.DB) {
	ctx := context.Background()
	queue(t, db, message("m1", nil), message("m2", func(m *store.Message) { m.Person = "lan" }))
	sent := message("m1", func(m *store.Message) { m.State, m.Sent, m.Tries = store.MessageSent, 12, 1 })
	late := message("m1", func(m *store.Message) { m.State, m.Tries = store.MessageFailed, 2 })
	update(t, db, func(tx store.Tx) error { return tx.SaveMessage(ctx, sent) })
	update(t, db, func(tx store.Tx) error { return tx.SaveMessage(ctx, late) })
	same(t, need[[]store.Message](t)(db.Messages(ctx, []broadcast.ID{"an"}, "", 9)), []store.Message{sent})
	same(t, need[[]store.Message](t)(db.Messages(ctx, []broadcast.ID{"an", "lan"}, "m2", 9)), []store.Message{sent})
	same(t, need[[]store.Message](t)(db.Messages(ctx, nil, "", 9)), nil)
	same(t, due(t, db, "mail", 99), []broadcast.ID{"m2"})
}

func subscriptionEnds(t *testing.T, db *store.DB) {
	ctx := context.Background()
	s := store.Subscription{ID: "s", Person: "an", Way: "mail", Address: "an@example.vn", Areas: []broadcast.ID{"tan-lap"},
		Topics: []string{"faults"}, Language: "vi", Created: 1}
	update(t, db, func(tx store.Tx) error {
		if err := tx.AddPerson(ctx, store.Person{ID: "an", Name: "An"}); err != nil {
			return err
		}
		return tx.AddSubscription(ctx, s)
	})
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddSubscription(ctx, s) })
	queue(t, db, message("m1", nil), message("m2", func(m *store.Message) { m.State = store.MessageSent }))
	same(t, need[[]store.Subscription](t)(db.Subscriptions(ctx, "an")), []store.Subscription{s})
	same(t, need[[]store.Subscription](t)(db.Subscriptions(ctx, "lan")), nil)
	update(t, db, func(tx store.Tx) error { return tx.DropSubscription(ctx, "s") })
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.DropSubscription(ctx, "s") })
	same(t, due(t, db, "mail", 99), nil)
	same(t, len(need[[]store.Message](t)(db.Messages(ctx, []broadcast.ID{"an"}, "", 9))), 1)
}

func noticesForgotten(t *testing.T, db *store.DB) {
	ctx := context.Background()
	saveNotices(t, db, store.Notice{Name: "old", Shown: 1, Ended: 2, Words: "{}"}, store.Notice{Name: "open", Shown: 1, Words: "{}"})
	queue(t, db, message("m1", func(m *store.Message) { m.State = store.MessageSent }), message("m2", nil))
	told(t, db, store.Telling{Subscription: "s", Notice: "open"}, store.Telling{Subscription: "s", Notice: "old"})
	update(t, db, func(tx store.Tx) error { return tx.ForgetNotices(ctx, 50) })
	same(t, untold(t, db, "s"), []string{"open"}) // the telling was that of nobody
	same(t, due(t, db, "mail", 99), []broadcast.ID{"m2"})
	same(t, len(need[[]store.Message](t)(db.Messages(ctx, []broadcast.ID{"an"}, "", 9))), 1)
}

func closedLately(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for i, closed := range []broadcast.Instant{10, 30, 20} {
		row := store.Announcement{ID: broadcast.ID([]string{"a", "b", "c"}[i]), State: store.Closed, Closed: closed}
		update(t, db, func(tx store.Tx) error { return tx.AddAnnouncement(ctx, row) })
	}
	update(t, db, func(tx store.Tx) error {
		return tx.AddAnnouncement(ctx, store.Announcement{ID: "d", State: store.Published})
	})
	var got []broadcast.ID
	for _, a := range need[[]store.Announcement](t)(db.ClosedSince(ctx, 20, 9)) {
		got = append(got, a.ID)
	}
	same(t, got, []broadcast.ID{"b", "c"})
}
