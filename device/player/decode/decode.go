// Package decode turns canonical content into samples.
//
// It promises that nothing is decoded before the whole file has been
// examined: every page checksum, the order of the pages, the length that the
// granule positions state. Content that is not canonical (one Ogg Opus
// stream, one channel, RFC 7845) is refused with the reason and without a
// sound. A decoder that crashes, hangs or eats memory ends its own attempt
// with an error that says so; it never takes the daemon with it and never
// keeps the player waiting longer than a stated limit.
//
// Contained does this in a child process that bars itself from opening files,
// writing files, gaining privileges and growing, and that writes signed 16-bit
// samples at 48 kHz to a pipe. InProcess does the same work in the caller's
// own process, for simulations of many nodes and for tests. Child is the
// program that runs inside the child process.
package decode

import (
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// rate is the one sample rate of the house.
const rate = media.SampleRate

// The ways in which decoding ends early. Every error of this package wraps
// exactly one of them, or the cause of a cancelled context.
var (
	// ErrRefused: the content is not canonical; another attempt ends the same way.
	ErrRefused = errors.New("content refused")
	// ErrCrashed: the decoder ended by itself before it had delivered everything.
	ErrCrashed = errors.New("decoder crashed")
	// ErrStalled: the decoder delivered nothing for the stall limit.
	ErrStalled = errors.New("decoder stalled")
	// ErrExhausted: the decoder wanted more memory or processor time than it may have.
	ErrExhausted = errors.New("decoder exceeded its limits")
	// ErrUnreadable: the content file could not be opened or read, or the
	// decoder could not be started. Where the medium gave no answer it wraps a
	// syscall.Errno as well: nothing is known of the content then.
	ErrUnreadable = errors.New("content unreadable")
)

// maxSamples bounds one content object: the hour that intake accepts, and a
// little room for the encoder's padding.
const maxSamples = 65 * 60 * rate

// maxFileBytes bounds the file before anything is read from it: maxSamples at
// 128 kbit/s, four times the canonical bit rate.
const maxFileBytes = 65 * 60 * 128000 / 8

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// length says n samples as a duration.
func length(n int64) time.Duration {
	return time.Duration(n) * time.Second / rate
}
