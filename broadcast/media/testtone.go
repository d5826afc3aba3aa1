package media

import (
	"fmt"
	"time"
)

// The bounds of a test tone: loud enough for a technician at the horn, too quiet and
// too short to trouble the people around it.
const (
	// TestToneLimit is the longest test tone.
	TestToneLimit = 5 * time.Second
	// testTonePeak is -30 dBFS.
	testTonePeak = 1036
	// testTonePitch in millihertz; horns, small speakers and telephones all pass it.
	testTonePitch = 1000000
	testToneFade  = 50 // milliseconds at each end
)

// TestTone returns a quiet sine of 1 kHz, peak -30 dBFS, that rises and falls without
// a click. A length outside 0 to TestToneLimit is an error, never shortened silently.
func TestTone(length time.Duration) ([]int16, error) {
	if length <= 0 || length > TestToneLimit {
		return nil, fmt.Errorf("a test tone of %v is refused: ask for more than 0 and at most %v", length, TestToneLimit)
	}
	sines, step := newSineTable(), turn(testTonePitch)
	tone := make([]int16, int64(length)*SampleRate/int64(time.Second))
	var angle uint32
	for i := range tone {
		tone[i] = int16(sines.at(angle) * testTonePeak >> sineBits)
		angle += step
	}
	edge := min(millis(testToneFade), len(tone)/2)
	FadeIn(Linear, edge).Apply(tone)
	FadeOut(Linear, int64(len(tone)-edge), edge).Apply(tone)
	return tone, nil
}
