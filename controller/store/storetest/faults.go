package storetest

import (
	"context"
	"fmt"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func faults() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"faults are found by node, code and whether they are open": faultsFound,
		"a fault is cleared in its place":                          faultCleared,
		"faults come in pages, the newest first":                   faultsPaged,
		"old faults are forgotten, open ones never":                faultsPruned,
	}
}

// ofNodes makes a fault in turn for each node, of which every second is cleared.
func ofNodes(n int, nodes ...broadcast.ID) []store.Fault {
	var out []store.Fault
	for i := range n {
		f := store.Fault{ID: broadcast.ID(fmt.Sprintf("f%04d", i)), Node: nodes[i%len(nodes)], Code: broadcast.FaultMains,
			Part: "p", Cause: "c", Since: broadcast.Instant(i + 1), Shown: broadcast.Instant(i + 2)}
		if i%2 == 1 {
			f.Cleared = broadcast.Instant(100 + i)
		}
		out = append(out, f)
	}
	return out
}

func faultsFound(t *testing.T, db *store.DB) {
	ctx := context.Background()
	list := ofNodes(4, "n1", "n2", "")
	list[3].Code = broadcast.FaultDrift
	update(t, db, func(tx store.Tx) error { return tx.SaveFaults(ctx, list) })
	for _, c := range []struct {
		query store.FaultQuery
		want  []store.Fault
	}{
		{store.FaultQuery{Limit: 9}, []store.Fault{list[3], list[2], list[1], list[0]}},
		{store.FaultQuery{Open: true, Limit: 9}, []store.Fault{list[2], list[0]}},
		{store.FaultQuery{Nodes: []broadcast.ID{"n1"}, Limit: 9}, []store.Fault{list[3], list[0]}},
		{store.FaultQuery{Nodes: []broadcast.ID{"n1"}, Open: true, Limit: 9}, []store.Fault{list[0]}},
		{store.FaultQuery{Nodes: []broadcast.ID{""}, Limit: 9}, []store.Fault{list[2]}},
		{store.FaultQuery{Code: broadcast.FaultDrift, Limit: 9}, []store.Fault{list[3]}},
		{store.FaultQuery{Nodes: []broadcast.ID{}, Limit: 9}, nil},
	} {
		same(t, need[[]store.Fault](t)(db.Faults(ctx, c.query)), c.want)
	}
}

func faultCleared(t *testing.T, db *store.DB) {
	ctx := context.Background()
	f := ofNodes(1, "n1")[0]
	update(t, db, func(tx store.Tx) error { return tx.SaveFaults(ctx, []store.Fault{f}) })
	f.LastKnown = true
	update(t, db, func(tx store.Tx) error { return tx.SaveFaults(ctx, []store.Fault{f}) })
	same(t, need[[]store.Fault](t)(db.Faults(ctx, store.FaultQuery{Open: true, Limit: 9})), []store.Fault{f})
	f.Cleared = 50
	update(t, db, func(tx store.Tx) error { return tx.SaveFaults(ctx, []store.Fault{f}) })
	same(t, need[[]store.Fault](t)(db.Faults(ctx, store.FaultQuery{Open: true, Limit: 9})), nil)
	same(t, need[[]store.Fault](t)(db.Faults(ctx, store.FaultQuery{Limit: 9})), []store.Fault{f})
}

func faultsPaged(t *testing.T, db *store.DB) {
	ctx := context.Background()
	list := ofNodes(1100, "n1", "n2")
	update(t, db, func(tx store.Tx) error { return tx.SaveFaults(ctx, list) })
	var seen []store.Fault
	q := store.FaultQuery{Limit: 400}
	for range 3 {
		page := need[[]store.Fault](t)(db.Faults(ctx, q))
		seen = append(seen, page...)
		q.Before = page[len(page)-1].ID
	}
	if len(seen) != len(list) || seen[0].ID != "f1099" || seen[1099].ID != "f0000" {
		t.Errorf("%d of %d", len(seen), len(list))
	}
}

func faultsPruned(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		if err := tx.SaveFaults(ctx, ofNodes(40, "n1", "n1", "n2", "n2")); err != nil {
			return err
		}
		return tx.PruneFaults(ctx, 120, 3)
	})
	have := map[broadcast.ID]int{}
	open := 0
	for _, f := range need[[]store.Fault](t)(db.Faults(ctx, store.FaultQuery{Limit: 99})) {
		if f.Cleared == 0 {
			open++
			continue
		}
		if have[f.Node]++; f.Cleared < 120 {
			t.Errorf("%s was cleared long ago", f.ID)
		}
	}
	if open != 20 || have["n1"] != 3 || have["n2"] != 3 {
		t.Errorf("%d open, %v cleared", open, have)
	}
}
