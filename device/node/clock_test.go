package node

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// machine is one whose clocks can be set, and the truth.
type machine struct {
	t     *testing.T
	clock *clock
	truth time.Time
	mono  time.Duration
	off   time.Duration // of the wall clock
	ntp   bool
}

var noon = time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)

// switchedOn is a machine that boots at noon with a floor some time before.
func switchedOn(t *testing.T, floor, off time.Duration) *machine {
	m := &machine{t: t, truth: noon, off: off}
	m.clock = newClock(broadcast.InstantOf(noon.Add(-floor)), m.read())
	return m
}

func (m *machine) read() Reading {
	return Reading{Wall: m.truth.Add(m.off), Mono: m.mono, Synced: m.ntp}
}

// pass lets time pass for the machine and the world.
func (m *machine) pass(d time.Duration) {
	m.truth, m.mono = m.truth.Add(d), m.mono+d
	m.clock.tune(m.read())
}

// set puts the wall clock wrong.
func (m *machine) set(off time.Duration) {
	m.off = off
	m.clock.tune(m.read())
}

// ask has the service answer after a way of some length there and back.
func (m *machine) ask(way time.Duration) {
	m.t.Helper()
	m.askLiar(way, 0)
}

// askLiar is answered by a service whose own clock is wrong.
func (m *machine) askLiar(way, lie time.Duration) {
	m.t.Helper()
	text, err := m.clock.ask(nil, m.read())
	if err != nil {
		m.t.Fatal(err)
	}
	m.pass(way / 2)
	at := broadcast.InstantOf(m.truth.Add(lie))
	m.pass(way - way/2)
	if err := m.clock.answer(text, at, m.read()); err != nil {
		m.t.Fatal(err)
	}
}

// shows fails unless the clock is right within slack and of a quality.
func (m *machine) shows(when string, q broadcast.Quality, slack time.Duration) {
	m.t.Helper()
	got := time.Unix(0, int64(m.clock.offset+m.mono))
	if off := got.Sub(m.truth).Abs(); off > slack || m.clock.quality != q {
		m.t.Errorf("%s: shows %v (%v off) as %s; want %s within %v", when, got.UTC(), off, m.clock.quality, q, slack)
	}
}

func TestTimePoison(t *testing.T) {
	century := 12 * 365 * 24 * time.Hour
	t.Run("the wall clock says 2038 for an hour", func(t *testing.T) {
		m := switchedOn(t, time.Hour, 0)
		m.ask(40 * time.Millisecond)
		floor := m.clock.floor
		m.set(century)
		m.shows("poisoned", broadcast.ClockUnverified, 25*time.Millisecond)
		m.pass(time.Hour)
		m.set(0)
		m.shows("afterwards", broadcast.ClockProved, 25*time.Millisecond)
		if m.clock.floor != floor {
			t.Errorf("the floor rose to %s by a clock that nobody proved", m.clock.floor)
		}
	})
	t.Run("it says so before any answer", func(t *testing.T) {
		m := switchedOn(t, time.Hour, century)
		if m.clock.quality != broadcast.ClockUnset {
			t.Errorf("quality %s, want unset", m.clock.quality)
		}
		m.pass(time.Hour)
		m.set(0)
		m.shows("afterwards", broadcast.ClockPlausible, 0)
		m.ask(40 * time.Millisecond)
		m.shows("answered", broadcast.ClockProved, 25*time.Millisecond)
	})
	t.Run("the service itself says so", func(t *testing.T) {
		m := switchedOn(t, time.Hour, 0)
		m.askLiar(40*time.Millisecond, century)
		m.pass(time.Hour)
		m.ask(40 * time.Millisecond)
		m.shows("after the truth", broadcast.ClockProved, 25*time.Millisecond)
		// Only a boot without an answer still knows of it, and waits for one.
		m.clock = newClock(m.clock.floor, m.read())
		if m.clock.quality != broadcast.ClockUnset {
			t.Errorf("after a boot: %s, want unset", m.clock.quality)
		}
		m.ask(40 * time.Millisecond)
		m.shows("after a boot and an answer", broadcast.ClockProved, 25*time.Millisecond)
		m.clock = newClock(m.clock.floor, m.read())
		m.clock.rebase(broadcast.InstantOf(m.truth.Add(-time.Hour)), m.read())
		m.shows("after the root's rebase", broadcast.ClockPlausible, 0)
	})
}

func TestStepsOfTheWallClockDoNotMoveTrustedTime(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			m := switchedOn(t, time.Hour, 0)
			m.ask(40 * time.Millisecond)
			m.pass(10 * time.Minute)
			m.set(step)
			m.shows("after the step", broadcast.ClockUnverified, 25*time.Millisecond)
			m.pass(10 * time.Minute)
			m.shows("later", broadcast.ClockUnverified, 25*time.Millisecond)
			m.ask(40 * time.Millisecond)
			m.shows("asked again", broadcast.ClockUnverified, 25*time.Millisecond)
			m.set(0)
			m.shows("when it is right again", broadcast.ClockProved, 25*time.Millisecond)
		})
	}
}

