package intake

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/box"
)

func TestTheFirstGainForeseesTheLimiter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		loudness    media.LUFS
		peak, want  media.Decibel
		explanation string
	}{
		{-2000, -1500, 400, "peaks far below the ceiling: the plain gain"},
		{-2000, -600, 400, "peaks just at the ceiling: still the plain gain"},
		{-2000, -100, 400 + 200, "5 dB beyond it: two fifths more"},
		{-2000, 1600, 400 + 300, "a crack: bounded"},
		{-900, -100, -700, "too loud: lowered"},
		{-9000, -8000, maxGain, "never beyond the greatest gain"},
	} {
		j := &job{heard: heard{measured: measured{loudness: c.loudness, peak: c.peak, samples: 48000}}}
		got := j.firstSetting(media.Decibel(targetLUFS - c.loudness))
		if got.gain != c.want || got.ceiling != firstCeiling || got.padded {
			t.Errorf("%s: %+v, wanted a gain of %v", c.explanation, got, c.want)
		}
	}
}

func TestEachRoundCorrectsTheNext(t *testing.T) {
	t.Parallel()
	plain := setting{gain: 400, ceiling: -200}
	limited := setting{gain: 400, ceiling: -200, limited: true}
	for _, c := range []struct {
		name string
		from setting
		got  measured
		most media.Decibel
		want setting
	}{
		{"too quiet", plain, measured{loudness: -1700, peak: -300}, 1400, setting{gain: 500, ceiling: -200}},
		{"too loud", limited, measured{loudness: -1500, peak: -300}, 1400, setting{gain: 300, ceiling: -200, limited: true}},
		{"too quiet behind a limiter", limited, measured{loudness: -1700, peak: -300}, 1400, setting{gain: 550, ceiling: -200, limited: true}},
		{"a peak passes", plain, measured{loudness: -1600, peak: 50}, 1400, setting{gain: 400, ceiling: -370, limited: true}},
		{"no more is allowed", limited, measured{loudness: -3000, peak: -300}, 450, setting{gain: 450, ceiling: -200, limited: true}},
	} {
		if got := c.from.corrected(c.got, c.most); got != c.want {
			t.Errorf("%s: %+v, wanted %+v", c.name, got, c.want)
		}
	}
}

func TestTheNearestAttemptBelowTheCeilingIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made := 0
	attemptOf := func(loudness media.LUFS, peak media.Decibel) attempt {
		made++
		path := fmt.Sprintf("%s/%d", dir, made)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return attempt{path: path, measured: measured{loudness: loudness, peak: peak}}
	}
	best := attempt{}
	for _, next := range []attempt{attemptOf(-1600, -50), attemptOf(-2000, -150), attemptOf(-1750, -100), attemptOf(-1200, -300)} {
		best = better(best, next)
	}
	if best.loudness != -1750 || best.good() {
		t.Errorf("kept %+v", best)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%d files stay: %v", len(left), err)
	}
	if best = better(best, attemptOf(-1640, -100)); !best.good() {
		t.Errorf("%+v needs no further round", best)
	}
}

func TestADecodersComplaintBecomesAReasonWithoutPaths(t *testing.T) {
	t.Parallel()
	exit := errors.New("exit status 1")
	for _, c := range []struct {
		err  error
		code Code
		says string
	}{
		{&box.Failure{Said: "[mp3 @ 0x1] x\npipe:0: Invalid data found when processing input", Cause: exit}, Undecodable, "(Invalid data found when processing input)"},
		{&box.Failure{Said: "file:/proc/self/fd/0: No such file: /secret/place", Cause: exit}, Undecodable, "(unreadable structure)"},
		{&box.Failure{Said: "", Cause: exit}, Undecodable, "(unreadable structure)"},
		{&box.Failure{Said: "", Cause: errors.Join(box.ErrExhausted, exit)}, TooCostly, "time or memory"},
	} {
		var refusal *Refusal
		if !errors.As(undecodable(c.err), &refusal) || refusal.Code != c.code || !strings.Contains(refusal.English, c.says) {
			t.Errorf("%q became %v", c.err, refusal)
		}
	}
	if err := undecodable(os.ErrPermission); !errors.Is(err, os.ErrPermission) || errors.As(err, new(*Refusal)) {
		t.Errorf("a fault of this machine became %v", err)
	}
}

func TestLikenessTellsWavesApart(t *testing.T) {
	t.Parallel()
	tone, other, silence := sine(0.1, -10), chords(0.2, 1)[:4800], make([]int16, 4800)
	for _, c := range []struct {
		name     string
		a, b     []int16
		min, max float64
	}{
		{"the same", tone, tone, 1, 1.0001},
		{"the same, quieter", tone, sine(0.1, -20), 0.999, 1.0001},
		{"another", tone, other, -0.3, 0.3},
		{"two silences", silence, silence, 1, 1},
		{"sound and silence", tone, silence, 0, 0},
	} {
		l := likeness{}
		l.add(c.a, c.b)
		if got := l.correlation(); got < c.min || got > c.max {
			t.Errorf("%s: %.5f", c.name, got)
		}
	}
}

func TestSilenceIsMeasuredInTenthsOfASecond(t *testing.T) {
	t.Parallel()
	m := newMeter()
	m.add(sine(0.7, -10))
	m.add(make([]int16, 48000*3/10))
	got := m.result()
	if got.samples != 48000 || got.silence < 0.29 || got.silence > 0.31 || !got.audible {
		t.Errorf("%+v", got)
	}
	if empty := newMeter().result(); empty.audible || empty.samples != 0 || empty.silence != 0 {
		t.Errorf("nothing measures as %+v", empty)
	}
}

func TestNumbersFromOutsideAreBounded(t *testing.T) {
	t.Parallel()
	for given, want := range map[float64]time.Duration{1.5: 1500 * time.Millisecond, 0: 0, -3: 0, 1e9: 0} {
		if got := seconds(given); got != want {
			t.Errorf("%g became %v", given, got)
		}
	}
	if share(2*time.Second, time.Second) != 1 || share(time.Second, 0) != 0 || share(time.Second, 4*time.Second) != 0.25 {
		t.Error("a share leaves 0 to 1")
	}
}
