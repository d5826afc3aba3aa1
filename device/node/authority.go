package node

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
)

// errNoKeyring means that no root document is held that leads to the pin.
var errNoKeyring = errors.New("no authority is held yet")

// maxRevoked bounds the revocations that a node remembers for good.
const maxRevoked = 4 * broadcast.MaxRevocations

// topOnly is all the geography of a node without a place: the area that its
// provisioning file names.
type topOnly broadcast.ID

// Knows says whether the area is the top area.
func (t topOnly) Knows(area broadcast.ID) bool { return area == broadcast.ID(t) }

// Covers says whether both are the top area.
func (t topOnly) Covers(upper, area broadcast.ID) bool { return t.Knows(upper) && t.Knows(area) }

// places is the geography that this node knows.
func (n *Node) places() seal.Places {
	if n.holdings.assignment != nil {
		return n.holdings.assignment.doc
	}
	return topOnly(n.cfg.Top)
}

// takeAuthority learns certificates and revocations. The bundle may bring a
// newer root, which proves itself by the pinned one.
func (n *Node) takeAuthority(raw []byte, ctx seal.Context) error {
	claimed, _, ok := payloadOf[broadcast.Authority](broadcast.KindAuthority, raw)
	if !ok {
		return fmt.Errorf("authority: %w", seal.ErrForm)
	}
	judge := n.keyring
	newer, err := seal.NewKeyring(n.cfg.Pin, claimed.Roots, n.cfg.Demo)
	rotated := err == nil && (judge == nil || newer.Root().Version > judge.Root().Version)
	switch {
	case rotated:
		judge = newer
	case judge == nil:
		return fmt.Errorf("%w: %w", errNoKeyring, err)
	}
	doc, proof, err := seal.Open[broadcast.Authority](judge, broadcast.KindAuthority, raw, ctx)
	if err != nil {
		return err
	}
	if !n.loading {
		if err := n.shelve(proof, raw); err != nil {
			return err
		}
	}
	n.holdings.authorities[doc.Area] = held[broadcast.Authority]{proof: proof}.entry()
	if rotated {
		n.keyring = newer
	}
	if err := n.keyring.Learn(doc.Certificates, nil, n.places()); err != nil {
		n.log.Warn("certificates left out", "area", doc.Area, "err", err)
	}
	revoked := n.remember(slices.DeleteFunc(doc.Revocations, func(r broadcast.Revocation) bool {
		return !n.keyring.MayRevoke(proof, r.KID, n.places())
	}))
	if err := n.keyring.Learn(nil, n.revoked, n.places()); err != nil {
		return err
	}
	if n.loading {
		return nil
	}
	// A new root or revocation may void what is held; new certificates only
	// let in what waited.
	n.reload = n.reload || rotated || revoked
	n.learned = true
	return nil
}

// remember keeps revocations for good: no later bundle can take one back.
func (n *Node) remember(list []broadcast.Revocation) (grew bool) {
	for _, r := range list {
		if len(n.revoked) < maxRevoked && !slices.Contains(n.revoked, r) {
			n.revoked = append(n.revoked, r)
			grew = true
		}
	}
	if grew && !n.loading {
		if err := n.shelf.put(shelfRevoked, n.revoked); err != nil {
			n.card(partDocuments, err)
		}
	}
	return grew
}

// errPlace means that an assignment is not for this node or leads out of the
// area that the node may not leave.
var errPlace = errors.New("not a place for this node")

// takeAssignment takes the node's place. Whoever signs it needs the right to the
// new place and to the present one; only the root moves the node out of the top
// area of its provisioning file.
func (n *Node) takeAssignment(raw []byte, ctx seal.Context) error {
	claimed, _, ok := payloadOf[broadcast.Assignment](broadcast.KindAssignment, raw)
	if !ok {
		return fmt.Errorf("assignment: %w", seal.ErrForm)
	}
	if claimed.Node != n.cfg.Node || claimed.Key != n.public {
		return fmt.Errorf("%w: it names node %s with another key or name", errPlace, claimed.Node)
	}
	ctx.Places, ctx.Here = claimed, ""
	if n.holdings.assignment != nil {
		ctx.Old = &n.holdings.assignment.doc
	}
	return opened(n, broadcast.KindAssignment, raw, ctx, func(a broadcast.Assignment, proof seal.Proof) error {
		if !a.Knows(n.cfg.Top) && len(proof.Signers) > 0 {
			return fmt.Errorf("%w: only the root moves it out of %s", errPlace, n.cfg.Top)
		}
		if err := n.unmoved(ctx.Old, a, proof); err != nil {
			return err
		}
		if !n.loading {
			if err := n.shelve(proof, raw); err != nil {
				return err
			}
		}
		n.holdings.assignment = &held[broadcast.Assignment]{a, proof}
		n.placed = true
		n.clear(broadcast.FaultPlace, "")
		n.reload = n.reload || !n.loading
		n.learned = true
		return nil
	})
}

