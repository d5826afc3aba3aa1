package storetest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func restoration() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a restored database gives up what people held in their hands": restored,
		"a snapshot is whole and of one moment":                        snapshot,
	}
}

func restored(t *testing.T, db *store.DB) {
	ctx := context.Background()
	if _, err := db.Restoration(ctx); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.AcceptRestoration(ctx) })
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddPerson(ctx, lan()),
			tx.AddToken(ctx, store.Token{Hash: sum("token"), Person: "lan", Expires: 1000}),
			tx.AddSession(ctx, store.Session{Hash: sum("session"), Person: "lan", Expires: 1000}),
			tx.AddPhone(ctx, store.Phone{ID: "p1", Name: "Trực ban", Area: "tan-lap", Code: sum("phone"), Expires: 1000}),
			tx.AddCode(ctx, store.Code{Hash: sum("code"), Person: "lan", Expires: 1000}),
			tx.MeetBrowser(ctx, store.Browser{Hash: sum("browser"), Person: "lan"}, 3),
			tx.AddNode(ctx, store.Node{ID: "n1", Area: "tan-lap", Status: store.Invited, TokenHash: sum("invitation"), TokenUntil: 1000}),
			tx.SaveHints(ctx, []store.Hints{{Node: "n1", Present: true, PresenceAt: 5, StateAt: 5, HealthAt: 5, AuditLength: 7, AuditHead: sum("head")}}))
	})
	update(t, db, func(tx store.Tx) error { return tx.Restored(ctx, store.Restoration{Made: 10, At: 20}) })
	if got := need[store.Restoration](t)(db.Restoration(ctx)); got.Made != 10 || got.At != 20 {
		t.Errorf("%+v", got)
	}
	if got := need[store.Token](t)(db.Token(ctx, sum("token"))); got.Revoked != 20 {
		t.Errorf("token %+v", got)
	}
	if got := need[store.Session](t)(db.Session(ctx, sum("session"))); got.Ended != 20 {
		t.Errorf("session %+v", got)
	}
	if got := need[store.Code](t)(db.Code(ctx, sum("code"))); got.Used != 20 {
		t.Errorf("code %+v", got)
	}
	if got := need[store.Phone](t)(db.Phone(ctx, "p1")); got.Revoked != 20 {
		t.Errorf("phone %+v", got)
	}
	if _, err := db.Browser(ctx, sum("browser")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("browser: %v", err)
	}
	if got := need[store.Node](t)(db.Node(ctx, "n1")); got.TokenUntil != 0 {
		t.Errorf("node %+v", got)
	}
	h := need[map[broadcast.ID]store.Hints](t)(db.Hints(ctx))["n1"]
	if h.Present || h.StateAt != 0 || h.PresenceAt != 0 || h.HealthAt != 0 || h.AuditLength != 7 {
		t.Errorf("a node counts as heard, or forgot how long the log was: %+v", h)
	}
	update(t, db, func(tx store.Tx) error { return tx.AcceptRestoration(ctx) })
	if _, err := db.Restoration(ctx); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after it was accepted: %v", err)
	}
}

func snapshot(t *testing.T, db *store.DB) {
	ctx := context.Background()
	set := func(v string) { update(t, db, func(tx store.Tx) error { return tx.Set(ctx, "v", v) }) }
	set("one")
	update(t, db, func(tx store.Tx) error {
		return tx.AddContent(ctx, store.Content{SHA256: sum("a"), Bytes: 1})
	})
	dir := t.TempDir()
	if err := db.Snapshot(ctx, filepath.Join(dir, "loaxa.db")); err != nil {
		t.Fatal(err)
	}
	set("two")
	if err := db.Snapshot(ctx, filepath.Join(dir, "loaxa.db")); err == nil {
		t.Error("a snapshot was written over another")
	}
	copied := need[*store.DB](t)(store.OpenBeside(ctx, dir))
	defer func() { _ = copied.Close() }()
	if got := need[string](t)(copied.Setting(ctx, "v")); got != "one" {
		t.Errorf("%q", got)
	}
	if err := copied.Check(ctx); err != nil {
		t.Error(err)
	}
	if got := need[[]broadcast.Digest](t)(copied.ContentNames(ctx)); len(got) != 1 || got[0] != sum("a") {
		t.Errorf("%v", got)
	}
}
