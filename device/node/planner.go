package node

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
)

// How far plans look.
const (
	ahead    = plan.Ahead
	behind   = 26 * time.Hour
	mostPast = 33 * 24 * time.Hour
	// remembers is how long before its window a plan may ask for the past: it
	// begins to look up to two days before, at what may then be half a day late.
	remembers = 4 * 24 * time.Hour
	replan    = time.Hour
	unproved  = 10 * time.Minute // verdicts wait so long for a proved clock
	soonLimit = 10 * time.Minute // what sounds within it is fetched first
)

// input is everything that this node's plan follows from.
func (n *Node) input(now broadcast.Instant) plan.Input {
	in := plan.Input{
		Now: now, Window: plan.Window{From: n.from(now), To: now.Add(ahead)}, Since: n.since(),
		Assignment: n.holdings.place(), Law: n.law(), Orders: n.holdings.orders,
		Fresh: n.holdings.fresh(), Clock: n.clock.quality, Board: n.cfg.Board, Closed: n.stage.closed(now, n.cfg.Board.Hold),
		Power: n.supply.plan(), Barred: n.barredUntil(), Live: n.cfg.Relays,
	}
	in.Past = n.past(in.Window.From.Add(-remembers))
	listings := n.holdings.listings()
	for _, i := range n.holdings.items {
		in.Items = append(in.Items, plan.Item{Announcement: i.doc, Payload: i.proof.Payload, Drill: i.drill, Signers: signers(i.proof), Approved: i.approved,
			Delisted: n.holdings.delisted(i, listings), Answered: n.holdings.answered[i.proof.Digest] || n.firedNow(i.document()), FirstHeld: i.first, Ready: n.ready(i, now), Speaking: n.speaking(i)})
	}
	for _, s := range n.holdings.silences {
		in.Silences = append(in.Silences, plan.Silence{Silence: s.doc, Level: s.proof.Level(), Emergency: n.silencesEmergencies(in.Law, s.proof)})
	}
	for _, w := range n.holdings.withdrawals {
		in.Withdrawals = append(in.Withdrawals, plan.Withdrawal{Withdrawal: w.doc, Level: w.proof.Level()})
	}
	for _, p := range n.holdings.placements {
		in.Placements = append(in.Placements, p.doc)
	}
	for _, s := range n.holdings.slots {
		in.Slots = append(in.Slots, s.doc)
	}
	return in
}

// ready is from when the node could have sounded the item: not before it was
// verified, and not while a recording is missing. An emergency that missed its
// start by little counts as in time: it is caught up with (see aim), because the
// next point of the common grid may be ten seconds away. What came by a clock
// that was ahead and has been set back is here, whatever that clock said.
func (n *Node) ready(i *item, now broadcast.Instant) broadcast.Instant {
	if i.complete == 0 {
		return now
	}
	at := max(i.first, i.complete)
	if at > now {
		at = n.since()
	}
	if inTime := i.doc.Timing.Start.Add(-n.cfg.Board.WarmUp); i.emergency() && at > inTime && at <= inTime.Add(catchUp) {
		return inTime
	}
	return at
}

// catchUp is by how much an emergency may miss its start and still be joined
// where the neighbours are by then.
const catchUp = 1500 * time.Millisecond

// aim is the instant that the first sample of the item belongs to. It lies
// before the first sample that is heard when the node catches up.
func (n *Node) aim(t target) broadcast.Instant {
	s := t.sounding
	late := s.From.Sub(t.entry.Start)
	if t.entry.Class != broadcast.Emergency || t.entry.Drill || s.Attempt != 1 || s.Offset != 0 || n.stage.run != nil ||
		late <= 0 || late > catchUp || late > naturalLength(s)/2 {
		return s.From
	}
	return t.entry.Start
}

// law is what the verified policies of the chain allow together.
func (n *Node) law() broadcast.Law {
	var policies []broadcast.Policy
	for _, p := range n.holdings.place().Chain {
		if held, ok := n.holdings.policies[p.Area]; ok {
			policies = append(policies, held.doc)
		}
	}
	return broadcast.LawOf(policies...)
}

