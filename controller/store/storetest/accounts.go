package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func accounts() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a passkey is its owner's until it is dropped":     ownPasskeys,
		"the last password counts":                         lastPassword,
		"a code is used once, and a newer one replaces it": oneCode,
		"only the newest browsers are known":               newestBrowsers,
		"sessions end one by one and all but one":          endedSessions,
		"a key is wrapped anew only as it was read":        rewrappedKey,
		"accounts belong to somebody":                      nobodysAccount,
	}
}

func sum(s string) broadcast.Digest { return broadcast.Sum([]byte(s)) }

func lastPassword(t *testing.T, db *store.DB) {
	ctx := context.Background()
	if _, err := db.Password(ctx, "lan"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddPerson(ctx, lan()), tx.SetPassword(ctx, store.Password{Person: "lan", Hash: "one", Changed: 1}),
			tx.SetPassword(ctx, store.Password{Person: "lan", Hash: "two", Changed: 2}))
	})
	if got := need[store.Password](t)(db.Password(ctx, "lan")); got.Hash != "two" || got.Changed != 2 {
		t.Errorf("%+v", got)
	}
}

func oneCode(t *testing.T, db *store.DB) {
	ctx := context.Background()
	code := func(s string, at broadcast.Instant) store.Code {
		return store.Code{Hash: sum(s), Person: "lan", Issuer: "an", Created: at, Expires: at + 100}
	}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddPerson(ctx, lan()), tx.AddCode(ctx, code("a", 10)), tx.AddCode(ctx, code("b", 20)))
	})
	if got := need[store.Code](t)(db.Code(ctx, sum("a"))); got.Used != 20 || got.Issuer != "an" || got.Expires != 110 {
		t.Errorf("the earlier one: %+v", got)
	}
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.UseCode(ctx, sum("a"), 30) })
	update(t, db, func(tx store.Tx) error { return tx.UseCode(ctx, sum("b"), 30) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.UseCode(ctx, sum("b"), 40) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.UseCode(ctx, sum("c"), 40) })
	if got := need[store.Code](t)(db.Code(ctx, sum("b"))); got.Used != 30 {
		t.Errorf("%+v", got)
	}
	if _, err := db.Code(ctx, sum("c")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown one: %v", err)
	}
}

func newestBrowsers(t *testing.T, db *store.DB) {
	ctx := context.Background()
	other := lan()
	other.ID = "an"
	update(t, db, func(tx store.Tx) error {
		err := errors.Join(tx.AddPerson(ctx, lan()), tx.AddPerson(ctx, other), tx.MeetBrowser(ctx, store.Browser{Hash: sum("x"), Person: "an", Seen: 1}, 2))
		for i, name := range []string{"a", "b", "c", "b"} {
			err = errors.Join(err, tx.MeetBrowser(ctx, store.Browser{Hash: sum(name), Person: "lan", Seen: broadcast.Instant(10 + i)}, 2))
		}
		return err
	})
	for name, want := range map[string]broadcast.Instant{"a": 0, "b": 13, "c": 12, "x": 1} {
		if got, err := db.Browser(ctx, sum(name)); got.Seen != want || (want == 0) != errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.ForgetBrowser(ctx, sum("b")), tx.ForgetBrowser(ctx, sum("b")))
	})
	if _, err := db.Browser(ctx, sum("b")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a forgotten one: %v", err)
	}
}

