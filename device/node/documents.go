package node

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// Bounds of what waits for the authority that it needs.
const (
	maxWaiting      = 48
	maxWaitingBytes = 768 << 10
)

// waiting is a message that could not be judged yet.
type waiting struct {
	kind broadcast.Kind
	raw  []byte
}

// errNoStore means that the card did not take a document, so it is not believed.
var errNoStore = errors.New("the document could not be kept")

// errUnheard means that a document is signed by too few people to be heard, and
// that no manifest lists it: nobody in the office published it. Without this one
// officer's key could fill the card, the journal and the plan. Once a manifest
// lists it, it is fetched, held, and refused with a receipt.
var errUnheard = errors.New("too few people signed it, and no manifest lists it")

// message takes what came on a topic. Whatever it is, the worst it can do is
// to be counted.
func (n *Node) message(topic string, payload []byte) {
	if topic == wire.ControllerTopic {
		n.called(payload)
		return
	}
	t, err := wire.ParseTopic(topic)
	if err != nil || t.Channel.From != wire.FromController || len(t.Channel.Kinds) == 0 {
		n.noise++
		return
	}
	if len(payload) == 0 {
		return // the broker's housekeeping
	}
	if len(payload) > t.Channel.Limit {
		n.noise++
		n.complain("message too large for its topic", "topic", topic, "bytes", len(payload), "limit", t.Channel.Limit)
		return
	}
	kind, err := seal.Peek(payload)
	if err == nil && !slices.Contains(t.Channel.Kinds, kind) {
		err = fmt.Errorf("%w: %s does not belong on this topic", seal.ErrKind, kind)
	}
	if err != nil {
		n.noise++
		n.complain("message not understood", "topic", topic, "err", err)
		return
	}
	_ = n.accept(kind, payload) // nobody waits for an answer
}

// accept judges one sealed document, acts on it if it is believed, and keeps
// it for later if only its authority is missing. The error says why it is not
// believed now.
func (n *Node) accept(kind broadcast.Kind, raw []byte) error {
	digest := broadcast.Sum(raw)
	err := n.open(kind, raw, digest)
	switch {
	case err == nil:
		n.log.Debug("document accepted", "kind", kind, "digest", digest.Short())
		if !momentary(kind) {
			n.docDirty, n.planDirty = true, true
		}
	case errors.Is(err, seal.ErrHeld):
	case n.unjudged(err):
		n.wait(kind, raw)
	default:
		n.refuse(kind, raw, digest, err)
	}
	return err
}

// momentary kinds are answers to this boot: neither what the node holds nor what
// it plans follows from them, unless taking them says so.
func momentary(k broadcast.Kind) bool { return k == broadcast.KindTime || k == broadcast.KindAck }

// unjudged says that another document may still make this one acceptable.
func (n *Node) unjudged(err error) bool {
	return errors.Is(err, seal.ErrUnknownSigner) || errors.Is(err, errNoKeyring) || n.holdings.assignment == nil && errors.Is(err, seal.ErrElsewhere)
}

// wait keeps a document that cannot be judged, the newest ones at most.
func (n *Node) wait(kind broadcast.Kind, raw []byte) {
	if momentary(kind) {
		return // asked for again
	}
	if slices.ContainsFunc(n.waiting, func(w waiting) bool { return string(w.raw) == string(raw) }) {
		return
	}
	n.waiting = append(n.waiting, waiting{kind, raw})
	total := 0
	for _, w := range n.waiting {
		total += len(w.raw)
	}
	for len(n.waiting) > maxWaiting || total > maxWaitingBytes {
		total -= len(n.waiting[0].raw)
		n.waiting = slices.Delete(n.waiting, 0, 1)
		n.resync = true
	}
}

// again judges what waited, after the authority or the place has changed.
func (n *Node) again() {
	list := n.waiting
	n.waiting = nil
	for _, w := range list {
		_ = n.accept(w.kind, w.raw) // it waits again, or is refused
	}
}

// refuse notes a document that is not believed. Only what a manifest lists gets
// a receipt: anybody can make noise, and anybody with a key of his own can make
// it in the name of a document that is none of his.
func (n *Node) refuse(kind broadcast.Kind, raw []byte, digest broadcast.Digest, err error) {
	n.complain("document refused", "kind", kind, "digest", digest.Short(), "err", err)
	n.fetches.refused(digest)
	if errors.Is(err, seal.ErrEquivocation) {
		n.note(broadcast.FaultEquivocation, string(kind), err.Error())
	}
	if errors.Is(err, errTooMany) {
		n.raise(broadcast.FaultTooMany, string(kind), err.Error())
	}
	reason := refusalReason(err)
	if reason == "" || !sounds(kind) {
		n.noise++
		return
	}
	a, payload, ok := payloadOf[broadcast.Announcement](kind, raw)
	refused := document{name{kind == broadcast.KindDrill, a.ID, a.Revision}, payload}
	if !ok || !n.holdings.listed(digest) || !n.holdings.place().Within(a.Areas) || n.ledger.history.climbed[refused][broadcast.Refused] || len(n.ledger.history.climbed) > maxItems {
		n.noise++
		return
	}
	n.state(statement{document: refused, class: a.Class, rung: broadcast.Refused, reason: reason})
}

