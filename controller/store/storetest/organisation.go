package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func organisation() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"what was said of an area and a day is never said otherwise": factsStay,
		"a plan that has begun is not forgotten":                     plansThatBegan,
	}
}

func factsStay(t *testing.T, db *store.DB) {
	ctx := context.Background()
	add := func(facts ...store.AreaFact) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.AddAreaFacts(ctx, facts) }
	}
	update(t, db, add(store.AreaFact{Area: "b", Place: 1, Fact: "{1}"}, store.AreaFact{Area: "a", Place: 2, Fact: "{2}"}))
	update(t, db, add(store.AreaFact{Area: "b", Place: 1, From: 9, Fact: "{3}", Plan: broadcast.Sum(nil)}))
	refused(t, db, store.ErrConflict, add(store.AreaFact{Area: "b", Place: 1, From: 9, Fact: "{4}"}))
	var got []string
	for _, f := range need[[]store.AreaFact](t)(db.AreaFacts(ctx)) {
		got = append(got, string(f.Area)+f.Fact)
	}
	if want := []string{"b{1}", "b{3}", "a{2}"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func plansThatBegan(t *testing.T, db *store.DB) {
	ctx := context.Background()
	p := store.AreaPlan{Digest: broadcast.Sum([]byte("p")), At: 100, Person: "lan", Applied: 5, Plan: "{}"}
	add := func(tx store.Tx) error { return tx.AddAreaPlan(ctx, p) }
	drop := func(now broadcast.Instant) func(store.Tx) error {
		return func(tx store.Tx) error { return tx.DropAreaPlan(ctx, p.Digest, now) }
	}
	update(t, db, add)
	refused(t, db, store.ErrConflict, add)
	update(t, db, func(tx store.Tx) error {
		return tx.AddAreaFacts(ctx, []store.AreaFact{{Area: "a", Place: 1, Fact: "{1}"}, {Area: "a", Place: 1, From: 100, Fact: "{2}", Plan: p.Digest}})
	})
	refused(t, db, store.ErrNotFound, drop(100))
	if got := need[[]store.AreaFact](t)(db.AreaFacts(ctx)); len(got) != 2 {
		t.Errorf("a plan that had begun took %v away", got)
	}
	if got := need[[]store.AreaPlan](t)(db.AreaPlans(ctx)); len(got) != 1 || got[0].Person != "lan" || got[0].Applied != 5 {
		t.Errorf("%+v", got)
	}
	update(t, db, drop(99))
	if got := need[[]store.AreaFact](t)(db.AreaFacts(ctx)); len(got) != 1 || got[0].Fact != "{1}" {
		t.Errorf("after the plan was dropped: %+v", got)
	}
	if got := need[[]store.AreaPlan](t)(db.AreaPlans(ctx)); len(got) != 0 {
		t.Errorf("after the plan was dropped: %+v", got)
	}
}
