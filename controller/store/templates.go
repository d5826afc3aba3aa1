package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Template is the desk's row of words that are approved in advance.
type Template struct {
	bun.BaseModel `bun:"table:templates"`

	ID broadcast.ID `bun:"id,pk"`
	// Version counts the changes of the row; a stale writer is refused.
	Version int64 `bun:"version"`
	// Author wrote the draft, or if there is none what stands.
	Author broadcast.ID `bun:"author"`
	// Draft is the canonical encoding of what waits for signatures, without a
	// revision before the first; empty for nothing. Digest is what people sign,
	// and Envelope has their signatures so far.
	Draft    string           `bun:"draft"`
	Digest   broadcast.Digest `bun:"digest"`
	Envelope string           `bun:"envelope"`
	// Standing is the body of the sealed document SHA256; both are empty before
	// the first.
	Standing  string            `bun:"standing"`
	SHA256    broadcast.Digest  `bun:"sha256"`
	Published broadcast.Instant `bun:"published_ms"`
	Expires   broadcast.Instant `bun:"expires_ms"`
	// Withdrawn is when what stood was taken back, 0 if it was not.
	Withdrawn    broadcast.Instant `bun:"withdrawn_ms"`
	WithdrawnBy  broadcast.ID      `bun:"withdrawn_by"`
	WithdrawnWhy string            `bun:"withdrawn_why"`
}

// TemplateSignature is one person's signature on the words that Digest names.
type TemplateSignature struct {
	bun.BaseModel `bun:"table:template_signatures"`

	Template broadcast.ID     `bun:"template,pk"`
	Digest   broadcast.Digest `bun:"digest,pk"`
	Person   broadcast.ID     `bun:"person,pk"`
	// Place is 1 for the first signature.
	Place int64             `bun:"place"`
	KID   broadcast.Digest  `bun:"kid"`
	At    broadcast.Instant `bun:"at_ms"`
}

// AddTemplate stores a new row; one with that id is ErrConflict.
func (t Tx) AddTemplate(ctx context.Context, m Template) error {
	m.Version = 1
	res, err := t.tx.NewInsert().Model(&m).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("template "+string(m.ID), ErrConflict, res, err)
}

// SaveTemplate replaces a row as it was read; one that changed since, or is
// unknown, is ErrConflict.
func (t Tx) SaveTemplate(ctx context.Context, m Template) error {
	read := m.Version
	m.Version++
	res, err := t.tx.NewUpdate().Model(&m).WherePK().Where("version = ?", read).Exec(ctx)
	return changed("template "+string(m.ID), ErrConflict, res, err)
}

// Template returns one row inside the transaction, or ErrNotFound.
func (t Tx) Template(ctx context.Context, id broadcast.ID) (Template, error) {
	return template(ctx, t.tx, id)
}

// Template returns one row, or ErrNotFound.
func (db *DB) Template(ctx context.Context, id broadcast.ID) (Template, error) {
	return template(ctx, db.read, id)
}

func template(ctx context.Context, from bun.IDB, id broadcast.ID) (Template, error) {
	var m Template
	if err := from.NewSelect().Model(&m).Where("id = ?", id).Scan(ctx); err != nil {
		return m, fmt.Errorf("template %s: %w", id, notFound(err))
	}
	return m, nil
}

// Templates returns every row, in order of id, at most limit.
func (db *DB) Templates(ctx context.Context, limit int) ([]Template, error) {
	var out []Template
	if err := db.read.NewSelect().Model(&out).Order("id").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	return out, nil
}

// AddTemplateSignature notes a signature; a second one by the same person on the
// same words is ErrConflict.
func (t Tx) AddTemplateSignature(ctx context.Context, s TemplateSignature) error {
	res, err := t.tx.NewInsert().Model(&s).On("CONFLICT (template, digest, person) DO NOTHING").Exec(ctx)
	return changed("signature of template "+string(s.Template), ErrConflict, res, err)
}

// DropTemplateSignatures forgets the signatures on words that were replaced
// before they stood.
func (t Tx) DropTemplateSignatures(ctx context.Context, id broadcast.ID, digest broadcast.Digest) error {
	_, err := t.tx.NewDelete().Model((*TemplateSignature)(nil)).Where("template = ? AND digest = ?", id, digest).Exec(ctx)
	if err != nil {
		return fmt.Errorf("signatures of template %s: %w", id, err)
	}
	return nil
}

// TemplateSignatures returns the signatures on a template inside the
// transaction, in their order for each digest.
func (t Tx) TemplateSignatures(ctx context.Context, id broadcast.ID) ([]TemplateSignature, error) {
	return templateSignatures(ctx, t.tx, id)
}

// TemplateSignatures returns the signatures on some templates, in their order
// for each digest.
func (db *DB) TemplateSignatures(ctx context.Context, ids ...broadcast.ID) ([]TemplateSignature, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return templateSignatures(ctx, db.read, ids...)
}

func templateSignatures(ctx context.Context, from bun.IDB, ids ...broadcast.ID) ([]TemplateSignature, error) {
	var out []TemplateSignature
	err := from.NewSelect().Model(&out).Where("template IN (?)", bun.List(ids)).Order("template", "digest", "place").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("signatures of templates: %w", err)
	}
	return out, nil
}

// PublishedSince returns the announcements that were published at a moment or
// later and not withdrawn, the last first, at most limit.
func (t Tx) PublishedSince(ctx context.Context, since broadcast.Instant, limit int) ([]Announcement, error) {
	return publishedSince(ctx, t.tx, since, limit)
}

// PublishedSince returns the announcements that were published at a moment or
// later and not withdrawn, the last first, at most limit.
func (db *DB) PublishedSince(ctx context.Context, since broadcast.Instant, limit int) ([]Announcement, error) {
	return publishedSince(ctx, db.read, since, limit)
}

func publishedSince(ctx context.Context, from bun.IDB, since broadcast.Instant, limit int) ([]Announcement, error) {
	var out []Announcement
	err := from.NewSelect().Model(&out).Where("published_ms >= ? AND published_ms > 0 AND withdrawn_ms = 0", since).
		Order("published_ms DESC", "id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("announcements: %w", err)
	}
	return out, nil
}
