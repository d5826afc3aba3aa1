// Package storetest is what every database behind package store must do, in
// cases that a test runs against each of them.
//
// It promises that two databases which pass it cannot be told apart by the rest
// of the controller: what is kept, what is refused with which error, and in
// which order lists come. Every group of tables adds its cases in a file of its
// own and its name to Run. Cases share no database.
package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/loaxa/loaxa/controller/store"
)

// Run runs every case, each against a fresh database that open returns.
func Run(t *testing.T, open func(t *testing.T) *store.DB) {
	t.Helper()
	groups := []map[string]func(*testing.T, *store.DB){
		documents(),
		people(),
		accounts(),
		phones(),
		audit(),
		desk(),
		fleet(),
		receipts(),
		faults(),
		notify(),
		speech(),
		templates(),
		diary(),
		policies(),
		recordings(),
		calendar(),
		restoration(),
		programmes(),
		feedback(),
		organisation(),
	}
	for _, group := range groups {
		for name, run := range group {
			t.Run(name, func(t *testing.T) { run(t, open(t)) })
		}
	}
}

// update runs one transaction that must succeed.
func update(t *testing.T, db *store.DB, f func(store.Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// refused runs one transaction that must fail with an error.
func refused(t *testing.T, db *store.DB, want error, f func(store.Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), f); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// need fails the test on an error and returns the value otherwise.
func need[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
