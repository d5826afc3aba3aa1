package people

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// issuer is who answers for new certificates: the root, or a delegate inside
// the dates and areas of his own certificate.
type issuer struct {
	// person is empty for the root.
	person broadcast.ID
	// area is the one whose authority document the issuer may seal.
	area broadcast.ID
	// from and until bound what is issued; 0 is no bound.
	from, until broadcast.Instant
	signers     []seal.Signer
	// chain is the delegate's certificate and those above it.
	chain []broadcast.Envelope
}

// enlisted is somebody new with the key that was made for them, if any.
type enlisted struct {
	person Person
	certs  []broadcast.Envelope
	signer seal.Signer
}

// enlist stores a new person with a wrapped key and has the issuer certify it.
// The certificate counts once an authority document carries it.
func (o *Office) enlist(ctx context.Context, tx store.Tx, n NewPerson, by issuer) (enlisted, error) {
	now := o.instant()
	places := o.placesAt(now)
	if err := n.check(places); err != nil {
		return enlisted{}, err
	}
	row, err := n.row(places)
	if err != nil {
		return enlisted{}, err
	}
	out := enlisted{person: personOf(row)}
	if err := tx.AddPerson(ctx, row); err != nil {
		return out, fmt.Errorf("%w; take another id", err)
	}
	if len(n.Role.Acts()) > 0 {
		if err := o.equip(ctx, tx, n, by, &out); err != nil {
			return out, fmt.Errorf("person %s: %w", n.ID, err)
		}
	}
	return out, tx.Audit(ctx, store.Deed{At: now, Person: by.person, Act: "person.add", Subject: string(n.ID), Detail: struct {
		Role  Role           `json:"role"`
		Areas []broadcast.ID `json:"areas"`
	}{n.Role, n.Areas}})
}

// equip makes a person's key and certificate.
func (o *Office) equip(ctx context.Context, tx store.Tx, n NewPerson, by issuer, out *enlisted) error {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	out.signer.Key = key
	wrapped, err := o.wrapFor(n, key)
	if err != nil {
		return err
	}
	id, err := broadcast.KeyOf(public).ID()
	if err != nil {
		return err
	}
	now := o.instant()
	created := now
	if old, err := o.db.KeyOf(ctx, n.ID); err == nil { // the newest key is the one that counts, whatever the clock does
		created = max(now, old.Created+1)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := tx.AddKey(ctx, store.Key{ID: id, Person: n.ID, Public: broadcast.KeyOf(public), Wrapped: wrapped, Created: created}); err != nil {
		return err
	}
	cert := certificate(out.person, broadcast.KeyOf(public), max(now.Add(-backdate), by.from), by.until)
	if out.signer.KID, err = seal.KID(cert); err != nil {
		return err
	}
	env, err := seal.Seal(broadcast.KindCertificate, cert, by.signers...)
	out.certs = append(out.certs, env)
	return err
}

// wrapFor wraps a new key under what its owner has.
func (o *Office) wrapFor(n NewPerson, key ed25519.PrivateKey) (string, error) {
	if n.Passphrase == "" && n.Code != "" {
		return wrap(key, plainCode(n.Code), nil, string(n.ID))
	}
	return wrap(key, phrase(n.Passphrase), &o.cost, string(n.ID))
}

// AddPerson takes somebody in. by is an administrator over all of the new
// person's areas, whose key signs the certificate and the new revision of the
// authority document; the new rights end when the administrator's do.
func (o *Office) AddPerson(ctx context.Context, by Credential, n NewPerson) (Person, error) {
	if err := n.check(o.placesAt(o.instant())); err != nil {
		return Person{}, fmt.Errorf("%w: %w", ErrPerson, err)
	}
	var added Person
	err := o.delegated(ctx, by, n.Areas, func(iss issuer) error {
		return o.db.Update(ctx, func(tx store.Tx) error {
			e, err := o.enlist(ctx, tx, n, iss)
			if err != nil {
				return err
			}
			defer clear(e.signer.Key)
			added = e.person
			if n.Code != "" {
				code := Code{Text: n.Code, Expires: o.instant().Add(CodeLife), NewKey: len(e.certs) > 0 && n.Passphrase == ""}
				if err := o.keepCode(ctx, tx, iss.person, n.ID, code); err != nil {
					return err
				}
			}
			_, err = o.revise(ctx, tx, iss.area, func(a *broadcast.Authority) { merge(a, append(iss.chain, e.certs...)...) }, iss.signers)
			return err
		})
	})
	return added, err
}

// delegated gives f the credential's person as an issuer over areas, or says
// why that person may not manage people there.
func (o *Office) delegated(ctx context.Context, by Credential, areas []broadcast.ID, f func(issuer) error) error {
	p, key, err := o.unlock(ctx, by)
	if err != nil {
		return err
	}
	defer clear(key)
	if err := o.Authorise(p, PersonManage, areas...); err != nil {
		return err
	}
	a, err := o.authority(ctx)
	if err != nil {
		return err
	}
	cert, err := a.current(publicOf(key), o.instant())
	if err != nil {
		return fmt.Errorf("%s: %w", p.ID, err)
	}
	iss := issuer{person: p.ID, from: cert.From, until: cert.Until, signers: []seal.Signer{{KID: cert.kid, Key: key}}}
	if iss.chain, err = a.chain(cert.kid); err != nil {
		return err
	}
	places := o.placesAt(o.instant())
	// The widest area that holds everybody concerned, so that one document is
	// revised for all of them.
	for _, up := range append([]broadcast.ID{o.top}, p.Areas...) {
		if p.covers(up, places) && !slices.ContainsFunc(areas, func(a broadcast.ID) bool { return !places.Covers(up, a) }) {
			iss.area = up
			return f(iss)
		}
	}
	return fmt.Errorf("%w: %s lie under several areas of %s; do it once for each", ErrForbidden, joined(areas), p.ID)
}
