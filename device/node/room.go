package node

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
)

// What a node holds at most. Whoever may sign something could otherwise fill
// the card until an alarm finds no room.
const (
	maxItems       = 1200
	emergencyItems = 200 // of them, for emergencies alone
	maxWithdrawals = 1200
	maxOrders      = 200 // of silences, templates, placements and slots, each
)

// errTooMany means that a node holds no more documents of a kind.
var errTooMany = errors.New("more documents than a node may hold")

// forPlan is the item as far as its signers matter.
func (i *item) forPlan() plan.Item {
	return plan.Item{Announcement: i.doc, Payload: i.proof.Payload, Drill: i.drill, Signers: signers(i.proof), Approved: i.approved}
}

// room says whether one more item may be held, and gives up a weaker one for
// it if it must.
func (n *Node) room(i *item) error {
	if late := n.clock.trusted(n.reading); late != 0 && i.deadline().Add(afterDeadline) < late && !n.holdings.listed(i.proof.Digest) {
		return fmt.Errorf("%w: its deadline was %s", seal.ErrStale, i.deadline())
	}
	most := maxItems - emergencyItems
	if i.emergency() {
		most = maxItems
	}
	if len(n.holdings.items) < most {
		return nil
	}
	listed := n.holdings.listedAll()
	weakest := n.weakest(listed)
	if weakest == nil || i.weight(listed) <= weakest.weight(listed) {
		return fmt.Errorf("%w: %d", errTooMany, len(n.holdings.items))
	}
	n.giveUp(weakest.proof)
	delete(n.holdings.items, weakest.name())
	return nil
}

// roomy says whether one more document of a kind finds room without another
// one giving way.
func (n *Node) roomy(kind broadcast.Kind) bool {
	h := &n.holdings
	have, most := 0, maxOrders
	switch kind {
	case broadcast.KindAnnouncement, broadcast.KindDrill:
		have, most = len(h.items), maxItems-emergencyItems
	case broadcast.KindWithdrawal:
		have, most = len(h.withdrawals), maxWithdrawals
	case broadcast.KindSilence:
		have = len(h.silences)
	case broadcast.KindTemplate:
		have = len(h.templates)
	case broadcast.KindPlacement:
		have = len(h.placements)
	case broadcast.KindSlot:
		have = len(h.slots)
	case broadcast.KindCommand:
		have, most = len(n.obeyed), maxObeyed
	default:
		return false // a plan says so itself
	}
	return have < most
}

// trim gives up what is above the limit when the card was read.
func (n *Node) trim() {
	for len(n.holdings.items) > maxItems {
		weakest := n.weakest(n.holdings.listedAll())
		if weakest == nil {
			return
		}
		n.giveUp(weakest.proof)
		delete(n.holdings.items, weakest.name())
	}
}

// weight orders items by who must have room: emergencies, then what the office
// published, then the higher class.
func (i *item) weight(listed map[broadcast.Digest]bool) int {
	w := i.doc.Class.Rank()
	if listed[i.proof.Digest] {
		w += 10
	}
	if i.emergency() {
		w += 100
	}
	return w
}

// weakest is the item to give up first, of equal ones the last that came.
func (n *Node) weakest(listed map[broadcast.Digest]bool) *item {
	var found *item
	least := 0
	for _, i := range n.holdings.items {
		if n.stage.sounds(i.document()) {
			continue
		}
		if w := i.weight(listed); found == nil || w < least || w == least && i.first > found.first {
			found, least = i, w
		}
	}
	return found
}

// spare says whether one more document that does not sound may be held, and
// gives up a weaker one for it if it must.
func (n *Node) spare(p seal.Proof) error {
	switch p.Kind {
	case broadcast.KindWithdrawal:
		return spare(n, n.holdings.withdrawals, maxWithdrawals, p.Digest, p)
	case broadcast.KindSilence:
		return spare(n, n.holdings.silences, maxOrders, p.Claim.ID, p)
	case broadcast.KindTemplate:
		return spare(n, n.holdings.templates, maxOrders, p.Claim.ID, p)
	case broadcast.KindPlacement:
		return spare(n, n.holdings.placements, maxOrders, p.Claim.ID, p)
	case broadcast.KindSlot:
		return spare(n, n.holdings.slots, maxOrders, p.Claim.ID, p)
	}
	return nil
}

func spare[K comparable, T any](n *Node, of map[K]held[T], most int, name K, p seal.Proof) error {
	if _, there := of[name]; there || len(of) < most {
		return nil
	}
	listed := n.holdings.listedAll()
	standing := func(p seal.Proof) int {
		w := broadcast.Village.Rank() - p.Level().Rank()
		if listed[p.Digest] {
			w += 10
		}
		return w
	}
	var weakest K
	least := standing(p)
	for k, h := range of {
		if w := standing(h.proof); w < least {
			weakest, least = k, w
		}
	}
	if least == standing(p) {
		return fmt.Errorf("%w: %d of kind %s", errTooMany, len(of), p.Kind)
	}
	n.giveUp(of[weakest].proof)
	delete(of, weakest)
	return nil
}

// giveUp takes a document off the card as if it had never come, so that it may
// come again when a manifest lists it.
func (n *Node) giveUp(p seal.Proof) {
	l := n.labelOf(p)
	n.floors.Forget(l.subject(), l.Digest)
	n.unshelved = slices.DeleteFunc(n.unshelved, func(k kept) bool { return k.Digest == l.Digest })
	delete(n.ledger.loose, l.Digest)
	if err := n.shelf.forget(l); err != nil {
		n.log.Warn("a document stays on the card", "kind", l.Kind, "id", l.ID, "err", err)
	}
}

// How much of the log is for messages that are not believed.
const (
	complaints      = 30
	complaintsEvery = time.Minute
)

// ration counts the complaints of one period.
type ration struct {
	began time.Duration
	used  int
}

// complain notes a message that is not believed, unless there were too many:
// whoever owns the way to the node must not be able to fill its card.
func (n *Node) complain(text string, args ...any) {
	r := &n.ration
	if n.mono()-r.began >= complaintsEvery {
		if unsaid := r.used - complaints; unsaid > 0 {
			n.log.Warn("more messages were not believed", "count", unsaid)
		}
		*r = ration{began: n.mono()}
	}
	if r.used++; r.used <= complaints {
		n.log.Warn(text, args...)
	}
}