// refusalReason is what a receipt says of a document whose signatures are good
// and which is refused all the same; "" if there is nothing to say.
func refusalReason(err error) broadcast.Reason {
	switch {
	case errors.Is(err, seal.ErrRight), errors.Is(err, seal.ErrRevoked):
		return broadcast.WhyUnauthentic
	case errors.Is(err, seal.ErrEquivocation):
		return broadcast.WhyOtherBody
	case errors.Is(err, seal.ErrThreshold):
		return broadcast.WhyThreshold
	}
	return ""
}

// payloadOf reads a document, with the digest of what was signed, without
// believing it.
func payloadOf[T broadcast.Validator](kind broadcast.Kind, raw []byte) (T, broadcast.Digest, bool) {
	var none T
	env, err := seal.Parse(kind, raw)
	if err != nil {
		return none, "", false
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return none, "", false
	}
	doc, err := broadcast.Decode[T](payload)
	return doc, broadcast.Sum(payload), err == nil
}

// open judges a document of a kind and takes it over. Kinds that a node does
// not hold are errors.
func (n *Node) open(kind broadcast.Kind, raw []byte, digest broadcast.Digest) error {
	if n.keyring == nil && kind != broadcast.KindAuthority {
		return errNoKeyring
	}
	ctx := n.context(kind, digest)
	switch kind {
	case broadcast.KindAuthority:
		return n.takeAuthority(raw, ctx)
	case broadcast.KindAssignment:
		return n.takeAssignment(raw, ctx)
	case broadcast.KindAnnouncement, broadcast.KindDrill:
		return n.takeItem(kind, raw, ctx)
	case broadcast.KindManifest:
		return admit(n, kind, raw, ctx, n.takeManifest)
	case broadcast.KindPolicy:
		return admit(n, kind, raw, ctx, keeper(n.holdings.policies))
	case broadcast.KindSilence:
		return admit(n, kind, raw, ctx, keeper(n.holdings.silences))
	case broadcast.KindWithdrawal:
		return admit(n, kind, raw, ctx, n.takeWithdrawal)
	case broadcast.KindTemplate:
		return admit(n, kind, raw, ctx, n.takeTemplate)
	case broadcast.KindPlacement:
		return admit(n, kind, raw, ctx, keeper(n.holdings.placements))
	case broadcast.KindSlot:
		return admit(n, kind, raw, ctx, keeper(n.holdings.slots))
	case broadcast.KindRebase:
		return admit(n, kind, raw, ctx, n.takeRebase)
	case broadcast.KindTime:
		return opened(n, kind, raw, ctx, n.takeTime)
	case broadcast.KindAck:
		return opened(n, kind, raw, ctx, n.acknowledged)
	case broadcast.KindCommand:
		return opened(n, kind, raw, ctx, n.takeCommand)
	}
	return fmt.Errorf("%w: a node holds no %s", seal.ErrKind, kind)
}

// context is what this node knows that bears on a judgement.
func (n *Node) context(kind broadcast.Kind, digest broadcast.Digest) seal.Context {
	c := seal.Context{Places: n.places(), Here: n.holdings.here(), Now: n.clock.trusted(n.reading)}
	c.Listed = n.loading && !sounds(kind) || n.holdings.listed(digest)
	if n.loading {
		c.Held = max(1, n.loadedAt)
	}
	return c
}

// opened takes documents that live for a moment and are not kept.
func opened[T broadcast.Validator](n *Node, kind broadcast.Kind, raw []byte, ctx seal.Context, take func(T, seal.Proof) error) error {
	doc, proof, err := seal.Open[T](n.keyring, kind, raw, ctx)
	if err != nil {
		return err
	}
	return take(doc, proof)
}

// admit takes documents that are kept: believed, newer than what was held, on
// the card, and only then acted upon.
func admit[T broadcast.Validator](n *Node, kind broadcast.Kind, raw []byte, ctx seal.Context, take func(T, seal.Proof) error) error {
	return opened(n, kind, raw, ctx, func(doc T, proof seal.Proof) error {
		if n.loading {
			return take(doc, proof)
		}
		if _, there := n.holdings.withdrawals[proof.Digest]; there {
			return seal.ErrHeld
		}
		if err := n.spare(proof); err != nil {
			return err
		}
		if err := n.shelve(proof, raw); err != nil {
			return err
		}
		return take(doc, proof)
	})
}