// silencesEmergencies says whether enough people signed a silence to bar
// emergencies, with keys kept well enough.
func (n *Node) silencesEmergencies(law broadcast.Law, p seal.Proof) bool {
	need, may := law.Threshold(broadcast.Emergency, "")
	least := law.Custody(broadcast.Emergency)
	count := 0
	for _, s := range p.Signers {
		if s.Custody.Rank() >= least.Rank() {
			count++
		}
	}
	return may && count >= need
}

// longestPast bounds what a plan is told of the past, the newest first: a plan
// refuses more than it can bear, and a node without a plan is silent.
const longestPast = 15000

// past is the journal's tale, with what sounds at this moment marked.
func (n *Node) past(since broadcast.Instant) []plan.Past {
	list := n.ledger.history.past(since)
	list = list[max(0, len(list)-longestPast):]
	r := n.stage.run
	if r == nil {
		return list
	}
	i := slices.IndexFunc(list, func(p plan.Past) bool {
		return toldOf(p) == r.name && p.Attempt == r.sounding.Attempt
	})
	if i < 0 {
		list = append(list, plan.Past{Announcement: r.name.id, Revision: r.name.revision, Payload: r.name.payload, Drill: r.name.drill,
			Class: r.class, Start: r.name.start, Attempt: r.sounding.Attempt, Why: r.sounding.Why, Rung: broadcast.Powered,
			At: r.sounding.From, Offset: r.sounding.Offset})
		i = len(list) - 1
	}
	list[i].Running = true
	return list
}

// since is when this boot began to be able to act, or the voltage became fit to
// sound with. It moves only when the clock
// is set by more than it may drift, so that plans stay still.
func (n *Node) since() broadcast.Instant {
	at := broadcast.InstantOf(n.cfg.Dial.at(max(n.usable, n.supply.fit)))
	if at.Sub(n.sinceAt).Abs() > time.Second {
		n.sinceAt = at
	}
	return n.sinceAt
}

// from is where the plan begins to look back: far enough for everything that
// has no verdict yet.
func (n *Node) from(now broadcast.Instant) broadcast.Instant {
	from := now.Add(-behind)
	if n.settled != 0 {
		from = min(from, n.settled)
	}
	for _, i := range n.holdings.items {
		start := i.doc.Timing.Start
		if i.doc.Timing.Recurrence == nil && start < from && !n.ledger.history.settled(occurrence{i.document(), start}) {
			from = start
		}
	}
	return max(from, now.Add(-mostPast), 1)
}

// replan asks the one function what will sound, and remembers when to ask again.
func (n *Node) replan() {
	n.planDirty = false
	now := n.now()
	n.planNext = now.Add(replan)
	if wait := unproved - n.mono(); wait > 0 {
		n.planNext = min(n.planNext, now.Add(wait)+1)
	}
	n.plan = plan.Plan{}
	n.watch.dirty = true
	if n.holdings.assignment == nil {
		return
	}
	computed, err := n.compute(n.input(now))
	if err != nil && !errors.Is(err, plan.ErrTooMany) {
		n.log.Error("no plan", "err", err)
		n.raise(broadcast.FaultNoPlan, "", err.Error())
		return
	}
	n.set(errors.Is(err, plan.ErrTooMany), broadcast.FaultTooMany, "plan", "more occurrences than a plan may hold")
	n.clear(broadcast.FaultNoPlan, "")
	n.plan = computed
	for _, e := range computed.Entries {
		if e.At > now {
			n.planNext = min(n.planNext, e.At)
		}
		for _, s := range e.Soundings {
			if s.On > now && !n.playable(e) {
				n.planNext = min(n.planNext, s.On)
			}
		}
	}
}

// compute makes the plan for a window, or for what of it is still to come. Where
// it came to that, it is not asked again until the next hour whether all has room.
func (n *Node) compute(in plan.Input) (plan.Plan, error) {
	if n.crowded && in.Now < n.crowdedUntil && in.Now >= n.crowdedUntil.Add(-replan) {
		in.Window.From = in.Now
		return plan.Compute(in)
	}
	computed, err := plan.ComputeFrom(in, in.Now)
	n.crowded = errors.Is(err, plan.ErrTooMany) || err == nil && computed.Window != in.Window
	n.crowdedUntil = in.Now.Add(replan)
	return computed, err
}

// playable says whether everything that the entry needs is here.
func (n *Node) playable(e plan.Entry) bool {
	i := n.holdings.item(nameOf(e).document)
	return i != nil && i.complete != 0
}

