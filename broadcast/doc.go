// Package broadcast is the language that controller and device both speak: what
// should be heard, where, when, under which law, and what was proved of it.
//
// It promises three things. Every value has exactly one encoding, so the bytes
// that officers signed are the bytes that a loudspeaker acts on. A value that
// Decode or Validate accepted is complete and inside its limits. Nothing here
// does I/O, reads a clock or starts a goroutine, so both sides and every test
// get the same answer from the same question.
//
// Sealed documents accept nothing unknown: a new field is a new version of the
// kind. Times are UTC with milliseconds on the wire; hours of policy are local
// time at +07:00, which has no daylight saving.
package broadcast
