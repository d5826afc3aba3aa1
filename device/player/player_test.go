package player_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/sink"
)

func TestSoundingRunsInItsOrderAndOnTheInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := in(time.Minute)
		s.Tail = 100 * time.Millisecond
		e, err := r.play(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		first, pcm := r.recorded()
		if !first.Equal(s.Start) || !e.First.Equal(s.Start) || !r.journal.First().Equal(s.Start) {
			t.Errorf("first sample at %v, evidence %v, announced %v; want %v", first, e.First, r.journal.First(), s.Start)
		}
		total := int64(rate/2 + 2*rate)
		same(t, pcm[:total], line(s, 2*rate))
		if len(pcm) != int(total)+rate/10 {
			t.Errorf("%d samples recorded; want the sounding and its tail", len(pcm))
		}
		want := player.Evidence{
			Powered: s.Start.Add(-warmUp), First: s.Start, Last: s.Start.Add(time.Duration(total-1) * time.Second / rate),
			Samples: total, Expected: total, Peak: e.Peak, RMS: e.RMS,
		}
		if e != want {
			t.Errorf("evidence %+v; want %+v", e, want)
		}
		within(t, "decoder", r.decoder.Of("open")[0].At, s.Start.Add(-10*time.Second), 8*time.Second)
		within(t, "relay", r.amp.Of("on")[0].At, s.Start.Add(-warmUp), 0)
		within(t, "journal", r.journal.Of("playing")[0].At, s.Start.Add(-500*time.Millisecond), 0)
		within(t, "rest", r.amp.Of("rest")[0].At, e.Last.Add(100*time.Millisecond), 5*time.Millisecond)
		r.settled()
	})
}

func TestNothingSoundsUnlessItWasJournalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.journal.PlayingErr = errors.New("disk full")
		e, err := r.play(t.Context(), in(10*time.Second))
		if !errors.Is(err, player.ErrNotJournalled) || !errors.Is(err, r.journal.PlayingErr) {
			t.Errorf("error %v; want %v with its cause", err, player.ErrNotJournalled)
		}
		if e.Samples != 0 || !e.First.IsZero() {
			t.Errorf("evidence %+v of a sounding that did not sound", e)
		}
		r.silent()
	})
}

func TestRelayStaysOpenForWhatCannotSound(t *testing.T) {
	broken := errors.New("broken")
	cases := []struct {
		name   string
		change func(r *rig, s *player.Sounding)
		want   error
	}{
		{"content refused", func(r *rig, _ *player.Sounding) { r.decoder.OpenErr = broken }, player.ErrContent},
		{"no card", func(r *rig, _ *player.Sounding) { r.use(noCard{broken}) }, player.ErrSink},
		{"nothing to say", func(_ *rig, s *player.Sounding) { s.Chime, s.Content.Path = nil, "" }, nil},
		{"no start", func(_ *rig, s *player.Sounding) { s.Start = time.Time{} }, nil},
		{"offset before the beginning", func(_ *rig, s *player.Sounding) { s.Offset = -1 }, nil},
		{"offset behind the end", func(_ *rig, s *player.Sounding) { s.Offset = time.Minute }, player.ErrContent},
		{"endless chime", func(_ *rig, s *player.Sounding) { s.Chime = make([]int16, 61*rate) }, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				s := in(10 * time.Second)
				c.change(r, &s)
				e, err := r.play(t.Context(), s)
				if err == nil || (c.want != nil && !errors.Is(err, c.want)) {
					t.Errorf("error %v; want %v", err, c.want)
				}
				if len(r.amp.Of("on")) > 0 || e.Samples > 0 {
					t.Errorf("the relay closed; evidence %+v", e)
				}
			})
		})
	}
}

type noCard struct{ err error }

func (n noCard) Open(context.Context, string) (player.Sink, error) { return nil, n.err }

func TestNothingSoundsWithoutPower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.amp.OnErr = errors.New("guard away")
		if _, err := r.play(t.Context(), in(10*time.Second)); !errors.Is(err, player.ErrPower) {
			t.Errorf("error %v; want %v", err, player.ErrPower)
		}
		r.silent()
	})
}

func TestLostPowerEndsTheSoundingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.amp.MovingErr = errors.New("relay open")
		s := in(10 * time.Second)
		e, err := r.play(t.Context(), s)
		if !errors.Is(err, player.ErrPower) {
			t.Errorf("error %v; want %v", err, player.ErrPower)
		}
		if now := time.Now(); now.Sub(s.Start) > 200*time.Millisecond || e.Samples > rate/5 {
			t.Errorf("ended %v after the start with %d samples", now.Sub(s.Start), e.Samples)
		}
		r.settled()
	})
}

func TestSignsOfLifeComeAtLeastEvery200Milliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := in(10 * time.Second)
		s.Tail = time.Second
		if _, err := r.play(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		last, frames := s.Start, uint64(0)
		for _, call := range append(r.amp.Of("moving"), r.amp.Of("rest")...) {
			if d := call.At.Sub(last); d > 200*time.Millisecond {
				t.Errorf("%v without a sign of life", d)
			}
			if call.What == "moving" && call.Frames <= frames {
				t.Errorf("frames went from %d to %d", frames, call.Frames)
			}
			last, frames = call.At, max(frames, call.Frames)
		}
		if before := r.amp.Of("moving")[0].At; before.Before(s.Start) {
			t.Error("movement was reported before the first sample")
		}
		if p := r.journal.Last(); p.Played < rate || p.Total != rate*5/2 {
			t.Errorf("last progress %+v", p)
		}
	})
}

func TestLateSoundingJoinsItsNeighbours(t *testing.T) {
	cases := []struct {
		name   string
		late   time.Duration // of the first sample
		change func(r *rig, s *player.Sounding)
	}{
		{"relay within its slack", 0, func(r *rig, _ *player.Sounding) { r.amp.Delay = 20 * time.Millisecond }},
		{"relay at its minimum off time", 700 * time.Millisecond, func(r *rig, _ *player.Sounding) { r.amp.Delay = 700 * time.Millisecond }},
		{"slow journal", 300 * time.Millisecond, func(r *rig, _ *player.Sounding) { r.journal.Delay = 800 * time.Millisecond }},
		{"begun in the past", 2 * time.Second, func(r *rig, s *player.Sounding) {
			s.Start = time.Now().Add(-2 * time.Second)
			r.amp.Held = time.Now().Add(-time.Minute)
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				s := in(10 * time.Second)
				c.change(r, &s)
				e, err := r.play(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				first, pcm := r.recorded()
				within(t, "first sample", first, s.Start.Add(c.late), 0)
				skipped := int64(c.late) * rate / int64(time.Second)
				if e.Skipped != skipped {
					t.Errorf("evidence says %d skipped; want %d", e.Skipped, skipped)
				}
				same(t, pcm, line(s, 2*rate)[skipped:])
			})
		})
	}
}

func TestWholeSoundingIsHeardFromItsBeginningThoughLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.amp.Delay = 700 * time.Millisecond
		s := in(10 * time.Second)
		s.Whole = true
		if _, err := r.play(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		first, pcm := r.recorded()
		within(t, "first sample", first, s.Start.Add(700*time.Millisecond), 0)
		same(t, pcm, line(s, 2*rate))
	})
}

func TestTooLateIsNotSoundedAndNotJournalled(t *testing.T) {
	cases := []struct {
		name   string
		change func(s *player.Sounding)
	}{
		{"behind its limit", func(s *player.Sounding) { s.Late = 100 * time.Millisecond }},
		{"over before", func(s *player.Sounding) { s.Start = s.Start.Add(-20 * time.Second); s.Late = time.Hour }},
		{"over by then", func(s *player.Sounding) { s.Start = s.Start.Add(-12 * time.Second); s.Late = time.Hour }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.amp.Delay = 200 * time.Millisecond
				s := in(10 * time.Second)
				c.change(&s)
				if _, err := r.play(t.Context(), s); !errors.Is(err, player.ErrLate) {
					t.Errorf("error %v; want %v", err, player.ErrLate)
				}
				if len(r.journal.Of("playing")) > 0 {
					t.Error("journalled as playing")
				}
				if c.name == "over before" && len(r.amp.Of("on")) > 0 {
					t.Error("the relay closed for what was over before")
				}
				r.silent()
			})
		})
	}
}

