package link_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/link"
)

// urgently fetches a content urgently, checks that it is on the shelf and says
// how long that took.
func (s *site) urgently(data []byte) time.Duration {
	s.t.Helper()
	began := time.Now()
	o := s.order(data, true)
	if err := s.fetcher.Content(s.t.Context(), o); err != nil {
		s.t.Fatalf("%v (asked %v)", err, s.asked())
	}
	took := time.Since(began)
	if err := s.shelf.Verify(o.Sum); err != nil {
		s.t.Fatal(err)
	}
	return took
}

// silent says nothing until its request is given up.
func silent(r *http.Request) { <-r.Context().Done() }

func TestWhatIsUrgentDoesNotWaitForASilentConnection(t *testing.T) {
	data := content(100 << 10)
	for _, dead := range []int{1, 3} { // of the first four requests for each piece
		atSite(t, nil, func(s *site) {
			asked := map[string]int{}
			s.answer(func(w http.ResponseWriter, r *http.Request) {
				s.mu.Lock()
				asked[r.Header.Get("Range")]++
				n := asked[r.Header.Get("Range")]
				s.mu.Unlock()
				if n <= dead {
					silent(r)
					return
				}
				whole(data)(w, r)
			})
			if took, most := s.urgently(data), map[int]time.Duration{1: 2 * time.Second, 3: 16 * time.Second}[dead]; took > most {
				t.Errorf("%v with %d silent connections each, want %v", took, dead, most)
			}
			for span, n := range asked {
				if n != dead+1 {
					t.Errorf("%d requests for %s, want %d", n, span, dead+1)
				}
			}
			if n := s.total(); n != int64(len(data)) {
				t.Errorf("%d bytes were sent for %d", n, len(data))
			}
		})
	}
}

func TestAnUrgentDocumentDoesNotWaitForASilentConnection(t *testing.T) {
	document := []byte("sealed")
	two := func(c *link.FetchConfig) { c.Controllers = []string{"http://one.example", "http://two.example"} }
	atSite(t, two, func(s *site) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "one.example" {
				silent(r)
				return
			}
			whole(document)(w, r)
		})
		began := time.Now()
		got, err := s.fetcher.Document(s.t.Context(), sha256.Sum256(document))
		if took := time.Since(began); err != nil || !bytes.Equal(got, document) || took > 2*time.Second {
			t.Errorf("%q %v after %v, want it from the other controller at once", got, err, took)
		}
	})
}

func TestASecondRequestGoesOnWhereTheFirstFellSilent(t *testing.T) {
	data := content(6 << 10) // one piece
	atSite(t, nil, func(s *site) {
		first := true
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if !first {
				whole(data)(w, r)
				return
			}
			first = false
			w.Header().Set("Content-Range", "bytes 0-"+strconv.Itoa(len(data)-1)+"/"+strconv.Itoa(len(data)))
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(data[:5<<10])
			_ = http.NewResponseController(w).Flush()
			silent(r)
		})
		if took := s.urgently(data); took > time.Second {
			t.Errorf("it took %v over a line that answers at once", took)
		}
		if asked := s.asked(); len(asked) != 2 || !strings.Contains(asked[1], "bytes=5120-6143") {
			t.Errorf("asked %v", asked)
		}
	})
}

// pausing sends its head after a second, and a packet each three seconds.
type pausing struct{ http.ResponseWriter }

func (p pausing) WriteHeader(code int) {
	<-time.After(time.Second)
	p.ResponseWriter.WriteHeader(code)
}

func (p pausing) Write(b []byte) (int, error) {
	n, err := p.ResponseWriter.Write(b[:min(1400, len(b))])
	_ = http.NewResponseController(p.ResponseWriter).Flush()
	if err != nil || n == len(b) {
		return n, err
	}
	rest, err := dripping{p.ResponseWriter, 1400, 3 * time.Second}.Write(b[n:])
	return n + rest, err
}

// Twice as much data would make a slow line slower.
func TestASlowLineIsNotAskedTwice(t *testing.T) {
	data := content(100 << 10)
	atSite(t, nil, func(s *site) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			whole(data)(pausing{w}, r)
		})
		s.urgently(data)
		seen := map[string]bool{}
		for _, a := range s.asked() {
			if seen[a] {
				t.Errorf("asked twice: %s", a)
			}
			seen[a] = true
		}
	})
}

func TestASilentControllerIsGivenUp(t *testing.T) {
	atSite(t, nil, func(s *site) {
		s.answer(func(_ http.ResponseWriter, r *http.Request) { silent(r) })
		began := time.Now()
		if err := s.fetcher.Content(s.t.Context(), s.order(content(6<<10), true)); err == nil {
			t.Error("nothing passed for a content")
		}
		if n, took := len(s.asked()), time.Since(began); n > 8*4 || took > 9*time.Minute {
			t.Errorf("%d requests in %v", n, took)
		}
	})
}

func TestAnUrgentContentComesWithoutRangesToo(t *testing.T) {
	data := content(300 << 10)
	atSite(t, nil, func(s *site) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Range")
			whole(data)(w, r)
		})
		s.urgently(data)
		if n := s.fetcher.Received(); n > int64(len(data))+64<<10 {
			t.Errorf("%d bytes were read for %d", n, len(data))
		}
	})
}

func TestUrgentBytesThatAreWrongAreNeverKept(t *testing.T) {
	data := content(100 << 10)
	forged := bytes.Clone(data)
	forged[70<<10] ^= 1
	atSite(t, nil, func(s *site) {
		s.answer(whole(forged))
		if err := s.fetcher.Content(s.t.Context(), s.order(data, true)); !errors.Is(err, link.ErrWrongBytes) {
			t.Errorf("forged: %v", err)
		}
		s.answer(whole(data[:90<<10]))
		if err := s.fetcher.Content(s.t.Context(), s.order(data, true)); !errors.Is(err, link.ErrWrongBytes) {
			t.Errorf("another length: %v", err)
		}
		if s.shelf.Has(sha256.Sum256(data)) {
			t.Error("it is held all the same")
		}
		s.answer(whole(data))
		s.urgently(data)
	})
}

// TestAControllerThatLiesSpoilsNothingOfAnother loses three of four requests for each
// piece at the honest controller, so that the liar is asked beside it.
func TestAControllerThatLiesSpoilsNothingOfAnother(t *testing.T) {
	data, lie := content(100<<10), bytes.Repeat([]byte("lie"), 100<<10)[:100<<10]
	two := func(c *link.FetchConfig) { c.Controllers = []string{"http://honest.example", "http://liar.example"} }
	atSite(t, two, func(s *site) {
		asked := map[string]int{}
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "liar.example" {
				whole(lie)(w, r)
				return
			}
			s.mu.Lock()
			asked[r.Header.Get("Range")]++
			n := asked[r.Header.Get("Range")]
			s.mu.Unlock()
			if n%4 != 0 {
				silent(r)
				return
			}
			whole(data)(w, r)
		})
		s.urgently(data)
	})
}
