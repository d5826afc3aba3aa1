package speech

import (
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
)

// What stands in the folder, by the end of its name. A recording that the centre
// has is called otherwise; one that had to go before leaves a note with its digest.
const (
	suffix = ".wav"
	sent   = ".sent.wav"
	gone   = ".gone"
	// mostGone is how many such notes wait, the newest.
	mostGone = 256
	// longest is the longest speech, for which there is always room.
	longest = header + 2*rate*int64(broadcast.MaxSpeech/1e9)
)

// Recording is what was spoken under one name.
type Recording struct {
	broadcast.Content
	// File has its bytes and is for whoever asked to close; nil if they are gone,
	// and then the Content is its digest alone.
	File io.ReadSeekCloser
}

// entry is a file of the folder.
type entry struct {
	name, is string // is the end of its name
	bytes    int64
}

// entries are the files of the folder in the order of their names, which is that
// in which they came.
func (b *Booth) entries() ([]entry, error) {
	list, err := os.ReadDir(b.cfg.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var out []entry
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			continue // it went meanwhile
		}
		for _, is := range []string{sent, suffix, gone} {
			if name, found := strings.CutSuffix(e.Name(), is); found {
				out = append(out, entry{name, is, info.Size()})
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b entry) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.is, b.is)) })
	return out, err
}

func (b *Booth) path(name, is string) string { return filepath.Join(b.cfg.Dir, filepath.Base(name)+is) }

// Kept returns what was recorded under a name, made whole if the power cut it.
// The error is os.ErrNotExist if nothing was.
func (b *Booth) Kept(name string) (broadcast.Content, error) {
	f, err := os.OpenFile(b.file(name), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		f, err = os.OpenFile(b.path(name, sent), os.O_RDWR, 0)
	}
	if err != nil {
		return broadcast.Content{}, err
	}
	c, err := whole(f)
	return c, errors.Join(err, f.Close())
}

// Waiting names what the centre is still to hear of, the oldest first. What is
// spoken just now is not among it.
func (b *Booth) Waiting() ([]string, error) {
	b.mu.Lock()
	now := ""
	if b.now != nil {
		now = b.now.name
	}
	b.mu.Unlock()
	all, err := b.entries()
	var out []string
	for _, e := range all {
		if e.is != sent && e.name != now && !slices.Contains(out, e.name) {
			out = append(out, e.name)
		}
	}
	return out, err
}

// Take opens what the centre is to hear of under a name. It reads all of it.
func (b *Booth) Take(name string) (Recording, error) {
	f, err := os.OpenFile(b.file(name), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		note, err := os.ReadFile(b.path(name, gone))
		sum := broadcast.Digest(note)
		if err == nil {
			err = sum.Validate()
		}
		return Recording{Content: broadcast.Content{SHA256: sum}}, err
	}
	if err != nil {
		return Recording{}, err
	}
	c, err := whole(f)
	if err != nil {
		return Recording{}, errors.Join(err, f.Close())
	}
	return Recording{c, f}, nil
}

// Sent notes that the centre has a recording, or knows that it is gone.
func (b *Booth) Sent(name string) error {
	err := os.Rename(b.file(name), b.path(name, sent))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, remove(b.path(name, gone)))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// Tidy deletes the recordings that nobody wants kept. One that the centre does
// not have stays all the same until the next speech would find no room, or the
// card has none for what matters more (tight): then the oldest goes first, and a
// note of it stays.
func (b *Booth) Tidy(keep func(name string) bool, tight bool) error {
	all, err := b.entries()
	errs := []error{err}
	var unsent, notes []entry
	total := int64(0)
	for _, e := range all {
		switch {
		case e.is == gone:
			notes = append(notes, e)
		case keep(e.name):
		case e.is == sent:
			errs = append(errs, remove(b.path(e.name, e.is)))
			continue
		default:
			unsent = append(unsent, e)
		}
		total += e.bytes
	}
	for _, e := range unsent {
		if tight || total > room-longest {
			total -= e.bytes
			errs = append(errs, b.lose(e.name))
		}
	}
	for _, e := range notes[:max(0, len(notes)-mostGone)] {
		errs = append(errs, remove(b.path(e.name, e.is)))
	}
	return errors.Join(errs...)
}

// lose lets a recording go that the centre does not have, once a note of it is
// on the card.
func (b *Booth) lose(name string) error {
	r, err := b.Take(name)
	if errors.Is(err, os.ErrNotExist) { // it holds no sound
		return remove(b.file(name))
	}
	if err == nil && r.File != nil {
		err = r.File.Close()
	}
	if err != nil {
		return err
	}
	b.cfg.Log.Error("a recording goes before the centre has it: its time is over and the room is needed", "speech", name, "recording", r.SHA256.Short(), "ms", r.Millis)
	f, err := os.Create(b.path(name, gone))
	if err != nil {
		return err
	}
	_, err = f.WriteString(string(r.SHA256))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return remove(b.file(name))
}
