package media

import "fmt"

// The shape of the resampling filter: 90 dB of stop-band from half the lower rate
// on, flat up to 82 % of it (18 kHz at 44.1 kHz).
const (
	resampleReach  = 32 // zero crossings on each side
	resampleCutoff = 0.911
	resampleBeta   = 8.96
	// resampleTaps bounds the coefficients of one ratio to 4 MB.
	resampleTaps = 1 << 20
)

// Resampler changes the sample rate of one stream over consecutive blocks by any
// ratio of whole numbers. Its output does not depend on how the stream is cut into
// blocks, is aligned with the input (sample 0 sounds with sample 0) and, once
// flushed, is exactly as long as the input lasted. It belongs to one stream.
type Resampler struct {
	bank     sincBank
	up, down int
	window   []int16 // input not yet done with
	at       int     // in window: the sample at or before the next output
	phase    int     // how far the next output lies after it, in 1/up
}

// NewResampler returns a Resampler between two rates in samples a second, each
// 4,000 to 384,000. Ratios whose filter would exceed 4 MB (odd rates such as
// 44,101) are an error.
func NewResampler(from, to int) (*Resampler, error) {
	if min(from, to) < 4000 || max(from, to) > 384000 {
		return nil, fmt.Errorf("resampling from %d to %d a second is refused: rates from 4000 to 384000 are possible", from, to)
	}
	common := divisor(from, to)
	up, down := to/common, from/common
	cutoff, reach := resampleCutoff, resampleReach
	if down > up {
		cutoff = cutoff * float64(up) / float64(down)
		reach = (reach*down + up - 1) / up
	}
	switch {
	case up == down:
		return &Resampler{up: 1, down: 1}, nil
	case up > resampleTaps/(2*reach):
		return nil, fmt.Errorf("resampling from %d to %d a second is refused: the ratio %d:%d needs too large a filter; convert the recording to %d first", from, to, up, down, SampleRate)
	}
	bank := newSincBank(up, reach, cutoff, resampleBeta)
	return &Resampler{bank: bank, up: up, down: down, window: make([]int16, reach-1), at: reach - 1}, nil
}

// Append resamples the next samples of the stream and appends what is ready to dst.
func (r *Resampler) Append(dst, src []int16) []int16 {
	if r.up == r.down {
		return append(dst, src...)
	}
	r.window = append(r.window, src...)
	reach := r.bank.reach
	for r.at+reach < len(r.window) {
		first := r.at - reach + 1
		dst = append(dst, clip(r.bank.value(r.window[first:], r.phase)))
		r.phase += r.down
		r.at += r.phase / r.up
		r.phase %= r.up
	}
	done := min(r.at-reach+1, len(r.window))
	r.window = r.window[:copy(r.window, r.window[done:])]
	r.at -= done
	return dst
}

// Flush appends what the filter still holds when the stream has ended.
func (r *Resampler) Flush(dst []int16) []int16 {
	return r.Append(dst, make([]int16, r.bank.reach))
}

// divisor returns the greatest common divisor.
func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
