package desk

import (
	"cmp"
	"maps"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// Progress is what one node's receipts prove of one announcement.
type Progress struct {
	// Rung is the highest rung that climbs, of the document and of its latest
	// occurrence; empty if nothing was proved.
	Rung broadcast.Rung
	// Evidence is what the highest rung that carries any rests on.
	Evidence *broadcast.Evidence
	// End is how it ended, and Reason why if not well; empty while it has not.
	End    broadcast.Rung
	Reason broadcast.Reason
	// Times has the first receipt of each rung of the document and of its
	// latest occurrence, by the node's clock.
	Times map[broadcast.Rung]broadcast.Instant
	// Clock is what the time of the last of them rests on.
	Clock broadcast.Quality
	// Attempts is how often the latest occurrence was tried.
	Attempts int64
	// Occurrences has every occurrence that a receipt names, by its start.
	Occurrences []Occurrence
}

// Occurrence is what receipts prove of one planned sounding.
type Occurrence struct {
	Start    broadcast.Instant
	Rung     broadcast.Rung
	Evidence *broadcast.Evidence
	End      broadcast.Rung
	Reason   broadcast.Reason
	Times    map[broadcast.Rung]broadcast.Instant
	Attempts int64
}

// entry is a receipt with the chain that it stands in.
type entry struct {
	chain broadcast.ID
	broadcast.Receipt
}

// fold reads the receipts of one node about one revision of one announcement,
// in whatever order and however often they came.
func fold(entries []entry) Progress {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.At, b.At), cmp.Compare(a.chain, b.chain), cmp.Compare(a.Seq, b.Seq))
	})
	byStart := map[broadcast.Instant][]entry{}
	for _, e := range entries {
		byStart[e.Start] = append(byStart[e.Start], e)
	}
	whole := occurrence(0, byStart[0])
	var out Progress
	for _, start := range slices.Sorted(maps.Keys(byStart)) {
		if start != 0 {
			out.Occurrences = append(out.Occurrences, occurrence(start, byStart[start]))
		}
	}
	last := whole
	if n := len(out.Occurrences); n > 0 {
		last = join(whole, out.Occurrences[n-1])
	}
	out.Rung, out.Evidence, out.End, out.Reason = last.Rung, last.Evidence, last.End, last.Reason
	out.Times, out.Attempts = last.Times, last.Attempts
	out.Clock = clockOf(entries, last.Start)
	return out
}

// occurrence folds sorted receipts of one start.
func occurrence(start broadcast.Instant, entries []entry) Occurrence {
	o := Occurrence{Start: start, Times: map[broadcast.Rung]broadcast.Instant{}}
	for _, e := range entries {
		if e.Attempt > o.Attempts {
			o.Attempts, o.End, o.Reason = e.Attempt, "", "" // a later attempt opens it again
		}
		if at, known := o.Times[e.Rung]; !known || e.At < at {
			o.Times[e.Rung] = e.At
		}
		if e.Rung.Terminal() && o.End == "" {
			o.End, o.Reason = e.Rung, e.Receipt.Reason
		}
		o.climb(e)
	}
	return o
}

// climb notes a higher rung, and the evidence of the highest that has any.
func (o *Occurrence) climb(e entry) {
	if e.Rung.Height() > o.Rung.Height() {
		o.Rung = e.Rung
	}
	if e.Evidence != nil && (o.Evidence == nil || e.Evidence.Samples >= o.Evidence.Samples) {
		o.Evidence = e.Evidence
	}
}

// join adds what a node said of the document as a whole to its latest
// occurrence. A word about the whole, such as a refusal, ends an occurrence
// that has no end of its own.
func join(whole, last Occurrence) Occurrence {
	if whole.Rung.Height() > last.Rung.Height() {
		last.Rung = whole.Rung
	}
	if last.Evidence == nil {
		last.Evidence = whole.Evidence
	}
	if last.End == "" {
		last.End, last.Reason = whole.End, whole.Reason
	}
	times := maps.Clone(whole.Times)
	maps.Copy(times, last.Times)
	last.Times = times
	return last
}

// clockOf is the quality of the clock in the last receipt of a start, or of all
// if none names it.
func clockOf(entries []entry, start broadcast.Instant) broadcast.Quality {
	var best entry
	for _, e := range entries {
		if (e.Start == start || best.Clock == "") && (e.At >= best.At || best.Start != start) {
			best = e
		}
	}
	return best.Clock
}
