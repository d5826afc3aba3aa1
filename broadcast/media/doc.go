// Package media holds what both sides of the house do to sound.
//
// Its promises: every transform is a pure function of its input (no file, no
// clock, no goroutine, no state outside the value in hand); nothing a transform
// returns is louder than the ceiling it was given, and no sample ever wraps
// around; a chime is the same bytes on every processor, so a speaker and the
// office mean the same sound by the same name; and bytes that are not plainly a
// recording are refused with a reason, never guessed at.
//
// Sound is mono, signed 16-bit, [SampleRate] samples a second, unless a name says
// otherwise. The play path (chimes, [Gain], [Fade], [Resampler]) computes with
// integers because small boards have weak floating point and because rounding of
// fused multiplications differs between processors. Measuring ([Meter],
// [Correlate], [SpectralFlatness]) happens where there is time and uses float64.
//
// Levels are typed hundredths: [Decibel] for gains and for levels below full
// scale, [LUFS] for loudness, and [Volume] for the percentage a person sets.
package media

// SampleRate is the number of samples in one second of canonical audio.
const SampleRate = 48000

// millis returns how many samples of canonical audio last ms milliseconds.
func millis(ms int) int { return ms * SampleRate / 1000 }

// clip bounds a computed sample to what 16 bits can carry.
func clip(v int64) int16 { return int16(max(-32768, min(32767, v))) }
