package store

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// syncEvery is the step in which a download is made durable: nothing beyond a
// multiple of it is written before everything up to it is on the medium. So a
// cut costs at most two steps of a download over a slow link.
const syncEvery = 64 << 10

// Partial is a download being written. It is used by one goroutine.
type Partial struct {
	c      *Contents
	sum    Sum
	size   int64
	file   File
	offset int64
	synced int64
	failed error
}

// Partial opens the unfinished download of a content of size bytes, beginning
// it or going on where it stopped, and makes room for the whole of it. The
// error wraps ErrFull when what is preferred to it leaves no room, ErrTooLarge when the
// content is above the limit, ErrBusy when it is open already, and os.ErrExist
// when the content is held already.
func (c *Contents) Partial(sum Sum, size int64) (*Partial, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.openPartial(sum, size)
	if err != nil {
		return nil, fmt.Errorf("download of content %x: %w", sum[:4], err)
	}
	return p, nil
}

func (c *Contents) openPartial(sum Sum, size int64) (*Partial, error) {
	if size <= 0 || size > c.lim.File {
		return nil, fmt.Errorf("%d bytes, limit %d: %w", size, c.lim.File, ErrTooLarge)
	}
	e := c.held[sum]
	switch {
	case e == nil:
		e = &content{partial: true, trusted: 0}
	case !e.partial:
		return nil, os.ErrExist
	case e.busy:
		return nil, ErrBusy
	}
	c.held[sum] = e
	e.busy = true // before making room, so that it is not evicted for itself
	if err := c.makeRoom(sum, size-e.size); err != nil {
		e.busy = false
		c.forgetUnborn(sum)
		return nil, err
	}
	f, err := c.fs.OpenFile(c.path(sum, true), os.O_RDWR|os.O_CREATE)
	if err != nil {
		e.busy = false
		c.forgetUnborn(sum)
		return nil, err
	}
	if e.trusted < 0 {
		e.trusted = trustedLength(e.length)
	}
	start := min(e.trusted, size)
	if err = f.Truncate(start); err == nil && start == 0 {
		err = c.fs.SyncDir(c.dir) // what is synced later must be found by name
	}
	if err != nil {
		_ = f.Close() // nothing was written through it
		e.busy = false
		c.forgetUnborn(sum)
		return nil, err
	}
	c.used += size - e.size
	c.clock++
	e.size, e.use = size, c.clock
	return &Partial{c: c, sum: sum, size: size, file: f, offset: start, synced: start}, nil
}

// forgetUnborn takes back the entry of a download that never got a file.
func (c *Contents) forgetUnborn(sum Sum) {
	if e := c.held[sum]; e != nil && e.size == 0 && e.length == 0 {
		delete(c.held, sum)
	}
}

// trustedLength is how much of a partial file of this length was certainly
// synced before the last cut.
func trustedLength(length int64) int64 {
	return max(0, (length-1)/syncEvery*syncEvery)
}

// Offset is the number of bytes held so far: where the download goes on.
func (p *Partial) Offset() int64 { return p.offset }

// Write appends to the download. More than the announced size is refused with
// ErrTooLarge. After a failure every later call fails: Close and begin again.
func (p *Partial) Write(data []byte) (n int, err error) {
	if p.failed != nil {
		return 0, p.failed
	}
	if p.offset+int64(len(data)) > p.size {
		return 0, fmt.Errorf("write content %x: more than the announced %d bytes: %w", p.sum[:4], p.size, ErrTooLarge)
	}
	for len(data) > 0 {
		if p.offset%syncEvery == 0 && p.synced < p.offset {
			if err := p.sync(); err != nil {
				return n, err
			}
		}
		step := min(int64(len(data)), syncEvery-p.offset%syncEvery)
		k, err := p.file.WriteAt(data[:step], p.offset)
		n, p.offset = n+k, p.offset+int64(k)
		if err == nil && int64(k) < step {
			err = io.ErrShortWrite
		}
		if err != nil {
			p.failed = fmt.Errorf("write content %x: %w", p.sum[:4], err)
			return n, p.failed
		}
		data = data[step:]
	}
	return n, nil
}

func (p *Partial) sync() error {
	if err := p.file.Sync(); err != nil {
		// The kernel may have dropped any of the bytes since the last good
		// sync; they are fetched again, into a file opened afresh.
		p.offset = p.synced
		p.failed = fmt.Errorf("write content %x: %w", p.sum[:4], err)
		return p.failed
	}
	p.synced = p.offset
	return nil
}

// Close keeps what was written for the next Partial. It does nothing after
// Commit or Discard.
func (p *Partial) Close() error {
	if p.file == nil {
		return nil
	}
	var err error
	if p.failed == nil {
		err = p.sync()
	}
	cerr := p.release(func(e *content) { e.trusted = p.synced })
	if err == nil && cerr != nil {
		err = fmt.Errorf("close content %x: %w", p.sum[:4], cerr)
	}
	return err
}

// Commit checks the hash of everything written, as read back from the file, and
// makes the content visible. A nil error means that it is on the medium. Bytes
// that do not match are thrown away and the error wraps ErrBadHash; a download
// that is not complete, or that the card does not give back, is kept.
func (p *Partial) Commit() error {
	if p.file == nil {
		return fmt.Errorf("commit content %x: %w", p.sum[:4], os.ErrClosed)
	}
	if p.failed != nil {
		return p.failed
	}
	if p.offset != p.size {
		return fmt.Errorf("commit content %x: %d of %d bytes: %w", p.sum[:4], p.offset, p.size, io.ErrUnexpectedEOF)
	}
	if err := p.sync(); err != nil {
		return errors.Join(err, p.Discard()) // what the card lost is not known: begin again
	}
	got, err := digest(p.file, p.size)
	switch {
	case err == nil && got == p.sum:
		return p.publish()
	case err == nil:
		err = errMismatch
	case !errors.Is(err, io.ErrUnexpectedEOF): // no verdict on the bytes
		return fmt.Errorf("commit content %x: read back: %w", p.sum[:4], err)
	}
	return errors.Join(fmt.Errorf("commit content %x: %w (%w)", p.sum[:4], ErrBadHash, err), p.Discard())
}

func (p *Partial) publish() error {
	c := p.c
	c.mu.Lock()
	err := c.fs.Rename(c.path(p.sum, true), c.path(p.sum, false))
	if err == nil {
		c.held[p.sum].partial = false
		err = c.fs.SyncDir(c.dir)
	}
	c.mu.Unlock()
	cerr := p.release(func(e *content) { e.trusted = p.synced })
	if err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("commit content %x: %w", p.sum[:4], err)
	}
	return nil
}

// Discard throws the download away.
func (p *Partial) Discard() error {
	if p.file == nil {
		return nil
	}
	_ = p.release(func(e *content) { e.trusted = 0 }) // the file goes anyway
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	return p.c.drop(p.sum)
}

// release closes the file and gives the entry back to the cache.
func (p *Partial) release(note func(*content)) error {
	err := p.file.Close()
	p.file = nil
	p.c.mu.Lock()
	defer p.c.mu.Unlock()
	e := p.c.held[p.sum]
	e.busy = false
	note(e)
	return err
}
