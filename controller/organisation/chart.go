package organisation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Chart (sơ đồ địa bàn) is the tree of a controller that runs. It is safe for
// concurrent use.
type Chart struct {
	db   *store.DB
	now  func() time.Time
	tree atomic.Pointer[broadcast.Tree]
	// changing is held by whoever changes the tree.
	changing sync.Mutex
}

// Open returns the chart of a database. One that has no tree yet is given seed.
func Open(ctx context.Context, db *store.DB, seed broadcast.Tree, now func() time.Time) (*Chart, error) {
	c := &Chart{db: db, now: now}
	err := db.Update(ctx, func(tx store.Tx) error {
		have, err := tx.AreaFacts(ctx)
		if err != nil || len(have) > 0 {
			return err
		}
		rows, err := factsOf(seed.Areas(), 0, "")
		if err != nil {
			return err
		}
		return errors.Join(tx.AddAreaFacts(ctx, rows),
			tx.Audit(ctx, store.Deed{At: broadcast.InstantOf(now()), Act: "area.begin", Subject: "tree", Detail: map[string]int{"areas": len(seed.Areas())}}))
	})
	if err != nil {
		return nil, fmt.Errorf("organisation tree: %w", err)
	}
	return c, c.load(ctx)
}

// Tree returns the tree as it is known now, with what is planned.
func (c *Chart) Tree() broadcast.Tree { return *c.tree.Load() }

func (c *Chart) load(ctx context.Context) error {
	rows, err := c.db.AreaFacts(ctx)
	if err != nil {
		return err
	}
	tree, err := treeOf(rows)
	if err != nil {
		return err
	}
	c.tree.Store(&tree)
	return nil
}

// Read returns the tree of a database beside a controller that may be running;
// seed, if no controller was started over it yet.
func Read(ctx context.Context, db *store.DB, seed broadcast.Tree) (broadcast.Tree, error) {
	rows, err := db.AreaFacts(ctx)
	if err != nil || len(rows) == 0 {
		return seed, err
	}
	return treeOf(rows)
}

// Fixed is a tree that nobody changes.
func Fixed(t broadcast.Tree) func() broadcast.Tree { return func() broadcast.Tree { return t } }

// factsOf are the rows of areas of which the first comes after place others.
func factsOf(areas []broadcast.Area, place int64, plan broadcast.Digest) ([]store.AreaFact, error) {
	var out []store.AreaFact
	for i, a := range areas {
		for _, f := range a.Facts {
			raw, err := broadcast.Encode(f)
			if err != nil {
				return nil, fmt.Errorf("area %s: %w", a.ID, err)
			}
			out = append(out, store.AreaFact{Area: a.ID, From: f.From, Place: place + int64(i), Fact: string(raw), Plan: plan})
		}
	}
	return out, nil
}

func treeOf(rows []store.AreaFact) (broadcast.Tree, error) {
	areas, err := areasOf(rows)
	if err != nil {
		return broadcast.Tree{}, err
	}
	return grow(areas)
}

// areasOf reads rows that stand in order.
func areasOf(rows []store.AreaFact) ([]broadcast.Area, error) {
	var out []broadcast.Area
	for _, r := range rows {
		f, err := broadcast.Decode[broadcast.Fact]([]byte(r.Fact))
		if err != nil {
			return nil, fmt.Errorf("area %s: %w", r.Area, err)
		}
		if len(out) == 0 || out[len(out)-1].ID != r.Area {
			out = append(out, broadcast.Area{ID: r.Area})
		}
		last := &out[len(out)-1]
		last.Facts = append(last.Facts, f)
	}
	return out, nil
}

// errCircle means that areas would lie in one another.
var errCircle = errors.New("areas cannot lie in one another, also not on different days; make a new area instead")

// grow makes a tree of areas in any order: each comes after all that it ever lay
// in, and otherwise as given.
func grow(areas []broadcast.Area) (broadcast.Tree, error) {
	var sorted []broadcast.Area
	done := map[broadcast.ID]bool{}
	for len(sorted) < len(areas) {
		before := len(sorted)
		for _, a := range areas {
			if !done[a.ID] && !slices.ContainsFunc(a.Facts, func(f broadcast.Fact) bool { return f.Parent != "" && !done[f.Parent] }) {
				done[a.ID], sorted = true, append(sorted, a)
			}
		}
		if len(sorted) == before {
			return broadcast.Tree{}, missing(areas, done)
		}
	}
	return broadcast.TreeOf(sorted)
}

// missing says why some areas found no place.
func missing(areas []broadcast.Area, done map[broadcast.ID]bool) error {
	known := map[broadcast.ID]bool{}
	for _, a := range areas {
		known[a.ID] = true
	}
	for _, a := range areas {
		for _, f := range a.Facts {
			if f.Parent != "" && !known[f.Parent] {
				return fmt.Errorf("area %s: there is no area %s for it to lie in", a.ID, f.Parent)
			}
		}
	}
	for _, a := range areas {
		if !done[a.ID] {
			return fmt.Errorf("area %s: %w", a.ID, errCircle)
		}
	}
	return errCircle
}
