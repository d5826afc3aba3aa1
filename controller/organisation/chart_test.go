package organisation_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/store"
)

func now() time.Time { return time.Date(2026, 11, 23, 8, 0, 0, 0, broadcast.Local()) }

func bacQuang(t *testing.T) broadcast.Tree {
	t.Helper()
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func database(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func open(t *testing.T, db *store.DB, seed broadcast.Tree) *organisation.Chart {
	t.Helper()
	c, err := organisation.Open(t.Context(), db, seed, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestANewHouseBeginsWithTheEmbeddedTreeAndKeepsItsOwn(t *testing.T) {
	db, seed := database(t), bacQuang(t)
	if got, err := organisation.Read(t.Context(), db, seed); err != nil || len(got.Areas()) != len(seed.Areas()) {
		t.Fatalf("before the first start: %d areas, %v", len(got.Areas()), err)
	}
	if got := open(t, db, seed).Tree(); !reflect.DeepEqual(got, seed) {
		t.Errorf("%d areas, the seed has %d; or they differ", len(got.Areas()), len(seed.Areas()))
	}
	other, err := broadcast.TreeOf([]broadcast.Area{{ID: "a", Facts: []broadcast.Fact{{Name: "A", Level: broadcast.Commune}}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := open(t, db, other).Tree(); !reflect.DeepEqual(got, seed) {
		t.Error("a later program's facts took the place of what stands in the database")
	}
	beside, err := organisation.Read(t.Context(), db, other)
	if err != nil || !reflect.DeepEqual(beside, seed) {
		t.Errorf("beside the controller: %d areas, %v", len(beside.Areas()), err)
	}
	rows, err := db.AuditRows(t.Context(), 0, 10)
	if err != nil || len(rows) != 1 || rows[0].Act != "area.begin" {
		t.Errorf("audit: %+v, %v", rows, err)
	}
}

func TestATreeIsReadWhateverTheOrderInWhichItsAreasWereMade(t *testing.T) {
	for name, c := range map[string]struct {
		facts []store.AreaFact
		order string
		fails string
	}{
		"under a later one": {facts: []store.AreaFact{
			{Area: "old", Place: 1, Fact: `{"name":"Cũ","level":"commune"}`},
			{Area: "old", Place: 1, From: 9, Fact: `{"from":"1970-01-01T00:00:00.009Z","name":"Cũ","level":"village","parent":"new"}`},
			{Area: "new", Place: 2, From: 9, Fact: `{"from":"1970-01-01T00:00:00.009Z","name":"Mới","level":"commune"}`}}, order: "new old"},
		"in one another": {facts: []store.AreaFact{
			{Area: "a", Place: 1, Fact: `{"name":"A","level":"commune","parent":"b"}`},
			{Area: "b", Place: 2, Fact: `{"name":"B","level":"commune","parent":"a"}`}}, fails: "in one another"},
		"in nothing": {facts: []store.AreaFact{{Area: "a", Place: 1, Fact: `{"name":"A","level":"commune","parent":"b"}`}}, fails: "no area b"},
		"spoilt":     {facts: []store.AreaFact{{Area: "a", Place: 1, Fact: `{"name":"A","level":"hamlet"}`}}, fails: "level"},
	} {
		t.Run(name, func(t *testing.T) {
			db := database(t)
			if err := db.Update(t.Context(), func(tx store.Tx) error { return tx.AddAreaFacts(t.Context(), c.facts) }); err != nil {
				t.Fatal(err)
			}
			tree, err := organisation.Read(t.Context(), db, broadcast.Tree{})
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("got %v, want something about %q", err, c.fails)
				}
				return
			}
			var got []string
			for _, a := range tree.Areas() {
				got = append(got, string(a.ID))
			}
			if err != nil || strings.Join(got, " ") != c.order {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestATreeThatNobodyChangesIsItself(t *testing.T) {
	seed := bacQuang(t)
	if got := organisation.Fixed(seed)(); !reflect.DeepEqual(got, seed) {
		t.Error("it is another one")
	}
}
