package storetest

import (
	"context"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func feedback() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"feedback is kept, and a stale writer is refused":     feedbackKept,
		"feedback is found by area, state, time and place":    feedbackFound,
		"what strangers say is counted and known to be alike": feedbackStrange,
	}
}

func feedbackKept(t *testing.T, db *store.DB) {
	ctx := context.Background()
	want := store.Feedback{ID: "f1", Area: "a", Kind: "too-loud", Text: "x", Contact: "y", TakenBy: "an", Created: 5}
	update(t, db, func(tx store.Tx) error { return tx.AddFeedback(ctx, want) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddFeedback(ctx, want) })
	want.Version = 1
	same(t, need[store.Feedback](t)(db.FeedbackEntry(ctx, "f1")), want)
	want.Node, want.Assigned, want.AssignedBy, want.TrimBefore = "n1", 6, "an", -300
	want.TrimAfter, want.Answer, want.Closed, want.ClosedBy = -600, "z", 7, "binh"
	update(t, db, func(tx store.Tx) error { return tx.SaveFeedback(ctx, want) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveFeedback(ctx, want) })
	want.Version = 2
	same(t, need[store.Feedback](t)(db.FeedbackEntry(ctx, "f1")), want)
	if _, err := db.FeedbackEntry(ctx, "f2"); err == nil {
		t.Error("what nobody reported is found")
	}
}

func feedbackFound(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for _, f := range []store.Feedback{{ID: "f1", Area: "a", Created: 10, Closed: 20}, {ID: "f2", Area: "b", Created: 12}, {ID: "f3", Area: "a", Created: 30}, {ID: "f4", Area: "c", Created: 31}} {
		update(t, db, func(tx store.Tx) error { return tx.AddFeedback(ctx, f) })
	}
	ab := []broadcast.ID{"a", "b"}
	for _, c := range []struct {
		q    store.FeedbackQuery
		want []broadcast.ID
	}{
		{store.FeedbackQuery{Limit: 9}, nil},
		{store.FeedbackQuery{Areas: ab, Limit: 9}, []broadcast.ID{"f3", "f2", "f1"}},
		{store.FeedbackQuery{Areas: ab, Limit: 2}, []broadcast.ID{"f3", "f2"}},
		{store.FeedbackQuery{Areas: ab, Before: "f2", Limit: 9}, []broadcast.ID{"f1"}},
		{store.FeedbackQuery{Areas: ab, Open: true, Limit: 9}, []broadcast.ID{"f3", "f2"}},
		{store.FeedbackQuery{Areas: ab, Closed: true, Limit: 9}, []broadcast.ID{"f1"}},
		{store.FeedbackQuery{Areas: ab, From: 20, To: 30, Limit: 9}, []broadcast.ID{"f2", "f1"}},
		{store.FeedbackQuery{Areas: ab, From: 21, To: 31, Limit: 9}, []broadcast.ID{"f3", "f2"}},
	} {
		var got []broadcast.ID
		for _, f := range need[[]store.Feedback](t)(db.Feedback(ctx, c.q)) {
			got = append(got, f.ID)
		}
		same(t, got, c.want)
	}
}

func feedbackStrange(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for _, f := range []store.Feedback{{ID: "f1", Area: "a", Kind: "broken", Text: "x", Created: 10}, {ID: "f2", Area: "a", Kind: "broken", Text: "x", Created: 20},
		{ID: "f3", Area: "b", Kind: "broken", Text: "x", Created: 20}, {ID: "f4", Area: "a", Kind: "broken", Text: "x", Created: 20, TakenBy: "an"}, {ID: "f5", Area: "a", Kind: "broken", Text: "closed", Created: 20, Closed: 21}} {
		update(t, db, func(tx store.Tx) error { return tx.AddFeedback(ctx, f) })
	}
	update(t, db, func(tx store.Tx) error {
		same(t, need[int64](t)(tx.CountStrange(ctx, "a", 10)), 3)
		same(t, need[int64](t)(tx.CountStrange(ctx, "a", 11)), 2)
		same(t, need[int64](t)(tx.CountStrange(ctx, "", 11)), 3)
		twin := store.Feedback{Area: "a", Kind: "broken", Text: "x"}
		same(t, need[store.Feedback](t)(tx.SameFeedback(ctx, twin, 10)).ID, "f1")
		same(t, need[store.Feedback](t)(tx.SameFeedback(ctx, twin, 11)).ID, "f2")
		for _, other := range []store.Feedback{{Area: "c", Kind: "broken", Text: "x"}, {Area: "a", Kind: "other", Text: "x"}, {Area: "a", Kind: "broken", Text: "y"}, {Area: "a", Kind: "broken", Text: "closed"},
			{Area: "a", Kind: "broken", Text: "x", Contact: "y"}} {
			if got, err := tx.SameFeedback(ctx, other, 10); err == nil {
				t.Errorf("%+v is taken for %+v", other, got)
			}
		}
		return nil
	})
}
