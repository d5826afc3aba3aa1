package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func documents() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"an object is kept once under its digest":       oneObjectOnce,
		"an area never goes back to an older revision":  noOlderRevision,
		"what failed halfway leaves nothing":            wholeOrAbsent,
		"a listing ends at its moment":                  listingEnds,
		"settings are replaced, unknown ones not found": settings,
	}
}

// list puts a document and lists it in an area.
func list(ctx context.Context, tx store.Tx, area broadcast.ID, rev broadcast.Revision, raw string, until broadcast.Instant) error {
	sha, err := tx.PutDocument(ctx, store.Document{Kind: broadcast.KindPolicy, ID: area, Revision: rev, Raw: []byte(raw)})
	if err != nil {
		return err
	}
	return tx.List(ctx, store.Listing{Area: area, Kind: broadcast.KindPolicy, ID: area, Revision: rev, SHA256: sha, Until: until})
}

func oneObjectOnce(t *testing.T, db *store.DB) {
	ctx := context.Background()
	doc := store.Document{Kind: store.Blob, ID: "x", Revision: 1, Raw: []byte("one")}
	update(t, db, func(tx store.Tx) error {
		for range 2 {
			if _, err := tx.PutDocument(ctx, doc); err != nil {
				return err
			}
		}
		return nil
	})
	got := need[store.Document](t)(db.Document(ctx, broadcast.Sum(doc.Raw)))
	if string(got.Raw) != "one" || got.Kind != store.Blob {
		t.Errorf("%+v", got)
	}
	if _, err := db.Document(ctx, broadcast.Sum([]byte("two"))); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown object: %v", err)
	}
	several := need[map[broadcast.Digest]store.Document](t)(db.DocumentsNamed(ctx, []broadcast.Digest{broadcast.Sum([]byte("two")), broadcast.Sum(doc.Raw)}))
	if len(several) != 1 || string(several[broadcast.Sum(doc.Raw)].Raw) != "one" {
		t.Errorf("of two, one of them unknown: %+v", several)
	}
	if none := need[map[broadcast.Digest]store.Document](t)(db.DocumentsNamed(ctx, nil)); len(none) != 0 {
		t.Errorf("of none: %+v", none)
	}
}

func noOlderRevision(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error { return list(ctx, tx, "a", 3, "three", 100) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return list(ctx, tx, "a", 2, "two", 100) })
	if _, err := db.Document(ctx, broadcast.Sum([]byte("two"))); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the refused revision left its document: %v", err)
	}
	if got := need[store.Document](t)(db.NewestDocument(ctx, broadcast.KindPolicy, "a")); got.Revision != 3 {
		t.Errorf("newest is %d", got.Revision)
	}
	update(t, db, func(tx store.Tx) error {
		d, err := tx.Listed(ctx, "a", broadcast.KindPolicy, "a")
		if err != nil || string(d.Raw) != "three" {
			t.Errorf("listed: %q %v", d.Raw, err)
		}
		if _, err := tx.Listed(ctx, "b", broadcast.KindPolicy, "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("listed nowhere: %v", err)
		}
		return nil
	})
}

func wholeOrAbsent(t *testing.T, db *store.DB) {
	ctx, broken := context.Background(), errors.New("broken off")
	refused(t, db, broken, func(tx store.Tx) error {
		if err := list(ctx, tx, "a", 1, "one", 100); err != nil {
			return err
		}
		return broken
	})
	if got := need[[]store.Listing](t)(db.Listings(ctx, []broadcast.ID{"a"}, 1)); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func listingEnds(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		return errors.Join(list(ctx, tx, "b", 1, "of b", 200), list(ctx, tx, "a", 1, "of a", 100))
	})
	for at, want := range map[broadcast.Instant]int{99: 2, 100: 1, 200: 0} {
		if got := need[[]store.Listing](t)(db.Listings(ctx, []broadcast.ID{"a", "b"}, at)); len(got) != want {
			t.Errorf("at %d: %d listings, want %d", at, len(got), want)
		}
	}
	all := need[[]store.Listing](t)(db.ListingsOf(ctx, broadcast.KindPolicy, 99))
	if len(all) != 2 || all[0].Area != "a" {
		t.Errorf("of all areas: %v", all)
	}
	update(t, db, func(tx store.Tx) error { return tx.Unlist(ctx, broadcast.KindPolicy, "b") })
	if got := need[[]store.Listing](t)(db.ListingsOf(ctx, broadcast.KindPolicy, 99)); len(got) != 1 {
		t.Errorf("after taking b's out: %v", got)
	}
}

func settings(t *testing.T, db *store.DB) {
	ctx := context.Background()
	if _, err := db.Setting(ctx, "epoch"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	for _, v := range []string{"1", "2"} {
		update(t, db, func(tx store.Tx) error { return tx.Set(ctx, "epoch", v) })
	}
	if v := need[string](t)(db.Setting(ctx, "epoch")); v != "2" {
		t.Errorf("%q", v)
	}
}
