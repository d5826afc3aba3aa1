package link_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/link"
)

func TestALiveAnswerIsReadAsItComes(t *testing.T) {
	atSite(t, func(c *link.FetchConfig) {
		c.Credentials = func() (string, string, bool) { return "n1", "secret", true }
	}, func(s *site) {
		s.handler = func(w http.ResponseWriter, r *http.Request) {
			user, password, _ := r.BasicAuth()
			_, _ = io.WriteString(w, r.URL.Path+" "+user+" "+password)
			_ = http.NewResponseController(w).Flush() // or reading fails
			<-time.After(10 * time.Second)
			_, _ = io.WriteString(w, " more")
		}
		body, err := s.fetcher.Live(context.Background(), "live/vov1/key")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		if string(got) != "/live/vov1/key n1 secret more" || err != nil {
			t.Errorf("%q %v", got, err)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestALiveAnswerThatStallsEnds(t *testing.T) {
	atSite(t, nil, func(s *site) {
		s.handler = func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush() // or reading fails
			<-r.Context().Done()
		}
		body, err := s.fetcher.Live(context.Background(), "live/vov1/key")
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		began := time.Now()
		if _, err := io.ReadAll(body); err == nil || time.Since(began) != 20*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

func TestALineThatIsAwayIsToldFromAControllerThatRefuses(t *testing.T) {
	atSite(t, nil, func(s *site) {
		s.handler = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
		if _, err := s.fetcher.Live(context.Background(), "live/vov1/key"); !errors.Is(err, link.ErrNotFound) || errors.Is(err, link.ErrUnreached) {
			t.Errorf("refused: %v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := s.fetcher.Live(ctx, "live/vov1/key"); err == nil {
			t.Error("asked although nobody waits")
		}
	})
	atSite(t, func(c *link.FetchConfig) {
		c.Transport = away{}
	}, func(s *site) {
		if _, err := s.fetcher.Live(context.Background(), "live/vov1/key"); !errors.Is(err, link.ErrUnreached) {
			t.Errorf("no line: %v", err)
		}
	})
}

// away is a line that is not there.
type away struct{}

func (away) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }
