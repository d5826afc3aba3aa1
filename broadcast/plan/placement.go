package plan

import (
	"cmp"
	"math"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// placing is what the commune said of one announcement.
type placing struct {
	*broadcast.Placed
	until broadcast.Instant
	rank  int // from 1 in the commune's order
}

// order puts what the commune placed first.
func (p placing) order() int {
	if p.rank == 0 {
		return math.MaxInt
	}
	return p.rank
}

// of says whether the commune spoke of exactly this revision; a changed offer
// is a new one.
func (p placing) of(b *bulletin) bool { return p.Placed != nil && p.Revision == b.a.Revision }

// placings joins the newest revision of every placement for the node's place.
// Where several name one announcement, the newest word counts.
func placings(list []broadcast.Placement, at broadcast.Assignment) map[broadcast.ID]placing {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b broadcast.Placement) int {
		return cmp.Or(cmp.Compare(b.Revision, a.Revision), cmp.Compare(a.ID, b.ID))
	})
	out := map[broadcast.ID]placing{}
	seen := map[broadcast.ID]bool{}
	for _, p := range sorted {
		if seen[p.ID] || !at.Within(p.Areas) {
			continue
		}
		seen[p.ID] = true
		for i := range p.Items {
			if _, named := out[p.Items[i].Announcement]; !named {
				out[p.Items[i].Announcement] = placing{&p.Items[i], p.Until, len(out) + 1}
			}
		}
	}
	return out
}

// timing is the signed timing, moved to where the commune placed an offer.
// Nothing but an offer can be moved.
func (b *bulletin) timing() broadcast.Timing {
	t := b.a.Timing
	if b.offer && b.place.of(b) && b.place.Start != 0 {
		t.Until += max(0, b.place.Start-t.Start)
		t.Start = b.place.Start
	}
	return t
}

// unplaced says that an offer has neither a place nor a standing slot that
// holds it from its first to its last sample.
func unplaced(p *planner, b *bulletin, from, to broadcast.Instant) bool {
	if !b.offer || b.place.of(b) && from < b.place.until {
		return false
	}
	return !slices.ContainsFunc(p.in.Slots, func(s broadcast.Slot) bool {
		return p.in.Assignment.Within(s.Areas) && b.level.Rank() >= s.Level.Rank() &&
			s.From <= from && to <= s.Until &&
			slices.ContainsFunc(s.Spans, func(span broadcast.Span) bool { return spanHolds(span, from, to) })
	})
}

// spanHolds looks at the span of the day before too: it may run over midnight.
func spanHolds(s broadcast.Span, from, to broadcast.Instant) bool {
	for _, begin := range []broadcast.Instant{from.Add(-day), from} {
		if a, b, ok := s.On(begin); ok && a <= from && to <= b {
			return true
		}
	}
	return false
}
