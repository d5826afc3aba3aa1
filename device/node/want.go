package node

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/device/store"
)

// tier is the order in which things are fetched: what stands in an earlier one
// breaks off what is under way in a later one.
type tier int

const (
	tierDocument  tier = iota // what lists name: without it nothing else is known
	tierEmergency             // sounds now, or is about to
	tierSoon                  // due within soonLimit
	tierStanding              // of templates: nobody knows when they are needed
	tierTomorrow              // due by the end of tomorrow
	tierNight                 // due later: it waits for the night
)

// first says that it never waits behind a download.
func (t tier) first() bool { return t <= tierEmergency }

// horizon is how far ahead everything that sounds is on board, though nobody
// can be reached from then on. A policy that lets nodes act for longer without
// contact makes it longer.
const horizon = 14 * 24 * time.Hour

// wanted is one thing to fetch.
type wanted struct {
	digest broadcast.Digest
	bytes  int64 // 0 for a document or a running order
	order  bool  // a running order
	tier   tier
	// due is when it sounds, 0 if nobody knows; of is what it belongs to.
	due broadcast.Instant
	of  broadcast.ID
	// from is when the night begins for this node; 0 for at once.
	from broadcast.Instant
}

// wants lists what is missing, in the order in which it is fetched.
func (n *Node) wants(needs []need, now broadcast.Instant) []wanted {
	var out []wanted
	for _, e := range n.holdings.missing(n.outdated) {
		out = append(out, wanted{digest: e.SHA256, tier: tierDocument, of: e.ID})
	}
	night := n.night(now)
	var recordings []wanted
	for _, need := range needs {
		w := wanted{tier: need.tier, due: need.due, of: need.of}
		if w.tier == tierNight {
			w.from = night
		}
		for _, sum := range need.orders {
			recordings = append(recordings, wanted{digest: sum, order: true, tier: tierDocument, due: need.due, of: need.of})
		}
		for _, c := range need.contents {
			if sum, err := sumOf(c.SHA256); err == nil && n.recordings.lacks(sum) {
				w.digest, w.bytes = c.SHA256, c.Bytes
				recordings = append(recordings, w)
			}
		}
	}
	slices.SortStableFunc(recordings, func(a, b wanted) int { return cmp.Or(cmp.Compare(a.tier, b.tier), cmp.Compare(a.due, b.due)) })
	seen := map[broadcast.Digest]bool{}
	for _, w := range recordings {
		if !seen[w.digest] {
			seen[w.digest] = true
			out = append(out, w)
		}
	}
	return out
}

// need is one document with the recordings that it needs on board.
type need struct {
	of       broadcast.ID
	tier     tier
	due      broadcast.Instant
	contents []broadcast.Content
	orders   []broadcast.Digest
	// standing orders what is kept when room is short, the smallest longest.
	standing int
}

// needs lists everything that the coming days and the templates need.
func (n *Node) needs(now broadcast.Instant) []need {
	var out []need
	listings := n.holdings.listings()
	for _, i := range n.holdings.items {
		due, ok := n.due(i, now)
		if !ok || n.takenBack(i, listings) && !n.stage.sounds(i.document()) {
			continue
		}
		one := need{of: i.doc.ID, tier: n.tier(i, due, now), due: due, standing: keptByDate}
		if i.emergency() || n.stage.sounds(i.document()) {
			one.standing = keptFirst
		}
		one.contents, one.orders = n.holdings.contents(i.doc.Versions, i.emergency())
		out = append(out, one)
	}
	for _, t := range n.holdings.templates {
		ended := t.doc.Expires < now && n.clock.quality == broadcast.ClockProved
		if ended || !n.holdings.place().Within(t.doc.Areas) {
			continue
		}
		one := need{of: t.doc.ID, tier: tierStanding, standing: keptByDate - t.doc.Class.Rank()}
		one.contents, one.orders = n.holdings.contents(t.doc.Versions, t.doc.Class == broadcast.Emergency)
		out = append(out, one)
	}
	// Equal in all else, the name decides, so that a restart changes nothing.
	slices.SortFunc(out, func(a, b need) int {
		return cmp.Or(cmp.Compare(a.standing, b.standing), cmp.Compare(a.due, b.due), cmp.Compare(a.of, b.of))
	})
	return out
}

