package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // the driver named "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Errors that callers tell apart.
var (
	// ErrSchema: the database was written by another version of the program.
	ErrSchema = errors.New("the database is of another version")
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the row exists already, or changed since it was read.
	ErrConflict = errors.New("changed in the meantime, or exists already")
)

// DB is the database. It is safe for concurrent use; writes go one at a time.
type DB struct {
	write *bun.DB
	read  *bun.DB
}

// Open opens, or creates, the database in a folder and brings its schema up to
// date. It is for whoever holds the folder's lock, or has just made it.
func Open(ctx context.Context, dir string) (*DB, error) {
	path := filepath.Join(dir, "loaxa.db")
	if err := private(path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return connect(ctx, path, true)
}

// OpenBeside opens a database that is there, beside a controller that may serve
// it. It never changes the schema: that of another version is ErrSchema.
func OpenBeside(ctx context.Context, dir string) (*DB, error) {
	path := filepath.Join(dir, "loaxa.db")
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return connect(ctx, path, false)
}

func connect(ctx context.Context, path string, renew bool) (*DB, error) {
	dsn := "file:" + path + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=foreign_keys(1)"
	w, err := sql.Open("sqlite", dsn+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	w.SetMaxOpenConns(1)
	r, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), w.Close())
	}
	r.SetMaxOpenConns(4)
	db := &DB{write: bun.NewDB(w, sqlitedialect.New()), read: bun.NewDB(r, sqlitedialect.New())}
	if err := db.migrate(ctx, w, renew); err != nil {
		return nil, errors.Join(fmt.Errorf("database %s: %w", path, err), db.Close())
	}
	return db, nil
}

// private makes the file before the driver does, readable by its owner alone;
// the journal files beside it take its mode.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func (db *DB) migrate(ctx context.Context, w *sql.DB, renew bool) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, w, files)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	at, newest, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("migrations: %w", err)
	case at > newest:
		return fmt.Errorf("%w: it was written by a newer program; use that one", ErrSchema)
	case at < newest && !renew:
		return fmt.Errorf("%w: start the controller of this version first, and ask again once it runs", ErrSchema)
	case at == newest:
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return nil
}

// Close closes the database.
func (db *DB) Close() error { return errors.Join(db.write.Close(), db.read.Close()) }

// Tx is a running write transaction. Its methods are those of the tables.
type Tx struct{ tx bun.Tx }

// Update runs f in one write transaction: all of it is kept, or nothing.
func (db *DB) Update(ctx context.Context, f func(Tx) error) error {
	return db.write.RunInTx(ctx, nil, func(_ context.Context, tx bun.Tx) error { return f(Tx{tx: tx}) })
}

// notFound turns the driver's "no rows" into ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
