package node

import (
	"errors"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
)

// fireLead is what preparing a recording may take before the relay closes.
const fireLead = 500 * time.Millisecond

// turn is one turn of a key switch, or one PIN, in this boot that fired a template.
type turn struct {
	document
	template broadcast.ID
	start    broadcast.Instant
	at       time.Duration
	talk     broadcast.Switch // the key of the microphone; empty unless somebody speaks
}

// OnKey is told by the panel which key switch in the box was turned. If a
// template that two officers sealed names it, its words sound here at once: no
// line is needed, and no clock. Otherwise nothing changes but the log.
func (n *Node) OnKey(key string) {
	n.post(func() { n.turnedKey(broadcast.Switch(key)) })
}

// origin is what fired a template: a key switch, or a keypad and whose PIN.
type origin struct {
	key    broadcast.Switch
	person broadcast.ID
}

func (n *Node) turnedKey(key broadcast.Switch) {
	t, err := n.fireable(func(t held[broadcast.Template]) bool { return t.doc.Local.Allows(key, "") })
	if err != nil {
		n.log.Warn("a key switch was turned and fires nothing", "key", key, "err", err)
		return
	}
	if err := n.fire(origin{key: key}, t); err != nil {
		n.log.Error("a template was not fired", "key", key, "template", t.doc.ID, "err", err)
	}
}

// fire makes an item of a template. It is held by what the journal says of it,
// and planned like everything else: nothing is signed, because nobody else is
// ever asked to believe it.
func (n *Node) fire(by origin, t held[broadcast.Template]) error {
	now := n.now()
	f := broadcast.Firing{Template: broadcast.TemplateRef{ID: t.doc.ID, Revision: t.doc.Revision}, Payload: t.proof.Payload,
		Key: by.key, Person: by.person, Start: now.Add(n.cfg.Board.WarmUp + fireLead)}
	payload, err := f.Digest()
	if err != nil {
		return err
	}
	// Without a clock the floor may lie before the template: nothing is older than what it follows from.
	revision := max(broadcast.Revision(now), t.doc.Revision)
	i := firedItem(document{name{id: n.newID(), revision: revision}, payload}, f, t)
	i.first = now
	if err := n.room(i); err != nil {
		return err
	}
	if n.complete(i) {
		i.complete = now
	}
	n.log.Info("a template was fired at the box", "key", by.key, "person", by.person, "template", t.doc.ID, "title", t.doc.Title, "announcement", i.doc.ID)
	one := turn{document: i.document(), template: t.doc.ID, start: f.Start, at: n.mono()}
	if speaks(t) {
		one.talk = by.key
	}
	n.turns = append(n.turns, one)
	n.holdings.items[i.name()] = i
	list := n.witness(i)
	list[0].firing = &f // received, which was never stated of a new name
	n.state(list...)
	n.docDirty, n.planDirty = true, true
	return nil
}

// firedItem is what a firing makes of its template, for as many people as
// signed that.
func firedItem(d document, f broadcast.Firing, t held[broadcast.Template]) *item {
	a := f.Announcement(d.id, d.revision, t.doc)
	proof := seal.Proof{Kind: broadcast.KindAnnouncement, Digest: d.payload, Payload: d.payload, Signers: t.proof.Signers, Activated: true,
		Claim: seal.Claim{ID: a.ID, Revision: a.Revision, Class: a.Class, Classes: []broadcast.Class{a.Class}, Areas: a.Areas}}
	return &item{held: held[broadcast.Announcement]{a, proof}, approved: signers(t.proof), standing: t.proof.Digest}
}

// fireAgain makes items of what the journal says was fired, while they may
// still matter and their template is the one that was fired.
func (n *Node) fireAgain() {
	for d, f := range n.ledger.history.fired {
		t, ok := n.holdings.templates[f.Template.ID]
		if !ok || t.doc.Revision != f.Template.Revision || t.proof.Payload != f.Payload {
			continue
		}
		i := firedItem(d, f, t)
		if i.first = d.revision.IssuedAt(); i.deadline().Add(afterDeadline) >= n.now() {
			n.holdings.items[i.name()] = i
		}
	}
}

