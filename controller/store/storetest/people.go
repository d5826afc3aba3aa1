package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func people() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a person is kept as given and never replaced": personKept,
		"the newest key of a person counts":            newestKey,
		"a revoked token forgets the key it wrapped":   revokedToken,
		"keys and tokens belong to somebody":           nobodysKey,
	}
}

func lan() store.Person {
	return store.Person{ID: "lan", Name: "Nguyễn Thị Lan", Role: "approver", Level: broadcast.District,
		Areas: []broadcast.ID{"bac-quang", "ha-giang"}, Created: 10}
}

func personKept(t *testing.T, db *store.DB) {
	ctx := context.Background()
	if _, err := db.Person(ctx, "lan"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	update(t, db, func(tx store.Tx) error { return tx.AddPerson(ctx, lan()) })
	other := lan()
	other.Role = "administrator"
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddPerson(ctx, other) })
	got := need[store.Person](t)(db.Person(ctx, "lan"))
	if got.Role != "approver" || got.Name != "Nguyễn Thị Lan" || got.Level != broadcast.District ||
		!slices.Equal(got.Areas, lan().Areas) || got.Left != 0 {
		t.Errorf("%+v", got)
	}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddPerson(ctx, store.Person{ID: "an", Areas: []broadcast.ID{}, Created: 5}), tx.EndPerson(ctx, "lan", 20))
	})
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.EndPerson(ctx, "nobody", 20) })
	all := need[[]store.Person](t)(db.Persons(ctx))
	if len(all) != 2 || all[0].ID != "an" || all[1].Left != 20 {
		t.Errorf("%+v", all)
	}
}

func newestKey(t *testing.T, db *store.DB) {
	ctx := context.Background()
	first := store.Key{ID: broadcast.Sum([]byte("1")), Person: "lan", Public: "p1", Wrapped: "w1", Created: 10}
	second := store.Key{ID: broadcast.Sum([]byte("2")), Person: "lan", Public: "p2", Wrapped: "w2", Created: 20}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddPerson(ctx, lan()), tx.AddKey(ctx, second), tx.AddKey(ctx, first))
	})
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddKey(ctx, first) })
	if got := need[store.Key](t)(db.KeyOf(ctx, "lan")); got.Public != "p2" || got.Wrapped != "w2" {
		t.Errorf("%+v", got)
	}
	if got := need[store.Key](t)(db.Key(ctx, first.ID)); got.Public != "p1" {
		t.Errorf("%+v", got)
	}
	if _, err := db.KeyOf(ctx, "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nobody's key: %v", err)
	}
}

func revokedToken(t *testing.T, db *store.DB) {
	ctx := context.Background()
	hash := func(s string) broadcast.Digest { return broadcast.Sum([]byte(s)) }
	update(t, db, func(tx store.Tx) error {
		err := tx.AddPerson(ctx, lan())
		for _, name := range []string{"a", "b", "c"} {
			err = errors.Join(err, tx.AddToken(ctx, store.Token{Hash: hash(name), Person: "lan", Label: name, Key: hash("k"), Wrapped: "w", Created: 1, Expires: 100}))
		}
		return errors.Join(err, tx.RevokeToken(ctx, hash("a"), 50))
	})
	got := need[store.Token](t)(db.Token(ctx, hash("a")))
	if got.Revoked != 50 || got.Wrapped != "" || got.Expires != 100 || got.Key != hash("k") {
		t.Errorf("revoked: %+v", got)
	}
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.RevokeToken(ctx, hash("a"), 60) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddToken(ctx, store.Token{Hash: hash("b"), Person: "lan"}) })
	update(t, db, func(tx store.Tx) error { return tx.RevokeTokens(ctx, "lan", 70) })
	for _, k := range need[[]store.Token](t)(db.Tokens(ctx, "lan")) {
		if want := map[string]broadcast.Instant{"a": 50, "b": 70, "c": 70}[k.Label]; k.Revoked != want || k.Wrapped != "" {
			t.Errorf("%+v", k)
		}
	}
	if _, err := db.Token(ctx, hash("d")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown token: %v", err)
	}
}

func nobodysKey(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for name, add := range map[string]func(store.Tx) error{
		"key": func(tx store.Tx) error { return tx.AddKey(ctx, store.Key{ID: broadcast.Sum(nil), Person: "nobody"}) },
		"token": func(tx store.Tx) error {
			return tx.AddToken(ctx, store.Token{Hash: broadcast.Sum(nil), Person: "nobody"})
		},
	} {
		if err := db.Update(ctx, add); err == nil {
			t.Errorf("a %s of nobody was kept", name)
		}
	}
}
