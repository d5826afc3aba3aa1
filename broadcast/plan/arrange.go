package plan

import (
	"cmp"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// shape is what a job would sound if it began at some moment.
type shape struct {
	offset, length int64
	parts          []Part
	trimmed        bool // to what the amplifier bears
}

func (p *planner) shape(j *job, from broadcast.Instant) shape {
	if j.goesOn() {
		return p.remainder(j, from)
	}
	s := shape{offset: j.offset}
	if j.aligned {
		s.offset = max(0, int64(from-j.entry.Start))
	}
	head := p.headLength(j.b)
	s.length = head + j.b.body.total - s.offset
	s.parts = shifted(j.b.body.parts, head)
	if limit := p.in.Board.bearable(); j.b.emergency() && limit > 0 && s.length > limit {
		s.length, s.trimmed = limit, true
	}
	return s
}

// remainder is the rest of a programme: no chime, from the next segment on.
func (p *planner) remainder(j *job, from broadcast.Instant) shape {
	elapsed := int64(from - j.began)
	parts := shifted(j.b.body.order.from(j.done, elapsed, j.slot), -elapsed)
	if len(parts) == 0 {
		return shape{}
	}
	last := parts[len(parts)-1]
	return shape{length: last.At + last.Millis, parts: parts}
}

// goesOn says that the attempt is the rest of a programme that was cut.
func (j *job) goesOn() bool { return j.attempt > 1 && j.began != 0 }

func shifted(parts []Part, by int64) []Part {
	out := slices.Clone(parts)
	for i := range out {
		out[i].At += by
	}
	return out
}

// arrange gives the one amplifier to the jobs, moment by moment: the highest
// class first, in a class the commune's order. A sounding is cut only by a
// higher class. What gets no turn before its deadline is late.
func (p *planner) arrange() {
	slices.SortFunc(p.jobs, compareDue)
	for i, j := range p.jobs {
		if j.running {
			p.jobs = slices.Delete(p.jobs, i, i+1)
			p.goOn(j)
			break
		}
	}
	for j, t := p.next(); j != nil; j, t = p.next() {
		p.begin(j, t)
	}
	p.nameOffers()
}

func compareDue(a, b *job) int {
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(b.b.rank, a.b.rank),
		compareDated(dated{a.b, a.entry.Start}, dated{b.b, b.entry.Start}))
}

// next takes the job that sounds next from the waiting ones, with its turn. A
// job may have to wait for the relay; what becomes due meanwhile competes.
func (p *planner) next() (*job, turn) {
	at := p.line.last
	for {
		p.admit(at)
		if len(p.waiting) == 0 {
			if len(p.jobs) == 0 {
				return nil, turn{}
			}
			at = max(at, p.jobs[0].due)
			continue
		}
		i := p.best()
		j := p.waiting[i]
		ready := max(j.due, p.line.last)
		t := p.line.offer(ready, p.shape(j, ready).length, p.now)
		if len(p.jobs) == 0 || p.jobs[0].due > t.from {
			p.waiting = slices.Delete(p.waiting, i, i+1)
			return j, t
		}
		at = p.jobs[0].due
	}
}

// admit moves what has become due to the waiting jobs.
func (p *planner) admit(at broadcast.Instant) {
	n := 0
	for ; n < len(p.jobs) && p.jobs[n].due <= at; n++ {
		if !p.jobs[n].settled {
			p.waiting = append(p.waiting, p.jobs[n])
		}
	}
	p.jobs = p.jobs[n:]
}

// best is the waiting job that comes first. An emergency that nobody has heard
// yet goes before the repeat of another.
func (p *planner) best() int {
	best := 0
	for i := range p.waiting {
		if compareTurns(p.waiting[i], p.waiting[best]) < 0 {
			best = i
		}
	}
	return best
}

func compareTurns(a, b *job) int {
	return cmp.Or(cmp.Compare(b.b.rank, a.b.rank), compareBool(a.repeats(), b.repeats()),
		compareDated(dated{a.b, a.entry.Start}, dated{b.b, b.entry.Start}))
}

func (j *job) repeats() bool { return j.b.emergency() && j.b.heard }

// begin sounds a job at its turn, unless a rule speaks against that moment.
func (p *planner) begin(j *job, t turn) {
	s := p.shape(j, t.from)
	to := t.from + broadcast.Instant(s.length)
	if why := p.refusal(j, t.from, to); why != "" {
		free := p.line.offer(max(j.due, p.line.last), s.length, 0) // which does not move on with the clock
		j.reject(why, min(free.from, j.deadline))
		return
	}
	c := p.cut(j, t, to)
	if c.by != nil && c.at <= t.from { // no room before the higher class: wait for it
		j.due = max(c.by.due, t.from)
		p.queue(j)
		return
	}
	p.sound(j, t, s, c)
}

// queue puts a job back among those that are not yet due.
func (p *planner) queue(j *job) {
	i, _ := slices.BinarySearchFunc(p.jobs, j, compareDue)
	p.jobs = slices.Insert(p.jobs, i, j)
}

// refusal says why a job may not sound from one moment to another.
func (p *planner) refusal(j *job, from, to broadcast.Instant) broadcast.Reason {
	if from > j.deadline || to <= from {
		return j.late()
	}
	if from != j.lawful {
		if why := p.judgeMoment(j.b, from, to); why != "" {
			return why
		}
	}
	if p.exceeds(j.b, from, int64(to-from)) {
		return broadcast.WhyBudget
	}
	return ""
}

// ending is when a sounding ends; if that is before its own end, then why, and
// for which job.
type ending struct {
	at  broadcast.Instant
	why broadcast.Reason
	by  *job
}

