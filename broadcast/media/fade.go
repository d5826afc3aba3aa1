package media

// Shape is the curve of a fade.
type Shape int

// The curves. Two overlapping fades of the same shape and length, one in and one
// out, keep the amplitude constant (Linear: for the same sound) or the power
// constant (EqualPower: for different sounds).
const (
	Linear Shape = iota
	EqualPower
)

// Fade raises or lowers the level of one stream over consecutive blocks, exact to
// the sample however the stream is cut into blocks. It belongs to one stream.
type Fade struct {
	shape  Shape
	out    bool
	after  int64
	length int64
	at     int64 // samples seen
}

// FadeIn returns a fade that starts from silence at the first sample and leaves
// everything from sample number length on as it is.
func FadeIn(shape Shape, length int) *Fade {
	return &Fade{shape: shape, length: int64(max(length, 0))}
}

// FadeOut returns a fade that leaves the first `after` samples as they are, lowers
// the next length samples, and makes every later sample silence.
func FadeOut(shape Shape, after int64, length int) *Fade {
	return &Fade{shape: shape, out: true, after: max(after, 0), length: int64(max(length, 0))}
}

// Apply fades the next samples of the stream in place.
func (f *Fade) Apply(block []int16) {
	start := f.at
	f.at += int64(len(block))
	from := max(0, min(int64(len(block)), f.after-start))
	to := max(0, min(int64(len(block)), f.after+f.length-start))
	for i := from; i < to; i++ {
		block[i] = int16((int64(block[i])*f.level(start+i-f.after) + 1<<(sineBits-1)) >> sineBits)
	}
	if f.out {
		clear(block[to:])
	}
}

// Done reports whether the fade has run its whole length: a fade-in changes
// nothing more, a fade-out gives only silence.
func (f *Fade) Done() bool { return f.at >= f.after+f.length }

// level returns the multiplier at a position inside the fade, with sineBits
// fractional bits.
func (f *Fade) level(position int64) int64 {
	if f.out {
		position = f.length - position
	}
	part := position << sineBits / f.length
	if f.shape == EqualPower {
		return quarterSine(part)
	}
	return part
}