// shelve admits a proved document to its floor and puts it on the card. When
// the card does not take it, it may come again; an emergency is believed all
// the same, because a full card must not silence it.
func (n *Node) shelve(proof seal.Proof, raw []byte, list ...statement) error {
	subject := seal.Subject{Kind: proof.Kind, ID: proof.Claim.ID}
	before := slices.Clone(n.floors[subject])
	err := n.floors.Admit(proof, n.clock.trusted(n.reading))
	if errors.Is(err, seal.ErrEquivocation) {
		err = n.betterSigned(proof, raw)
	}
	if err != nil {
		return err
	}
	document := kept{n.labelOf(proof), raw}
	if err = n.keep(document, list); err == nil {
		n.card(partDocuments, nil)
		return nil
	}
	n.card(partDocuments, err)
	if sounds(proof.Kind) && proof.Claim.Class == broadcast.Emergency || proof.Kind == broadcast.KindWithdrawal || proof.Kind == broadcast.KindSilence {
		n.log.Error("a document is held in memory only", "kind", proof.Kind, "id", proof.Claim.ID, "err", err)
		n.unshelved = append(n.unshelved, document)
		n.state(list...)
		return nil
	}
	n.floors[subject] = before
	return fmt.Errorf("%w: %w", errNoStore, err)
}

// keep puts a document on the card, in the journal or on the shelf.
func (n *Node) keep(k kept, list []statement) error {
	_, listed := n.holdings.manifests[k.ID]
	switch {
	case k.Kind == broadcast.KindManifest && listed:
		n.behind[k.place()] = k // a list that is lost with the power comes again
		return nil
	case !inJournal(k.Kind):
		return n.shelf.keep(k)
	}
	if err := n.ledger.shelve(n.moment(), k, list...); err != nil {
		return err
	}
	n.told(list)
	n.unshelved = append(n.unshelved, k)
	return nil
}

