package media

import "math"

// Meter measures the loudness of one stream over consecutive blocks after EBU R 128
// and ITU-R BS.1770-4, for mono sound at SampleRate. Its memory does not grow with
// the stream. The zero Meter is not usable; see NewMeter.
type Meter struct {
	shelf, highPass biquad
	slice           float64    // power summed over the current 100 ms
	filled          int        // samples in it
	recent          [4]float64 // the last four such sums: one gating block
	slices          int
	blocks          []loudnessBin
	peak            peakMeter
}

// The gating blocks of BS.1770-4: 400 ms, one every 100 ms. Their loudness is sorted
// into bins of 0.01 LU from the absolute gate upwards, so that an hour needs no more
// memory than a second; the energies themselves are summed unrounded.
const (
	sliceLength  = SampleRate / 10
	absoluteGate = LUFS(-7000)
	relativeGate = LUFS(-1000) // to the loudness of all that passes the absolute gate
	loudnessBins = 8000
)

// loudnessBin collects gating blocks of the same loudness.
type loudnessBin struct {
	count  int
	energy float64
}

// NewMeter returns a Meter that has heard nothing.
func NewMeter() *Meter {
	return &Meter{
		// The two stages of the K-weighting at 48 kHz, BS.1770-4 annex 1, tables 1 and 2.
		shelf: biquad{
			b: [3]float64{1.53512485958697, -2.69169618940638, 1.19839281085285},
			a: [2]float64{-1.69065929318241, 0.73248077421585},
		},
		highPass: biquad{
			b: [3]float64{1, -2, 1},
			a: [2]float64{-1.99004745483398, 0.99007225036621},
		},
		blocks: make([]loudnessBin, loudnessBins),
		peak:   newPeakMeter(),
	}
}

// Add measures the next samples of the stream.
func (m *Meter) Add(block []int16) {
	m.peak.add(block)
	for _, s := range block {
		weighted := m.highPass.next(m.shelf.next(float64(s) / 32768))
		m.slice += weighted * weighted
		if m.filled++; m.filled == sliceLength {
			m.endSlice()
		}
	}
}

// endSlice closes 100 ms and, from the fourth on, files one gating block.
func (m *Meter) endSlice() {
	m.recent[m.slices%len(m.recent)] = m.slice
	m.slices++
	m.slice, m.filled = 0, 0
	if m.slices < len(m.recent) {
		return
	}
	energy := (m.recent[0] + m.recent[1] + m.recent[2] + m.recent[3]) / float64(len(m.recent)*sliceLength)
	if bin := loudnessBinOf(energy); bin >= 0 {
		m.blocks[bin].count++
		m.blocks[bin].energy += energy
	}
}

// Integrated returns the gated loudness of all that was heard. It reports false when
// nothing reached -70 LUFS for 400 ms: silence has no loudness.
func (m *Meter) Integrated() (LUFS, bool) {
	all, ok := meanEnergy(m.blocks)
	if !ok {
		return 0, false
	}
	gate := max(0, loudnessBinOf(all*math.Pow(10, float64(relativeGate)/1000)))
	gated, _ := meanEnergy(m.blocks[gate:])
	return LUFS(math.Round(100 * loudness(gated))), true
}

// TruePeak returns the greatest level between and at the samples, found at four times
// the sample rate (BS.1770-4 annex 2), in hundredths of dBTP. Mute for silence.
func (m *Meter) TruePeak() Decibel { return decibels(float64(m.peak.greatest) / 32768) }

// meanEnergy averages the blocks of some bins; false when there is none.
func meanEnergy(bins []loudnessBin) (float64, bool) {
	count, sum := 0, 0.0
	for _, b := range bins {
		count += b.count
		sum += b.energy
	}
	if count == 0 {
		return 0, false
	}
	return sum / float64(count), true
}

// loudness turns mean K-weighted power of one channel into LUFS.
func loudness(energy float64) float64 { return -0.691 + 10*math.Log10(energy) }

// loudnessBinOf returns the bin of a block, or -1 at and below the absolute gate.
func loudnessBinOf(energy float64) int {
	level := 100*loudness(energy) - float64(absoluteGate)
	if !(level > 0) {
		return -1
	}
	return min(int(level), loudnessBins-1)
}

// biquad is a second-order filter in transposed direct form II.
type biquad struct {
	b      [3]float64
	a      [2]float64
	z1, z2 float64
}

func (f *biquad) next(x float64) float64 {
	y := f.b[0]*x + f.z1
	f.z1 = f.b[1]*x - f.a[0]*y + f.z2
	f.z2 = f.b[2]*x - f.a[1]*y
	return y
}

// peakMeter follows the true peak of one stream.
type peakMeter struct {
	bank     sincBank
	window   []int16
	greatest int64
}

// The interpolation of the true peak: four points per sample. The filter is flat far
// beyond what the 12 taps of the recommendation's example reach.
const (
	peakOversampling = 4
	peakReach        = 16
	peakCutoff       = 0.98
	peakBeta         = 7
)

func newPeakMeter() peakMeter {
	return peakMeter{
		bank:   newSincBank(peakOversampling, peakReach, peakCutoff, peakBeta),
		window: make([]int16, 2*peakReach-1),
	}
}

// add measures all points whose surroundings are known; the last peakReach samples of
// a stream count as samples only.
func (p *peakMeter) add(block []int16) {
	for _, s := range block {
		p.greatest = max(p.greatest, int64(s), -int64(s))
	}
	width := 2 * peakReach
	p.window = append(p.window, block...)
	first := 0
	for ; first+width <= len(p.window); first++ {
		p.scan(p.window[first : first+width])
	}
	p.window = p.window[:copy(p.window, p.window[first:])]
}

// scan measures the points between the two middle samples of a window.
func (p *peakMeter) scan(window []int16) {
	for phase := 1; phase < peakOversampling; phase++ {
		v := p.bank.value(window, phase)
		p.greatest = max(p.greatest, v, -v)
	}
}
