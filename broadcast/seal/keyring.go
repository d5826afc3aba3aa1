package seal

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// MaxDepth is how many certificates may stand between the root and a signature.
const MaxDepth = 4

// Places answers how areas lie to one another, as far as the holder knows: a
// node knows its own chain, a controller the whole tree.
type Places interface {
	Knows(area broadcast.ID) bool
	Covers(upper, area broadcast.ID) bool
}

// Keyring holds the authority that a holder believes: the root that its pin
// leads to, the certificates below it, and the revocations. It only grows by
// Learn and is replaced, not edited, when the holder starts anew.
type Keyring struct {
	root    broadcast.Root
	signed  map[broadcast.Digest]held
	revoked map[broadcast.Digest]broadcast.Revocation
}

type held struct {
	cert broadcast.Certificate
	env  broadcast.Envelope
	// parent is empty for a certificate that the root signed.
	parent broadcast.Digest
}

// NewKeyring checks the versions of the root document, from 1 on, against the
// pinned fingerprint of version 1. A root marked demo is believed only by
// holders that are demo themselves.
func NewKeyring(pin broadcast.Digest, roots []broadcast.Envelope, demo bool) (*Keyring, error) {
	if len(roots) == 0 {
		return nil, errors.New("keyring: no root document")
	}
	var current broadcast.Root
	for i, env := range roots {
		next, err := openRoot(env, pin, current, i)
		if err != nil {
			return nil, fmt.Errorf("root version %d: %w", i+1, err)
		}
		current = next
	}
	if current.Demo && !demo {
		return nil, errors.New("the root is marked demo: it is for training and no real node obeys it")
	}
	return &Keyring{root: current, signed: map[broadcast.Digest]held{}, revoked: map[broadcast.Digest]broadcast.Revocation{}}, nil
}

// openRoot opens version i+1: signed by enough of its own keys, and by enough
// of the keys of the version before it.
func openRoot(env broadcast.Envelope, pin broadcast.Digest, before broadcast.Root, i int) (broadcast.Root, error) {
	payload, err := env.PayloadBytes()
	if err != nil {
		return broadcast.Root{}, err
	}
	r, err := decodePayload[broadcast.Root](broadcast.KindRoot, env)
	if err != nil {
		return r, err
	}
	if r.Version != int64(i+1) {
		return r, fmt.Errorf("says it is version %d", r.Version)
	}
	if i == 0 {
		if broadcast.Sum(payload) != pin {
			return r, errors.New("its fingerprint is not the pinned one")
		}
		before = r
	}
	if r.Demo != before.Demo {
		return r, errors.New("a root cannot turn into a demo or back")
	}
	signers, err := bareSigners(broadcast.KindRoot, env, slices.Concat(before.Keys, r.Keys))
	if err != nil {
		return r, err
	}
	if !meets(before, signers) || !meets(r, signers) {
		return r, ErrThreshold
	}
	return r, nil
}

// bareSigners verifies every signature of an envelope against a list of bare
// keys and returns the ids of those that signed, each once.
func bareSigners(kind broadcast.Kind, env broadcast.Envelope, keys []broadcast.Key) ([]broadcast.Digest, error) {
	hs, err := headers(kind, env)
	if err != nil {
		return nil, err
	}
	byID := map[broadcast.Digest]broadcast.Key{}
	for _, k := range keys {
		id, err := k.ID()
		if err != nil {
			return nil, err
		}
		byID[id] = k
	}
	var out []broadcast.Digest
	for i, h := range hs {
		key, ok := byID[h.KID]
		if !ok {
			return nil, fmt.Errorf("signature %d: %w", i+1, ErrUnknownSigner)
		}
		if err := checkSignature(env, i, key); err != nil {
			return nil, err
		}
		if slices.Contains(out, h.KID) {
			return nil, fmt.Errorf("signature %d: %w: one key signed twice", i+1, ErrThreshold)
		}
		out = append(out, h.KID)
	}
	return out, nil
}

// meets says whether enough keys of a root are among the signers.
func meets(r broadcast.Root, signers []broadcast.Digest) bool {
	n := int64(0)
	for _, k := range r.Keys {
		if id, err := k.ID(); err == nil && slices.Contains(signers, id) {
			n++
		}
	}
	return n >= r.Threshold
}

// Root returns the root document that the holder believes.
func (k *Keyring) Root() broadcast.Root { return k.root }

// rootSigned says whether the envelope was signed by enough root keys and by
// nobody else.
func (k *Keyring) rootSigned(kind broadcast.Kind, env broadcast.Envelope) error {
	signers, err := bareSigners(kind, env, k.root.Keys)
	if err != nil {
		return err
	}
	if !meets(k.root, signers) {
		return ErrThreshold
	}
	return nil
}

// KID names a certificate by the digest of its payload bytes.
func KID(cert broadcast.Certificate) (broadcast.Digest, error) {
	b, err := broadcast.Encode(cert)
	if err != nil {
		return "", err
	}
	return broadcast.Sum(b), nil
}

// Learn takes certificates and revocations into the keyring. Certificates may
// come in any order; those that lead nowhere, widen their parent's rights or
// are badly signed are left out and named in the error, the others are kept.
// A revocation is never forgotten, and compromised outranks retired.
func (k *Keyring) Learn(certs []broadcast.Envelope, revocations []broadcast.Revocation, places Places) error {
	for _, r := range revocations {
		have, known := k.revoked[r.KID]
		if !known || r.Mode == broadcast.Compromised && (have.Mode == broadcast.Retired || r.At < have.At) ||
			r.Mode == have.Mode && r.At < have.At {
			k.revoked[r.KID] = r
		}
	}
	waiting := certs
	var errs []error
	for range MaxDepth + 1 {
		var later []broadcast.Envelope
		errs = nil
		for _, env := range waiting {
			err := k.learn(env, places)
			if err != nil {
				later = append(later, env)
				errs = append(errs, err)
			}
		}
		if len(later) == 0 || len(later) == len(waiting) {
			break
		}
		waiting = later
	}
	return errors.Join(errs...)
}

