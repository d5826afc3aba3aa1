package desk

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// Progress is what one node's receipts prove of one announcement.
type Progress struct {
	// Rung is the highest rung that climbs, of the document and of the newest
	// attempt at its latest occurrence; empty if nothing was proved.
	Rung broadcast.Rung
	// Evidence is what the highest rung that carries any rests on.
	Evidence *broadcast.Evidence
	// End is how it ended; empty while it has not, or may sound again.
	End broadcast.Rung
	// Reason is why it did not end well or, without an end, what stands in its way.
	Reason broadcast.Reason
	// Until is until when it may sound again after an end that was not its last;
	// zero if it has not ended, or for good.
	Until broadcast.Instant
	// Times has the first receipt of each rung of the document and of that
	// attempt, by the node's clock.
	Times map[broadcast.Rung]broadcast.Instant
	// Clock is what the time of the last of them rests on.
	Clock broadcast.Quality
	// Attempts is how often the latest occurrence was tried.
	Attempts int64
	// Other says that the node gave receipts of another body under this name and
	// revision. They prove nothing here.
	Other bool
	// Occurrences has every occurrence that a receipt names, by its start.
	Occurrences []Occurrence
	// Claimed is what receipts say of which it is not sure which box gave them;
	// nil if there are none. It proves nothing, and none of it stands above.
	Claimed *Progress
}

// Occurrence is what receipts prove of one planned sounding: what its newest
// attempt reached, and every attempt by itself.
type Occurrence struct {
	Attempt
	Start broadcast.Instant
	// Until is until when it may sound again; End is empty as long as that is to come.
	Until    broadcast.Instant
	Attempts int64
	Each     []Attempt
}

// Attempt is what receipts prove of one attempt at an occurrence.
type Attempt struct {
	// Number counts from 1; 0 stands for a verdict without a sounding.
	Number   int64
	Rung     broadcast.Rung
	Evidence *broadcast.Evidence
	End      broadcast.Rung
	Reason   broadcast.Reason
	Times    map[broadcast.Rung]broadcast.Instant
}

// entry is a receipt with the chain that it stands in, and whether it is not
// sure which box gave it.
type entry struct {
	chain    broadcast.ID
	doubtful bool
	broadcast.Receipt
}

// judge is what receipts are read by: the announcement as it was published, the
// digest of what was signed, and the time.
type judge struct {
	announcement broadcast.Announcement
	payload      broadcast.Digest
	now          broadcast.Instant
}

// telling is how long receipts of an attempt that began at the last moment may
// be under way.
const telling = 15 * time.Second

// fold reads the receipts of one node under the announcement's name and
// revision, in whatever order and however often they came.
func (j judge) fold(entries []entry) Progress {
	sure := slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return e.doubtful })
	out := j.read(sure)
	if len(sure) < len(entries) {
		claimed := j.read(slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return !e.doubtful }))
		out.Claimed = &claimed
	}
	return out
}

// read takes every receipt at its word.
func (j judge) read(entries []entry) Progress {
	mine := slices.DeleteFunc(slices.Clone(entries), func(e entry) bool { return e.Payload != j.payload })
	other := len(mine) < len(entries)
	mine = standing(mine)
	slices.SortFunc(mine, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.At, b.At), cmp.Compare(a.chain, b.chain), cmp.Compare(a.Seq, b.Seq))
	})
	byStart := map[broadcast.Instant][]entry{}
	for _, e := range mine {
		byStart[e.Start] = append(byStart[e.Start], e)
	}
	out := Progress{Other: other}
	last := Occurrence{}
	for _, start := range slices.Sorted(maps.Keys(byStart)) {
		if start != 0 {
			last = j.occurrence(start, byStart[start])
			out.Occurrences = append(out.Occurrences, last)
		}
	}
	last = join(attempt(0, byStart[0]), last)
	out.Rung, out.Evidence, out.End, out.Reason = last.Rung, last.Evidence, last.End, last.Reason
	out.Times, out.Attempts, out.Until = last.Times, last.Attempts, last.Until
	out.Clock = clockOf(mine, last.Start)
	if out.Other && out.End == "" {
		out.Reason = cmp.Or(out.Reason, broadcast.WhyOtherBody)
	}
	return out
}

