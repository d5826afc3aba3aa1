package sink

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/playertest"
)

const rate = media.SampleRate

// ramp is n samples, none of them zero, each telling its own number.
func ramp(from, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16((from+i)%30000 + 1)
	}
	return pcm
}

func open(t *testing.T, kind string, cfg Config) player.Sink {
	t.Helper()
	opener, err := Open(kind, cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := opener.Open(t.Context(), "tin/1: thử")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// feed writes samples from to to in blocks of 20 ms.
func feed(t *testing.T, s player.Sink, from, to int) player.Position {
	t.Helper()
	var p player.Position
	for ; from < to; from += 960 {
		var err error
		if p, err = s.Write(t.Context(), ramp(from, min(960, to-from))); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func start(t *testing.T, s player.Sink, at time.Time) time.Time {
	t.Helper()
	first, err := s.Start(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

func TestIdealCardPlaysEverySampleAtItsInstant(t *testing.T) {
	for _, kind := range []string{"wav", "null"} {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, kind, Config{Dir: t.TempDir()})
			at := time.Now().Add(time.Second)
			if first := start(t, s, at); !first.Equal(at) {
				t.Fatalf("%s: starts at %v; want %v", kind, first, at)
			}
			p := feed(t, s, 0, 2*rate)
			elapsed := int64(time.Since(at)) * rate / int64(time.Second)
			if ahead := 2*rate - elapsed; ahead < rate/10-960 || ahead > rate/10 {
				t.Errorf("%s: took samples %d ahead; its queue is %d", kind, ahead, rate/10)
			}
			if int64(p.Frames) != elapsed || p.Lost != 0 {
				t.Errorf("%s: position %+v after %d frames of time", kind, p, elapsed)
			}
			p, err := s.Drain(t.Context())
			if err != nil || p.Frames != 2*rate {
				t.Errorf("%s: drained at %+v, %v", kind, p, err)
			}
			if d := time.Since(at) - 2*time.Second; d < 0 || d > time.Millisecond {
				t.Errorf("%s: drained %v after the last sample", kind, d)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestIdealCardStartsAtOnceWhenTheInstantHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "null", Config{})
		if first := start(t, s, time.Now().Add(-time.Second)); !first.Equal(time.Now()) {
			t.Errorf("starts at %v; want now", first)
		}
	})
}

func TestLateSamplesAreDroppedSoThatTheRestIsOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, "wav", Config{Dir: dir})
		at := start(t, s, time.Now().Add(time.Second))
		feed(t, s, 0, rate/2)
		<-time.After(time.Until(at.Add(800 * time.Millisecond))) // 300 ms behind
		feed(t, s, rate/2, rate*3/2)
		p, err := s.Drain(t.Context())
		if err != nil || s.Close() != nil {
			t.Fatal(err)
		}
		lost := rate * 3 / 10
		if int(p.Lost) != lost || int(p.Frames) != rate*3/2-lost {
			t.Errorf("position %+v; want %d lost", p, lost)
		}
		_, pcm, err := playertest.ReadWAV(filepath.Join(dir, "tin-1--th-.wav"))
		if err != nil {
			t.Fatal(err)
		}
		want := ramp(0, rate*3/2)
		clear(want[rate/2 : rate/2+lost])
		if len(pcm) != len(want) {
			t.Fatalf("%d samples recorded; want %d", len(pcm), len(want))
		}
		for i := range want {
			if pcm[i] != want[i] {
				t.Fatalf("at sample %d the recording has %d; want %d", i, pcm[i], want[i])
			}
		}
	})
}

func TestStoppedRecordingKeepsOnlyWhatHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, "wav", Config{Dir: dir})
		at := start(t, s, time.Now().Add(123456789))
		p := feed(t, s, 0, rate)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		first, pcm, err := playertest.ReadWAV(filepath.Join(dir, "tin-1--th-.wav"))
		if err != nil {
			t.Fatal(err)
		}
		if !first.Equal(at) || first.Nanosecond()%1000 == 0 {
			t.Errorf("the recording begins at %v; want %v to the nanosecond", first, at)
		}
		if len(pcm) != int(p.Frames) || len(pcm) >= rate {
			t.Errorf("%d samples recorded; %d had left", len(pcm), p.Frames)
		}
	})
}

func TestRecordingOfAKilledProcessCanBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, "wav", Config{Dir: dir})
		start(t, s, time.Now())
		feed(t, s, 0, rate*7/2) // and nobody closes it
		_, pcm, err := playertest.ReadWAV(filepath.Join(dir, "tin-1--th-.wav"))
		if err != nil || len(pcm) < 5*rate/2 {
			t.Fatalf("%d samples can be read of %d (%v); want all but the last second", len(pcm), rate*7/2, err)
		}
		if !equal(pcm, ramp(0, len(pcm))) {
			t.Error("other samples than those played")
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func equal(a, b []int16) bool {
	var x, y bytes.Buffer
	_ = binary.Write(&x, binary.LittleEndian, a)
	_ = binary.Write(&y, binary.LittleEndian, b)
	return bytes.Equal(x.Bytes(), y.Bytes())
}

func TestNoRecordingIsWrittenOver(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		s := open(t, "wav", Config{Dir: dir})
		start(t, s, time.Now())
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*.wav"))
	if len(found) != 3 {
		t.Errorf("three soundings left %q", found)
	}
}

func TestSoundingNamesCannotLeaveTheFolder(t *testing.T) {
	for name, want := range map[string]string{
		"../../etc/passwd":       "-..-etc-passwd",
		"":                       "sounding",
		"...":                    "sounding",
		"01J8.emergency_2":       "01J8.emergency_2",
		strings.Repeat("a", 300): strings.Repeat("a", maxName),
	} {
		if got := fileName(name); got != want {
			t.Errorf("fileName(%q) = %q; want %q", name, got, want)
		}
	}
}

func TestRecordingThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opener, err := Open("wav", Config{Dir: file})
	if err != nil {
		t.Fatal(err)
	}
	var path *fs.PathError
	if _, err := opener.Open(t.Context(), "x"); !errors.As(err, &path) {
		t.Errorf("Open = %v; want the error of the file system", err)
	}
}

func TestCancelledWriteReturnsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, "null", Config{})
		ctx, cancel := context.WithCancelCause(t.Context())
		start(t, s, time.Now().Add(time.Hour))
		withdrawn := errors.New("withdrawn")
		time.AfterFunc(time.Second, func() { cancel(withdrawn) })
		if p, err := s.Write(ctx, ramp(0, rate)); !errors.Is(err, withdrawn) || p.Frames != 0 {
			t.Errorf("Write = %+v, %v; want %v", p, err, withdrawn)
		}
		if _, err := s.Start(ctx, time.Now()); !errors.Is(err, withdrawn) {
			t.Errorf("Start = %v; want %v", err, withdrawn)
		}
	})
}

func TestKindsAreChosenByNameAndMistakesExplained(t *testing.T) {
	for _, kind := range []string{"alsa", "null", "wav"} {
		if _, err := Open(kind, Config{Dir: t.TempDir()}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	cases := []struct {
		kind string
		cfg  Config
		says string
	}{
		{"pulse", Config{}, "choose one of alsa, wav, null, oto"},
		{"wav", Config{}, "needs a folder"},
		{"null", Config{Buffer: time.Millisecond}, "choose 40 ms to 2 s"},
		{"null", Config{Buffer: time.Hour}, "choose 40 ms to 2 s"},
	}
	for _, c := range cases {
		if _, err := Open(c.kind, c.cfg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Open(%q, %+v) = %v; want words with %q", c.kind, c.cfg, err, c.says)
		}
	}
}

func TestSamplesBeforeStartAreRefused(t *testing.T) {
	s := open(t, "null", Config{})
	if _, err := s.Write(t.Context(), ramp(0, 10)); !errors.Is(err, errNotStarted) {
		t.Errorf("Write = %v; want %v", err, errNotStarted)
	}
	if p, err := s.Drain(t.Context()); err != nil || p.Frames != 0 {
		t.Errorf("Drain = %+v, %v", p, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
