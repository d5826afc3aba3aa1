package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

// Reading is an open content. It goes on reading well when the content is
// evicted meanwhile.
type Reading struct {
	*io.SectionReader
	file File
}

// Close ends the reading.
func (r *Reading) Close() error { return r.file.Close() }

// Open opens a whole content for reading and counts as a use of it. It does
// not check the hash: Verify does. The error wraps ErrMissing when the content
// is not held.
func (c *Contents) Open(sum Sum) (*Reading, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.held[sum]
	if e == nil || e.partial {
		return nil, fmt.Errorf("open content %x: %w", sum[:4], ErrMissing)
	}
	f, err := c.fs.OpenFile(c.path(sum, false), os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		c.used -= e.size
		delete(c.held, sum) // somebody else removed it
		return nil, fmt.Errorf("open content %x: %w", sum[:4], ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("open content %x: %w", sum[:4], err)
	}
	c.clock++
	e.use = c.clock
	return &Reading{SectionReader: io.NewSectionReader(f, 0, e.size), file: f}, nil
}

// Verify reads the whole content again and checks its hash. Bytes that do not
// match are thrown away, so that the content is Missing and fetched again; the
// error then wraps ErrBadHash. Bytes that the card does not give are no verdict:
// that and every other error leaves the content held.
func (c *Contents) Verify(sum Sum) error { return c.VerifyAt(sum, nil) }

// VerifyAt is Verify at the pace of its caller, who is asked before each step of
// at most 64 KiB; an error of pace ends the reading without a verdict. It reads
// from the medium where the system lets it, not from memory.
func (c *Contents) VerifyAt(sum Sum, pace func(bytes int64) error) error {
	r, err := c.Open(sum)
	if err != nil {
		return err
	}
	if cached, ok := r.file.(interface{ forget() }); ok && pace != nil {
		cached.forget()
	}
	got, err := digest(paced{r.file, pace}, r.Size())
	_ = r.Close() // opened for reading
	switch {
	case err == nil && got == sum:
		return nil
	case err == nil:
		err = errMismatch
	case !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("verify content %x: %w", sum[:4], err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.held[sum]; e != nil && !e.partial {
		if derr := c.drop(sum); derr != nil {
			return fmt.Errorf("verify content %x: %w: %w", sum[:4], ErrBadHash, derr)
		}
	}
	return fmt.Errorf("verify content %x: %w (%w)", sum[:4], ErrBadHash, err)
}

// paced asks before it reads.
type paced struct {
	io.ReaderAt
	pace func(int64) error
}

func (p paced) ReadAt(b []byte, off int64) (int, error) {
	if p.pace != nil {
		if err := p.pace(int64(len(b))); err != nil {
			return 0, err
		}
	}
	return p.ReaderAt.ReadAt(b, off)
}

var errMismatch = errors.New("the bytes differ")

// digest hashes the first size bytes of a file.
func digest(f io.ReaderAt, size int64) (Sum, error) {
	h := sha256.New()
	n, err := io.CopyBuffer(h, struct{ io.Reader }{io.NewSectionReader(f, 0, size)}, make([]byte, syncEvery))
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return Sum(h.Sum(nil)), err
}
