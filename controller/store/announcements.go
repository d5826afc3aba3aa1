package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// AnnouncementState is how far an announcement got at the desk.
type AnnouncementState string

// The states. From submitted on, the words are fixed.
const (
	Draft     AnnouncementState = "draft"
	Submitted AnnouncementState = "submitted"
	Published AnnouncementState = "published"
	Withdrawn AnnouncementState = "withdrawn" // taken back; nodes may still have to say so
	Closed    AnnouncementState = "closed"    // nothing of it can sound any more
)

// Announcement is the desk's row of one revision of an announcement.
type Announcement struct {
	bun.BaseModel `bun:"table:announcements"`

	ID broadcast.ID `bun:"id,pk"`
	// Document is the name by which nodes know every revision; that of the first is
	// its ID, which is also what empty stands for in a new row.
	Document broadcast.ID `bun:"document"`
	// Replaces is the row whose place it takes once it is published; ReplacedBy is
	// the one that took its own.
	Replaces   broadcast.ID `bun:"replaces"`
	ReplacedBy broadcast.ID `bun:"replaced_by"`
	// CorrectedBy is what was said in its place when it was withdrawn.
	CorrectedBy broadcast.ID `bun:"corrected_by"`
	// Version counts the changes of the row; a stale writer is refused.
	Version int64             `bun:"version"`
	State   AnnouncementState `bun:"state"`
	Author  broadcast.ID      `bun:"author"`
	// Body and Meta are canonical encodings. Until the first signature the body
	// has no revision, and no start if its mode is now.
	Body   string           `bun:"body"`
	Meta   string           `bun:"meta"`
	Digest broadcast.Digest `bun:"digest"`
	// Officers is how many people had to sign when it was submitted.
	Officers int64 `bun:"officers"`
	// Envelope carries the signatures so far, or is empty.
	Envelope string             `bun:"envelope"`
	Revision broadcast.Revision `bun:"revision"`
	// SHA256 names the sealed document once it is published.
	SHA256 broadcast.Digest `bun:"sha256"`
	// Until is when the last sounding that may begin has ended.
	Until        broadcast.Instant `bun:"until_ms"`
	Created      broadcast.Instant `bun:"created_ms"`
	Submitted    broadcast.Instant `bun:"submitted_ms"`
	Published    broadcast.Instant `bun:"published_ms"`
	Withdrawn    broadcast.Instant `bun:"withdrawn_ms"`
	WithdrawnBy  broadcast.ID      `bun:"withdrawn_by"`
	WithdrawnWhy string            `bun:"withdrawn_why"`
	Closed       broadcast.Instant `bun:"closed_ms"`
}

// Approval is one person's signature on an announcement.
type Approval struct {
	bun.BaseModel `bun:"table:approvals"`

	Announcement broadcast.ID `bun:"announcement,pk"`
	Person       broadcast.ID `bun:"person,pk"`
	// Place is 1 for the first signature.
	Place int64            `bun:"place"`
	KID   broadcast.Digest `bun:"kid"`
	// Digest is what was shown to the person.
	Digest broadcast.Digest  `bun:"digest"`
	At     broadcast.Instant `bun:"at_ms"`
}

// RunningOrder is a programme of a draft; Raw is its canonical encoding.
type RunningOrder struct {
	bun.BaseModel `bun:"table:running_orders"`

	Announcement broadcast.ID     `bun:"announcement,pk"`
	SHA256       broadcast.Digest `bun:"sha256,pk"`
	Raw          []byte           `bun:"raw"`
}

// AddAnnouncement stores a new row; one with that id is ErrConflict.
func (t Tx) AddAnnouncement(ctx context.Context, a Announcement) error {
	a.Version = 1
	if a.Document == "" {
		a.Document = a.ID
	}
	res, err := t.tx.NewInsert().Model(&a).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	if err := changed("announcement "+string(a.ID), ErrConflict, res, err); err != nil {
		return err
	}
	return t.mark(ctx, a)
}

// SaveAnnouncement replaces a row as it was read; one that changed since, or is
// unknown, is ErrConflict.
func (t Tx) SaveAnnouncement(ctx context.Context, a Announcement) error {
	read := a.Version
	a.Version++
	res, err := t.tx.NewUpdate().Model(&a).WherePK().Where("version = ?", read).Exec(ctx)
	if err := changed("announcement "+string(a.ID), ErrConflict, res, err); err != nil {
		return err
	}
	return t.mark(ctx, a)
}

