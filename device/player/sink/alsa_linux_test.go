package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/device/player"
)

// shop is a library of simulated cards, each playing on a crystal of its own.
// It keeps what left every one of them, and when.
type shop struct {
	ppm      float64       // the crystal's error
	tail     time.Duration // between the queue and the air
	step     int           // the card counts its position in such steps
	from, to time.Time     // the cards are away in this span
	freeze   time.Time     // from then on the cards stand still
	dry      bool          // every card runs dry at once

	opens int
	heard []leaving
}

// leaving is a block of samples and the instant at which its first one left.
type leaving struct {
	at      time.Time
	samples []int16
	card    *simCard
}

type simCard struct {
	shop    *shop
	begun   time.Time
	written int
	room    int
	ended   time.Time // samples that leave later never did
}

func (s *shop) away() bool {
	now := time.Now()
	return !s.from.IsZero() && !now.Before(s.from) && now.Before(s.to)
}

func (s *shop) open(_ string, buffer, _ time.Duration) (card, error) {
	s.opens++
	if s.away() {
		return nil, syscall.ENODEV
	}
	return &simCard{shop: s, room: int(frames(buffer))}, nil
}

func (c *simCard) rate() float64 { return rate * (1 + c.shop.ppm*1e-6) }

// left is the number of frames that have left the queue.
func (c *simCard) left() int {
	if c.begun.IsZero() {
		return 0
	}
	now := time.Now()
	if f := c.shop.freeze; !f.IsZero() && now.After(f) {
		now = f
	}
	return int(now.Sub(c.begun).Seconds() * c.rate())
}

func (c *simCard) state() error {
	switch {
	case c.shop.away():
		if c.ended.IsZero() {
			c.ended = c.shop.from
		}
		return syscall.ENODEV
	case c.shop.dry && c.written > 0, c.left() > c.written:
		return syscall.EPIPE
	}
	return nil
}

func (c *simCard) write(samples []int16) (int, error) {
	if err := c.state(); err != nil {
		return 0, err
	}
	n := min(len(samples), c.room-(c.written-c.left()))
	if n <= 0 {
		return 0, syscall.EAGAIN
	}
	if c.begun.IsZero() {
		c.begun = time.Now()
	}
	at := c.begun.Add(time.Duration(float64(c.written)/c.rate()*1e9) + c.shop.tail)
	c.shop.heard = append(c.shop.heard, leaving{at, append([]int16(nil), samples[:n]...), c})
	c.written += n
	return n, nil
}

func (c *simCard) delay() (int, error) {
	if err := c.state(); err != nil {
		return 0, err
	}
	counted := c.left() - c.left()%max(c.shop.step, 1)
	return c.written - counted + int(frames(c.shop.tail)), nil
}

func (c *simCard) prepare() error {
	c.begun, c.written = time.Time{}, 0
	return nil
}

func (c *simCard) close() error {
	if c.ended.IsZero() {
		c.ended = time.Now()
	}
	return nil
}

// count returns how many samples of the ramp left by now, and the greatest
// distance of one of them from the instant that is its own.
func (s *shop) count(first time.Time) (n int, worst time.Duration) {
	for _, l := range s.heard {
		for i, v := range l.samples {
			at := l.at.Add(span(int64(i)))
			if v == 0 || at.After(time.Now()) || (!l.card.ended.IsZero() && at.After(l.card.ended)) {
				continue
			}
			n++
			off := at.Sub(first.Add(span(int64(v)-1))) % span(30000) // the ramp's length
			worst = max(worst, min(off.Abs(), span(30000)-off.Abs()))
		}
	}
	return n, worst
}

