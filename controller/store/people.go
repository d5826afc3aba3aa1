package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Person is somebody who may use the controller.
type Person struct {
	bun.BaseModel `bun:"table:persons"`

	ID   broadcast.ID `bun:"id,pk"`
	Name string       `bun:"name"`
	Role string       `bun:"role"`
	// Level is the level at which the person's documents are issued.
	Level broadcast.Level `bun:"level"`
	// Areas are the tops of the subtrees that the person acts in.
	Areas   []broadcast.ID    `bun:"areas"`
	Created broadcast.Instant `bun:"created_ms"`
	// Left is when the person left; 0 while they are here.
	Left broadcast.Instant `bun:"left_ms"`
}

// Key is an officer's key pair; the private half is wrapped.
type Key struct {
	bun.BaseModel `bun:"table:officer_keys"`

	// ID is the digest of the public key.
	ID      broadcast.Digest  `bun:"id,pk"`
	Person  broadcast.ID      `bun:"person"`
	Public  broadcast.Key     `bun:"public"`
	Wrapped string            `bun:"wrapped"`
	Created broadcast.Instant `bun:"created_ms"`
}

// Token is a personal API token without its secret.
type Token struct {
	bun.BaseModel `bun:"table:tokens"`

	// Hash is the digest of the token's text.
	Hash   broadcast.Digest `bun:"hash,pk"`
	Person broadcast.ID     `bun:"person"`
	Label  string           `bun:"label"`
	// Key and Wrapped are empty for a token that cannot sign.
	Key     broadcast.Digest  `bun:"key_id"`
	Wrapped string            `bun:"wrapped"`
	Created broadcast.Instant `bun:"created_ms"`
	Expires broadcast.Instant `bun:"expires_ms"`
	// Revoked is 0 while the token is good.
	Revoked broadcast.Instant `bun:"revoked_ms"`
}

// AddPerson stores a new person; one with that id is ErrConflict.
func (t Tx) AddPerson(ctx context.Context, p Person) error {
	res, err := t.tx.NewInsert().Model(&p).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("person "+string(p.ID), ErrConflict, res, err)
}

// EndPerson notes when somebody left; unknown people are ErrNotFound.
func (t Tx) EndPerson(ctx context.Context, id broadcast.ID, at broadcast.Instant) error {
	res, err := t.tx.NewUpdate().Model((*Person)(nil)).Set("left_ms = ?", at).Where("id = ?", id).Exec(ctx)
	return changed("person "+string(id), ErrNotFound, res, err)
}

// Person returns one person, or ErrNotFound.
func (db *DB) Person(ctx context.Context, id broadcast.ID) (Person, error) {
	var p Person
	if err := db.read.NewSelect().Model(&p).Where("id = ?", id).Scan(ctx); err != nil {
		return p, fmt.Errorf("person %s: %w", id, notFound(err))
	}
	return p, nil
}

// Persons returns everybody, also those who left, oldest first.
func (db *DB) Persons(ctx context.Context) ([]Person, error) {
	var out []Person
	if err := db.read.NewSelect().Model(&out).Order("created_ms", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("persons: %w", err)
	}
	return out, nil
}

// AddKey stores a person's key; the same key twice is ErrConflict.
func (t Tx) AddKey(ctx context.Context, k Key) error {
	res, err := t.tx.NewInsert().Model(&k).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("key of "+string(k.Person), ErrConflict, res, err)
}

// Key returns one key by its id, or ErrNotFound.
func (db *DB) Key(ctx context.Context, id broadcast.Digest) (Key, error) {
	var k Key
	if err := db.read.NewSelect().Model(&k).Where("id = ?", id).Scan(ctx); err != nil {
		return k, fmt.Errorf("key %s: %w", id.Short(), notFound(err))
	}
	return k, nil
}

// KeyOf returns a person's newest key, or ErrNotFound.
func (db *DB) KeyOf(ctx context.Context, person broadcast.ID) (Key, error) {
	var k Key
	err := db.read.NewSelect().Model(&k).Where("person = ?", person).Order("created_ms DESC", "id").Limit(1).Scan(ctx)
	if err != nil {
		return k, fmt.Errorf("key of %s: %w", person, notFound(err))
	}
	return k, nil
}

// AddToken stores a token; the same token twice is ErrConflict.
func (t Tx) AddToken(ctx context.Context, k Token) error {
	res, err := t.tx.NewInsert().Model(&k).On("CONFLICT (hash) DO NOTHING").Exec(ctx)
	return changed("token of "+string(k.Person), ErrConflict, res, err)
}

// Token returns one token by its digest, good or not, or ErrNotFound.
func (db *DB) Token(ctx context.Context, hash broadcast.Digest) (Token, error) {
	var k Token
	if err := db.read.NewSelect().Model(&k).Where("hash = ?", hash).Scan(ctx); err != nil {
		return k, fmt.Errorf("token: %w", notFound(err))
	}
	return k, nil
}

// Tokens returns a person's tokens, good or not, oldest first.
func (db *DB) Tokens(ctx context.Context, person broadcast.ID) ([]Token, error) {
	var out []Token
	err := db.read.NewSelect().Model(&out).Where("person = ?", person).Order("created_ms", "hash").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("tokens of %s: %w", person, err)
	}
	return out, nil
}

// RevokeToken ends one token and forgets the key that it wrapped. A token that
// is unknown or ended already is ErrNotFound.
func (t Tx) RevokeToken(ctx context.Context, hash broadcast.Digest, at broadcast.Instant) error {
	res, err := t.tx.NewUpdate().Model((*Token)(nil)).Set("revoked_ms = ?", at).Set("wrapped = ''").
		Where("hash = ? AND revoked_ms = 0", hash).Exec(ctx)
	return changed("token "+hash.Short(), ErrNotFound, res, err)
}

// RevokeTokens ends all of a person's tokens.
func (t Tx) RevokeTokens(ctx context.Context, person broadcast.ID, at broadcast.Instant) error {
	_, err := t.tx.NewUpdate().Model((*Token)(nil)).Set("revoked_ms = ?", at).Set("wrapped = ''").
		Where("person = ? AND revoked_ms = 0", person).Exec(ctx)
	if err != nil {
		return fmt.Errorf("tokens of %s: %w", person, err)
	}
	return nil
}

// changed turns "no row changed" into an error of ours.
func changed(what string, none error, res sql.Result, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fmt.Errorf("%s: %w", what, none), err)
	}
	return nil
}

// ListingsOf returns what any area holds of one kind at a moment, in order of
// area and id.
func (db *DB) ListingsOf(ctx context.Context, kind broadcast.Kind, at broadcast.Instant) ([]Listing, error) {
	var out []Listing
	err := db.read.NewSelect().Model(&out).Where("kind = ? AND until_ms > ?", kind, at).Order("area", "id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("listings of %s: %w", kind, err)
	}
	return out, nil
}

// Listed returns the document of one kind that an area holds under an id, as
// the running transaction sees it, or ErrNotFound.
func (t Tx) Listed(ctx context.Context, area broadcast.ID, kind broadcast.Kind, id broadcast.ID) (Document, error) {
	var d Document
	err := t.tx.NewSelect().Model(&d).Join("JOIN listings AS l ON l.sha256 = document.sha256").
		Where("l.area = ? AND l.kind = ? AND l.id = ?", area, kind, id).Scan(ctx)
	if err != nil {
		return d, fmt.Errorf("%s %s in %s: %w", kind, id, area, notFound(err))
	}
	return d, nil
}