func TestOffsetJoinsInTheMiddle(t *testing.T) {
	for _, offset := range []time.Duration{100 * time.Millisecond, 500 * time.Millisecond, 1700 * time.Millisecond} {
		t.Run(offset.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				s := in(10 * time.Second)
				s.Offset = offset
				if _, err := r.play(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				first, pcm := r.recorded()
				within(t, "first sample", first, s.Start, 0)
				same(t, pcm, line(s, 2*rate)[int64(offset)*rate/int64(time.Second):])
			})
		})
	}
}

// Whatever delays a node, the sample that it plays at an instant is the one
// that every other node plays at that instant.
func TestEverySampleIsOnTheCommonTimeLine(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	millis := func(n int) time.Duration { return time.Duration(rng.IntN(n)) * time.Millisecond }
	for range 40 {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			r.decoder.Samples = 4 * rate
			r.amp.Delay, r.journal.Delay = millis(900), millis(900)
			s := in(millis(4000))
			s.Offset = millis(600)
			if _, err := r.play(t.Context(), s); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			first, pcm := r.recorded()
			at := int64(first.Sub(s.Start)+s.Offset) * rate / int64(time.Second)
			whole := line(s, 4*rate)
			if len(pcm) != len(whole)-int(at) {
				t.Fatalf("seed %d: %d samples from %d of %d", seed, len(pcm), at, len(whole))
			}
			same(t, pcm, whole[at:])
		})
	}
}

func TestVolumeIsAppliedUnderItsCeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.decoder.Value = nil // a square wave of 10000
		s := in(10 * time.Second)
		s.Chime, s.Gain, s.Ceiling = nil, -600, -100
		e, err := r.play(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if _, pcm := r.recorded(); pcm[rate] < 5000 || pcm[rate] > 5024 {
			t.Errorf("10000 at -6 dB is %d", pcm[rate])
		}
		if e.Peak < -1640 || e.Peak > -1620 || e.RMS > e.Peak || e.RMS < e.Peak-50 {
			t.Errorf("levels %v peak, %v rms; want about -16.3 dB for both", e.Peak, e.RMS)
		}
		s = in(10 * time.Second)
		s.Name, s.Gain, s.Ceiling = "tin-2", 3000, -1200
		if e, err = r.play(t.Context(), s); err != nil || e.Peak > -1200 {
			t.Errorf("peak %v (%v); the ceiling was -12 dB", e.Peak, err)
		}
	})
}

func TestEvidenceTellsSilenceFromSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.decoder.Value = func(int64) int16 { return 0 }
		s := in(10 * time.Second)
		s.Chime = nil
		e, err := r.play(t.Context(), s)
		if err != nil || e.Samples != 2*rate {
			t.Fatalf("evidence %+v, error %v", e, err)
		}
		if e.Peak != media.Mute || e.RMS != media.Mute {
			t.Errorf("silence was measured as %v peak, %v rms", e.Peak, e.RMS)
		}
	})
}

func TestChimeAloneIsASounding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := in(10 * time.Second)
		s.Content.Path = ""
		e, err := r.play(t.Context(), s)
		if err != nil || e.Samples != rate/2 {
			t.Fatalf("evidence %+v, error %v", e, err)
		}
		_, pcm := r.recorded()
		same(t, pcm, s.Chime)
	})
}

// corrected is a trusted clock that learns after a while that it was wrong.
type corrected struct {
	after time.Time
	by    time.Duration
}

func (c corrected) now() time.Time {
	if now := time.Now(); now.After(c.after) {
		return now.Add(c.by)
	}
	return time.Now()
}

func TestCorrectedClockMovesTheStart(t *testing.T) {
	for _, by := range []time.Duration{-time.Minute, 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			clock := corrected{after: time.Now().Add(10 * time.Second), by: by}
			null, err := sink.Open("null", sink.Config{Now: clock.now})
			if err != nil {
				t.Fatal(err)
			}
			p := player.New(player.Config{Amplifier: r.amp, Decoder: r.decoder, Sinks: null, WarmUp: warmUp, Now: clock.now})
			s := in(40 * time.Second)
			if _, err := p.Play(t.Context(), s, r.journal); err != nil {
				t.Fatal(err)
			}
			within(t, "relay", r.amp.Of("on")[0].At, s.Start.Add(-by-warmUp), 0)
		})
	}
}