// takenBack says that an item will sound no more, though its time has not come:
// its recordings would only keep others from the line and the card. What binds
// an emergency is a withdrawal that the plan obeys, and no list.
func (n *Node) takenBack(i *item, listings map[seal.Subject]broadcast.Entry) bool {
	if !i.emergency() && n.holdings.delisted(i, listings) {
		return true
	}
	one, place := plan.Item{Announcement: i.doc, Drill: i.drill, Signers: signers(i.proof)}, n.holdings.place()
	for _, w := range n.holdings.withdrawals {
		if (plan.Withdrawal{Withdrawal: w.doc, Level: w.proof.Level()}).TakesBack(one, place) {
			return true
		}
	}
	return false
}

// The order in which recordings are kept when room is short: emergencies and
// what sounds, then templates by their class, then what sounds first.
const (
	keptFirst  = 0
	keptByDate = 4
)

// due is when an item sounds next, as far as that lies inside the horizon. One
// that sounds now counts as due until it is over.
func (n *Node) due(i *item, now broadcast.Instant) (broadcast.Instant, bool) {
	if n.stage.sounds(i.document()) {
		return now, true
	}
	if i.deadline() < now && n.clock.quality != broadcast.ClockProved {
		return i.doc.Timing.Start, true // it may be the clock that is wrong
	}
	if now < i.next.from || now > i.next.until {
		i.next = n.nextOf(i, now)
	}
	return i.next.due, i.next.due != 0
}

// next is when an item is due, as found out for a stretch of time.
type next struct {
	due, from, until broadcast.Instant
}

func (n *Node) nextOf(i *item, now broadcast.Instant) next {
	reach := max(horizon, n.law().OfflineLimit())
	due, ok := plan.Next(i.doc.Timing, i.doc.Class, now, now.Add(reach))
	if !ok {
		return next{from: now, until: now.Add(time.Hour)}
	}
	return next{due: due, from: now, until: due.Add(i.doc.Timing.Late(i.doc.Class))}
}

// tier says how much an item's recordings hurry. While nobody knows the time,
// nothing waits for a night.
func (n *Node) tier(i *item, due, now broadcast.Instant) tier {
	switch {
	case i.emergency():
		return tierEmergency
	case due < now.Add(soonLimit):
		return tierSoon
	case due < midnight(now).Add(2*day), n.clock.quality == broadcast.ClockUnset:
		return tierTomorrow
	}
	return tierNight
}

// outdated says whether a listed document would be refused: it is older than
// what is held, or was given away when it could sound no more.
func (n *Node) outdated(e broadcast.Entry) bool {
	return n.shelf.gave(label{Digest: e.SHA256}) || n.floors.Outdates(seal.Subject{Kind: e.Kind, ID: e.ID}, e.Revision)
}

// missingBytes is how much of the wanted recordings is not here.
func (n *Node) missingBytes() int64 {
	var total int64
	for _, w := range n.want {
		total += w.bytes
	}
	return total
}

// prefer tells the store what to keep when room is short, and says so when it is.
func (n *Node) prefer(needs []need) {
	var order []store.Sum
	sizes := map[store.Sum]int64{}
	for _, need := range needs {
		for _, c := range need.contents {
			if sum, err := sumOf(c.SHA256); err == nil {
				order = append(order, sum)
				sizes[sum] = c.Bytes
			}
		}
	}
	n.needed = order
	n.recordings.prefer(order)
	var total int64
	for _, bytes := range sizes {
		total += bytes
	}
	refused := slices.ContainsFunc(n.want, func(w wanted) bool {
		f := n.fetches.known[w.digest]
		return f != nil && f.noRoom
	})
	n.set(n.cfg.Quota > 0 && total > n.cfg.Quota || refused, broadcast.FaultContentsFull, partContents,
		fmt.Sprintf("%d bytes of recordings for the coming days, room for %d", total, n.cfg.Quota))
}

// recount looks again at what items have on board: what gave way to something
// more urgent is missing again.
func (n *Node) recount() {
	for _, i := range n.holdings.items {
		if i.complete != 0 && i.next.due != 0 && !n.complete(i) && !n.stage.sounds(i.document()) {
			i.complete = 0
			n.planDirty = true
		}
	}
}
