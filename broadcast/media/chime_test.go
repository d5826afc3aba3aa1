package media

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustChime(t testing.TB, key string) []int16 {
	t.Helper()
	pcm, err := Chime(key)
	if err != nil {
		t.Fatal(err)
	}
	return pcm
}

// chimeFacts pins each chime and says what sets it apart: how many strokes or swells
// are heard, and whether sound starts at once or grows.
var chimeFacts = map[string]struct {
	golden  string
	onsets  int
	strikes bool
}{
	"normal":    {"3eb9037a1046c13f47a1ccd01c2a9a7c3517ab581a73a86a69915e4eda734d34", 2, true},
	"priority":  {"a47d41f5ade1f2676e891471ca41448f89063fb9a49d88593eb304d2fb8e8897", 4, true},
	"emergency": {"cdd968306194b187455a1d2310ca99f9fba9590b860cdd7bdaaaf0f5e7d4729f", 15, true},
	"drill":     {"84d7c3eeeada8b386f2926ece01be1222b4afab995d0b58646564db676336025", 3, false},
}

func TestChimesAreTheSameBytesEverywhere(t *testing.T) {
	if len(scores) != len(chimeFacts) {
		t.Errorf("%d chimes, %d pinned", len(scores), len(chimeFacts))
	}
	for key, fact := range chimeFacts {
		if got := digest(littleEndian(mustChime(t, key))); got != fact.golden {
			t.Errorf("%s: digest %s, want %s", key, got, fact.golden)
		}
	}
}

func TestChimesAreShortAndKeepTheirDistanceToFullScale(t *testing.T) {
	for key := range scores {
		pcm, m := mustChime(t, key), NewMeter()
		m.Add(pcm)
		if len(pcm) > 3*SampleRate {
			t.Errorf("%s lasts %d samples, more than 3 s", key, len(pcm))
		}
		if m.TruePeak() > -300 {
			t.Errorf("%s peaks at %v", key, m.TruePeak())
		}
		if l, ok := m.Integrated(); !ok || l < -1750 || l > -1450 {
			t.Errorf("%s has %v: too far from the -16 LUFS of what follows it", key, l)
		}
		if first, last := pcm[0], pcm[len(pcm)-1]; max(first, last, -first, -last) > 40 {
			t.Errorf("%s clicks: it begins at %d and ends at %d", key, first, last)
		}
	}
}

func TestNoChimeIsMistakenForAnother(t *testing.T) {
	keys := slices.Sorted(maps.Keys(scores))
	for i, a := range keys {
		for _, b := range keys[i:] {
			peak, _ := Correlate(mustChime(t, a), mustChime(t, b))
			if alike := peak > 0.9; alike != (a == b) {
				t.Errorf("%s and %s correlate with %.2f", a, b, peak)
			}
		}
	}
	for key, fact := range chimeFacts {
		envelope := envelopeOf(mustChime(t, key))
		if got := onsets(envelope); got != fact.onsets {
			t.Errorf("%s: %d strokes are heard, want %d", key, got, fact.onsets)
		}
		// A stroke is at its loudest in the first 30 ms; a swell is not.
		if strikes := envelope[1] > envelope[8]; strikes != fact.strikes {
			t.Errorf("%s: strikes is %v", key, strikes)
		}
	}
}

func TestTheEmergencyChimeIsNoSirenAndNoTwoToneHorn(t *testing.T) {
	// A siren holds or glides and a two-tone horn changes pitch: ours repeats one short
	// stroke, so all its strokes are alike, and it falls silent between bursts.
	pcm := mustChime(t, "emergency")
	stroke := pcm[:millis(115)]
	for _, burst := range []int{0, 1000, 2000} {
		for n := range 5 {
			at := millis(burst + 120*n)
			if peak, lag := Correlate(stroke, pcm[at:at+len(stroke)]); peak < 0.9 || lag != 0 {
				t.Errorf("stroke %d of the burst at %d ms: correlation %.2f at %d", n, burst, peak, lag)
			}
		}
		if pause := RMS(pcm[millis(burst+800):millis(burst+890)]); pause > -4500 {
			t.Errorf("pause after the burst at %d ms is at %v", burst, pause)
		}
	}
}

func TestHornsPassTheChimes(t *testing.T) {
	for key := range scores {
		power, inside, all := powerSpectrum(mustChime(t, key)), 0.0, 0.0
		for i, p := range power {
			all += p
			if hertz := i * SampleRate / flatnessBlock; hertz >= 350 && hertz <= 6000 {
				inside += p
			}
		}
		if inside < 0.97*all {
			t.Errorf("%s: only %.0f %% of its energy lies where horns sound", key, 100*inside/all)
		}
	}
}

func TestAnUnknownChimeIsAnErrorNotADefault(t *testing.T) {
	for _, key := range []string{"", "Emergency", "urgent"} {
		if pcm, err := Chime(key); err == nil || pcm != nil || !strings.Contains(err.Error(), "emergency and drill") {
			t.Errorf("chime %q: %d samples, error %v", key, len(pcm), err)
		}
	}
}

func TestAChimeBelongsToItsCaller(t *testing.T) {
	clear(mustChime(t, "normal"))
	if RMS(mustChime(t, "normal")) == Mute {
		t.Error("what one caller did to its chime silenced the next one's")
	}
}

func TestTestToneIsQuietShortAndWithoutClicks(t *testing.T) {
	for _, length := range []time.Duration{time.Millisecond, time.Second, TestToneLimit} {
		pcm, err := TestTone(length)
		if err != nil {
			t.Fatal(err)
		}
		if want := int(length * SampleRate / time.Second); len(pcm) != want {
			t.Errorf("%v: %d samples, want %d", length, len(pcm), want)
		}
		m := NewMeter()
		m.Add(pcm)
		if m.TruePeak() > -2999 {
			t.Errorf("%v: peaks at %v", length, m.TruePeak())
		}
		if pcm[0] != 0 || math.Abs(float64(pcm[len(pcm)-1])) > 30 {
			t.Errorf("%v: begins at %d, ends at %d", length, pcm[0], pcm[len(pcm)-1])
		}
	}
	pcm, _ := TestTone(TestToneLimit)
	if level := RMS(pcm); level < -3400 || level > -3280 {
		t.Errorf("level %v: not the -33 dB of a sine that peaks at -30", level)
	}
	for _, length := range []time.Duration{-1, 0, TestToneLimit + 1} {
		if _, err := TestTone(length); err == nil {
			t.Errorf("a test tone of %v was made", length)
		}
	}
}

// envelopeOf returns the level of each 10 ms.
func envelopeOf(pcm []int16) []float64 {
	var levels []float64
	for ; len(pcm) >= millis(10); pcm = pcm[millis(10):] {
		levels = append(levels, math.Sqrt(energy(pcm[:millis(10)])/float64(millis(10))))
	}
	return levels
}

// onsets counts the rises of an envelope: each time it grows by half above the least
// level since the last rise.
func onsets(levels []float64) int {
	count, low, rising := 0, 0.0, false
	for i, v := range levels {
		before := 0.0
		if i > 0 {
			before = levels[i-1]
		}
		if !rising && v > 1.5*low+200 {
			count, rising = count+1, true
		}
		if v < before {
			rising, low = false, v
		}
	}
	return count
}
