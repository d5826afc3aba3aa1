package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func policies() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){"a policy's draft is changed only by who read it last": stalePolicy}
}

func stalePolicy(t *testing.T, db *store.DB) {
	ctx := context.Background()
	m := store.PolicyDraft{Area: "a", Author: "lan", Draft: "{}", Digest: broadcast.Sum(nil)}
	save := func(m store.PolicyDraft) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.SavePolicyDraft(ctx, m) }
	}
	update(t, db, save(m))
	refused(t, db, store.ErrConflict, save(m))
	first := need[store.PolicyDraft](t)(db.PolicyDraft(ctx, "a"))
	second := first
	first.Signer, first.Signed, first.Envelope = "binh", 5, "{}"
	update(t, db, save(first))
	refused(t, db, store.ErrConflict, save(second))
	if got := need[store.PolicyDraft](t)(db.PolicyDraft(ctx, "a")); got.Version != 2 || got.Signer != "binh" || got.Signed != 5 || got.Author != "lan" {
		t.Errorf("%+v", got)
	}
	update(t, db, save(store.PolicyDraft{Area: "c", Author: "lan"}))
	if got := need[[]store.PolicyDraft](t)(db.PolicyDrafts(ctx)); len(got) != 1 || got[0].Area != "a" {
		t.Errorf("what waits: %+v", got)
	}
	if _, err := db.PolicyDraft(ctx, "b"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}
