package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Phone is one that several officers share.
type Phone struct {
	bun.BaseModel `bun:"table:phones"`

	ID   broadcast.ID `bun:"id,pk"`
	Name string       `bun:"name"`
	Area broadcast.ID `bun:"area"`
	// Code is the digest of the one-time code that enrols it.
	Code broadcast.Digest `bun:"code"`
	// Secret is the digest of what the phone holds; empty before it is enrolled.
	Secret  broadcast.Digest  `bun:"secret"`
	Created broadcast.Instant `bun:"created_ms"`
	// Expires is when the code is worthless.
	Expires  broadcast.Instant `bun:"expires_ms"`
	Enrolled broadcast.Instant `bun:"enrolled_ms"`
	Revoked  broadcast.Instant `bun:"revoked_ms"`
}

// PIN is a key of an officer as one phone can open it.
type PIN struct {
	bun.BaseModel `bun:"table:pins"`

	Phone  broadcast.ID `bun:"phone,pk"`
	Person broadcast.ID `bun:"person,pk"`
	// Key is the digest of the public key.
	Key     broadcast.Digest  `bun:"key"`
	Wrapped string            `bun:"wrapped"`
	Wrong   int64             `bun:"wrong"`
	Created broadcast.Instant `bun:"created_ms"`
}

// AddPhone stores one; an id or code that is there already is ErrConflict.
func (t Tx) AddPhone(ctx context.Context, p Phone) error {
	res, err := t.tx.NewInsert().Model(&p).On("CONFLICT DO NOTHING").Exec(ctx)
	return changed("phone "+string(p.ID), ErrConflict, res, err)
}

// EnrolPhone uses a code up and notes the secret; a code that is unknown, used or
// too old is ErrConflict.
func (t Tx) EnrolPhone(ctx context.Context, code, secret broadcast.Digest, at broadcast.Instant) error {
	res, err := t.tx.NewUpdate().Model((*Phone)(nil)).Set("secret = ?", secret).Set("enrolled_ms = ?", at).
		Where("code = ? AND secret = '' AND revoked_ms = 0 AND expires_ms > ?", code, at).Exec(ctx)
	return changed("phone", ErrConflict, res, err)
}

// RevokePhone ends a phone with its PINs and sessions; one that is unknown or was
// ended is ErrNotFound.
func (t Tx) RevokePhone(ctx context.Context, id broadcast.ID, at broadcast.Instant) error {
	res, err := t.tx.NewUpdate().Model((*Phone)(nil)).Set("revoked_ms = ?", at).Where("id = ? AND revoked_ms = 0", id).Exec(ctx)
	if err := changed("phone "+string(id), ErrNotFound, res, err); err != nil {
		return err
	}
	if _, err := t.tx.NewDelete().Model((*PIN)(nil)).Where("phone = ?", id).Exec(ctx); err != nil {
		return fmt.Errorf("PINs of phone %s: %w", id, err)
	}
	_, err = t.tx.NewUpdate().Model((*Session)(nil)).Set("ended_ms = ?", at).Where("phone = ? AND ended_ms = 0", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("sessions of phone %s: %w", id, err)
	}
	return nil
}

// Phones returns all, also revoked ones, the oldest first.
func (db *DB) Phones(ctx context.Context) ([]Phone, error) {
	var out []Phone
	if err := db.read.NewSelect().Model(&out).Order("created_ms", "id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("phones: %w", err)
	}
	return out, nil
}

// Phone returns one by its id, or ErrNotFound.
func (db *DB) Phone(ctx context.Context, id broadcast.ID) (Phone, error) {
	return db.phone(ctx, "id = ?", id)
}

// PhoneOf returns the one that holds a secret, by its digest, or ErrNotFound.
func (db *DB) PhoneOf(ctx context.Context, secret broadcast.Digest) (Phone, error) {
	return db.phone(ctx, "secret = ? AND secret <> ''", secret)
}

// PhoneByCode returns the one that a code enrols, by its digest, or ErrNotFound.
func (db *DB) PhoneByCode(ctx context.Context, code broadcast.Digest) (Phone, error) {
	return db.phone(ctx, "code = ?", code)
}

func (db *DB) phone(ctx context.Context, where string, value any) (Phone, error) {
	var p Phone
	if err := db.read.NewSelect().Model(&p).Where(where, value).Limit(1).Scan(ctx); err != nil {
		return p, fmt.Errorf("phone: %w", notFound(err))
	}
	return p, nil
}

// SetPIN stores or replaces somebody's PIN on one phone; wrong ones are forgotten.
func (t Tx) SetPIN(ctx context.Context, p PIN) error {
	_, err := t.tx.NewInsert().Model(&p).On("CONFLICT (phone, person) DO UPDATE").
		Set("key = EXCLUDED.key, wrapped = EXCLUDED.wrapped, wrong = 0, created_ms = EXCLUDED.created_ms").Exec(ctx)
	if err != nil {
		return fmt.Errorf("PIN of %s: %w", p.Person, err)
	}
	return nil
}

// TryPIN counts a guess before it is looked at. At the most wrong ones allowed it
// is ErrConflict; without a PIN it is ErrNotFound.
func (t Tx) TryPIN(ctx context.Context, phone, person broadcast.ID, most int64) (PIN, error) {
	var p PIN
	if err := t.tx.NewSelect().Model(&p).Where("phone = ? AND person = ?", phone, person).Scan(ctx); err != nil {
		return p, fmt.Errorf("PIN of %s: %w", person, notFound(err))
	}
	res, err := t.tx.NewUpdate().Model((*PIN)(nil)).Set("wrong = wrong + 1").Where("phone = ? AND person = ? AND wrong < ?", phone, person, most).Exec(ctx)
	return p, changed("PIN of "+string(person), ErrConflict, res, err)
}

// RightPIN forgets wrong guesses at the PIN that was looked at.
func (t Tx) RightPIN(ctx context.Context, p PIN) error {
	_, err := t.tx.NewUpdate().Model((*PIN)(nil)).Set("wrong = 0").Where("phone = ? AND person = ? AND wrapped = ?", p.Phone, p.Person, p.Wrapped).Exec(ctx)
	if err != nil {
		return fmt.Errorf("PIN of %s: %w", p.Person, err)
	}
	return nil
}

// DropPINs removes somebody's PINs on every phone.
func (t Tx) DropPINs(ctx context.Context, person broadcast.ID) error {
	if _, err := t.tx.NewDelete().Model((*PIN)(nil)).Where("person = ?", person).Exec(ctx); err != nil {
		return fmt.Errorf("PINs of %s: %w", person, err)
	}
	return nil
}

// PINsOn returns who has a PIN on a phone.
func (db *DB) PINsOn(ctx context.Context, phone broadcast.ID) ([]PIN, error) {
	var out []PIN
	if err := db.read.NewSelect().Model(&out).Where("phone = ?", phone).Order("person").Scan(ctx); err != nil {
		return nil, fmt.Errorf("PINs of phone %s: %w", phone, err)
	}
	return out, nil
}
