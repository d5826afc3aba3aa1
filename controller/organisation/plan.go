package organisation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// Deed is what one change does.
type Deed string

// The deeds.
const (
	Create Deed = "create"
	Rename Deed = "rename"
	Move   Deed = "move"
	Merge  Deed = "merge"
	Retire Deed = "retire"
)

// Limits of a plan.
const (
	maxChanges = 200
	maxParts   = 60
	// farthest is how long before its day a plan may be applied.
	farthest = 366 * 24 * time.Hour
)

// Change (thay đổi) is one deed on one area.
type Change struct {
	Do   Deed         `json:"do"`
	Area broadcast.ID `json:"area"`
	// Name and Code are for create and rename; a rename may leave either out.
	Name string `json:"name,omitempty"`
	Code string `json:"code,omitempty"`
	// Level is for create.
	Level broadcast.Level `json:"level,omitempty"`
	// Parent is for create and move.
	Parent broadcast.ID `json:"parent,omitempty"`
	// Parts are for merge: the areas that become named parts of Area.
	Parts []broadcast.ID `json:"parts,omitempty"`
}

// Own is the choice by which the parts of a merged commune keep their own policies.
const Own broadcast.ID = "own"

// Plan (phương án sắp xếp) is what changes on one day.
type Plan struct {
	Name string `json:"name"`
	// Day is the local day on which it takes effect, such as 2025-07-01.
	Day     string   `json:"day"`
	Changes []Change `json:"changes"`
	// Policies chooses for areas that take in others with differing policies: the
	// part whose policy is proposed for the whole, or Own.
	Policies map[broadcast.ID]broadcast.ID `json:"policies,omitempty"`
}

// ErrPlan: the plan cannot be carried out as it is written.
var ErrPlan = errors.New("this plan cannot be carried out")

func wrong(format string, a ...any) error {
	return fmt.Errorf("%w: %w", ErrPlan, fmt.Errorf(format, a...))
}

// at is the moment at which the plan takes effect.
func (p Plan) at() (broadcast.Instant, error) {
	t, err := time.ParseInLocation(time.DateOnly, p.Day, broadcast.Local())
	if err != nil {
		return 0, wrong("day %q: write it like 2025-07-01", p.Day)
	}
	return broadcast.InstantOf(t), nil
}

// Validate says whether the plan is complete in itself.
func (p Plan) Validate() error {
	if p.Name == "" || len(p.Name) > 200 || broadcast.NormalText(p.Name) != p.Name {
		return wrong("give it a name of at most 200 bytes in Unicode NFC, such as the number of the decision")
	}
	if len(p.Changes) == 0 || len(p.Changes) > maxChanges {
		return wrong("%d changes, allowed are 1 to %d", len(p.Changes), maxChanges)
	}
	_, err := p.at()
	return err
}

