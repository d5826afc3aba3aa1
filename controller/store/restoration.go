package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
)

// Restoration says that this database came out of a backup, and that nobody has
// yet said that it may speak again.
type Restoration struct {
	// Made is when the backup was made, At when it was restored.
	Made broadcast.Instant `json:"made"`
	At   broadcast.Instant `json:"at"`
}

const settingRestored = "house.restored"

// Restoration returns the restoration that waits to be accepted, or ErrNotFound.
func (db *DB) Restoration(ctx context.Context) (Restoration, error) {
	var r Restoration
	text, err := db.Setting(ctx, settingRestored)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return r, fmt.Errorf("setting %s: %w", settingRestored, err)
	}
	return r, nil
}

// Restored notes a restoration and ends everything that the people of the backup's
// day held in their hands: tokens, sessions, one-time codes, known browsers, shared
// phones, enrolment tokens. Messages that were waiting then are old news and are
// dropped, and no node counts as heard.
func (t Tx) Restored(ctx context.Context, r Restoration) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		query string
		args  []any
	}{
		{"UPDATE tokens SET revoked_ms = ? WHERE revoked_ms = 0", []any{r.At}},
		{"UPDATE sessions SET ended_ms = ? WHERE ended_ms = 0", []any{r.At}},
		{"UPDATE codes SET used_ms = ? WHERE used_ms = 0", []any{r.At}},
		{"DELETE FROM browsers", nil},
		{"DELETE FROM pins", nil},
		{"UPDATE phones SET revoked_ms = ? WHERE revoked_ms = 0", []any{r.At}},
		{"UPDATE nodes SET token_until_ms = 0", nil},
		{"UPDATE node_hints SET present = FALSE, presence_ms = 0, state_ms = 0, health_ms = 0", nil},
		{"DELETE FROM messages WHERE sent_ms = 0", nil},
	} {
		if _, err := t.tx.NewRaw(s.query, s.args...).Exec(ctx); err != nil {
			return fmt.Errorf("after a restore: %w", err)
		}
	}
	return t.Set(ctx, settingRestored, string(text))
}

// AcceptRestoration ends the wait of a restored database; without one it is
// ErrNotFound.
func (t Tx) AcceptRestoration(ctx context.Context) error {
	res, err := t.tx.NewDelete().Table("settings").Where("name = ?", settingRestored).Exec(ctx)
	return changed("restoration", ErrNotFound, res, err)
}

// Snapshot writes the whole database, as it is at one moment, to a new file that
// its owner alone may read. The controller goes on reading and writing meanwhile.
func (db *DB) Snapshot(ctx context.Context, path string) error {
	if err := private(path); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if _, err := db.read.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("snapshot %s: %w", path, err)
	}
	return nil
}

// Check reads every page of the database and says what is broken.
func (db *DB) Check(ctx context.Context) error {
	var said []string
	if err := db.read.NewRaw("PRAGMA integrity_check(3)").Scan(ctx, &said); err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if len(said) != 1 || said[0] != "ok" {
		return fmt.Errorf("check the database: %w", errors.New(fmt.Sprint(said)))
	}
	var loose []string
	if err := db.read.NewRaw(`SELECT "table" FROM pragma_foreign_key_check`).Scan(ctx, &loose); err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if len(loose) > 0 {
		return fmt.Errorf("check the database: rows of %s name others that are not there", loose[0])
	}
	return nil
}

// ContentNames returns the names of every recording that was taken in.
func (db *DB) ContentNames(ctx context.Context) ([]broadcast.Digest, error) {
	var out []broadcast.Digest
	if err := db.read.NewSelect().Table("contents").Column("sha256").Order("sha256").Scan(ctx, &out); err != nil {
		return nil, fmt.Errorf("contents: %w", err)
	}
	return out, nil
}
