package plan

import (
	"cmp"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

const (
	// maxSoundings is how often one occurrence of an emergency may begin to
	// sound in all: once, and twice more after interruptions.
	maxSoundings = 3
	// maxAttempts bounds the attempts that failed before any sound.
	maxAttempts = 1000
	// maxSpoiled bounds the attempts that ended by their own recording.
	maxSpoiled = 2
)

// spoiled are the reasons that lie in the recording itself: a further attempt
// meets the same bytes and ends the same way.
var spoiled = []broadcast.Reason{broadcast.WhyDecoder, broadcast.WhyContent}

// again are the reasons after which an emergency is sounded once more: nobody
// asked for them.
var again = []broadcast.Reason{broadcast.WhyCrash, broadcast.WhyStopped, broadcast.WhySound, broadcast.WhyRelay,
	broadcast.WhyDecoder, broadcast.WhyContent, broadcast.WhyJournal, broadcast.WhyUnauthentic}

// of names the occurrence that the journal speaks of.
func (p Past) of() occurrence {
	return occurrence{document{p.Drill, p.Announcement, p.Revision}, p.Start}
}

// end is when the attempt ended, as far as the journal knows.
func (p Past) end() broadcast.Instant { return p.At + broadcast.Instant(p.Millis) }

// lost says that power or program went away inside the attempt.
func (p Past) lost() bool { return !p.Running && !p.Rung.Terminal() }

// remember indexes the journal and takes from it what the day's minutes, the
// amplifier and the order of emergencies depend on.
func (p *planner) remember() {
	told := slices.Clone(p.in.Past)
	slices.SortFunc(told, func(a, b Past) int {
		return cmp.Or(cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.At, b.At))
	})
	for _, t := range told {
		p.past[t.of()] = append(p.past[t.of()], t)
		if t.Millis == 0 || t.Running {
			continue
		}
		p.spend(t.Drill, t.Class, t.At, t.Millis)
		p.line.last = max(p.line.last, t.end())
		p.heard[t.of().document] = true
	}
	p.line.since, p.line.closed = p.in.Closed, p.in.Closed != 0
}

// resume takes the verdict of an occurrence from the journal, and makes a job
// of what still sounds or may sound once more.
func (p *planner) resume(j *job, told []Past) {
	last := told[len(told)-1]
	for _, t := range told {
		if t.Millis > 0 && !t.Running {
			j.entry.Soundings = append(j.entry.Soundings, t.sounding())
		}
	}
	j.entry.Rung, j.entry.Reason, j.entry.At = last.Rung, last.Reason, last.end()
	if last.lost() {
		j.entry.Rung, j.entry.Reason = broadcast.Interrupted, broadcast.WhyCrash
	}
	if last.Running {
		j.attempt, j.due, j.offset, j.running = last.Attempt, last.At, last.Offset, true
		j.why = last.Why
		p.reckon(j, told)
		p.jobs = append(p.jobs, j)
		return
	}
	p.retry(j, told)
}

// sounding is an attempt of the past as an entry shows it.
func (p Past) sounding() Sounding {
	return Sounding{Attempt: p.Attempt, Why: p.Why, On: p.At, From: p.At, To: p.end(), Offset: p.Offset}
}

// retry makes a job of another attempt where one is due: an emergency that was
// lost, a priority item or a programme that gave way.
func (p *planner) retry(j *job, told []Past) {
	last := told[len(told)-1]
	j.attempt, j.due = last.Attempt+1, last.end()
	switch {
	case j.b.verdict != "" || last.Attempt == 0:
	case j.b.emergency():
		if p.mayRepeat(j.entry, told) && p.join(j, max(p.ready(j.b), last.end())) {
			j.why = broadcast.WhyRepeat
			p.jobs = append(p.jobs, j)
		}
	case last.Rung == broadcast.Interrupted && last.Reason == broadcast.WhyPreempted:
		p.reckon(j, told)
		if p.followUp(j) {
			p.jobs = append(p.jobs, j)
		}
	}
}