func (k *Keyring) learn(env broadcast.Envelope, places Places) error {
	hs, err := headers(broadcast.KindCertificate, env)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	cert, err := decodePayload[broadcast.Certificate](broadcast.KindCertificate, env)
	if err != nil {
		return err
	}
	kid, err := KID(cert)
	if err != nil {
		return err
	}
	if _, known := k.signed[kid]; known {
		return nil
	}
	h := held{cert: cert, env: env}
	if parent, ok := k.signed[hs[0].KID]; ok {
		if len(hs) != 1 {
			return fmt.Errorf("certificate of %s: %w: a delegate signs alone", cert.Person, ErrForm)
		}
		if err := k.checkChild(parent, cert, env, places); err != nil {
			return fmt.Errorf("certificate of %s: %w", cert.Person, err)
		}
		h.parent = hs[0].KID
	} else if err := k.rootSigned(broadcast.KindCertificate, env); err != nil {
		return fmt.Errorf("certificate of %s: %w", cert.Person, err)
	}
	k.signed[kid] = h
	return nil
}

func (k *Keyring) checkChild(parent held, child broadcast.Certificate, env broadcast.Envelope, places Places) error {
	if err := checkSignature(env, 0, parent.cert.Key); err != nil {
		return err
	}
	if k.depth(parent) >= MaxDepth {
		return fmt.Errorf("%w: more than %d certificates deep", ErrRight, MaxDepth)
	}
	return narrows(parent.cert, child, places)
}

func (k *Keyring) depth(h held) int {
	n := 1
	for h.parent != "" {
		h = k.signed[h.parent]
		n++
	}
	return n
}

// narrows refuses a child certificate with any right that its parent lacks.
// Areas that the holder knows nothing of must be the parent's own by name, and
// give no right here anyway.
func narrows(parent, child broadcast.Certificate, places Places) error {
	switch {
	case !slices.Contains(parent.Acts, broadcast.ActDelegate):
		return fmt.Errorf("%w: %s may not delegate", ErrRight, parent.Person)
	case child.Service():
		return fmt.Errorf("%w: only the root makes service keys", ErrRight)
	case child.Level.Rank() < parent.Level.Rank():
		return fmt.Errorf("%w: level %s is above %s", ErrRight, child.Level, parent.Level)
	case child.From < parent.From || child.Until > parent.Until:
		return fmt.Errorf("%w: dates outside those of %s", ErrRight, parent.Person)
	}
	for _, c := range child.Classes {
		if !slices.Contains(parent.Classes, c) {
			return fmt.Errorf("%w: class %s", ErrRight, c)
		}
	}
	for _, a := range child.Acts {
		if !slices.Contains(parent.Acts, a) {
			return fmt.Errorf("%w: act %s", ErrRight, a)
		}
	}
	for _, area := range child.Areas {
		if places.Knows(area) && !coversAny(parent.Areas, area, places) {
			return fmt.Errorf("%w: area %s", ErrRight, area)
		}
	}
	return nil
}

func coversAny(uppers []broadcast.ID, area broadcast.ID, places Places) bool {
	return slices.ContainsFunc(uppers, func(up broadcast.ID) bool { return up == area || places.Covers(up, area) })
}

// Certificate returns a certificate that the keyring holds, by its kid.
func (k *Keyring) Certificate(kid broadcast.Digest) (broadcast.Certificate, bool) {
	h, ok := k.signed[kid]
	return h.cert, ok
}

// MayRevoke says whether whoever signed a bundle may end the rights of a
// certificate: the root of any, a delegate of people's at its own level or
// below whose areas lie in its own. A commune cannot silence its district so.
func (k *Keyring) MayRevoke(by Proof, kid broadcast.Digest, places Places) bool {
	if len(by.Signers) == 0 {
		return true
	}
	h, known := k.signed[kid]
	if !known || h.cert.Service() {
		return false
	}
	return slices.ContainsFunc(by.Signers, func(s Signatory) bool {
		c := k.signed[s.KID].cert
		return c.Level.Rank() <= h.cert.Level.Rank() && !slices.ContainsFunc(h.cert.Areas, func(area broadcast.ID) bool {
			return places.Knows(area) && !coversAny(c.Areas, area, places)
		})
	})
}

// InForce returns the certificates that nobody revoked, in the order of their
// kids, whatever their dates.
func (k *Keyring) InForce() []broadcast.Certificate {
	var out []broadcast.Certificate
	for _, kid := range slices.Sorted(maps.Keys(k.signed)) {
		if _, gone := k.revoked[kid]; !gone {
			out = append(out, k.signed[kid].cert)
		}
	}
	return out
}

// Certificates returns the envelopes of everything that the keyring holds, in
// the order of their kids, and the revocations.
func (k *Keyring) Certificates() ([]broadcast.Envelope, []broadcast.Revocation) {
	kids := make([]broadcast.Digest, 0, len(k.signed))
	for kid := range k.signed {
		kids = append(kids, kid)
	}
	slices.Sort(kids)
	var envs []broadcast.Envelope
	for _, kid := range kids {
		envs = append(envs, k.signed[kid].env)
	}
	var revs []broadcast.Revocation
	for _, kid := range kids {
		if r, ok := k.revoked[kid]; ok {
			revs = append(revs, r)
		}
	}
	return envs, revs
}
