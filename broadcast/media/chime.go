package media

import "fmt"

// Chime returns the sound that goes before an announcement of a class: "normal",
// "priority", "emergency", or "drill" for an exercise. It is at most 3 s long, peaks
// at or below -3 dBFS, and is the same bytes on every processor. The slice is the
// caller's. Making one costs far more than playing it: do so ahead of time. Any other
// key is an error; there is no default, because a wrong chime misleads.
func Chime(key string) ([]int16, error) {
	s, ok := scores[key]
	if !ok {
		return nil, fmt.Errorf("no chime is called %q: the chimes are normal, priority, emergency and drill", key)
	}
	return s.render(), nil
}

// score is a chime written down. Times are milliseconds, pitches millihertz.
type score struct {
	timbre timbre
	motif  []note
	starts []int // the motif sounds once from each of these times
	length int
	peak   int64 // amplitude of the greatest sample
}

// note is one stroke or tone.
type note struct {
	at, length int
	pitch      int64
}

// timbre is how an instrument speaks: how fast a tone rises, how it is let go, and
// which partials ring.
type timbre struct {
	attack, release int
	partials        []partial
}

// partial is one component of a tone. Ratio is to the note's pitch, level to the
// other partials, both in thousandths; decay is the time in which it falls to 37 %,
// and 0 means that it holds.
type partial struct {
	ratio, level int64
	decay        int
}

// scores gives each class what no other has: rhythm, interval and timbre all differ,
// so that a horn in the wind, an old ear or half a chime still tells them apart.
//
//   - normal: a bell, two slow strokes, a third downwards.
//   - priority: a wooden bar, four quick strokes climbing a major chord.
//   - emergency: struck iron in three bursts of five, the village alarm beaten on a
//     kẻng: one harsh tritone that neither glides nor alternates nor holds, so it is
//     no siren, no two-tone horn and no evacuation pattern of three.
//   - drill: a soft pipe, three swelling tones with no stroke, a fifth up and back.
//
// All energy that matters lies between 350 Hz and 6 kHz, which is what a horn passes.
var scores = map[string]score{
	"normal": {
		timbre: timbre{attack: 4, release: 60, partials: []partial{
			{1000, 1000, 520}, {2000, 420, 330}, {3000, 160, 190}, {4200, 90, 90},
		}},
		motif:  []note{{0, 1500, 659255}, {700, 1700, 523251}},
		starts: []int{0}, length: 2400, peak: 23100,
	},
	"priority": {
		timbre: timbre{attack: 2, release: 30, partials: []partial{
			{1000, 1000, 120}, {3930, 380, 45}, {2000, 200, 70},
		}},
		motif:  []note{{0, 420, 523251}, {180, 420, 659255}, {360, 420, 783991}, {540, 700, 1046502}},
		starts: []int{0}, length: 1240, peak: 23100,
	},
	"emergency": {
		timbre: timbre{attack: 1, release: 25, partials: []partial{
			{1000, 1000, 80}, {1414, 900, 75}, {2756, 700, 60}, {3898, 450, 50}, {5404, 350, 35},
		}},
		motif:  []note{{0, 250, 740000}, {120, 250, 740000}, {240, 250, 740000}, {360, 250, 740000}, {480, 400, 740000}},
		starts: []int{0, 1000, 2000}, length: 2900, peak: 23100,
	},
	"drill": {
		timbre: timbre{attack: 160, release: 220, partials: []partial{
			{1000, 1000, 0}, {3000, 110, 0},
		}},
		motif:  []note{{0, 850, 440000}, {850, 850, 659255}, {1700, 1100, 440000}},
		starts: []int{0}, length: 2800, peak: 7800,
	},
}

// render plays the score. Everything in it is integer arithmetic.
func (s score) render() []int16 {
	mix, sines := make([]int64, millis(s.length)), newSineTable()
	for _, start := range s.starts {
		for _, n := range s.motif {
			for _, p := range s.timbre.partials {
				s.timbre.sound(mix[min(len(mix), millis(start+n.at)):], sines, n, p)
			}
		}
	}
	var greatest int64 = 1
	for _, v := range mix {
		greatest = max(greatest, v, -v)
	}
	pcm := make([]int16, len(mix))
	for i, v := range mix {
		pcm[i] = int16(v * s.peak / greatest)
	}
	return pcm
}

// sound adds one partial of one note to the mix.
func (t timbre) sound(mix []int64, sines *sineTable, n note, p partial) {
	const whole = int64(1) << sineBits
	length := min(len(mix), millis(n.length))
	attack, release := int64(millis(t.attack)), int64(millis(t.release))
	step, ring, keep := turn(n.pitch*p.ratio/1000), whole, whole
	if p.decay > 0 {
		keep -= whole / int64(millis(p.decay))
	}
	var angle uint32
	for i := range length {
		level := ring * p.level / 1000
		if here := int64(i); here < attack {
			level = level * here / attack
		}
		if left := int64(length - i); left < release {
			level = level * left / release
		}
		mix[i] += sines.at(angle) >> 8 * (level >> 8) >> (sineBits - 16)
		ring = ring * keep >> sineBits
		angle += step
	}
}
