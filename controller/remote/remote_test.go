package remote

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api"
)

// centre answers with what a test set, and counts.
type centre struct {
	status []int
	body   string
	asked  []*http.Request
	bodies []string
}

func (c *centre) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	c.asked, c.bodies = append(c.asked, r), append(c.bodies, string(b))
	status := c.status[min(len(c.asked), len(c.status))-1]
	if status >= 300 {
		w.Header().Set("Content-Type", "application/problem+json")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, c.body)
}

func clientOf(t *testing.T, c *centre) (*Client, *int) {
	t.Helper()
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	waits := 0
	at := make(chan time.Time)
	close(at)
	return &Client{Base: s.URL, HTTP: s.Client(), After: func(time.Duration) <-chan time.Time { return at },
		Waiting: func(error, time.Duration) { waits++ }}, &waits
}

func TestWhatFailedOnTheWayIsTriedAgainWholly(t *testing.T) {
	c := &centre{status: []int{503, 502, 200}, body: `{"id":"a1"}`}
	client, waits := clientOf(t, c)
	var out struct{ ID string }
	err := client.Post(t.Context(), "lx_t", "k1", "/x", map[string]string{"a": "b"}, &out)
	if err != nil || out.ID != "a1" || *waits != 2 || len(c.asked) != 3 {
		t.Fatalf("%v %+v after %d pauses and %d requests", err, out, *waits, len(c.asked))
	}
	for i, r := range c.asked {
		if r.Header.Get("Authorization") != "Bearer lx_t" || r.Header.Get("Idempotency-Key") != "k1" || c.bodies[i] != `{"a":"b"}` {
			t.Errorf("request %d: %v %q", i, r.Header, c.bodies[i])
		}
	}
}

func TestWhatIsRefusedComesBackWordForWord(t *testing.T) {
	want := api.Problem{Status: 409, Code: "conflict", Detail: "take another id"}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	c := &centre{status: []int{409}, body: string(body)}
	client, waits := clientOf(t, c)
	var p *api.Problem
	err = client.Get(t.Context(), "t", "/x", nil)
	if !errors.As(err, &p) || p.Code != want.Code || p.Detail != want.Detail || *waits != 0 {
		t.Errorf("%v after %d pauses", err, *waits)
	}
}

func TestTryingEnds(t *testing.T) {
	c := &centre{status: []int{503}, body: `{}`}
	client, waits := clientOf(t, c)
	if err := client.Get(t.Context(), "t", "/x", nil); !errors.Is(err, errTransient) || *waits != len(pauses) {
		t.Errorf("%v after %d pauses", err, *waits)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Get(ctx, "t", "/x", nil); err == nil || *waits != len(pauses) {
		t.Errorf("given up: %v", err)
	}
	strange := &centre{status: []int{200}, body: "<html>"}
	client, _ = clientOf(t, strange)
	var out struct{}
	if err := client.Get(t.Context(), "t", "/x", &out); err == nil {
		t.Error("a page was taken for an answer")
	}
}

func TestAddressesAreThoseOfTheWeb(t *testing.T) {
	for given, want := range map[string]string{"http://localhost:8080/": "http://localhost:8080", "https://loa.vn": "https://loa.vn",
		"localhost:8080": "", "ftp://x": "", "http://": "", "": ""} {
		if got, err := Address(given); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v", given, got, err)
		}
	}
}

func TestADownloadIsWholeOrAnError(t *testing.T) {
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		whole bool
	}{
		"whole": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "Loaxa-Packed")
			_, _ = io.WriteString(w, "pack")
			w.Header().Set("Loaxa-Packed", "{}")
		}, true},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "pa")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, false},
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"code":"forbidden","status":403}`)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(c.serve)
			defer s.Close()
			var out strings.Builder
			trailer, err := (&Client{Base: s.URL, HTTP: s.Client()}).Download(t.Context(), "lx_t", "/x", &out)
			if whole := err == nil && out.String() == "pack" && trailer.Get("Loaxa-Packed") == "{}"; whole != c.whole {
				t.Errorf("%q %v %v", out.String(), trailer, err)
			}
			var p *api.Problem
			if refused := errors.As(err, &p) && p.Code == "forbidden"; refused != (name == "refused") {
				t.Errorf("%v", err)
			}
		})
	}
}
