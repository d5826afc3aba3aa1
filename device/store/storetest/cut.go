package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
)

// Seeds with a fixed meaning; every other one draws its losses at random.
const (
	// KeepAll: all that was done before the cut reached the medium in order.
	KeepAll uint64 = 0
	// KeepSynced: nothing reached the medium but what was synced.
	KeepSynced uint64 = 1
)

// sector is the unit in which a card writes or does not.
const sector = 512

// Cut returns the card as it may be found after the power failed when ops
// operations were done, with the losses drawn from seed, and the notes made up
// to then. The Disk itself goes on unharmed.
func (d *Disk) Cut(ops int, seed uint64) (after *Disk, notes []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := newCutter(d.log[:ops], seed)
	copies := map[*inode]*inode{}
	clone := func(f *inode) *inode {
		if copies[f] == nil {
			copies[f] = &inode{live: slices.Clone(f.durable)}
		}
		return copies[f]
	}
	names := map[string]*inode{}
	for path, f := range d.start {
		names[path] = clone(f)
	}
	for i, e := range c.log {
		switch e.op.Kind {
		case Write, Truncate:
			c.content(i, clone(e.file))
		case Create, Rename, Remove:
			c.name(i, names, clone)
		}
	}
	after = New()
	for _, f := range d.files {
		if g := copies[f]; g != nil {
			g.durable = slices.Clone(g.live)
			after.files = append(after.files, g)
		}
	}
	after.names, after.start = names, maps.Clone(names)
	for _, n := range d.notes {
		if n.before <= ops {
			notes = append(notes, n.text)
		}
	}
	return after, notes
}

type cutter struct {
	seed  uint64
	rng   *rand.Rand
	log   []entry
	files map[*inode]int // place of the last sync of a file
	dirs  map[string]int // and of a folder
}

func newCutter(log []entry, seed uint64) cutter {
	c := cutter{seed: seed, rng: rand.New(rand.NewPCG(seed, uint64(len(log)))), log: log, files: map[*inode]int{}, dirs: map[string]int{}}
	for i, e := range log {
		switch e.op.Kind {
		case Sync:
			c.files[e.file] = i
		case SyncDir:
			c.dirs[filepath.Clean(e.op.Path)] = i
		}
	}
	return c
}

// kept draws whether an operation that nothing forced to the medium is there.
func (c *cutter) kept() bool {
	switch c.seed {
	case KeepAll:
		return true
	case KeepSynced:
		return false
	}
	return c.rng.IntN(2) == 0
}

// content applies a write or truncation as far as it survives.
func (c *cutter) content(i int, f *inode) {
	e := c.log[i]
	apply := func(off int64, data []byte) { f.live = overlay(f.live, off, data) }
	if e.op.Kind == Truncate {
		if c.synced(i) || (!e.void && c.kept()) {
			f.live = resize(slices.Clone(f.live), e.op.Length)
		}
		return
	}
	switch {
	case c.synced(i):
		apply(e.op.Offset, e.data)
	case e.void:
		return
	case c.seed <= KeepSynced:
		if c.kept() {
			apply(e.op.Offset, e.data)
		}
	default:
		c.sectors(e, f, apply)
	}
}

// sectors lets some sectors of a write survive; the file may have grown to its
// full length all the same, with zeros where the data is missing.
func (c *cutter) sectors(e entry, f *inode, apply func(int64, []byte)) {
	end := e.op.Offset + int64(len(e.data))
	if c.kept() && end > int64(len(f.live)) {
		f.live = resize(f.live, end)
	}
	whole := c.rng.IntN(3) // 0: lost, 1: all of it, 2: some of it
	for off := e.op.Offset; off < end && whole > 0; {
		next := min(end, (off/sector+1)*sector)
		if whole == 1 || c.kept() {
			apply(off, e.data[off-e.op.Offset:next-e.op.Offset])
		}
		off = next
	}
}

// synced tells whether a later sync before the cut covers operation i.
func (c *cutter) synced(i int) bool {
	return !c.log[i].void && c.files[c.log[i].file] > i
}

// name applies a change of names as far as it survives.
func (c *cutter) name(i int, names map[string]*inode, clone func(*inode) *inode) {
	e := c.log[i]
	if c.dirs[filepath.Dir(e.op.Path)] <= i && !c.kept() {
		return
	}
	switch e.op.Kind {
	case Create:
		names[e.op.Path] = clone(e.file)
	case Rename:
		delete(names, e.op.Path)
		names[e.to] = clone(e.file)
	case Remove:
		delete(names, e.op.Path)
	}
}

// EveryCut runs scenario on an empty card, cuts the power after every single
// operation, with everything kept, with only the synced kept, and with losses
// more random losses, and hands each card found to check with the notes made
// before the cut. It returns the number of cards checked and the first
// complaint, which names the cut and the seed that show it again.
func EveryCut(scenario func(*Disk) error, check func(after *Disk, notes []string) error, losses int) (cards int, err error) {
	d := New()
	if err := scenario(d); err != nil {
		return 0, fmt.Errorf("scenario: %w", err)
	}
	for ops := range d.Ops() + 1 {
		for seed := range uint64(losses) + 2 {
			after, notes := d.Cut(ops, seed)
			cards++
			if err := check(after, notes); err != nil {
				return cards, fmt.Errorf("power cut after operation %d %s, loss seed %d: %w", ops, d.describe(ops), seed, err)
			}
		}
	}
	return cards, nil
}

func (d *Disk) describe(ops int) string {
	if ops == 0 {
		return "(before the first)"
	}
	e := d.log[ops-1]
	return fmt.Sprintf("(%s %s at %d, %d bytes)", e.op.Kind, filepath.Base(e.op.Path), e.op.Offset, e.op.Length)
}
