package speech

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/sink"
)

// voice is a second of a tone.
func voice() []int16 {
	pcm := make([]int16, media.SampleRate)
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*440*float64(i)/media.SampleRate))
	}
	return pcm
}

func booth(t *testing.T, source Source) *Booth {
	return New(Config{Source: source, Each: absent{}, Dir: filepath.Join(t.TempDir(), "speech")})
}

// absent has no recordings.
type absent struct{}

func (absent) Open(context.Context, string, int64) (player.Stream, error) { return nil, os.ErrNotExist }

func says(pcm []int16) Source { return Tape{Load: func() ([]int16, error) { return pcm, nil }} }

// listenTo reads a stream in blocks until it ends.
func listenTo(t *testing.T, s player.Stream, most time.Duration) ([]int16, error) {
	t.Helper()
	var all []int16
	for block := make([]int16, 960); time.Duration(len(all))*time.Second/media.SampleRate < most; {
		n, err := s.Read(t.Context(), block)
		all = append(all, block[:n]...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

func TestWhatIsSpokenIsHeardAtOnceAndKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := booth(t, says(voice()))
		s, err := b.Open(t.Context(), Path("a1", time.Minute, false), 0)
		if err != nil || s.Samples() != 60*media.SampleRate {
			t.Fatalf("%v", err)
		}
		<-time.After(10 * time.Second) // what is said before the first sample is nobody's
		began := time.Now()
		go func() {
			<-time.After(5 * time.Second)
			b.End("another")
			b.End("a1")
		}()
		pcm, err := listenTo(t, s, time.Hour)
		if took := time.Since(began); !errors.Is(err, player.ErrSpoken) || took < 5*time.Second || took > 5100*time.Millisecond {
			t.Errorf("it ended after %v: %v", took, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if peak, lag := media.Correlate(voice(), pcm); peak < 0.99 || lag%media.SampleRate != cushion {
			t.Errorf("it is heard alike by %.3f, %d samples late", peak, lag)
		}
		kept, err := b.Kept("a1")
		if err != nil || kept.Validate() != nil || kept.Millis < 4980 || kept.Millis > 5040 || kept.Bytes != header+2*16*kept.Millis {
			t.Errorf("kept %+v, %v", kept, err)
		}
		if again, err := b.Kept("a1"); again != kept || err != nil {
			t.Errorf("another time %+v, %v", again, err)
		}
		if err := errors.Join(b.Sent("a1"), b.Tidy(func(name string) bool { return name != "a1" }, false)); err != nil {
			t.Error(err)
		}
		if _, err := b.Kept("a1"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("after it was due to go: %v", err)
		}
	})
}

func TestAPowerCutTakesTwoSecondsOfARecordingAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := booth(t, says(voice()))
		s, err := b.Open(t.Context(), Path("a1", time.Minute, false), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := listenTo(t, s, 9*time.Second); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		raw, err := os.ReadFile(b.file("a1"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// What the card holds at that moment, and half a sample more.
		if err := os.WriteFile(b.file("cut"), append(raw, 1), 0o600); err != nil {
			t.Fatal(err)
		}
		kept, err := b.Kept("cut")
		if err != nil || kept.Millis < 7000 || kept.Bytes%2 != 0 {
			t.Errorf("of 9 s %+v are kept, %v", kept, err)
		}
		if err := os.WriteFile(b.file("none"), raw[:20], 0o600); err != nil {
			t.Fatal(err)
		}
		if kept, err := b.Kept("none"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("of nothing %+v is kept, %v", kept, err)
		}
	})
}

func TestAMicrophoneThatIsSilentOrGoneEndsTheSpeech(t *testing.T) {
	hum := make([]int16, media.SampleRate)
	for i := range hum {
		hum[i] = int16(i%3 - 1)
	}
	breaks := errors.New("pulled out")
	for name, c := range map[string]struct {
		source Source
		least  time.Duration
		most   time.Duration
		want   error
	}{
		"a dead one":              {says(hum), 14 * time.Second, 17 * time.Second, ErrMicrophone},
		"one that is pulled out":  {broken{breaks}, 0, time.Second, breaks},
		"a pause of five seconds": {says(append(make([]int16, 5*media.SampleRate), voice()...)), 59 * time.Second, 61 * time.Second, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, err := booth(t, c.source).Open(t.Context(), Path("a1", time.Minute, false), 0)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			_, err = listenTo(t, s, time.Minute)
			if took := time.Since(began); !errors.Is(err, c.want) || took < c.least || took > c.most || c.want != nil && !errors.Is(err, ErrMicrophone) {
				t.Errorf("%s: after %v: %v", name, took, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// broken is there and gives nothing.
type broken struct{ err error }

func (b broken) Open(context.Context) (Capture, error)      { return b, nil }
func (b broken) Read(context.Context, []int16) (int, error) { return 0, b.err }
func (b broken) Close() error                               { return nil }

func TestNobodySpeaksWithoutARecordingUnlessItMustBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Source: says(voice()), Each: absent{}, Dir: "/dev/null/speech"})
		if _, err := b.Open(t.Context(), Path("a1", time.Minute, false), 0); err == nil || errors.Is(err, ErrMicrophone) {
			t.Errorf("without a card: %v", err)
		}
		s, err := b.Open(t.Context(), Path("a1", time.Minute, true), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Open(t.Context(), Path("a2", time.Minute, true), 0); !errors.Is(err, ErrMicrophone) {
			t.Errorf("two speak at once: %v", err)
		}
		if _, err := listenTo(t, s, time.Second); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := b.Kept("a1"); err == nil {
			t.Error("something is kept")
		}
	})
}

func TestACardFullOfRecordingsTakesNoMore(t *testing.T) {
	b := booth(t, says(voice()))
	if err := os.MkdirAll(b.cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.file("old"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(b.file("old"), room+1); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Open(t.Context(), Path("a1", time.Minute, false), 0); !errors.Is(err, errFull) {
		t.Errorf("it is recorded: %v", err)
	}
}

func TestOnlyASpeechOpensTheMicrophone(t *testing.T) {
	b := booth(t, broken{io.EOF})
	for _, path := range []string{"/content/0a1b", "speech:", "speech:{}", `speech:{"name":"../a","ms":5}`, `speech:{"name":"a"}`} {
		if _, err := b.Open(t.Context(), path, 0); err == nil {
			t.Errorf("%s opens something", path)
		}
	}
	if _, err := b.Open(t.Context(), Path("a1", time.Minute, false), 48); err == nil {
		t.Error("somebody speaks from the middle on")
	}
	if _, err := booth(t, says(nil)).Open(t.Context(), Path("a1", time.Minute, false), 0); !errors.Is(err, ErrMicrophone) {
		t.Errorf("a microphone that is not there: %v", err)
	}
	if _, err := Card("plughw:CARD=NoSuchCardOnEarth,DEV=0").Open(t.Context()); err == nil {
		t.Error("a card that is not there opens")
	}
	if name := Path(strings.Repeat("a", 26), broadcast.MaxSpeech, false); !strings.Contains(name, "600000") {
		t.Error(name)
	}
	if err := New(Config{Dir: "/nowhere/at/all"}).Tidy(nil, false); err != nil {
		t.Error(err)
	}
}

// A machine that was held up at the start, or a card that ran dry, costs a moment
// and not the whole speech.
func TestASpeechThatIsLateIsHeardAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := booth(t, says(voice()))
		sinks, err := sink.Open("wav", sink.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		held := &heldUp{Booth: b}
		p := player.New(player.Config{Amplifier: awake{}, Decoder: held, Sinks: sinks, WarmUp: time.Millisecond})
		e, err := p.Play(t.Context(), player.Sounding{Name: "a1", Start: time.Now().Add(time.Second), Whole: true,
			Content: player.Content{Path: Path("a1", 20*time.Second, false)}}, silent{})
		if err != nil || e.Lost == 0 || e.Lost > media.SampleRate {
			t.Errorf("of %d samples %d were lost, %v", e.Expected, e.Lost, err)
		}
	})
}

// Whoever forgets the key is off the air after the longest time, and so is a
// speech that somebody else ends: the microphone is closed, and what was heard,
// with the fade at its end, is what is kept.
func TestASpeechThatIsEndedFromOutsideIsKeptAsFarAsItWasHeard(t *testing.T) {
	for name, c := range map[string]struct{ stop, want time.Duration }{
		"the longest time":       {time.Hour, 20 * time.Second},
		"a stop after 7 seconds": {7 * time.Second, 7 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := booth(t, says(voice()))
			sinks, err := sink.Open("wav", sink.Config{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second+c.stop)
			defer cancel()
			p := player.New(player.Config{Amplifier: awake{}, Decoder: b, Sinks: sinks, WarmUp: time.Millisecond})
			e, err := p.Play(ctx, player.Sounding{Name: "a1", Start: time.Now().Add(time.Second), Whole: true,
				Content: player.Content{Path: Path("a1", 20*time.Second, false)}}, silent{})
			heard := time.Duration(e.Samples) * time.Second / media.SampleRate
			if off := heard - c.want; (err == nil) != (c.stop > c.want) || off < 0 || off > 500*time.Millisecond {
				t.Errorf("%s: heard for %v, %v", name, heard, err)
			}
			kept, err := b.Kept("a1")
			if off := heard - time.Duration(kept.Millis)*time.Millisecond; err != nil || off < 0 || off > 300*time.Millisecond {
				t.Errorf("%s: of %v are kept %d ms, %v", name, heard, kept.Millis, err)
			}
			again, err := b.Open(t.Context(), Path("a2", time.Second, false), 0)
			if err != nil {
				t.Fatalf("%s: the microphone is still open: %v", name, err)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// heldUp is a machine that is held up twice.
type heldUp struct{ *Booth }

func (h *heldUp) Open(ctx context.Context, path string, from int64) (player.Stream, error) {
	s, err := h.Booth.Open(ctx, path, from)
	return &stalling{take: s.(*take)}, err
}

type stalling struct {
	*take
	reads int
}

func (s *stalling) Read(ctx context.Context, pcm []int16) (int, error) {
	if s.reads++; s.reads == 5 || s.reads == 300 {
		<-time.After(350 * time.Millisecond)
	}
	return s.take.Read(ctx, pcm)
}

type awake struct{}

func (awake) On(context.Context) (time.Time, error) { return time.Now(), nil }
func (awake) Moving(uint64) error                   { return nil }
func (awake) Rest() error                           { return nil }

type silent struct{}

func (silent) Powered(time.Time)        {}
func (silent) Playing(time.Time) error  { return nil }
func (silent) Progress(player.Progress) {}

func TestACardThatHangsKeepsNoEmergencyFromBeingSpoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := booth(t, says(voice()))
		answers := make(chan struct{})
		b.record = func(path string, log *slog.Logger) (*tape, error) {
			<-answers
			return record(path, log)
		}
		began := time.Now()
		if _, err := b.Open(t.Context(), Path("normal", time.Minute, false), 0); !errors.Is(err, errHangs) || time.Since(began) > readiness {
			t.Errorf("without a recording it is refused: %v after %v", err, time.Since(began))
		}
		s, err := b.Open(t.Context(), Path("warning", time.Minute, true), 0)
		if err != nil {
			t.Fatal(err)
		}
		if pcm, err := listenTo(t, s, 2*time.Second); err != nil || len(pcm) == 0 {
			t.Errorf("%d samples are heard: %v", len(pcm), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		close(answers)
		synctest.Wait()
		if _, err := b.Kept("warning"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a recording that began too late: %v", err)
		}
	})
}
