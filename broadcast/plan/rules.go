package plan

import (
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// rung is where an occurrence ends for a reason. What is not named was refused.
func rung(why broadcast.Reason) broadcast.Rung {
	if r, ok := ends[why]; ok {
		return r
	}
	return broadcast.Refused
}

var ends = map[broadcast.Reason]broadcast.Rung{
	broadcast.WhyLate:       broadcast.Skipped,
	broadcast.WhyOverlap:    broadcast.Skipped,
	broadcast.WhyOffer:      broadcast.Skipped,
	broadcast.WhyLanguage:   broadcast.Skipped,
	broadcast.WhyContent:    broadcast.Failed,
	broadcast.WhyMicrophone: broadcast.Failed,
	broadcast.WhyWithdrawn:  broadcast.Withdrawn,
	broadcast.WhyDelisted:   broadcast.Withdrawn,
	broadcast.WhySuperseded: broadcast.Superseded,
	broadcast.WhyExpired:    broadcast.Expired,
	broadcast.WhyPreempted:  broadcast.Interrupted,
	broadcast.WhyCrash:      broadcast.Interrupted,
}

// standing are the rules that judge a document as a whole, the first that is
// broken gives the reason. Emergency says whether it binds a real emergency.
var standing = []struct {
	why       broadcast.Reason
	emergency bool
	broken    func(*planner, *bulletin) bool
}{
	{broadcast.WhyWithdrawn, true, withdrawn},
	{broadcast.WhySuperseded, true, superseded},
	{broadcast.WhyDelisted, false, func(_ *planner, b *bulletin) bool { return b.Delisted }},
	{broadcast.WhyClock, true, untimely},
	{broadcast.WhyNoPolicy, false, func(p *planner, _ *bulletin) bool { return !p.in.Law.Known() }},
	{broadcast.WhyThreshold, true, func(p *planner, b *bulletin) bool { return !p.in.lets(*b.Item) }},
	{broadcast.WhySpeaker, false, func(p *planner, b *bulletin) bool { return !p.in.Law.MaySpeak(b.lawClass(), b.level) }},
	{broadcast.WhyDeclined, false, func(_ *planner, b *bulletin) bool { return b.offer && b.place.of(b) && b.place.Decline }},
	{broadcast.WhyRule, false, func(_ *planner, b *bulletin) bool { return !readable(b.timing()) }},
	{broadcast.WhySession, false, overSession},
	{broadcast.WhyTooLong, false, tooLong},
}

// momentary are the rules that judge one sounding by its first and last sample.
var momentary = []struct {
	why       broadcast.Reason
	emergency bool
	broken    func(p *planner, b *bulletin, from, to broadcast.Instant) bool
}{
	{broadcast.WhyStale, true, stale},
	{broadcast.WhyPressed, false, func(p *planner, _ *bulletin, from, _ broadcast.Instant) bool { return from < p.in.Barred }},
	{broadcast.WhySilence, true, silenced},
	{broadcast.WhyPower, false, func(p *planner, b *bulletin, _, _ broadcast.Instant) bool {
		return p.in.Power.Unfit || b.rank < p.in.Power.Begins.Rank()
	}},
	{broadcast.WhyQuiet, false, quiet},
	{broadcast.WhyWindow, false, outside},
	{broadcast.WhyOffer, false, unplaced},
}

// judgeStanding returns the first standing rule that a bulletin breaks.
func (p *planner) judgeStanding(b *bulletin) broadcast.Reason {
	for _, rule := range standing {
		if (rule.emergency || !b.emergency()) && rule.broken(p, b) {
			return rule.why
		}
	}
	return b.body.reason
}

// judgeMoment returns the first rule that a sounding between two moments breaks.
func (p *planner) judgeMoment(b *bulletin, from, to broadcast.Instant) broadcast.Reason {
	for _, rule := range momentary {
		if (rule.emergency || !b.emergency()) && rule.broken(p, b, from, to) {
			return rule.why
		}
	}
	return ""
}

// withdrawn says that one of the withdrawals takes it back.
func withdrawn(p *planner, b *bulletin) bool {
	return slices.ContainsFunc(p.in.Withdrawals, func(w Withdrawal) bool { return w.TakesBack(*b.Item, p.in.Assignment) })
}

// TakesBack says that an item must not sound at a place because of a withdrawal:
// one of this revision or a later one that reaches the place and whose right was
// not for a lower class. An emergency can only be withdrawn by its own level or a
// higher one. Nothing is withdrawn before its issue: an early date is how a key
// that is no longer good would be used.
func (w Withdrawal) TakesBack(i Item, place broadcast.Assignment) bool {
	a := &i.Announcement
	if w.Announcement != a.ID || min(w.Upto, w.Revision) < a.Revision || !place.Within(w.Areas) || w.Class.Rank() < a.Class.Rank() {
		return false
	}
	return i.Drill || a.Class != broadcast.Emergency || w.Level.Rank() != 0 && w.Level.Rank() <= issuing(i.Signers).Rank()
}

// superseded says that a newer revision takes its place.
func superseded(p *planner, b *bulletin) bool {
	return slices.ContainsFunc(p.revisions[b.name()], func(newer *bulletin) bool { return newer.supersedes(b) })
}

// supersedes says whether the revision takes the place of an older one. An
// emergency gives way only to an emergency that may itself sound, of its own
// level or a higher one: neither lowering the class of a flood warning nor
// signing too little is a way round a withdrawal. Everything else gives way to
// whatever came later, even if that stays silent.
func (b *bulletin) supersedes(old *bulletin) bool {
	if b.name() != old.name() || b.a.Revision <= old.a.Revision {
		return false
	}
	return !old.emergency() || b.emergency() && b.sufficient && b.level.Rank() <= old.level.Rank()
}

// findRevisions gathers the revisions of every document.
func (p *planner) findRevisions() {
	for _, b := range p.bulletins {
		b.sufficient = p.in.lets(*b.Item) && !untimely(p, b)
		p.revisions[b.name()] = append(p.revisions[b.name()], b)
	}
}

// untimely is the rule of the clock. A proved clock plays everything, and so
// does one that NTP or the RTC contradict: only the sealed answer is trusted
// time, and whoever lies about the time must not be able to silence a node. A
// plausible clock plays what is on board. Without any, only an emergency sounds
// that a manifest with this boot's nonce lists, because only that is surely new.
func untimely(p *planner, b *bulletin) bool {
	return p.in.Clock == broadcast.ClockUnset && !(b.emergency() && b.Answered)
}

// Enough says whether the law lets the item's signers speak: it counts the
// different people whose keys are kept well enough for the class. A template
// that two people approved needs one who activates it.
func (i Item) Enough(law broadcast.Law) bool {
	a := &i.Announcement
	need, may := law.Threshold(a.Class, a.Reason)
	if !may {
		return false
	}
	least := law.Custody(a.Class)
	if a.Template != nil && people(i.Signers, least) >= 1 {
		all, _ := law.Threshold(a.Class, "")
		if people(i.Approved, least) >= max(2, all) {
			return true
		}
	}
	return people(i.Signers, least) >= need
}

// lets says whether an item may speak here: enough people signed it, or one
// corrects what was just withdrawn.
func (in *Input) lets(i Item) bool { return i.Enough(in.Law) || in.corrects(i) }

// soonAfter is how long after a withdrawal its correction is issued at most.
const soonAfter = 10 * time.Minute

// corrects says that an item consists of recordings that the policy lists as
// corrections, and that what it names was withdrawn here shortly before, in its
// class or a higher one. If the node holds that, the withdrawal took it back: a
// warning that stands is contradicted by nobody alone.
func (in *Input) corrects(i Item) bool {
	a := &i.Announcement
	if a.Corrects == nil || i.Drill || !in.Law.Corrects(a.Versions) || people(i.Signers, in.Law.Custody(a.Class)) == 0 {
		return false
	}
	return slices.ContainsFunc(in.Withdrawals, func(w Withdrawal) bool {
		if w.Announcement != a.Corrects.ID || min(w.Upto, w.Revision) < a.Corrects.Revision || w.Class.Rank() < a.Class.Rank() ||
			a.Revision.IssuedAt().Sub(w.Revision.IssuedAt()).Abs() > soonAfter || !in.Assignment.Within(w.Areas) {
			return false
		}
		return !slices.ContainsFunc(in.Items, func(o Item) bool {
			return !o.Drill && o.Announcement.ID == w.Announcement && o.Announcement.Revision <= a.Corrects.Revision && !w.TakesBack(o, in.Assignment)
		})
	})
}

func people(signers []Signer, least broadcast.Custody) int {
	seen := make(map[broadcast.ID]bool, len(signers))
	for _, s := range signers {
		if s.Custody.Rank() >= least.Rank() {
			seen[s.Person] = true
		}
	}
	return len(seen)
}

// tooLong says that the amplifier may not stay on for the whole of it. An
// emergency sounds for as long as the amplifier bears.
func tooLong(p *planner, b *bulletin) bool {
	limit := p.in.Board.bearable()
	return limit > 0 && p.headLength(b)+b.body.total > limit
}

// overSession says that the policy allows no single sounding of that length.
func overSession(p *planner, b *bulletin) bool {
	limit, bound := p.in.Law.Session(b.lawClass())
	return bound && p.headLength(b)+b.body.total > limit.Milliseconds()
}

// stale is the rule of the last contact. Without a fresh manifest for too long
// nobody can know what was withdrawn, so only an emergency sounds that was
// verified since.
func stale(p *planner, b *bulletin, from, _ broadcast.Instant) bool {
	if from.Sub(p.in.Fresh) <= p.in.Law.OfflineLimit() {
		return false
	}
	return !b.emergency() || b.FirstHeld <= p.in.Fresh
}

func quiet(p *planner, _ *bulletin, from, to broadcast.Instant) bool {
	_, touched := p.in.Law.Quiet(from, to)
	return touched
}

// outside asks only normal items and drills: windows bind no other class.
func outside(p *planner, b *bulletin, from, to broadcast.Instant) bool {
	return b.lawClass() == broadcast.Normal && !p.in.Law.InWindow(from, to)
}
