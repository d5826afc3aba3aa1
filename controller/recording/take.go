package recording

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/store"
)

// Append takes the bytes of a recording from an offset on, which must be where
// what is here ends, and returns how many are here then. What came before an
// error stays, unless that is ErrBytes. One that is here already is taken as it is.
func (a *Archive) Append(ctx context.Context, node broadcast.ID, sha broadcast.Digest, offset int64, from io.Reader) (int64, error) {
	return a.take(ctx, node, sha, part, from, func(f *os.File) (int64, error) {
		size, err := f.Seek(0, io.SeekEnd)
		if err == nil && size != offset {
			err = fmt.Errorf("%w: it begins at %d, and %d are here", ErrOffset, offset, size)
		}
		return size, err
	})
}

// Put takes a whole recording, as somebody brought it. It may run beside another
// process that serves the archive: it writes where nobody else does.
func (a *Archive) Put(ctx context.Context, node broadcast.ID, sha broadcast.Digest, from io.Reader) error {
	r, err := a.known(ctx, node, sha)
	if err != nil {
		return err
	}
	held, err := a.take(ctx, node, sha, hand, from, func(f *os.File) (int64, error) { return 0, f.Truncate(0) })
	if err == nil && held < r.Bytes {
		err = fmt.Errorf("%d of %d bytes: %w", held, r.Bytes, io.ErrUnexpectedEOF)
	}
	if err != nil && !errors.Is(err, ErrBusy) {
		err = errors.Join(err, remove(hand(a.file(r))))
	}
	return err
}

// take writes to what is on its way from where begin says, and has it looked at
// once it is whole.
func (a *Archive) take(ctx context.Context, node broadcast.ID, sha broadcast.Digest, way func(string) string, from io.Reader, begin func(*os.File) (int64, error)) (held int64, err error) {
	r, err := a.known(ctx, node, sha)
	if err != nil {
		return 0, err
	}
	leave, err := a.enter(r)
	if err != nil {
		return 0, err
	}
	defer leave()
	if r, err = a.known(ctx, node, sha); err != nil || r.Here != 0 {
		return r.Bytes, err // it came meanwhile
	}
	if err := a.fits(r); err != nil {
		return 0, err
	}
	f, err := a.open(r, way(a.file(r)))
	if err != nil {
		return 0, err
	}
	held, err = pour(f, r.Bytes, from, begin)
	if err == nil && held == r.Bytes {
		if err = verify(f, r); err == nil {
			err = f.Sync()
		}
	}
	err = errors.Join(err, f.Close())
	switch {
	case errors.Is(err, ErrBytes):
		a.cfg.Log.WarnContext(ctx, "a recording is not what its receipt named", "node", node, "recording", sha.Short())
		return 0, errors.Join(err, remove(f.Name()))
	case err != nil || held < r.Bytes:
		return held, err
	}
	return held, a.accept(ctx, r, f.Name())
}

// fits says whether there is room for a recording, whatever is there of it already.
func (a *Archive) fits(r store.Recording) error {
	if r.Bytes > Longest {
		return fmt.Errorf("%d bytes: %w", r.Bytes, ErrSize)
	}
	list, err := os.ReadDir(filepath.Dir(a.file(r)))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	total := r.Bytes
	for _, e := range list {
		if info, err := e.Info(); err == nil && !strings.HasPrefix(e.Name(), string(r.SHA256)) {
			total += info.Size()
		}
	}
	if total > room {
		return ErrRoom
	}
	return nil
}

// open opens what is on its way. What was whole before the database heard of it
// is on its way once more.
func (a *Archive) open(r store.Recording, way string) (*os.File, error) {
	name := a.file(r)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	if err := os.Rename(name, part(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(way, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.Size() >= r.Bytes { // see Held
		return f, f.Truncate(r.Bytes - 1)
	}
	return f, nil
}

// pour appends what comes, as far as of bytes go; what follows is ErrSize.
func pour(f *os.File, of int64, from io.Reader, begin func(*os.File) (int64, error)) (int64, error) {
	held, err := begin(f)
	if err != nil {
		return held, err
	}
	if _, err := f.Seek(held, io.SeekStart); err != nil {
		return held, err
	}
	n, err := io.Copy(f, io.LimitReader(from, of-held))
	if held += n; err == nil && held == of {
		if more, _ := io.ReadFull(from, make([]byte, 1)); more > 0 {
			return held, errors.Join(ErrSize, ErrBytes)
		}
	}
	return held, err
}

// verify reads a whole recording once.
func verify(f *os.File, r store.Recording) error {
	head, sum := make([]byte, media.VoiceHeader), sha256.New()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.ReadFull(io.TeeReader(f, sum), head); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	if _, err := io.Copy(sum, f); err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != string(r.SHA256) || !bytes.Equal(head, media.VoiceHead(r.Bytes-media.VoiceHeader)) {
		return ErrBytes
	}
	return nil
}

// accept puts a whole recording into its place, and then says so.
func (a *Archive) accept(ctx context.Context, r store.Recording, from string) error {
	name := a.file(r)
	err := os.Rename(from, name)
	if err == nil {
		err = remove(part(name))
	}
	if err != nil {
		return err
	}
	for _, dir := range []string{filepath.Dir(name), a.cfg.Dir} {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	r.Here = max(1, a.now())
	if err := a.save(ctx, r); err != nil {
		return err
	}
	a.cfg.Log.InfoContext(ctx, "a recording is here", "node", r.Node, "announcement", r.Announcement, "recording", r.SHA256.Short())
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
