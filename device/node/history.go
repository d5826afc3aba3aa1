package node

import (
	"cmp"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// remembered is how long a node knows what it sounded: a plan looks back over
// its longest window and two days more.
const remembered = 37 * 24 * time.Hour

// occurrence names one planned sounding on this node.
type occurrence struct {
	document
	start broadcast.Instant
}

// history is what the journal tells of soundings and verdicts, as plans want
// it. It is made from the records of the journal and of nothing else.
type history struct {
	attempts map[occurrence][]plan.Past
	// climbed has the rungs of whole documents that were stated already.
	climbed map[document]map[broadcast.Rung]bool
	// fired are the templates that a key switch fired.
	fired map[document]broadcast.Firing
	// unproved are the verdicts without an attempt that a clock gave which no
	// answer stood behind, and when by that clock.
	unproved map[occurrence]broadcast.Instant
}

// toldOf names the occurrence of which a past tells.
func toldOf(p plan.Past) occurrence {
	return occurrence{document{name{p.Drill, p.Announcement, p.Revision}, p.Payload}, p.Start}
}

func newHistory() history {
	return history{attempts: map[occurrence][]plan.Past{}, climbed: map[document]map[broadcast.Rung]bool{},
		fired: map[document]broadcast.Firing{}, unproved: map[occurrence]broadcast.Instant{}}
}

// note takes one statement.
func (h *history) note(s statement, now moment) {
	if s.firing != nil {
		h.fired[s.document] = *s.firing
	}
	if s.start == 0 {
		if h.climbed[s.document] == nil {
			h.climbed[s.document] = map[broadcast.Rung]bool{}
		}
		h.climbed[s.document][s.rung] = true
		return
	}
	h.tell(s, now)
}

// tell adds what a statement says of its occurrence.
func (h *history) tell(s statement, now moment) {
	name := occurrence{s.document, s.start}
	r := s.receipt()
	r.At = now.at
	known := len(h.attempts[name])
	told := plan.Tell(h.attempts[name], r)
	if len(told) > known {
		p := &told[known]
		p.Drill, p.Class, p.Offset = s.drill, s.class, s.offset
	}
	switch {
	case len(told) > 0:
		h.attempts[name] = told
	default:
		delete(h.attempts, name)
	}
	switch {
	case s.attempt == 0 && s.rung.Terminal() && !now.clock.Answered():
		h.unproved[name] = now.at
	case s.attempt == 0:
		delete(h.unproved, name)
	}
}

// doubtful are the occurrences whose verdict fell later than now, by a clock that
// no answer stood behind.
func (h *history) doubtful(now broadcast.Instant) map[occurrence]bool {
	out := map[occurrence]bool{}
	for name, at := range h.unproved {
		if at > now {
			out[name] = true
		}
	}
	return out
}

// open are the attempts that began to sound and have no end.
func (h *history) open() []plan.Past {
	var out []plan.Past
	for _, list := range h.attempts {
		for _, p := range list {
			if !p.Rung.Terminal() {
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, comparePast)
	return out
}

func comparePast(a, b plan.Past) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Announcement, b.Announcement), cmp.Compare(a.Revision, b.Revision),
		cmp.Compare(a.Start, b.Start), cmp.Compare(a.Attempt, b.Attempt))
}

// settled says whether the occurrence has its verdict, or is being sounded.
func (h *history) settled(name occurrence) bool { return len(h.attempts[name]) > 0 }

// past are the attempts at occurrences that began or had their end since a
// moment, for a plan: one whose window begins later asks for no other.
func (h *history) past(since broadcast.Instant) []plan.Past {
	var out []plan.Past
	for name, list := range h.attempts {
		if name.start >= since || list[len(list)-1].At >= since || !list[len(list)-1].Rung.Terminal() {
			out = append(out, list...)
		}
	}
	slices.SortFunc(out, comparePast)
	return out
}

// forget drops what no plan will look at again.
func (h *history) forget(before broadcast.Instant) {
	for name, list := range h.attempts {
		if list[len(list)-1].At < before && name.start < before {
			delete(h.attempts, name)
			delete(h.unproved, name)
		}
	}
	for name := range h.climbed {
		if name.revision.IssuedAt() < before {
			delete(h.climbed, name)
			delete(h.fired, name)
		}
	}
}

// told says whether the journal has the attempt.
func (h *history) told(name occurrence, attempt int64) bool {
	return slices.ContainsFunc(h.attempts[name], func(p plan.Past) bool { return p.Attempt == attempt })
}
