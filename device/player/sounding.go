package player

import (
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// Sounding is one occurrence, once: what is heard, from which instant, how
// loud, and how long at most. A zero field means its default.
type Sounding struct {
	// Name tells the sounding from others in logs and recordings.
	Name string
	// Start is the instant of the first sample, or, with an Offset, of the
	// sample that lies so far into the sounding.
	Start time.Time
	// Chime comes before the content; may be empty.
	Chime []int16
	// Content is what is said; may be empty when there is a chime, as in a
	// test tone.
	Content Content
	// Offset joins a sounding that neighbours have begun already.
	Offset time.Duration
	// Late is how long after Start the first sample may leave (0 means 5 s);
	// later than that ends in ErrLate.
	Late time.Duration
	// Whole plays a late sounding from its beginning. Otherwise what is
	// already past is left out, so that neighbours stay together.
	Whole bool
	// Gain is the volume; Ceiling bounds the peak level.
	Gain, Ceiling media.Decibel
	// FadeIn and FadeOut are the lengths of the fades (0 means 20 ms and
	// 50 ms: no click, and no syllable lost).
	FadeIn, FadeOut time.Duration
	// Tail is the silence after the sound before the relay is let go.
	Tail time.Duration
	// MaxDuration bounds the sound; what is longer is faded out and reported
	// as ErrCut (0 and everything above means 70 minutes).
	MaxDuration time.Duration
}

// Content is a canonical content file in the node's own store.
type Content struct {
	Path string
	// Duration is what the announcement says; used to notice a difference.
	Duration time.Duration
}

const (
	defaultLate    = 5 * time.Second
	defaultFadeIn  = 20 * time.Millisecond
	defaultFadeOut = 50 * time.Millisecond
	maxFade        = 10 * time.Second
	maxTail        = 10 * time.Second
	maxDuration    = 70 * time.Minute
	maxChime       = 60 * media.SampleRate
)

// complete returns the sounding with its defaults, or says what is wrong.
func (s Sounding) complete() (Sounding, error) {
	switch {
	case s.Content.Path == "" && len(s.Chime) == 0:
		return s, fmt.Errorf("player: sounding %s has neither chime nor content", s.Name)
	case s.Start.IsZero():
		return s, fmt.Errorf("player: sounding %s has no start", s.Name)
	case s.Offset < 0 || s.Offset > maxDuration:
		return s, fmt.Errorf("player: sounding %s: offset %v is not between 0 and %v", s.Name, s.Offset, maxDuration)
	case len(s.Chime) > maxChime:
		return s, fmt.Errorf("player: sounding %s: a chime of %v; at most %v", s.Name, duration(int64(len(s.Chime))), duration(maxChime))
	}
	s.Late = defaulted(s.Late, defaultLate, maxDuration)
	s.FadeIn = defaulted(s.FadeIn, defaultFadeIn, maxFade)
	s.FadeOut = defaulted(s.FadeOut, defaultFadeOut, maxFade)
	s.Tail = min(max(s.Tail, 0), maxTail)
	s.MaxDuration = defaulted(s.MaxDuration, maxDuration, maxDuration)
	return s, nil
}

func defaulted(d, normal, greatest time.Duration) time.Duration {
	if d <= 0 {
		return normal
	}
	return min(d, greatest)
}

// samplesIn is the number of samples in a duration.
func samplesIn(d time.Duration) int64 {
	seconds, rest := d/time.Second, d%time.Second
	return int64(seconds)*media.SampleRate + int64(rest)*media.SampleRate/int64(time.Second)
}

// duration is the length of n samples.
func duration(n int64) time.Duration {
	seconds, rest := n/media.SampleRate, n%media.SampleRate
	return time.Duration(seconds)*time.Second + time.Duration(rest)*time.Second/media.SampleRate
}
