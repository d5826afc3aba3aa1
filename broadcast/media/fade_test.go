package media

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// constant returns n samples of one value.
func constant(n int, v int16) []int16 { return slices.Repeat([]int16{v}, n) }

func TestFadeIsExactToTheSample(t *testing.T) {
	const n, level = 480, 30000
	in := constant(3*n, level)
	FadeIn(Linear, n).Apply(in)
	out := constant(3*n, level)
	FadeOut(Linear, n, n).Apply(out)
	switch {
	case in[0] != 0 || in[n-1] == level || in[n] != level:
		t.Errorf("fade-in: first %d, last of it %d, first after it %d", in[0], in[n-1], in[n])
	case out[n-1] != level || out[n] != level || out[n+1] == level || out[2*n-1] == 0 || out[2*n] != 0:
		t.Errorf("fade-out: %v ... %v", out[n-1:n+2], out[2*n-1:2*n+1])
	case !slices.Equal(out[2*n:], make([]int16, n)):
		t.Error("fade-out: sound after its end")
	case !slices.IsSorted(in) || !slices.IsSortedFunc(out, func(a, b int16) int { return int(b) - int(a) }):
		t.Error("a fade turned back on its way")
	}
}

func TestFadeDoesNotDependOnTheBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pcm := pcmGen(600).Draw(t, "pcm")
		shape := rapid.SampledFrom([]Shape{Linear, EqualPower}).Draw(t, "shape")
		after := rapid.Int64Range(-5, 400).Draw(t, "after")
		length := rapid.IntRange(-1, 400).Draw(t, "length")
		for _, make := range []func() *Fade{
			func() *Fade { return FadeIn(shape, length) },
			func() *Fade { return FadeOut(shape, after, length) },
		} {
			whole, cut := slices.Clone(pcm), slices.Clone(pcm)
			a, b := make(), make()
			a.Apply(whole)
			for rest := cut; len(rest) > 0; {
				n := rapid.IntRange(1, len(rest)).Draw(t, "block")
				b.Apply(rest[:n])
				rest = rest[n:]
			}
			if !slices.Equal(whole, cut) || a.Done() != b.Done() {
				t.Fatalf("%v as one block, %v in several", whole, cut)
			}
		}
	})
}

func TestFadeNeverAmplifies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pcm := pcmGen(200).Draw(t, "pcm")
		faded := slices.Clone(pcm)
		shape := rapid.SampledFrom([]Shape{Linear, EqualPower}).Draw(t, "shape")
		FadeIn(shape, rapid.IntRange(0, 300).Draw(t, "length")).Apply(faded)
		for i := range pcm {
			if math.Abs(float64(faded[i])) > math.Abs(float64(pcm[i])) {
				t.Fatalf("sample %d: %d became %d", i, pcm[i], faded[i])
			}
		}
	})
}

func TestCrossFadeKeepsItsPromise(t *testing.T) {
	const n, level = 4800, 20000
	for shape, sum := range map[Shape]func(a, b float64) float64{
		Linear:     func(a, b float64) float64 { return a + b },
		EqualPower: math.Hypot,
	} {
		in, out := constant(n, level), constant(n, level)
		FadeIn(shape, n).Apply(in)
		FadeOut(shape, 0, n).Apply(out)
		for i := range in {
			if got := sum(float64(in[i]), float64(out[i])); math.Abs(got-level) > 2 {
				t.Fatalf("shape %d, sample %d: together %.1f, want %d", shape, i, got, level)
			}
		}
	}
}

func TestFadeSaysWhenItIsDone(t *testing.T) {
	f := FadeOut(Linear, 10, 10)
	for i, want := range []bool{false, false, true} {
		f.Apply(constant(7, 1000))
		if f.Done() != want {
			t.Errorf("after %d samples: done is %v", 7*(i+1), f.Done())
		}
	}
	if f := FadeIn(Linear, 0); !f.Done() {
		t.Error("a fade of no length is not done at once")
	}
}

func TestIntegerSineIsWithinHalfAStep(t *testing.T) {
	table := newSineTable()
	for angle := uint64(0); angle < 1<<32; angle += 99991 {
		want := math.Sin(2 * math.Pi * float64(angle) / (1 << 32))
		got := float64(table.at(uint32(angle))) / (1 << sineBits)
		if math.Abs(got-want) > 0.5/32768 {
			t.Fatalf("sine of %d: %v, want %v", angle, got, want)
		}
	}
}
