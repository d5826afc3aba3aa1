package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// joinGrid is the common grid, counted from its start, on which nodes that come
// late join an emergency: neighbours in earshot then speak together.
const joinGrid = 10 * time.Second

// occurrence names one planned sounding on this node.
type occurrence struct {
	document
	start broadcast.Instant
}

// job is an occurrence that wants to sound.
type job struct {
	b     *bulletin
	entry *Entry
	// due is from when it may begin, deadline the last moment at which it may.
	due, deadline broadcast.Instant
	attempt       int64
	why           broadcast.Reason // of an attempt after the first
	// aligned ones came late and begin as far into the item as they are late.
	aligned bool
	// running ones sound already, offset milliseconds into the item.
	running bool
	offset  int64
	// Of a programme: when its body began, how many segments are done, and until
	// when the next one goes on if it is a relay that was cut, 0 if none was.
	began broadcast.Instant
	done  int
	slot  int64
	// lawful is a first sample that the rules of the moment allow.
	lawful broadcast.Instant
	// settled says that the verdict fell while it waited.
	settled bool
}

// dated is a bulletin at one of its starts.
type dated struct {
	b     *bulletin
	start broadcast.Instant
}

func (d dated) name() occurrence {
	return occurrence{d.b.exactly(), d.start}
}

// compareDated is the order inside a class, completed so that no two
// occurrences are equal.
func compareDated(x, y dated) int {
	return cmp.Or(compareBulletins(x.b, y.b), cmp.Compare(x.start, y.start), cmp.Compare(x.b.a.ID, y.b.a.ID),
		cmp.Compare(x.b.a.Revision, y.b.a.Revision), compareBool(x.b.Drill, y.b.Drill))
}

// judge gives every occurrence its verdict or a job.
func (p *planner) judge() {
	var all []dated
	for _, b := range p.bulletins {
		b.body = p.choose(b)
	}
	p.assume()
	for _, b := range p.bulletins {
		b.verdict = p.judgeStanding(b)
		for _, start := range p.starts(b) {
			all = append(all, dated{b, start})
		}
	}
	if p.over = len(all) > 2*MaxEntries; p.over {
		slices.SortFunc(all, func(x, y dated) int { return cmp.Or(cmp.Compare(x.start, y.start), compareDated(x, y)) })
		all = all[:2*MaxEntries]
	}
	for _, d := range all {
		p.decide(d)
	}
	p.recall()
}

// starts are the moments at which a bulletin is due, as far as they can matter
// to the window: the starts in it, and before it those that could still begin
// once the plan begins to look.
func (p *planner) starts(b *bulletin) []broadcast.Instant {
	t := b.timing()
	from, to := p.lower.Add(-t.Late(b.a.Class)), p.in.Window.To-1
	switch {
	case t.Recurrence != nil && b.verdict != broadcast.WhyRule:
		return expand(t, max(from, b.a.Revision.IssuedAt().Add(-t.Late(b.a.Class))), to)
	case t.Start > to || t.Recurrence == nil && t.Deadline(b.a.Class) < p.lower:
		return nil
	case t.Repeat > 0:
		return grid(t, from, to)
	}
	return []broadcast.Instant{t.Start}
}

// grid are the repeats of an emergency inside its window.
func grid(t broadcast.Timing, from, to broadcast.Instant) []broadcast.Instant {
	step := time.Duration(t.Repeat) * time.Second
	var out []broadcast.Instant
	for at := t.Start; at <= min(to, t.Start.Add(t.WindowLength())); at = at.Add(step) {
		if at >= from {
			out = append(out, at)
		}
	}
	return out
}

// nextRepeat is the next point of an emergency's grid, if its window has one.
func nextRepeat(t broadcast.Timing, start broadcast.Instant) (broadcast.Instant, bool) {
	next := start.Add(time.Duration(t.Repeat) * time.Second)
	return next, t.Repeat > 0 && next <= t.Start.Add(t.WindowLength())
}

