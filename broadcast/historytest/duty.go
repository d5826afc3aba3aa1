package historytest

import (
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// How soon an emergency has to be heard that could not be in time: what comes
// late joins on a grid of ten seconds, and a node that wakes up reads its card
// first.
const (
	joinWithin = 15 * time.Second
	wakeWithin = 45 * time.Second
	behind     = 5 * time.Second // another emergency
)

// duty is an emergency that has to be heard by an instant.
type duty struct {
	occurrence
	paper *paper
	by    broadcast.Instant
}

// oblige notes that an emergency has to sound which reached a node that can be
// reached.
func (j *Judge) oblige(p *paper, at broadcast.Instant) {
	if !p.emergency() || !j.reachable() || p.since == 0 {
		return
	}
	start := p.doc.Timing.Start
	by := start.Add(obey)
	if start < at.Add(j.board.WarmUp+obey) {
		by = at.Add(joinWithin)
	}
	if by <= start.Add(p.doc.Timing.WindowLength()) && (p.doc.Timing.Repeat == 0 || at < start) {
		j.duties = append(j.duties, duty{occurrence{p.doc.ID, start}, p, by.Add(j.slack)})
	}
}

// wake notes which emergencies a node has to sound that can be reached again:
// those that live and that it has not sounded to their end.
func (j *Judge) wake(at broadcast.Instant) {
	for _, list := range j.papers {
		for _, p := range list {
			t := p.doc.Timing
			name := occurrence{p.doc.ID, t.Start}
			h := j.heard[name]
			if p.emergency() && p.since != 0 && t.Repeat == 0 && at.Add(wakeWithin) < t.Start.Add(t.WindowLength()) && len(h) < 3 &&
				!slices.ContainsFunc(h, func(h *heard) bool { return h.whole }) {
				j.duties = append(j.duties, duty{name, p, max(at.Add(wakeWithin), t.Start.Add(obey+j.slack))})
			}
		}
	}
}

// fulfil strikes off what sounds now.
func (j *Judge) fulfil(h *heard) {
	j.duties = slices.DeleteFunc(j.duties, func(d duty) bool { return d.occurrence == h.of() })
}

// judgeDuties strikes off what need not sound any more, puts off what has to
// wait for another emergency, and judges what is overdue.
func (j *Judge) judgeDuties() {
	j.duties = slices.DeleteFunc(j.duties, func(d duty) bool {
		hushed := j.silenced(d.paper, j.now, d.start, min(j.now, d.by)) // it may come late, so a later silence counts too
		return hushed || j.withdrawn(d.paper, j.now) || d.paper.since == 0 || !j.enough(d.paper) || j.superseded(d.paper)
	})
	for i := range j.duties {
		d := &j.duties[i]
		if j.sounds != nil && j.sounds.paper.emergency() {
			d.by = max(d.by, j.now.Add(behind))
		}
	}
	j.duties = slices.DeleteFunc(j.duties, func(d duty) bool {
		if j.now > d.by {
			j.breach(lawEmergency, "%s of %s was not heard by %s", d.announcement, d.start, d.by)
		}
		return j.now > d.by
	})
}

// superseded says that a later revision has taken the place of an emergency.
func (j *Judge) superseded(p *paper) bool {
	return slices.ContainsFunc(j.papers[p.doc.ID], func(o *paper) bool { return o.doc.Revision > p.doc.Revision })
}