// unmoved refuses a place whose signer changed what lies above his own areas:
// he could otherwise leave out the district, whose law and whose alarms would
// then no longer reach the node.
func (n *Node) unmoved(old *broadcast.Assignment, a broadcast.Assignment, proof seal.Proof) error {
	if old == nil {
		return nil
	}
	for _, s := range proof.Signers {
		cert, _ := n.keyring.Certificate(s.KID)
		if !a.Keeps(*old, cert.Areas) {
			return fmt.Errorf("%w: %s may change only what lies below %v", errPlace, s.Person, cert.Areas)
		}
	}
	return nil
}

// takeRebase lowers the floor of time on the root's word.
func (n *Node) takeRebase(r broadcast.Rebase, _ seal.Proof) error {
	if r.Node != n.cfg.Node {
		return errPlace
	}
	if n.loading {
		return nil // its floor was kept when it came
	}
	n.clock.rebase(r.Floor, n.reading)
	n.floorDirty = true
	return nil
}

// takeTime takes the answer to one of this boot's questions.
func (n *Node) takeTime(t broadcast.TimeAnswer, _ seal.Proof) error {
	if t.Node != n.cfg.Node || t.Boot != n.boot {
		return errAnswer
	}
	before := n.clock.quality
	if err := n.clock.answer(t.Nonce, t.At, n.reading); err != nil {
		return err
	}
	n.floorDirty = true
	if before != n.clock.quality {
		n.docDirty, n.planDirty = true, true
		n.log.Info("the time is proved", "now", n.clock.trusted(n.reading), "doubt", n.clock.doubt, "quality", n.clock.quality)
	}
	return nil
}

// maxObeyed bounds the commands that are remembered until they expire.
const maxObeyed = 64

// takeCommand obeys what this issue of the program can do, each command once. It
// is for this boot alone, so nothing of it is kept on the card.
func (n *Node) takeCommand(c broadcast.Command, proof seal.Proof) error {
	now := n.clock.trusted(n.reading)
	if c.Node != n.cfg.Node || c.Boot != n.boot || now == 0 || now > c.Expires || c.Revision.IssuedAt() > now.Add(broadcast.MaxAhead) {
		return errPlace
	}
	maps.DeleteFunc(n.obeyed, func(_ broadcast.Digest, expires broadcast.Instant) bool { return expires < now })
	if _, again := n.obeyed[proof.Digest]; again {
		return seal.ErrHeld
	}
	if len(n.obeyed) >= maxObeyed {
		return fmt.Errorf("%w: %d commands", errTooMany, len(n.obeyed))
	}
	n.obeyed[proof.Digest] = c.Expires
	switch c.Verb {
	case broadcast.VerbResync:
		n.resync = true
	default:
		n.log.Warn("command not known to this version", "verb", c.Verb, "id", c.ID)
	}
	return nil
}

// load makes keyring, floors and holdings from the card: at boot, and whenever
// a new place, root or revocation may change what can be believed.
func (n *Node) load() error {
	documents, spoiled, err := n.shelf.all()
	if err != nil {
		return fmt.Errorf("read the documents on the card: %w", err)
	}
	documents = n.together(documents)
	before := n.holdings
	n.holdings = newHoldings()
	if n.holdings.orders, err = n.shelf.orders(); err != nil {
		return err
	}
	n.amiss(spoiled)
	n.shelf.raise(n.floors, documents)
	n.loading = true
	defer func() { n.loading = false }()
	n.rekey(documents, before.assignment)
	for _, kind := range loadOrder() {
		for _, k := range documents {
			if k.Kind == kind {
				n.restore(k, before)
			}
		}
	}
	n.fireAgain()
	n.carry(before)
	n.trim()
	n.docDirty, n.planDirty, n.unswept = true, true, true
	return nil
}

// amiss declares what is not right with the documents of the card, and asks for
// them again.
func (n *Node) amiss(spoiled int) {
	silent := n.shelf.silent
	if silent != nil && n.gaveUp() {
		spoiled++
		n.shelf.silent = nil
	}
	if spoiled > 0 {
		n.note(broadcast.FaultStoreCorrupt, partDocuments, fmt.Sprintf("%d documents cannot be read", spoiled))
	}
	if n.shelf.silent != nil {
		n.card(partDocuments, silent)
	}
	n.resync = n.resync || spoiled > 0 || silent != nil
}

