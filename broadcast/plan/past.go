package plan

import (
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// of names the occurrence that the journal speaks of.
func (p Past) of() occurrence {
	return occurrence{document{p.Drill, p.Announcement, p.Revision, p.Payload}, p.Start}
}

// end is when the attempt ended, as far as the journal knows.
func (p Past) end() broadcast.Instant { return p.At + broadcast.Instant(p.Millis) }

// remember indexes the journal and takes from it what the day's minutes, the
// amplifier and the order of emergencies depend on.
func (p *planner) remember() {
	heard := map[document]bool{}
	for _, t := range inOrder(p.in.Past) {
		p.past[t.of()] = append(p.past[t.of()], t)
		if t.Millis == 0 || t.Running {
			continue
		}
		p.spend(t.Drill, t.Class, t.At, t.Millis)
		p.line.last = max(p.line.last, p.ended(t))
		heard[t.of().document] = true
	}
	for _, b := range p.bulletins {
		b.heard = heard[b.exactly()]
	}
	p.line.since, p.line.closed = p.in.Closed, p.in.Closed != 0
}

// ended is when an attempt of the past was over: before now, even if it was told
// by a clock that was ahead. Otherwise a node whose clock was set back would wait
// for a sound that ended long ago, and so would an emergency.
func (p *planner) ended(t Past) broadcast.Instant { return min(t.end(), p.now) }

// assume books what power or program was lost in as heard to its end: nobody
// knows how much of it was, and the day's minutes are promised to those who
// have to listen.
func (p *planner) assume() {
	for name, told := range p.past {
		b := p.bulletinOf(name.document)
		for _, t := range told {
			_, why := t.verdict()
			if b != nil && t.Attempt > 0 && t.Millis == 0 && !t.Running && why == broadcast.WhyCrash {
				p.spend(t.Drill, t.Class, t.At, max(0, p.headLength(b)+b.body.total-t.Offset))
			}
		}
	}
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
	j.entry.Rung, j.entry.Reason = last.verdict()
	j.entry.At = last.end()
	p.reckon(j, told)
	if last.Running {
		j.attempt, j.due, j.offset, j.running = last.Attempt, last.At, last.Offset, true
		j.why = last.Why
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
	until := again(j.b.a, told, p.programmeLength(j.b))
	if until == 0 || j.b.verdict != "" {
		return
	}
	j.attempt, j.due, j.deadline = last.Attempt+1, p.ended(last), until
	if !j.b.emergency() {
		_, why := last.verdict()
		j.giveWay(why)
	} else if j.why = broadcast.WhyRepeat; !p.join(j, max(p.ready(j.b), p.ended(last))) {
		return
	}
	p.jobs = append(p.jobs, j)
}

// programmeLength is how long a programme lasts with its head; 0 if the item is
// none.
func (p *planner) programmeLength(b *bulletin) time.Duration {
	if b.body.order == nil {
		return 0
	}
	return time.Duration(p.headLength(b)+b.body.order.length) * time.Millisecond
}

// giveWay prepares the attempt after one that ended for that reason.
func (j *job) giveWay(why broadcast.Reason) { j.why, j.aligned, j.offset = why, false, 0 }

// reckon works out of the journal how far a programme got, and which offers were
// heard in it.
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
			parts = order.from(j.done, int64(t.At-j.began), j.slot)
		}
		if !t.Running {
			_, why := t.verdict()
			p.air(j, t, parts)
			j.leave(parts, int64(t.end()-j.began), 0, why)
		}
	}
}

// aired is an offer of which something was heard in a programme.
type aired struct {
	offer, programme broadcast.ID
	rung             broadcast.Rung
	reason           broadcast.Reason
	at               broadcast.Instant
}

// air notes the offers of an attempt that is over: those that it began with or
// came to. One that was heard to its end ended, however the attempt did.
func (p *planner) air(j *job, t Past, parts []Part) {
	from, to := int64(t.At-j.began), int64(t.end()-j.began)
	for _, part := range parts {
		if part.Offer == "" || part.At >= to || part.At+part.Millis <= from {
			continue
		}
		a := aired{part.Offer, t.Announcement, broadcast.Ended, "", t.end()}
		if part.At+part.Millis > to {
			a.rung, a.reason = t.verdict()
		}
		p.aired = append(p.aired, a)
	}
}

// leave notes how many segments are done when an attempt ended for a reason: those
// that had begun, and the relay that failed, even at its first sample. A relay that
// gave way is not, before its slot has ended: at its live edge nothing is said
// twice. Parts and elapsed count from where the
// programme would have counted base.
func (j *job) leave(parts []Part, elapsed, base int64, why broadcast.Reason) {
	for _, part := range parts {
		end := part.At + part.Millis
		cut := part.Station != "" && elapsed < end
		failed := cut && why != broadcast.WhyPreempted && slices.Contains(moved, why)
		if part.At >= elapsed && !failed {
			return
		}
		j.done, j.slot = int(part.Segment), 0
		if failed {
			return
		}
		if cut && why == broadcast.WhyPreempted {
			j.done, j.slot = j.done-1, end+base
		}
	}
}

// recall enters what the journal tells of occurrences that no document at hand
// explains: it happened, whatever was withdrawn since.
func (p *planner) recall() {
	known := map[occurrence]bool{}
	for _, e := range p.entries {
		known[e.name()] = true
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
// by itself, or gives way to the body that now has its name.
func (p *planner) told(name occurrence, told []Past) *Entry {
	last := told[len(told)-1]
	e := &Entry{Announcement: name.id, Revision: name.revision, Payload: name.payload, Class: last.Class, Drill: name.drill, Start: name.start,
		At: last.end()}
	e.Rung, e.Reason = last.verdict()
	if last.Running {
		e.Rung, e.Reason, e.At = broadcast.Withdrawn, broadcast.WhyDelisted, max(p.now, last.At)
		switch {
		case slices.ContainsFunc(p.bulletins, func(b *bulletin) bool { return b.takesNameOf(name.document) }):
			e.Rung, e.Reason = broadcast.Interrupted, broadcast.WhyOtherBody
		case last.Class == broadcast.Emergency && !last.Drill && last.Ends > p.now:
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

// takesNameOf says that the bulletin is another body of a document's name and
// revision.
func (b *bulletin) takesNameOf(d document) bool {
	body := b.exactly()
	body.payload = d.payload
	return body == d && b.Payload != d.payload
}

func (p *planner) bulletinOf(d document) *bulletin {
	for _, b := range p.bulletins {
		if b.exactly() == d {
			return b
		}
	}
	return nil
}
