package link_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// site is a controller in virtual time and the node that fetches from it.
type site struct {
	t       *testing.T
	fetcher *link.Fetcher
	disk    *storetest.Disk
	shelf   *store.Contents

	mu       sync.Mutex
	handler  http.HandlerFunc
	requests []string // host, path and range of each, as they came
	sent     int64
}

// pipes is a listener whose connections are pipes.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func atSite(t *testing.T, change func(*link.FetchConfig), f func(s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &site{t: t, disk: storetest.New()}
		ln := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: http.HandlerFunc(s.serve)}
		go func() { _ = server.Serve(ln) }() // ends with Close below
		transport := &http.Transport{DialContext: ln.dial, DisableCompression: true}
		defer func() {
			transport.CloseIdleConnections()
			if err := server.Close(); err != nil {
				t.Error(err)
			}
			<-time.After(time.Minute) // handlers that still pretend to be slow
		}()
		cfg := link.FetchConfig{
			Controllers: []string{"http://one.example"},
			Transport:   transport,
			Log:         slog.New(slog.NewTextHandler(io.Discard, nil)),
			Rand:        rand.New(rand.NewPCG(seed, 2)),
		}
		if change != nil {
			change(&cfg)
		}
		var err error
		if s.fetcher, err = link.NewFetcher(cfg); err != nil {
			t.Fatal(err)
		}
		if s.shelf, err = store.OpenContents(s.disk.FS(), "c", store.ContentLimits{File: 4 << 20, Quota: 8 << 20}); err != nil {
			t.Fatal(err)
		}
		f(s)
	})
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, strings.TrimSpace(r.Host+r.URL.Path[:9]+" "+r.Header.Get("Range")))
	h := s.handler
	s.mu.Unlock()
	h(counted{w, s}, r)
}

type counted struct {
	http.ResponseWriter
	s *site
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.sent += int64(n)
	return n, err
}

func (c counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (s *site) answer(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = h
}

func (s *site) total() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

func (s *site) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

func (s *site) order(data []byte, urgent bool) link.Order {
	sum := sha256.Sum256(data)
	return link.Order{Sum: sum, Size: int64(len(data)), Urgent: urgent,
		Open: func() (link.Partial, error) { return s.shelf.Partial(sum, int64(len(data))) }}
}

// fetch gets a content and checks that exactly it is on the shelf.
func (s *site) fetch(data []byte) {
	s.t.Helper()
	o := s.order(data, false)
	if err := s.fetcher.Content(s.t.Context(), o); err != nil {
		s.t.Fatalf("%v (seed %d, asked %v)", err, seed, s.asked())
	}
	if err := s.shelf.Verify(o.Sum); err != nil {
		s.t.Fatal(err)
	}
}

func content(size int) []byte {
	data := make([]byte, size)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data) // it never fails
	return data
}

// whole serves data with ranges, as a good controller does.
func whole(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

// broken serves data from the offset asked for, but only n bytes of it.
func broken(data []byte, n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from := 0
		if span := r.Header.Get("Range"); span != "" {
			from, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(span, "bytes="), "-"))
			w.Header().Set("Content-Range", "bytes "+strconv.Itoa(from)+"-"+strconv.Itoa(len(data)-1)+"/"+strconv.Itoa(len(data)))
			w.Header().Set("Content-Length", strconv.Itoa(len(data)-from))
			w.WriteHeader(http.StatusPartialContent)
		} else {
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		}
		_, _ = w.Write(data[from:min(from+n, len(data))])
		_ = http.NewResponseController(w).Flush()
		if from+n < len(data) {
			panic(http.ErrAbortHandler)
		}
	}
}

func TestADocumentIsReturnedOnlyWithItsHash(t *testing.T) {
	document := []byte(`{"payload":"sealed"}`)
	atSite(t, nil, func(s *site) {
		s.answer(whole(document))
		got, err := s.fetcher.Document(s.t.Context(), sha256.Sum256(document))
		if err != nil || !bytes.Equal(got, document) {
			t.Fatalf("got %q, %v", got, err)
		}
		if path := "one.example/document"; len(s.asked()) != 1 || s.asked()[0] != path {
			t.Errorf("asked %v", s.asked())
		}
		s.answer(whole([]byte(`{"payload":"forged"}`)))
		if got, err := s.fetcher.Document(s.t.Context(), sha256.Sum256(document)); !errors.Is(err, link.ErrWrongBytes) || got != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if n := len(s.asked()); n != 4 {
			t.Errorf("%d requests in all, want 1 and then 3", n)
		}
	})
}

