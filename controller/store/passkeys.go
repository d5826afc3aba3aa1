package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Passkey is the public half of one.
type Passkey struct {
	bun.BaseModel `bun:"table:passkeys"`

	// ID is the credential's, base64url without padding.
	ID     string       `bun:"id,pk"`
	Person broadcast.ID `bun:"person"`
	// Name is what its owner calls it.
	Name string `bun:"name"`
	// Record is what whoever checks signatures keeps of it.
	Record  string            `bun:"record"`
	Created broadcast.Instant `bun:"created_ms"`
	// Used is when it last let its owner in; 0 for never.
	Used broadcast.Instant `bun:"used_ms"`
}

// AddPasskey stores one; an id that is there already is ErrConflict.
func (t Tx) AddPasskey(ctx context.Context, p Passkey) error {
	res, err := t.tx.NewInsert().Model(&p).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("passkey of "+string(p.Person), ErrConflict, res, err)
}

// Passkey returns one by its id, or ErrNotFound.
func (db *DB) Passkey(ctx context.Context, id string) (Passkey, error) {
	var p Passkey
	if err := db.read.NewSelect().Model(&p).Where("id = ?", id).Scan(ctx); err != nil {
		return p, fmt.Errorf("passkey: %w", notFound(err))
	}
	return p, nil
}

// Passkeys returns those of a person, the oldest first.
func (db *DB) Passkeys(ctx context.Context, person broadcast.ID) ([]Passkey, error) {
	var out []Passkey
	if err := db.read.NewSelect().Model(&out).Where("person = ?", person).Order("created_ms", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", person, err)
	}
	return out, nil
}

// UsePasskey replaces the record of one that has just let its owner in; one that
// was used in the meantime, or is gone, is ErrConflict.
func (t Tx) UsePasskey(ctx context.Context, old Passkey, record string, at broadcast.Instant) error {
	res, err := t.tx.NewUpdate().Model((*Passkey)(nil)).Set("record = ?", record).Set("used_ms = ?", at).
		Where("id = ? AND record = ? AND used_ms = ?", old.ID, old.Record, old.Used).Exec(ctx)
	return changed("passkey", ErrConflict, res, err)
}

// NamePasskey gives one of a person's another name, or is ErrNotFound.
func (t Tx) NamePasskey(ctx context.Context, person broadcast.ID, id, name string) error {
	res, err := t.tx.NewUpdate().Model((*Passkey)(nil)).Set("name = ?", name).Where("id = ? AND person = ?", id, person).Exec(ctx)
	return changed("passkey", ErrNotFound, res, err)
}

// DropPasskey removes one of a person's, or is ErrNotFound.
func (t Tx) DropPasskey(ctx context.Context, person broadcast.ID, id string) error {
	res, err := t.tx.NewDelete().Model((*Passkey)(nil)).Where("id = ? AND person = ?", id, person).Exec(ctx)
	return changed("passkey", ErrNotFound, res, err)
}

// DropPasskeys removes all of a person's.
func (t Tx) DropPasskeys(ctx context.Context, person broadcast.ID) error {
	if _, err := t.tx.NewDelete().Model((*Passkey)(nil)).Where("person = ?", person).Exec(ctx); err != nil {
		return fmt.Errorf("passkeys of %s: %w", person, err)
	}
	return nil
}
