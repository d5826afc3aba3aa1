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
// match or cannot be read are thrown away, so that the content is Missing and
// fetched again; the error then wraps ErrBadHash. Other errors leave it held.
func (c *Contents) Verify(sum Sum) error {
	r, err := c.Open(sum)
	if err != nil {
		return err
	}
	got, err := digest(r.file, r.Size())
	_ = r.Close() // opened for reading
	if err == nil && got == sum {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.held[sum]; e != nil && !e.partial {
		if derr := c.drop(sum); derr != nil {
			return fmt.Errorf("verify content %x: %w: %w", sum[:4], ErrBadHash, derr)
		}
	}
	return fmt.Errorf("verify content %x: %w (%w)", sum[:4], ErrBadHash, orMismatch(err))
}

var errMismatch = errors.New("the bytes differ")

func orMismatch(err error) error {
	if err != nil {
		return err
	}
	return errMismatch
}

// digest hashes the first size bytes of a file.
func digest(f io.ReaderAt, size int64) (Sum, error) {
	h := sha256.New()
	n, err := io.CopyBuffer(h, struct{ io.Reader }{io.NewSectionReader(f, 0, size)}, make([]byte, 32<<10))
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return Sum(h.Sum(nil)), err
}