func TestAnEndlessDocumentIsCutOff(t *testing.T) {
	atSite(t, nil, func(s *site) {
		s.answer(func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		})
		if _, err := s.fetcher.Document(s.t.Context(), link.Sum{1}); !errors.Is(err, link.ErrWrongBytes) {
			t.Errorf("got %v", err)
		}
		if n := s.fetcher.Received(); n > 3*(256<<10+64<<10) {
			t.Errorf("took %d bytes", n)
		}
	})
}

func TestAContentGoesOnWhereItStopped(t *testing.T) {
	data := content(1 << 20)
	atSite(t, nil, func(s *site) {
		s.answer(broken(data, 100<<10))
		s.fetch(data)
		if n := len(s.asked()); n < 11 || n > 13 {
			t.Errorf("%d requests for 1 MiB in pieces of 100 kB: %v", n, s.asked())
		}
		if n := s.total(); n > 1<<20+200<<10 {
			t.Errorf("%d bytes sent for 1 MiB", n)
		}
		if !strings.HasPrefix(s.asked()[1], "one.example/content/ bytes=1") {
			t.Errorf("second request: %v", s.asked()[1])
		}
	})
}

func TestACallGoesOnWhereAnEarlierOneLeftOff(t *testing.T) {
	data := content(500 << 10)
	atSite(t, nil, func(s *site) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				broken(data, 300<<10)(w, r)
			}
			w.WriteHeader(http.StatusInternalServerError)
		})
		if err := s.fetcher.Content(s.t.Context(), s.order(data, false)); err == nil {
			t.Fatal("half a content was accepted")
		}
		s.answer(whole(data))
		before := s.total()
		s.fetch(data)
		if again := s.total() - before; again > 210<<10 {
			t.Errorf("%d bytes sent again", again)
		}
	})
}

func TestAControllerWithoutRangesStillDelivers(t *testing.T) {
	data := content(300 << 10)
	atSite(t, nil, func(s *site) {
		first := true
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("Range")
			if first {
				first = false
				broken(data, 150<<10)(w, r)
			}
			whole(data)(w, r)
		})
		s.fetch(data)
	})
}

func TestWrongContentIsFetchedAgainAndInTheEndGivenUp(t *testing.T) {
	data := content(200 << 10)
	forged := bytes.Clone(data)
	forged[150<<10] ^= 1
	atSite(t, nil, func(s *site) {
		bad := 2
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if bad > 0 {
				bad--
				whole(forged)(w, r)
				return
			}
			whole(data)(w, r)
		})
		s.fetch(data)
		other := content(201 << 10)
		s.answer(whole(make([]byte, 201<<10)))
		if err := s.fetcher.Content(s.t.Context(), s.order(other, false)); !errors.Is(err, link.ErrWrongBytes) || !errors.Is(err, store.ErrBadHash) {
			t.Errorf("always wrong: %v", err)
		}
		s.answer(whole(content(202 << 10)))
		if err := s.fetcher.Content(s.t.Context(), s.order(other, false)); !errors.Is(err, link.ErrWrongBytes) {
			t.Errorf("another length: %v", err)
		}
		if s.shelf.Has(sha256.Sum256(other)) {
			t.Error("it is held all the same")
		}
	})
}

func TestAnUrgentFetchGoesFirstAndTheOtherGoesOnAfterIt(t *testing.T) {
	big, alarm := content(2<<20), content(90<<10)
	alarmPath := hex.EncodeToString(sum(alarm))
	atSite(t, nil, func(s *site) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, alarmPath) {
				<-time.After(10 * time.Second)
				whole(alarm)(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			http.ServeContent(slow{w}, r, "", time.Time{}, bytes.NewReader(big))
		})
		var wg sync.WaitGroup
		wg.Go(func() { s.fetch(big) })
		<-time.After(20 * time.Second)
		began := time.Now()
		if err := s.fetcher.Content(s.t.Context(), s.order(alarm, true)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("the urgent one took %v", took)
		}
		wg.Wait()
		asked := s.asked()
		for i, a := range asked { // of the urgent one in pieces, of the other to its end
			begins, goesOn := !strings.Contains(a, "bytes="), strings.HasSuffix(a, "-")
			if begins != (i == 0) || goesOn != (i == len(asked)-1) {
				t.Fatalf("asked %v: want the big one broken off, and resumed after the urgent one", asked)
			}
		}
	})
}

func sum(data []byte) []byte { s := sha256.Sum256(data); return s[:] }

