package node

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
)

// What a node was given in a place that it has left: it is read at every start,
// never believed, and would stay on the card for good.

// elsewhere says that a document of the card, which was believed once, names
// areas and none of where the node stands now. Authorities stay, because a root
// may have come with one, and withdrawals until nothing can sound that they take
// back: the node may return.
func (n *Node) elsewhere(k kept) bool {
	switch k.Kind {
	case broadcast.KindAuthority, broadcast.KindAssignment, broadcast.KindRebase:
		return false
	}
	env, err := seal.Parse(k.Kind, k.raw)
	if err != nil {
		return false
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return false
	}
	var where struct {
		Area  broadcast.ID       `json:"area"`
		Areas []broadcast.ID     `json:"areas"`
		Upto  broadcast.Revision `json:"upto"`
	}
	if err := json.Unmarshal(payload, &where); err != nil {
		return false
	}
	if k.Kind == broadcast.KindWithdrawal && where.Upto.IssuedAt().Add(broadcast.MaxUntil+broadcast.MaxLateLimit+afterDeadline) >= n.now() {
		return false
	}
	if where.Area != "" {
		where.Areas = append(where.Areas, where.Area)
	}
	return len(where.Areas) > 0 && !n.holdings.place().Within(where.Areas)
}

// sweepFormer takes off the card what belongs to former places, once the place
// is one that a verified document names and nobody doubts.
func (n *Node) sweepFormer() {
	if !n.unswept || n.holdings.assignment == nil || len(n.chart.Parts(broadcast.FaultPlace)) > 0 {
		return
	}
	documents, _, err := n.shelf.all()
	if err != nil {
		n.card(partDocuments, err)
		return
	}
	n.unswept = len(n.unshelved) > 0 // they are not on the shelf yet
	for _, k := range documents {
		if !n.elsewhere(k) || slices.ContainsFunc(n.unshelved, func(u kept) bool { return u.Digest == k.Digest }) {
			continue
		}
		floor, err := n.shelf.release(k.label)
		if err != nil {
			n.unswept = true
			n.log.Warn("a document of a former place stays on the card", "kind", k.Kind, "id", k.ID, "err", err)
			continue
		}
		delete(n.behind, k.place())
		n.floors.Forget(k.subject(), k.Digest)
		if k.Kind != broadcast.KindWithdrawal {
			n.floors.Raise(k.subject(), floor.floor())
		}
		n.log.Info("a document of a former place is off the card", "kind", k.Kind, "id", k.ID)
	}
}

// sweepOrders takes running orders off the card that nothing held names.
func (n *Node) sweepOrders() {
	named := map[broadcast.Digest]bool{}
	name := func(spoken []broadcast.Version) {
		for _, v := range spoken {
			if v.Programme != nil {
				named[v.Programme.SHA256] = true
			}
		}
	}
	for _, i := range n.holdings.items {
		name(i.doc.Versions)
	}
	for _, t := range n.holdings.templates {
		name(t.doc.Versions)
	}
	var errs []error
	for sum := range n.holdings.orders {
		if !named[sum] {
			errs = append(errs, n.shelf.registers.Delete(shelfOrders+string(sum)))
			delete(n.holdings.orders, sum)
		}
	}
	if err := errors.Join(errs...); err != nil {
		n.log.Warn("running orders stay on the card", "err", err)
	}
}