// Announcement returns one row inside the transaction, or ErrNotFound.
func (t Tx) Announcement(ctx context.Context, id broadcast.ID) (Announcement, error) {
	return announcement(ctx, t.tx, id)
}

// Announcement returns one row, or ErrNotFound.
func (db *DB) Announcement(ctx context.Context, id broadcast.ID) (Announcement, error) {
	return announcement(ctx, db.read, id)
}

func announcement(ctx context.Context, from bun.IDB, id broadcast.ID) (Announcement, error) {
	var a Announcement
	if err := from.NewSelect().Model(&a).Where("id = ?", id).Scan(ctx); err != nil {
		return a, fmt.Errorf("announcement %s: %w", id, notFound(err))
	}
	return a, nil
}

// AnnouncementsBefore returns rows with a smaller id, newest first, at most
// limit; an empty id begins at the newest, an empty state means any.
func (db *DB) AnnouncementsBefore(ctx context.Context, id broadcast.ID, state AnnouncementState, limit int) ([]Announcement, error) {
	var out []Announcement
	q := db.read.NewSelect().Model(&out).Order("id DESC").Limit(int64(limit))
	if id != "" {
		q = q.Where("id < ?", id)
	}
	if state != "" {
		q = q.Where("state = ?", state)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("announcements: %w", err)
	}
	return out, nil
}

// Closable returns the published and withdrawn rows, those that end first
// before the others.
func (db *DB) Closable(ctx context.Context) ([]Announcement, error) {
	var out []Announcement
	err := db.read.NewSelect().Model(&out).Where("state IN (?)", bun.List([]AnnouncementState{Published, Withdrawn})).
		Order("until_ms", "id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("announcements: %w", err)
	}
	return out, nil
}

// ClosedSince returns the rows that were closed at a moment or later, the last
// first, at most limit.
func (db *DB) ClosedSince(ctx context.Context, since broadcast.Instant, limit int) ([]Announcement, error) {
	var out []Announcement
	err := db.read.NewSelect().Model(&out).Where("state = ? AND closed_ms >= ?", Closed, since).
		Order("closed_ms DESC", "id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("announcements: %w", err)
	}
	return out, nil
}

// AddApproval notes a signature; a second one by the same person is ErrConflict.
func (t Tx) AddApproval(ctx context.Context, a Approval) error {
	res, err := t.tx.NewInsert().Model(&a).On("CONFLICT (announcement, person) DO NOTHING").Exec(ctx)
	return changed("approval of "+string(a.Announcement), ErrConflict, res, err)
}

// Approvals returns the signatures on an announcement inside the transaction,
// in their order.
func (t Tx) Approvals(ctx context.Context, id broadcast.ID) ([]Approval, error) {
	return approvals(ctx, t.tx, id)
}

// Approvals returns the signatures on some announcements, in their order.
func (db *DB) Approvals(ctx context.Context, ids ...broadcast.ID) ([]Approval, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return approvals(ctx, db.read, ids...)
}

func approvals(ctx context.Context, from bun.IDB, ids ...broadcast.ID) ([]Approval, error) {
	var out []Approval
	err := from.NewSelect().Model(&out).Where("announcement IN (?)", bun.List(ids)).Order("announcement", "place").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("approvals: %w", err)
	}
	return out, nil
}

// AddRunningOrder stores a programme of a draft.
func (t Tx) AddRunningOrder(ctx context.Context, r RunningOrder) error {
	res, err := t.tx.NewInsert().Model(&r).Exec(ctx)
	return changed("running order of "+string(r.Announcement), ErrConflict, res, err)
}

// RunningOrders returns the programmes of an announcement, in order of digest.
func (t Tx) RunningOrders(ctx context.Context, id broadcast.ID) ([]RunningOrder, error) {
	return runningOrders(ctx, t.tx, id)
}

// RunningOrders returns the programmes of an announcement, in order of digest.
func (db *DB) RunningOrders(ctx context.Context, id broadcast.ID) ([]RunningOrder, error) {
	return runningOrders(ctx, db.read, id)
}

func runningOrders(ctx context.Context, from bun.IDB, id broadcast.ID) ([]RunningOrder, error) {
	var out []RunningOrder
	err := from.NewSelect().Model(&out).Where("announcement = ?", id).Order("sha256").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("running orders of %s: %w", id, err)
	}
	return out, nil
}
