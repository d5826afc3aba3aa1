package seal

import (
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// Context is what the holder knows that bears on a judgement.
type Context struct {
	Places Places
	// Here is the area of the node that a command concerns.
	Here broadcast.ID
	// Old is the node's present assignment: who moves it needs authority there too.
	Old *broadcast.Assignment
	// Listed says that a manifest lists exactly this envelope. Earlier
	// signatures of revoked officers, and of those whose certificate has ended,
	// count only then or if it was held before, because anybody can write an
	// early date.
	Listed bool
	// Held is since when the holder has it, 0 if it comes now.
	Held broadcast.Instant
	// Now is trusted time, 0 if there is none.
	Now broadcast.Instant
	// Template is the opened template that an announcement activates.
	Template *broadcast.Template
}

// Proof says who sealed a document, after everything was checked.
type Proof struct {
	Kind broadcast.Kind
	// Digest names the envelope, signatures included; Payload only what was
	// signed, whoever signed it.
	Digest, Payload broadcast.Digest
	Claim           Claim
	// Signers are different people with different keys; empty if the root signed.
	Signers []Signatory
	// Activated says that a template approved in advance stands behind it.
	Activated bool
}

// Signatory is one person whose signature counted.
type Signatory struct {
	Person  broadcast.ID
	KID     broadcast.Digest
	Level   broadcast.Level
	Custody broadcast.Custody
	Epoch   int64
}

// Level returns the highest level among the signers; the root counts as province.
func (p Proof) Level() broadcast.Level {
	best := broadcast.Level("")
	for _, s := range p.Signers {
		if best == "" || s.Level.Rank() < best.Rank() {
			best = s.Level
		}
	}
	if best == "" {
		return broadcast.Province
	}
	return best
}

// Epoch returns the service epoch of the document, 0 for those of people.
func (p Proof) Epoch() int64 {
	var n int64
	for _, s := range p.Signers {
		n = max(n, s.Epoch)
	}
	return n
}

// Open believes one document of one kind, or says why not. How many officers an
// announcement needs is a matter of policy and judged by the plan; everything
// else is judged here.
func Open[T broadcast.Validator](k *Keyring, kind broadcast.Kind, raw []byte, ctx Context) (T, Proof, error) {
	var none T
	env, err := Parse(kind, raw)
	if err != nil {
		return none, Proof{}, err
	}
	doc, err := decodePayload[T](kind, env)
	if err != nil {
		return none, Proof{}, err
	}
	claim, ok := ClaimOf(doc)
	right, known := RightFor(kind)
	if !ok || !known || right.NodeOnly {
		return none, Proof{}, fmt.Errorf("open %s: %w", kind, ErrKind)
	}
	payload, err := env.PayloadDigest()
	if err != nil {
		return none, Proof{}, fmt.Errorf("open %s: %w: %w", kind, ErrForm, err)
	}
	proof := Proof{Kind: kind, Digest: broadcast.Sum(raw), Payload: payload, Claim: claim}
	if right.RootOnly || right.RootToo && k.rootSigned(kind, env) == nil {
		if err := k.rootSigned(kind, env); err != nil {
			return none, Proof{}, fmt.Errorf("open %s: %w", kind, err)
		}
		return doc, proof, nil
	}
	if a, is := any(doc).(broadcast.Announcement); is && ctx.Template != nil && a.Template != nil {
		if err := activates(a, *ctx.Template); err != nil {
			return none, Proof{}, fmt.Errorf("open %s: %w", kind, err)
		}
		proof.Activated = true
		right.Also = ""
	}
	if kind != broadcast.KindAnnouncement && kind != broadcast.KindDrill {
		ctx.Now = 0 // what only an expired officer signed long ago may still be needed, as a node's place is
	}
	if proof.Signers, err = k.judge(kind, env, right, claim, ctx); err != nil {
		return none, Proof{}, fmt.Errorf("open %s %s: %w", kind, claim.ID, err)
	}
	return doc, proof, nil
}

// judge verifies every signature first, so that nothing is said about rights of
// people who did not sign, and then every signer's right.
func (k *Keyring) judge(kind broadcast.Kind, env broadcast.Envelope, right Right, claim Claim, ctx Context) ([]Signatory, error) {
	hs, err := headers(kind, env)
	if err != nil {
		return nil, err
	}
	for i, h := range hs {
		c, ok := k.signed[h.KID]
		if !ok {
			return nil, fmt.Errorf("signature %d: %w", i+1, ErrUnknownSigner)
		}
		if err := checkSignature(env, i, c.cert.Key); err != nil {
			return nil, err
		}
	}
	var out []Signatory
	keys := map[broadcast.Key]bool{}
	also := right.Also == ""
	for _, h := range hs {
		c := k.signed[h.KID].cert
		if keys[c.Key] || slices.ContainsFunc(out, func(s Signatory) bool { return s.Person == c.Person }) {
			return nil, fmt.Errorf("%s signed twice: %w", c.Person, ErrThreshold)
		}
		keys[c.Key] = true
		if err := k.mayAll(h.KID, right, claim, ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Person, err)
		}
		also = also || slices.Contains(c.Acts, right.Also)
		out = append(out, Signatory{Person: c.Person, KID: h.KID, Level: c.Level, Custody: c.Custody, Epoch: c.Epoch})
	}
	if !also {
		return nil, fmt.Errorf("%w: nobody with the act %s signed", ErrRight, right.Also)
	}
	if len(out) < right.Officers {
		return nil, fmt.Errorf("%w: %d of %d", ErrThreshold, len(out), right.Officers)
	}
	return out, nil
}