func TestWallClockTunesOnlyWhereItCanBeTrusted(t *testing.T) {
	for _, c := range []struct {
		name string
		way  time.Duration
		off  time.Duration
		ntp  bool
		want time.Duration // how far trusted time may be off
	}{
		{"a wall clock inside the doubt of the answer is taken, so that neighbours agree", 300 * time.Millisecond, 0, false, 0},
		{"one outside of it is not", 20 * time.Millisecond, 90 * time.Second, false, 12 * time.Millisecond},
		{"one that NTP keeps is taken up to two minutes", 20 * time.Millisecond, 0, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := switchedOn(t, time.Hour, c.off)
			m.ntp = c.ntp
			m.ask(c.way)
			m.shows("answered", broadcast.ClockProved, c.want)
		})
	}
}

func TestBootWithoutAnswerIsPlausibleOnlyAfterTheFloorAndForThirtyDays(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name       string
		floor, off time.Duration
		want       broadcast.Quality
	}{
		{"right after the floor", time.Second, 0, broadcast.ClockPlausible},
		{"29 days after", 29 * day, 0, broadcast.ClockPlausible},
		{"31 days after", 31 * day, 0, broadcast.ClockUnset},
		{"before the floor", time.Hour, -2 * time.Hour, broadcast.ClockUnset},
		{"in 1970", time.Hour, -56 * 365 * day, broadcast.ClockUnset},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := switchedOn(t, c.floor, c.off)
			if m.clock.quality != c.want || m.clock.trusted(m.read()) != 0 {
				t.Errorf("quality %s, trusted %v; want %s and nothing trusted", m.clock.quality, m.clock.trusted(m.read()), c.want)
			}
		})
	}
}

func TestAnswerCountsOnceAskedAndYoung(t *testing.T) {
	m := switchedOn(t, time.Hour, 0)
	now := broadcast.InstantOf(m.truth)
	if err := m.clock.answer("another boot's nonce", now, m.read()); !errors.Is(err, errAnswer) {
		t.Errorf("an answer to nobody's question: %v", err)
	}
	text, err := m.clock.ask(nil, m.read())
	if err != nil {
		t.Fatal(err)
	}
	m.pass(broadcast.ClockTolerance + time.Second)
	if err := m.clock.answer(text, now, m.read()); !errors.Is(err, errAnswer) {
		t.Errorf("an answer held back for two minutes: %v", err)
	}
	if m.clock.answered {
		t.Error("the time counts as answered")
	}
	for range maxNonces {
		if _, err := m.clock.ask(nil, m.read()); err != nil {
			t.Fatal(err)
		}
	}
	if m.clock.asked(text) || len(m.clock.open) != maxNonces {
		t.Errorf("%d questions are open, the oldest too: %v", len(m.clock.open), m.clock.asked(text))
	}
}

func TestBetterAnswerStaysUntilDriftMakesItWorse(t *testing.T) {
	m := switchedOn(t, time.Hour, time.Hour) // a wall clock that helps nobody
	m.ask(10 * time.Millisecond)
	best := m.clock.came
	m.pass(time.Minute)
	m.askLiar(800*time.Millisecond, 300*time.Millisecond) // an uneven way
	if m.clock.came != best {
		t.Error("a worse answer took the place of a better one")
	}
	m.pass(3 * time.Hour) // the crystal may have run away by a second
	m.ask(800 * time.Millisecond)
	if m.clock.came == best {
		t.Error("three hours later the first answer still stands")
	}
	m.askLiar(10*time.Millisecond, 10*time.Second)
	m.shows("after an answer that contradicts the others", broadcast.ClockUnverified, 10*time.Second+25*time.Millisecond)
}

func TestFloorRisesOnlyByAnswers(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	m := switchedOn(t, time.Hour, 0)
	floor := m.clock.floor
	for i := range 300 {
		switch r.IntN(4) {
		case 0:
			m.set(time.Duration(r.Int64N(int64(48*time.Hour))) - 24*time.Hour)
		case 1:
			m.pass(time.Duration(r.Int64N(int64(time.Hour))))
		case 2:
			m.clock.show(broadcast.InstantOf(m.truth.Add(time.Hour)), m.read())
		case 3:
			before := broadcast.InstantOf(m.truth)
			m.ask(time.Duration(r.Int64N(int64(time.Second))))
			if m.clock.floor < before {
				t.Fatalf("seed %d, step %d: floor %s after an answer at %s", seed, i, m.clock.floor, before)
			}
			floor = m.clock.floor
		}
		if m.clock.floor != floor {
			t.Fatalf("seed %d, step %d: the floor moved without an answer", seed, i)
		}
		if m.clock.answered {
			got := time.Unix(0, int64(m.clock.offset+m.mono))
			if off := got.Sub(m.truth).Abs(); off > 2*time.Second {
				t.Fatalf("seed %d, step %d: trusted time is %v off", seed, i, off)
			}
		}
	}
}
