package media

// Gain changes the level of sound under a ceiling. Whatever the input, no sample
// leaves it above the ceiling and none wraps around. A gain at or below the ceiling
// cannot reach it and stays exactly linear; a greater one is linear up to 3 dB
// below the ceiling and bends softly towards it from there. It keeps no state
// between blocks, so one value may serve many streams. The zero Gain is silence.
type Gain struct {
	multiplier int64
	ceiling    int64 // greatest amplitude that may leave
	knee       int64 // amplitude from which the curve bends
	limits     bool
}

// NewGain returns a Gain whose output peaks at or below ceiling (relative to full
// scale; above 0 counts as 0). Gains beyond +40 dB count as +40 dB. To cap the
// volume rather than the peak, pass the lesser of the two gains instead: a ceiling
// far below the gain is safe, but sounds distorted.
func NewGain(gain, ceiling Decibel) Gain {
	ceiling = min(ceiling, 0)
	peak := (ceiling.linear()*32768 + 1<<(gainBits-1)) >> gainBits
	if peak == 0 {
		return Gain{}
	}
	return Gain{
		multiplier: gain.linear(),
		ceiling:    peak,
		knee:       peak * 7079 / 10000, // -3 dB
		limits:     gain > ceiling,
	}
}

// Apply changes the samples of block in place.
func (g Gain) Apply(block []int16) {
	switch {
	case g.limits:
		for i, s := range block {
			block[i] = clip(g.limit(scale(s, g.multiplier)))
		}
	case g.multiplier == 1<<gainBits: // as recorded
	default:
		for i, s := range block {
			block[i] = int16(scale(s, g.multiplier))
		}
	}
}

// scale multiplies a sample and rounds to the nearest integer.
func scale(s int16, multiplier int64) int64 {
	return (int64(s)*multiplier + 1<<(gainBits-1)) >> gainBits
}

// limit bends amplitudes above the knee along room·x/(x+room): the slope starts at
// 1, so there is no edge to hear, and falls to 0 at the ceiling, so none passes it.
func (g Gain) limit(v int64) int64 {
	size := max(v, -v)
	if size <= g.knee {
		return v
	}
	room, over := g.ceiling-g.knee, size-g.knee
	size = g.knee + room*over/(over+room)
	if v < 0 {
		return -size
	}
	return size
}
