package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func fleet() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a node is kept as given and never added twice":           nodeKept,
		"nodes are counted in every status":                       nodesCounted,
		"the last hints of a node replace those before":           hintsReplaced,
		"hints belong to a node":                                  nobodysHints,
		"only the revisions before one are forgotten":             oldDocumentsForgotten,
		"a listed document cannot be forgotten":                   listedDocumentStays,
		"areas are listed in one order, and none by mistake":      listingsOrdered,
		"a transaction sees what it wrote, others only afterward": writesSeenAfterwards,
	}
}

// same fails the test unless two rows are alike.
func same[T any](t *testing.T, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreTypes(struct{}{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("not as it was written:\n%s", diff)
	}
}

func tanLap(id broadcast.ID) store.Node {
	return store.Node{ID: id, Area: "tan-lap", Status: store.Confirmed, TokenHash: broadcast.Sum([]byte("t")), TokenUntil: 99,
		Key: "key-of-it", SecretHash: broadcast.Sum([]byte("s")), Board: "simulated", Enrolled: 10, Confirmed: 20, ConfirmedBy: "ky-thuat",
		Assignment: broadcast.Sum([]byte("a"))}
}

func nodeKept(t *testing.T, db *store.DB) {
	ctx := context.Background()
	if _, err := db.Node(ctx, "n1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.SaveNode(ctx, tanLap("n1")) })
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddNode(ctx, tanLap("n2")), tx.AddNode(ctx, tanLap("n1")))
	})
	other := tanLap("n1")
	other.Key = "another"
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddNode(ctx, other) })
	same(t, need[store.Node](t)(db.Node(ctx, "n1")), tanLap("n1"))
	revoked := store.Node{ID: "n1", Area: "xa-tan-quang", Status: store.Revoked}
	update(t, db, func(tx store.Tx) error { return tx.SaveNode(ctx, revoked) })
	all := need[[]store.Node](t)(db.Nodes(ctx))
	if len(all) != 2 {
		t.Fatalf("%d nodes", len(all))
	}
	same(t, all[0], revoked)
	same(t, all[1], tanLap("n2"))
}

func nodesCounted(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for i, status := range []store.NodeStatus{store.Invited, store.Pending, store.Confirmed, store.Revoked} {
		update(t, db, func(tx store.Tx) error {
			if n, err := tx.CountNodes(ctx); err != nil || n != int64(i) {
				t.Errorf("%d of %d: %v", n, i, err)
			}
			return tx.AddNode(ctx, store.Node{ID: broadcast.ID(fmt.Sprint("n", i)), Area: "tan-lap", Status: status})
		})
	}
}

func hintsReplaced(t *testing.T, db *store.DB) {
	ctx := context.Background()
	first := store.Hints{Node: "n1", Connection: "c1", Present: true, PresenceAt: 1, State: "{}", StateAt: 2, Health: "{}", HealthAt: 3}
	second := store.Hints{Node: "n1", Connection: "c2", PresenceAt: 11, State: `{"a":1}`, StateAt: 12, Health: "", HealthAt: 0, AuditLength: 7, AuditHead: broadcast.Sum(nil)}
	other := store.Hints{Node: "n2", Connection: "c3", Present: true}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddNode(ctx, tanLap("n1")), tx.AddNode(ctx, tanLap("n2")), tx.SaveHints(ctx, nil), tx.SaveHints(ctx, []store.Hints{first}))
	})
	got := need[map[broadcast.ID]store.Hints](t)(db.Hints(ctx))
	if len(got) != 1 {
		t.Errorf("%d nodes gave hints", len(got))
	}
	same(t, got["n1"], first)
	update(t, db, func(tx store.Tx) error { return tx.SaveHints(ctx, []store.Hints{second, other}) })
	got = need[map[broadcast.ID]store.Hints](t)(db.Hints(ctx))
	same(t, got["n1"], second)
	same(t, got["n2"], other)
}