// cut is how a sounding ends. If the amplifier would not bear it and what cuts
// it under one closing of the relay, it ends early enough for the relay to open
// in between.
func (p *planner) cut(j *job, t turn, to broadcast.Instant) ending {
	c := ending{at: to}
	if at, ok := p.silencedFrom(j.b, max(t.from, p.now), to); ok {
		c, to = ending{at: at, why: broadcast.WhySilence}, at
	}
	for _, h := range p.jobs {
		if h.due >= to {
			break
		}
		if h.settled || !h.cuts(j) {
			continue
		}
		at := max(h.due, p.now)
		if at >= to {
			break
		}
		length := p.shape(h, at).length
		if why := p.refusal(h, at, at+broadcast.Instant(length)); why != "" {
			h.reject(why, min(at, h.deadline))
			continue
		}
		if !p.line.bears(at, length, t.since) {
			at = max(p.now, at.Add(-p.in.Board.reopening()))
		}
		if h.b.name() == j.b.name() {
			return ending{at, broadcast.WhySuperseded, h}
		}
		return ending{at, broadcast.WhyPreempted, h}
	}
	return c
}

// cuts says that a job does not wait for a sounding to end: it is of a higher
// class, or the newer revision of an emergency that still sounds.
func (j *job) cuts(sounding *job) bool {
	return j.b.rank > sounding.b.rank || sounding.running && j.b.supersedes(sounding.b)
}

// sound records a sounding and its verdict, and what follows from a cut.
func (p *planner) sound(j *job, t turn, s shape, c ending) {
	e := j.entry
	chime := ""
	if s.offset == 0 && !j.goesOn() {
		chime = p.chime(j.b)
	}
	e.Soundings = append(e.Soundings, Sounding{Attempt: j.attempt, Why: j.why, On: t.on, From: t.from, To: c.at,
		Offset: s.offset, Chime: chime, Volume: p.volume(j.b, t.from, c.at), Parts: s.parts})
	p.spend(j.b.Drill, j.b.a.Class, t.from, int64(c.at-t.from))
	j.b.heard = true
	p.line.closed, p.line.since, p.line.last = true, t.since, c.at
	if s.trimmed && c.why == "" {
		c.why = broadcast.WhyTooLong
	}
	e.Rung, e.Reason, e.At = cutRung(c.why), c.why, c.at
	if c.why == broadcast.WhyPreempted {
		p.follow(j, t, s, c.at)
	}
}

// cutRung is where a sounding ends that began.
func cutRung(why broadcast.Reason) broadcast.Rung {
	switch r := rung(why); {
	case why == "":
		return broadcast.Ended
	case r == broadcast.Withdrawn || r == broadcast.Superseded:
		return r
	}
	return broadcast.Interrupted
}

// follow queues the attempt after a cut, where there is one.
func (p *planner) follow(j *job, t turn, s shape, cut broadcast.Instant) {
	next := *j
	next.running, next.attempt, next.due = false, j.attempt+1, cut
	if j.b.body.order != nil {
		parts := s.parts
		if j.attempt == 1 {
			next.began = t.from - broadcast.Instant(s.offset-p.headLength(j.b))
		}
		elapsed := int64(cut-t.from) + s.offset
		next.leave(parts, elapsed, int64(t.from-next.began)-s.offset, broadcast.WhyPreempted)
	}
	next.giveWay(broadcast.WhyPreempted)
	if next.deadline = again(j.b.a, p.soFar(j), p.programmeLength(j.b)); next.deadline != 0 {
		p.waiting = append(p.waiting, &next)
	}
}

// soFar is the past of an occurrence once what is planned of it has happened,
// up to a cut by a higher class.
func (p *planner) soFar(j *job) []Past {
	e := j.entry
	told := slices.DeleteFunc(slices.Clone(p.past[e.name()]), func(t Past) bool { return t.Running })
	for _, s := range e.Soundings {
		if len(told) == 0 || s.Attempt > told[len(told)-1].Attempt {
			told = append(told, Past{Drill: e.Drill, Class: e.Class, Start: e.Start, Attempt: s.Attempt, Why: s.Why, At: s.From,
				Millis: int64(s.To - s.From), Offset: s.Offset, Rung: broadcast.Interrupted, Reason: broadcast.WhyPreempted})
		}
	}
	return told
}

// nameOffers marks the offers that were heard inside a programme of the commune,
// or will be.
func (p *planner) nameOffers() {
	found := p.promised()
	slices.SortFunc(p.aired, func(a, b aired) int {
		return cmp.Or(compareBool(a.rung != broadcast.Ended, b.rung != broadcast.Ended), cmp.Compare(a.at, b.at), cmp.Compare(a.programme, b.programme))
	})
	found = append(p.aired, found...)
	for _, e := range p.entries {
		i := slices.IndexFunc(found, func(f aired) bool { return f.offer == e.Announcement })
		if e.Reason == broadcast.WhyOffer && i >= 0 {
			e.Inside, e.Rung, e.Reason, e.At = found[i].programme, found[i].rung, found[i].reason, found[i].at
		}
	}
}

// promised are the offers in soundings to come.
func (p *planner) promised() (found []aired) {
	entries := slices.Clone(p.entries)
	slices.SortFunc(entries, func(a, b *Entry) int { return compareEntries(*a, *b) })
	for _, e := range entries {
		for _, s := range e.Soundings {
			for _, part := range s.Parts {
				if part.Offer != "" && s.From+broadcast.Instant(part.At-s.Offset) < s.To {
					found = append(found, aired{part.Offer, e.Announcement, e.Rung, e.Reason, e.At})
				}
			}
		}
	}
	return found
}
