package media

import (
	"math"
	"math/bits"
)

// fourier transforms blocks of one power-of-two length.
type fourier struct {
	twiddles []complex128 // e^(-2πik/n) for k < n/2
}

func newFourier(n int) fourier {
	f := fourier{twiddles: make([]complex128, n/2)}
	for k := range f.twiddles {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / float64(n))
		f.twiddles[k] = complex(cos, sin)
	}
	return f
}

// transform replaces x, whose length is that of the fourier, by its spectrum.
func (f fourier) transform(x []complex128) {
	n := len(x)
	shift := bits.LeadingZeros(uint(n)) + 1
	for i := range x {
		if j := int(bits.Reverse(uint(i)) >> shift); j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	for half := 1; half < n; half *= 2 {
		stride := n / (2 * half)
		for start := 0; start < n; start += 2 * half {
			low, high := x[start:start+half], x[start+half:start+2*half]
			for k := range low {
				turned := high[k] * f.twiddles[k*stride]
				low[k], high[k] = low[k]+turned, low[k]-turned
			}
		}
	}
}

// powerOfTwo returns the least power of two that is at least n.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(max(n, 1)-1)) }
