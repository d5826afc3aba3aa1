package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// maxAbout bounds what a backup says of itself, and a key file, in bytes.
const maxAbout = 4 << 10

// Report is what a backup turned out to hold.
type Report struct {
	About
	// Rows is the length of its audit log, which is whole.
	Rows int64
	// Recordings are inside; of those that the database names, Absent are not.
	Recorded int
	Absent   []broadcast.Digest
}

// place says where a file of a backup goes; empty leaves it out.
type place func(name string) string

// reading is a backup as it is read.
type reading struct {
	in    *tar.Reader
	about About
	// key is the text of the service key.
	key  []byte
	held map[broadcast.Digest]bool
}

// open reads what a backup says of itself.
func open(r io.Reader, passphrase string) (*reading, error) {
	opened, err := newOpener(r, passphrase)
	if err != nil {
		return nil, err
	}
	b := &reading{in: tar.NewReader(opened), held: map[broadcast.Digest]bool{}}
	first, err := b.in.Next()
	if err != nil {
		return nil, opening(err)
	}
	if first.Name != aboutName {
		return nil, ErrFormat
	}
	text, err := io.ReadAll(io.LimitReader(b.in, maxAbout))
	if err != nil {
		return nil, opening(err)
	}
	if err := json.Unmarshal(text, &b.about); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return b, nil
}

// opening tells a damaged file from an error of the disk that it lies on.
func opening(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrHeader) {
		return errors.Join(ErrOpen, err)
	}
	return err
}

// unpack reads a backup to its end, which is when it is known to be whole.
func (b *reading) unpack(ctx context.Context, where place) error {
	for {
		head, err := b.in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return opening(err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if head.Typeflag != tar.TypeReg || !filepath.IsLocal(head.Name) || path.Clean(head.Name) != head.Name {
			return fmt.Errorf("%w: it holds %q, which no house has", ErrFormat, head.Name)
		}
		if err := b.file(head.Name, where(head.Name)); err != nil {
			return fmt.Errorf("%s: %w", head.Name, err)
		}
	}
}

// file takes one file out; a recording whose bytes are not those of its name is an
// error.
func (b *reading) file(name, to string) error {
	if name == keyName {
		text, err := io.ReadAll(io.LimitReader(b.in, maxAbout))
		b.key = text
		return err
	}
	out := io.Discard
	var made *os.File
	if to != "" {
		err := os.MkdirAll(filepath.Dir(to), 0o700)
		if err == nil {
			made, err = os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		}
		if err != nil {
			return err
		}
		out = made
	}
	sum := sha256.New()
	_, err := io.Copy(io.MultiWriter(out, sum), b.in)
	if made != nil {
		err = errors.Join(err, made.Sync(), made.Close())
	}
	if err != nil || !strings.HasPrefix(name, contentName+"/") {
		return err
	}
	digest := hex.EncodeToString(sum.Sum(nil))
	if digest != path.Base(name) {
		return errors.New("the recording was damaged before the backup was made; make another one")
	}
	b.held[broadcast.Digest(digest)] = true
	return nil
}

// report reads the database and lays what it names beside what was there.
func (b *reading) report(ctx context.Context, db *store.DB) (Report, error) {
	out := Report{About: b.about, Recorded: len(b.held)}
	if err := errors.Join(db.Check(ctx), db.VerifyAudit(ctx)); err != nil {
		return out, err
	}
	head, err := db.AuditHead(ctx)
	if err != nil {
		return out, err
	}
	out.Rows = head.Length
	names, err := db.ContentNames(ctx)
	for _, name := range names {
		if !b.held[name] {
			out.Absent = append(out.Absent, name)
		}
	}
	return out, err
}

// Verify reads a whole backup and its database and says what it holds. Nothing of
// it is left on the disk.
func Verify(ctx context.Context, r io.Reader, passphrase string) (out Report, err error) {
	b, err := open(r, passphrase)
	if err != nil {
		return out, err
	}
	tmp, err := os.MkdirTemp("", "loaxa-verify-")
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	err = b.unpack(ctx, func(name string) string {
		if name == dbName {
			return filepath.Join(tmp, name)
		}
		return ""
	})
	if err != nil {
		return out, err
	}
	if len(b.key) == 0 {
		return out, fmt.Errorf("%w: it lacks the service key", ErrFormat)
	}
	db, err := store.Open(ctx, tmp)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return b.report(ctx, db)
}