// Areas are those that somebody must answer for who carries the plan out: what
// changes and where it comes to lie, without what the plan itself makes.
func (p Plan) Areas() []broadcast.ID {
	made := map[broadcast.ID]bool{}
	for _, c := range p.Changes {
		made[c.Area] = made[c.Area] || c.Do == Create
	}
	var out []broadcast.ID
	for _, c := range p.Changes {
		for _, id := range append([]broadcast.ID{c.Area, c.Parent}, c.Parts...) {
			if id != "" && !made[id] && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// sketch is a tree that is being changed at one moment.
type sketch struct {
	at    broadcast.Instant
	areas []broadcast.Area
	// touched are the areas with a fact of this plan.
	touched map[broadcast.ID]bool
}

// draw returns the tree with the plan in it, and which areas it touches.
func (p Plan) draw(before broadcast.Tree) (broadcast.Tree, *sketch, error) {
	at, err := p.at()
	if err != nil {
		return before, nil, err
	}
	s := &sketch{at: at, areas: before.Areas(), touched: map[broadcast.ID]bool{}}
	for i, c := range p.Changes {
		do, known := deeds()[c.Do]
		if !known {
			return before, nil, wrong("change %d: do is %q; use create, rename, move, merge or retire", i+1, string(c.Do))
		}
		if err := do(s, c); err != nil {
			return before, nil, wrong("change %d (%s %s): %w", i+1, c.Do, c.Area, err)
		}
	}
	tree, err := grow(s.areas)
	if err != nil {
		return before, nil, wrong("%w", err)
	}
	return tree, s, s.stands(tree)
}

func deeds() map[Deed]func(*sketch, Change) error {
	return map[Deed]func(*sketch, Change) error{Create: (*sketch).create, Rename: (*sketch).rename, Move: (*sketch).move, Merge: (*sketch).merge, Retire: (*sketch).retire}
}

// fact is what holds of an area at the moment of the plan.
func (s *sketch) fact(id broadcast.ID) (broadcast.Fact, error) {
	i := slices.IndexFunc(s.areas, func(a broadcast.Area) bool { return a.ID == id })
	if i < 0 {
		return broadcast.Fact{}, fmt.Errorf("there is no area %q", string(id))
	}
	f, exists := s.areas[i].At(s.at)
	if !exists {
		return f, fmt.Errorf("area %s does not exist on that day", id)
	}
	return f, nil
}

// set gives an area another fact from the moment on.
func (s *sketch) set(id broadcast.ID, f broadcast.Fact) error {
	f.From = s.at
	if err := f.Validate(); err != nil {
		return err
	}
	i := slices.IndexFunc(s.areas, func(a broadcast.Area) bool { return a.ID == id })
	if i < 0 {
		s.areas, s.touched[id] = append(s.areas, broadcast.Area{ID: id, Facts: []broadcast.Fact{f}}), true
		return id.Validate()
	}
	facts := slices.Clone(s.areas[i].Facts) // those of the tree that is in use
	last := facts[len(facts)-1]
	switch {
	case s.touched[id]:
		facts[len(facts)-1] = f
	case last.From >= s.at:
		return fmt.Errorf("something is said already of %s for that day or a later one; take another day, or drop the plan that says it", id)
	default:
		facts = append(facts, f)
	}
	s.areas[i], s.touched[id] = broadcast.Area{ID: id, Facts: facts}, true
	return nil
}

func (s *sketch) create(c Change) error {
	if slices.ContainsFunc(s.areas, func(a broadcast.Area) bool { return a.ID == c.Area }) {
		return errors.New("there is such an area, or was; take another id")
	}
	if _, err := s.fact(c.Parent); err != nil {
		return fmt.Errorf("parent: %w", err)
	}
	if c.Name == "" {
		return errors.New("name is missing")
	}
	return s.set(c.Area, broadcast.Fact{Name: c.Name, Code: c.Code, Level: c.Level, Parent: c.Parent})
}

func (s *sketch) rename(c Change) error {
	f, err := s.fact(c.Area)
	if err != nil {
		return err
	}
	if c.Name == "" && c.Code == "" {
		return errors.New("give the new name, code or both")
	}
	if c.Name != "" {
		f.Name = c.Name
	}
	if c.Code != "" {
		f.Code = c.Code
	}
	return s.set(c.Area, f)
}

func (s *sketch) move(c Change) error {
	f, err := s.fact(c.Area)
	if err != nil {
		return err
	}
	if _, err := s.fact(c.Parent); err != nil {
		return fmt.Errorf("parent: %w", err)
	}
	f.Parent = c.Parent
	return s.set(c.Area, f)
}

// merge makes areas named parts of another: their nodes, people and documents stay
// theirs, and what is said to the whole reaches them too.
func (s *sketch) merge(c Change) error {
	if _, err := s.fact(c.Area); err != nil {
		return err
	}
	if len(c.Parts) == 0 || len(c.Parts) > maxParts {
		return fmt.Errorf("%d parts, allowed are 1 to %d", len(c.Parts), maxParts)
	}
	for _, id := range c.Parts {
		f, err := s.fact(id)
		if err != nil {
			return err
		}
		if id == c.Area {
			return errors.New("an area is no part of itself; make a new one for the whole")
		}
		if err := s.set(id, broadcast.Fact{Name: f.Name, Level: broadcast.Village, Parent: c.Area}); err != nil {
			return err
		}
	}
	return nil
}

func (s *sketch) retire(c Change) error {
	f, err := s.fact(c.Area)
	if err != nil {
		return err
	}
	for _, a := range s.areas {
		if below, exists := a.At(s.at); exists && below.Parent == c.Area {
			return fmt.Errorf("%s lies in it; merge, move or retire that first", a.ID)
		}
	}
	f.Retired = true
	return s.set(c.Area, f)
}

// stands says whether every area has a place that a node could be given.
func (s *sketch) stands(tree broadcast.Tree) error {
	for _, a := range tree.Areas() {
		if _, exists := a.At(s.at); !exists {
			continue
		}
		chain, err := tree.Chain(a.ID, s.at)
		if err != nil {
			return wrong("%w", err)
		}
		for i, p := range chain {
			if i > 0 && p.Level.Rank() < chain[i-1].Level.Rank() {
				return wrong("%s is a %s and cannot lie in %s, a %s", p.Area, p.Level, chain[i-1].Area, chain[i-1].Level)
			}
		}
		if len(chain) > maxDepth {
			return wrong("%s would lie under %d areas, at most %d are allowed", a.ID, len(chain)-1, maxDepth-1)
		}
	}
	return nil
}

// maxDepth is how long a node's chain of areas may be.
const maxDepth = 8