func openSim(t *testing.T, s *shop) player.Sink {
	t.Helper()
	cfg := Config{Device: "sim", Buffer: 100 * time.Millisecond, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	a, err := alsaOpener{cfg: cfg, lib: s}.Open(t.Context(), "tin")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFirstSampleLeavesTheCardAtItsInstant(t *testing.T) {
	cases := []struct {
		name  string
		shop  shop
		ahead time.Duration
		late  time.Duration // greatest lateness when there is no time
		exact time.Duration
	}{
		{"ideal card", shop{}, time.Second, 0, 50 * time.Microsecond},
		{"long way to the air", shop{tail: 37 * time.Millisecond}, time.Second, 0, 50 * time.Microsecond},
		{"crystal 100 ppm fast", shop{ppm: 100}, time.Second, 0, 200 * time.Microsecond},
		{"card that counts in milliseconds", shop{step: 48}, time.Second, 0, 1100 * time.Microsecond},
		{"card that counts in periods", shop{step: 480}, time.Second, 0, 5 * time.Millisecond},
		{"no time at all", shop{}, 0, 80 * time.Millisecond, 50 * time.Microsecond},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, want := openSim(t, &c.shop), time.Now().Add(c.ahead)
				first := start(t, a, want)
				if d := first.Sub(want); d > c.late+50*time.Microsecond || d < -50*time.Microsecond {
					t.Errorf("armed for %v after the instant; want at most %v", d, c.late)
				}
				feed(t, a, 0, rate/5)
				if _, err := a.Drain(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n, worst := c.shop.count(first); n != rate/5 || worst > c.exact {
					t.Errorf("%d samples left, the worst %v off; want %d within %v", n, worst, rate/5, c.exact)
				}
			})
		})
	}
}

func TestPositionIsWhatTheCardHasPlayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{tail: 10 * time.Millisecond}
		a := openSim(t, s)
		first := start(t, a, time.Now().Add(300*time.Millisecond))
		for from := 0; from < rate/2; from += 960 {
			p := feed(t, a, from, from+960)
			if n, _ := s.count(first); int(p.Frames) > n+48 || int(p.Frames) < n-48 {
				t.Fatalf("claims %d frames; %d have left", p.Frames, n)
			}
		}
		p, err := a.Drain(t.Context())
		if err != nil || p != (player.Position{Frames: rate / 2}) {
			t.Errorf("drained at %+v, %v", p, err)
		}
	})
}

func TestCardThatRanDryComesBackOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		a := openSim(t, s)
		first := start(t, a, time.Now().Add(300*time.Millisecond))
		feed(t, a, 0, 4800)
		<-time.After(400 * time.Millisecond)
		feed(t, a, 4800, 28800)
		p, err := a.Drain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n, worst := s.count(first)
		if worst > 100*time.Microsecond {
			t.Errorf("a sample left %v off its instant", worst)
		}
		if int(p.Frames) != n || int(p.Frames+p.Lost) != 28800 || p.Lost == 0 || p.Lost > 24000 {
			t.Errorf("position %+v; %d of 28800 left", p, n)
		}
	})
}

func TestUnpluggedCardIsBackWithinASecondOfItsReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		a := openSim(t, s)
		first := start(t, a, time.Now().Add(300*time.Millisecond))
		s.from, s.to = first.Add(200*time.Millisecond), first.Add(1200*time.Millisecond)
		feed(t, a, 0, 28800) // half of it falls into the gap
		feed(t, a, 28800, 28800+rate)
		p, err := a.Drain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n, worst := s.count(first)
		if worst > 100*time.Microsecond {
			t.Errorf("a sample left %v off its instant", worst)
		}
		if int(p.Frames+p.Lost) != 28800+rate || p.Frames == 0 || int(p.Frames) > n+480 || int(p.Frames) < n-480 {
			t.Errorf("position %+v; %d really left", p, n)
		}
		if gap := float64(p.Lost) / rate; gap < 1 || gap > 1.3 {
			t.Errorf("%.2f s were lost; the card was away for 1 s", gap)
		}
	})
}

