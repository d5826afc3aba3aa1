package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

type mark struct {
	bun.BaseModel `bun:"table:diary_marks"`

	Name string            `bun:"name,pk"`
	At   broadcast.Instant `bun:"at_ms"`
}

// DiaryMark returns how far something got, 0 before its first mark.
func (db *DB) DiaryMark(ctx context.Context, name string) (broadcast.Instant, error) {
	var m mark
	err := db.read.NewSelect().Model(&m).Where("name = ?", name).Scan(ctx)
	if err = notFound(err); err != nil && !errors.Is(err, ErrNotFound) {
		return 0, fmt.Errorf("mark %s: %w", name, err)
	}
	return m.At, nil
}

// MarkDiary notes how far something got.
func (t Tx) MarkDiary(ctx context.Context, name string, at broadcast.Instant) error {
	_, err := t.tx.NewInsert().Model(&mark{Name: name, At: at}).On("CONFLICT (name) DO UPDATE").Set("at_ms = EXCLUDED.at_ms").Exec(ctx)
	if err != nil {
		return fmt.Errorf("mark %s: %w", name, err)
	}
	return nil
}

// BlindSpell is a time in which the controller did not run: of what nodes were
// then it knows only what they told afterwards.
type BlindSpell struct {
	bun.BaseModel `bun:"table:blind_spells"`

	From broadcast.Instant `bun:"from_ms,pk"`
	To   broadcast.Instant `bun:"to_ms"`
}

// AddBlindSpell notes one; one that began at the same moment is replaced.
func (t Tx) AddBlindSpell(ctx context.Context, b BlindSpell) error {
	if _, err := t.tx.NewInsert().Model(&b).On("CONFLICT (from_ms) DO UPDATE").Set("to_ms = EXCLUDED.to_ms").Exec(ctx); err != nil {
		return fmt.Errorf("blind spell: %w", err)
	}
	return nil
}

// BlindSpells returns those that touch a time, oldest first.
func (db *DB) BlindSpells(ctx context.Context, from, to broadcast.Instant) ([]BlindSpell, error) {
	var out []BlindSpell
	if err := db.read.NewSelect().Model(&out).Where("from_ms < ? AND to_ms >= ?", to, from).Order("from_ms").Scan(ctx); err != nil {
		return nil, fmt.Errorf("blind spells: %w", err)
	}
	return out, nil
}

// AiredBetween returns what was published and may have sounded at some moment of
// a time, in order of id.
func (db *DB) AiredBetween(ctx context.Context, from, to broadcast.Instant) ([]Announcement, error) {
	var out []Announcement
	err := db.read.NewSelect().Model(&out).Where("sha256 <> '' AND published_ms < ? AND until_ms >= ?", to, from).Order("id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("announcements: %w", err)
	}
	return out, nil
}

// TalkedOf returns the names of the documents that receipts speak of which came
// since a moment, in order.
func (db *DB) TalkedOf(ctx context.Context, since broadcast.Instant) ([]broadcast.ID, error) {
	var out []broadcast.ID
	err := db.read.NewSelect().Model((*ReceiptRow)(nil)).ColumnExpr("DISTINCT announcement").Where("stored_ms >= ?", since).
		Order("announcement").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("receipts: %w", err)
	}
	return out, nil
}

// RevisionsOf returns all published revisions of some documents, in order of id.
func (db *DB) RevisionsOf(ctx context.Context, documents []broadcast.ID) ([]Announcement, error) {
	if len(documents) == 0 {
		return nil, nil
	}
	var out []Announcement
	err := db.read.NewSelect().Model(&out).Where("sha256 <> '' AND document IN (?)", bun.List(documents)).Order("id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("revisions of %d documents: %w", len(documents), err)
	}
	return out, nil
}

// AboutNodes returns the ids of what AiredBetween returns as far as any of some
// nodes was expected to sound it, or gave receipts of it.
func (db *DB) AboutNodes(ctx context.Context, nodes []broadcast.ID, from, to broadcast.Instant) ([]broadcast.ID, error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	const of = "SELECT 1 FROM ? AS about WHERE about.announcement = announcement.document AND about.of_revision = announcement.revision AND about.node IN (?)"
	var out []broadcast.ID
	err := db.read.NewSelect().Model((*Announcement)(nil)).Column("id").
		Where("sha256 <> '' AND published_ms < ? AND until_ms >= ?", to, from).
		Where("EXISTS ("+of+") OR EXISTS ("+of+")", bun.Ident("expectations"), bun.List(nodes), bun.Ident("receipts"), bun.List(nodes)).
		Order("id").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("announcements of %d nodes: %w", len(nodes), err)
	}
	return out, nil
}
