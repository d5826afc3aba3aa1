package player_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/playertest"
	"github.com/loaxa/loaxa/device/player/sink"
)

var errWithdrawn = errors.New("withdrawn by the commune")

// stopAfter returns a context that is withdrawn after d.
func stopAfter(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(d, func() { cancel(errWithdrawn) })
	return ctx
}

// steepest is the greatest step between neighbouring samples from sample n on.
func steepest(pcm []int16, n int) int {
	most, last := 0, int(pcm[n])
	for _, v := range append(pcm[n+1:], 0) {
		most = max(most, int(v)-last, last-int(v))
		last = int(v)
	}
	return most
}

func TestStoppedSoundingFadesOutAndLetsGoWithinHalfASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.decoder.Value = func(n int64) int16 { return int16(8000 + n%50) }
		s := in(10 * time.Second)
		e, err := r.play(stopAfter(t, 11*time.Second), s)
		if !errors.Is(err, errWithdrawn) {
			t.Errorf("error %v; want %v", err, errWithdrawn)
		}
		within(t, "return", time.Now(), s.Start.Add(time.Second), 500*time.Millisecond)
		first, pcm := r.recorded()
		within(t, "last sample", first.Add(time.Duration(len(pcm))*time.Second/rate), s.Start.Add(time.Second), 300*time.Millisecond)
		if e.Samples != int64(len(pcm)) || e.Expected != rate*5/2 {
			t.Errorf("evidence %+v; %d samples were recorded", e, len(pcm))
		}
		if step := steepest(pcm, rate); step > 100 {
			t.Errorf("a step of %d in the fade-out: that cracks", step)
		}
		if pcm[rate*11/10-100] < 7000 {
			t.Error("faded before it was stopped")
		}
		r.settled()
	})
}

func TestStopBeforeTheFirstSampleSoundsNothing(t *testing.T) {
	for _, before := range []time.Duration{9 * time.Second, 2 * time.Second, 1700 * time.Millisecond, time.Second, 100 * time.Millisecond} {
		t.Run(before.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				s := in(10 * time.Second)
				r.amp.Delay = 10 * time.Millisecond
				e, err := r.play(stopAfter(t, 10*time.Second-before), s)
				if !errors.Is(err, errWithdrawn) || e.Samples != 0 {
					t.Errorf("evidence %+v, error %v", e, err)
				}
				within(t, "return", time.Now(), s.Start.Add(-before), 500*time.Millisecond)
				r.settled()
			})
		})
	}
}

func TestStopDoesNotWaitForADecoderThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.decoder.HangAt = rate
		s := in(10 * time.Second)
		e, err := r.play(stopAfter(t, 15*time.Second), s)
		if !errors.Is(err, errWithdrawn) {
			t.Errorf("error %v; want %v", err, errWithdrawn)
		}
		within(t, "return", time.Now(), s.Start.Add(5*time.Second), 600*time.Millisecond)
		if e.Samples > rate*3/2 || e.Samples < rate*3/2-960 {
			t.Errorf("%d samples were played before the decoder hung", e.Samples)
		}
		r.settled()
	})
}

func TestBrokenDecoderEndsTheSoundingWithoutACrack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.decoder.Value = func(int64) int16 { return 8000 }
		r.decoder.FailAt, r.decoder.ReadErr = rate, errors.New("decoder crashed")
		e, err := r.play(t.Context(), in(10*time.Second))
		if !errors.Is(err, player.ErrContent) || !errors.Is(err, r.decoder.ReadErr) {
			t.Errorf("error %v; want %v with its cause", err, player.ErrContent)
		}
		_, pcm := r.recorded()
		if step := steepest(pcm, rate); step > 100 {
			t.Errorf("a step of %d at the end: that cracks", step)
		}
		if played := e.Samples; played < rate*3/2-960 || played > rate*3/2 {
			t.Errorf("%d samples claimed; the decoder gave %d", played, rate*3/2)
		}
		r.settled()
	})
}

func TestSoundingIsCutAtItsGreatestDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := in(10 * time.Second)
		s.MaxDuration = time.Second
		e, err := r.play(t.Context(), s)
		if !errors.Is(err, player.ErrCut) || e.Samples != rate {
			t.Errorf("evidence %+v, error %v; want %d samples and %v", e, err, rate, player.ErrCut)
		}
		_, pcm := r.recorded()
		if len(pcm) != rate || pcm[rate-1] > 30 {
			t.Errorf("%d samples, the last is %d; want %d and a fade-out", len(pcm), pcm[len(pcm)-1], rate)
		}
	})
}

func TestOneSoundingAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		go func() {
			if _, err := r.play(t.Context(), in(10*time.Second)); err != nil {
				t.Error(err)
			}
		}()
		<-time.After(11 * time.Second)
		second := in(0)
		second.Name = "tin-2"
		prepared, err := r.player.Prepare(t.Context(), second)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := prepared.Play(t.Context(), r.journal); !errors.Is(err, player.ErrBusy) {
			t.Errorf("second sounding = %v; want %v", err, player.ErrBusy)
		}
		if _, err := r.play(t.Context(), second); !errors.Is(err, player.ErrBusy) {
			t.Errorf("third sounding = %v; want %v", err, player.ErrBusy)
		}
		<-time.After(5 * time.Second)
		prepared.Discard()
		if _, err := prepared.Play(t.Context(), r.journal); err == nil || errors.Is(err, player.ErrBusy) {
			t.Errorf("a discarded sounding = %v; want an error of its own", err)
		}
		r.settled()
	})
}

func TestEmergencyIsHeardWithinASecondOfTakingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		over := make(chan error, 1)
		go func() {
			_, err := r.play(ctx, in(10*time.Second))
			over <- err
		}()
		<-time.After(11 * time.Second)
		emergency := in(0)
		emergency.Name = "khan-cap"
		prepared, err := r.player.Prepare(t.Context(), emergency)
		if err != nil {
			t.Fatal(err)
		}
		taken := time.Now()
		cancel(errWithdrawn)
		<-over
		r.amp.Held = taken.Add(-10 * time.Second) // the relay is still closed
		e, err := prepared.Play(t.Context(), r.journal)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "emergency", e.First, taken, time.Second)
		r.settled()
	})
}

func TestPreparedSoundingsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var held []*player.Prepared
		for {
			p, err := r.player.Prepare(t.Context(), in(time.Hour))
			if errors.Is(err, player.ErrBusy) {
				break
			}
			if err != nil || len(held) > 100 {
				t.Fatalf("%d prepared, error %v", len(held), err)
			}
			held = append(held, p)
		}
		for _, p := range held {
			p.Discard()
			p.Discard()
		}
		r.decoder.OpenErr = errors.New("broken")
		for range 100 {
			if _, err := r.player.Prepare(t.Context(), in(time.Hour)); !errors.Is(err, player.ErrContent) {
				t.Fatalf("after all were discarded: %v", err)
			}
		}
	})
}

// tricky is an ideal card that goes away in mid-sounding.
type tricky struct {
	player.Sink
	left int
	err  error
}

func (c *tricky) Open(ctx context.Context, name string) (player.Sink, error) {
	null, err := sink.Open("null", sink.Config{})
	if err != nil {
		return nil, err
	}
	c.Sink, err = null.Open(ctx, name)
	return c, err
}

func (c *tricky) Write(ctx context.Context, pcm []int16) (player.Position, error) {
	if c.left--; c.left < 0 {
		position, err := c.Sink.Write(ctx, nil)
		return position, errors.Join(c.err, err)
	}
	return c.Sink.Write(ctx, pcm)
}

func TestOnlyWhatTheCardPlayedIsClaimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.use(&tricky{left: 50, err: errors.New("unplugged")})
		e, err := r.play(t.Context(), in(10*time.Second))
		if !errors.Is(err, player.ErrSink) {
			t.Errorf("error %v; want %v", err, player.ErrSink)
		}
		if queued := int64(50 * 960); e.Samples >= queued || e.Samples < queued-rate/10-960 {
			t.Errorf("%d samples claimed of %d queued; the queue holds %d", e.Samples, queued, rate/10)
		}
		r.settled()
	})
}

// The queue, buffers and the decoder of a sounding are gone when it is over.
func TestPlayerAtRestHoldsAlmostNothing(t *testing.T) {
	const players, most = 50, 100 << 10
	held := make([]*player.Player, 0, players)
	before := heap()
	for range players {
		synctest.Test(t, func(t *testing.T) {
			p := player.New(player.Config{
				Amplifier: &playertest.Amplifier{}, Decoder: &playertest.Decoder{Samples: rate}, Sinks: &tricky{left: 1 << 30}, WarmUp: warmUp,
			})
			if _, err := p.Play(t.Context(), in(10*time.Second), &playertest.Journal{}); err != nil {
				t.Fatal(err)
			}
			held = append(held, p)
		})
	}
	if each := (heap() - before) / players; each > most {
		t.Errorf("a player at rest holds %d bytes; at most %d", each, most)
	}
	runtime.KeepAlive(held)
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
