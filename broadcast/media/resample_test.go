package media

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustResampler(t testing.TB, from, to int) *Resampler {
	t.Helper()
	r, err := NewResampler(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ratesOfRecordings are the conversions that recordings and connections need.
var ratesOfRecordings = [][2]int{
	{44100, 48000}, {8000, 48000}, {11025, 48000}, {16000, 48000}, {22050, 48000},
	{24000, 48000}, {32000, 48000}, {96000, 48000}, {48000, 44100}, {48000, 16000}, {48000, 8000},
}

// sineAt is a sine at a sample rate, half of full scale.
func sineAt(rate, n int, hertz float64) []int16 {
	return sine(n, hertz*SampleRate/float64(rate), 0.5, 0)
}

// tone measures the amplitude of one frequency in a stretch of sound, as a part of
// full scale, through a Blackman-Harris window (its own side lobes are at -92 dB).
func tone(pcm []int16, rate int, hertz float64) float64 {
	var re, im, sum float64
	for i, s := range pcm {
		x := 2 * math.Pi * float64(i) / float64(len(pcm))
		w := 0.35875 - 0.48829*math.Cos(x) + 0.14128*math.Cos(2*x) - 0.01168*math.Cos(3*x)
		sin, cos := math.Sincos(2 * math.Pi * hertz * float64(i) / float64(rate))
		re, im, sum = re+w*float64(s)*cos, im+w*float64(s)*sin, sum+w
	}
	return 2 * math.Hypot(re, im) / sum / 32768
}

// resampled converts a sine and cuts the start and end away.
func resampled(t *testing.T, from, to int, hertz float64) []int16 {
	r := mustResampler(t, from, to)
	out := r.Flush(r.Append(nil, sineAt(from, from/4, hertz)))
	return out[len(out)/8 : len(out)*7/8]
}

func TestResamplerPassBandIsFlat(t *testing.T) {
	for _, rates := range ratesOfRecordings {
		from, to := rates[0], rates[1]
		edge := 0.81 * float64(min(from, to)) / 2
		for _, hertz := range []float64{0.05 * edge, 0.5 * edge, 0.9 * edge, edge} {
			ripple := 20 * math.Log10(tone(resampled(t, from, to, hertz), to, hertz)/0.5)
			if math.Abs(ripple) > 0.01 {
				t.Errorf("%d to %d: %.0f Hz comes out at %+.4f dB", from, to, hertz, ripple)
			}
		}
	}
}

func TestResamplerStopBandIsDeep(t *testing.T) {
	worst := math.Inf(-1)
	for _, rates := range ratesOfRecordings {
		from, to := rates[0], rates[1]
		nyquist := float64(min(from, to)) / 2
		for _, hertz := range []float64{0.2 * nyquist, 0.6 * nyquist, 0.8 * nyquist} {
			// Going up, the mirror image of a tone must not be heard.
			mirror := float64(from) - hertz
			in := hertz
			if from > to {
				// Going down, a tone above half the new rate must not fold back.
				in, mirror = float64(to)-hertz, hertz
			}
			if in >= float64(from)/2 || mirror >= float64(to)/2 {
				continue
			}
			level := 20 * math.Log10(tone(resampled(t, from, to, in), to, mirror)/0.5)
			worst = max(worst, level)
			if level > -85 {
				t.Errorf("%d to %d: a tone at %.0f Hz is heard at %.0f Hz with %.1f dB", from, to, in, mirror, level)
			}
		}
	}
	t.Logf("greatest image or alias: %.1f dB", worst)
}

func TestResamplerNoiseIsThatOfSixteenBits(t *testing.T) {
	// 1 kHz from 44.1 to 48 kHz against the sine that belongs there, sample by sample:
	// what differs is the rounding on both sides and nothing else.
	r := mustResampler(t, 44100, 48000)
	got := r.Flush(r.Append(nil, sineAt(44100, 44100, 1000)))
	want := sineAt(48000, 48000, 1000)
	if len(got) != len(want) {
		t.Fatalf("%d samples, want %d", len(got), len(want))
	}
	for i := 100; i < len(want)-100; i++ {
		if d := int(got[i]) - int(want[i]); d < -2 || d > 2 {
			t.Fatalf("sample %d: %d, want %d: delayed or distorted", i, got[i], want[i])
		}
	}
}

func TestResamplerDoesNotDependOnTheBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rates := rapid.SampledFrom(append(ratesOfRecordings, [2]int{48000, 48000})).Draw(t, "rates")
		pcm := pcmGen(500).Draw(t, "pcm")
		whole, _ := NewResampler(rates[0], rates[1])
		cut, _ := NewResampler(rates[0], rates[1])
		want := whole.Flush(whole.Append(nil, pcm))
		var got []int16
		for rest := pcm; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "block")
			got = cut.Append(got, rest[:n])
			rest = rest[n:]
		}
		if rates[0] == rates[1] {
			want, got = pcm, cut.Append(nil, pcm)
		} else {
			got = cut.Flush(got)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v: %d samples in blocks, %d as a whole", rates, len(got), len(want))
		}
	})
}

func TestResampledSoundIsAsLongAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom([]int{8000, 11025, 44100, 48000, 96000}).Draw(t, "from")
		to := rapid.SampledFrom([]int{8000, 16000, 44100, 48000}).Draw(t, "to")
		n := rapid.IntRange(0, 3000).Draw(t, "samples")
		r, err := NewResampler(from, to)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(r.Flush(r.Append(nil, make([]int16, n)))), (n*to+from-1)/from; got != want {
			t.Fatalf("%d samples at %d became %d at %d, want %d", n, from, got, to, want)
		}
	})
}

func TestResamplerKeepsAConstantAndDoesNotWrap(t *testing.T) {
	for _, rates := range ratesOfRecordings {
		r := mustResampler(t, rates[0], rates[1])
		out := r.Append(nil, constant(4000, 12345))
		if mid := out[len(out)/2]; mid != 12345 {
			t.Errorf("%v: a constant 12345 became %d", rates, mid)
		}
		// A full-scale square wave overshoots between its samples.
		square := append(constant(500, 32767), constant(500, -32768)...)
		r = mustResampler(t, rates[0], rates[1])
		out = r.Flush(r.Append(nil, square))
		for i, s := range out {
			if x := i * rates[0] / rates[1]; x > 100 && x < 400 && s < 0 || x > 600 && x < 900 && s > 0 {
				t.Fatalf("%v: sample %d wrapped to %d", rates, i, s)
			}
		}
	}
}

func TestImpossibleRatesAreRefusedWithAdvice(t *testing.T) {
	for _, c := range []struct {
		from, to int
		advice   string
	}{
		{0, 48000, "4000 to 384000"}, {48000, -1, "4000 to 384000"}, {48000, 1 << 30, "4000 to 384000"},
		{47999, 48000, "convert the recording"},
	} {
		if _, err := NewResampler(c.from, c.to); err == nil || !strings.Contains(err.Error(), c.advice) {
			t.Errorf("%d to %d: error %v", c.from, c.to, err)
		}
	}
}

func BenchmarkResampleOneSecond(b *testing.B) {
	for _, rates := range [][2]int{{44100, 48000}, {8000, 48000}, {48000, 16000}} {
		b.Run(fmt.Sprintf("%d-%d", rates[0], rates[1]), func(b *testing.B) {
			r, in, out := mustResampler(b, rates[0], rates[1]), noise(rates[0], 0.5, 1), []int16(nil)
			for b.Loop() {
				out = r.Append(out[:0], in)
			}
		})
	}
}