// firedNow says that a key switch fired it in this boot.
func (n *Node) firedNow(d document) bool {
	_, ok := n.turnOf(d)
	return ok
}

// errNoKey means that no template on board names the key switch or the PIN.
var errNoKey = errors.New("no template on board names it")

// fireable finds the template that is fired by what some templates name: of
// several the highest class, then the newest.
func (n *Node) fireable(named func(held[broadcast.Template]) bool) (held[broadcast.Template], error) {
	var best held[broadcast.Template]
	why := errNoKey
	for _, t := range n.holdings.templates {
		if !named(t) {
			continue
		}
		switch err := n.unfit(t); {
		case err != nil:
			if best.doc.ID == "" {
				why = err
			}
		case best.doc.ID == "" || outranks(t.doc, best.doc):
			best, why = t, nil
		}
	}
	return best, why
}

// outranks orders templates that one key switch or PIN may fire.
func outranks(a, b broadcast.Template) bool {
	if a.Class != b.Class {
		return a.Class.Rank() > b.Class.Rank()
	}
	return a.Revision > b.Revision || a.Revision == b.Revision && a.ID < b.ID
}

// unfit says why a template is not for firing here and now, nil if it is.
func (n *Node) unfit(t held[broadcast.Template]) error {
	for _, rule := range []struct {
		why    string
		broken func(held[broadcast.Template]) bool
	}{
		{"the template is for other areas", func(t held[broadcast.Template]) bool { return !n.holdings.place().Within(t.doc.Areas) }},
		{"no list of this place has the template any more", func(t held[broadcast.Template]) bool { return !n.holdings.listed(t.proof.Digest) }},
		{"the template was withdrawn", n.templateWithdrawn},
		{"the template has expired", func(t held[broadcast.Template]) bool { return n.surely() > t.doc.Expires }},
		{"nobody has turned the key of the microphone", n.mute},
		{"it is not an hour for speaking", n.unhourly},
		{"what it fired before is not over", n.underWay},
		{"it was fired too often within an hour", n.tooOften},
	} {
		if rule.broken(t) {
			return errors.New(rule.why)
		}
	}
	return nil
}

// surely is the latest moment that is known to have passed: a clock that only
// may be right does not take a warning from anybody.
func (n *Node) surely() broadcast.Instant { return max(n.clock.floor, n.clock.trusted(n.reading)) }

// templateWithdrawn asks of a withdrawal what withdrawing the words themselves asks.
func (n *Node) templateWithdrawn(t held[broadcast.Template]) bool {
	for _, w := range n.holdings.withdrawals {
		if w.doc.Announcement == t.doc.ID && min(w.doc.Upto, w.doc.Revision) >= t.doc.Revision && n.holdings.place().Within(w.doc.Areas) &&
			w.doc.Class.Rank() >= t.doc.Class.Rank() && w.proof.Level().Rank() <= t.proof.Level().Rank() {
			return true
		}
	}
	return false
}

// underWay says that the template was fired in this boot and still sounds or
// will: who turns a key twice in his haste is heard once.
func (n *Node) underWay(t held[broadcast.Template]) bool {
	return slices.ContainsFunc(n.turns, func(one turn) bool {
		i := n.holdings.item(one.document)
		return one.template == t.doc.ID && i != nil && i.deadline() >= n.now() &&
			(n.stage.sounds(one.document) || !n.ledger.history.settled(occurrence{one.document, one.start}))
	})
}

// tooOften counts by a clock that nobody sets.
func (n *Node) tooOften(t held[broadcast.Template]) bool {
	n.turns = slices.DeleteFunc(n.turns, func(one turn) bool { return n.mono()-one.at > remembered })
	count := int64(0)
	for _, one := range n.turns {
		if one.template == t.doc.ID && n.mono()-one.at < time.Hour {
			count++
		}
	}
	return count >= t.doc.Local.Hourly
}
