package feedback

import (
	"context"
	"errors"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Query chooses entries.
type Query struct {
	Areas []broadcast.ID
	// Open are those that nobody answered yet, Closed the others; neither: all.
	Open, Closed bool
	// Before is the last entry of the page before; empty for the first page.
	Before broadcast.ID
	Limit  int
}

// Entry returns one entry, or store.ErrNotFound.
func (r *Register) Entry(ctx context.Context, id broadcast.ID) (store.Feedback, error) {
	return r.cfg.DB.FeedbackEntry(ctx, id)
}

// List returns entries about some areas, newest first.
func (r *Register) List(ctx context.Context, q Query) ([]store.Feedback, error) {
	return r.cfg.DB.Feedback(ctx, store.FeedbackQuery{Areas: q.Areas, Open: q.Open, Closed: q.Closed, Before: q.Before, Limit: q.Limit})
}

// Assign says which node an open entry is about, and keeps how loud that one is
// set now. A stale version is a *Refusal with the entry as it is.
func (r *Register) Assign(ctx context.Context, by, id broadcast.ID, version int64, node broadcast.ID) (store.Feedback, error) {
	row, err := r.open(ctx, id, version)
	if err != nil {
		return row, err
	}
	n, err := r.cfg.DB.Node(ctx, node)
	if err != nil || n.Status != store.Confirmed {
		return row, refuse(NodeStatus, "node", node)
	}
	if row.TrimBefore, err = r.cfg.Sites.TrimOf(ctx, node); err != nil {
		return row, err
	}
	row.Node, row.Assigned, row.AssignedBy = node, r.now(), by
	return r.save(ctx, row, func(tx store.Tx) error { return r.audit(ctx, tx, "feedback.assign", row, by, "") })
}

// Close answers an open entry for good, and keeps how loud its node is set now.
func (r *Register) Close(ctx context.Context, by, id broadcast.ID, version int64, answer string) (store.Feedback, error) {
	answer, err := words("answer", answer, maxText)
	if err == nil && answer == "" {
		err = flaw("answer", "say what was found and done", "Hãy ghi kết quả kiểm tra và xử lý.")
	}
	if err != nil {
		return store.Feedback{}, err
	}
	row, err := r.open(ctx, id, version)
	if err != nil {
		return row, err
	}
	if row.Node != "" {
		if row.TrimAfter, err = r.trimAfter(ctx, row); err != nil {
			return row, err
		}
	}
	row.Answer, row.Closed, row.ClosedBy = answer, r.now(), by
	return r.save(ctx, row, func(tx store.Tx) error { return r.audit(ctx, tx, "feedback.close", row, by, answer) })
}

// trimAfter is how loud the node of an entry is set now. One that was taken out
// of use meanwhile is as loud as it was.
func (r *Register) trimAfter(ctx context.Context, row store.Feedback) (int64, error) {
	n, err := r.cfg.DB.Node(ctx, row.Node)
	if err == nil && n.Status != store.Confirmed || errors.Is(err, store.ErrNotFound) {
		return row.TrimBefore, nil
	}
	if err != nil {
		return 0, err
	}
	return r.cfg.Sites.TrimOf(ctx, row.Node)
}

// open returns an open entry in the version that somebody read.
func (r *Register) open(ctx context.Context, id broadcast.ID, version int64) (store.Feedback, error) {
	row, err := r.cfg.DB.FeedbackEntry(ctx, id)
	switch {
	case err != nil:
		return row, err
	case row.Closed != 0:
		no := refuse(Answered, "", row.ClosedBy)
		no.Current = &row
		return row, no
	case row.Version != version:
		no := refuse(Edited, "version", version, row.Version)
		no.Current = &row
		return row, no
	}
	return row, nil
}

// save keeps an entry with its row in the audit log, unless somebody was quicker.
func (r *Register) save(ctx context.Context, row store.Feedback, kept func(store.Tx) error) (store.Feedback, error) {
	err := r.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.SaveFeedback(ctx, row); err != nil {
			return err
		}
		return kept(tx)
	})
	if errors.Is(err, store.ErrConflict) {
		if now, stale := r.open(ctx, row.ID, row.Version); stale != nil {
			return now, stale
		}
	}
	row.Version++
	return row, err
}
