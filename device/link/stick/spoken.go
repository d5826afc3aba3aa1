package stick

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/device/speech"
	"github.com/loaxa/loaxa/device/store"
)

// Tapes are the recordings of what was spoken at the box; see speech.Booth.
type Tapes interface {
	Waiting() ([]string, error)
	Take(name string) (speech.Recording, error)
}

// bring puts onto the stick what was spoken and is not on it. What does not fit
// waits for another stick.
func (s *Slot) bring(ctx context.Context) {
	if s.cfg.Tapes == nil {
		return
	}
	names, err := s.cfg.Tapes.Waiting()
	if err != nil {
		s.cfg.Log.Warn("recordings of what was spoken cannot be found", "err", err)
	}
	for _, name := range names {
		if s.brought[name] || ctx.Err() != nil {
			continue
		}
		if s.brought == nil {
			s.brought = map[string]bool{}
		}
		s.brought[name] = true
		file, err := Bring(s.cfg.FS, s.cfg.Folder, s.cfg.Name, s.cfg.Tapes, name)
		switch {
		case err != nil:
			s.cfg.Log.Warn("what was spoken is not on the stick", "announcement", name, "err", err)
		case file != "":
			s.cfg.Log.Info("what was spoken is on the stick", "announcement", name, "file", file)
		}
	}
}

// Bring puts one recording into a folder, whole or not at all, and returns the
// name of its file; that is empty if there is no recording any more. One that
// stands there is not written again.
func Bring(fs store.FS, folder string, node broadcast.ID, from Tapes, name string) (file string, err error) {
	r, err := from.Take(name)
	if errors.Is(err, os.ErrNotExist) || err == nil && r.File == nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = r.File.Close() }() // opened for reading
	file = pack.RecordingName(node, r.SHA256)
	path := filepath.Join(folder, file)
	if have, err := fs.Stat(path); err == nil && have.Size == r.Bytes {
		return file, nil
	}
	if err := copied(fs, path+".new", r.File); err != nil {
		return "", errors.Join(err, fs.Remove(path+".new"))
	}
	return file, errors.Join(fs.Rename(path+".new", path), fs.SyncDir(folder))
}

// copied writes a file anew from its beginning.
func copied(fs store.FS, path string, from io.Reader) error {
	f, err := fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.NewOffsetWriter(f, 0), from)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
