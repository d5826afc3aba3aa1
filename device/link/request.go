package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// body is an answer being read. Reading fails when no byte came for 20 s, or too
// few in a minute.
type body struct {
	io.Reader
	from  int64 // offset of its first byte
	whole bool  // no range: everything comes
	total int64 // length of the whole, -1 when the server does not say
	close func()
}

var (
	errStalled = errors.New("no byte for 20 s")
	errSlow    = errors.New("fewer than 2 KiB in a minute")
)

// span is what is asked for: the bytes from an offset on, up to another one or,
// where that is 0, to the end.
type span struct{ from, to int64 }

func (s span) header() string {
	switch {
	case s.to > 0:
		return fmt.Sprintf("bytes=%d-%d", s.from, s.to-1)
	case s.from > 0:
		return fmt.Sprintf("bytes=%d-", s.from)
	}
	return ""
}

// get asks one controller for a span. The caller closes the body.
func (f *Fetcher) get(ctx context.Context, base *url.URL, what string, sum Sum, s span) (*body, error) {
	return f.ask(ctx, target(base, what, sum), s)
}

// ask asks for a span of what is found at an address. The caller closes the body.
func (f *Fetcher) ask(ctx context.Context, address string, s span) (*body, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stall := time.AfterFunc(stallLimit, func() { cancel(errStalled) })
	end := func() { stall.Stop(); cancel(nil) }
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		end()
		return nil, local{err}
	}
	if asked := s.header(); asked != "" {
		request.Header.Set("Range", asked)
	}
	f.authenticate(request)
	response, err := f.client.Do(request)
	if err != nil {
		err = because(ctx, err)
		end()
		return nil, err
	}
	b, err := accept(response, s.from)
	if err != nil {
		_ = response.Body.Close() // not read: the connection goes with it
		end()
		return nil, err
	}
	b.Reader = &meter{body: response.Body, ctx: ctx, stall: stall, bytes: &f.bytes, began: time.Now()}
	b.close = func() {
		_ = response.Body.Close() // what was wanted was read
		end()
	}
	return b, nil
}

// authenticate has a request say who asks.
func (f *Fetcher) authenticate(request *http.Request) {
	if f.cfg.Credentials == nil {
		return
	}
	if user, password, ok := f.cfg.Credentials(); ok {
		request.SetBasicAuth(user, password)
	}
}

// accept reads the head of an answer (RFC 9110, sections 14 and 15).
func accept(r *http.Response, from int64) (*body, error) {
	switch r.StatusCode {
	case http.StatusOK:
		return &body{total: r.ContentLength, whole: true}, nil
	case http.StatusPartialContent:
		start, total, ok := parseRange(r.Header.Get("Content-Range"))
		if !ok || start != from {
			return nil, fmt.Errorf("%w: asked for bytes from %d, got %.60q", errWrong, from, r.Header.Get("Content-Range"))
		}
		return &body{from: start, total: total}, nil
	case http.StatusNotFound, http.StatusGone:
		return nil, ErrNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, fmt.Errorf("%w: %s", ErrRefused, r.Status)
	case http.StatusRequestedRangeNotSatisfiable:
		return nil, fmt.Errorf("%w: it has fewer than %d bytes", errWrong, from)
	}
	return nil, fmt.Errorf("answer %.60q", r.Status)
}

// parseRange reads "bytes 100-199/200"; a total of "*" is -1.
func parseRange(text string) (start, total int64, ok bool) {
	span, whole, found := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	first, _, dash := strings.Cut(span, "-")
	if !found || !dash || !strings.HasPrefix(text, "bytes ") {
		return 0, 0, false
	}
	start, err := strconv.ParseInt(first, 10, 64)
	if err != nil || start < 0 {
		return 0, 0, false
	}
	if whole == "*" {
		return start, -1, true
	}
	total, err = strconv.ParseInt(whole, 10, 64)
	return start, total, err == nil && total >= 0
}

// An answer that takes longer than a window brings at least so much in each: half
// of what a line brings that is slow but moves. Somebody who sends a byte every
// 19 s would else hold a place for weeks.
const (
	rateWindow  = time.Minute
	leastInside = 2 << 10
)

// meter counts what is read, keeps the stall timer from running out, and ends an
// answer that only drips.
type meter struct {
	body  io.Reader
	ctx   context.Context
	stall *time.Timer
	bytes *atomic.Int64

	began  time.Time // of the window
	inside int64     // bytes since
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.body.Read(p)
	if n > 0 {
		m.stall.Reset(stallLimit)
		m.bytes.Add(int64(n))
		m.inside += int64(n)
	}
	if now := time.Now(); err == nil && now.Sub(m.began) >= rateWindow {
		if m.inside < leastInside {
			return n, errSlow
		}
		m.began, m.inside = now, 0
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = because(m.ctx, err)
	}
	return n, err
}

// because names the reason for which a context was cancelled.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