// deadline is the last moment at which an occurrence may begin. A repeat that
// could not begin before the next one has no other purpose than that one.
func deadline(class broadcast.Class, t broadcast.Timing, start broadcast.Instant) broadcast.Instant {
	if class != broadcast.Emergency {
		return start.Add(t.Late(class))
	}
	if next, ok := nextRepeat(t, start); ok {
		return next - 1
	}
	return t.Start.Add(t.WindowLength())
}

// decide makes the entry of an occurrence, and its job if it may yet sound.
func (p *planner) decide(d dated) {
	j := p.first(d)
	if told := p.past[d.name()]; len(told) > 0 {
		p.resume(j, told)
		return
	}
	if j.b.verdict != "" {
		at := d.start
		if j.b.verdict == broadcast.WhyRule {
			at = j.b.timing().Until
		}
		j.reject(j.b.verdict, at)
		return
	}
	if p.join(j, p.ready(j.b)) {
		p.enter(j)
	}
}

// first is the job of an occurrence's first attempt.
func (p *planner) first(d dated) *job {
	e := &Entry{Announcement: d.b.a.ID, Revision: d.b.a.Revision, Payload: d.b.Payload, Class: d.b.a.Class, Drill: d.b.Drill,
		Start: d.start, Notes: d.b.body.notes}
	p.entries = append(p.entries, e)
	return &job{b: d.b, entry: e, due: d.start, deadline: deadline(d.b.a.Class, d.b.timing(), d.start), attempt: 1}
}

// enter queues a job unless its own moment is barred: an item that was due in
// quiet hours does not sound a minute later because the amplifier was busy.
func (p *planner) enter(j *job) {
	length := p.shape(j, j.due).length
	if why := p.judgeMoment(j.b, j.due, j.due+broadcast.Instant(length)); why != "" {
		j.reject(why, j.due)
		return
	}
	j.lawful = j.due
	p.jobs = append(p.jobs, j)
}

// join moves the due moment of a job that the node could not meet, and says
// whether anything is left to join. An emergency is joined on the common grid
// if it then ends before its next repeat, otherwise that repeat stands for it.
// Everything else is joined where the others are by then.
func (p *planner) join(j *job, ready broadcast.Instant) bool {
	if p.in.Power.Unfit && j.b.emergency() { // it begins late once the voltage is good, or never
		j.reject(broadcast.WhyPower, max(j.deadline, ready))
		return false
	}
	if ready.Add(p.in.Board.WarmUp) <= j.due {
		return true
	}
	at := ready.Add(p.lead())
	if !j.b.emergency() {
		j.due, j.aligned = at, true
		if at > j.deadline {
			j.reject(broadcast.WhyLate, max(j.deadline, ready))
		}
		return at <= j.deadline
	}
	t := j.b.timing()
	steps := (at.Sub(t.Start) + joinGrid - 1) / joinGrid
	j.due = t.Start.Add(steps * joinGrid)
	next, repeats := nextRepeat(t, j.entry.Start)
	switch {
	case repeats && j.due.Add(time.Duration(p.shape(j, j.due).length)*time.Millisecond) > next:
		j.reject(broadcast.WhyLate, max(j.entry.Start, ready))
	case j.due > j.deadline:
		j.reject(broadcast.WhyExpired, max(j.deadline, ready))
	default:
		return true
	}
	return false
}

// reject ends the occurrence for a reason. After a sounding that was cut, the
// verdict of the cut stands.
func (j *job) reject(why broadcast.Reason, at broadcast.Instant) {
	j.settled = true
	if j.attempt == 1 {
		j.entry.Rung, j.entry.Reason, j.entry.At = rung(why), why, at
	}
}

// late is the reason of a job that got no turn before its deadline.
func (j *job) late() broadcast.Reason {
	if !j.b.emergency() {
		return broadcast.WhyLate
	}
	if _, repeats := nextRepeat(j.b.timing(), j.entry.Start); repeats {
		return broadcast.WhyOverlap
	}
	return broadcast.WhyExpired
}
