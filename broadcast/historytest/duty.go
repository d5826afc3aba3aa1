package historytest

import (
	"math"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// How soon an emergency has to be heard that could not be in time: what comes
// late joins on a grid of ten seconds, a node that wakes up reads its card
// first, and one whose sound broke off begins anew.
const (
	joinWithin = 15 * time.Second
	wakeWithin = 45 * time.Second
	behind     = 5 * time.Second // another emergency
	// mostSoundings is how often an emergency begins at most.
	mostSoundings = 3
	// keepWithin is how soon a node has kept what it was given.
	keepWithin = 5 * time.Second
)

// duty is an emergency that has to be heard to its end, and must have begun by
// an instant.
type duty struct {
	occurrence
	paper *paper
	by    broadcast.Instant
}

// closes is when a repeat need not be heard any more that had to wait for other
// emergencies: when the next one is due, or the window is over. What begins an
// emergency has no such end.
func (d duty) closes() broadcast.Instant {
	t := d.paper.doc.Timing
	if d.start == t.Start {
		return math.MaxInt64
	}
	return min(t.Start.Add(t.WindowLength()), d.start.Add(time.Duration(t.Repeat)*time.Second))
}

// oblige notes that an emergency has to sound which reached a node that can be
// reached: at once if it is late already, and at every repeat.
func (j *Judge) oblige(p *paper, at broadcast.Instant) {
	if !p.emergency() || !j.reachable() || p.since == 0 {
		return
	}
	for _, start := range startsOf(p.doc, p.doc.Timing.Start.Add(p.doc.Timing.WindowLength())) {
		by := start.Add(obey)
		if start < at.Add(j.board.WarmUp+obey) {
			by = at.Add(joinWithin)
		}
		if by <= p.doc.Timing.Start.Add(p.doc.Timing.WindowLength()) && (p.doc.Timing.Repeat == 0 || at < start) {
			j.duties = append(j.duties, duty{occurrence{p.doc.ID, p.doc.Revision, start}, p, by.Add(j.slack)})
		}
	}
}

// wake notes which emergencies a node has to sound that can be reached again:
// those that live and that it has not sounded to their end.
func (j *Judge) wake(at broadcast.Instant) {
	for _, list := range j.papers {
		for _, p := range list {
			t := p.doc.Timing
			closes := t.Start.Add(t.WindowLength())
			for _, start := range startsOf(p.doc, closes) {
				name, ready := occurrence{p.doc.ID, p.doc.Revision, start}, at.Add(wakeWithin)
				if p.emergency() && p.since != 0 && ready < closes && (t.Repeat == 0 || ready < start) && !j.done(name) {
					j.duties = append(j.duties, duty{name, p, max(ready, start.Add(obey+j.slack))})
				}
			}
		}
	}
}

// done says that an emergency was heard to its end, or as often as may be.
func (j *Judge) done(name occurrence) bool {
	h := j.heard[name]
	return len(h) >= mostSoundings || slices.ContainsFunc(h, func(h *heard) bool { return h.whole })
}

// fulfil strikes off what has sounded. What broke off has to sound again.
func (j *Judge) fulfil(h *heard) {
	j.duties = slices.DeleteFunc(j.duties, func(d duty) bool { return d.occurrence == h.of() && j.done(d.occurrence) })
	for i := range j.duties {
		if d := &j.duties[i]; d.occurrence == h.of() {
			d.by = max(d.by, j.now.Add(joinWithin))
		}
	}
}

// judgeDuties strikes off what need not sound any more, puts off what has to
// wait for another emergency or sounds, and judges what is overdue.
func (j *Judge) judgeDuties() {
	j.duties = slices.DeleteFunc(j.duties, func(d duty) bool {
		hushed := j.silenced(d.paper, j.now, d.start, min(j.now, d.by)) // it may come late, so a later silence counts too
		return hushed || j.withdrawn(d.paper, j.now) || d.paper.since == 0 || !j.enough(d.paper) || j.replaced(d.paper, j.now)
	})
	for i := range j.duties {
		d := &j.duties[i]
		if j.sounds != nil && j.sounds.paper.emergency() {
			d.by = max(d.by, j.now.Add(behind))
		}
	}
	j.duties = slices.DeleteFunc(j.duties, func(d duty) bool {
		if outlasted := d.by > d.closes(); outlasted || j.now <= d.by {
			return outlasted
		}
		j.breach(lawEmergency, "%s of %s was not heard by %s", d.announcement, d.start, d.by)
		return true
	})
}
