package intake

import (
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// Content is one canonical audio object and what was measured of it. All figures but those of
// Source were taken from the canonical bytes themselves after decoding.
type Content struct {
	SHA256       string        // of the canonical bytes, 64 lower-case hexadecimal digits; its name
	Bytes        int64         // length of the canonical file
	Duration     time.Duration // of the sound, exact to the sample
	Loudness     media.LUFS    // integrated, EBU R 128
	TruePeak     media.Decibel // at most -1 dBTP
	SilenceRatio float64       // share of the time, 0 to 1, that stays below -50 dBFS
	Gain         media.Decibel // by which the source was raised or lowered
	Limited      bool          // whether a limiter held its peaks
	Remarks      []Remark      // what a person should know before approving; in a fixed order
	Source       Source
}

// Source is what was uploaded.
type Source struct {
	Name       string // as the person called it: base name, printable, at most 200 characters
	SHA256     string
	Bytes      int64
	Container  media.Container
	Codec      string // as ffmpeg names it, such as "mp3" or "aac"
	SampleRate int    // in Hz
	Channels   int
	Loudness   media.LUFS    // of the mono mix
	TruePeak   media.Decibel // of the mono mix; samples beyond +6 dB were clipped first
}

// Remark is something true about accepted content that a person should hear of: it sounds, but
// perhaps not as they meant.
type Remark struct {
	Code                RemarkCode
	English, Vietnamese string
}

// RemarkCode names a kind of remark for programs.
type RemarkCode string

// The remarks.
const (
	CutShort     RemarkCode = "cut-short"     // the file declares more sound than it holds
	Damaged      RemarkCode = "damaged"       // parts could not be decoded
	RaisedMuch   RemarkCode = "raised-much"   // so quiet that its noise was raised with it
	OffLoudness  RemarkCode = "off-loudness"  // its peaks keep it from -16 LUFS within 1 LU
	MostlySilent RemarkCode = "mostly-silent" // silent for more than half of its time
)

// Stage is a step of taking an upload in.
type Stage string

// The stages, in their order. Encoding and Proving may repeat.
const (
	Receiving Stage = "receiving" // the upload arrives
	Waiting   Stage = "waiting"   // for other uploads to be done
	Measuring Stage = "measuring" // the source is decoded and measured
	Encoding  Stage = "encoding"  // it becomes canonical
	Proving   Stage = "proving"   // the result is decoded and measured
)

// Progress says how far an upload has come.
type Progress struct {
	Stage Stage
	Done  float64 // share of the stage, 0 to 1; an estimate
	Bytes int64   // received so far
}
