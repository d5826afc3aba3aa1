// Package peopletest sets up houses for tests.
//
// It promises a whole demo house in a temporary folder, as InitDemo makes it,
// with passphrases that cost next to nothing to try. Nothing of it outlives the
// test.
package peopletest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// House is a demo house with its database open.
type House struct {
	Dir    string
	DB     *store.DB
	Office *people.Office
	Config people.Config
}

// Config returns what offices of tests take from outside: the tree of Bắc
// Quang, a clock, and the least cost of a passphrase.
func Config(t testing.TB, now func() time.Time) people.Config {
	t.Helper()
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		t.Fatal(err)
	}
	return people.Config{Tree: organisation.Fixed(tree), Now: now, Cost: people.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}}
}

// Demo sets up a demo house and opens it until the test ends.
func Demo(t testing.TB, now func() time.Time) House {
	t.Helper()
	ctx := context.Background()
	h := House{Dir: filepath.Join(t.TempDir(), "data"), Config: Config(t, now)}
	if _, err := people.InitDemo(ctx, h.Dir, h.Config); err != nil {
		t.Fatal(err)
	}
	h.DB, h.Office = Open(t, h.Dir, h.Config)
	return h
}

// Open opens the house in a data folder until the test ends.
func Open(t testing.TB, dir string, cfg people.Config) (*store.DB, *people.Office) {
	t.Helper()
	db, err := store.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	office, err := people.Open(context.Background(), dir, db, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return db, office
}

// Token returns a token of somebody with a role over an area; both may be
// empty: an approver, wherever one acts.
func (h House) Token(t testing.TB, role string, area broadcast.ID) string {
	t.Helper()
	if role == "" {
		role = "officer"
	}
	text, err := people.AdminToken(context.Background(), h.Dir, people.TokenRequest{Role: role, Area: area}, h.Config)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
