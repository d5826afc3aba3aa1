package media

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// littleEndian is the form in which PCM is hashed.
func littleEndian(pcm []int16) []byte {
	b := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// sine returns n samples of a sine; amplitude 1 is full scale.
func sine(n int, hertz, amplitude, phase float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		v := 32768 * amplitude * math.Sin(2*math.Pi*hertz*float64(i)/SampleRate+phase)
		pcm[i] = clip(int64(math.Round(v)))
	}
	return pcm
}

// noise returns n samples of white noise from a fixed seed.
func noise(n int, amplitude float64, seed uint64) []int16 {
	random, pcm := rand.New(rand.NewPCG(seed, 1)), make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(32767 * amplitude * (2*random.Float64() - 1))
	}
	return pcm
}

func pcmGen(most int) *rapid.Generator[[]int16] {
	return rapid.SliceOfN(rapid.Int16(), 0, most)
}

func TestHalfThePercentageIsHalfAsLoud(t *testing.T) {
	for v, want := range map[Volume]Decibel{
		-5: Mute, 0: Mute, 1: -6644, 10: -3322, 25: -2000, 50: -1000, 100: 0, 101: 0, 1 << 30: 0,
	} {
		if got := v.Decibel(); got != want {
			t.Errorf("volume %d %%: %v, want %v", v, got, want)
		}
	}
	for v := Volume(1); v <= 100; v++ {
		if v.Decibel() <= (v - 1).Decibel() {
			t.Errorf("volume %d %% is not louder than %d %%", v, v-1)
		}
	}
}

func TestGainIsTheSameIntegerOnEveryProcessor(t *testing.T) {
	// No value lies so near a rounding boundary that the last bit of math.Pow, which
	// may differ between processors, could decide it; and the whole table is pinned.
	var table []byte
	for d := Mute; d <= maxGain; d++ {
		exact := math.Pow(10, float64(d)/2000) * (1 << gainBits)
		if part := exact - math.Floor(exact); math.Abs(part-0.5) < exact*1e-14 {
			t.Errorf("%v lies on a rounding boundary", d)
		}
		table = binary.LittleEndian.AppendUint64(table, uint64(d.linear()))
	}
	for v := Volume(0); v <= 100; v++ {
		table = binary.LittleEndian.AppendUint64(table, uint64(v.Decibel()))
	}
	const golden = "fa37bef6851a22969b4262d425d660fbae1eb9b70eb99f0d0ca126c9784236ac"
	if got := digest(table); got != golden {
		t.Errorf("digest %s, want %s", got, golden)
	}
}

func TestLevelsReadAsPeopleWriteThem(t *testing.T) {
	for want, got := range map[string]string{
		"-6.00 dB":    Decibel(-600).String(),
		"-0.05 dB":    Decibel(-5).String(),
		"3.01 dB":     Decibel(301).String(),
		"-16.00 LUFS": LUFS(-1600).String(),
		"-0.70 LUFS":  LUFS(-70).String(),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestUnityGainIsBitExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := pcmGen(300).Draw(t, "pcm")
		out := append([]int16(nil), in...)
		NewGain(0, 0).Apply(out)
		for i := range in {
			if in[i] != out[i] {
				t.Fatalf("sample %d: %d became %d", i, in[i], out[i])
			}
		}
	})
}

func TestNoSamplePassesTheCeilingOrChangesSign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gain := Decibel(rapid.IntRange(-20000, 20000).Draw(t, "gain"))
		ceiling := Decibel(rapid.IntRange(-13000, 2000).Draw(t, "ceiling"))
		in := append(pcmGen(200).Draw(t, "pcm"), -32768, 32767)
		out := append([]int16(nil), in...)
		NewGain(gain, ceiling).Apply(out)
		peak := 32768 * math.Pow(10, float64(min(ceiling, 0))/2000)
		if ceiling <= Mute {
			peak = 0
		}
		for i, s := range out {
			if math.Abs(float64(s)) > peak+0.5 {
				t.Fatalf("%d became %d, above the ceiling %v (%.1f)", in[i], s, ceiling, peak)
			}
			if int(in[i])*int(s) < 0 {
				t.Fatalf("%d became %d: it wrapped around", in[i], s)
			}
		}
	})
}

func TestLouderInIsNeverQuieterOut(t *testing.T) {
	for _, g := range []Gain{NewGain(4000, 0), NewGain(600, -300), NewGain(-100, -600), NewGain(-600, 0)} {
		last := int16(-32768)
		for s := -32768; s <= 32767; s++ {
			block := []int16{int16(s)}
			g.Apply(block)
			if block[0] < last {
				t.Fatalf("%+v: %d gives %d, less than the sample before it (%d)", g, s, block[0], last)
			}
			last = block[0]
		}
	}
}

func TestGainIsLinearBelowTheKnee(t *testing.T) {
	// +12 dB of a quiet sine: nothing reaches 3 dB below the ceiling, so nothing bends.
	pcm := sine(SampleRate, 997, 0.1, 0)
	before := RMS(pcm)
	NewGain(1200, -100).Apply(pcm)
	if got := RMS(pcm) - before; got < 1199 || got > 1201 {
		t.Errorf("12 dB of gain changed the level by %v", got)
	}
}

func TestTheZeroGainIsSilence(t *testing.T) {
	for name, g := range map[string]Gain{"zero": {}, "mute": NewGain(Mute, 0), "no room": NewGain(0, Mute)} {
		pcm := []int16{-32768, 5, 32767}
		g.Apply(pcm)
		if RMS(pcm) != Mute {
			t.Errorf("%s: %v sounds", name, pcm)
		}
	}
}
