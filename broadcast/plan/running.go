package plan

import (
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// stops are the standing reasons that end what sounds already. A rule that was
// met when it began, such as a signature count, is not asked again.
var stops = []broadcast.Reason{broadcast.WhyWithdrawn, broadcast.WhySuperseded, broadcast.WhyDelisted}

// stopsNow are the momentary ones.
var stopsNow = []broadcast.Reason{broadcast.WhyPressed, broadcast.WhySilence, broadcast.WhyQuiet}

// goOn lets the sounding that runs now go on to its end, to its cut by a higher
// class, or no further than now if it may not go on.
func (p *planner) goOn(j *job) {
	t := turn{on: j.due.Add(-p.in.Board.WarmUp), from: j.due, since: j.due.Add(-p.in.Board.WarmUp)}
	if p.line.closed {
		t.since, t.on = p.in.Closed, max(t.on, p.in.Closed)
	}
	s := p.shape(j, t.from)
	to := t.from + broadcast.Instant(s.length)
	if why := p.stopping(j, to); why != "" {
		p.stop(j, t, s, ending{at: min(to, p.now), why: why})
		return
	}
	c := p.cut(j, t, to)
	if c.by != nil && c.at <= t.from { // asked for, but not begun: the relay is warm at its start
		p.line.closed, p.line.since, p.line.last = true, t.since, t.from
		j.running, j.due = false, c.by.due
		p.queue(j)
		return
	}
	p.sound(j, t, s, c)
}

// stopping says why a running sounding may not go on. What began while power
// sufficed goes on below its level, down to the next: half a bulletin is worth
// nothing, and what it takes is not yet that of emergencies. An emergency that a
// newer revision replaces goes on until that one begins, for nobody asked for
// quiet in between; a silence does ask for it.
func (p *planner) stopping(j *job, to broadcast.Instant) broadcast.Reason {
	replaced := j.b.emergency() && j.b.verdict == broadcast.WhySuperseded && !p.in.Power.Unfit
	if slices.Contains(stops, j.b.verdict) && !replaced {
		return j.b.verdict
	}
	if p.in.Power.Unfit || j.b.rank < p.in.Power.GoesOn.Rank() {
		return broadcast.WhyPower
	}
	for _, rule := range momentary {
		if slices.Contains(stopsNow, rule.why) && (rule.emergency || !j.b.emergency()) &&
			rule.broken(p, j.b, max(p.now, j.due), max(to, p.now+1)) {
			return rule.why
		}
	}
	return ""
}

// stop ends a running sounding, or one that was asked for and has not begun.
func (p *planner) stop(j *job, t turn, s shape, c ending) {
	if c.at <= t.from {
		p.line.closed, p.line.since, p.line.last = true, t.since, t.from
		j.entry.Rung, j.entry.Reason, j.entry.At = rung(c.why), c.why, p.now
		if c.why == broadcast.WhyPower && j.b.emergency() {
			j.entry.Rung = broadcast.Failed // and is tried again
		}
		return
	}
	p.sound(j, t, s, c)
}
