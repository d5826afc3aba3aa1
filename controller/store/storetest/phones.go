package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/loaxa/loaxa/controller/store"
)

func phones() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a code enrols one phone, in time":                onePhone,
		"guesses at a PIN are counted before they matter": countedPINs,
		"a revoked phone takes PINs and sessions along":   revokedPhone,
	}
}

// shared is a phone that is not enrolled yet.
func shared(id, code string) store.Phone {
	return store.Phone{ID: "p-" + lan().ID, Name: id, Area: "tan-lap", Code: sum(code), Created: 1, Expires: 100}
}

func onePhone(t *testing.T, db *store.DB) {
	ctx := context.Background()
	p := shared("trực", "code")
	update(t, db, func(tx store.Tx) error { return tx.AddPhone(ctx, p) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddPhone(ctx, p) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.EnrolPhone(ctx, sum("code"), sum("s"), 100) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.EnrolPhone(ctx, sum("other"), sum("s"), 50) })
	if _, err := db.PhoneOf(ctx, ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a phone without a secret: %v", err)
	}
	update(t, db, func(tx store.Tx) error { return tx.EnrolPhone(ctx, sum("code"), sum("s"), 50) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.EnrolPhone(ctx, sum("code"), sum("t"), 51) })
	if got := need[store.Phone](t)(db.PhoneOf(ctx, sum("s"))); got.ID != p.ID || got.Enrolled != 50 {
		t.Errorf("%+v", got)
	}
	if got := need[store.Phone](t)(db.PhoneByCode(ctx, sum("code"))); got.ID != p.ID {
		t.Errorf("%+v", got)
	}
	if got := need[[]store.Phone](t)(db.Phones(ctx)); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func countedPINs(t *testing.T, db *store.DB) {
	ctx := context.Background()
	p := shared("trực", "code")
	row := store.PIN{Phone: p.ID, Person: "lan", Key: sum("k"), Wrapped: "one", Created: 1}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddPerson(ctx, lan()), tx.AddPhone(ctx, p), tx.SetPIN(ctx, row))
	})
	try := func(tx store.Tx) error { _, err := tx.TryPIN(ctx, p.ID, "lan", 2); return err }
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { _, err := tx.TryPIN(ctx, p.ID, "an", 2); return err })
	update(t, db, try)
	update(t, db, func(tx store.Tx) error { return tx.RightPIN(ctx, row) })
	update(t, db, try)
	update(t, db, try)
	refused(t, db, store.ErrConflict, try)
	old := row
	row.Wrapped = "two"
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.SetPIN(ctx, row), try(tx), tx.RightPIN(ctx, old), try(tx))
	})
	refused(t, db, store.ErrConflict, try) // a right guess at an older PIN forgets nothing
	update(t, db, func(tx store.Tx) error { return tx.DropPINs(ctx, "lan") })
	if left := need[[]store.PIN](t)(db.PINsOn(ctx, p.ID)); len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

func revokedPhone(t *testing.T, db *store.DB) {
	ctx := context.Background()
	p := shared("trực", "code")
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddPerson(ctx, lan()), tx.AddPhone(ctx, p), tx.SetPIN(ctx, store.PIN{Phone: p.ID, Person: "lan", Key: sum("k")}),
			tx.AddSession(ctx, store.Session{Hash: sum("here"), Person: "lan", Phone: p.ID, Expires: 100}),
			tx.AddSession(ctx, store.Session{Hash: sum("elsewhere"), Person: "lan", Expires: 100}), tx.RevokePhone(ctx, p.ID, 50))
	})
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.RevokePhone(ctx, p.ID, 60) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.EnrolPhone(ctx, sum("code"), sum("s"), 60) })
	going := need[[]store.Session](t)(db.Sessions(ctx, "lan", 60))
	if len(going) != 1 || going[0].Hash != sum("elsewhere") {
		t.Errorf("%+v", going)
	}
	if left := need[[]store.PIN](t)(db.PINsOn(ctx, p.ID)); len(left) != 0 {
		t.Errorf("%+v", left)
	}
	if got := need[store.Phone](t)(db.Phone(ctx, p.ID)); got.Revoked != 50 {
		t.Errorf("%+v", got)
	}
}
