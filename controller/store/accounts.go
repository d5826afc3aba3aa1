package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Password is what somebody signs in with, hashed.
type Password struct {
	bun.BaseModel `bun:"table:passwords"`

	Person  broadcast.ID      `bun:"person,pk"`
	Hash    string            `bun:"hash"`
	Changed broadcast.Instant `bun:"changed_ms"`
}

// Code is a one-time code without its text.
type Code struct {
	bun.BaseModel `bun:"table:codes"`

	// Hash is the digest of the code's text.
	Hash   broadcast.Digest `bun:"hash,pk"`
	Person broadcast.ID     `bun:"person"`
	// Issuer is who gave it out; empty for a shell on the controller's machine.
	Issuer  broadcast.ID      `bun:"issuer"`
	Created broadcast.Instant `bun:"created_ms"`
	Expires broadcast.Instant `bun:"expires_ms"`
	// Used is when it was used or made worthless; 0 while it is good.
	Used broadcast.Instant `bun:"used_ms"`
}

// Browser is one that somebody has signed in with before.
type Browser struct {
	bun.BaseModel `bun:"table:browsers"`

	// Hash is the digest of the person's id and of the browser's cookie.
	Hash   broadcast.Digest  `bun:"hash,pk"`
	Person broadcast.ID      `bun:"person"`
	Seen   broadcast.Instant `bun:"seen_ms"`
}

// Session is one sign-in without its secret.
type Session struct {
	bun.BaseModel `bun:"table:sessions"`

	// Hash is the digest of the cookie.
	Hash   broadcast.Digest `bun:"hash,pk"`
	Person broadcast.ID     `bun:"person"`
	// Browser is that of the browser in which it began.
	Browser broadcast.Digest `bun:"browser"`
	// Device is what the program called itself, Address from where it came last.
	Device  string            `bun:"device"`
	Address string            `bun:"address"`
	Created broadcast.Instant `bun:"created_ms"`
	Seen    broadcast.Instant `bun:"seen_ms"`
	Expires broadcast.Instant `bun:"expires_ms"`
	// Phone is the shared phone on which it began; empty for another device.
	Phone broadcast.ID `bun:"phone"`
	// Ended is 0 while the session goes on.
	Ended broadcast.Instant `bun:"ended_ms"`
}

// SetPassword stores or replaces somebody's password.
func (t Tx) SetPassword(ctx context.Context, p Password) error {
	_, err := t.tx.NewInsert().Model(&p).On("CONFLICT (person) DO UPDATE").Set("hash = EXCLUDED.hash").Set("changed_ms = EXCLUDED.changed_ms").Exec(ctx)
	if err != nil {
		return fmt.Errorf("password of %s: %w", p.Person, err)
	}
	return nil
}

// Password returns somebody's password, or ErrNotFound.
func (db *DB) Password(ctx context.Context, person broadcast.ID) (Password, error) {
	var p Password
	if err := db.read.NewSelect().Model(&p).Where("person = ?", person).Scan(ctx); err != nil {
		return p, fmt.Errorf("password of %s: %w", person, notFound(err))
	}
	return p, nil
}

// AddCode stores a code and makes every earlier one of the person worthless.
func (t Tx) AddCode(ctx context.Context, c Code) error {
	_, err := t.tx.NewUpdate().Model((*Code)(nil)).Set("used_ms = ?", c.Created).Where("person = ? AND used_ms = 0", c.Person).Exec(ctx)
	if err != nil {
		return fmt.Errorf("codes of %s: %w", c.Person, err)
	}
	res, err := t.tx.NewInsert().Model(&c).On("CONFLICT (hash) DO NOTHING").Exec(ctx)
	return changed("code of "+string(c.Person), ErrConflict, res, err)
}

// Code returns one code by its digest, good or not, or ErrNotFound.
func (db *DB) Code(ctx context.Context, hash broadcast.Digest) (Code, error) {
	var c Code
	if err := db.read.NewSelect().Model(&c).Where("hash = ?", hash).Scan(ctx); err != nil {
		return c, fmt.Errorf("code: %w", notFound(err))
	}
	return c, nil
}

// UseCode uses a code up; one that is unknown or used already is ErrConflict.
func (t Tx) UseCode(ctx context.Context, hash broadcast.Digest, at broadcast.Instant) error {
	res, err := t.tx.NewUpdate().Model((*Code)(nil)).Set("used_ms = ?", at).Where("hash = ? AND used_ms = 0", hash).Exec(ctx)
	return changed("code", ErrConflict, res, err)
}

