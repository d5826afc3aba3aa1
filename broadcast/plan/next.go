package plan

import "github.com/loaxa/loaxa/broadcast"

// Next returns the first start of an announcement of class c at which it may
// still begin at or after from, and that is not after to; false if there is none.
// It asks its timing alone: whether a rule bars it is for a plan to say.
func Next(t broadcast.Timing, c broadcast.Class, from, to broadcast.Instant) (broadcast.Instant, bool) {
	from = from.Add(-t.Late(c))
	if t.Recurrence == nil {
		return t.Start, from <= t.Start && t.Start <= to
	}
	starts := expand(t, from, to)
	if len(starts) == 0 {
		return 0, false
	}
	return starts[0], true
}
