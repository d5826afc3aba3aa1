// Package stick takes packs from a USB stick and leaves receipts on it.
//
// It promises that a stick is one more carrier and nothing else: every document
// on it goes before the same judge as what the broker brings, every recording is
// known by its hash, and a stick full of lies changes nothing. It may be pulled
// out at any moment: what was taken stays, what was not is taken the next time,
// and a file of receipts is there whole, as it was before, or not at all. It
// writes nothing but receipts, and only beside a pack.
//
// How: a folder where the system mounts sticks is looked at every two seconds.
// Pack files in it (pack.Suffix) are read once as long as they stay; a stick
// that is plugged in anew is read anew. Of several packs one that bears the name
// of this node is enough. The node's receipts are written beside them, a file to
// a chain, and again while the node goes on proving things.
package stick

import (
	"context"
	"errors"
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

// Config is what a slot works with; all of it is needed.
type Config struct {
	// Name is the node's, Folder where sticks are mounted.
	Name   broadcast.ID
	Folder string
	FS     store.FS
	Node   Node
	Log    *slog.Logger
}

// Slot is where sticks are plugged in. Make one with New.
type Slot struct {
	cfg Config
	// taken are the packs that were read since they were plugged in.
	taken []store.Entry
	// told is what was last written on this stick, wrote when.
	told  node.Told
	wrote time.Time
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
		s.taken, s.told, s.wrote = nil, node.Told{}, time.Time{}
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
	}
}

// mine are the packs to read: the one with this node's name, or else all.
func (s *Slot) mine(list []store.Entry) []store.Entry {
	packs := slices.DeleteFunc(slices.Clone(list), func(e store.Entry) bool {
		return !strings.HasSuffix(e.Name, pack.Suffix) || strings.HasPrefix(e.Name, ".")
	})
	if i := slices.IndexFunc(packs, func(e store.Entry) bool { return e.Name == string(s.cfg.Name)+pack.Suffix }); i >= 0 {
		return packs[i : i+1]
	}
	return packs[:min(len(packs), mostPacks)]
}

// tally counts what became of the entries of a pack.
type tally struct{ documents, refused, objects, unwanted int }

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
	t, err := s.unpack(ctx, io.NewSectionReader(f, 0, e.Size))
	words := []any{"pack", e.Name, "documents", t.documents, "refused", t.refused, "recordings", t.objects, "not_needed", t.unwanted}
	if err != nil {
		s.cfg.Log.Warn("a pack was taken in part", append(words, "err", err)...)
		return
	}
	s.cfg.Log.Info("a pack was taken", words...)
}

// maxRefused bounds what a stick can make the node judge in vain.
const maxRefused = 2000

// errLies ends a pack of which nothing is believed.
var errLies = errors.New("too much of it is not believed")

func (s *Slot) unpack(ctx context.Context, file *io.SectionReader) (t tally, err error) {
	r := pack.NewReader(file)
	for {
		e, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return t, nil
		case err != nil:
			return t, err
		case t.refused > maxRefused:
			return t, errLies
		case e.Sort == pack.Document:
			err = s.document(ctx, r, &t)
		default:
			err = s.object(ctx, file, e, &t)
		}
		if err != nil {
			return t, err
		}
	}
}

// document hands one over. That it is not believed is no error of the pack.
func (s *Slot) document(ctx context.Context, r io.Reader, t *tally) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	err = s.cfg.Node.Offer(ctx, raw)
	if err == nil || errors.Is(err, node.ErrWaits) {
		t.documents++
		return nil
	}
	t.refused++
	s.cfg.Log.Debug("a document of the pack is not believed", "err", err)
	return ctx.Err()
}

// object hands over what a document names. The archive's reader stands at its
// first byte and finds its own way on from there.
func (s *Slot) object(ctx context.Context, file *io.SectionReader, e pack.Entry, t *tally) error {
	at, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	err = s.cfg.Node.Take(ctx, e.Sum, e.Size, io.NewSectionReader(file, at, e.Size))
	switch {
	case err == nil:
		t.objects++
	case errors.Is(err, node.ErrUnwanted):
		t.unwanted++
	default:
		t.refused++
		s.cfg.Log.Info("a recording of the pack was not taken", "sum", e.Sum.Short(), "err", err)
	}
	return ctx.Err()
}