// MeetBrowser notes when a browser was last signed in with, and keeps the keep
// newest of its person.
func (t Tx) MeetBrowser(ctx context.Context, b Browser, keep int) error {
	_, err := t.tx.NewInsert().Model(&b).On("CONFLICT (hash) DO UPDATE").Set("seen_ms = EXCLUDED.seen_ms").Exec(ctx)
	if err != nil {
		return fmt.Errorf("browser of %s: %w", b.Person, err)
	}
	newest := t.tx.NewSelect().Model((*Browser)(nil)).Column("hash").Where("person = ?", b.Person).Order("seen_ms DESC", "hash").Limit(int64(keep))
	if _, err := t.tx.NewDelete().Model((*Browser)(nil)).Where("person = ?", b.Person).Where("hash NOT IN (?)", newest).Exec(ctx); err != nil {
		return fmt.Errorf("browsers of %s: %w", b.Person, err)
	}
	return nil
}

// ForgetBrowser makes a browser a stranger; one that is none already stays so.
func (t Tx) ForgetBrowser(ctx context.Context, hash broadcast.Digest) error {
	if _, err := t.tx.NewDelete().Model((*Browser)(nil)).Where("hash = ?", hash).Exec(ctx); err != nil {
		return fmt.Errorf("browser: %w", err)
	}
	return nil
}

// Browser returns one browser by its digest, or ErrNotFound.
func (db *DB) Browser(ctx context.Context, hash broadcast.Digest) (Browser, error) {
	var b Browser
	if err := db.read.NewSelect().Model(&b).Where("hash = ?", hash).Scan(ctx); err != nil {
		return b, fmt.Errorf("browser: %w", notFound(err))
	}
	return b, nil
}

// AddSession stores a session; the same twice is ErrConflict.
func (t Tx) AddSession(ctx context.Context, s Session) error {
	res, err := t.tx.NewInsert().Model(&s).On("CONFLICT (hash) DO NOTHING").Exec(ctx)
	return changed("session of "+string(s.Person), ErrConflict, res, err)
}

// Session returns one session by its digest, going on or not, or ErrNotFound.
func (db *DB) Session(ctx context.Context, hash broadcast.Digest) (Session, error) {
	var s Session
	if err := db.read.NewSelect().Model(&s).Where("hash = ?", hash).Scan(ctx); err != nil {
		return s, fmt.Errorf("session: %w", notFound(err))
	}
	return s, nil
}

// Sessions returns those of a person that go on at a moment, newest first.
func (db *DB) Sessions(ctx context.Context, person broadcast.ID, at broadcast.Instant) ([]Session, error) {
	var out []Session
	err := db.read.NewSelect().Model(&out).Where("person = ? AND ended_ms = 0 AND expires_ms > ?", person, at).Order("created_ms DESC", "hash").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("sessions of %s: %w", person, err)
	}
	return out, nil
}

// SeeSession notes when and from where a session was used last.
func (t Tx) SeeSession(ctx context.Context, hash broadcast.Digest, at broadcast.Instant, address string) error {
	res, err := t.tx.NewUpdate().Model((*Session)(nil)).Set("seen_ms = ?", at).Set("address = ?", address).Where("hash = ? AND ended_ms = 0", hash).Exec(ctx)
	return changed("session", ErrNotFound, res, err)
}

// EndSession ends a session; one that is unknown or ended already is ErrNotFound.
func (t Tx) EndSession(ctx context.Context, hash broadcast.Digest, at broadcast.Instant) error {
	res, err := t.tx.NewUpdate().Model((*Session)(nil)).Set("ended_ms = ?", at).Where("hash = ? AND ended_ms = 0", hash).Exec(ctx)
	return changed("session", ErrNotFound, res, err)
}

// EndSessions ends all sessions of a person but one, which may be empty, and
// makes the other browsers strangers.
func (t Tx) EndSessions(ctx context.Context, person broadcast.ID, but broadcast.Digest, at broadcast.Instant) error {
	kept := t.tx.NewSelect().Model((*Session)(nil)).Column("browser").Where("hash = ?", but)
	if _, err := t.tx.NewDelete().Model((*Browser)(nil)).Where("person = ?", person).Where("hash NOT IN (?)", kept).Exec(ctx); err != nil {
		return fmt.Errorf("browsers of %s: %w", person, err)
	}
	_, err := t.tx.NewUpdate().Model((*Session)(nil)).Set("ended_ms = ?", at).Where("person = ? AND ended_ms = 0 AND hash <> ?", person, but).Exec(ctx)
	if err != nil {
		return fmt.Errorf("sessions of %s: %w", person, err)
	}
	return nil
}

// Rewrap replaces the wrapping of a key; one that was replaced in the meantime
// is ErrConflict.
func (t Tx) Rewrap(ctx context.Context, id broadcast.Digest, old, wrapped string) error {
	res, err := t.tx.NewUpdate().Model((*Key)(nil)).Set("wrapped = ?", wrapped).Where("id = ? AND wrapped = ?", id, old).Exec(ctx)
	return changed("key "+id.Short(), ErrConflict, res, err)
}
