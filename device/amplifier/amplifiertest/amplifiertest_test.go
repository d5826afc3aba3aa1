package amplifiertest_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/device/amplifier"
	"github.com/loaxa/loaxa/device/amplifier/amplifiertest"
	"github.com/loaxa/loaxa/device/guard/lease"
)

// power is what a player sees of an amplifier.
type power interface {
	On(ctx context.Context) (time.Time, error)
	Moving(frames uint64) error
	Rest() error
}

// TestTheFakeAnswersAsTheRealOneDoes plays one script on both.
func TestTheFakeAnswersAsTheRealOneDoes(t *testing.T) {
	for name, open := range map[string]func(*testing.T) power{
		"fake": func(*testing.T) power { return &amplifiertest.Amplifier{} },
		"real": func(t *testing.T) power {
			a := amplifier.New(&amplifiertest.Lessor{}, amplifier.Timings{}, slog.New(slog.DiscardHandler))
			go func() { _ = a.Serve(t.Context()) }()
			return a
		},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { script(t, open(t)) }) })
	}
}

func script(t *testing.T, p power) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Rest(); err != nil {
		t.Errorf("Rest while off: %v", err)
	}
	if p.Moving(1) == nil {
		t.Error("Moving while off claims power")
	}
	if _, err := p.On(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("On with an ended context: %v", err)
	}
	first, err := p.On(t.Context())
	if err != nil || !first.Equal(time.Now()) {
		t.Errorf("On: %v, %v", first, err)
	}
	<-time.After(time.Second)
	if again, err := p.On(t.Context()); err != nil || !again.Equal(first) {
		t.Errorf("On while on: %v, %v, want %v", again, err, first)
	}
	if err := errors.Join(p.Moving(10), p.Moving(20), p.Rest()); err != nil {
		t.Error(err)
	}
	<-time.After(time.Second)
	if p.Moving(30) == nil {
		t.Error("Moving after Rest claims power")
	}
}

func TestThePokedFakeFailsAndRecordsEveryEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		a := &amplifiertest.Amplifier{OnError: boom, OnDelay: time.Second}
		start := time.Now()
		if _, err := a.On(t.Context()); !errors.Is(err, boom) || time.Since(start) != time.Second || a.Closed {
			t.Errorf("On: %v after %v, closed %v", err, time.Since(start), a.Closed)
		}
		a.OnError = nil
		if _, err := a.On(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.MovingError = boom
		if err := a.Moving(1); !errors.Is(err, boom) || a.Closed {
			t.Errorf("Moving: %v, closed %v", err, a.Closed)
		}
		a.RestError = boom
		if err := a.Rest(); !errors.Is(err, boom) {
			t.Errorf("Rest: %v", err)
		}
		if len(a.Edges) != 2 || !a.Edges[0].Closed || a.Edges[1].Closed || len(a.Frames) != 0 {
			t.Errorf("edges %v, frames %v", a.Edges, a.Frames)
		}
	})
}

func TestTheFakeGuardOpensOnARefusalOnlyWhenPoked(t *testing.T) {
	g := &amplifiertest.Lessor{}
	if err := g.Renew(t.Context(), lease.Lease{Phase: lease.Close}); err != nil {
		t.Fatal(err)
	}
	g.Error = errors.New("lost on the way")
	if g.Renew(t.Context(), lease.Lease{Phase: lease.Moving}) == nil || !g.Closed {
		t.Error("an answer lost on the way opened the relay")
	}
	g.Opens = true
	if g.Renew(t.Context(), lease.Lease{Phase: lease.Moving}) == nil || g.Closed {
		t.Error("a refusal left the relay closed")
	}
}
