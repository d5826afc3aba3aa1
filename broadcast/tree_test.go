package broadcast_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// forest draws areas, parents before children, whose parents and levels change
// at a few moments. Areas appear at 0, 10 or 20 and change at 30.
func forest() *rapid.Generator[[]broadcast.Area] {
	levels := []broadcast.Level{broadcast.Province, broadcast.District, broadcast.Commune, broadcast.Village}
	return rapid.Custom(func(t *rapid.T) []broadcast.Area {
		var out []broadcast.Area
		for i, id := range ids(rapid.IntRange(1, 10).Draw(t, "areas")) {
			fact := func(from broadcast.Instant) broadcast.Fact {
				f := broadcast.Fact{From: from, Name: fmt.Sprint("Xã ", i), Level: rapid.SampledFrom(levels).Draw(t, "level")}
				if up := rapid.IntRange(-1, i-1).Draw(t, "parent"); up >= 0 {
					f.Parent = out[up].ID
				}
				return f
			}
			a := broadcast.Area{ID: id, Facts: []broadcast.Fact{fact(broadcast.Instant(10 * rapid.IntRange(0, 2).Draw(t, "from")))}}
			if rapid.Bool().Draw(t, "changes") {
				a.Facts = append(a.Facts, fact(30))
			}
			out = append(out, a)
		}
		return out
	})
}

// above is the slow model of a chain: the ids from an area to the top, or
// nothing if one of them did not exist.
func above(areas []broadcast.Area, id broadcast.ID, at broadcast.Instant) []broadcast.ID {
	for _, a := range areas {
		if a.ID != id {
			continue
		}
		holds := -1
		for i, f := range a.Facts {
			if f.From <= at {
				holds = i
			}
		}
		if holds < 0 {
			return nil
		}
		parent := a.Facts[holds].Parent
		if parent == "" {
			return []broadcast.ID{id}
		}
		if rest := above(areas, parent, at); rest != nil {
			return append([]broadcast.ID{id}, rest...)
		}
	}
	return nil
}

func TestTreeAgreesWithTheFactsOfEveryMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		areas := forest().Draw(t, "areas")
		tree, err := broadcast.TreeOf(areas)
		if err != nil {
			t.Fatal(err)
		}
		for _, now := range []broadcast.Instant{0, 9, 10, 29, 30, 1000} {
			for _, a := range areas {
				want := above(areas, a.ID, now)
				chain, err := tree.Chain(a.ID, now)
				if (err == nil) != (want != nil) || len(chain) != len(want) {
					t.Fatalf("%s at %d: %v, %v, want %v", a.ID, now, chain, err, want)
				}
				for i, p := range chain {
					f, _ := areas[slices.IndexFunc(areas, func(a broadcast.Area) bool { return a.ID == p.Area })].At(now)
					if p.Area != want[len(want)-1-i] || p.Level != f.Level {
						t.Fatalf("%s at %d: %v, want %v backwards", a.ID, now, chain, want)
					}
				}
				for _, upper := range areas {
					if got := tree.Covers(upper.ID, a.ID, now); got != slices.Contains(want, upper.ID) {
						t.Fatalf("%s covers %s at %d: %v", upper.ID, a.ID, now, got)
					}
				}
			}
		}
	})
}

func TestEveryAreaIsTheChildOfItsParent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		areas := forest().Draw(t, "areas")
		tree, err := broadcast.TreeOf(areas)
		if err != nil {
			t.Fatal(err)
		}
		for _, now := range []broadcast.Instant{0, 10, 20, 30} {
			children := map[broadcast.ID][]broadcast.ID{}
			for _, a := range areas {
				if f, exists := a.At(now); exists {
					children[f.Parent] = append(children[f.Parent], a.ID)
				}
			}
			for _, a := range append(areas, broadcast.Area{}) { // the top areas are below nothing
				if got := tree.Children(a.ID, now); !slices.Equal(got, children[a.ID]) {
					t.Fatalf("below %q at %d: %v, want %v", a.ID, now, got, children[a.ID])
				}
			}
		}
	})
}

func TestFactHoldsUntilTheNext(t *testing.T) {
	a := broadcast.Area{ID: "a", Facts: []broadcast.Fact{{From: 10, Name: "old"}, {From: 20, Name: "new"}}}
	for now, want := range map[broadcast.Instant]string{9: "", 10: "old", 19: "old", 20: "new", last: "new"} {
		if f, ok := a.At(now); f.Name != want || ok != (want != "") {
			t.Errorf("at %d it is %q, %v", now, f.Name, ok)
		}
	}
}

func TestTreeCannotBeChangedThroughWhatItReturns(t *testing.T) {
	tree, err := broadcast.TreeOf([]broadcast.Area{{ID: "a", Facts: []broadcast.Fact{{Name: "A", Level: broadcast.Commune}}}})
	if err != nil {
		t.Fatal(err)
	}
	tree.Areas()[0] = broadcast.Area{ID: "b"}
	if got := tree.Areas(); len(got) != 1 || got[0].ID != "a" {
		t.Errorf("%+v", got)
	}
	if a, ok := tree.Find("b"); ok {
		t.Errorf("found %+v", a)
	}
	if chain, err := tree.Chain("b", 0); err == nil {
		t.Errorf("an area that is not in the tree stands in %v", chain)
	}
	if tree.Covers("a", "b", 0) || tree.Covers("b", "b", 0) {
		t.Error("an area that is not in the tree is covered")
	}
}