// mayAll walks from a signer's certificate to the root and checks at every
// link that it was valid at the moment of issue and covers the claim.
func (k *Keyring) mayAll(kid broadcast.Digest, right Right, claim Claim, ctx Context) error {
	leaf := k.signed[kid].cert
	if !slices.ContainsFunc(right.Acts, func(a broadcast.Act) bool { return slices.Contains(leaf.Acts, a) }) {
		return fmt.Errorf("%w: lacks the act %v", ErrRight, right.Acts)
	}
	if right.Highest != "" && leaf.Level.Rank() < right.Highest.Rank() {
		return fmt.Errorf("%w: this belongs to the %s", ErrRight, right.Highest)
	}
	at := claim.Revision.IssuedAt()
	child := broadcast.Instant(0)
	for kid != "" {
		h := k.signed[kid]
		if at < h.cert.From || at > h.cert.Until {
			return fmt.Errorf("%w: the certificate of %s is not valid at %s", ErrRight, h.cert.Person, at)
		}
		if ctx.Now > h.cert.Until.Add(broadcast.MaxAhead) && !ctx.Listed && ctx.Held == 0 {
			return fmt.Errorf("%w: the certificate of %s ended at %s, and no manifest lists what it signed before", ErrRight, h.cert.Person, h.cert.Until)
		}
		if err := k.checkRevoked(kid, at, child, ctx); err != nil {
			return err
		}
		if err := covers(h.cert, claim, ctx); err != nil {
			return err
		}
		child = h.cert.From
		kid = h.parent
	}
	return nil
}

// checkRevoked applies one link's revocation. child is when the certificate
// below it begins, 0 at the leaf.
func (k *Keyring) checkRevoked(kid broadcast.Digest, at, child broadcast.Instant, ctx Context) error {
	r, ok := k.revoked[kid]
	if !ok {
		return nil
	}
	leaf := child == 0
	switch {
	case r.Mode == broadcast.Compromised && at >= r.At, leaf && at >= r.At, !leaf && child >= r.At:
		return fmt.Errorf("%w (%s since %s)", ErrRevoked, r.Mode, r.At)
	case (leaf || r.Mode == broadcast.Compromised) && !ctx.Listed && (ctx.Held == 0 || ctx.Held >= r.At):
		return fmt.Errorf("%w: dated before %s, but no manifest lists it", ErrRevoked, r.At)
	}
	return nil
}

// covers checks one certificate against the classes and areas of a claim. Of a
// document for many areas a node judges those that it knows.
func covers(c broadcast.Certificate, claim Claim, ctx Context) error {
	for _, class := range claim.Classes {
		if !slices.Contains(c.Classes, class) {
			return fmt.Errorf("%w: %s may not act in class %s", ErrRight, c.Person, class)
		}
	}
	areas := claim.Areas
	if len(areas) == 0 && ctx.Here != "" {
		areas = []broadcast.ID{ctx.Here}
	}
	known := len(areas) == 0
	for _, area := range areas {
		if !ctx.Places.Knows(area) {
			continue
		}
		known = true
		if !coversAny(c.Areas, area, ctx.Places) {
			return fmt.Errorf("%w: %s has no right to area %s", ErrRight, c.Person, area)
		}
	}
	if !known {
		return ErrElsewhere
	}
	if ctx.Old == nil {
		return nil
	}
	own := ctx.Old.Chain[len(ctx.Old.Chain)-1].Area
	if !coversAny(c.Areas, own, *ctx.Old) {
		return fmt.Errorf("%w: %s has no right to the node's present area %s", ErrRight, c.Person, own)
	}
	return nil
}

// activates says whether an announcement is what its template allows.
func activates(a broadcast.Announcement, t broadcast.Template) error {
	same := func(v broadcast.Version) bool {
		return slices.ContainsFunc(t.Versions, func(w broadcast.Version) bool {
			return w.Language == v.Language && w.Content != nil && v.Content != nil && *w.Content == *v.Content
		})
	}
	switch {
	case a.Template.ID != t.ID || a.Template.Revision != t.Revision:
		return fmt.Errorf("%w: activates another template than the one held", ErrRight)
	case a.Class != t.Class:
		return fmt.Errorf("%w: the template is %s", ErrRight, t.Class)
	case a.Revision.IssuedAt() > t.Expires || a.Revision < t.Revision || a.Timing.Start > t.Expires.Add(broadcast.MaxAhead):
		return fmt.Errorf("%w: the template is not valid at %s", ErrRight, a.Revision.IssuedAt())
	}
	for _, v := range a.Versions {
		if !same(v) {
			return fmt.Errorf("%w: the template does not hold this content in %s", ErrRight, v.Language)
		}
	}
	return nil
}
