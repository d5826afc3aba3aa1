package node

import (
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/device/live"
)

// How the stage goes about one sounding.
const (
	prepareLead = 5 * time.Second        // before the relay: decode the first second
	playLead    = time.Second            // before the relay: hand over to the player
	cutLead     = 450 * time.Millisecond // before a higher class: fade out and free the card
	worthwhile  = 3 * time.Second        // what a higher class would cut sooner is not begun
	lateLimit   = 10 * time.Second       // a sounding that cannot begin by then is planned anew
	journalWait = 2 * time.Second        // an emergency waits no longer for its journal
)

// stage holds at most one sounding that plays and one that is prepared.
type stage struct {
	run, next *run
	// since when the relay is closed, and when the last sound was over.
	since, rested broadcast.Instant
	// kept is the first sample for which the relay was asked to stay closed.
	kept broadcast.Instant
	// unanswered are soundings whose recording the card does not give, and when
	// it is asked again.
	unanswered unanswered
}

// idle says that nothing is on the stage, so that the clock may be set.
func (s *stage) idle() bool { return s.run == nil && s.next == nil }

func (s *stage) sounds(d document) bool { return s.run != nil && s.run.name.document == d }

func (s *stage) holds(name occurrence) bool { return s.run != nil && s.run.name == name }

// closed is since when the relay is closed, 0 while it is open.
func (s *stage) closed(now broadcast.Instant, hold time.Duration) broadcast.Instant {
	if s.run != nil && s.run.closed != 0 {
		return s.run.closed
	}
	if s.since != 0 && (s.kept != 0 || now < s.rested.Add(hold)) {
		return s.since
	}
	return 0
}

// direct brings the stage in step with the plan and returns when to look again,
// 0 for not before something happens.
func (n *Node) direct() broadcast.Instant {
	now := n.now()
	wake := n.oversee(now)
	if n.stage.unanswered.over(now) { // planned anew first: it begins later now
		n.planDirty = true
		return now
	}
	target, ok := n.upcoming(now)
	s := &n.stage
	if s.next != nil && (!ok || !s.next.same(target, n.aim(target)) && !s.next.undecided(target)) {
		s.next.drop()
		s.next = nil
	}
	wake = earlier(wake, n.keepClosed(now, target.sounding))
	wake = earlier(wake, s.unanswered.next(now))
	if !ok {
		return wake
	}
	// Whatever the plan says of the relay: what should have closed it before may
	// not be worth beginning.
	relay := target.sounding.From.Add(-n.cfg.Board.WarmUp)
	prepareAt, playAt := relay.Add(-leadOf(target.sounding)), relay.Add(-playLead)
	switch {
	case now < prepareAt:
		return earlier(wake, prepareAt)
	case s.next == nil:
		n.prepare(target)
	}
	switch {
	case s.next == nil, s.next.performance == nil || s.run != nil:
		return wake // the end of either is an event
	case now < playAt:
		return earlier(wake, playAt)
	}
	n.play()
	return wake
}

// leadOf is how long before the relay closes a sounding is prepared: the voice of a
// station takes a while to come.
func leadOf(s plan.Sounding) time.Duration {
	if len(s.Parts) > 0 && s.Parts[0].Station != "" {
		return max(prepareLead, live.Lead)
	}
	return prepareLead
}

// earlier is the earlier of two moments, where 0 is none.
func earlier(a, b broadcast.Instant) broadcast.Instant {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// oversee cuts what sounds when the plan says so.
func (n *Node) oversee(now broadcast.Instant) broadcast.Instant {
	r := n.stage.run
	if r == nil {
		return 0
	}
	i := slices.IndexFunc(n.plan.Entries, func(e plan.Entry) bool { return nameOf(e) == r.name })
	if i < 0 {
		if n.holdings.assignment != nil && len(n.plan.Entries) > 0 {
			r.cancel(stop{broadcast.Interrupted, broadcast.WhyDelisted})
		}
		return 0
	}
	e := n.plan.Entries[i]
	k := slices.IndexFunc(e.Soundings, func(s plan.Sounding) bool { return s.Attempt == r.sounding.Attempt })
	switch {
	case k < 0 || e.Soundings[k].From != r.sounding.From && !r.began:
		r.cancel(r.because(e))
	case e.Soundings[k].To < r.natural:
		at := e.Soundings[k].To.Add(-cutLead)
		if now < at {
			return at
		}
		why := r.because(e)
		if why.reason == broadcast.WhyTooLong || why.rung == broadcast.Ended {
			return 0 // the player cuts it at its greatest length
		}
		r.cancel(why)
	}
	return 0
}

// target is a planned sounding with its entry.
type target struct {
	entry    plan.Entry
	sounding plan.Sounding
}

// upcoming is the next planned sounding that can be played.
func (n *Node) upcoming(now broadcast.Instant) (target, bool) {
	var best target
	found := false
	for _, e := range n.plan.Entries {
		if !n.playable(e) || n.stage.unanswered.rests(nameOf(e), now) {
			continue
		}
		for _, s := range e.Soundings {
			mine := n.stage.run != nil && n.stage.run.name == nameOf(e) && n.stage.run.sounding.Attempt >= s.Attempt
			if s.To <= now || len(s.Parts) == 0 || mine || n.ledger.history.told(nameOf(e), s.Attempt) || futile(s) {
				continue
			}
			if !found || s.From < best.sounding.From {
				best, found = target{e, s}, true
			}
		}
	}
	return best, found
}

// futile says that a sounding would be cut when it has hardly begun.
func futile(s plan.Sounding) bool {
	return s.To.Sub(s.From) < min(worthwhile, naturalLength(s))
}

// same says whether a prepared sounding is still what is planned.
func (r *run) same(t target, aim broadcast.Instant) bool {
	s := r.sounding
	return r.name == nameOf(t.entry) && s.Attempt == t.sounding.Attempt && r.aim == aim && s.Offset == t.sounding.Offset &&
		s.Volume == t.sounding.Volume && s.Chime == t.sounding.Chime && slices.Equal(s.Parts, t.sounding.Parts)
}

// undecided says that a decoder still works on this very attempt, for a moment
// that has moved on. It is let finish: one that hangs must end its attempt, or
// there would be another at every new moment.
func (r *run) undecided(t target) bool {
	return r.performance == nil && r.name == nameOf(t.entry) && r.sounding.Attempt == t.sounding.Attempt
}
