package handover

import (
	"context"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// assignments are the places of nodes, which the node's row names.
func (l *look) assignments(ctx context.Context) error {
	nodes, err := l.book.cfg.DB.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if n.Assignment == "" || n.Status != store.Confirmed {
			continue
		}
		d, err := l.book.cfg.DB.Document(ctx, n.Assignment)
		if err != nil {
			return err
		}
		if err := l.document(d, 0); err != nil {
			return err
		}
	}
	return nil
}

// rights are those of people whose longest certificate rests on the one who goes:
// it goes on if that key was never in other hands, and is void if it was.
func (l *look) rights(ctx context.Context) error {
	all, err := l.book.cfg.DB.Persons(ctx)
	if err != nil {
		return err
	}
	now := l.book.now()
	best := map[broadcast.ID]broadcast.Certificate{}
	for _, c := range l.ring.InForce() {
		if c.From <= now && now <= c.Until && c.Until > best[c.Person].Until {
			best[c.Person] = c
		}
	}
	for _, p := range all {
		c, signs := best[p.ID]
		if !signs || p.Left != 0 || p.ID == l.person {
			continue
		}
		kid, err := seal.KID(c)
		if err != nil {
			return err
		}
		if l.fall.Rests[kid] {
			l.items = append(l.items, Item{Kind: Rights, ID: p.ID, Title: p.Name, Areas: c.Areas, Until: c.Until, Officers: 1,
				Retired: Stays, Compromised: Falls})
		}
	}
	return nil
}

// boxes are numbers at keypads that this person has a PIN for. The PIN is in the
// template, so it opens until the template is signed without it.
func (l *look) boxes(t broadcast.Template) {
	for _, c := range t.Local.People() {
		if c.Person == l.person {
			then := l.templates[t.ID]
			end := map[bool]Fate{true: Stays, false: Falls}
			l.items = append(l.items, Item{Kind: BoxPIN, ID: t.ID, Title: fmt.Sprintf("%s (%s)", t.Title, c.Number), Class: t.Class, Areas: t.Areas,
				Until: t.Expires, Officers: 2, Retired: end[then.retired != nil], Compromised: end[then.compromised != nil]})
		}
	}
}

// maxWaiting bounds how many submitted announcements are looked at.
const maxWaiting = 2000

// waiting are signatures under what is not published yet: nobody will believe
// them from a key that has ended.
func (l *look) waiting(ctx context.Context) error {
	rows, err := l.book.cfg.DB.AnnouncementsBefore(ctx, "", store.Submitted, maxWaiting)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Envelope == "" {
			continue
		}
		read, _ := rowOf(broadcast.KindAnnouncement)
		if err := l.unpublished(r.ID, read, r.Envelope); err != nil {
			return err
		}
	}
	templates, err := l.book.cfg.DB.Templates(ctx, maxWaiting)
	if err != nil {
		return err
	}
	for _, t := range templates {
		read, _ := rowOf(broadcast.KindTemplate)
		if err := l.unpublished(t.ID, read, t.Envelope); err != nil {
			return err
		}
	}
	policies, err := l.book.cfg.DB.PolicyDrafts(ctx)
	if err != nil {
		return err
	}
	for _, p := range policies {
		read, _ := rowOf(broadcast.KindPolicy)
		if err := l.unpublished(p.Area, read, p.Envelope); err != nil {
			return err
		}
	}
	return nil
}

// unpublished adds an envelope that lacks signatures, if one of those that it has
// rests on the person.
func (l *look) unpublished(id broadcast.ID, row kindRow, envelope string) error {
	if envelope == "" {
		return nil
	}
	env, err := broadcast.Decode[broadcast.Envelope]([]byte(envelope))
	if err != nil {
		return fmt.Errorf("what waits of %s: %w", id, err)
	}
	what, err := row.read(env)
	if err != nil {
		return fmt.Errorf("what waits of %s: %w", id, err)
	}
	signed, err := env.Signers()
	if err != nil {
		return err
	}
	for _, kid := range signed {
		cert, _ := l.ring.Certificate(kid)
		if !l.fall.Rests[kid] {
			continue
		}
		i := Item{Kind: Waiting, ID: id, Title: what.title, Class: what.Class, Areas: what.Areas, Until: what.until, Signers: []broadcast.ID{cert.Person},
			Officers: max(row.officers, 1), Retired: Stays, Compromised: Falls}
		if cert.Person == l.person { // not listed anywhere, so nobody knows that it was signed in time
			i.Retired = Falls
		}
		l.items = append(l.items, i)
	}
	return nil
}

// phones are shared phones on which the person signs with a PIN of the own.
func (l *look) phones(ctx context.Context) error {
	all, err := l.book.cfg.DB.Phones(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		pins, err := l.book.cfg.DB.PINsOn(ctx, p.ID)
		if err != nil {
			return err
		}
		for _, pin := range pins {
			if pin.Person == l.person {
				l.items = append(l.items, Item{Kind: Phone, ID: p.ID, Title: p.Name, Areas: []broadcast.ID{p.Area}, Retired: Falls, Compromised: Falls})
			}
		}
	}
	return nil
}
