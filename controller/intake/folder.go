package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// file is what receiving and storing need of one: os.File, or one whose disk is full.
type file interface {
	io.Writer
	Sync() error
	Close() error
	Name() string
}

// creator makes a new file of a unique name after a pattern in a folder (os.CreateTemp).
type creator func(dir, pattern string) (file, error)

func createFile(dir, pattern string) (file, error) { return os.CreateTemp(dir, pattern) }

// folder is the content folder: <two digits>/<sha256> for what was accepted, and .staging for what
// is under way. Both lie on one file system, so that accepting is one rename.
type folder struct {
	dir, staging string
	create       creator
}

// openFolder makes the folder where it is absent and sweeps the staging folder.
func openFolder(dir string, create creator) (folder, error) {
	f := folder{dir: dir, staging: filepath.Join(dir, ".staging"), create: create}
	if err := os.RemoveAll(f.staging); err != nil {
		return folder{}, fmt.Errorf("sweep what a crash left behind: %w", err)
	}
	if err := os.MkdirAll(f.staging, 0o700); err != nil {
		return folder{}, fmt.Errorf("make the content folder: %w", err)
	}
	return f, syncDir(dir)
}

// path returns where content of that name lies. What is not 64 lower-case hexadecimal digits does
// not exist.
func (f folder) path(name string) (string, error) {
	raw, err := hex.DecodeString(name)
	if err != nil || len(raw) != sha256.Size || hex.EncodeToString(raw) != name {
		return "", fmt.Errorf("content is named by its SHA-256 in lower case: %w", fs.ErrNotExist)
	}
	return filepath.Join(f.dir, name[:2], name), nil
}

// accept moves a flushed staged file to its place. Afterwards it survives a power cut. A sound copy
// that is there already stays untouched; a damaged one is replaced.
func (f folder) accept(staged, name string) error {
	place, err := f.path(name)
	if err != nil {
		return err
	}
	if holds(place, name) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return storing("make the content folder", err)
	}
	if err := os.Rename(staged, place); err != nil {
		return storing("accept the content", err)
	}
	if err := syncDir(filepath.Dir(place)); err != nil {
		return storing("flush the content folder", err)
	}
	return storing("flush the content folder", syncDir(f.dir))
}

// holds reports whether the file at place has the bytes that its name promises.
func holds(place, name string) bool {
	opened, err := os.Open(place)
	if err != nil {
		return false
	}
	defer opened.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, opened)
	return err == nil && hex.EncodeToString(hash.Sum(nil)) == name
}

// syncDir flushes the entries of a folder to the disk.
func syncDir(dir string) error {
	opened, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer opened.Close()
	return opened.Sync()
}

// storing wraps an error of the disk; a full one is a refusal that a person can act on.
func storing(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return refuse(DiskFull, fmt.Errorf("%s: %w", doing, err))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// sink writes one staged file up to a limit, and hashes what it writes.
type sink struct {
	file
	hash  interface{ Sum([]byte) []byte }
	both  io.Writer
	size  int64
	limit int64
}

// errFull is what a sink says at its limit.
var errFull = errors.New("more than the allowed length")

func (f folder) newSink(pattern string, limit int64) (*sink, error) {
	made, err := f.create(f.staging, pattern)
	if err != nil {
		return nil, storing("make a staged file", err)
	}
	hash := sha256.New()
	return &sink{file: made, hash: hash, both: io.MultiWriter(made, hash), limit: limit}, nil
}

// Write fails with errFull before the limit is passed.
func (s *sink) Write(p []byte) (int, error) {
	if s.size+int64(len(p)) > s.limit {
		return 0, errFull
	}
	n, err := s.both.Write(p)
	s.size += int64(n)
	return n, storing("write a staged file", err)
}

// finish flushes and closes the file and returns its SHA-256.
func (s *sink) finish() (string, error) {
	if err := s.Sync(); err != nil {
		s.Close()
		return "", storing("flush a staged file", err)
	}
	if err := s.Close(); err != nil {
		return "", storing("close a staged file", err)
	}
	return hex.EncodeToString(s.hash.Sum(nil)), nil
}

// abandon closes and removes the file.
func (s *sink) abandon() {
	s.Close()
	os.Remove(s.Name())
}