func nameOf(e plan.Entry) occurrence {
	return occurrence{document{name{e.Drill, e.Announcement, e.Revision}, e.Payload}, e.Start}
}

// settle states the verdict of everything whose moment has come and which the
// stage does not sound. While the clock is not proved verdicts wait: a clock
// that is wrong must not end what is still to come.
func (n *Node) settle() {
	q := n.shown
	if q == broadcast.ClockUnset || q == broadcast.ClockPlausible && n.mono() < unproved {
		return
	}
	now := n.now()
	swept := n.give(append(n.verdicts(n.plan.Entries, now), n.ancient(now)...)) && (now.Sub(n.settledKept) >= settledEvery || now <= n.settledKept)
	if swept && n.crowded {
		swept = n.give(n.uncrowded(now))
	}
	if swept {
		n.swept(now)
	}
}

// give states verdicts, and says whether there was room for all of them. The
// others follow once these are written.
func (n *Node) give(list []statement) bool {
	slices.SortFunc(list, func(a, b statement) int { return cmp.Compare(a.start, b.start) })
	room := max(0, maxUnwritten-len(n.ledger.unwritten))
	n.state(list[:min(room, len(list))]...)
	return len(list) <= room
}

// verdicts are those of planned entries whose moment has come.
func (n *Node) verdicts(entries []plan.Entry, now broadcast.Instant) []statement {
	var list []statement
	for _, e := range entries {
		name := nameOf(e)
		inside := e.Inside != "" && n.stage.run != nil && n.stage.run.name.document.id == e.Inside // nobody knows yet how that ends
		if e.At > now || inside || !e.Rung.Terminal() || e.Rung == broadcast.Ended && e.Inside == "" || n.ledger.history.settled(name) || n.stage.holds(name) || pending(e, now) {
			continue
		}
		rung, reason := n.verdict(e)
		list = append(list, statement{document: name.document, class: e.Class, start: e.Start, rung: rung, reason: reason})
	}
	return list
}

// ancient are the verdicts of items that were due longer ago than plans look
// back: the node was off for all that time.
func (n *Node) ancient(now broadcast.Instant) []statement {
	var list []statement
	for _, i := range n.holdings.items {
		name := occurrence{i.document(), i.doc.Timing.Start}
		if i.doc.Timing.Recurrence != nil || i.deadline() >= now.Add(-mostPast) || n.ledger.history.settled(name) {
			continue
		}
		end := stop{broadcast.Skipped, broadcast.WhyLate}
		if i.emergency() {
			end = stop{broadcast.Expired, broadcast.WhyExpired}
		}
		list = append(list, statement{document: name.document, class: i.doc.Class, start: name.start, rung: end.rung, reason: end.reason})
	}
	return list
}

// pending says that an attempt is still to come.
func pending(e plan.Entry, now broadcast.Instant) bool {
	return slices.ContainsFunc(e.Soundings, func(s plan.Sounding) bool { return s.To > now })
}

// verdict is the plan's, unless the true reason is that the recording never
// came, or that the item did only when it was over.
func (n *Node) verdict(e plan.Entry) (broadcast.Rung, broadcast.Reason) {
	i := n.holdings.item(nameOf(e).document)
	if i == nil || i.complete != 0 {
		return e.Rung, e.Reason
	}
	late := e.Reason == broadcast.WhyLate || e.Reason == broadcast.WhyExpired || e.Reason == broadcast.WhyOverlap
	inTime := i.first <= e.Start.Add(i.doc.Timing.Late(e.Class))
	switch {
	case late && inTime:
		return broadcast.Failed, broadcast.WhyContent
	case e.Reason == broadcast.WhyContent && !inTime && i.emergency():
		return broadcast.Expired, broadcast.WhyExpired
	case e.Reason == broadcast.WhyContent && !inTime:
		return broadcast.Skipped, broadcast.WhyLate
	}
	return e.Rung, e.Reason
}

// settledEvery is how often the card is told how far verdicts go.
const settledEvery = time.Hour

// swept notes that everything up to now has its verdict.
func (n *Node) swept(now broadcast.Instant) {
	n.settled, n.settledKept = now, now
	if err := n.shelf.put(shelfSettled, now); err != nil {
		n.log.Warn("not noted how far verdicts go", "err", err)
	}
}
