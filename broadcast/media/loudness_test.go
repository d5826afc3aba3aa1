package media

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// inBothChannels is what a mono meter must add to read as the stereo test signals of
// EBU Tech 3341 do, which carry the same sine in two channels: their powers add up.
const inBothChannels = 3.0103

// stretch is a 997 Hz sine that peaks at a level (dBFS) for some seconds.
type stretch struct{ level, seconds float64 }

// play strings stretches together.
func play(stretches ...stretch) []int16 {
	var pcm []int16
	for _, s := range stretches {
		n := int(math.Round(s.seconds * SampleRate))
		pcm = append(pcm, sine(n, 997, math.Pow(10, s.level/20), 0)...)
	}
	return pcm
}

// stereo is a stretch whose mono reading equals that of the same level in two channels.
func stereo(level, seconds float64) stretch { return stretch{level + inBothChannels, seconds} }

func TestLoudnessOfKnownSignals(t *testing.T) {
	for _, c := range []struct {
		name      string
		pcm       []int16
		want      LUFS
		tolerance LUFS
	}{
		{"BS.1770-4: 997 Hz at full scale in one channel", play(stretch{0, 5}), -301, 2},
		{"997 Hz at -23 dBFS in one channel", play(stretch{-23, 20}), -2601, 2},
		{"Tech 3341 case 1", play(stereo(-23, 20)), -2300, 10},
		{"Tech 3341 case 2", play(stereo(-33, 20)), -3300, 10},
		{"Tech 3341 case 3", play(stereo(-36, 10), stereo(-23, 60), stereo(-36, 10)), -2300, 10},
		{"Tech 3341 case 4", play(stereo(-72, 10), stereo(-36, 10), stereo(-23, 60), stereo(-36, 10), stereo(-72, 10)), -2300, 10},
		{"Tech 3341 case 5", play(stereo(-26, 20), stereo(-20, 20.1), stereo(-26, 20)), -2300, 10},
		{"25 Hz is barely heard", sine(5*SampleRate, 25, 0.5, 0), -2012, 20},
		{"10 kHz is heard more than 1 kHz", sine(5*SampleRate, 10000, 0.1, 0), -1970, 20},
	} {
		m := NewMeter()
		m.Add(c.pcm)
		if got, ok := m.Integrated(); !ok || got < c.want-c.tolerance || got > c.want+c.tolerance {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSilenceHasNoLoudness(t *testing.T) {
	for name, pcm := range map[string][]int16{
		"nothing":              nil,
		"zeros":                make([]int16, 10*SampleRate),
		"below -70 LUFS":       play(stretch{-72, 5}),
		"shorter than a block": play(stretch{-20, 0.39}),
	} {
		m := NewMeter()
		m.Add(pcm)
		if l, ok := m.Integrated(); ok {
			t.Errorf("%s has a loudness of %v", name, l)
		}
	}
	if peak := NewMeter().TruePeak(); peak != Mute {
		t.Errorf("nothing peaks at %v", peak)
	}
}

func TestTruePeakIsFoundBetweenTheSamples(t *testing.T) {
	// Tech 3341 cases 15 to 18: sines at a quarter, a sixth and an eighth of the rate
	// whose samples miss the crest; tolerance +0.2 / -0.4 dB.
	for _, c := range []struct {
		name         string
		divisor      float64
		phase, level float64 // degrees, dBFS of the crest
	}{
		{"case 15", 4, 0, -6}, {"case 16", 4, 45, -6}, {"case 17", 6, 60, -6}, {"case 18", 8, 67.5, -6},
		{"at full scale", 4, 45, 0}, {"14.1 kHz", 3.4, 20, -3},
	} {
		pcm, m := sine(SampleRate, SampleRate/c.divisor, math.Pow(10, c.level/20), c.phase*math.Pi/180), NewMeter()
		FadeIn(Linear, millis(100)).Apply(pcm) // a sine that begins at once overshoots
		m.Add(pcm)
		want := Decibel(100 * c.level)
		if got := m.TruePeak(); got < want-40 || got > want+20 {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
}

func TestTruePeakExceedsFullScaleWhereTheWaveDoes(t *testing.T) {
	// Tech 3341 case 19: a quarter-rate sine of crest +3 dBFS that every sample misses.
	pcm := make([]int16, SampleRate)
	for i := range pcm {
		pcm[i] = [4]int16{32767, 32767, -32767, -32767}[i%4]
	}
	FadeIn(EqualPower, 4800).Apply(pcm)
	m := NewMeter()
	m.Add(pcm)
	if got := m.TruePeak(); got < 260 || got > 320 {
		t.Errorf("%v, want 3.01 dB", got)
	}
}

func TestMeterDoesNotDependOnTheBlocks(t *testing.T) {
	pcm := noise(SampleRate/2, 0.3, 7)
	whole := NewMeter()
	whole.Add(pcm)
	want, _ := whole.Integrated()
	rapid.Check(t, func(t *rapid.T) {
		m := NewMeter()
		for rest := pcm; len(rest) > 0; {
			n := min(len(rest), rapid.IntRange(1, SampleRate/2).Draw(t, "block"))
			m.Add(rest[:n])
			rest = rest[n:]
		}
		if got, ok := m.Integrated(); !ok || got != want || m.TruePeak() != whole.TruePeak() {
			t.Fatalf("%v and %v, as a whole %v and %v", got, m.TruePeak(), want, whole.TruePeak())
		}
	})
}

func TestTruePeakIsNeverBelowTheGreatestSample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pcm, m := pcmGen(200).Draw(t, "pcm"), NewMeter()
		m.Add(pcm)
		greatest := 0.0
		for _, s := range pcm {
			greatest = max(greatest, math.Abs(float64(s)))
		}
		if m.TruePeak() < decibels(greatest/32768) {
			t.Fatalf("%v, but a sample has %v", m.TruePeak(), greatest)
		}
	})
}

func BenchmarkMeterOneSecond(b *testing.B) {
	m, pcm := NewMeter(), noise(SampleRate, 0.5, 1)
	for b.Loop() {
		m.Add(pcm)
	}
}
