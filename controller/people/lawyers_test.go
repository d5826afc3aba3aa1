package people

import (
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

func TestFirstPolicyStandsWhereTwoOfficersMaySignOne(t *testing.T) {
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		t.Fatal(err)
	}
	places := treeAt{tree: tree, at: broadcast.ReorganisedAt()}
	officer := func(id broadcast.ID, role Role, areas ...broadcast.ID) NewPerson {
		return NewPerson{ID: id, Role: role, Areas: areas}
	}
	for name, c := range map[string]struct {
		officers []NewPerson
		area     broadcast.ID
		by       []broadcast.ID
	}{
		"one area":           {[]NewPerson{officer("a", Administrator, "bac-quang"), officer("b", Approver, "bac-quang")}, "bac-quang", []broadcast.ID{"a", "b"}},
		"one above":          {[]NewPerson{officer("a", Administrator, "tuyen-quang"), officer("b", Administrator, "bac-quang")}, "bac-quang", []broadcast.ID{"a", "b"}},
		"a technician first": {[]NewPerson{officer("t", Technician, "bac-quang"), officer("a", Approver, "xa-tan-quang"), officer("b", Approver, "xa-tan-quang")}, "xa-tan-quang", []broadcast.ID{"a", "b"}},
		"apart":              {[]NewPerson{officer("a", Administrator, "xa-hung-an"), officer("b", Administrator, "xa-tan-quang")}, "", nil},
		"one alone":          {[]NewPerson{officer("a", Administrator, "bac-quang"), officer("e", Editor, "bac-quang")}, "", nil},
	} {
		area, by, err := lawyersOf(&Options{Officers: c.officers}, places)
		if area != c.area || !slices.Equal(by, c.by) || (err == nil) != (c.area != "") {
			t.Errorf("%s: %s %v %v", name, area, by, err)
		}
	}
}
