package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// staged is an upload that arrived whole and was flushed.
type staged struct {
	path   string
	sha256 string
	size   int64
}

// discard removes it; the next sweep removes what this cannot.
func (s staged) discard() { os.Remove(s.path) }

// open returns it for reading from an offset.
func (s staged) open(offset int64) (*os.File, error) {
	opened, err := os.Open(s.path)
	if err != nil {
		return nil, fmt.Errorf("open the staged upload: %w", err)
	}
	if _, err := opened.Seek(offset, io.SeekStart); err != nil {
		opened.Close()
		return nil, fmt.Errorf("seek in the staged upload: %w", err)
	}
	return opened, nil
}

// receive streams an upload to the staging folder. On any error nothing stays there.
func (f folder) receive(ctx context.Context, r io.Reader, limit int64, progress func(Progress)) (staged, error) {
	out, err := f.newSink("upload-*", limit)
	if err != nil {
		return staged{}, err
	}
	if err := fill(ctx, out, r, progress); err != nil {
		out.abandon()
		switch {
		case errors.Is(err, errFull):
			err = refuse(TooLarge, err, fmt.Sprintf("%d MB", limit/1_000_000))
		case errors.Is(err, errBroken):
			err = fmt.Errorf("the upload broke off after %d bytes, send it again: %w", out.size, err)
		}
		return staged{}, err
	}
	hash, err := out.finish()
	if err == nil && out.size == 0 {
		err = refuse(Empty, nil)
	}
	if err != nil {
		os.Remove(out.Name())
		return staged{}, err
	}
	return staged{path: out.Name(), sha256: hash, size: out.size}, nil
}

// fill copies block by block, so that the end of ctx and the progress are seen in between.
func fill(ctx context.Context, out *sink, r io.Reader, progress func(Progress)) error {
	block := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(block)
		if n > 0 {
			if _, err := out.Write(block[:n]); err != nil {
				return err
			}
			progress(Progress{Stage: Receiving, Bytes: out.size})
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", errBroken, err)
		}
	}
}

// errBroken is a reader that failed before its end.
var errBroken = errors.New("read failed")
