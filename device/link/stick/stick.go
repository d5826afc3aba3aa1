// Package stick takes packs from a USB stick and leaves receipts on it.
//
// It promises that a stick is one more carrier and nothing else: every document
// on it goes before the same judge as what the broker brings, every recording is
// known by its hash, and a stick full of lies changes nothing. It may be pulled
// out at any moment: what was taken stays, what was not is taken the next time,
// and a file of receipts is there whole, as it was before, or not at all. It
// writes nothing but receipts and what was spoken at the box, only beside a pack.
//
// How: a folder where the system mounts sticks is looked at every two seconds.
// Pack files in it (pack.Suffix) are read once as long as they stay; a stick
// that is plugged in anew is read anew. Of several packs one that bears the name
// of this node is enough. The node's receipts are written beside them, a file to
// a chain, and again while the node goes on proving things; what was spoken at
// the box and the centre lacks follows, a file to a recording.
package stick

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/store"
)

// Node is who takes what a stick brings; see node.Node.
type Node interface {
	Offer(ctx context.Context, raw []byte) error
	Take(ctx context.Context, sum broadcast.Digest, size int64, r io.ReadSeeker) error
	Receipts(ctx context.Context) (node.Told, error)
}

// Config is what a slot works with; all of it but Tapes is needed.
type Config struct {
	// Name is the node's, Folder where sticks are mounted.
	Name   broadcast.ID
	Folder string
	FS     store.FS
	Node   Node
	Log    *slog.Logger
	// Tapes are what was spoken at the box; nil for none.
	Tapes Tapes
}

// Slot is where sticks are plugged in. Make one with New.
type Slot struct {
	cfg Config
	// taken are the packs that were read since they were plugged in.
	taken []store.Entry
	// told is what was last written on this stick, wrote when.
	told  node.Told
	wrote time.Time
	// brought are the recordings that are on this stick, or do not fit on it.
	brought map[string]bool
}

// New returns a slot that does nothing until Serve.
func New(cfg Config) *Slot { return &Slot{cfg: cfg} }

const (
	lookEvery = 2 * time.Second
	tellEvery = 20 * time.Second
	mostPacks = 16
)

// Serve takes what is plugged in until ctx ends.
func (s *Slot) Serve(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			s.look(ctx, now)
		}
	}
}

// look takes packs that are new and tells what the node proved since.
func (s *Slot) look(ctx context.Context, now time.Time) {
	list, err := s.cfg.FS.ReadDir(s.cfg.Folder)
	packs := s.mine(list)
	if err != nil || len(packs) == 0 {
		s.taken, s.told, s.wrote, s.brought = nil, node.Told{}, time.Time{}, nil
		return
	}
	fresh := false
	for _, p := range packs {
		if !slices.Contains(s.taken, p) {
			fresh = true
			s.taken = append(s.taken, p)
			s.take(ctx, p)
		}
	}
	s.taken = slices.DeleteFunc(s.taken, func(p store.Entry) bool { return !slices.Contains(packs, p) })
	if fresh || now.Sub(s.wrote) >= tellEvery {
		s.wrote = now
		s.tell(ctx)
		s.bring(ctx)
	}
}

// mine are the packs to read.
func (s *Slot) mine(list []store.Entry) []store.Entry {
	return Mine(s.cfg.Name, list, func(e store.Entry) string { return e.Name })
}

// Mine chooses of the files in a folder the packs that a node reads: the one
// with its name, or else all, of which only so many are read.
func Mine[File any](id broadcast.ID, list []File, name func(File) string) []File {
	packs := slices.DeleteFunc(slices.Clone(list), func(f File) bool {
		return !strings.HasSuffix(name(f), pack.Suffix) || strings.HasPrefix(name(f), ".")
	})
	if i := slices.IndexFunc(packs, func(f File) bool { return name(f) == string(id)+pack.Suffix }); i >= 0 {
		return packs[i : i+1]
	}
	return packs[:min(len(packs), mostPacks)]
}

// take reads one pack. What goes wrong ends it and is said; the next stick is
// another try.
func (s *Slot) take(ctx context.Context, e store.Entry) {
	path := filepath.Join(s.cfg.Folder, e.Name)
	f, err := s.cfg.FS.OpenFile(path, readOnly)
	if err != nil {
		s.cfg.Log.Warn("a pack cannot be opened", "pack", e.Name, "err", err)
		return
	}
	defer func() { _ = f.Close() }() // nothing was written
	t, err := Unpack(ctx, s.cfg.Node, io.NewSectionReader(f, 0, e.Size), s.refused)
	words := []any{"pack", e.Name, "documents", t.Documents, "waiting", t.Waiting, "refused", t.Refused, "recordings", t.Recordings, "not_needed", t.Unneeded}
	if err != nil {
		s.cfg.Log.Warn("a pack was taken in part", append(words, "err", err)...)
		return
	}
	s.cfg.Log.Info("a pack was taken", words...)
}

// refused logs what was not taken.
func (s *Slot) refused(what string, err error) {
	s.cfg.Log.Debug("something of the pack was not taken", "what", what, "err", err)
}
