package store

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Sum names a content: the SHA-256 of all its bytes.
type Sum = [sha256.Size]byte

// Errors that a caller of Contents tells apart.
var (
	// ErrMissing means that the content is not held; fetch it.
	ErrMissing = errors.New("content is not held")
	// ErrBadHash means that the bytes were not those the name promises. They
	// have been thrown away; fetch the content again.
	ErrBadHash = errors.New("content does not match its hash")
	// ErrBusy means that a download of this content is open already.
	ErrBusy = errors.New("content is being written already")
)

// ContentLimits bound Contents. Both are in bytes and must be positive.
type ContentLimits struct {
	// File is the longest single content.
	File int64
	// Quota bounds all contents and unfinished downloads together.
	Quota int64
}

// Contents is a cache of immutable files named by their SHA-256.
//
// A content is visible only after its whole length was on the medium and its
// hash was checked. When room is needed the least recently used content that
// nobody prefers goes first, then what stands lower in the order of preference
// than what needs the room; downloads in progress never go, and nothing goes
// when it would not help. Safe for use by several goroutines.
type Contents struct {
	fs  FS
	dir string
	lim ContentLimits

	mu    sync.Mutex
	held  map[Sum]*content
	rank  map[Sum]int // place in the order of preference, from 0
	used  int64
	clock int64 // counts uses, to order them
}

// content is one file of the cache.
type content struct {
	size    int64 // bytes it takes, or will take while it is being written
	use     int64 // Contents.clock at its last use
	partial bool
	busy    bool  // a Partial is open
	trusted int64 // bytes of a partial that are known to be on the medium, -1 when the file must be looked at
	length  int64 // bytes of a partial in the file as found at opening
}

const partialSuffix = ".part"

// OpenContents opens the cache in dir, making the folder when it is missing.
// Contents found there count as held; Verify them before the first sound.
func OpenContents(fs FS, dir string, lim ContentLimits) (*Contents, error) {
	if lim.File <= 0 || lim.Quota < lim.File {
		return nil, fmt.Errorf("open contents %s: limits %+v make no sense: want file > 0 and quota >= file", dir, lim)
	}
	if err := fs.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("open contents: make %s: %w", dir, err)
	}
	entries, err := fs.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open contents %s: %w", dir, err)
	}
	c := &Contents{fs: fs, dir: dir, lim: lim, held: map[Sum]*content{}}
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Modified.UnixNano(), b.Modified.UnixNano()) })
	for _, e := range entries {
		c.find(e)
	}
	return c, nil
}

func (c *Contents) find(e Entry) {
	stem, partial := strings.CutSuffix(e.Name, partialSuffix)
	raw, err := hex.DecodeString(stem)
	if err != nil || len(raw) != sha256.Size || stem != strings.ToLower(stem) {
		return // not ours: left alone
	}
	sum := Sum(raw)
	if other, twice := c.held[sum]; twice {
		// A repaired file system may give a renamed file both its names.
		_ = c.fs.Remove(c.path(sum, true)) // it counts for nothing either way
		c.used -= other.size
		if partial {
			e.Size = other.size
		}
		partial = false
	}
	c.clock++
	c.used += e.Size
	c.held[sum] = &content{size: e.Size, use: c.clock, partial: partial, trusted: -1, length: e.Size}
}

func (c *Contents) path(sum Sum, partial bool) string {
	name := hex.EncodeToString(sum[:])
	if partial {
		name += partialSuffix
	}
	return filepath.Join(c.dir, name)
}

// Has tells whether the whole content is held.
func (c *Contents) Has(sum Sum) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.held[sum]
	return e != nil && !e.partial
}

// Missing returns those of want that are not held, in the same order.
func (c *Contents) Missing(want []Sum) []Sum {
	c.mu.Lock()
	defer c.mu.Unlock()
	var missing []Sum
	for _, sum := range want {
		if e := c.held[sum]; e == nil || e.partial {
			missing = append(missing, sum)
		}
	}
	return missing
}

