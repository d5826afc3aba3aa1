package historytest

import (
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// occurrence names one planned sounding.
type occurrence struct {
	announcement broadcast.ID
	revision     broadcast.Revision
	start        broadcast.Instant
}

func (s Sounding) of() occurrence { return occurrence{s.Announcement, s.Revision, s.Start} }

// same says that both name one attempt, of which either may lack the revision.
func (s Sounding) same(o Sounding) bool {
	if s.Revision == 0 || o.Revision == 0 {
		s.Revision, o.Revision = 0, 0
	}
	return s == o
}

// heard is one attempt of which a sample left.
type heard struct {
	Sounding
	paper   *paper
	first   broadcast.Instant // by the node's clock
	ahead   time.Duration     // which is not set while it sounds
	samples int64
	over    bool
	whole   bool
	// law is that of its beginning, since from when the present one surely binds it.
	law   broadcast.Law
	since broadcast.Instant
	// stopBy is when it must have stopped at the latest, and why; 0 for never.
	stopBy broadcast.Instant
	why    string
}

// spent is a class and a local day.
type spent struct {
	class broadcast.Class
	day   string
}

// stage is what relay and sound card did.
type stage struct {
	closed  broadcast.Instant // since when the relay is; 0 while it is open
	told    bool              // that it is closed for too long
	useful  bool              // a sample left since it closed
	rested  broadcast.Instant // when the last sound was over
	sounds  *heard
	heard   map[occurrence][]*heard
	minutes map[spent]time.Duration
	// spared are the classes that the battery does not feed now.
	spared      []broadcast.Class
	sparedSince broadcast.Instant
}

func newStage() stage {
	return stage{heard: map[occurrence][]*heard{}, minutes: map[spent]time.Duration{}}
}

// tell notes whom the battery feeds.
func (s Spared) tell(j *Judge, at broadcast.Instant) {
	if !slices.Equal(s.Classes, j.spared) {
		j.spared, j.sparedSince = s.Classes, at
	}
}

// tell judges an edge of the relay.
func (r Relay) tell(j *Judge, at broadcast.Instant) {
	switch {
	case r.Closed == (j.closed != 0):
	case r.Closed:
		j.closed, j.useful, j.told = at, false, false
		if !j.expected(at) {
			j.breach(lawRelay, "nothing that was published is due")
		}
	default:
		j.opened(at)
	}
}

// expected says whether anything that was published to this place could be about
// to sound.
func (j *Judge) expected(at broadcast.Instant) bool {
	now, before := j.local(at).Add(j.board.WarmUp), at.Add(j.board.WarmUp+j.wasAhead)
	for _, list := range j.papers {
		for _, p := range list {
			if p.since != 0 && (j.near(p, now) || at.Sub(j.set) <= setWithin && j.near(p, before)) {
				return true
			}
		}
	}
	return false
}

// near says whether an item has a start that could be begun about now.
func (j *Judge) near(p *paper, now broadcast.Instant) bool {
	t := p.doc.Timing
	late := t.Late(p.doc.Class)
	if p.programme() {
		late += p.length()
	}
	begin := t.Start
	if soon := now.Add(j.slack); t.Recurrence != nil && soon > begin {
		begin = soon - (soon-begin)%day
		if begin > t.Until {
			return false
		}
	}
	return begin <= now.Add(j.slack) && now <= begin.Add(late+j.slack)
}

// opened judges how long the relay was closed, and for what.
func (j *Judge) opened(at broadcast.Instant) {
	since := j.closed
	if j.sounds != nil {
		j.breach(lawWarm, "the relay opened while %s sounded", j.sounds.Sounding)
	} else {
		j.idle(at)
	}
	j.closed = 0
	if limit := j.board.MaxOn; limit > 0 && !j.told && at.Sub(since) > limit+j.slack {
		j.breach(lawMaxOn, "it was closed for %v", at.Sub(since))
	}
}

// idle judges how long the relay was closed up to now while nothing sounded.
func (j *Judge) idle(at broadcast.Instant) {
	// What was to share the closing may be taken back at its last moment, and the
	// relay is held once more.
	gap := j.board.Tail + 2*j.board.Hold + j.board.MinOff + j.board.WarmUp + obey
	switch {
	case j.useful && at.Sub(j.rested) > gap:
		j.breach(lawHold, "it was closed for %v after the last sample", at.Sub(j.rested))
	case !j.useful && at.Sub(j.closed) > gap:
		j.breach(lawHold, "it was closed for %v and nothing sounded", at.Sub(j.closed))
	}
}

// beginning are the rules for the first sample of a sounding, and whether they
// bind an emergency.
var beginning = []struct {
	law       string
	emergency bool
	broken    func(j *Judge, h *heard) bool
}{
	{lawPublished, true, func(_ *Judge, h *heard) bool { return h.paper.since == 0 }},
	{lawThreshold, true, func(j *Judge, h *heard) bool { return !j.enough(h.paper) }},
	{lawEarly, true, func(j *Judge, h *heard) bool { return h.first.Add(j.slack) < h.Start }},
	{lawLate, true, tooLate},
	{lawWithdrawn, true, func(j *Judge, h *heard) bool { return j.withdrawn(h.paper, j.now.Add(-obey)) }},
	{lawSilence, true, func(j *Judge, h *heard) bool { return j.silenced(h.paper, j.now.Add(-obey), h.first, h.first) }},
	{lawReplaced, true, func(j *Judge, h *heard) bool { return j.replaced(h.paper, j.now.Add(-j.underWay(h.paper))) }},
	{lawDelisted, false, func(j *Judge, h *heard) bool { return j.delisted(h.paper, j.now.Add(-obey)) }},
	{lawStale, true, isStale},
	{lawPower, false, func(j *Judge, h *heard) bool {
		return j.now.Sub(j.sparedSince) > obey+j.slack && slices.Contains(j.spared, h.paper.doc.Class)
	}},
	{lawTwice, true, again},
	{lawOften, true, tooOften},
}

// tell judges the first sample of a sounding.
func (b Began) tell(j *Judge, at broadcast.Instant) {
	switch {
	case j.sounds != nil:
		j.breach(lawAtOnce, "%s begins while %s sounds", b.Sounding, j.sounds.Sounding)
	case j.closed == 0 || at.Sub(j.closed) < j.board.WarmUp-j.slack:
		j.breach(lawWarm, "%s begins; the relay is closed since %s", b.Sounding, j.closed)
	default:
		j.idle(at)
	}
	j.useful = true
	p := j.find(b.Sounding)
	if p == nil {
		j.breach(lawPublished, "%s was never published to this node", b.Sounding)
		p = &paper{doc: broadcast.Announcement{ID: b.Announcement, Revision: b.Revision}}
	}
	b.Revision = p.doc.Revision
	h, broken := j.judgeFirst(b.Sounding, p, at, j.state.Ahead)
	if len(broken) > 0 && at.Sub(j.set) <= setWithin {
		// The clock was just set, which a sounding that was prepared does not follow.
		if before, fewer := j.judgeFirst(b.Sounding, p, at, j.wasAhead); len(fewer) < len(broken) {
			h, broken = before, fewer
		}
	}
	for _, law := range broken {
		j.breach(law, "%s, %s, begins at %s", b.Sounding, p.doc.Class, h.first)
	}
	j.sounds = h
	j.heard[b.of()] = append(j.heard[b.of()], h)
}

// underWay is how long before its first sample nothing keeps an item any more
// from sounding by being replaced. An emergency for which the relay was asked
// sounds until what replaces it begins, so that nobody waits in silence.
func (j *Judge) underWay(p *paper) time.Duration {
	if p.emergency() {
		return j.board.WarmUp + 2*obey
	}
	return obey
}

// setWithin is how long after its clock was set a node may sound by the old one.
const setWithin = 10 * time.Second

// judgeFirst judges a first sample by a clock, and names the laws that it breaks.
func (j *Judge) judgeFirst(s Sounding, p *paper, at broadcast.Instant, ahead time.Duration) (h *heard, broken []string) {
	h = &heard{Sounding: s, paper: p, ahead: ahead, first: at.Add(ahead), since: at.Add(ahead + j.slack), law: j.law}
	for _, rule := range beginning {
		if p.given != 0 && (rule.emergency || !p.emergency()) && rule.broken(j, h) {
			broken = append(broken, rule.law)
		}
	}
	return h, broken
}

// tooLate asks only for the first sample that anybody hears of a programme: it
// goes on at its next segment after it gave way.
func tooLate(j *Judge, h *heard) bool {
	deadline := h.Start.Add(h.paper.doc.Timing.Late(h.paper.doc.Class))
	switch {
	case h.paper.emergency():
		deadline = h.paper.doc.Timing.Start.Add(h.paper.doc.Timing.WindowLength())
	case h.paper.programme() && h.Attempt > 1:
		deadline = h.Start.Add(h.paper.length() + h.paper.doc.Timing.Late(h.paper.doc.Class))
	}
	return h.first > deadline.Add(j.slack)
}

func isStale(j *Judge, h *heard) bool {
	fresh := j.fresh()
	if fresh == 0 || h.first.Sub(fresh) <= j.law.OfflineLimit()+j.slack {
		return false
	}
	return !h.paper.emergency() || h.paper.given.Add(j.slack) < fresh
}

// again says that the attempt was made before, or that all was heard already.
func again(j *Judge, h *heard) bool {
	return slices.ContainsFunc(j.heard[h.of()], func(o *heard) bool { return o.whole || o.Attempt >= h.Attempt })
}

// tooOften counts the soundings: three of an emergency, two of a priority item,
// one of a normal one; a programme goes on as often as it had to leave off.
func tooOften(j *Judge, h *heard) bool {
	most := map[broadcast.Class]int{broadcast.Emergency: 3, broadcast.Priority: 2, broadcast.Normal: 1}[h.paper.doc.Class]
	return len(j.heard[h.of()]) >= most && (h.paper.emergency() || !h.paper.programme())
}

// stopIf has the present sounding stop if it is withdrawn or silenced now, or
// replaced; an emergency goes on until what replaces it begins.
func (j *Judge) stopIf(at broadcast.Instant, why string) {
	h := j.sounds
	gone := func() bool {
		return j.withdrawn(h.paper, at) || j.silenced(h.paper, at, at.Add(h.ahead), at.Add(h.ahead))
	}
	if h == nil || h.stopBy != 0 || !gone() && (h.paper.emergency() || !j.replaced(h.paper, at)) {
		return
	}
	h.stopBy, h.why = at.Add(obey+j.slack), why
}

// inspect judges the present sounding by the law so far, before that changes.
func (j *Judge) inspect(at broadcast.Instant) {
	h := j.sounds
	if h == nil {
		return
	}
	j.quiet(h, at.Add(h.ahead))
	h.since = at.Add(h.ahead + obey + j.slack)
}

// quiet judges the samples from since on.
func (j *Judge) quiet(h *heard, to broadcast.Instant) {
	if h.paper.emergency() || to <= h.since {
		return
	}
	if span, touched := j.law.Quiet(h.since, to); touched {
		j.breach(lawQuiet, "%s, %s, sounded from %s to %s; quiet is %v", h.Sounding, h.paper.doc.Class, h.first, to, span)
	}
}

// tell judges a sounding that is over.
func (o Over) tell(j *Judge, at broadcast.Instant) {
	h := j.sounds
	if h == nil || !h.same(o.Sounding) {
		j.breach(lawAtOnce, "%s ends and did not sound", o.Sounding)
		return
	}
	j.sounds, j.rested = nil, at
	h.samples, h.over, h.whole = o.Samples, true, o.Whole
	j.fulfil(h)
	to := at.Add(h.ahead)
	j.quiet(h, to)
	if h.paper.emergency() || h.paper.given == 0 {
		return
	}
	if h.paper.doc.Class == broadcast.Normal && !h.law.InWindow(min(h.first.Add(j.slack), to), to) {
		j.breach(lawWindow, "%s sounded from %s to %s", o.Sounding, h.first, to)
	}
	j.spend(h, to.Sub(h.first))
}

// spend books what sounded on the day on which it began.
func (j *Judge) spend(h *heard, length time.Duration) {
	on := spent{h.paper.doc.Class, h.first.Time().In(broadcast.Local()).Format(time.DateOnly)}
	j.minutes[on] += length
	if limit, bound := h.law.Budget(on.class, h.first); bound && j.minutes[on] > limit+obey {
		j.breach(lawBudget, "%v of %s on %s, allowed are %v", j.minutes[on], on.class, on.day, limit)
	}
}
