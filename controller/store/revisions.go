package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Revising returns the draft that waits to take the place of a row, or
// ErrNotFound.
func (t Tx) Revising(ctx context.Context, id broadcast.ID) (Announcement, error) {
	return revising(ctx, t.tx, id)
}

// Revising returns the draft that waits to take the place of a row, or
// ErrNotFound.
func (db *DB) Revising(ctx context.Context, id broadcast.ID) (Announcement, error) {
	return revising(ctx, db.read, id)
}

func revising(ctx context.Context, from bun.IDB, id broadcast.ID) (Announcement, error) {
	var a Announcement
	err := from.NewSelect().Model(&a).Where("replaces = ? AND state IN (?)", id, bun.List([]AnnouncementState{Draft, Submitted})).
		Order("id DESC").Limit(1).Scan(ctx)
	if err != nil {
		return a, fmt.Errorf("revision of announcement %s: %w", id, notFound(err))
	}
	return a, nil
}

// RevisionOf returns the row of one revision of a document, or ErrNotFound.
func (t Tx) RevisionOf(ctx context.Context, document broadcast.ID, revision broadcast.Revision) (Announcement, error) {
	var a Announcement
	err := t.tx.NewSelect().Model(&a).Where("document = ? AND revision = ? AND sha256 <> ''", document, revision).Limit(1).Scan(ctx)
	if err != nil {
		return a, fmt.Errorf("announcement %s, revision %d: %w", document, revision, notFound(err))
	}
	return a, nil
}

// maxRevisions bounds how many rows of one document are told of.
const maxRevisions = 100

// Revisions returns the ids of the rows of a document, the newest first, at most
// a hundred.
func (db *DB) Revisions(ctx context.Context, document broadcast.ID) ([]broadcast.ID, error) {
	var out []broadcast.ID
	err := db.read.NewSelect().Model((*Announcement)(nil)).Column("id").Where("document = ?", document).Order("id DESC").
		Limit(maxRevisions).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("revisions of announcement %s: %w", document, err)
	}
	return out, nil
}
