package broadcast

import (
	"slices"
	"testing"
)

func bacQuang(t *testing.T) Tree {
	t.Helper()
	tree, err := BacQuangTree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestBacQuangHas23CommunesThatBecame8(t *testing.T) {
	tree := bacQuang(t)
	if got := FormerCommunes(tree); len(got) != 23 || got[0] != "viet-quang" || got[22] != "dong-thanh" {
		t.Fatalf("former communes: %d %v", len(got), got)
	}
	after := ReorganisedAt()
	if got := tree.Children(BacQuang, after); len(got) != 8 {
		t.Errorf("after the merger %d communes: %v", len(got), got)
	}
	if got := tree.Children(BacQuang, after-1); len(got) != 23 {
		t.Errorf("before the merger %d communes", len(got))
	}
	parts := 0
	for _, c := range tree.Children(BacQuang, after) {
		parts += len(tree.Children(c, after))
	}
	if parts != 23 {
		t.Errorf("the 8 communes hold %d former ones", parts)
	}
}

func TestMergingKeepsHistoryAndReusedCodesAreNotIdentity(t *testing.T) {
	tree := bacQuang(t)
	chain, err := tree.Chain("dong-tam", ReorganisedAt())
	if err != nil {
		t.Fatal(err)
	}
	want := []Place{{TuyenQuang, Province}, {BacQuang, District}, {"xa-dong-tam", Commune}, {"dong-tam", Village}}
	if !slices.Equal(chain, want) {
		t.Errorf("after: %v", chain)
	}
	before, err := tree.Chain("dong-tam", ReorganisedAt()-1)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before, []Place{{HaGiang, Province}, {BacQuang, District}, {"dong-tam", Commune}}) {
		t.Errorf("before: %v", before)
	}
	old, _ := tree.Find("dong-tien")
	now, _ := tree.Find("xa-dong-tam")
	was, _ := old.At(0)
	is, _ := now.At(ReorganisedAt())
	if was.Code != "01165" || is.Code != "01165" || was.Name == is.Name {
		t.Errorf("01165 was %v and is %v", was, is)
	}
	if _, err := tree.Chain("xa-dong-tam", ReorganisedAt()-1); err == nil {
		t.Error("a commune of today had a place before it existed")
	}
}

func TestTreeRefusesCirclesTwinsAndUnknownParents(t *testing.T) {
	for name, areas := range map[string][]Area{
		"own parent": {{ID: "a", Facts: []Fact{{Name: "A", Level: Commune, Parent: "a"}}}},
		"twin":       {{ID: "a", Facts: []Fact{{Name: "A", Level: Commune}}}, {ID: "a", Facts: []Fact{{Name: "A", Level: Commune}}}},
		"unknown":    {{ID: "a", Facts: []Fact{{Name: "A", Level: Commune, Parent: "b"}}}},
		"no name":    {{ID: "a"}},
		"time order": {{ID: "a", Facts: []Fact{{From: 2, Name: "A", Level: Commune}, {From: 1, Name: "B", Level: Commune}}}},
		"bad id":     {{ID: "A b", Facts: []Fact{{Name: "A", Level: Commune}}}},
	} {
		if _, err := TreeOf(areas); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