// mayRepeat says whether an emergency's attempt ended in a way nobody asked
// for, with soundings left. A recording that ended two attempts gets no third.
func (p *planner) mayRepeat(e *Entry, told []Past) bool {
	sounded, bad := 0, 0
	for _, t := range told {
		if t.Rung == broadcast.Failed && slices.Contains(spoiled, t.Reason) {
			bad++
		}
		if t.Millis > 0 || t.Rung.Height() >= broadcast.Playing.Height() || t.Rung == broadcast.Interrupted {
			sounded++
		}
	}
	ended := e.Rung == broadcast.Interrupted || e.Rung == broadcast.Failed
	return ended && slices.Contains(again, e.Reason) && sounded < maxSoundings && bad < maxSpoiled && len(told) < maxAttempts
}

// followUp prepares the attempt after a cut by a higher class. A programme goes
// on at its next segment until its scheduled end; a priority item begins anew,
// once, while it is not past its deadline; a normal item is over.
func (p *planner) followUp(j *job) bool {
	j.why, j.aligned, j.offset = broadcast.WhyPreempted, false, 0
	if order := j.b.body.order; order != nil {
		j.deadline = j.began + broadcast.Instant(order.length) - 1
		return true
	}
	return j.b.rank == broadcast.Priority.Rank() && j.attempt == 2
}

// reckon works out of the journal how far a programme got.
func (p *planner) reckon(j *job, told []Past) {
	order := j.b.body.order
	if order == nil || j.b.emergency() {
		return
	}
	for i, t := range told {
		parts := j.b.body.parts
		if i == 0 {
			j.began = t.At - broadcast.Instant(t.Offset-p.headLength(j.b))
		} else {
			parts = order.from(j.done, int64(t.At-j.began))
		}
		if !t.Running {
			j.done = doneAt(parts, int64(t.end()-j.began), j.done)
		}
	}
}

// doneAt is how many segments have begun by a moment of the programme.
func doneAt(parts []Part, elapsed int64, done int) int {
	for _, part := range parts {
		if part.At < elapsed {
			done = int(part.Segment)
		}
	}
	return done
}

// recall enters what the journal tells of occurrences that no document at hand
// explains: it happened, whatever was withdrawn since.
func (p *planner) recall() {
	known := map[occurrence]bool{}
	for _, e := range p.entries {
		known[occurrence{document{e.Drill, e.Announcement, e.Revision}, e.Start}] = true
	}
	for name, told := range p.past {
		last := told[len(told)-1]
		b := p.bulletinOf(name.document)
		switch {
		case known[name]:
		case b != nil && last.Running:
			p.decide(dated{b, name.start})
		default:
			p.entries = append(p.entries, p.told(name, told))
		}
	}
}

// told is an entry from the journal alone. A sounding that has lost its
// document has to stop, unless it is an emergency: it ends by its withdrawal or
// by itself.
func (p *planner) told(name occurrence, told []Past) *Entry {
	last := told[len(told)-1]
	e := &Entry{Announcement: name.id, Revision: name.revision, Class: last.Class, Drill: name.drill, Start: name.start,
		Rung: last.Rung, Reason: last.Reason, At: last.end()}
	if last.lost() {
		e.Rung, e.Reason = broadcast.Interrupted, broadcast.WhyCrash
	}
	if last.Running {
		e.Rung, e.Reason, e.At = broadcast.Withdrawn, broadcast.WhyDelisted, max(p.now, last.At)
		if last.Class == broadcast.Emergency && !last.Drill && last.Ends > p.now {
			e.Rung, e.Reason, e.At = broadcast.Ended, "", last.Ends
		}
		told[len(told)-1].Millis = int64(e.At - last.At)
		p.spend(last.Drill, last.Class, last.At, int64(e.At-last.At))
		p.line.last = e.At
	}
	for _, t := range told {
		if t.Millis > 0 {
			e.Soundings = append(e.Soundings, t.sounding())
		}
	}
	return e
}

func (p *planner) bulletinOf(d document) *bulletin {
	for _, b := range p.bulletins {
		if b.exactly() == d {
			return b
		}
	}
	return nil
}