func TestCardThatIsGoneEndsTheSounding(t *testing.T) {
	cases := []struct {
		name string
		fail func(s *shop, at time.Time)
	}{
		{"unplugged", func(s *shop, at time.Time) { s.from, s.to = at, at.Add(time.Hour) }},
		{"standing still", func(s *shop, at time.Time) { s.freeze = at }},
		{"always dry", func(s *shop, _ time.Time) { s.dry = true }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &shop{}
				a := openSim(t, s)
				first := start(t, a, time.Now().Add(300*time.Millisecond))
				broken := first.Add(100 * time.Millisecond)
				c.fail(s, broken)
				var err error
				var p player.Position
				for err == nil && time.Since(first) < time.Minute {
					p, err = a.Write(t.Context(), ramp(0, 960))
				}
				if !errors.Is(err, errGone) {
					t.Fatalf("error %v; want %v", err, errGone)
				}
				if d := time.Since(broken); d > 10*time.Second {
					t.Errorf("noticed after %v", d)
				}
				if n, _ := s.count(first); int(p.Frames) > n+480 {
					t.Errorf("claims %d frames; %d left", p.Frames, n)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestCardAwayAtTheStartIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		a := openSim(t, s)
		s.from, s.to = time.Now(), time.Now().Add(time.Second)
		want := time.Now().Add(2 * time.Second)
		if first := start(t, a, want); first.Sub(want).Abs() > 50*time.Microsecond {
			t.Errorf("armed for %v after the instant", first.Sub(want))
		}
		if s.opens < 2 {
			t.Errorf("opened %d times", s.opens)
		}
	})
}

func TestCancelledAlsaWriteReturnsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shop{}
		a := openSim(t, s)
		first := start(t, a, time.Now().Add(300*time.Millisecond))
		s.from, s.to = first, first.Add(time.Hour)
		withdrawn := errors.New("withdrawn")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(800*time.Millisecond, func() { cancel(withdrawn) })
		var err error
		for err == nil {
			_, err = a.Write(ctx, ramp(0, 960))
		}
		if !errors.Is(err, withdrawn) {
			t.Errorf("error %v; want %v", err, withdrawn)
		}
	})
}

// The ALSA library's own device "null" needs no hardware: it shows that the
// library loads, that every function is bound with the right arguments, and
// that its errors arrive as such.
func TestRealALSALibraryIsBound(t *testing.T) {
	opener, err := Open("alsa", Config{Device: "null"})
	if err != nil {
		t.Fatal(err)
	}
	a, err := opener.Open(t.Context(), "tin")
	if err != nil {
		t.Fatalf("%v (on Debian the package is libasound2; scripts/setup installs it)", err)
	}
	start(t, a, time.Now())
	if p := feed(t, a, 0, rate/10); p.Frames == 0 {
		t.Errorf("position %+v after a device that swallows everything", p)
	}
	if p, err := a.Drain(t.Context()); err != nil || p.Frames != rate/10 {
		t.Errorf("drained at %+v, %v", p, err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func TestAbsentCardIsNamedInTheError(t *testing.T) {
	opener, err := Open("alsa", Config{Device: "plughw:CARD=NoSuchCard,DEV=0"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = opener.Open(t.Context(), "tin")
	if err == nil || !strings.Contains(err.Error(), "NoSuchCard") || !strings.Contains(err.Error(), "aplay -L") {
		t.Errorf("Open = %v; want the card's name and how to list cards", err)
	}
}

func TestErrnoOfALSAResults(t *testing.T) {
	for code, want := range map[int]error{0: nil, 960: nil, -int(syscall.EPIPE): syscall.EPIPE, -int(syscall.ENODEV): syscall.ENODEV} {
		if got := errno(code); !errors.Is(got, want) || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("errno(%d) = %v; want %v", code, got, want)
		}
	}
}

func TestCorrectedClockIsNotHeard(t *testing.T) {
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var wrong time.Duration
			now := func() time.Time { return time.Now().Add(wrong) }
			simulated, err := alsaOpener{cfg: Config{Buffer: 100 * time.Millisecond, Now: now, Log: slog.New(slog.DiscardHandler)}, lib: &shop{}}.Open(t.Context(), "tin")
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []player.Sink{open(t, "null", Config{Now: now}), simulated} {
				at := now().Add(time.Second)
				if first := start(t, s, at); first.Sub(at).Abs() > 50*time.Microsecond {
					t.Errorf("started at %v; want %v", first, at)
				}
				feed(t, s, 0, rate/2)
				wrong += by
				feed(t, s, rate/2, rate)
				if p, err := s.Drain(t.Context()); err != nil || p != (player.Position{Frames: rate}) {
					t.Errorf("drained at %+v, %v", p, err)
				}
			}
		})
	}
}
