package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Recording is what somebody spoke at the box of a node, as a receipt of that
// node named it.
type Recording struct {
	bun.BaseModel `bun:"table:recordings"`

	Node   broadcast.ID     `bun:"node,pk"`
	SHA256 broadcast.Digest `bun:"sha256,pk"`
	// Area is where the node stood when it told of it.
	Area         broadcast.ID `bun:"area"`
	Announcement broadcast.ID `bun:"announcement"`
	Bytes        int64        `bun:"bytes"`
	Millis       int64        `bun:"length_ms"`
	// Told is when the receipt was stored, Here when the recording came, Gone
	// when the node said that its card has it no more, Dropped when its time was
	// over here; 0 for not yet.
	Told    broadcast.Instant `bun:"told_ms"`
	Here    broadcast.Instant `bun:"here_ms"`
	Gone    broadcast.Instant `bun:"gone_ms"`
	Dropped broadcast.Instant `bun:"dropped_ms"`
}

// Whereabouts is where a recording can be found.
type Whereabouts string

// The whereabouts of recordings. What is on the card may still come.
const (
	RecordingHere   Whereabouts = "here"
	RecordingOnCard Whereabouts = "card"
	RecordingGone   Whereabouts = "gone"
)

// Where says where it can be found now.
func (r Recording) Where() Whereabouts {
	switch {
	case r.Dropped != 0, r.Here == 0 && r.Gone != 0:
		return RecordingGone
	case r.Here != 0:
		return RecordingHere
	}
	return RecordingOnCard
}

// AddRecordings notes what receipts named. What a node named before stays as it is.
func (t Tx) AddRecordings(ctx context.Context, rows []Recording) error {
	if len(rows) == 0 {
		return nil
	}
	if _, err := t.tx.NewInsert().Model(&rows).On("CONFLICT (node, sha256) DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("%d recordings: %w", len(rows), err)
	}
	return nil
}

// SaveRecording keeps what became of a recording; one that no receipt named is
// ErrNotFound.
func (t Tx) SaveRecording(ctx context.Context, r Recording) error {
	res, err := t.tx.NewUpdate().Model(&r).WherePK().Exec(ctx)
	return changed("recording "+r.SHA256.Short(), ErrNotFound, res, err)
}

// Recording returns what is known of one, or ErrNotFound.
func (db *DB) Recording(ctx context.Context, node broadcast.ID, sha broadcast.Digest) (Recording, error) {
	var r Recording
	if err := db.read.NewSelect().Model(&r).Where("node = ? AND sha256 = ?", node, sha).Scan(ctx); err != nil {
		return r, fmt.Errorf("recording %s of %s: %w", sha.Short(), node, notFound(err))
	}
	return r, nil
}

// RecordingsOf returns the recordings of some announcements, in order of node and digest.
func (db *DB) RecordingsOf(ctx context.Context, announcements ...broadcast.ID) ([]Recording, error) {
	if len(announcements) == 0 {
		return nil, nil
	}
	var out []Recording
	err := db.read.NewSelect().Model(&out).Where("announcement IN (?)", bun.List(announcements)).Order("node", "sha256").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("recordings of %d announcements: %w", len(announcements), err)
	}
	return out, nil
}

// RecordingsHere returns recordings that came before a moment and are still here,
// the oldest first, at most limit.
func (db *DB) RecordingsHere(ctx context.Context, before broadcast.Instant, limit int64) ([]Recording, error) {
	var out []Recording
	err := db.read.NewSelect().Model(&out).Where("here_ms > 0 AND here_ms < ? AND dropped_ms = 0", before).
		Order("here_ms", "node", "sha256").Limit(limit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("old recordings: %w", err)
	}
	return out, nil
}
