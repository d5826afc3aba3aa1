package link_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/link"
)

// archive is a controller that takes one recording.
type archive struct {
	mu    sync.Mutex
	held  []byte
	size  int
	gone  bool
	calls []string
	// refuse answers instead of the archive if it returns a status.
	refuse func(r *http.Request) int
	// cut is how many bytes of a piece come before the line breaks, once; 0 for all.
	cut int
}

func (a *archive) serve(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, r.Method+" "+r.Header.Get("Upload-Offset"))
	if a.refuse != nil {
		if status := a.refuse(r); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	switch r.Method {
	case http.MethodGet:
		_, _ = fmt.Fprintf(w, `{"held":%d,"bytes":%d}`, len(a.held), a.size)
	case http.MethodDelete:
		a.gone = true
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPatch:
		a.patch(w, r)
	}
}

func (a *archive) patch(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upload-Offset") != strconv.Itoa(len(a.held)) {
		w.WriteHeader(http.StatusConflict)
		return
	}
	b, _ := io.ReadAll(r.Body) // what came counts
	if a.cut > 0 {
		a.held, a.cut = append(a.held, b[:a.cut]...), 0
		panic(http.ErrAbortHandler)
	}
	a.held = append(a.held, b...)
	_, _ = io.WriteString(w, "{}")
}

func (a *archive) asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.calls...)
}

// reader is an open recording.
type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

func parcel(data []byte) link.Parcel {
	return link.Parcel{Sum: sha256.Sum256(data), Size: int64(len(data)), Spend: func(int64) error { return nil },
		Open: func() (io.ReadSeekCloser, error) { return reader{bytes.NewReader(data)}, nil }}
}

// atArchive is a site whose controller takes recordings.
func atArchive(t *testing.T, data []byte, f func(s *site, a *archive)) {
	t.Helper()
	atSite(t, func(c *link.FetchConfig) {
		c.Credentials = func() (string, string, bool) { return "tan-lap-1", "secret", true }
	}, func(s *site) {
		a := &archive{size: len(data)}
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != "tan-lap-1" || password != "secret" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			a.serve(w, r)
		})
		f(s, a)
	})
}

func TestARecordingIsSentInPiecesAndGoesOnWhereItBroke(t *testing.T) {
	data := content(200 << 10)
	atArchive(t, data, func(s *site, a *archive) {
		a.cut = 40_000
		if err := s.fetcher.Send(s.t.Context(), parcel(data)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.held, data) {
			t.Errorf("%d bytes came, or others", len(a.held))
		}
		if n := s.fetcher.Sent(); n != int64(len(data))+65536-40_000 {
			t.Errorf("%d bytes were sent for %d", n, len(data))
		}
		before := s.fetcher.Sent()
		if err := s.fetcher.Send(s.t.Context(), parcel(data)); err != nil || s.fetcher.Sent() != before {
			t.Errorf("what is there is sent again: %v", err)
		}
		gone := parcel(data)
		gone.Open = nil
		if err := s.fetcher.Send(s.t.Context(), gone); err != nil || !a.gone {
			t.Errorf("gone: %v", err)
		}
	})
}

func TestSendingEndsForWhatNoOtherTryMends(t *testing.T) {
	data := content(100 << 10)
	spent, unread := errors.New("spent"), errors.New("the card does not give it")
	patch := func(status int) func(*http.Request) int {
		return func(r *http.Request) int {
			if r.Method == http.MethodPatch {
				return status
			}
			return 0
		}
	}
	for name, c := range map[string]struct {
		refuse func(*http.Request) int
		change func(*link.Parcel)
		want   error
		most   int // requests
	}{
		"no receipt names it":         {refuse: func(*http.Request) int { return 404 }, want: link.ErrNotFound, most: 1},
		"another secret":              {refuse: func(*http.Request) int { return 401 }, want: link.ErrRefused, most: 1},
		"no room":                     {refuse: patch(507), want: link.ErrNoRoom, most: 2},
		"not what was named":          {refuse: patch(422), want: link.ErrWrongBytes, most: 6},
		"another size":                {change: func(p *link.Parcel) { p.Size++ }, want: link.ErrWrongBytes, most: 3},
		"a controller that is broken": {refuse: func(*http.Request) int { return 500 }, most: 8},
		"the data is spent":           {change: func(p *link.Parcel) { p.Spend = func(int64) error { return spent } }, want: spent, most: 1},
		"a card that is gone":         {change: func(p *link.Parcel) { p.Open = func() (io.ReadSeekCloser, error) { return nil, unread } }, want: unread, most: 1},
	} {
		t.Run(name, func(t *testing.T) {
			atArchive(t, data, func(s *site, a *archive) {
				a.refuse = c.refuse
				p := parcel(data)
				if c.change != nil {
					c.change(&p)
				}
				if err := s.fetcher.Send(s.t.Context(), p); err == nil || c.want != nil && !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
				if n := len(a.asked()); n > c.most {
					t.Errorf("%d requests: %q", n, a.asked())
				}
			})
		})
	}
}

// TestSendingMakesWayForWhatIsUrgent has a document asked for while a slow line
// takes a recording.
func TestSendingMakesWayForWhatIsUrgent(t *testing.T) {
	data, document := content(640<<10), []byte("document")
	atArchive(t, data, func(s *site, a *archive) {
		takes := s.handler
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch {
				select {
				case <-time.After(20 * time.Second):
				case <-r.Context().Done():
					return
				}
			}
			if r.URL.Path[:9] == "/document" {
				_, _ = w.Write(document)
				return
			}
			takes(w, r)
		})
		done := make(chan error, 1)
		go func() { done <- s.fetcher.Send(s.t.Context(), parcel(data)) }()
		<-time.After(50 * time.Second)
		began := time.Now()
		if _, err := s.fetcher.Document(s.t.Context(), sha256.Sum256(document)); err != nil || time.Since(began) > time.Second {
			t.Errorf("it came after %v: %v", time.Since(began), err)
		}
		if err := <-done; err != nil || !bytes.Equal(a.held, data) {
			t.Errorf("afterwards %d bytes came: %v", len(a.held), err)
		}
	})
}

func TestSendingOverADeadLineEnds(t *testing.T) {
	data := content(100 << 10)
	atArchive(t, data, func(s *site, _ *archive) {
		s.answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Hour)
		defer cancel()
		if err := s.fetcher.Send(ctx, parcel(data)); err == nil || ctx.Err() != nil {
			t.Errorf("after two hours: %v, %v", err, ctx.Err())
		}
	})
}
