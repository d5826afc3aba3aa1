package media

import (
	"fmt"
	"math"
)

// Decibel is a gain, or a level below digital full scale, in hundredths of a
// decibel: -600 is half the amplitude (-6.00 dB). Full scale is amplitude 32768.
type Decibel int

// Mute is the level at and below which sound is silence; also the level reported
// for digital silence. No 16-bit sample survives it.
const Mute Decibel = -12000

// maxGain bounds amplification: beyond it only noise would be lifted.
const maxGain Decibel = 4000

// String writes the level as people read it, such as "-6.00 dB".
func (d Decibel) String() string { return hundredths(int(d)) + " dB" }

// LUFS is loudness in hundredths of a loudness unit relative to full scale
// (EBU R 128, ITU-R BS.1770-4): -1600 is the -16 LUFS of canonical content.
type LUFS int

// String writes the loudness as people read it, such as "-16.00 LUFS".
func (l LUFS) String() string { return hundredths(int(l)) + " LUFS" }

// Volume is a loudness setting in percent, 0 (silent) to 100 (as recorded).
type Volume int

// Decibel returns the gain of a volume. Half the percentage sounds half as loud
// (10 dB less), 0 is silence. Values outside 0..100 count as the nearest end, so
// no setting amplifies.
func (v Volume) Decibel() Decibel {
	if v <= 0 {
		return Mute
	}
	return Decibel(math.Round(1000 * math.Log2(float64(min(v, 100))/100)))
}

// hundredths writes n/100 with two decimals; the sign survives above -1.
func hundredths(n int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// gainBits is the number of fractional bits of a gain multiplier.
const gainBits = 24

// linear returns the multiplier of a gain with gainBits fractional bits. The one
// float here is rounded so coarsely that every processor gives the same integer.
func (d Decibel) linear() int64 {
	if d <= Mute {
		return 0
	}
	return int64(math.Round(math.Pow(10, float64(min(d, maxGain))/2000) * (1 << gainBits)))
}

// decibels returns the level of an amplitude relative to full scale, where 1 is
// full scale; Mute for silence.
func decibels(amplitude float64) Decibel {
	if amplitude <= 1e-6 {
		return Mute
	}
	return Decibel(math.Round(2000 * math.Log10(amplitude)))
}