// occurrence folds sorted receipts of one start.
func (j judge) occurrence(start broadcast.Instant, entries []entry) Occurrence {
	byAttempt := map[int64][]entry{}
	for _, e := range entries {
		byAttempt[e.Attempt] = append(byAttempt[e.Attempt], e)
	}
	o := Occurrence{Start: start}
	for _, number := range slices.Sorted(maps.Keys(byAttempt)) {
		o.Each = append(o.Each, attempt(number, byAttempt[number]))
	}
	o.Attempts = o.Each[len(o.Each)-1].Number
	until := plan.Again(j.announcement, past(entries))
	pending := until != 0 && j.now <= until.Add(telling)
	o.Attempt = newest(o.Each, pending)
	if pending && o.End != "" {
		o.End, o.Until = "", until
	}
	return o
}

// past is what plans are told of an occurrence.
func past(entries []entry) []plan.Past {
	var out []plan.Past
	for _, e := range entries {
		out = plan.Tell(out, e.Receipt)
	}
	return out
}

// standing leaves out the verdicts that were taken back, and the taking back.
func standing(entries []entry) []entry {
	if !slices.ContainsFunc(entries, func(e entry) bool { return e.TakesBack() }) {
		return entries
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.chain, b.chain), cmp.Compare(a.Seq, b.Seq)) })
	var out []entry
	for _, e := range entries {
		if !e.TakesBack() {
			out = append(out, e)
			continue
		}
		out = slices.DeleteFunc(out, func(v entry) bool { return v.chain == e.chain && v.Start == e.Start && v.Attempt == 0 })
	}
	return out
}

// newest is the attempt that an occurrence is shown by. One of which nothing is
// known but that the relay closed was none, unless it is still to come. A verdict
// without an attempt ends what has no end of its own.
func newest(each []Attempt, pending bool) Attempt {
	n := len(each) - 1
	if last := each[n]; n > 0 && last.End == "" && last.Rung == broadcast.Powered && !pending && each[n-1].End != "" {
		n--
	}
	shown := each[n]
	if first := each[0]; shown.End == "" && first.Number == 0 {
		shown.End, shown.Reason = first.End, first.Reason
		shown.Times = maps.Clone(first.Times)
		maps.Copy(shown.Times, each[n].Times)
	}
	return shown
}

// attempt folds sorted receipts of one attempt, or of the document as a whole.
func attempt(number int64, entries []entry) Attempt {
	a := Attempt{Number: number, Times: map[broadcast.Rung]broadcast.Instant{}}
	for _, e := range entries {
		if at, known := a.Times[e.Rung]; !known || e.At < at {
			a.Times[e.Rung] = e.At
		}
		if e.Rung.Terminal() && a.End == "" {
			a.End, a.Reason = e.Rung, e.Receipt.Reason
		}
		a.climb(e)
	}
	return a
}

// climb notes a higher rung, and the evidence of the highest that has any.
func (a *Attempt) climb(e entry) {
	if e.Rung.Height() > a.Rung.Height() {
		a.Rung = e.Rung
	}
	if e.Evidence != nil && (a.Evidence == nil || e.Evidence.Samples >= a.Evidence.Samples) {
		a.Evidence = e.Evidence
	}
}

// join adds what a node said of the document as a whole to its latest
// occurrence. A word about the whole, such as a refusal, ends an occurrence
// that has no end of its own and does not sound again.
func join(whole Attempt, last Occurrence) Occurrence {
	if whole.Rung.Height() > last.Rung.Height() {
		last.Rung = whole.Rung
	}
	if last.Evidence == nil {
		last.Evidence = whole.Evidence
	}
	if last.End == "" && last.Until == 0 {
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
