package link

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ErrNoRoom means that a controller takes no more recordings of this node.
var ErrNoRoom = errors.New("the controller has no more room for recordings of this node")

const (
	// bite is how much goes at a time: what an urgent fetch finds on the line
	// before it is no more than that.
	bite = 64 << 10
	// biteLimit is how long one may take, the answer to it included.
	biteLimit = 90 * time.Second
	maxHeld   = 1 << 10 // bytes of an answer
)

// Parcel is a recording for the controllers.
type Parcel struct {
	// Sum names it, as a receipt of this node did.
	Sum Sum
	// Size is its length in bytes.
	Size int64
	// Open opens it, once for each attempt. nil says that it is gone.
	Open func() (io.ReadSeekCloser, error)
	// Spend is asked before so many bytes go; its error ends the sending.
	Spend func(bytes int64) error
}

// Send has a controller take a recording, or learn that it is gone. nil means that
// it has all of it, whoever sent it. It goes on where an earlier call left off,
// and waits for whatever is fetched. ErrNotFound says that the controllers know of no
// receipt that names it.
func (f *Fetcher) Send(ctx context.Context, p Parcel) error {
	err := f.lanes.background(ctx, func(ctx context.Context) error {
		return f.attempts(ctx, func(ctx context.Context, n int) error {
			if p.Open == nil {
				_, err := f.call(ctx, f.base(n), http.MethodDelete, p.Sum, nil, 0)
				return err
			}
			return f.send(ctx, f.base(n), p)
		})
	})
	if err != nil {
		return fmt.Errorf("send recording %x: %w", p.Sum[:4], err)
	}
	return nil
}

// Sent is the number of bytes of recordings that were sent so far, useful or not.
func (f *Fetcher) Sent() int64 { return f.sent.Load() }

// send is one attempt: it asks how much is there and sends the rest in pieces.
func (f *Fetcher) send(ctx context.Context, base *url.URL, p Parcel) error {
	answer, err := f.call(ctx, base, http.MethodGet, p.Sum, nil, 0)
	if err != nil {
		return err
	}
	held, of, err := parseHeld(answer)
	if err != nil || of != p.Size {
		return errors.Join(errWrong, err)
	}
	if held == of {
		return nil
	}
	from, err := p.Open()
	if err == nil {
		_, err = from.Seek(held, io.SeekStart)
	}
	if err != nil {
		return local{err}
	}
	defer func() { _ = from.Close() }() // opened for reading
	began := held
	for b := make([]byte, bite); held < p.Size && err == nil; {
		b = b[:min(bite, p.Size-held)]
		if _, err := io.ReadFull(from, b); err != nil {
			return local{err}
		}
		if err := p.Spend(int64(len(b))); err != nil {
			return local{err}
		}
		if _, err = f.call(ctx, base, http.MethodPatch, p.Sum, b, held); err == nil {
			held += int64(len(b))
		}
	}
	if err != nil && held > began {
		err = progress{err}
	}
	return err
}

// call asks one controller something about a recording and reads its answer.
func (f *Fetcher) call(ctx context.Context, base *url.URL, method string, sum Sum, body []byte, offset int64) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, biteLimit, errStalled)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target(base, "recording", sum), bytes.NewReader(body))
	if err != nil {
		return nil, local{err}
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/octet-stream")
		request.Header.Set("Upload-Offset", strconv.FormatInt(offset, 10))
	}
	f.authenticate(request)
	f.sent.Add(int64(len(body)))
	response, err := f.client.Do(request)
	if err != nil {
		return nil, because(ctx, err)
	}
	defer func() { _ = response.Body.Close() }() // what is wanted was read
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxHeld))
	f.bytes.Add(int64(len(answer)))
	if err != nil {
		return nil, because(ctx, err)
	}
	return answer, taken(response)
}

// taken reads the status of an answer about a recording.
func taken(r *http.Response) error {
	switch r.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return nil
	case http.StatusNotFound, http.StatusGone:
		return ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %s", ErrRefused, r.Status)
	case http.StatusInsufficientStorage:
		return local{ErrNoRoom}
	case http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%w: it did not take these bytes: %s", errWrong, r.Status)
	}
	return fmt.Errorf("answer %.60q", r.Status)
}

// parseHeld reads how much of a recording a controller has.
func parseHeld(answer []byte) (held, of int64, err error) {
	var said struct{ Held, Bytes int64 }
	if err := json.Unmarshal(answer, &said); err != nil {
		return 0, 0, fmt.Errorf("how much it has: %w", err)
	}
	if said.Held < 0 || said.Held > said.Bytes {
		return 0, 0, fmt.Errorf("it has %d of %d bytes", said.Held, said.Bytes)
	}
	return said.Held, said.Bytes, nil
}
