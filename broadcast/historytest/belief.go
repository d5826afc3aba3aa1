package historytest

import (
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// paper is an announcement that was handed to the node.
type paper struct {
	doc      broadcast.Announcement
	officers int
	level    broadcast.Level
	given    broadcast.Instant
	// again is when it was given last, lost that the node was cut off so soon
	// afterwards that it may not have it.
	again broadcast.Instant
	lost  bool
	// since is from when on the node stood in its areas without a break; 0 if it
	// does not now.
	since broadcast.Instant
}

func (p *paper) emergency() bool { return p.doc.Class == broadcast.Emergency }

func (p *paper) programme() bool {
	return slices.ContainsFunc(p.doc.Versions, func(v broadcast.Version) bool { return v.Programme != nil })
}

// length is how long it may last at most, in all languages together.
func (p *paper) length() time.Duration {
	var sum time.Duration
	for _, v := range p.doc.Versions {
		sum += v.Duration()
	}
	return sum
}

// order is a withdrawal or a silence with when it came and from whom.
type order[T any] struct {
	doc      T
	officers int
	level    broadcast.Level
	given    broadcast.Instant
}

// belief is what an honest node knows after what it was given.
type belief struct {
	place       broadcast.Assignment
	policies    map[broadcast.ID]broadcast.Policy
	law         broadcast.Law
	manifests   map[broadcast.ID]order[broadcast.Manifest]
	papers      map[broadcast.ID][]*paper
	withdrawals map[broadcast.ID][]order[broadcast.Withdrawal]
	silences    map[broadcast.ID]order[broadcast.Silence]
}

func newBelief() belief {
	return belief{policies: map[broadcast.ID]broadcast.Policy{}, manifests: map[broadcast.ID]order[broadcast.Manifest]{},
		papers: map[broadcast.ID][]*paper{}, withdrawals: map[broadcast.ID][]order[broadcast.Withdrawal]{},
		silences: map[broadcast.ID]order[broadcast.Silence]{}}
}

// tell takes a document as an honest node does: nothing older than what it has.
func (g Given) tell(j *Judge, at broadcast.Instant) {
	switch doc := g.Document.(type) {
	case broadcast.Assignment:
		if doc.Revision > j.place.Revision {
			j.place = doc
			j.moved(at)
			j.lawChanged(at)
		}
	case broadcast.Policy:
		if doc.Revision > j.policies[doc.Area].Revision {
			j.policies[doc.Area] = doc
			j.lawChanged(at)
		}
	case broadcast.Manifest:
		if doc.Revision > j.manifests[doc.Area].doc.Revision {
			j.manifests[doc.Area] = order[broadcast.Manifest]{doc: doc, given: at}
		}
	case broadcast.Withdrawal:
		list := j.withdrawals[doc.Announcement]
		if !slices.ContainsFunc(list, func(o order[broadcast.Withdrawal]) bool { return o.doc.ID == doc.ID && o.doc.Revision == doc.Revision }) {
			j.withdrawals[doc.Announcement] = append(list, order[broadcast.Withdrawal]{doc, g.Officers, g.Level, at})
			j.stopIf(at, lawWithdrawn)
		}
	case broadcast.Silence:
		have, there := j.silences[doc.ID]
		if !there || doc.Revision > have.doc.Revision && g.Level.Rank() <= have.level.Rank() {
			j.silences[doc.ID] = order[broadcast.Silence]{doc, g.Officers, g.Level, at}
			j.stopIf(at, lawSilence)
		}
	case broadcast.Announcement:
		j.publish(doc, g, at)
	}
}

// publish notes an announcement that the node has not had yet.
func (j *Judge) publish(a broadcast.Announcement, g Given, at broadcast.Instant) {
	for _, p := range j.papers[a.ID] {
		if p.doc.Revision == a.Revision {
			p.again, p.lost = at, false
			return
		}
	}
	p := &paper{doc: a, officers: g.Officers, level: g.Level, given: at, again: at}
	if j.place.Within(a.Areas) {
		p.since = at
	}
	j.papers[a.ID] = append(j.papers[a.ID], p)
	j.oblige(p, at)
	j.stopIf(at, lawReplaced)
}

// forget notes what a node that is cut off may not have kept.
func (j *Judge) forget(at broadcast.Instant) {
	for _, list := range j.papers {
		for _, p := range list {
			p.lost = p.lost || at.Sub(p.again) < keepWithin
		}
	}
}

// moved notes which announcements reach the place where the node stands now.
func (j *Judge) moved(at broadcast.Instant) {
	for _, list := range j.papers {
		for _, p := range list {
			switch here := j.place.Within(p.doc.Areas); {
			case !here:
				p.since = 0
			case p.since == 0:
				p.since = at
			}
		}
	}
}

// lawChanged makes the law of the place anew.
func (j *Judge) lawChanged(at broadcast.Instant) {
	j.inspect(at)
	var held []broadcast.Policy
	for _, p := range j.place.Chain {
		if policy, ok := j.policies[p.Area]; ok {
			held = append(held, policy)
		}
	}
	j.law = broadcast.LawOf(held...)
}

// enough says whether the law lets so many people speak.
func (j *Judge) enough(p *paper) bool {
	need, may := j.law.Threshold(p.doc.Class, p.doc.Reason)
	return may && p.officers >= need
}

// find returns the revision of a sounding, if it is due at the start; the newest
// that is, if the sounding does not name one.
func (j *Judge) find(s Sounding) *paper {
	var found *paper
	for _, p := range j.papers[s.Announcement] {
		if (s.Revision == 0 || s.Revision == p.doc.Revision) && due(p.doc, s.Start) && (found == nil || p.doc.Revision > found.doc.Revision) {
			found = p
		}
	}
	return found
}

// due says whether an announcement is to sound at a start. Recurrences are taken
// at their word for the day and by the clock for its time.
func due(a broadcast.Announcement, start broadcast.Instant) bool {
	t := a.Timing
	since := start.Sub(t.Start)
	switch {
	case t.Recurrence != nil:
		return since >= 0 && start <= t.Until && since%(24*time.Hour) == 0
	case t.Repeat > 0:
		return since >= 0 && since <= t.WindowLength() && since%(time.Duration(t.Repeat)*time.Second) == 0
	}
	return since == 0
}

// withdrawn says whether the node was told long enough ago that the item is
// withdrawn.
func (j *Judge) withdrawn(p *paper, before broadcast.Instant) bool {
	return slices.ContainsFunc(j.withdrawals[p.doc.ID], func(w order[broadcast.Withdrawal]) bool {
		return w.given <= before && min(w.doc.Upto, w.doc.Revision) >= p.doc.Revision && j.place.Within(w.doc.Areas) &&
			w.doc.Class.Rank() >= p.doc.Class.Rank() && (!p.emergency() || w.level.Rank() <= p.level.Rank())
	})
}

// silenced says whether a silence that the node was told of long enough ago bars
// the item at some moment between two.
func (j *Judge) silenced(p *paper, before, from, to broadcast.Instant) bool {
	for _, s := range j.silences {
		if s.given <= before && s.doc.Revision.IssuedAt() <= to && from < s.doc.Until && j.place.Within(s.doc.Areas) && j.bars(s, p) {
			return true
		}
	}
	return false
}

// bars says whether a silence names the item: one of its own level or a lower
// one, and an emergency only if as many signed as for an emergency, and before it.
func (j *Judge) bars(s order[broadcast.Silence], p *paper) bool {
	if p.level.Rank() < s.level.Rank() || !slices.Contains(s.doc.Classes, p.doc.Class) {
		return false
	}
	need, _ := j.law.Threshold(broadcast.Emergency, "")
	return !p.emergency() || s.officers >= need && p.doc.Revision <= s.doc.Revision
}

// replaced says that the node was told long enough ago of a revision that takes
// the place of this one: any later one, but for an emergency only an emergency
// that may sound itself and comes from the same level or a higher one.
func (j *Judge) replaced(p *paper, before broadcast.Instant) bool {
	return slices.ContainsFunc(j.papers[p.doc.ID], func(o *paper) bool {
		return o.given <= before && o.doc.Revision > p.doc.Revision &&
			(!p.emergency() || o.emergency() && j.enough(o) && o.level.Rank() <= p.level.Rank())
	})
}

// delisted says that every area that the item is for has had a newer list for a
// while, and none names it.
func (j *Judge) delisted(p *paper, before broadcast.Instant) bool {
	concerned := false
	for _, area := range p.doc.Areas {
		m, there := j.manifests[area]
		switch {
		case !j.place.Knows(area):
			continue
		case !there, m.given > before, m.doc.Revision <= p.doc.Revision:
			return false
		}
		if e, listed := m.doc.Find(broadcast.KindAnnouncement, p.doc.ID); listed && e.Revision >= p.doc.Revision {
			return false
		}
		concerned = true
	}
	return concerned
}

// fresh is the issue of the oldest of the newest lists of the place; 0 for none.
func (j *Judge) fresh() broadcast.Instant {
	var oldest broadcast.Instant
	for _, p := range j.place.Chain {
		if m, ok := j.manifests[p.Area]; ok && (oldest == 0 || m.doc.Revision.IssuedAt() < oldest) {
			oldest = m.doc.Revision.IssuedAt()
		}
	}
	return oldest
}
