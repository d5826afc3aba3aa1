package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/controller/events"
)

// tap is an answer that a test reads piece by piece.
type tap struct {
	http.ResponseWriter
	pieces chan string
	broken bool
}

// Write hands a piece over.
func (t *tap) Write(b []byte) (int, error) {
	if t.broken {
		return 0, errors.New("gone")
	}
	t.pieces <- string(b)
	return len(b), nil
}

// Flush does nothing more.
func (*tap) Flush() {}

// following runs a pump over changes until it ends.
func following(ctx context.Context, s *server, changes <-chan events.Event, to *tap, r *http.Request) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.pump(ctx, eventWriter{w: to, control: http.NewResponseController(to)}, changes, r)
	}()
	return done
}

func newTap() *tap {
	return &tap{ResponseWriter: httptest.NewRecorder(), pieces: make(chan string, 100)}
}

// TestAQuietStreamBeats: proxies and phones drop a line that says nothing.
func TestAQuietStreamBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		s := &server{} // nobody is asked before the first beat
		to, changes := newTap(), make(chan events.Event)
		began := time.Now()
		done := following(ctx, s, changes, to, httptest.NewRequest("GET", "/", nil))
		changes <- events.Event{Kind: events.Node, ID: "n1"}
		if piece := <-to.pieces; piece != "event: node\ndata: {\"kind\":\"node\",\"id\":\"n1\"}\n\n" || time.Since(began) != 0 {
			t.Errorf("%q after %s", piece, time.Since(began))
		}
		stop()
		<-done
	})
}

// TestAStreamEndsWithItsToken: the credential is asked again every few seconds.
func TestAStreamEndsWithItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := newTap()
		began := time.Now()
		<-following(t.Context(), &server{}, make(chan events.Event), to, httptest.NewRequest("GET", "/", nil))
		if time.Since(began) != lookEvery || len(to.pieces) != 0 {
			t.Errorf("ended after %s with %d pieces", time.Since(began), len(to.pieces))
		}
	})
}

func TestAStreamEndsWithItsReaderOrItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan events.Event)
		close(closed)
		<-following(t.Context(), &server{}, closed, newTap(), httptest.NewRequest("GET", "/", nil))
		gone, one := newTap(), make(chan events.Event, 1)
		gone.broken = true
		one <- events.Event{Kind: events.Missed}
		<-following(t.Context(), &server{}, one, gone, httptest.NewRequest("GET", "/", nil))
	})
}

func TestStreamsAreBounded(t *testing.T) {
	s := &server{cfg: Config{Events: &events.Hub{}}, watchers: make(chan struct{}, 1)}
	s.watchers <- struct{}{}
	w := httptest.NewRecorder()
	s.watch(t.Context(), w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "too-many-watchers") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	<-s.watchers
	ctx, stop := context.WithCancel(t.Context())
	stop()
	w = httptest.NewRecorder()
	s.watch(ctx, w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusOK || !bytes.HasPrefix(w.Body.Bytes(), []byte("retry: 3000\n\n")) || len(s.watchers) != 0 {
		t.Errorf("%d %q, %d places taken", w.Code, w.Body, len(s.watchers))
	}
}

// TestCredentialsAreReadStrictly asks only what can be told without a house.
func TestCredentialsAreReadStrictly(t *testing.T) {
	s := &server{}
	person := route{need: "area.read"}
	for name, header := range map[string]string{"nothing": "", "a scheme alone": "Basic", "a node where people are asked": "Basic " + base64.StdEncoding.EncodeToString([]byte("n:s"))} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		_, err := s.identify(r, person)
		var p *Problem
		if !errors.As(err, &p) || p.Status != http.StatusUnauthorized || !strings.Contains(p.Detail, "Bearer lx_") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
