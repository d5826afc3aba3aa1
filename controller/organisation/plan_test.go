package organisation_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/store"
)

// readPlan reads a plan of the repository.
func readPlan(t *testing.T, path string) organisation.Plan {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var p organisation.Plan
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// before is the tree as it was known before the reorganisation of 2025.
func before(t *testing.T) broadcast.Tree {
	t.Helper()
	var areas []broadcast.Area
	for _, a := range bacQuang(t).Areas() {
		if a.Facts[0].From == 0 {
			areas = append(areas, broadcast.Area{ID: a.ID, Facts: a.Facts[:1]})
		}
	}
	tree, err := broadcast.TreeOf(areas)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func apply(t *testing.T, c *organisation.Chart, p organisation.Plan) organisation.Effects {
	t.Helper()
	e, err := c.Weigh(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Apply(t.Context(), "lan", p, e.Digest); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestOnePlanMakes8CommunesOf23(t *testing.T) {
	db := database(t)
	june := func() time.Time { return time.Date(2025, 6, 30, 9, 0, 0, 0, broadcast.Local()) }
	c, err := organisation.Open(t.Context(), db, before(t), june)
	if err != nil {
		t.Fatal(err)
	}
	p := readPlan(t, "plans/bac-quang-2025-07-01.json")
	if e := apply(t, c, p); len(e.Steps) != 1+8+23 {
		t.Errorf("%d areas change", len(e.Steps))
	}
	want, got := bacQuang(t), c.Tree()
	if len(got.Areas()) != len(want.Areas()) {
		t.Errorf("%d areas, want %d", len(got.Areas()), len(want.Areas()))
	}
	for _, at := range []broadcast.Instant{broadcast.InstantOf(june()), broadcast.ReorganisedAt() - 1, broadcast.ReorganisedAt(), broadcast.InstantOf(now())} {
		for _, a := range want.Areas() {
			w, was := a.At(at)
			mine, _ := got.Find(a.ID)
			g, is := mine.At(at)
			if a.ID == broadcast.BacQuang {
				g.Code, w.Code = "", "" // which nobody took away from the district
			}
			if was != is || g != w {
				t.Errorf("%s at %s: %+v, want %+v", a.ID, at, g, w)
			}
			chain, _ := got.Chain(a.ID, at)
			if wanted, _ := want.Chain(a.ID, at); !reflect.DeepEqual(chain, wanted) {
				t.Errorf("%s at %s: %v, want %v", a.ID, at, chain, wanted)
			}
		}
	}
}

// plan is one day of some changes.
func plan(day string, changes ...organisation.Change) organisation.Plan {
	return organisation.Plan{Name: "Nghị quyết 12", Day: day, Changes: changes}
}

func rename(area broadcast.ID, name string) organisation.Change {
	return organisation.Change{Do: organisation.Rename, Area: area, Name: name}
}

func TestAPlanIsRefusedWithWhatIsWrong(t *testing.T) {
	c := open(t, database(t), bacQuang(t))
	apply(t, c, plan("2026-12-24", rename("tan-lap", "Thôn Khác")))
	one := func(ch organisation.Change) organisation.Plan { return plan("2026-12-01", ch) }
	for name, w := range map[string]struct {
		plan organisation.Plan
		says string
	}{
		"no name":          {organisation.Plan{Day: "2026-12-01", Changes: []organisation.Change{rename("tan-lap", "A")}}, "name"},
		"no change":        {plan("2026-12-01"), "0 changes"},
		"no day":           {plan("1/12/2026", rename("tan-lap", "A")), "write it like"},
		"yesterday":        {plan("2026-11-22", rename("tan-quang", "A")), "never changed"},
		"far off":          {plan("2027-12-22", rename("tan-quang", "A")), "a year ahead"},
		"unknown deed":     {one(organisation.Change{Do: "sell", Area: "tan-lap"}), "use create"},
		"unknown area":     {one(rename("atlantis", "A")), "no area"},
		"said for later":   {one(rename("tan-lap", "A")), "drop the plan"},
		"empty rename":     {one(rename("tan-quang", "")), "new name"},
		"twice made":       {one(organisation.Change{Do: organisation.Create, Area: "tan-quang", Name: "A", Level: broadcast.Commune, Parent: "bac-quang"}), "another id"},
		"in nothing":       {one(organisation.Change{Do: organisation.Create, Area: "x", Name: "A", Level: broadcast.Commune, Parent: "y"}), "parent"},
		"bad id":           {one(organisation.Change{Do: organisation.Create, Area: "X y", Name: "A", Level: broadcast.Commune, Parent: "bac-quang"}), "a-z"},
		"district below":   {one(organisation.Change{Do: organisation.Create, Area: "x", Name: "A", Level: broadcast.District, Parent: "xa-tan-quang"}), "cannot lie in"},
		"in itself":        {one(organisation.Change{Do: organisation.Move, Area: "xa-tan-quang", Parent: "tan-quang"}), "in one another"},
		"part of itself":   {one(organisation.Change{Do: organisation.Merge, Area: "xa-tan-quang", Parts: []broadcast.ID{"xa-tan-quang"}}), "part of itself"},
		"no parts":         {one(organisation.Change{Do: organisation.Merge, Area: "xa-tan-quang"}), "0 parts"},
		"ended with parts": {one(organisation.Change{Do: organisation.Retire, Area: "xa-tan-quang"}), "lies in it"},
	} {
		if _, err := c.Weigh(t.Context(), w.plan); !errors.Is(err, organisation.ErrPlan) || !strings.Contains(err.Error(), w.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoAreaIsRetiredInWhichNodesStand(t *testing.T) {
	db := database(t)
	c := open(t, db, bacQuang(t))
	p := plan("2026-12-01", organisation.Change{Do: organisation.Retire, Area: "tan-lap"})
	if _, err := c.Weigh(t.Context(), p); err != nil {
		t.Errorf("without nodes: %v", err)
	}
	err := db.Update(t.Context(), func(tx store.Tx) error {
		return tx.AddNode(t.Context(), store.Node{ID: "n1", Area: "tan-lap", Status: store.Pending})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Weigh(t.Context(), p); !errors.Is(err, organisation.ErrPlan) || !strings.Contains(err.Error(), "n1") {
		t.Errorf("with a node: %v", err)
	}
}

func TestAnAreaKeepsTheNameThatItHadOnADay(t *testing.T) {
	db := database(t)
	c := open(t, db, bacQuang(t))
	p := plan("2026-12-01", rename("xa-tan-quang", "Phường Tân Quang"), organisation.Change{Do: organisation.Retire, Area: "ha-giang"})
	e := apply(t, c, p)
	if _, err := c.Apply(t.Context(), "lan", p, e.Digest); err != nil {
		t.Errorf("applied again: %v", err)
	}
	for _, tree := range []broadcast.Tree{c.Tree(), open(t, db, before(t)).Tree()} { // also after a restart
		a, _ := tree.Find("xa-tan-quang")
		old, _ := a.At(e.At - 1)
		is, _ := a.At(e.At)
		if old.Name != "Xã Tân Quang" || is.Name != "Phường Tân Quang" || is.Code != old.Code || is.Parent != old.Parent {
			t.Errorf("was %+v, is %+v", old, is)
		}
		if _, err := tree.Chain("ha-giang", e.At); err == nil {
			t.Error("a retired area has a place")
		}
		if _, err := tree.Chain("ha-giang", e.At-1); err != nil {
			t.Errorf("before its end: %v", err)
		}
	}
	rows, err := db.AuditPage(t.Context(), store.AuditQuery{Act: "area.", Limit: 9})
	if err != nil || len(rows) != 3 || rows[1].Act != "area.rename" || rows[1].Person != "lan" || rows[1].Subject != "xa-tan-quang" {
		t.Errorf("%+v %v", rows, err)
	}
	plans, err := c.Plans(t.Context())
	if err != nil || len(plans) != 1 || plans[0].By != "lan" || plans[0].Name != p.Name {
		t.Errorf("%+v %v", plans, err)
	}
}

func TestAPlanIsAppliedOnlyAsItWasShown(t *testing.T) {
	c := open(t, database(t), bacQuang(t))
	p := plan("2026-12-01", rename("tan-lap", "A"))
	shown, err := c.Weigh(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, c, plan("2026-11-30", rename("tan-lap", "B")))
	if _, err := c.Apply(t.Context(), "lan", p, shown.Digest); !errors.Is(err, organisation.ErrShown) {
		t.Errorf("somebody was faster: %v", err)
	}
	a, _ := c.Tree().Find("tan-lap")
	if f, _ := a.At(shown.At); f.Name != "B" {
		t.Errorf("it is %q", f.Name)
	}
}

func TestAPlanIsDroppedUntilItsDay(t *testing.T) {
	c := open(t, database(t), bacQuang(t))
	make := apply(t, c, plan("2026-12-01", organisation.Change{Do: organisation.Create, Area: "xa-moi", Name: "Xã Mới", Level: broadcast.Commune, Parent: "bac-quang"}))
	fill := apply(t, c, plan("2026-12-02", organisation.Change{Do: organisation.Merge, Area: "xa-moi", Parts: []broadcast.ID{"xa-tan-quang"}}))
	today := apply(t, c, plan("2026-11-23", rename("tan-lap", "Hôm nay")))
	if err := c.Drop(t.Context(), "lan", make.Plan); !errors.Is(err, organisation.ErrPlan) {
		t.Errorf("another builds on it: %v", err)
	}
	if err := c.Drop(t.Context(), "lan", today.Plan); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it has begun: %v", err)
	}
	for _, e := range []organisation.Effects{fill, make} {
		if err := c.Drop(t.Context(), "lan", e.Plan); err != nil {
			t.Fatal(err)
		}
	}
	if _, known := c.Tree().Find("xa-moi"); known {
		t.Error("what was dropped is in the tree")
	}
	if chain, err := c.Tree().Chain("xa-tan-quang", fill.At); err != nil || chain[len(chain)-1].Level != broadcast.Commune {
		t.Errorf("%v %v", chain, err)
	}
}

func TestWhoAnswersForAPlanIsOverAllThatItChanges(t *testing.T) {
	p := plan("2026-12-01",
		organisation.Change{Do: organisation.Create, Area: "xa-moi", Parent: "bac-quang"},
		organisation.Change{Do: organisation.Merge, Area: "xa-moi", Parts: []broadcast.ID{"xa-tan-quang", "xa-dong-tam"}}, rename("xa-dong-tam", "x"))
	if got := p.Areas(); !reflect.DeepEqual(got, []broadcast.ID{"bac-quang", "xa-tan-quang", "xa-dong-tam"}) {
		t.Errorf("%v", got)
	}
}
