package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Durable is the part of an open file that decides what survives a power cut.
type Durable interface {
	// Sync returns nil only when everything written so far is on the medium.
	Sync() error
	// Truncate changes the length; bytes beyond the old end read as zero.
	Truncate(size int64) error
	// Close gives the descriptor back; it promises nothing about the medium.
	Close() error
}

// File is an open file, read and written at explicit offsets only.
type File interface {
	io.ReaderAt
	io.WriterAt
	Durable
}

// Entry is one file in a directory.
type Entry struct {
	// Name is the base name.
	Name string
	// Size is the length in bytes.
	Size int64
	// Modified is the time of the last write, by a clock that may be wrong:
	// good enough to order files by age, and used for nothing else.
	Modified time.Time
}

// FS is all that the store asks of a file system. Every field must be set.
// Paths use the separator of the machine; flags are those of package os.
type FS struct {
	// OpenFile opens or, with os.O_CREATE, creates a file.
	OpenFile func(path string, flag int) (File, error)
	// Rename moves a file over another in one step.
	Rename func(from, to string) error
	// Remove deletes a file.
	Remove func(path string) error
	// Stat describes one file; the error wraps os.ErrNotExist when there is none.
	Stat func(path string) (Entry, error)
	// ReadDir lists the plain files of a directory.
	ReadDir func(dir string) ([]Entry, error)
	// SyncDir returns nil only when creations, renames and removals in the
	// directory are on the medium.
	SyncDir func(dir string) error
	// MkdirAll makes a directory that survives a cut, with its parents.
	MkdirAll func(dir string) error
}

// OS is the file system of the machine. Files are readable by their owner only.
func OS() FS {
	return FS{
		OpenFile: func(path string, flag int) (File, error) { return openOS(path, flag) },
		Rename:   os.Rename,
		Remove:   os.Remove,
		Stat:     statOS,
		ReadDir:  readDirOS,
		SyncDir:  syncDirOS,
		MkdirAll: mkdirOS,
	}
}

func openOS(path string, flag int) (File, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err // a nil *os.File inside a File would not compare equal to nil
	}
	return osFile{f}, nil
}

func statOS(path string) (Entry, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Entry{}, err
	}
	return Entry{Name: info.Name(), Size: info.Size(), Modified: info.ModTime()}, nil
}

func readDirOS(dir string) ([]Entry, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(list))
	for _, e := range list {
		info, err := e.Info()
		if errors.Is(err, os.ErrNotExist) {
			continue // removed since it was listed
		}
		if err != nil {
			return nil, err
		}
		if info.Mode().IsRegular() {
			entries = append(entries, Entry{Name: e.Name(), Size: info.Size(), Modified: info.ModTime()})
		}
	}
	return entries, nil
}

func syncDirOS(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		_ = d.Close() // the failed sync is what matters
		return err
	}
	return d.Close()
}

func mkdirOS(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := mkdirOS(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDirOS(parent)
}

// writeWhole writes data to a new file at path and makes its bytes durable. The
// file's name is durable only after a SyncDir. On failure nothing is left but,
// at worst, a file that the caller's next sweep removes.
func (fs FS) writeWhole(path string, data []byte) error {
	// A new file rather than a reused one: after a failed sync the kernel may
	// report the next sync of the same file as good without the lost pages.
	if err := fs.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("clear %s: %w", filepath.Base(path), err)
	}
	f, err := fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = fs.Remove(path) // best effort: it is swept at the next opening
		return err
	}
	return nil
}

// readBlock is how much is given up around a sector that cannot be read.
const readBlock = 4096

// readAll returns the first size bytes of a file. Blocks that the card refuses
// to give read as zeros, and gap says why: they are not known to be spoiled.
func (fs FS) readAll(path string, size int64) (data []byte, gap, err error) {
	f, err := fs.OpenFile(path, os.O_RDONLY)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading: closing loses nothing
	data = make([]byte, size)
	n, err := f.ReadAt(data, 0)
	if err == nil || errors.Is(err, io.EOF) {
		return data[:n], nil, nil
	}
	for off := int64(0); off < size; off += readBlock {
		block := data[off:min(off+readBlock, size)]
		if _, err := f.ReadAt(block, off); err != nil && !errors.Is(err, io.EOF) {
			clear(block)
			gap = err
		}
	}
	return data, gap, nil
}
