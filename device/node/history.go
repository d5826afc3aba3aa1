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
	fired  map[document]broadcast.Firing
	doubts doubts
}

// toldOf names the occurrence of which a past tells.
func toldOf(p plan.Past) occurrence {
	return occurrence{document{name{p.Drill, p.Announcement, p.Revision}, p.Payload}, p.Start}
}

func newHistory() history {
	return history{attempts: map[occurrence][]plan.Past{}, climbed: map[document]map[broadcast.Rung]bool{},
		fired: map[document]broadcast.Firing{}, doubts: newDoubts()}
}

// note takes one statement.
func (h *history) note(s statement, now moment) {
	h.doubts.note(s, now)
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
	if r := s.receipt(); plan.Tells(r) {
		h.attempt(s, now.at).Tell(r)
	}
}

// attempt finds or begins the attempt that a statement is about.
func (h *history) attempt(s statement, at broadcast.Instant) *plan.Past {
	name := occurrence{s.document, s.start}
	list := h.attempts[name]
	i := slices.IndexFunc(list, func(p plan.Past) bool { return p.Attempt == s.attempt })
	if i < 0 {
		i = len(list)
		list = append(list, plan.Past{Announcement: s.id, Revision: s.revision, Payload: s.payload, Drill: s.drill, Class: s.class,
			Start: s.start, Attempt: s.attempt, At: at, Offset: s.offset})
		h.attempts[name] = list
	}
	return &list[i]
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
// moment, for a plan: one whose window begins later asks for no other. A verdict
// that was refuted is not told.
func (h *history) past(since broadcast.Instant) []plan.Past {
	var out []plan.Past
	for name, list := range h.attempts {
		if name.start >= since || list[len(list)-1].At >= since || !list[len(list)-1].Rung.Terminal() {
			out = append(out, h.believed(name)...)
		}
	}
	slices.SortFunc(out, comparePast)
	return out
}

// believed are the attempts at an occurrence without a verdict that was refuted.
func (h *history) believed(name occurrence) []plan.Past {
	list := h.attempts[name]
	if !h.doubts.refuted[name] {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(p plan.Past) bool { return p.Attempt == 0 })
}

// forget drops what no plan will look at again.
func (h *history) forget(before broadcast.Instant) {
	for name, list := range h.attempts {
		if list[len(list)-1].At < before && name.start < before {
			delete(h.attempts, name)
			h.doubts.forget(name)
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
