package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Content is what is known of one canonical audio object.
type Content struct {
	bun.BaseModel `bun:"table:contents"`

	SHA256 broadcast.Digest `bun:"sha256,pk"`
	Bytes  int64            `bun:"bytes"`
	// Millis is the length of the sound.
	Millis int64 `bun:"length_ms"`
	// Name is what the person called the upload.
	Name   string       `bun:"name"`
	Person broadcast.ID `bun:"person"`
	// Measured is what intake found, as JSON.
	Measured string            `bun:"measured"`
	Created  broadcast.Instant `bun:"created_ms"`
}

// AddContent stores what is known of content; the first upload of the same
// bytes is kept.
func (t Tx) AddContent(ctx context.Context, c Content) error {
	_, err := t.tx.NewInsert().Model(&c).On("CONFLICT (sha256) DO NOTHING").Exec(ctx)
	if err != nil {
		return fmt.Errorf("content %s: %w", c.SHA256.Short(), err)
	}
	return nil
}

// Content returns one record, or ErrNotFound.
func (db *DB) Content(ctx context.Context, sha broadcast.Digest) (Content, error) {
	var c Content
	if err := db.read.NewSelect().Model(&c).Where("sha256 = ?", sha).Scan(ctx); err != nil {
		return c, fmt.Errorf("content %s: %w", sha.Short(), notFound(err))
	}
	return c, nil
}

// Answer is what was answered to a request that must not be done twice.
type Answer struct {
	bun.BaseModel `bun:"table:answers"`

	Person broadcast.ID `bun:"person,pk"`
	// Name is the key that the person chose for the request.
	Name string `bun:"name,pk"`
	// Request is the digest of what was asked.
	Request broadcast.Digest  `bun:"request"`
	Status  int64             `bun:"status"`
	Body    []byte            `bun:"body"`
	Created broadcast.Instant `bun:"created_ms"`
}

// AddAnswer stores an answer; another one under the same key is ErrConflict.
func (t Tx) AddAnswer(ctx context.Context, a Answer) error {
	res, err := t.tx.NewInsert().Model(&a).On("CONFLICT (person, name) DO NOTHING").Exec(ctx)
	return changed("answer "+a.Name, ErrConflict, res, err)
}

// ForgetAnswers forgets the answers given before a moment.
func (t Tx) ForgetAnswers(ctx context.Context, before broadcast.Instant) error {
	if _, err := t.tx.NewDelete().Model((*Answer)(nil)).Where("created_ms < ?", before).Exec(ctx); err != nil {
		return fmt.Errorf("answers: %w", err)
	}
	return nil
}

// Answer returns what was answered under a key, or ErrNotFound.
func (db *DB) Answer(ctx context.Context, person broadcast.ID, name string) (Answer, error) {
	var a Answer
	err := db.read.NewSelect().Model(&a).Where("person = ? AND name = ?", person, name).Scan(ctx)
	if err != nil {
		return a, fmt.Errorf("answer %s: %w", name, notFound(err))
	}
	return a, nil
}
