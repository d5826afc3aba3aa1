package store

import (
	"context"
	"errors"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

func open(t *testing.T) *DB {
	t.Helper()
	db, err := Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestAnAreaNeverGoesBackToAnOlderRevision(t *testing.T) {
	db, ctx := open(t), context.Background()
	put := func(rev broadcast.Revision) error {
		return db.Update(ctx, func(tx Tx) error {
			sha, err := tx.PutDocument(ctx, Document{Kind: broadcast.KindPolicy, ID: "x", Revision: rev, Raw: []byte{byte(rev)}})
			if err != nil {
				return err
			}
			return tx.List(ctx, Listing{Area: "x", Kind: broadcast.KindPolicy, ID: "x", Revision: rev, SHA256: sha, Until: 100})
		})
	}
	for _, rev := range []broadcast.Revision{1, 3} {
		if err := put(rev); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(2); !errors.Is(err, ErrConflict) {
		t.Errorf("going back: %v", err)
	}
	got, err := db.Listings(ctx, []broadcast.ID{"x"}, 50)
	if err != nil || len(got) != 1 || got[0].Revision != 3 {
		t.Errorf("%v %v", got, err)
	}
	if got, err := db.Listings(ctx, []broadcast.ID{"x"}, 100); err != nil || len(got) != 0 {
		t.Errorf("past its end still listed: %v %v", got, err)
	}
	if _, err := db.Document(ctx, broadcast.Sum([]byte{2})); !errors.Is(err, ErrNotFound) {
		t.Errorf("the refused revision left a document: %v", err)
	}
	d, err := db.NewestDocument(ctx, broadcast.KindPolicy, "x")
	if err != nil || d.Revision != 3 {
		t.Errorf("%v %v", d, err)
	}
}

func TestSettingsAreReplacedAndUnknownOnesAreNotFound(t *testing.T) {
	db, ctx := open(t), context.Background()
	if _, err := db.Setting(ctx, "epoch"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	for _, v := range []string{"1", "2"} {
		if err := db.Update(ctx, func(tx Tx) error { return tx.Set(ctx, "epoch", v) }); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := db.Setting(ctx, "epoch"); err != nil || v != "2" {
		t.Errorf("%q %v", v, err)
	}
}
