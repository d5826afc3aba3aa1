package intake

import (
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// limits bounds one Intake. Tests use smaller ones.
type limits struct {
	bytes    int64         // of an upload
	duration time.Duration // of its sound
	step     time.Duration // wall time of one child process
	jobs     int           // conversions at once
	tickets  int           // uploads at once, converting or not
}

// standard are the limits of the product. A step of an hour of sound takes well under a minute on a
// plain server; a quarter of an hour leaves room for a small board under load.
var standard = limits{
	bytes:    200_000_000,
	duration: time.Hour,
	step:     15 * time.Minute,
	jobs:     2,
	tickets:  16,
}

// The canonical format; docs/adr/0040-canonical-content.md says why.
const (
	bitRate      = 48_000 // bit/s, constrained variable
	targetLUFS   = media.LUFS(-1600)
	allowedLU    = media.LUFS(100) // by which canonical loudness may miss the target
	aimedLU      = media.LUFS(50)  // by which it may miss without another try
	peakLimit    = media.Decibel(-100)
	firstCeiling = media.Decibel(-200) // of the limiter: what the codec adds must fit above it
	maxRounds    = 6
	maxGain      = media.Decibel(6000)
	deepest      = media.Decibel(1000) // more gain than the loudness asks for, against what the limiter takes

	// shortest is the length to which shorter sound is filled with silence: loudness is defined
	// over blocks of 0.4 s (ITU-R BS.1770-4).
	shortest = media.SampleRate / 2
)

// When accepted content deserves a remark, and when a cut is beyond use.
const (
	quietSource  = media.LUFS(-4100)
	silentShare  = 0.5
	cutTolerance = 0.98 // of the declared duration
	cutBeyondUse = 0.5
)
