package amplifier_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/device/amplifier"
	"github.com/loaxa/loaxa/device/amplifier/amplifiertest"
	"github.com/loaxa/loaxa/device/guard/lease"
)

// relay is a line that writes down its edges.
type relay struct{ edges []amplifiertest.Edge }

func (r *relay) Set(closed bool) error {
	if n := len(r.edges); n == 0 || r.edges[n-1].Closed != closed {
		r.edges = append(r.edges, amplifiertest.Edge{At: time.Now(), Closed: closed})
	}
	return nil
}

func (r *relay) Close() error { return nil }

func (r *relay) closed() bool { return r.edges[len(r.edges)-1].Closed }

// timings with a hold that is no multiple of the renewal interval.
var timings = amplifier.Timings{Hold: 4200 * time.Millisecond}

func limits() lease.Limits {
	l := lease.DefaultLimits()
	l.MinimumOff, l.MaximumOn = 5*time.Second, 5*time.Minute
	return l
}

// site is an amplifier in virtual time. With a keeper behind it, its relay is
// that of a real guard; with a fake lessor the guard's answers can be poked.
type site struct {
	t      *testing.T
	amp    *amplifier.Amplifier
	relay  *relay
	lessor *amplifiertest.Lessor
	stop   context.CancelFunc
	served chan error
}

func (s *site) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop, s.served = cancel, make(chan error, 1)
	go func() { s.served <- s.amp.Serve(ctx) }()
}

