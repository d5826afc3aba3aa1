package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Blob is the kind under which unsealed objects are stored whose digest stands
// inside a signed document: metadata and running orders.
const Blob broadcast.Kind = "blob"

// Document is one immutable object, named by the digest of Raw.
type Document struct {
	bun.BaseModel `bun:"table:documents"`

	SHA256   broadcast.Digest   `bun:"sha256,pk"`
	Kind     broadcast.Kind     `bun:"kind"`
	ID       broadcast.ID       `bun:"id"`
	Revision broadcast.Revision `bun:"revision"`
	Raw      []byte             `bun:"raw"`
}

// Listing says that an area holds a document until a moment, after which it is
// left out of the manifest.
type Listing struct {
	bun.BaseModel `bun:"table:listings"`

	Area     broadcast.ID       `bun:"area,pk"`
	Kind     broadcast.Kind     `bun:"kind,pk"`
	ID       broadcast.ID       `bun:"id,pk"`
	Revision broadcast.Revision `bun:"revision"`
	SHA256   broadcast.Digest   `bun:"sha256"`
	Until    broadcast.Instant  `bun:"until_ms"`
}

// PutDocument stores an object under the digest of its bytes; storing it again
// changes nothing.
func (t Tx) PutDocument(ctx context.Context, d Document) (broadcast.Digest, error) {
	d.SHA256 = broadcast.Sum(d.Raw)
	_, err := t.tx.NewInsert().Model(&d).On("CONFLICT (sha256) DO NOTHING").Exec(ctx)
	if err != nil {
		return "", fmt.Errorf("store %s %s: %w", d.Kind, d.ID, err)
	}
	return d.SHA256, nil
}

// Document returns one object, or ErrNotFound.
func (db *DB) Document(ctx context.Context, sha broadcast.Digest) (Document, error) {
	var d Document
	err := db.read.NewSelect().Model(&d).Where("sha256 = ?", sha).Scan(ctx)
	if err != nil {
		return d, fmt.Errorf("document %s: %w", sha.Short(), notFound(err))
	}
	return d, nil
}

// DocumentsNamed returns those of some objects that are there, by name.
func (db *DB) DocumentsNamed(ctx context.Context, names []broadcast.Digest) (map[broadcast.Digest]Document, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var rows []Document
	if err := db.read.NewSelect().Model(&rows).Where("sha256 IN (?)", bun.List(names)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("%d documents: %w", len(names), err)
	}
	out := make(map[broadcast.Digest]Document, len(rows))
	for _, d := range rows {
		out[d.SHA256] = d
	}
	return out, nil
}

// NewestDocument returns the newest revision of one document, or ErrNotFound.
func (db *DB) NewestDocument(ctx context.Context, kind broadcast.Kind, id broadcast.ID) (Document, error) {
	var d Document
	err := db.read.NewSelect().Model(&d).Where("kind = ? AND id = ?", kind, id).Order("revision DESC").Limit(1).Scan(ctx)
	if err != nil {
		return d, fmt.Errorf("%s %s: %w", kind, id, notFound(err))
	}
	return d, nil
}

// DocumentsOf returns every object that was stored as one revision of a document:
// the same words may have come under more signatures.
func (db *DB) DocumentsOf(ctx context.Context, kind broadcast.Kind, id broadcast.ID, revision broadcast.Revision) ([]Document, error) {
	var out []Document
	err := db.read.NewSelect().Model(&out).Where("kind = ? AND id = ? AND revision = ?", kind, id, revision).Order("sha256").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, id, err)
	}
	return out, nil
}

// DropDocuments forgets the revisions of one document before a revision. It is
// for what the controller derives anew, such as manifests; a listed document
// stays, with an error.
func (t Tx) DropDocuments(ctx context.Context, kind broadcast.Kind, id broadcast.ID, before broadcast.Revision) error {
	_, err := t.tx.NewDelete().Model((*Document)(nil)).Where("kind = ? AND id = ? AND revision < ?", kind, id, before).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget %s %s: %w", kind, id, err)
	}
	return nil
}

// List makes an area hold a document in place of its earlier revisions. An
// older revision than the one listed is ErrConflict.
func (t Tx) List(ctx context.Context, l Listing) error {
	res, err := t.tx.NewInsert().Model(&l).
		On("CONFLICT (area, kind, id) DO UPDATE").
		Set("revision = EXCLUDED.revision, sha256 = EXCLUDED.sha256, until_ms = EXCLUDED.until_ms").
		Where("listing.revision <= EXCLUDED.revision").Exec(ctx)
	if err != nil {
		return fmt.Errorf("list %s %s in %s: %w", l.Kind, l.ID, l.Area, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fmt.Errorf("list %s %s in %s: %w", l.Kind, l.ID, l.Area, ErrConflict), err)
	}
	return nil
}

// Unlist takes a document out of every area's listing.
func (t Tx) Unlist(ctx context.Context, kind broadcast.Kind, id broadcast.ID) error {
	_, err := t.tx.NewDelete().Model((*Listing)(nil)).Where("kind = ? AND id = ?", kind, id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("unlist %s %s: %w", kind, id, err)
	}
	return nil
}

// DropListings takes out of every area's listing what ended before a moment, and
// says how much that was. The documents stay.
func (t Tx) DropListings(ctx context.Context, before broadcast.Instant) (int64, error) {
	res, err := t.tx.NewDelete().Model((*Listing)(nil)).Where("until_ms < ?", before).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("drop ended listings: %w", err)
	}
	return res.RowsAffected()
}

// Listings returns what the given areas hold at a moment, in order of area,
// kind and id.
func (db *DB) Listings(ctx context.Context, areas []broadcast.ID, at broadcast.Instant) ([]Listing, error) {
	var out []Listing
	err := db.read.NewSelect().Model(&out).Where("area IN (?)", bun.List(areas)).Where("until_ms > ?", at).
		Order("area", "kind", "id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("listings: %w", err)
	}
	return out, nil
}

// Setting returns a named value, or ErrNotFound.
func (db *DB) Setting(ctx context.Context, name string) (string, error) {
	var v string
	err := db.read.NewSelect().Table("settings").Column("value").Where("name = ?", name).Scan(ctx, &v)
	if err != nil {
		return "", fmt.Errorf("setting %s: %w", name, notFound(err))
	}
	return v, nil
}

// Set stores a named value in place of an earlier one.
func (t Tx) Set(ctx context.Context, name, value string) error {
	row := map[string]any{"name": name, "value": value}
	_, err := t.tx.NewInsert().Model(&row).Table("settings").On("CONFLICT (name) DO UPDATE").Set("value = EXCLUDED.value").Exec(ctx)
	if err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	return nil
}

// AllListings returns what every area holds at a moment, in order of area,
// kind and id.
func (db *DB) AllListings(ctx context.Context, at broadcast.Instant) ([]Listing, error) {
	var out []Listing
	err := db.read.NewSelect().Model(&out).Where("until_ms > ?", at).Order("area", "kind", "id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("listings: %w", err)
	}
	return out, nil
}