func TestOneBackgroundFetchAtATime(t *testing.T) {
	atSite(t, nil, func(s *site) {
		running, most := 0, 0
		var mu sync.Mutex
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-time.After(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			w.WriteHeader(http.StatusNotFound)
		})
		for name, c := range map[string]struct {
			urgent bool
			limit  int
		}{"background": {false, 1}, "urgent": {true, 4}} {
			most = 0
			var wg sync.WaitGroup
			for i := range 10 {
				wg.Go(func() {
					if err := s.fetcher.Content(s.t.Context(), s.order(content(1000+i), c.urgent)); !errors.Is(err, link.ErrNotFound) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if most != c.limit {
				t.Errorf("%s: %d at once, want %d", name, most, c.limit)
			}
		}
	})
}

func TestTheNextControllerIsAsked(t *testing.T) {
	two := func(c *link.FetchConfig) { c.Controllers = []string{"http://one.example", "http://two.example/base/"} }
	document := []byte("sealed")
	atSite(t, two, func(s *site) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "one.example" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			whole(document)(w, r)
		})
		if got, err := s.fetcher.Document(s.t.Context(), sha256.Sum256(document)); err != nil || !bytes.Equal(got, document) {
			t.Fatalf("got %q, %v", got, err)
		}
		s.answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
		before := len(s.asked())
		if _, err := s.fetcher.Document(s.t.Context(), link.Sum{}); !errors.Is(err, link.ErrNotFound) {
			t.Errorf("nobody has it: %v", err)
		}
		if n := len(s.asked()) - before; n != 2 {
			t.Errorf("%d requests for what nobody has, want one each", n)
		}
	})
}

func TestAttemptsAreBounded(t *testing.T) {
	for _, status := range []int{500, 503, 429, 302, 416, 206} {
		atSite(t, nil, func(s *site) {
			s.answer(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://elsewhere.example/content/")
				w.WriteHeader(status)
			})
			began := time.Now()
			if err := s.fetcher.Content(s.t.Context(), s.order(content(1000), false)); err == nil {
				t.Errorf("%d was taken for success", status)
			}
			if n := len(s.asked()); n > 8 || time.Since(began) > 4*time.Minute {
				t.Errorf("%d: %d requests in %v", status, n, time.Since(began))
			}
			for _, a := range s.asked() {
				if !strings.HasPrefix(a, "one.example") {
					t.Errorf("%d led the node to %s", status, a)
				}
			}
		})
	}
}

func TestCredentialsAreSentAndARefusalIsFinal(t *testing.T) {
	enrolled := func(c *link.FetchConfig) {
		c.Credentials = func() (string, string, bool) { return "node-1", "secret", true }
	}
	atSite(t, enrolled, func(s *site) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			if user+":"+password != "node-1:secret" {
				t.Errorf("came as %q %q", user, password)
			}
			w.WriteHeader(http.StatusForbidden)
		})
		if _, err := s.fetcher.Document(s.t.Context(), link.Sum{}); !errors.Is(err, link.ErrRefused) || len(s.asked()) != 1 {
			t.Errorf("%v after %d requests", err, len(s.asked()))
		}
	})
}

func TestAnErrorOfTheCardEndsTheFetchAtOnce(t *testing.T) {
	data := content(200 << 10)
	atSite(t, nil, func(s *site) {
		s.answer(whole(data))
		s.disk.Limit(50 << 10)
		if err := s.fetcher.Content(s.t.Context(), s.order(data, false)); !errors.Is(err, syscall.ENOSPC) || len(s.asked()) != 1 {
			t.Errorf("a full card: %v after %d requests", err, len(s.asked()))
		}
		s.disk.Limit(0)
		no := errors.New("no shelf")
		o := s.order(data, false)
		o.Open = func() (link.Partial, error) { return nil, no }
		if err := s.fetcher.Content(s.t.Context(), o); !errors.Is(err, no) {
			t.Errorf("no destination: %v", err)
		}
	})
}

func TestAFetchEndsWithItsContext(t *testing.T) {
	atSite(t, nil, func(s *site) {
		s.answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		for _, urgent := range []bool{false, true} {
			ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
			defer cancel()
			began := time.Now()
			if err := s.fetcher.Content(ctx, s.order(content(1000), urgent)); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 5*time.Second {
				t.Errorf("%v after %v", err, time.Since(began))
			}
		}
	})
}

func TestFetcherRefusesAConfigurationThatCannotWork(t *testing.T) {
	good := link.FetchConfig{Controllers: []string{"https://one.example"}, Log: slog.Default(), Rand: rand.New(rand.NewPCG(1, 1))}
	if _, err := link.NewFetcher(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*link.FetchConfig){
		"no controller": func(c *link.FetchConfig) { c.Controllers = nil },
		"a file":        func(c *link.FetchConfig) { c.Controllers = []string{"file:///etc"} },
		"no host":       func(c *link.FetchConfig) { c.Controllers = []string{"https://"} },
		"no log":        func(c *link.FetchConfig) { c.Log = nil },
		"no rand":       func(c *link.FetchConfig) { c.Rand = nil },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := link.NewFetcher(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