// atSite plays against a real guard, past its first off-time.
func atSite(t *testing.T, play func(*site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &relay{}
		k, err := lease.NewKeeper(r, limits(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		s := &site{t: t, relay: r, amp: amplifier.New(k.Tenant(), timings, slog.New(slog.DiscardHandler))}
		s.serve()
		pass(limits().MinimumOff)
		play(s)
		s.stop()
		<-s.served
		if err := k.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// atFake plays against a guard that can be poked.
func atFake(t *testing.T, play func(*site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &amplifiertest.Lessor{}
		s := &site{t: t, lessor: l, amp: amplifier.New(l, timings, slog.New(slog.DiscardHandler))}
		s.serve()
		play(s)
		s.stop()
		<-s.served
	})
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (s *site) on() time.Time {
	s.t.Helper()
	at, err := s.amp.On(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return at
}

// sound plays for d, as the player does.
func (s *site) sound(frames *uint64, d time.Duration) {
	s.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); pass(200 * time.Millisecond) {
		*frames += 9600
		if err := s.amp.Moving(*frames); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *site) rest() {
	s.t.Helper()
	if err := s.amp.Rest(); err != nil {
		s.t.Fatal(err)
	}
}

// leases returns what the fake guard was asked, without repetitions.
func (s *site) leases() []lease.Phase {
	s.lessor.Lock()
	defer s.lessor.Unlock()
	var phases []lease.Phase
	for _, l := range s.lessor.Leases {
		if n := len(phases); n == 0 || phases[n-1] != l.Phase {
			phases = append(phases, l.Phase)
		}
	}
	return phases
}

func (s *site) poke(change func(*amplifiertest.Lessor)) {
	s.lessor.Lock()
	defer s.lessor.Unlock()
	change(s.lessor)
}

func TestOneSoundingClosesOnceAndOpensAfterTheHold(t *testing.T) {
	atSite(t, func(s *site) {
		start := time.Now()
		at := s.on()
		if !at.Equal(start) || !s.relay.closed() {
			t.Errorf("closed at %v, want at once", at.Sub(start))
		}
		pass(1500 * time.Millisecond)
		frames := uint64(0)
		s.sound(&frames, 2*time.Minute)
		s.rest()
		ended := time.Now()
		pass(timings.Hold + time.Second)
		edges := s.relay.edges
		if len(edges) != 3 || edges[2].Closed {
			t.Fatalf("edges %v", edges)
		}
		if held := edges[2].At.Sub(ended); held != timings.Hold {
			t.Errorf("held for %v, want %v", held, timings.Hold)
		}
	})
}

func TestASecondSoundingWithinTheHoldDoesNotClickTheRelay(t *testing.T) {
	atSite(t, func(s *site) {
		frames := uint64(0)
		first := s.on()
		s.sound(&frames, 10*time.Second)
		s.rest()
		pass(timings.Hold - time.Second)
		if second := s.on(); !second.Equal(first) {
			t.Errorf("second On says closed at %v, the relay closed at %v", second, first)
		}
		pass(1500 * time.Millisecond)
		frames = 0 // the card was opened anew
		s.sound(&frames, 10*time.Second)
		if len(s.relay.edges) != 2 {
			t.Errorf("edges %v", s.relay.edges)
		}
	})
}

func TestOnWaitsOutTheMinimumOffTime(t *testing.T) {
	atSite(t, func(s *site) {
		s.on()
		if err := s.amp.Off(); err != nil {
			t.Fatal(err)
		}
		opened := time.Now()
		pass(2 * time.Second)
		at := s.on()
		if d := at.Sub(opened); d != limits().MinimumOff {
			t.Errorf("closed %v after opening, want %v", d, limits().MinimumOff)
		}
	})
}

func TestOnGivesUpWhenItsContextEnds(t *testing.T) {
	atSite(t, func(s *site) {
		s.on()
		if err := s.amp.Off(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := s.amp.On(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		pass(time.Minute)
		if s.relay.closed() {
			t.Error("the relay closed afterwards")
		}
	})
}

func TestOffEndsAnOnThatIsStillWaiting(t *testing.T) {
	atSite(t, func(s *site) {
		s.on()
		off := func() {
			if err := s.amp.Off(); err != nil {
				t.Error(err)
			}
		}
		off()
		answered := make(chan error, 1)
		go func() {
			_, err := s.amp.On(context.Background())
			answered <- err
		}()
		pass(time.Second)
		off()
		if err := <-answered; !errors.Is(err, amplifier.ErrOff) {
			t.Errorf("On answered %v", err)
		}
		if len(s.relay.edges) != 3 {
			t.Errorf("the relay moved after Off: %v", s.relay.edges)
		}
	})
}

func TestAPlayerThatHangsLosesThePower(t *testing.T) {
	atSite(t, func(s *site) {
		frames := uint64(0)
		s.on()
		s.sound(&frames, 3*time.Second)
		hung := time.Now()
		pass(10 * time.Second) // renewals go on, samples do not
		if s.relay.closed() {
			t.Fatal("closed although nothing moves")
		}
		if d := s.relay.edges[2].At.Sub(hung); d > limits().Stall+500*time.Millisecond {
			t.Errorf("open %v after the last sample", d)
		}
		err := s.amp.Moving(frames + 1)
		if err == nil || !strings.Contains(err.Error(), "samples stopped moving") {
			t.Errorf("Moving says %v", err)
		}
		pass(time.Minute)
		if len(s.relay.edges) != 3 {
			t.Errorf("renewals closed the relay again: %v", s.relay.edges)
		}
	})
}

func TestAPlayerThatNeverStartsLosesThePower(t *testing.T) {
	atSite(t, func(s *site) {
		s.on()
		pass(time.Minute)
		if len(s.relay.edges) != 3 || s.relay.closed() {
			t.Fatalf("edges %v", s.relay.edges)
		}
		if on := s.relay.edges[2].At.Sub(s.relay.edges[1].At); on != limits().WarmUp {
			t.Errorf("powered for %v, want the warm-up bound %v", on, limits().WarmUp)
		}
		s.on() // and may try again
	})
}

func TestTheMaximumOnTimeReachesThePlayerAsAnError(t *testing.T) {
	atSite(t, func(s *site) {
		s.on()
		var err error
		frames := uint64(0)
		for start := time.Now(); err == nil && time.Since(start) < time.Hour; pass(200 * time.Millisecond) {
			frames += 9600
			err = s.amp.Moving(frames)
		}
		if err == nil || !strings.Contains(err.Error(), "maximum on-time") {
			t.Errorf("error %v", err)
		}
		if on := s.relay.edges[2].At.Sub(s.relay.edges[1].At); on != limits().MaximumOn {
			t.Errorf("closed for %v", on)
		}
	})
}

func TestTheRelayOpensWhenServeEnds(t *testing.T) {
	atSite(t, func(s *site) {
		s.on()
		s.stop()
		if err := <-s.served; err != nil {
			t.Error(err)
		}
		if s.relay.closed() {
			t.Error("closed after Serve")
		}
		if err := s.amp.Moving(1); err == nil {
			t.Error("Moving claims power after Serve")
		}
		s.served <- nil
	})
}

func TestWithoutServeThePowerExpires(t *testing.T) {
	atSite(t, func(s *site) {
		s.stop()
		<-s.served
		s.on()
		pass(limits().Expiry)
		if s.relay.closed() {
			t.Error("closed although nobody renews")
		}
		s.served <- nil
	})
}

func TestAnAmplifierThatIsOffRefusesSamplesAndAsksForNothing(t *testing.T) {
	atFake(t, func(s *site) {
		if err := s.amp.Moving(1); err == nil {
			t.Error("Moving claims power")
		}
		if err := errors.Join(s.amp.Rest(), s.amp.Off()); err != nil {
			t.Error(err)
		}
		pass(time.Hour)
		if got := s.leases(); got != nil {
			t.Errorf("asked for %v", got)
		}
	})
}

func TestLeasesFollowTheSounding(t *testing.T) {
	atFake(t, func(s *site) {
		s.on()
		pass(time.Second)
		frames := uint64(0)
		s.sound(&frames, 2*time.Second)
		s.rest()
		pass(time.Second)
		s.on()
		pass(time.Second)
		s.sound(&frames, 2*time.Second)
		s.rest()
		pass(timings.Hold)
		want := []lease.Phase{lease.Close, lease.WarmUp, lease.Moving, lease.Hold, lease.WarmUp, lease.Moving, lease.Hold}
		if got := s.leases(); !reflect.DeepEqual(got, want) {
			t.Errorf("leases %v, want %v", got, want)
		}
		if s.lessor.Closed {
			t.Error("not released after the hold")
		}
	})
}

func TestALostLeaseIsNotRenewedAndOnBeginsAnew(t *testing.T) {
	atFake(t, func(s *site) {
		first := s.on()
		s.poke(func(l *amplifiertest.Lessor) { l.Error, l.Opens = &lease.Refusal{Reason: "mains are gone"}, true })
		pass(time.Second)
		asked := len(s.lessor.Leases)
		s.rest()
		pass(time.Minute)
		if len(s.lessor.Leases) != asked {
			t.Error("a refused lease was renewed")
		}
		if err := s.amp.Moving(1); err == nil || !strings.Contains(err.Error(), "mains are gone") {
			t.Errorf("Moving says %v", err)
		}
		s.poke(func(l *amplifiertest.Lessor) { l.Error = nil })
		if second := s.on(); !second.After(first) {
			t.Errorf("On answers with the old closing %v", second)
		}
	})
}

// TestOnWhileHeldNoticesThatTheGuardOpened closes the gap between a guard that
// opened the relay and the renewal that would have told.
func TestOnWhileHeldNoticesThatTheGuardOpened(t *testing.T) {
	atFake(t, func(s *site) {
		first := s.on()
		s.rest()
		pass(100 * time.Millisecond)
		s.poke(func(l *amplifiertest.Lessor) { l.Closed = false })
		second := s.on()
		if !second.After(first) {
			t.Error("On answers with the closing before the guard opened")
		}
	})
}

func TestOnReachesAGuardThatIsRestarting(t *testing.T) {
	atFake(t, func(s *site) {
		s.poke(func(l *amplifiertest.Lessor) { l.Error = errors.New("connection refused") })
		time.AfterFunc(2*time.Second, func() { s.poke(func(l *amplifiertest.Lessor) { l.Error = nil }) })
		start := time.Now()
		if d := s.on().Sub(start); d > 2100*time.Millisecond {
			t.Errorf("took %v", d)
		}
	})
}

func TestOnIsBoundedWhateverTheGuardAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer error
		most   time.Duration
	}{
		"no guard":            {errors.New("connection refused"), 5 * time.Second},
		"refused for good":    {&lease.Refusal{Reason: "unknown phase"}, 0},
		"try again, for ever": {&lease.Refusal{Reason: "held", RetryAfter: time.Second}, 100 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			atFake(t, func(s *site) {
				s.poke(func(l *amplifiertest.Lessor) { l.Error = c.answer })
				start := time.Now()
				_, err := s.amp.On(context.Background())
				if !errors.Is(err, c.answer) || time.Since(start) > c.most {
					t.Errorf("error %v after %v", err, time.Since(start))
				}
			})
		})
	}
}

func TestAnAnswerThatWasNotHeardLeavesNothingClosed(t *testing.T) {
	atFake(t, func(s *site) {
		s.poke(func(l *amplifiertest.Lessor) {
			l.Answer = func(p lease.Phase) error { return errors.New("timeout") }
		})
		if _, err := s.amp.On(context.Background()); err == nil {
			t.Error("On claims success")
		}
		if s.lessor.Closed {
			t.Error("the relay was left closed")
		}
	})
}

func TestOffDuringOnsQuestionOpensAgain(t *testing.T) {
	atFake(t, func(s *site) {
		s.poke(func(l *amplifiertest.Lessor) {
			l.Answer = func(lease.Phase) error {
				go s.amp.Off()
				<-time.After(time.Second)
				return nil
			}
		})
		if _, err := s.amp.On(context.Background()); !errors.Is(err, amplifier.ErrOff) {
			t.Errorf("On answered %v", err)
		}
		synctest.Wait()
		if s.lessor.Closed {
			t.Error("closed after Off")
		}
	})
}

func TestAFailedReleaseIsToldAndNothingRenews(t *testing.T) {
	atFake(t, func(s *site) {
		s.on()
		s.poke(func(l *amplifiertest.Lessor) { l.Error = errors.New("broken pipe") })
		if err := s.amp.Off(); err == nil {
			t.Error("Off claims success")
		}
		asked := len(s.lessor.Leases)
		pass(time.Minute)
		if len(s.lessor.Leases) != asked {
			t.Error("renewed after Off")
		}
	})
}
