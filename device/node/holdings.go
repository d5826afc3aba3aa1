package node

import (
	"maps"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// held is one verified document.
type held[T any] struct {
	doc   T
	proof seal.Proof
}

func (h held[T]) entry() broadcast.Entry {
	return broadcast.Entry{Kind: h.proof.Kind, ID: h.proof.Claim.ID, Revision: h.proof.Claim.Revision, SHA256: h.proof.Digest}
}

// name is one revision of what may sound. Anybody who may sign can use it, so a
// node holds one body under it at a time and never takes one for another.
type name struct {
	drill    bool
	id       broadcast.ID
	revision broadcast.Revision
}

// document is one body under its name: what receipts speak of.
type document struct {
	name
	payload broadcast.Digest
}

func (n name) kind() broadcast.Kind {
	if n.drill {
		return broadcast.KindDrill
	}
	return broadcast.KindAnnouncement
}

// item is an announcement or drill with what this node knows about it.
type item struct {
	held[broadcast.Announcement]
	drill    bool
	approved []plan.Signer
	first    broadcast.Instant // when it was first verified here
	complete broadcast.Instant // when all its content was here; 0 while some is missing
	next     next              // when it is due, as last found out
	// standing is the template that a key switch fired; empty for what officers sent.
	standing broadcast.Digest
}

func (i *item) name() name { return name{i.drill, i.doc.ID, i.doc.Revision} }

func (i *item) document() document { return document{i.name(), i.proof.Payload} }

func (i *item) emergency() bool { return !i.drill && i.doc.Class == broadcast.Emergency }

func (i *item) deadline() broadcast.Instant { return i.doc.Timing.Deadline(i.doc.Class) }

// afterDeadline is how long a document stays after it can sound no more.
const afterDeadline = 36 * time.Hour

// holdings are the documents that the node believes.
type holdings struct {
	assignment  *held[broadcast.Assignment]
	manifests   map[broadcast.ID]held[broadcast.Manifest]
	authorities map[broadcast.ID]broadcast.Entry
	policies    map[broadcast.ID]held[broadcast.Policy]
	silences    map[broadcast.ID]held[broadcast.Silence]
	withdrawals map[broadcast.Digest]held[broadcast.Withdrawal]
	templates   map[broadcast.ID]held[broadcast.Template]
	placements  map[broadcast.ID]held[broadcast.Placement]
	slots       map[broadcast.ID]held[broadcast.Slot]
	items       map[name]*item
	orders      map[broadcast.Digest]broadcast.RunningOrder
	// answered are the documents that a manifest listed which carried an open
	// nonce of this boot when it came: they are surely new, for the whole boot.
	answered map[broadcast.Digest]bool
	// witnessed is the longest audit log of which a manifest told, since the boot or
	// on the card; nil before any. A manifest of a controller that lost a part of
	// its log does not take it away.
	witnessed *broadcast.AuditHead
}

func newHoldings() holdings {
	return holdings{
		manifests: map[broadcast.ID]held[broadcast.Manifest]{}, authorities: map[broadcast.ID]broadcast.Entry{},
		policies: map[broadcast.ID]held[broadcast.Policy]{}, silences: map[broadcast.ID]held[broadcast.Silence]{},
		withdrawals: map[broadcast.Digest]held[broadcast.Withdrawal]{}, templates: map[broadcast.ID]held[broadcast.Template]{},
		placements: map[broadcast.ID]held[broadcast.Placement]{}, slots: map[broadcast.ID]held[broadcast.Slot]{},
		items: map[name]*item{}, orders: map[broadcast.Digest]broadcast.RunningOrder{},
		answered: map[broadcast.Digest]bool{},
	}
}

// item returns the item with exactly this body, or nil.
func (h *holdings) item(d document) *item {
	if i := h.items[d.name]; i != nil && i.proof.Payload == d.payload {
		return i
	}
	return nil
}

// place returns the node's assignment, empty while it has none.
func (h *holdings) place() broadcast.Assignment {
	if h.assignment == nil {
		return broadcast.Assignment{}
	}
	return h.assignment.doc
}

// here is the area that the node stands in, "" while it has no place.
func (h *holdings) here() broadcast.ID {
	if chain := h.place().Chain; len(chain) > 0 {
		return chain[len(chain)-1].Area
	}
	return ""
}

// witness notes how long the audit log was when a manifest was sealed.
func (h *holdings) witness(head broadcast.AuditHead) {
	if head.Length > 0 && (h.witnessed == nil || head.Length > h.witnessed.Length) {
		h.witnessed = &head
	}
}

// chained are the manifests of the areas on the chain.
func (h *holdings) chained() []broadcast.Manifest {
	var out []broadcast.Manifest
	for _, p := range h.place().Chain {
		if m, ok := h.manifests[p.Area]; ok {
			out = append(out, m.doc)
		}
	}
	return out
}

// listed says whether a manifest of the chain lists exactly this document.
func (h *holdings) listed(digest broadcast.Digest) bool {
	return slices.ContainsFunc(h.chained(), func(m broadcast.Manifest) bool {
		return slices.ContainsFunc(m.Documents, func(e broadcast.Entry) bool { return e.SHA256 == digest })
	})
}

// listedAll are the documents that the manifests of the chain list.
func (h *holdings) listedAll() map[broadcast.Digest]bool {
	out := map[broadcast.Digest]bool{}
	for _, m := range h.chained() {
		for _, e := range m.Documents {
			out[e.SHA256] = true
		}
	}
	return out
}

// answer notes what a manifest lists that was surely made after this boot, and
// forgets what is neither listed nor held any more.
func (h *holdings) answer(m broadcast.Manifest) {
	live := map[broadcast.Digest]bool{}
	for _, i := range h.items {
		live[i.proof.Digest] = true
	}
	for _, other := range h.manifests {
		for _, e := range other.doc.Documents {
			live[e.SHA256] = true
		}
	}
	maps.DeleteFunc(h.answered, func(digest broadcast.Digest, _ bool) bool { return !live[digest] })
	for _, e := range m.Documents {
		h.answered[e.SHA256] = true
	}
}

// listings are what the manifests of the chain list, the newest revision of each.
func (h *holdings) listings() map[seal.Subject]broadcast.Entry {
	out := map[seal.Subject]broadcast.Entry{}
	for _, m := range h.chained() {
		for _, e := range m.Documents {
			subject := seal.Subject{Kind: e.Kind, ID: e.ID}
			if have, ok := out[subject]; !ok || e.Revision > have.Revision {
				out[subject] = e
			}
		}
	}
	return out
}

// delisted says that every area that the item was meant for has a manifest
// newer than the item, and none lists it.
// What a key switch fired is as good as its template.
func (h *holdings) delisted(i *item, listings map[seal.Subject]broadcast.Entry) bool {
	if i.standing != "" {
		return !h.listed(i.standing)
	}
	if e, ok := listings[seal.Subject{Kind: i.name().kind(), ID: i.doc.ID}]; ok && e.Revision >= i.doc.Revision {
		return false
	}
	concerned := false
	for _, area := range i.doc.Areas {
		if !h.place().Knows(area) {
			continue
		}
		m, ok := h.manifests[area]
		if !ok || m.doc.Revision <= i.doc.Revision {
			return false
		}
		concerned = true
	}
	return concerned
}

// holds says whether exactly this document is held.
func (h *holdings) holds(e broadcast.Entry) bool {
	switch e.Kind {
	case broadcast.KindAuthority:
		return h.authorities[e.ID] == e
	case broadcast.KindPolicy:
		return h.policies[e.ID].entry() == e
	case broadcast.KindSilence:
		return h.silences[e.ID].entry() == e
	case broadcast.KindWithdrawal:
		return h.withdrawals[e.SHA256].entry() == e
	case broadcast.KindTemplate:
		return h.templates[e.ID].entry() == e
	case broadcast.KindPlacement:
		return h.placements[e.ID].entry() == e
	case broadcast.KindSlot:
		return h.slots[e.ID].entry() == e
	}
	i := h.items[name{e.Kind == broadcast.KindDrill, e.ID, e.Revision}]
	return i != nil && i.entry() == e
}

// digest names what of the listed the node holds. It equals the digest of the
// listings themselves when nothing is missing.
func (h *holdings) digest() (broadcast.Digest, error) {
	var list []broadcast.Entry
	for _, e := range h.listings() {
		if h.holds(e) {
			list = append(list, e)
		}
	}
	return wire.Holding(list)
}

// missing are the listed documents that the node lacks, in a fixed order: first
// what stops or bars sound, then what sounds.
func (h *holdings) missing(outdated func(broadcast.Entry) bool) []broadcast.Entry {
	var out []broadcast.Entry
	for _, e := range h.listings() {
		if fetchable(e.Kind) && !h.holds(e) && !outdated(e) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, broadcast.Entry.Compare)
	slices.SortStableFunc(out, func(a, b broadcast.Entry) int { return urgency(a.Kind) - urgency(b.Kind) })
	return out
}

// urgency orders kinds as they are fetched.
func urgency(k broadcast.Kind) int {
	return slices.Index([]broadcast.Kind{broadcast.KindAuthority, broadcast.KindWithdrawal, broadcast.KindSilence, broadcast.KindPolicy,
		broadcast.KindTemplate, broadcast.KindAnnouncement, broadcast.KindPlacement, broadcast.KindSlot, broadcast.KindDrill}, k)
}

// fetchable kinds are those that a node holds because a manifest lists them.
func fetchable(k broadcast.Kind) bool { return urgency(k) >= 0 }

// fresh is the issue of the oldest manifest of the chain: from then on somebody
// may have withdrawn what this node still holds.
func (h *holdings) fresh() broadcast.Instant {
	var oldest broadcast.Instant
	for _, m := range h.chained() {
		if at := m.Revision.IssuedAt(); oldest == 0 || at < oldest {
			oldest = at
		}
	}
	return oldest
}

// contents are the recordings of these versions that this node would play, and
// the running orders without which nobody knows them. Of an emergency, or what
// may become one, it plays another language rather than none.
func (h *holdings) contents(spoken []broadcast.Version, emergency bool) (contents []broadcast.Content, orders []broadcast.Digest) {
	mine := slices.DeleteFunc(slices.Clone(spoken), func(v broadcast.Version) bool {
		return !slices.Contains(h.place().Languages, v.Language)
	})
	if len(mine) > 0 || !emergency {
		spoken = mine
	}
	for _, v := range spoken {
		switch {
		case v.Content != nil:
			contents = append(contents, *v.Content)
		case v.Programme != nil:
			order, ok := h.orders[v.Programme.SHA256]
			if !ok {
				orders = append(orders, v.Programme.SHA256)
				continue
			}
			for _, s := range order.Segments {
				switch {
				case s.Content != nil:
					contents = append(contents, *s.Content)
				case s.Offer != nil:
					contents = append(contents, s.Offer.Content)
				}
			}
		}
	}
	return contents, orders
}
