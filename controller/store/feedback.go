package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Feedback is what somebody reported of loudspeakers, and what was done about it.
type Feedback struct {
	bun.BaseModel `bun:"table:feedback"`

	ID broadcast.ID `bun:"id,pk"`
	// Version counts the changes of the row; a stale writer is refused.
	Version int64        `bun:"version"`
	Area    broadcast.ID `bun:"area"`
	// Node is the one that it was assigned to; empty before.
	Node broadcast.ID `bun:"node"`
	Kind string       `bun:"kind"`
	Text string       `bun:"text"`
	// Contact is how whoever reported it can be reached.
	Contact string `bun:"contact"`
	// TakenBy wrote it down; empty: a stranger did.
	TakenBy    broadcast.ID      `bun:"taken_by"`
	Created    broadcast.Instant `bun:"created_ms"`
	Assigned   broadcast.Instant `bun:"assigned_ms"`
	AssignedBy broadcast.ID      `bun:"assigned_by"`
	// TrimBefore and TrimAfter are those of the node when it was assigned and when
	// it was closed, in hundredths of a decibel.
	TrimBefore int64  `bun:"trim_before"`
	TrimAfter  int64  `bun:"trim_after"`
	Answer     string `bun:"answer"`
	// Closed is 0 while somebody still has to answer it.
	Closed   broadcast.Instant `bun:"closed_ms"`
	ClosedBy broadcast.ID      `bun:"closed_by"`
}

// FeedbackQuery chooses rows. What is left empty does not matter.
type FeedbackQuery struct {
	// Areas are those that it is about; none: no row at all.
	Areas []broadcast.ID
	// Open rows are not closed, Closed ones are.
	Open, Closed bool
	// From and To bound the time in which it stood open: rows that were closed
	// before From, or made at To or later, are left out.
	From, To broadcast.Instant
	// Before is the id that the answer goes on behind.
	Before broadcast.ID
	Limit  int
}

// AddFeedback stores a new row; one with that id is ErrConflict.
func (t Tx) AddFeedback(ctx context.Context, f Feedback) error {
	f.Version = 1
	res, err := t.tx.NewInsert().Model(&f).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("feedback "+string(f.ID), ErrConflict, res, err)
}

// SaveFeedback replaces a row as it was read; one that changed since, or is
// unknown, is ErrConflict.
func (t Tx) SaveFeedback(ctx context.Context, f Feedback) error {
	read := f.Version
	f.Version++
	res, err := t.tx.NewUpdate().Model(&f).WherePK().Where("version = ?", read).Exec(ctx)
	return changed("feedback "+string(f.ID), ErrConflict, res, err)
}

// FeedbackEntry returns one row, or ErrNotFound.
func (db *DB) FeedbackEntry(ctx context.Context, id broadcast.ID) (Feedback, error) {
	var f Feedback
	if err := db.read.NewSelect().Model(&f).Where("id = ?", id).Scan(ctx); err != nil {
		return f, fmt.Errorf("feedback %s: %w", id, notFound(err))
	}
	return f, nil
}

// Feedback returns the rows that a query chooses, newest first.
func (db *DB) Feedback(ctx context.Context, q FeedbackQuery) ([]Feedback, error) {
	if len(q.Areas) == 0 {
		return nil, nil
	}
	var out []Feedback
	s := db.read.NewSelect().Model(&out).Where("area IN (?)", bun.List(q.Areas)).Order("id DESC").Limit(int64(q.Limit))
	if q.Open {
		s = s.Where("closed_ms = 0")
	}
	if q.Closed {
		s = s.Where("closed_ms > 0")
	}
	if q.From != 0 {
		s = s.Where("closed_ms = 0 OR closed_ms >= ?", q.From)
	}
	if q.To != 0 {
		s = s.Where("created_ms < ?", q.To)
	}
	if q.Before != "" {
		s = s.Where("id < ?", q.Before)
	}
	if err := s.Scan(ctx); err != nil {
		return nil, fmt.Errorf("feedback: %w", err)
	}
	return out, nil
}

// CountStrange returns how many rows strangers made since a moment, of an area
// or, without one, everywhere.
func (t Tx) CountStrange(ctx context.Context, area broadcast.ID, since broadcast.Instant) (int64, error) {
	q := t.tx.NewSelect().Model((*Feedback)(nil)).Where("taken_by = '' AND created_ms >= ?", since)
	if area != "" {
		q = q.Where("area = ?", area)
	}
	n, err := q.Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("feedback of strangers: %w", err)
	}
	return n, nil
}

// SameFeedback returns what strangers made since a moment, is still open and is
// alike in all that they say, the oldest, or ErrNotFound.
func (t Tx) SameFeedback(ctx context.Context, f Feedback, since broadcast.Instant) (Feedback, error) {
	var out Feedback
	err := t.tx.NewSelect().Model(&out).Where("taken_by = '' AND closed_ms = 0 AND created_ms >= ?", since).
		Where("area = ? AND kind = ? AND text = ? AND contact = ?", f.Area, f.Kind, f.Text, f.Contact).Order("id").Limit(1).Scan(ctx)
	if err != nil {
		return out, fmt.Errorf("feedback: %w", notFound(err))
	}
	return out, nil
}
