package store_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite" // the driver named "sqlite"

	"github.com/loaxa/loaxa/controller/store"
)

// rewrite changes a closed database as another version would have left it.
func rewrite(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "loaxa.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func opens(t *testing.T, dir string, open func(context.Context, string) (*store.DB, error)) error {
	t.Helper()
	db, err := open(t.Context(), dir)
	if err == nil {
		err = db.Close()
	}
	return err
}

func TestOnlyTheOwnerOfAFolderChangesItsSchema(t *testing.T) {
	dir := t.TempDir()
	if err := opens(t, dir, store.OpenBeside); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("and something was made: %v %v", entries, err)
	}
	for range 2 {
		if err := opens(t, dir, store.Open); err != nil {
			t.Fatal(err)
		}
	}
	if err := opens(t, dir, store.OpenBeside); err != nil {
		t.Errorf("beside its own version: %v", err)
	}
	rewrite(t, dir, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	for name, open := range map[string]func(context.Context, string) (*store.DB, error){"open": store.Open, "beside": store.OpenBeside} {
		if err := opens(t, dir, open); !errors.Is(err, store.ErrSchema) {
			t.Errorf("%s, of a newer program: %v", name, err)
		}
	}
	dir = t.TempDir() // a database from before the first schema is older than any
	if err := os.WriteFile(filepath.Join(dir, "loaxa.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := opens(t, dir, store.OpenBeside); !errors.Is(err, store.ErrSchema) {
		t.Errorf("beside an older one: %v", err)
	}
	if err := opens(t, dir, store.Open); err != nil {
		t.Errorf("its owner brings it up to date: %v", err)
	}
	if err := opens(t, dir, store.OpenBeside); err != nil {
		t.Errorf("and then: %v", err)
	}
}
