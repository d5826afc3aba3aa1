package lease

import "time"

// term reckons when the line must open. It is pure: it holds no line, reads no
// clock and starts nothing; every answer follows from the times it is given.
//
// The silence bound is what keeps warm-up and hold honest together: changing
// from one to the other and back buys no time, only samples that move do.
type term struct {
	limits Limits
	closed bool
	holder uint64
	phase  Phase
	cause  string // why the line is open

	frames  uint64
	counted bool // frames holds a counter of this closing

	opened     time.Time // when the line was last known to open
	expires    time.Time
	phaseEnds  time.Time // warm-up, hold: the phase's own bound; moving: the stall bound
	silentEnds time.Time // warm-up + hold after the last proof of movement
	onEnds     time.Time
}

// end is one moment at which the line must open, and why.
type end struct {
	at    time.Time
	cause string
}

// next is the earliest moment at which a closed line must open.
func (t *term) next() end {
	first := end{t.expires, expired}
	ends := []end{{t.onEnds, maximumOn}, {t.phaseEnds, phaseCause(t.phase)}}
	if t.phase != Moving {
		ends = append(ends, end{t.silentEnds, silent})
	}
	for _, e := range ends {
		if e.at.Before(first.at) {
			first = e
		}
	}
	return first
}

// overdue says whether a closed line must open now, and why.
func (t *term) overdue(now time.Time) (cause string, due bool) {
	if !t.closed {
		return "", false
	}
	n := t.next()
	return n.cause, !now.Before(n.at)
}

// renew judges a lease of a line that is not overdue. closing is true when the
// line must now be closed; the caller then confirms with close.
func (t *term) renew(now time.Time, holder uint64, l Lease) (closing bool, no *Refusal) {
	switch l.Phase {
	case Close, WarmUp, Moving, Hold:
	default:
		return false, &Refusal{Reason: badPhase}
	}
	if t.closed && t.holder != holder {
		return false, &Refusal{Reason: heldByOther, RetryAfter: t.limits.Expiry}
	}
	if !t.closed {
		return t.mayClose(now, l)
	}
	t.enter(now, l)
	return false, nil
}

// mayClose judges a lease while the line is open.
func (t *term) mayClose(now time.Time, l Lease) (bool, *Refusal) {
	if l.Phase != Close {
		return false, &Refusal{Reason: lineOpen + ": " + t.cause}
	}
	if wait := t.opened.Add(t.limits.MinimumOff).Sub(now); wait > 0 {
		return false, &Refusal{Reason: minimumOff, RetryAfter: wait}
	}
	return true, nil
}

// close notes that the line was closed for holder.
func (t *term) close(now time.Time, holder uint64) {
	*t = term{limits: t.limits, closed: true, holder: holder}
	t.onEnds = now.Add(t.limits.MaximumOn)
	t.silentEnds = now.Add(t.limits.WarmUp + t.limits.Hold)
	t.enter(now, Lease{Phase: Close})
}

// open notes that the line was opened, and why.
func (t *term) open(now time.Time, cause string) {
	*t = term{limits: t.limits, opened: now, cause: cause}
}

// enter continues a closed line in the lease's phase.
func (t *term) enter(now time.Time, l Lease) {
	phase := l.Phase
	if phase == Close {
		phase = WarmUp
	}
	if phase != t.phase {
		t.phase = phase
		t.phaseEnds = now.Add(t.bound(phase))
	}
	if phase == Moving {
		t.count(now, l.Frames)
	}
	t.expires = now.Add(t.limits.Expiry)
}

// count takes a frame counter. A counter that fell belongs to a sound card
// opened anew: a new base line, not yet a proof of movement.
func (t *term) count(now time.Time, frames uint64) {
	if t.counted && frames > t.frames {
		t.phaseEnds = now.Add(t.limits.Stall)
		t.silentEnds = now.Add(t.limits.WarmUp + t.limits.Hold)
	}
	t.frames, t.counted = frames, true
}

func (t *term) bound(p Phase) time.Duration {
	return map[Phase]time.Duration{
		WarmUp: t.limits.WarmUp, Moving: t.limits.Stall, Hold: t.limits.Hold,
	}[p]
}

func phaseCause(p Phase) string {
	return map[Phase]string{WarmUp: warmUpOver, Moving: stalled, Hold: holdOver}[p]
}
