package media

import (
	"math"
	"math/cmplx"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// speechLike is a deterministic stand-in for a voice: harmonics of a gliding pitch in
// syllables, with pauses.
func speechLike(n int) []int16 {
	pcm, phase := make([]int16, n), 0.0
	for i := range pcm {
		t := float64(i) / SampleRate
		phase += 2 * math.Pi * (140 + 30*math.Sin(1.7*t) + 20*math.Sin(4.1*t)) / SampleRate
		v := 0.0
		for h := 1.0; h <= 20; h++ {
			v += math.Sin(h*phase) / (1 + math.Pow((h*140-600-300*math.Sin(5*t))/400, 2))
		}
		pcm[i] = clip(int64(4000 * v * max(0, math.Sin(2*math.Pi*3.3*t)+0.3*math.Sin(t))))
	}
	return pcm
}

// rumble is noise with most of its power below 1 kHz, as voices have.
func rumble(n int) []int16 {
	pcm, low := noise(n, 1, 5), 0
	for i, s := range pcm {
		low += (int(s) - low) / 8
		pcm[i] = int16(low)
	}
	return pcm
}

// late puts n samples of silence before a sound.
func late(pcm []int16, n int) []int16 { return append(make([]int16, n), pcm...) }

func TestCorrelateFindsARecordingWhereItIs(t *testing.T) {
	source := speechLike(4 * SampleRate)
	quiet := slices.Clone(source)
	NewGain(-1234, 0).Apply(quiet)
	for name, c := range map[string]struct {
		recorded []int16
		lag      int
	}{
		"itself":                   {source, 0},
		"late":                     {late(source, 72123), 72123},
		"early (its start is cut)": {source[777:], -777},
		"quieter and late":         {late(quiet, 31), 31},
		"its end cut":              {late(source, 500)[:3*SampleRate], 500},
	} {
		if peak, lag := Correlate(source, c.recorded); peak < 0.999 || lag != c.lag {
			t.Errorf("%s: %.4f at %d, want 1 at %d", name, peak, lag, c.lag)
		}
	}
}

func TestCorrelateIsExactOverAMinute(t *testing.T) {
	// Long sound is searched at a lower rate first; the answer stays exact.
	source := rumble(60 * SampleRate)
	if peak, lag := Correlate(source, late(source, 98765)); peak < 0.9999 || lag != 98765 {
		t.Errorf("%.5f at %d, want 1 at 98765", peak, lag)
	}
}

func TestCorrelateTellsForeignSoundApart(t *testing.T) {
	source := speechLike(3 * SampleRate)
	inverted := slices.Clone(source)
	for i := range inverted {
		inverted[i] = -max(inverted[i], -32767)
	}
	for name, c := range map[string]struct {
		recorded []int16
		most     float64
	}{
		"noise":     {noise(3*SampleRate, 0.5, 3), 0.05},
		"a chime":   {mustChime(t, "normal"), 0.4},
		"silence":   {make([]int16, 3*SampleRate), 0},
		"nothing":   {nil, 0},
		"backwards": {reversed(source), 0.6},
		"inverted":  {inverted, 0.9},
	} {
		if peak, _ := Correlate(source, c.recorded); peak > c.most {
			t.Errorf("%s is taken for the source: %.3f", name, peak)
		}
	}
}

func reversed(pcm []int16) []int16 {
	pcm = slices.Clone(pcm)
	slices.Reverse(pcm)
	return pcm
}

func TestNoiseOnARecordingLowersThePeakAsItShould(t *testing.T) {
	// Signal and noise of equal power: 1/√2.
	source := noise(SampleRate, 0.3, 1)
	recorded := noise(SampleRate, 0.3, 2)
	for i := range recorded {
		recorded[i] += source[i]
	}
	if peak, lag := Correlate(source, recorded); math.Abs(peak-math.Sqrt2/2) > 0.02 || lag != 0 {
		t.Errorf("%.3f at %d, want 0.707 at 0", peak, lag)
	}
}

func TestTransformMatchesItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := 1 << rapid.IntRange(0, 6).Draw(t, "log n")
		x := make([]complex128, n)
		for i := range x {
			x[i] = complex(rapid.Float64Range(-1, 1).Draw(t, "re"), rapid.Float64Range(-1, 1).Draw(t, "im"))
		}
		got := slices.Clone(x)
		newFourier(n).transform(got)
		for k := range n {
			var want complex128
			for i, v := range x {
				want += v * cmplx.Rect(1, -2*math.Pi*float64(i*k)/float64(n))
			}
			if cmplx.Abs(got[k]-want) > 1e-12*float64(n) {
				t.Fatalf("bin %d of %d: %v, want %v", k, n, got[k], want)
			}
		}
	})
}

func TestRMSOfKnownSignals(t *testing.T) {
	for name, c := range map[string]struct {
		pcm  []int16
		want Decibel
	}{
		"nothing":         {nil, Mute},
		"silence":         {make([]int16, 100), Mute},
		"square":          {constant(100, -32768), 0},
		"sine":            {sine(SampleRate, 1000, 1, 0), -301},
		"sine at -20 dB":  {sine(SampleRate, 1000, 0.1, 0), -2301},
		"one step, once":  {append(constant(1, 1), make([]int16, 9)...), -10031},
		"one step, often": {constant(10, 1), -9031},
	} {
		if got := RMS(c.pcm); got < c.want-1 || got > c.want+1 {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestFlatnessTellsNoiseFromSpeechAndMusic(t *testing.T) {
	for name, c := range map[string]struct {
		pcm         []int16
		least, most float64
	}{
		"loud noise":  {noise(5*SampleRate, 1, 1), 0.95, 1},
		"quiet noise": {noise(5*SampleRate, 0.01, 2), 0.95, 1},
		"speech":      {speechLike(5 * SampleRate), 0, 0.3},
		"a bell":      {mustChime(t, "normal"), 0, 0.01},
		"a tone":      {sine(SampleRate, 997, 0.5, 0), 0, 0.001},
		"silence":     {make([]int16, SampleRate), 0, 0},
		"too short":   {noise(flatnessBlock-1, 1, 1), 0, 0},
	} {
		if got := SpectralFlatness(c.pcm); got < c.least || got > c.most {
			t.Errorf("%s: %.4f, want %.3f to %.3f", name, got, c.least, c.most)
		}
	}
}

func BenchmarkCorrelateOneMinute(b *testing.B) {
	source := rumble(60 * SampleRate)
	recorded := late(source, 100000)
	for b.Loop() {
		Correlate(source, recorded)
	}
}

func BenchmarkGainAndFadeOneSecond(b *testing.B) {
	for name, g := range map[string]Gain{"quieter": NewGain(-600, 0), "limited": NewGain(600, -100)} {
		b.Run(name, func(b *testing.B) {
			pcm, block := noise(SampleRate, 0.5, 1), make([]int16, SampleRate)
			for b.Loop() {
				copy(block, pcm)
				fade := FadeIn(EqualPower, millis(50))
				for at := 0; at < len(block); at += 960 {
					g.Apply(block[at : at+960])
					fade.Apply(block[at : at+960])
				}
			}
		})
	}
}

func BenchmarkChime(b *testing.B) {
	for b.Loop() {
		mustChime(b, "emergency")
	}
}
