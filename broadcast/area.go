package broadcast

import (
	"fmt"
	"slices"
)

// Area (địa bàn) is a place in the dated organisation tree. Its id never
// changes; names, codes, levels and parents are facts of a time, because
// communes merge and codes are given out again.
type Area struct {
	ID    ID     `json:"id"`
	Facts []Fact `json:"facts"`
}

// Fact is what an area was called and where it belonged from a moment on,
// until the next fact.
type Fact struct {
	From   Instant `json:"from,omitzero"`
	Name   string  `json:"name"`
	Code   string  `json:"code,omitempty"`
	Level  Level   `json:"level"`
	Parent ID      `json:"parent,omitempty"`
	// Retired says that there is no such area from then on; the name is its last.
	Retired bool `json:"retired,omitempty"`
}

// Validate says whether the fact is complete in itself.
func (f Fact) Validate() error {
	if f.Parent != "" {
		if err := f.Parent.Validate(); err != nil {
			return fmt.Errorf("parent: %w", err)
		}
	}
	return firstOf(check{"level", f.Level.Validate()}, check{"name", checkText(f.Name, maxTitle)}, check{"code", checkText(f.Code, maxCode)})
}

// At returns the fact that holds at a moment, and whether there is one: an area
// does not exist before its first fact, nor after it was retired.
func (a Area) At(i Instant) (Fact, bool) {
	for _, f := range slices.Backward(a.Facts) {
		if f.From <= i {
			return f, !f.Retired
		}
	}
	return Fact{}, false
}

// Tree is the dated organisation tree.
type Tree struct {
	areas []Area
	index map[ID]int
}

// TreeOf returns the tree of areas. Every parent must come before its
// children, which also makes circles impossible.
func TreeOf(areas []Area) (Tree, error) {
	t := Tree{index: map[ID]int{}}
	for _, a := range areas {
		if err := t.add(a); err != nil {
			return Tree{}, fmt.Errorf("area %q: %w", string(a.ID), err)
		}
	}
	return t, nil
}

func (t *Tree) add(a Area) error {
	if err := a.ID.Validate(); err != nil {
		return err
	}
	if _, twice := t.index[a.ID]; twice {
		return fmt.Errorf("listed twice")
	}
	if len(a.Facts) == 0 {
		return fmt.Errorf("has no name")
	}
	for i, f := range a.Facts {
		if err := f.Validate(); err != nil {
			return err
		}
		if i > 0 && f.From <= a.Facts[i-1].From {
			return fmt.Errorf("facts must be in order of time")
		}
		if _, known := t.index[f.Parent]; f.Parent != "" && !known {
			return fmt.Errorf("parent %q is not known", string(f.Parent))
		}
	}
	t.index[a.ID] = len(t.areas)
	t.areas = append(t.areas, a)
	return nil
}

// Areas returns all areas, parents first.
func (t Tree) Areas() []Area { return slices.Clone(t.areas) }

// Find returns an area and whether the tree knows it.
func (t Tree) Find(id ID) (Area, bool) {
	i, ok := t.index[id]
	if !ok {
		return Area{}, false
	}
	return t.areas[i], true
}

// Chain returns the way from the top to an area as it is at a moment.
func (t Tree) Chain(id ID, at Instant) ([]Place, error) {
	var chain []Place
	for id != "" {
		a, ok := t.Find(id)
		if !ok {
			return nil, fmt.Errorf("area %q is not in the organisation tree", string(id))
		}
		f, ok := a.At(at)
		if !ok {
			return nil, fmt.Errorf("area %q did not exist at %s", string(id), at)
		}
		chain = append(chain, Place{Area: id, Level: f.Level})
		id = f.Parent
	}
	slices.Reverse(chain)
	return chain, nil
}

// Covers says whether area is upper or lies below it at a moment.
func (t Tree) Covers(upper, area ID, at Instant) bool {
	chain, err := t.Chain(area, at)
	return err == nil && slices.ContainsFunc(chain, func(p Place) bool { return p.Area == upper })
}

// Children returns the areas directly below one at a moment, in the tree's order.
func (t Tree) Children(id ID, at Instant) []ID {
	var out []ID
	for _, a := range t.areas {
		if f, ok := a.At(at); ok && f.Parent == id {
			out = append(out, a.ID)
		}
	}
	return out
}
