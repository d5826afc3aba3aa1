package backup

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Names inside a backup: of what says what it is, and of files that are not taken
// as they lie there.
const (
	aboutName   = "backup.json"
	dbName      = "loaxa.db"
	keyName     = "service.key"
	contentName = "content"
)

// passing is what stands at the top of a data folder and is made anew by whoever
// serves it. Hidden files are left out everywhere.
var passing = map[string]bool{"broker": true, "speech": true, "listening.json": true, store.LockName: true, "lost+found": true,
	dbName: true, dbName + "-wal": true, dbName + "-shm": true}

// About is what a backup says of itself.
type About struct {
	Made broadcast.Instant `json:"made"`
	// Version is that of the program.
	Version string `json:"version"`
	// Fingerprint is the house's: what its cards pin.
	Fingerprint broadcast.Digest `json:"fingerprint"`
	// Recordings says whether they are inside.
	Recordings bool `json:"recordings"`
}

// Source is the house to back up. All of it is needed but Bare.
type Source struct {
	// Dir is the data folder, and DB its database.
	Dir         string
	DB          *store.DB
	Fingerprint broadcast.Digest
	Version     string
	// Bare leaves the recordings out: they are kept elsewhere.
	Bare bool
	Now  func() time.Time
}

// Make writes a backup, sealed under a passphrase. Its copy of the database lies in
// the data folder while it works, and never in the clear anywhere else.
func Make(ctx context.Context, from Source, passphrase string, cost people.Cost, w io.Writer) (About, error) {
	about := About{Made: broadcast.InstantOf(from.Now()), Version: from.Version, Fingerprint: from.Fingerprint, Recordings: !from.Bare}
	if err := people.CheckPassphrase("backup", passphrase); err != nil {
		return about, err
	}
	tmp, err := os.MkdirTemp(from.Dir, ".backup-")
	if err != nil {
		return about, fmt.Errorf("backup: %w", err)
	}
	snapshot := filepath.Join(tmp, dbName)
	err = from.DB.Snapshot(ctx, snapshot)
	if err == nil {
		err = from.write(ctx, about, snapshot, passphrase, cost, w)
	}
	if err = errors.Join(err, os.RemoveAll(tmp)); err != nil {
		return about, fmt.Errorf("backup: %w", err)
	}
	return about, nil
}

func (from Source) write(ctx context.Context, about About, snapshot, passphrase string, cost people.Cost, w io.Writer) error {
	sealed, err := newSealer(w, passphrase, cost)
	if err != nil {
		return err
	}
	out := tar.NewWriter(sealed)
	text, err := json.Marshal(about)
	if err != nil {
		return err
	}
	if err := out.WriteHeader(entry(aboutName, int64(len(text)))); err != nil {
		return err
	}
	if _, err := out.Write(text); err != nil {
		return err
	}
	if err := add(out, dbName, snapshot); err != nil {
		return err
	}
	if err := from.files(ctx, out); err != nil {
		return err
	}
	return errors.Join(out.Close(), sealed.Close())
}

// entry is the head of a file; who owns it, and when it was written, is the business
// of whoever restores it.
func entry(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX}
}

// files adds everything in the data folder that nobody can make again. It comes
// after the database, so that every recording which that names is there already.
func (from Source) files(ctx context.Context, out *tar.Writer) error {
	all, err := os.ReadDir(from.Dir)
	if err != nil {
		return err
	}
	for _, e := range all {
		if hidden(e.Name()) || passing[e.Name()] || from.Bare && e.Name() == contentName {
			continue
		}
		root, err := filepath.EvalSymlinks(filepath.Join(from.Dir, e.Name())) // recordings may lie on another disk
		if err != nil {
			return err
		}
		if err := addTree(ctx, out, e.Name(), root); err != nil {
			return err
		}
	}
	return nil
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

func addTree(ctx context.Context, out *tar.Writer, name, root string) error {
	return filepath.WalkDir(root, func(at string, e fs.DirEntry, err error) error {
		if err := errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		rel, err := filepath.Rel(root, at)
		switch {
		case err != nil:
			return err
		case rel != "." && hidden(e.Name()) && e.IsDir():
			return fs.SkipDir
		case e.IsDir(), rel != "." && hidden(e.Name()):
			return nil
		case !e.Type().IsRegular():
			return fmt.Errorf("%s is no plain file; move it out of the data folder, or put what it stands for in its place", at)
		}
		return add(out, path.Join(name, filepath.ToSlash(rel)), at)
	})
}

// add copies one file. One that is gone by now was let go of, and is not missed.
func add(out *tar.Writer, name, at string) error {
	f, err := os.Open(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // opened for reading
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := out.WriteHeader(entry(name, info.Size())); err != nil {
		return err
	}
	if _, err := io.CopyN(out, f, info.Size()); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	return nil
}