func endedSessions(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		err := tx.AddPerson(ctx, lan())
		for i, name := range []string{"a", "b", "c", "d"} {
			s := store.Session{Hash: sum(name), Person: "lan", Browser: sum("at " + name), Device: "Firefox", Address: "10.0.0.1", Created: broadcast.Instant(i), Expires: 100}
			err = errors.Join(err, tx.AddSession(ctx, s), tx.MeetBrowser(ctx, store.Browser{Hash: s.Browser, Person: "lan"}, 9))
		}
		return errors.Join(err, tx.SeeSession(ctx, sum("c"), 50, "10.0.0.2"), tx.EndSession(ctx, sum("a"), 60))
	})
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddSession(ctx, store.Session{Hash: sum("a"), Person: "lan"}) })
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.EndSession(ctx, sum("a"), 70) })
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.SeeSession(ctx, sum("a"), 70, "") })
	going := func(at broadcast.Instant) string {
		text := ""
		for _, s := range need[[]store.Session](t)(db.Sessions(ctx, "lan", at)) {
			text += fmt.Sprint(int64(s.Created), "@", int64(s.Seen), " ")
		}
		return text
	}
	if got := going(99); got != "3@0 2@50 1@0 " {
		t.Errorf("going on: %s", got)
	}
	if got := going(100); got != "" {
		t.Errorf("expired: %s", got)
	}
	update(t, db, func(tx store.Tx) error { return tx.EndSessions(ctx, "lan", sum("c"), 80) })
	if got := going(99); got != "2@50 " {
		t.Errorf("all but one: %s", got)
	}
	if got := need[store.Session](t)(db.Session(ctx, sum("b"))); got.Ended != 80 || got.Device != "Firefox" {
		t.Errorf("%+v", got)
	}
	if _, err := db.Browser(ctx, sum("at c")); err != nil {
		t.Error(err)
	}
	if _, err := db.Browser(ctx, sum("at b")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the browser of an ended session: %v", err)
	}
}

func ownPasskeys(t *testing.T, db *store.DB) {
	ctx := context.Background()
	one := store.Passkey{ID: "a", Person: "lan", Name: "điện thoại", Record: "{}", Created: 1}
	two := store.Passkey{ID: "b", Person: "lan", Name: "máy tính", Record: "{}", Created: 2}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddPerson(ctx, lan()), tx.AddPasskey(ctx, two), tx.AddPasskey(ctx, one), tx.UsePasskey(ctx, one, "{1}", 5),
			tx.NamePasskey(ctx, "lan", "b", "máy ở nhà"))
	})
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddPasskey(ctx, one) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.UsePasskey(ctx, one, "{2}", 6) })
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.NamePasskey(ctx, "an", "a", "của tôi") })
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.DropPasskey(ctx, "an", "a") })
	all := need[[]store.Passkey](t)(db.Passkeys(ctx, "lan"))
	if len(all) != 2 || all[0].Record != "{1}" || all[0].Used != 5 || all[1].Name != "máy ở nhà" {
		t.Errorf("%+v", all)
	}
	update(t, db, func(tx store.Tx) error { return tx.DropPasskey(ctx, "lan", "a") })
	if _, err := db.Passkey(ctx, "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a dropped one: %v", err)
	}
	update(t, db, func(tx store.Tx) error { return tx.DropPasskeys(ctx, "lan") })
	if left := need[[]store.Passkey](t)(db.Passkeys(ctx, "lan")); len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

func rewrappedKey(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddPerson(ctx, lan()), tx.AddKey(ctx, store.Key{ID: sum("k"), Person: "lan", Public: "p", Wrapped: "one"}),
			tx.Rewrap(ctx, sum("k"), "one", "two"))
	})
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.Rewrap(ctx, sum("k"), "one", "three") })
	if got := need[store.Key](t)(db.Key(ctx, sum("k"))); got.Wrapped != "two" {
		t.Errorf("%+v", got)
	}
}

func nobodysAccount(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for name, add := range map[string]func(store.Tx) error{
		"password": func(tx store.Tx) error { return tx.SetPassword(ctx, store.Password{Person: "nobody"}) },
		"code":     func(tx store.Tx) error { return tx.AddCode(ctx, store.Code{Hash: sum(""), Person: "nobody"}) },
		"session":  func(tx store.Tx) error { return tx.AddSession(ctx, store.Session{Hash: sum(""), Person: "nobody"}) },
	} {
		if err := db.Update(ctx, add); err == nil {
			t.Errorf("a %s of nobody was kept", name)
		}
	}
}
