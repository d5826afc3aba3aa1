// Package lease is the agreement under which the amplifier may have power.
//
// What always holds: the line is open (amplifier off) unless a living holder
// renewed its lease within the expiry. A Keeper opens its line first of all
// when it is made and last of all when it stops; in between it opens the line
// when the lease expires, when samples stopped moving, when warm-up or hold
// outlast their bounds, when the maximum on-time is over, and when the holder
// leaves. Only a lease in phase Close, asked for after the minimum off-time,
// closes it. Nothing a holder says lengthens the maximum on-time, and no
// second holder can disturb the first.
//
// How: a term is the pure reckoning of deadlines; a Keeper ties one term to one
// Line with a single timer that exists only while the line is closed; each
// holder is a Tenant. The simulator holds a Tenant in its own process, the
// daemon speaks to a Server through a Client, one line of JSON per request.
// The package needs the standard library only.
package lease

import (
	"errors"
	"fmt"
	"time"
)

// Line is the output that powers the amplifier.
type Line interface {
	// Set closes (true: relay energised, amplifier powered) or opens the relay.
	Set(closed bool) error
	// Close gives the line back to the system; it leaves the relay open.
	Close() error
}

// Phase says what the holder is doing with the power it asks for.
type Phase string

// The phases of one sounding. Close is the only one that closes an open line;
// the others continue a line that is closed and are refused when it is not, so
// that a belated renewal can never switch an amplifier on.
const (
	Close  Phase = "close"   // close the line; warm-up begins
	WarmUp Phase = "warm-up" // the amplifier has power, no samples yet
	Moving Phase = "moving"  // samples leave; Frames must grow
	Hold   Phase = "hold"    // sound is over, another may follow soon
)

// Lease is one renewal: what the holder is doing, and the hardware frame
// counter of its sound card, the proof that samples move.
type Lease struct {
	Phase  Phase
	Frames uint64
}

// Limits bound what leases can obtain. They belong to the guard: a holder
// cannot see, raise or reset them.
type Limits struct {
	Expiry     time.Duration // a lease not renewed for this long opens the line
	Stall      time.Duration // moving with a frame counter that stood still this long opens it
	WarmUp     time.Duration // longest warm-up
	Hold       time.Duration // longest hold
	MinimumOff time.Duration // shortest time open before it may close again
	MaximumOn  time.Duration // longest time closed, whatever the leases say
}

// DefaultLimits are the limits of a guard that was told nothing else.
func DefaultLimits() Limits {
	return Limits{
		Expiry:     2 * time.Second,
		Stall:      2 * time.Second,
		WarmUp:     6500 * time.Millisecond,
		Hold:       11 * time.Second,
		MinimumOff: 2 * time.Second,
		MaximumOn:  3 * time.Hour,
	}
}

// Validate refuses limits under which the promises of this package would be
// empty: the relay must open within 10 s of any death of its holder.
func (l Limits) Validate() error {
	bounds := []struct {
		name              string
		value, least, top time.Duration
	}{
		{"expiry", l.Expiry, 100 * time.Millisecond, 8 * time.Second},
		{"stall", l.Stall, 100 * time.Millisecond, 8 * time.Second},
		{"warm-up", l.WarmUp, time.Millisecond, time.Minute},
		{"hold", l.Hold, time.Millisecond, 2 * time.Minute},
		{"minimum off-time", l.MinimumOff, 0, time.Minute},
		{"maximum on-time", l.MaximumOn, time.Second, 12 * time.Hour},
	}
	var faults []error
	for _, b := range bounds {
		if b.value < b.least || b.value > b.top {
			faults = append(faults, fmt.Errorf("%s is %v: choose a value from %v to %v", b.name, b.value, b.least, b.top))
		}
	}
	return errors.Join(faults...)
}

// Refusal is the guard's no. After a refusal the line is open, or held by
// somebody else: the one who asked has no power.
type Refusal struct {
	Reason string // in plain words
	// RetryAfter says when the same request may succeed; 0 means that time
	// alone will not change the answer.
	RetryAfter time.Duration
}

// Error tells the reason and, where waiting helps, how long.
func (r *Refusal) Error() string {
	if r.RetryAfter > 0 {
		return fmt.Sprintf("guard refused: %s (try again in %v)", r.Reason, r.RetryAfter)
	}
	return "guard refused: " + r.Reason
}

// Reasons of refusals and openings.
const (
	expired     = "the lease was not renewed in time"
	stalled     = "samples stopped moving"
	warmUpOver  = "warm-up lasted too long"
	holdOver    = "hold lasted too long"
	silent      = "powered too long without sound"
	maximumOn   = "the maximum on-time is over"
	minimumOff  = "the minimum off-time is not over"
	heldByOther = "another process holds the lease"
	lineOpen    = "the line is open"
	lineFault   = "the line does not obey"
	badPhase    = "unknown phase"
	stopped     = "the guard has stopped"
	released    = "released"
	left        = "its holder left"
	atStart     = "open at start"
)
