package media

import "math"

// coefficientBits is the number of fractional bits of filter coefficients.
const coefficientBits = 24

// sincBank is a windowed-sinc low-pass cut into phases: phase p gives the value that
// lies p/len(phases) of the way from one input sample to the next. Every phase adds
// up to exactly 1, so a constant stays constant and no phase is louder than another.
type sincBank struct {
	reach  int // input samples used on each side
	phases [][]int32
}

// newSincBank designs a bank. cutoff is the -6 dB point as a part of half the input
// rate; beta shapes the Kaiser window (Kaiser and Schafer 1980: greater means a
// deeper stop-band and a wider transition).
func newSincBank(phases, reach int, cutoff, beta float64) sincBank {
	b := sincBank{reach: reach, phases: make([][]int32, phases)}
	weights := make([]float64, 2*reach)
	for p := range b.phases {
		sum := 0.0
		for k := range weights {
			t := float64(k-reach+1) - float64(p)/float64(phases)
			weights[k] = sinc(cutoff*t) * kaiser(t/float64(reach), beta)
			sum += weights[k]
		}
		b.phases[p] = quantise(weights, sum)
	}
	return b
}

// quantise turns weights into integers whose sum is exactly 1; the rounding left
// over goes to the greatest, where it matters least.
func quantise(weights []float64, sum float64) []int32 {
	taps := make([]int32, len(weights))
	left, greatest := int32(1)<<coefficientBits, 0
	for k, w := range weights {
		taps[k] = int32(math.Round(w / sum * (1 << coefficientBits)))
		left -= taps[k]
		if taps[k] > taps[greatest] {
			greatest = k
		}
	}
	taps[greatest] += left
	return taps
}

// value filters the 2·reach samples of window with one phase; the result is in
// sample units and may lie beyond 16 bits between two samples at full scale.
func (b sincBank) value(window []int16, phase int) int64 {
	var sum int64
	taps := b.phases[phase]
	for k, s := range window[:len(taps)] {
		sum += int64(s) * int64(taps[k])
	}
	return (sum + 1<<(coefficientBits-1)) >> coefficientBits
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the Kaiser window at x in -1..1.
func kaiser(x, beta float64) float64 {
	if x <= -1 || x >= 1 {
		return 0
	}
	return bessel(beta*math.Sqrt(1-x*x)) / bessel(beta)
}

// bessel is the modified Bessel function of the first kind, order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-17; k++ {
		term *= x * x / (4 * k * k)
		sum += term
	}
	return sum
}