// Prefer replaces the order of preference: the earlier a content stands in it,
// the longer it stays. One of the order makes room for those before it only, one
// outside of it for all. What is preferred need not be held yet.
func (c *Contents) Prefer(order []Sum) {
	rank := make(map[Sum]int, len(order))
	for i, sum := range order {
		if _, twice := rank[sum]; !twice {
			rank[sum] = i
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rank = rank
}

// Used is the room in bytes that contents and unfinished downloads take.
func (c *Contents) Used() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used
}

// Held lists the whole contents, the one used longest ago first.
func (c *Contents) Held() []Sum {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []Sum
	for sum, e := range c.held {
		if !e.partial {
			list = append(list, sum)
		}
	}
	slices.SortFunc(list, func(a, b Sum) int { return cmp.Compare(c.held[a].use, c.held[b].use) })
	return list
}

// Drop gives up a content or its unfinished download, unless that is open. One
// that is not there is no error.
func (c *Contents) Drop(sum Sum) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.held[sum]; e != nil && e.busy {
		return fmt.Errorf("drop content %x: %w", sum[:4], ErrBusy)
	}
	return c.drop(sum)
}

// Shrink gives up what stands lower in the order of preference than a content,
// the lowest first, until it has freed so many bytes or there is no more: for a
// medium that is full although the quota is not. The error wraps ErrFull when
// nothing could go.
func (c *Contents) Shrink(sum Sum, bytes int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	freed := int64(0)
	for _, victim := range c.below(sum) {
		if freed >= bytes {
			break
		}
		size := c.held[victim].size
		if victim == sum || size == 0 {
			continue
		}
		if err := c.drop(victim); err != nil {
			return err
		}
		freed += size
	}
	if freed == 0 {
		return fmt.Errorf("%d bytes hold what is preferred or in use: %w", c.used, ErrFull)
	}
	return nil
}

// makeRoom evicts until need more bytes of a content fit. When they would not
// fit whatever went, nothing goes. c.mu is held.
func (c *Contents) makeRoom(sum Sum, need int64) error {
	over := c.used + need - c.lim.Quota
	if over <= 0 {
		return nil
	}
	victims := c.below(sum)
	for i, victim := range victims {
		if over -= c.held[victim].size; over <= 0 {
			victims = victims[:i+1]
			break
		}
	}
	if over > 0 {
		return fmt.Errorf("%d of %d bytes hold what is preferred or in use: %w", c.used, c.lim.Quota, ErrFull)
	}
	for _, victim := range victims {
		if err := c.drop(victim); err != nil {
			return err
		}
	}
	return nil
}

// below lists what may go for a content, in the order in which it goes. c.mu is
// held.
func (c *Contents) below(sum Sum) []Sum {
	mine, preferred := c.rank[sum]
	var list []Sum
	for other, e := range c.held {
		rank, ranked := c.rank[other]
		if !e.busy && (!ranked || preferred && rank > mine) {
			list = append(list, other)
		}
	}
	last := len(c.rank)
	place := func(s Sum) int {
		if rank, ranked := c.rank[s]; ranked {
			return rank
		}
		return last
	}
	slices.SortFunc(list, func(a, b Sum) int {
		return cmp.Or(cmp.Compare(place(b), place(a)), cmp.Compare(c.held[a].use, c.held[b].use))
	})
	return list
}

// drop deletes a content or an unfinished download. c.mu is held. A cut may
// bring the file back, which does no harm: its name still says what it is.
func (c *Contents) drop(sum Sum) error {
	e := c.held[sum]
	if e == nil {
		return nil
	}
	if err := c.fs.Remove(c.path(sum, e.partial)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove content %x: %w", sum[:4], err)
	}
	c.used -= e.size
	delete(c.held, sum)
	return nil
}