// together adds what is on its way to the shelf, and leaves out what the shelf
// has already, has newer, or gave away.
func (n *Node) together(documents []kept) []kept {
	at := map[string]int{}
	for i, d := range documents {
		at[d.place()] = i
	}
	for _, list := range [][]kept{n.unshelved, slices.Collect(maps.Values(n.behind))} {
		for _, k := range list {
			i, there := at[k.place()]
			switch {
			case n.shelf.gave(k.label), there && documents[i].newer(k.label):
			case there:
				documents[i] = k
			default:
				at[k.place()] = len(documents)
				documents = append(documents, k)
			}
		}
	}
	return documents
}

// newer says that a document came after another of its place.
func (l label) newer(o label) bool {
	return l.Epoch > o.Epoch || l.Epoch == o.Epoch && l.Revision > o.Revision
}

// loadOrder is the order in which documents are judged again: what others are
// judged by comes first.
func loadOrder() []broadcast.Kind {
	return []broadcast.Kind{broadcast.KindManifest, broadcast.KindPolicy, broadcast.KindSilence, broadcast.KindWithdrawal,
		broadcast.KindTemplate, broadcast.KindPlacement, broadcast.KindSlot, broadcast.KindAnnouncement, broadcast.KindDrill}
}

// rekey makes the keyring anew: root, certificates, place, and certificates
// again, because the place decides which of them may be judged.
func (n *Node) rekey(documents []kept, place *held[broadcast.Assignment]) {
	n.holdings.assignment = nil
	for round := range 2 {
		n.keyring = nil
		if ring, err := seal.NewKeyring(n.cfg.Pin, n.cfg.Roots, n.cfg.Demo); err == nil {
			n.keyring = ring
		} else {
			n.log.Warn("the roots given at enrolment are not believed", "err", err)
		}
		n.restoreAll(documents, broadcast.KindAuthority)
		n.restoreAll(documents, broadcast.KindAuthority) // one may revoke what a later one certifies
		if round == 0 {
			n.restoreAll(documents, broadcast.KindAssignment)
		}
	}
	if n.holdings.assignment == nil && place != nil && n.keyring != nil {
		n.log.Warn("the node's place is no longer believed")
	}
}

func (n *Node) restoreAll(documents []kept, kind broadcast.Kind) {
	for _, k := range documents {
		if k.Kind == kind {
			n.restore(k, holdings{})
		}
	}
}

// restore judges one document of the card again.
func (n *Node) restore(k kept, before holdings) {
	n.loadedAt = k.Held
	err := n.open(k.Kind, k.raw, k.Digest)
	if errors.Is(err, seal.ErrRevoked) && k.Kind == broadcast.KindAssignment {
		err = n.stay(k)
	}
	if err != nil {
		n.log.Warn("a document on the card is not believed", "kind", k.Kind, "id", k.ID, "err", err)
		if !sounds(k.Kind) || n.keyring == nil || n.holdings.assignment == nil {
			return
		}
		old := before.items[name{k.Kind == broadcast.KindDrill, k.ID, k.Revision}]
		if reason := refusalReason(err); reason != "" && old != nil {
			n.voided = append(n.voided, voided{old.document(), old.doc.Class, reason})
		}
	}
}

// stay keeps a place whose signer's certificate was revoked since it was taken.
// It gives nobody a right; without it the node could not even sound the alarm,
// and whoever stole a key could silence all nodes by having it revoked.
func (n *Node) stay(k kept) error {
	a, _, ok := payloadOf[broadcast.Assignment](broadcast.KindAssignment, k.raw)
	if !ok {
		return seal.ErrForm
	}
	proof := seal.Proof{Kind: k.Kind, Digest: k.Digest, Claim: seal.Claim{ID: k.ID, Revision: k.Revision}}
	n.holdings.assignment = &held[broadcast.Assignment]{a, proof}
	n.raise(broadcast.FaultPlace, "", "the officer who signed this node's place was revoked")
	return nil
}

// voided is an item that was believed and is so no more.
type voided struct {
	document
	class  broadcast.Class
	reason broadcast.Reason
}

// carry takes over what is known of items beyond their documents.
func (n *Node) carry(before holdings) {
	for _, i := range n.holdings.items {
		old := before.item(i.document())
		switch {
		case old != nil:
			i.first, i.complete = old.first, old.complete
		case n.complete(i):
			i.complete = max(i.first, 1)
		}
	}
}
