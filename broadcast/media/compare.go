package media

import (
	"math"
	"math/cmplx"
)

// RMS returns the mean level of samples relative to full scale: a sine at full scale
// has -3.01 dB. Mute for silence and for no samples.
func RMS(samples []int16) Decibel {
	if len(samples) == 0 {
		return Mute
	}
	return decibels(math.Sqrt(energy(samples)/float64(len(samples))) / 32768)
}

// correlateSize bounds the transform of Correlate; longer sound is searched at a
// lower sample rate first.
const correlateSize = 1 << 20

// Correlate finds where a recording of canonical audio holds its reference best and
// how alike the two are there. lag is the number of samples by which the recording is
// late (negative: early). peak is the normalised correlation of what overlaps at that
// lag: 1 for the same wave at any level, about 0 for unrelated sound, and 0 when either
// is silent. Both must have run on the same clock: a drift of more than a sample over
// their length lowers the peak. 60 s are compared in well under a second.
func Correlate(reference, recorded []int16) (peak float64, lag int) {
	step := 1
	for powerOfTwo((len(reference)+len(recorded))/step+2) > correlateSize {
		step++
	}
	rough := step * roughLag(thin(reference, step), thin(recorded, step))
	for near := rough - 2*step; near <= rough+2*step; near++ {
		if p := alike(reference, recorded, near); p > peak {
			peak, lag = p, near
		}
	}
	return peak, lag
}

// thin lowers the sample rate by a whole factor.
func thin(samples []int16, step int) []int16 {
	if step == 1 {
		return samples
	}
	reach := 4 * step
	bank := newSincBank(1, reach, 0.9/float64(step), 5)
	padded := make([]int16, reach-1, len(samples)+2*reach)
	padded = append(append(padded, samples...), make([]int16, reach)...)
	thinned := make([]int16, (len(samples)+step-1)/step)
	for i := range thinned {
		thinned[i] = clip(bank.value(padded[i*step:], 0))
	}
	return thinned
}

// roughLag returns the lag at which the cross-correlation of two signals is greatest.
// Both travel through one transform, as real and imaginary part.
func roughLag(reference, recorded []int16) int {
	n := powerOfTwo(len(reference) + len(recorded))
	x, f := make([]complex128, n), newFourier(n)
	for i, s := range reference {
		x[i] = complex(float64(s), 0)
	}
	for i, s := range recorded {
		x[i] += complex(0, float64(s))
	}
	f.transform(x)
	for i := 0; i <= n/2; i++ {
		j := (n - i) & (n - 1)
		a, b := crossSpectrum(x[i], x[j]), crossSpectrum(x[j], x[i])
		// Conjugated, so that the second forward transform acts as the inverse one.
		x[i], x[j] = cmplx.Conj(a), cmplx.Conj(b)
	}
	f.transform(x)
	best := 0
	for i := range x {
		if real(x[i]) > real(x[best]) {
			best = i
		}
	}
	if best >= len(recorded) {
		return best - n
	}
	return best
}

// crossSpectrum separates the two real signals in one bin and its mirror, and returns
// the recorded one times the conjugate of the reference.
func crossSpectrum(bin, mirror complex128) complex128 {
	mirror = cmplx.Conj(mirror)
	reference, recorded := (bin+mirror)/2, (bin-mirror)/2i
	return recorded * cmplx.Conj(reference)
}

// alike returns the normalised correlation at one lag, over what overlaps.
func alike(reference, recorded []int16, lag int) float64 {
	if lag < 0 {
		reference, lag = reference[min(-lag, len(reference)):], 0
	}
	recorded = recorded[min(lag, len(recorded)):]
	n := min(len(reference), len(recorded))
	reference, recorded = reference[:n], recorded[:n]
	var sum int64
	for i, s := range reference {
		sum += int64(s) * int64(recorded[i])
	}
	both := math.Sqrt(energy(reference)) * math.Sqrt(energy(recorded))
	if both == 0 {
		return 0
	}
	return float64(sum) / both
}

// energy sums the squares of samples; exact up to 100 days of full scale.
func energy(samples []int16) float64 {
	var sum int64
	for _, s := range samples {
		sum += int64(s) * int64(s)
	}
	return float64(sum)
}

// The part of the spectrum that SpectralFlatness looks at, in Hz: what a horn passes
// and every codec keeps.
const (
	flatnessFrom  = 100
	flatnessTo    = 8000
	flatnessBlock = 2048
)

// SpectralFlatness says how noise-like sound is, from 0 (a tone) to 1 (white noise):
// the geometric over the arithmetic mean of the power spectrum from 100 Hz to 8 kHz,
// averaged over time (Welch). Speech and music stay low, hiss and undecodable data come
// near 1. 0 for silence and for less than 43 ms.
func SpectralFlatness(samples []int16) float64 {
	power := powerSpectrum(samples)
	from, to := flatnessFrom*flatnessBlock/SampleRate, flatnessTo*flatnessBlock/SampleRate
	sum, logs := 0.0, 0.0
	for _, p := range power[from:to] {
		sum += p
		logs += math.Log(p + math.SmallestNonzeroFloat64)
	}
	if sum == 0 {
		return 0
	}
	n := float64(to - from)
	return math.Exp(logs/n) / (sum / n)
}

// powerSpectrum averages the spectra of half-overlapping Hann windows.
func powerSpectrum(samples []int16) []float64 {
	f, x := newFourier(flatnessBlock), make([]complex128, flatnessBlock)
	window, power := make([]float64, flatnessBlock), make([]float64, flatnessBlock/2)
	for i := range window {
		window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/flatnessBlock)
	}
	for ; len(samples) >= flatnessBlock; samples = samples[flatnessBlock/2:] {
		for i, s := range samples[:flatnessBlock] {
			x[i] = complex(float64(s)*window[i], 0)
		}
		f.transform(x)
		for i := range power {
			power[i] += real(x[i])*real(x[i]) + imag(x[i])*imag(x[i])
		}
	}
	return power
}
