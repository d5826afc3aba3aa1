package people

import (
	"context"
	"errors"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// ErrOneself means that somebody would end the own rights, and might leave the
// house without anybody who can give new ones.
var ErrOneself = errors.New("nobody dismisses himself, or gives himself a code; ask another administrator, or the holder of the root key")

// Dismiss ends somebody's rights: the person's certificates are revoked in a new
// revision of the authority document, tokens end, and the row stays for the
// record. Retired lets earlier signatures stand; Compromised voids everything
// signed since the moment since. Authority documents that would fall with the
// person's key are sealed anew, in the same transaction.
func (o *Office) Dismiss(ctx context.Context, by Credential, id broadcast.ID, mode broadcast.RevocationMode, since broadcast.Instant) error {
	p, err := o.present(ctx, id)
	if err != nil {
		return err
	}
	now := o.instant()
	if mode == broadcast.Retired || since == 0 {
		since = now
	}
	held, err := o.authority(ctx)
	if err != nil {
		return err
	}
	revoked, certs, err := held.ending(id, mode, since)
	if err != nil {
		return err
	}
	return o.delegated(ctx, by, p.Areas, func(iss issuer) error {
		if iss.person == id {
			return ErrOneself
		}
		fallen, err := o.fallen(ctx, held, revoked)
		if err != nil {
			return err
		}
		fallen = slices.DeleteFunc(fallen, func(area broadcast.ID) bool { return area == iss.area })
		return o.db.Update(ctx, func(tx store.Tx) error {
			end := func(a *broadcast.Authority) {
				merge(a, slices.Concat(iss.chain, certs)...)
				a.Revocations = append(a.Revocations, revoked...)
			}
			if _, err := o.revise(ctx, tx, iss.area, end, iss.signers, fallen...); err != nil {
				return err
			}
			if err := tx.EndPerson(ctx, id, now); err != nil {
				return err
			}
			if err := errors.Join(tx.RevokeTokens(ctx, id, now), tx.EndSessions(ctx, id, "", now), tx.DropPasskeys(ctx, id), tx.DropPINs(ctx, id)); err != nil {
				return err
			}
			return tx.Audit(ctx, store.Deed{At: now, Person: iss.person, Act: "person.dismiss", Subject: string(id), Detail: mode})
		})
	})
}

// ending are the revocations that end somebody's certificates, and these with
// those above them, by which nodes know what is revoked.
func (a *authority) ending(id broadcast.ID, mode broadcast.RevocationMode, at broadcast.Instant) ([]broadcast.Revocation, []broadcast.Envelope, error) {
	var revoked []broadcast.Revocation
	var certs []broadcast.Envelope
	for _, c := range a.certs {
		if c.Person != id || a.revoked[c.kid] {
			continue
		}
		above, err := a.chain(c.kid)
		if err != nil {
			return nil, nil, err
		}
		revoked = append(revoked, broadcast.Revocation{KID: c.kid, Mode: mode, At: at})
		certs = append(certs, above...)
	}
	return revoked, certs, nil
}

// without is what would be believed with more revocations.
func (o *Office) without(a *authority, revoked []broadcast.Revocation) (*seal.Keyring, error) {
	ring, err := seal.NewKeyring(o.pin, a.roots, true)
	if err != nil {
		return nil, err
	}
	certs, have := a.ring.Certificates()
	return ring, ring.Learn(certs, append(have, revoked...), o.placesAt(o.instant()))
}

// fallen are the areas whose authority document nobody would believe any more.
func (o *Office) fallen(ctx context.Context, a *authority, revoked []broadcast.Revocation) ([]broadcast.ID, error) {
	ring, err := o.without(a, revoked)
	if err != nil {
		return nil, err
	}
	listed, err := o.db.ListingsOf(ctx, broadcast.KindAuthority, o.instant())
	if err != nil {
		return nil, err
	}
	var out []broadcast.ID
	for _, l := range listed {
		d, err := o.db.Document(ctx, l.SHA256)
		if err != nil {
			return nil, err
		}
		places := seal.Context{Places: o.placesAt(o.instant()), Listed: true}
		if _, _, err := seal.Open[broadcast.Authority](ring, broadcast.KindAuthority, d.Raw, places); err != nil {
			out = append(out, l.Area)
		}
	}
	return out, nil
}

// Fall is what the house would believe if somebody's rights ended now.
type Fall struct {
	// Retired and Compromised are the keyrings after either kind of end.
	Retired, Compromised *seal.Keyring
	// Rests names the person's certificates and all that rest on them.
	Rests map[broadcast.Digest]bool
}

// Fall says what would be believed if somebody were dismissed now; since is for a
// key that may have been in other hands, 0 for now. Nothing is changed.
func (o *Office) Fall(ctx context.Context, id broadcast.ID, since broadcast.Instant) (Fall, error) {
	out := Fall{Rests: map[broadcast.Digest]bool{}}
	a, err := o.authority(ctx)
	if err != nil {
		return out, err
	}
	now := o.instant()
	if since == 0 {
		since = now
	}
	for _, end := range []struct {
		mode broadcast.RevocationMode
		at   broadcast.Instant
		ring **seal.Keyring
	}{{broadcast.Retired, now, &out.Retired}, {broadcast.Compromised, since, &out.Compromised}} {
		revoked, _, err := a.ending(id, end.mode, end.at)
		if err != nil {
			return out, err
		}
		if *end.ring, err = o.without(a, revoked); err != nil {
			return out, err
		}
	}
	for _, c := range a.certs {
		above, err := a.chain(c.kid)
		if err != nil {
			return out, err
		}
		out.Rests[c.kid] = slices.ContainsFunc(above, func(env broadcast.Envelope) bool { return a.personOf(env) == id })
	}
	return out, nil
}

// personOf is whose certificate an envelope is; it was believed before.
func (a *authority) personOf(env broadcast.Envelope) broadcast.ID {
	payload, err := env.PayloadBytes()
	if err != nil {
		return ""
	}
	cert, _ := a.ring.Certificate(broadcast.Sum(payload))
	return cert.Person
}
