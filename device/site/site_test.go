package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/amplifier"
	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/guard/lease"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/decode"
	"github.com/loaxa/loaxa/device/player/playertest"
	"github.com/loaxa/loaxa/device/player/sink"
	feeding "github.com/loaxa/loaxa/device/power"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func simulated(t *testing.T) board.Profile {
	t.Helper()
	p, err := board.Named("simulated")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// configured is a site whose controller is at a given address.
func configured(t *testing.T, controller string) Config {
	t.Helper()
	return Config{
		Candidate: node.Candidate{Controller: controller, Node: "tan-lap-1", Token: "token", Board: "simulated", Pin: broadcast.Sum(nil)},
		Top:       "bac-quang", Data: filepath.Join(t.TempDir(), "card"), Quota: 128 << 20, Profile: simulated(t), Log: quiet(),
		Parts: Parts{Lessor: lessor{}, Decoder: decode.InProcess{}, Sinks: func(now func() time.Time) (player.Opener, error) {
			return sink.Open("null", sink.Config{Now: now})
		}},
	}
}

type lessor struct{}

// Renew grants everything.
func (lessor) Renew(context.Context, lease.Lease) error { return nil }

// Release opens nothing.
func (lessor) Release(context.Context) error { return nil }

func TestSiteThatIsRefusedSaysSoAndEnds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"title":"token spent"}`))
	}))
	defer server.Close()
	s, err := Open(configured(t, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	if needs, err := s.NeedsToken(); err != nil || !needs {
		t.Errorf("a fresh card needs a token: %v, %v", needs, err)
	}
	if err := s.Serve(t.Context()); !errors.Is(err, node.ErrRefusedEnrolment) || !strings.Contains(err.Error(), "token spent") {
		t.Errorf("it ended with %v", err)
	}
}

func TestSiteAnswersForItselfFromItsFirstMoment(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	s, err := Open(configured(t, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	if status, err := s.Turned(t.Context()); !errors.Is(err, errOpening) {
		t.Errorf("before it runs it says %q, %v", status, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context()) }()
	<-asked
	if status, err := s.Turned(t.Context()); err != nil || !strings.Contains(status, "enrolled") {
		t.Errorf("while it asks it says %q, %v", status, err)
	}
	close(answer)
	if err := <-ended; !errors.Is(err, node.ErrRefusedEnrolment) {
		t.Errorf("it ended with %v", err)
	}
}

func TestSiteThatCannotBeOpenedSaysWhy(t *testing.T) {
	c := configured(t, "http://127.0.0.1:1")
	c.Data = "/dev/null/card"
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "tan-lap-1") {
		t.Errorf("a folder that cannot be: %v", err)
	}
}

func TestInsistingWaitsLongerAndEndsWhenItMust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, tries := time.Now(), 0
		got, err := insist(t.Context(), quiet(), rand.New(rand.NewPCG(1, 1)), "try", func() (int, error) {
			if tries++; tries < 8 {
				return 0, errors.New("not yet")
			}
			return 42, nil
		})
		if err != nil || got != 42 || time.Since(began) < 30*time.Second || time.Since(began) > 4*time.Minute {
			t.Errorf("%d, %v after %v", got, err, time.Since(began))
		}
		final := fmt.Errorf("%w: no", node.ErrRefusedEnrolment)
		if _, err := insist(t.Context(), quiet(), rand.New(rand.NewPCG(1, 1)), "try", func() (int, error) { return 0, final }); !errors.Is(err, final) {
			t.Errorf("a refusal is tried again: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := insist(ctx, quiet(), rand.New(rand.NewPCG(1, 1)), "try", func() (int, error) { return 0, errors.New("never") }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestChimesLastWholeMilliseconds(t *testing.T) {
	chimes, err := Chimes()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"normal", "priority", "emergency", "drill"} {
		if n := len(chimes[name]); n == 0 || n%(rate/1000) != 0 {
			t.Errorf("%s lasts %d samples", name, n)
		}
	}
	s := Site{cfg: Config{Profile: simulated(t), Chimes: chimes}}
	b := s.planBoard()
	if got := b.Chimes["emergency"] * rate / time.Second; int(got) != len(chimes["emergency"]) {
		t.Errorf("the plan counts %d samples of %d", got, len(chimes["emergency"]))
	}
	r := s.cfg.Profile.Relay
	if b.WarmUp != r.WarmUp || b.Hold != r.Hold || b.MinOff != r.MinimumOff || b.MaxOn != r.MaximumOn {
		t.Errorf("board %+v, profile %+v", b, r)
	}
}

func TestSoundingIsOnTimeHoweverWrongTheWallClockIs(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, off := range []time.Duration{0, -time.Hour, time.Hour, -26 * year, 26 * year} {
		t.Run(off.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial := node.NewDial(wrong{began: time.Now(), off: off})
				power := amplifier.New(lessor{}, amplifier.Timings{}, quiet())
				s := Site{cfg: configured(t, "")}
				play, err := s.player(fitAmplifier{power, func() error { return nil }}, s.cfg.Parts.Decoder, dial)
				if err != nil {
					t.Fatal(err)
				}
				start := dial.Now().Add(10 * time.Second)
				proved, err := play.Play(t.Context(), player.Sounding{Name: "a", Start: start, Chime: make([]int16, rate)}, &playertest.Journal{})
				if err != nil {
					t.Fatal(err)
				}
				if late := proved.First.Sub(start).Abs(); late > time.Millisecond || proved.Samples != rate {
					t.Errorf("%d samples left, %v off their start", proved.Samples, late)
				}
				if warm := proved.First.Sub(proved.Powered) - s.cfg.Profile.Relay.WarmUp; warm.Abs() > time.Millisecond {
					t.Errorf("the relay is said to have closed %v off", warm)
				}
			})
		})
	}
}

func TestRelayStaysOpenAtAVoltageThatTheAmplifierDoesNotBear(t *testing.T) {
	power := amplifier.New(lessor{}, amplifier.Timings{}, quiet())
	unfit := fitAmplifier{power, func() error { return feeding.ErrVoltage }}
	if _, err := unfit.On(t.Context()); !errors.Is(err, feeding.ErrVoltage) || power.Closed() {
		t.Errorf("it closed at a voltage that it does not bear: %v", err)
	}
}

// wrong are clocks whose wall clock is off.
type wrong struct {
	began time.Time
	off   time.Duration
}

// Read returns them.
func (w wrong) Read() node.Reading {
	now := time.Now()
	return node.Reading{Wall: now.Round(0).Add(w.off), Mono: now.Sub(w.began)}
}
