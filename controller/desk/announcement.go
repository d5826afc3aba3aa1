package desk

import (
	"context"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// Announcement is one revision of an announcement as the desk has it.
type Announcement struct {
	// ID is its name at the desk; nodes know all its revisions by that of the
	// document, which is the ID of the first.
	ID     broadcast.ID
	State  store.AnnouncementState
	Author broadcast.ID
	// Document has no revision, and in mode now no start, before the first
	// signature.
	Document broadcast.Announcement
	Meta     broadcast.Metadata
	// Digest is what people approve.
	Digest broadcast.Digest
	// Officers is how many people have to sign, as the law was when it was
	// submitted; 0 before.
	Officers   int
	Signatures []store.Approval
	// SHA256 names the sealed document, and Payload what was signed in it, of
	// which receipts speak; both are empty before it is published.
	SHA256, Payload broadcast.Digest
	// Until is when the last sounding that may begin has ended.
	Until                                            broadcast.Instant
	Created, Submitted, Published, Withdrawn, Closed broadcast.Instant
	WithdrawnBy                                      broadcast.ID
	WithdrawnWhy                                     string
	// Replaces is what it takes the place of once it is published, ReplacedBy what
	// took its own.
	Replaces, ReplacedBy broadcast.ID
	// CorrectedBy is what was said in its place when it was withdrawn.
	CorrectedBy broadcast.ID
	// Forecast is what it would do; only the answers to Create and Submit have
	// one, and to Approve unless it is an emergency.
	Forecast *preview.Forecast
}

// read turns a row into an announcement.
func read(row store.Announcement, signed []store.Approval) (Announcement, error) {
	doc, err := decodeBody(row)
	if err != nil {
		return Announcement{}, err
	}
	meta, err := broadcast.Decode[broadcast.Metadata]([]byte(row.Meta))
	if err != nil {
		return Announcement{}, fmt.Errorf("announcement %s: %w", row.ID, err)
	}
	a := Announcement{ID: row.ID, State: row.State, Author: row.Author, Document: doc, Meta: meta, Digest: row.Digest,
		Officers: int(row.Officers), Signatures: signed, SHA256: row.SHA256, Until: row.Until, Created: row.Created,
		Submitted: row.Submitted, Published: row.Published, Withdrawn: row.Withdrawn, Closed: row.Closed,
		WithdrawnBy: row.WithdrawnBy, WithdrawnWhy: row.WithdrawnWhy, Replaces: row.Replaces, ReplacedBy: row.ReplacedBy, CorrectedBy: row.CorrectedBy}
	if row.SHA256 != "" {
		a.Payload = broadcast.Sum([]byte(row.Body)) // the body is what was signed since the first signature
	}
	return a, nil
}

// body is the encoding of an announcement that may still lack its revision.
type body struct{ broadcast.Announcement }

// Validate lets everything through: a body was checked before it was kept.
func (body) Validate() error { return nil }

func decodeBody(row store.Announcement) (broadcast.Announcement, error) {
	b, err := broadcast.Decode[body]([]byte(row.Body))
	if err != nil {
		return broadcast.Announcement{}, fmt.Errorf("announcement %s: %w", row.ID, err)
	}
	return b.Announcement, nil
}

func encode(v any) (string, error) {
	b, err := broadcast.Encode(v)
	return string(b), err
}

// Announcement returns one announcement, or store.ErrNotFound.
func (d *Desk) Announcement(ctx context.Context, id broadcast.ID) (Announcement, error) {
	row, err := d.cfg.DB.Announcement(ctx, id)
	if err != nil {
		return Announcement{}, err
	}
	signed, err := d.cfg.DB.Approvals(ctx, id)
	if err != nil {
		return Announcement{}, err
	}
	return read(row, signed)
}

// MaxPage is how many announcements one page holds at most.
const MaxPage = 100

// Announcements returns a page, newest first: those before an id, or the newest
// if it is empty; in one state, or in any if it is empty.
func (d *Desk) Announcements(ctx context.Context, before broadcast.ID, state store.AnnouncementState, limit int) ([]Announcement, error) {
	rows, err := d.cfg.DB.AnnouncementsBefore(ctx, before, state, min(max(limit, 1), MaxPage))
	if err != nil {
		return nil, err
	}
	return d.readAll(ctx, rows)
}

// Named returns those of some announcements that are there, in the same order.
func (d *Desk) Named(ctx context.Context, ids []broadcast.ID) ([]Announcement, error) {
	known, err := d.cfg.DB.AnnouncementsNamed(ctx, ids)
	if err != nil {
		return nil, err
	}
	var rows []store.Announcement
	for _, id := range ids {
		if row, ok := known[id]; ok {
			rows = append(rows, row)
		}
	}
	return d.readAll(ctx, rows)
}

func (d *Desk) readAll(ctx context.Context, rows []store.Announcement) ([]Announcement, error) {
	ids := make([]broadcast.ID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	signed, err := d.cfg.DB.Approvals(ctx, ids...)
	if err != nil {
		return nil, err
	}
	of := map[broadcast.ID][]store.Approval{}
	for _, s := range signed {
		of[s.Announcement] = append(of[s.Announcement], s)
	}
	out := make([]Announcement, 0, len(rows))
	for _, row := range rows {
		a, err := read(row, of[row.ID])
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}