// betterSigned looks at a second envelope of one revision. The same body under
// other signatures is no equivocation: somebody on the way may have taken a
// signature off the first, and the whole one must still be believed. The one
// that more people signed is kept.
func (n *Node) betterSigned(proof seal.Proof, raw []byte) error {
	l := n.labelOf(proof)
	have, err := n.shelf.read(l.place())
	for _, u := range n.unshelved {
		if u.subject() == l.subject() && u.Revision == l.Revision {
			have, err = u, nil
		}
	}
	if unanswers(err) {
		return fmt.Errorf("%w: %w", errNoStore, err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", seal.ErrEquivocation, err)
	}
	old, errOld := seal.Parse(proof.Kind, have.raw)
	next, errNext := seal.Parse(proof.Kind, raw)
	if errOld != nil || errNext != nil || old.Payload != next.Payload {
		return fmt.Errorf("%s %s: %w", proof.Kind, proof.Claim.ID, seal.ErrEquivocation)
	}
	if len(next.Signatures) <= len(old.Signatures) {
		return seal.ErrHeld
	}
	n.floors.Forget(l.subject(), have.Digest)
	n.floors.Raise(l.subject(), l.floor())
	return nil
}

func (n *Node) labelOf(proof seal.Proof) label {
	f := proof.Floor()
	return label{Kind: proof.Kind, ID: proof.Claim.ID, Revision: f.Revision, Epoch: f.Epoch, Digest: f.Digest,
		Class: f.Standing.Class, Level: f.Standing.Level, Held: n.now()}
}

// keeper takes a document into a map by its id.
func keeper[T any](into map[broadcast.ID]held[T]) func(T, seal.Proof) error {
	return func(doc T, proof seal.Proof) error {
		into[proof.Claim.ID] = held[T]{doc, proof}
		return nil
	}
}

// takeWithdrawal keeps a withdrawal. Each one holds by itself, so that nobody
// can lift one by another under its name.
func (n *Node) takeWithdrawal(w broadcast.Withdrawal, proof seal.Proof) error {
	n.holdings.withdrawals[proof.Digest] = held[broadcast.Withdrawal]{w, proof}
	return nil
}

// inJournal says whether documents of a kind go to the card by the journal, in
// one writing with what they prove: what sounds or stops sound is in a hurry.
func inJournal(k broadcast.Kind) bool { return sounds(k) || k == broadcast.KindWithdrawal }

// takeItem takes an announcement or a drill, with the template behind it.
func (n *Node) takeItem(kind broadcast.Kind, raw []byte, ctx seal.Context) error {
	var approved []plan.Signer
	if a, _, ok := payloadOf[broadcast.Announcement](kind, raw); ok && a.Template != nil {
		if t, ok := n.holdings.templates[a.Template.ID]; ok && t.doc.Revision == a.Template.Revision {
			ctx.Template, approved = &t.doc, signers(t.proof)
		}
	}
	return opened(n, kind, raw, ctx, func(a broadcast.Announcement, proof seal.Proof) error {
		if !n.holdings.place().Within(a.Areas) {
			return seal.ErrElsewhere
		}
		i := &item{held: held[broadcast.Announcement]{a, proof}, drill: kind == broadcast.KindDrill, first: n.now()}
		if proof.Activated {
			i.approved = approved
		}
		if n.loading {
			i.first = n.loadedAt
			n.holdings.items[i.name()] = i
			return nil
		}
		if !ctx.Listed && !i.forPlan().Enough(n.law()) {
			return errUnheard
		}
		if err := n.room(i); err != nil {
			return err
		}
		if old, ok := n.holdings.items[i.name()]; ok {
			if old.proof.Payload == proof.Payload { // better signed
				i.first = old.first
			} else {
				n.note(broadcast.FaultEquivocation, string(kind), fmt.Sprintf("%s: a stronger document took the revision of a weaker one", a.ID))
			}
		}
		if n.complete(i) {
			i.complete = i.first
		}
		if err := n.shelve(proof, raw, n.witness(i)...); err != nil {
			return err
		}
		n.holdings.items[i.name()] = i
		n.ask(i)
		return nil
	})
}

// ask has what a new item needs fetched at once, even what did not come for
// another and waits to be tried again: who published it can be reached now.
func (n *Node) ask(i *item) {
	contents, orders := n.holdings.contents(i.doc.Versions, i.emergency())
	for _, c := range contents {
		orders = append(orders, c.SHA256)
	}
	for _, digest := range orders {
		if f := n.fetches.known[digest]; f != nil && !f.busy {
			f.tries, f.after = 0, 0
		}
	}
}

// witness is what the arrival of an item proves, as far as it was not stated.
func (n *Node) witness(i *item) []statement {
	s := statement{document: i.document(), class: i.doc.Class}
	received, verified, cached := s, s, s
	received.rung, verified.rung, cached.rung = broadcast.Received, broadcast.Verified, broadcast.Cached
	list := []statement{received, verified}
	if i.complete != 0 {
		list = append(list, cached)
	}
	stated := n.ledger.history.climbed[i.document()]
	return slices.DeleteFunc(list, func(s statement) bool { return stated[s.rung] })
}

// takeManifest notes what the area holds now.
func (n *Node) takeManifest(m broadcast.Manifest, proof seal.Proof) error {
	n.holdings.manifests[m.Area] = held[broadcast.Manifest]{m, proof}
	n.holdings.witness(m.Audit)
	if slices.ContainsFunc(m.Nonces, n.clock.asked) {
		n.clock.show(m.Revision.IssuedAt(), n.reading)
		n.holdings.answer(m)
	}
	return nil
}

// takeTemplate keeps a template, and looks again at what activates it.
func (n *Node) takeTemplate(t broadcast.Template, proof seal.Proof) error {
	n.holdings.templates[t.ID] = held[broadcast.Template]{t, proof}
	for _, i := range n.holdings.items {
		if r := i.doc.Template; r != nil && r.ID == t.ID && !n.loading {
			n.reload = true
		}
	}
	return nil
}

// signers are the people behind a proof, for a plan.
func signers(p seal.Proof) []plan.Signer {
	var out []plan.Signer
	for _, s := range p.Signers {
		out = append(out, plan.Signer{Person: s.Person, Level: s.Level, Custody: s.Custody})
	}
	return out
}

// sweep takes off the shelf what can sound no more and no manifest lists.
func (n *Node) sweep(now broadcast.Instant) {
	before := now.Add(-afterDeadline)
	for _, i := range slices.Collect(maps.Values(n.holdings.items)) {
		if i.deadline() < before && !n.holdings.listed(i.proof.Digest) && !n.stage.sounds(i.document()) {
			if i.standing == "" { // a firing stands in the journal alone
				n.discard(n.labelOf(i.proof))
			}
			delete(n.holdings.items, i.name())
		}
	}
	for digest, w := range n.holdings.withdrawals {
		// Nothing that it withdraws can sound any more: no announcement outlives its issue by more.
		if w.doc.Upto.IssuedAt().Add(broadcast.MaxUntil+broadcast.MaxLateLimit) < before && !n.holdings.listed(w.proof.Digest) {
			n.discard(n.labelOf(w.proof))
			delete(n.holdings.withdrawals, digest)
		}
	}
	for id, s := range n.holdings.silences {
		if s.doc.Until < before && !n.holdings.listed(s.proof.Digest) {
			n.discard(n.labelOf(s.proof))
			delete(n.holdings.silences, id)
		}
	}
}

func (n *Node) discard(l label) {
	if err := n.shelf.drop(l); err != nil {
		n.log.Warn("a document stays on the card", "kind", l.Kind, "id", l.ID, "err", err)
	}
}
