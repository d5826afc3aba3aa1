package people

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// backdate is how long before its making a certificate begins, so that a clock
// set back a little does not stop the house.
const backdate = time.Hour

// authority is what the listed authority documents say, all of it checked.
type authority struct {
	// from names the documents that it was read from.
	from    string
	ring    *seal.Keyring
	roots   []broadcast.Envelope
	certs   []certified
	revoked map[broadcast.Digest]bool
}

// certified is a certificate under its name.
type certified struct {
	broadcast.Certificate
	kid broadcast.Digest
	env broadcast.Envelope
}

// authority reads the listed authority documents, anew only if they changed:
// another process may have revised them.
func (o *Office) authority(ctx context.Context) (*authority, error) {
	listed, err := o.db.ListingsOf(ctx, broadcast.KindAuthority, o.instant())
	if err != nil {
		return nil, err
	}
	from := ""
	for _, l := range listed {
		from += string(l.SHA256)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last != nil && o.last.from == from {
		return o.last, nil
	}
	var raw [][]byte
	for _, l := range listed {
		d, err := o.db.Document(ctx, l.SHA256)
		if err != nil {
			return nil, err
		}
		raw = append(raw, d.Raw)
	}
	a, err := believe(o.pin, raw, o.placesAt(o.instant()))
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	a.from, o.last = from, a
	return a, nil
}

// believe checks authority documents as a node would that knows every place.
func believe(pin broadcast.Digest, raw [][]byte, places seal.Places) (*authority, error) {
	a := &authority{revoked: map[broadcast.Digest]bool{}}
	var certs []broadcast.Envelope
	var revocations []broadcast.Revocation
	for _, r := range raw {
		doc, err := contents(r)
		if err != nil {
			return nil, err
		}
		if len(doc.Roots) > len(a.roots) {
			a.roots = doc.Roots
		}
		certs, revocations = append(certs, doc.Certificates...), append(revocations, doc.Revocations...)
	}
	var err error
	if a.ring, err = seal.NewKeyring(pin, a.roots, true); err != nil {
		return nil, err
	}
	if err := a.ring.Learn(certs, revocations, places); err != nil {
		return nil, err
	}
	for _, r := range raw {
		if _, _, err := seal.Open[broadcast.Authority](a.ring, broadcast.KindAuthority, r, seal.Context{Places: places, Listed: true}); err != nil {
			return nil, err
		}
	}
	return a, a.index()
}

// contents reads an authority document without believing it yet: its own
// certificates are needed to judge its signature.
func contents(raw []byte) (broadcast.Authority, error) {
	env, err := seal.Parse(broadcast.KindAuthority, raw)
	if err != nil {
		return broadcast.Authority{}, err
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return broadcast.Authority{}, err
	}
	return broadcast.Decode[broadcast.Authority](payload)
}

func (a *authority) index() error {
	envs, revocations := a.ring.Certificates()
	for _, env := range envs {
		payload, err := env.PayloadBytes()
		if err != nil {
			return err
		}
		kid := broadcast.Sum(payload)
		cert, _ := a.ring.Certificate(kid)
		a.certs = append(a.certs, certified{Certificate: cert, kid: kid, env: env})
	}
	for _, r := range revocations {
		a.revoked[r.KID] = true
	}
	return nil
}

// chain returns a certificate and those above it, so that a document which
// carries them can be judged before any other has arrived.
func (a *authority) chain(kid broadcast.Digest) ([]broadcast.Envelope, error) {
	var out []broadcast.Envelope
	for len(out) <= seal.MaxDepth {
		i := slices.IndexFunc(a.certs, func(c certified) bool { return c.kid == kid })
		if i < 0 { // the root is above
			break
		}
		out = append(out, a.certs[i].env)
		above, err := a.certs[i].env.Signers()
		if err != nil {
			return nil, err
		}
		kid = above[0]
	}
	return out, nil
}

// merge adds certificates that the document does not carry yet.
func merge(a *broadcast.Authority, certs ...broadcast.Envelope) {
	for _, env := range certs {
		if !slices.ContainsFunc(a.Certificates, func(have broadcast.Envelope) bool { return have.Payload == env.Payload }) {
			a.Certificates = append(a.Certificates, env)
		}
	}
}

// ErrNoCertificate means that nodes would not obey the key at this moment.
var ErrNoCertificate = errors.New("no certificate is good now")

// current returns the certificate of a key that is good at a moment and lasts
// longest.
func (a *authority) current(key broadcast.Key, at broadcast.Instant) (certified, error) {
	var best certified
	ended := broadcast.Instant(0)
	for _, c := range a.certs {
		if c.Key != key || a.revoked[c.kid] {
			continue
		}
		if c.From <= at && at <= c.Until && c.Until > best.Until {
			best = c
		}
		ended = max(ended, c.Until)
	}
	if best.kid != "" {
		return best, nil
	}
	if ended != 0 {
		return best, fmt.Errorf("%w: the last one is until %s", ErrNoCertificate, ended)
	}
	return best, ErrNoCertificate
}

// certificate is what a person in a role gets for a key; until 0 stands for as
// long as such rights may last.
func certificate(p Person, key broadcast.Key, from, until broadcast.Instant) broadcast.Certificate {
	row := p.Role.rights()
	c := broadcast.Certificate{Person: p.ID, Key: key, Level: p.Level, Areas: p.Areas, Classes: row.classes, Acts: row.acts,
		From: from, Until: until, Custody: broadcast.CustodyController}
	if longest := from.Add(c.Life()); until == 0 || until > longest {
		c.Until = longest
	}
	return c
}

// revise changes the authority document of an area, and of more areas in the same
// way, seals them, and stores them if everything in them can be believed together
// with the other areas'. It returns what holds after it.
func (o *Office) revise(ctx context.Context, tx store.Tx, area broadcast.ID, change func(*broadcast.Authority), by []seal.Signer, more ...broadcast.ID) (*authority, error) {
	areas := append([]broadcast.ID{area}, more...)
	raws, err := o.otherAuthorities(ctx, areas)
	if err != nil {
		return nil, err
	}
	var docs []store.Document
	for _, area := range areas {
		doc, err := o.revised(ctx, tx, area, change, by)
		if err != nil {
			return nil, err
		}
		docs, raws = append(docs, doc), append(raws, doc.Raw)
	}
	a, err := believe(o.pin, raws, o.placesAt(o.instant()))
	if err != nil {
		return nil, fmt.Errorf("authority of %s: %w", joined(areas), err)
	}
	for _, doc := range docs {
		if err := list(ctx, tx, doc, forever, doc.ID); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// revised is the next revision of the authority document of an area, sealed.
func (o *Office) revised(ctx context.Context, tx store.Tx, area broadcast.ID, change func(*broadcast.Authority), by []seal.Signer) (store.Document, error) {
	next := broadcast.Authority{Area: area, Roots: o.Roots()}
	held, err := tx.Listed(ctx, area, broadcast.KindAuthority, area)
	if err == nil {
		next, err = contents(held.Raw)
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Document{}, err
	}
	next.Revision = max(broadcast.Revision(o.instant()), next.Revision+1)
	change(&next)
	raw, err := sealed(broadcast.KindAuthority, next, by...)
	return store.Document{Kind: broadcast.KindAuthority, ID: area, Revision: next.Revision, Raw: raw}, err
}

func (o *Office) otherAuthorities(ctx context.Context, areas []broadcast.ID) ([][]byte, error) {
	listed, err := o.db.ListingsOf(ctx, broadcast.KindAuthority, o.instant())
	if err != nil {
		return nil, err
	}
	var raw [][]byte
	for _, l := range listed {
		if slices.Contains(areas, l.Area) {
			continue
		}
		d, err := o.db.Document(ctx, l.SHA256)
		if err != nil {
			return nil, err
		}
		raw = append(raw, d.Raw)
	}
	return raw, nil
}

// sealed returns a document as it travels.
func sealed(kind broadcast.Kind, doc broadcast.Validator, signers ...seal.Signer) ([]byte, error) {
	env, err := seal.Seal(kind, doc, signers...)
	if err != nil {
		return nil, err
	}
	return seal.Bytes(kind, env)
}

// list stores a document and lists it in areas.
func list(ctx context.Context, tx store.Tx, d store.Document, until broadcast.Instant, areas ...broadcast.ID) error {
	sha, err := tx.PutDocument(ctx, d)
	if err != nil {
		return err
	}
	for _, area := range areas {
		if err := tx.List(ctx, store.Listing{Area: area, Kind: d.Kind, ID: d.ID, Revision: d.Revision, SHA256: sha, Until: until}); err != nil {
			return err
		}
	}
	return nil
}

func publicOf(key ed25519.PrivateKey) broadcast.Key {
	return broadcast.KeyOf(key.Public().(ed25519.PublicKey))
}