func nobodysHints(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error { return tx.AddNode(ctx, tanLap("n1")) })
	err := db.Update(ctx, func(tx store.Tx) error {
		return tx.SaveHints(ctx, []store.Hints{{Node: "n1", Present: true}, {Node: "nobody"}})
	})
	if err == nil {
		t.Error("hints of nobody were kept")
	}
	if got := need[map[broadcast.ID]store.Hints](t)(db.Hints(ctx)); len(got) != 0 {
		t.Errorf("half of them were kept: %v", got)
	}
}

// manifests puts revisions 1 to n of a document and returns their digests.
func manifests(t *testing.T, db *store.DB, id broadcast.ID, n int) []broadcast.Digest {
	t.Helper()
	ctx := context.Background()
	var out []broadcast.Digest
	update(t, db, func(tx store.Tx) error {
		for i := range n {
			sha, err := tx.PutDocument(ctx, store.Document{Kind: broadcast.KindManifest, ID: id, Revision: broadcast.Revision(i + 1), Raw: fmt.Append(nil, id, i)})
			if err != nil {
				return err
			}
			out = append(out, sha)
		}
		return nil
	})
	return out
}

func oldDocumentsForgotten(t *testing.T, db *store.DB) {
	ctx := context.Background()
	mine, others := manifests(t, db, "a", 4), manifests(t, db, "b", 2)
	update(t, db, func(tx store.Tx) error { return tx.DropDocuments(ctx, broadcast.KindManifest, "a", 3) })
	for i, sha := range append(mine, others...) {
		_, err := db.Document(ctx, sha)
		if gone := errors.Is(err, store.ErrNotFound); gone != (i < 2) {
			t.Errorf("document %d: %v", i, err)
		}
	}
	if got := need[store.Document](t)(db.NewestDocument(ctx, broadcast.KindManifest, "a")); got.Revision != 4 {
		t.Errorf("newest is %d", got.Revision)
	}
}

func listedDocumentStays(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error { return list(ctx, tx, "a", 1, "one", 100) })
	if err := db.Update(ctx, func(tx store.Tx) error { return tx.DropDocuments(ctx, broadcast.KindPolicy, "a", 9) }); err == nil {
		t.Error("an area lists a document that is gone")
	}
	if got := need[store.Document](t)(db.Document(ctx, broadcast.Sum([]byte("one")))); string(got.Raw) != "one" {
		t.Errorf("%q", got.Raw)
	}
}

func listingsOrdered(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		return errors.Join(list(ctx, tx, "c", 1, "of c", 300), list(ctx, tx, "a", 1, "of a", 100), list(ctx, tx, "b", 1, "of b", 200))
	})
	for at, want := range map[broadcast.Instant]string{0: "abc", 100: "bc", 200: "c", 300: ""} {
		got := ""
		for _, l := range need[[]store.Listing](t)(db.AllListings(ctx, at)) {
			got += string(l.Area)
		}
		if got != want {
			t.Errorf("at %d: %q, want %q", at, got, want)
		}
	}
	for _, none := range [][]broadcast.ID{nil, {}, {"d"}} {
		if got := need[[]store.Listing](t)(db.Listings(ctx, none, 0)); len(got) != 0 {
			t.Errorf("of %v: %v", none, got)
		}
	}
	update(t, db, func(tx store.Tx) error {
		gone, err := tx.DropListings(ctx, 200)
		if gone != 1 {
			t.Errorf("%d are gone, want the one that ended before", gone)
		}
		return err
	})
	if left := need[[]store.Listing](t)(db.AllListings(ctx, 0)); len(left) != 2 || left[0].Area != "b" {
		t.Errorf("left are %v", left)
	}
}

func writesSeenAfterwards(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		if err := tx.AddNode(ctx, tanLap("n1")); err != nil {
			return err
		}
		if _, err := tx.Node(ctx, "n1"); err != nil {
			t.Errorf("inside: %v", err)
		}
		if _, err := db.Node(ctx, "n1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("outside, before the end: %v", err)
		}
		return nil
	})
	need[store.Node](t)(db.Node(ctx, "n1"))
}
