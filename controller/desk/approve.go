package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Approve signs the announcement whose digest was shown, and publishes it if
// that completes its signatures. Approving again what one has signed changes
// nothing.
//
// If other announcements would sound otherwise by it, or no longer, it is
// refused unless that was seen; an emergency never is.
func (d *Desk) Approve(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, digest broadcast.Digest,
	seen ...Seen) (Announcement, error) {
	a, err := d.Announcement(ctx, id)
	if err != nil {
		return a, err
	}
	if err := d.mayApprove(ctx, by, a); err != nil {
		return a, err
	}
	if err := d.wasSeen(ctx, by, a, seen); err != nil {
		return a, err
	}
	if err := d.sign(ctx, by, cred, id, digest); err != nil {
		return a, err
	}
	d.changed(id)
	a, err = d.Announcement(ctx, id)
	if err == nil && a.Document.Class != broadcast.Emergency { // which has better use for the processor now
		a.Forecast = d.foresee(ctx, a, nil)
	}
	return a, err
}

// signing is one signature on its way into the database.
type signing struct {
	by     people.Person
	signer seal.Signer
	cert   broadcast.Certificate
	ring   *seal.Keyring
	rule   rule
	nodes  []broadcast.ID
	digest broadcast.Digest
	// template is what an activation activates; nil otherwise.
	template *broadcast.Template
}

// Shown is an announcement with the digest under which somebody saw it.
type Shown struct {
	ID     broadcast.ID
	Digest broadcast.Digest
	Seen
}

// Verdict is what came of one approval among several.
type Verdict struct {
	ID           broadcast.ID
	Announcement Announcement
	// Err says why this one was not signed.
	Err error
}

// ApproveAll signs every announcement whose digest was shown, each by itself: one
// that cannot be signed leaves the others as they are. The key is opened once. An
// error is that of the key; nothing is signed then.
func (d *Desk) ApproveAll(ctx context.Context, by people.Person, cred people.Credential, list []Shown) ([]Verdict, error) {
	out := make([]Verdict, 0, len(list))
	err := d.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error {
		for _, shown := range list {
			v := Verdict{ID: shown.ID}
			v.Announcement, v.Err = d.approveWith(ctx, by, signer, shown)
			out = append(out, v)
		}
		return ctx.Err()
	})
	return out, err
}

// approveWith is one approval by a key that is open.
func (d *Desk) approveWith(ctx context.Context, by people.Person, signer seal.Signer, shown Shown) (Announcement, error) {
	a, err := d.Announcement(ctx, shown.ID)
	if err != nil {
		return a, err
	}
	if err := d.mayApprove(ctx, by, a); err != nil {
		return a, err
	}
	if err := d.wasSeen(ctx, by, a, []Seen{shown.Seen}); err != nil {
		return a, err
	}
	if err := d.signWith(ctx, by, signer, shown.ID, shown.Digest); err != nil {
		return a, err
	}
	d.changed(shown.ID)
	return d.Announcement(ctx, shown.ID)
}

// sign opens the person's key and adds one signature in one transaction.
func (d *Desk) sign(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, digest broadcast.Digest) error {
	return d.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error { return d.signWith(ctx, by, signer, id, digest) })
}

// signWith adds one signature by a key that is open.
func (d *Desk) signWith(ctx context.Context, by people.Person, signer seal.Signer, id broadcast.ID, digest broadcast.Digest) error {
	a, err := d.Announcement(ctx, id)
	if err != nil {
		return err
	}
	s := signing{by: by, signer: signer, digest: digest}
	if s.ring, err = d.cfg.Keys.Ring(ctx); err != nil {
		return err
	}
	if s.rule, err = d.rule(ctx, s.ring, a.Document); err != nil {
		return err
	}
	if err := d.checkRoom(ctx, a.Document); err != nil {
		return err
	}
	if s.nodes, err = d.cfg.Fleet.Within(ctx, a.Document.Areas); err != nil {
		return err
	}
	return d.cfg.DB.Update(ctx, func(tx store.Tx) error { return d.signIn(ctx, tx, s, id) })
}

// signIn is the transaction of one signature.
func (d *Desk) signIn(ctx context.Context, tx store.Tx, s signing, id broadcast.ID) error {
	row, err := tx.Announcement(ctx, id)
	if err != nil {
		return err
	}
	signed, err := tx.Approvals(ctx, id)
	if err != nil {
		return err
	}
	if row.Digest != s.digest {
		return refuse(DigestChanged, "digest", s.digest.Short(), row.Digest.Short())
	}
	if slices.ContainsFunc(signed, func(a store.Approval) bool { return a.Person == s.by.ID }) {
		return nil
	}
	a, err := decodeBody(row)
	if err != nil {
		return err
	}
	if err := d.maySign(&s, row, a); err != nil {
		return err
	}
	a, env, err := d.signature(s, row, a)
	if err != nil {
		return err
	}
	if deadline := a.Timing.Deadline(a.Class); deadline <= d.now() {
		return refuse(TooLate, "", local(deadline))
	}
	if err := keepSignature(&row, a, env); err != nil {
		return err
	}
	err = tx.AddApproval(ctx, store.Approval{Announcement: id, Person: s.by.ID, Place: int64(len(signed) + 1),
		KID: s.signer.KID, Digest: s.digest, At: d.now()})
	if err != nil {
		return err
	}
	if err := d.audit(ctx, tx, s.by.ID, "announcement.approve", row); err != nil {
		return err
	}
	if len(env.Signatures) < s.rule.officers {
		return tx.SaveAnnouncement(ctx, row)
	}
	return d.publish(ctx, tx, s, row, a, env)
}

func keepSignature(row *store.Announcement, a broadcast.Announcement, env broadcast.Envelope) error {
	var err, also error
	row.Body, err = encode(a)
	row.Envelope, also = encode(env)
	row.Revision = a.Revision
	return errors.Join(err, also)
}

// maySign says whether this person may sign this announcement now.
func (d *Desk) maySign(s *signing, row store.Announcement, a broadcast.Announcement) error {
	if row.State != store.Submitted {
		return wrongState(row, "approve", "duyệt")
	}
	if s.rule.officers == 1 && !s.rule.alone && s.by.ID == row.Author {
		return refuse(SecondPerson, "", s.by.ID)
	}
	if err := d.holdsRight(s, a); err != nil {
		return err
	}
	if err := s.rule.suits(s.by.Role, d.dated(a)); err != nil {
		return err
	}
	return s.rule.check(d.dated(a))
}

// holdsRight says whether the key that signs has the right to speak in the class
// and areas, and is kept well enough.
func (d *Desk) holdsRight(s *signing, a broadcast.Announcement) error {
	cert, ok := s.ring.Certificate(s.signer.KID)
	if !ok || cert.Person != s.by.ID {
		return fmt.Errorf("the key of %s: %w", s.by.ID, people.ErrNoCertificate)
	}
	s.cert = cert
	if !slices.Contains(cert.Classes, a.Class) {
		return refuse(ClassRight, "class", s.by.ID, classWord(a.Class))
	}
	if cert.Custody.Rank() < s.rule.custody.Rank() {
		return refuse(Custody, "", custodyWord(s.rule.custody), classWord(a.Class), custodyWord(cert.Custody))
	}
	if flaw, bad := d.flaw(s, a); bad {
		return refuse(SignRight, "", s.by.ID, flaw)
	}
	return nil
}

// flaw says what would make this signature worthless. It is asked before the
// signature is added, since one bad signature voids all that come after it.
func (d *Desk) flaw(s *signing, a broadcast.Announcement) (word, bool) {
	speaks := func(act broadcast.Act) bool { return act == broadcast.ActAnnounce || act == broadcast.ActApprove }
	if !slices.ContainsFunc(s.cert.Acts, speaks) {
		return word{"it gives no right to speak", "không có quyền phát"}, true
	}
	if now := d.now(); now < s.cert.From || now > s.cert.Until {
		return word{"it ended on " + local(s.cert.Until), "đã hết hạn lúc " + local(s.cert.Until)}, true
	}
	_, revoked := s.ring.Certificates()
	if slices.ContainsFunc(revoked, func(r broadcast.Revocation) bool { return r.KID == s.signer.KID }) {
		return word{"it was revoked", "đã bị thu hồi"}, true
	}
	places := d.places()
	for _, area := range a.Areas {
		if !slices.ContainsFunc(s.cert.Areas, func(up broadcast.ID) bool { return up == area || places.Covers(up, area) }) {
			return word{"it does not reach " + string(area), "không gồm địa bàn " + string(area)}, true
		}
	}
	return word{}, false
}

// signature adds the signature: the first one fixes revision and start.
func (d *Desk) signature(s signing, row store.Announcement, a broadcast.Announcement) (broadcast.Announcement, broadcast.Envelope, error) {
	if row.Envelope == "" {
		a = d.dated(a)
		env, err := seal.Seal(broadcast.KindAnnouncement, a, s.signer)
		return a, env, err
	}
	env, err := broadcast.Decode[broadcast.Envelope]([]byte(row.Envelope))
	if err != nil {
		return a, env, err
	}
	env, err = seal.Cosign(broadcast.KindAnnouncement, env, s.signer)
	return a, env, err
}

// soundMargin is what chime, warm-up and a queue may add to a sounding.
const soundMargin = time.Minute

// publish keeps the sealed document, if a node of the house would believe it.
// What it revises leaves the listings by that. It stays listed until the last sounding that may begin has ended: a document
// that leaves the manifest stops in mid-word.
func (d *Desk) publish(ctx context.Context, tx store.Tx, s signing, row store.Announcement, a broadcast.Announcement, env broadcast.Envelope) error {
	raw, err := seal.Bytes(broadcast.KindAnnouncement, env)
	if err != nil {
		return err
	}
	if err := d.believe(s, raw); err != nil {
		return err
	}
	if err := d.succeed(ctx, tx, s, row, a, raw); err != nil {
		return err
	}
	row.Until = lasts(a)
	if err := d.putParts(ctx, tx, row, a); err != nil {
		return err
	}
	row.SHA256, err = tx.PutDocument(ctx, store.Document{Kind: broadcast.KindAnnouncement, ID: a.ID, Revision: a.Revision, Raw: raw})
	if err != nil {
		return err
	}
	if err := list(ctx, tx, broadcast.KindAnnouncement, a.ID, row.SHA256, a.Revision, row.Until, a.Areas); err != nil {
		return err
	}
	if err := tx.Expect(ctx, a.ID, a.Revision, s.nodes); err != nil {
		return err
	}
	row.State, row.Published = store.Published, d.now()
	if err := tx.SaveAnnouncement(ctx, row); err != nil {
		return err
	}
	return d.audit(ctx, tx, s.by.ID, "announcement.publish", row)
}

// lasts is when the last sounding of an announcement that may begin has ended.
func lasts(a broadcast.Announcement) broadcast.Instant {
	until := a.Timing.Deadline(a.Class).Add(soundMargin)
	for _, v := range a.Versions {
		until = until.Add(v.Duration())
	}
	return until
}

// believe opens the sealed bytes as a node would that holds the same policies.
func (d *Desk) believe(s signing, raw []byte) error {
	_, proof, err := seal.Open[broadcast.Announcement](s.ring, broadcast.KindAnnouncement, raw, seal.Context{Places: d.places(), Template: s.template})
	if errors.Is(err, seal.ErrRight) || errors.Is(err, seal.ErrRevoked) || errors.Is(err, seal.ErrThreshold) {
		return refuse(Signatures, "", err)
	}
	if err != nil {
		return fmt.Errorf("the sealed announcement would not be believed: %w", err)
	}
	if len(proof.Signers) < s.rule.officers {
		return fmt.Errorf("the sealed announcement has %d signers, %d are needed", len(proof.Signers), s.rule.officers)
	}
	for _, signer := range proof.Signers {
		if signer.Custody.Rank() < s.rule.custody.Rank() {
			return refuse(Custody, "", custodyWord(s.rule.custody), classWord(proof.Claim.Class), custodyWord(signer.Custody))
		}
	}
	return nil
}

// putParts stores what the announcement names by digest.
func (d *Desk) putParts(ctx context.Context, tx store.Tx, row store.Announcement, a broadcast.Announcement) error {
	parts := [][]byte{[]byte(row.Meta)}
	orders, err := tx.RunningOrders(ctx, row.ID)
	if err != nil {
		return err
	}
	for _, o := range orders {
		parts = append(parts, o.Raw)
	}
	for _, raw := range parts {
		if _, err := tx.PutDocument(ctx, store.Document{Kind: store.Blob, ID: a.ID, Revision: a.Revision, Raw: raw}); err != nil {
			return err
		}
	}
	return nil
}

func list(ctx context.Context, tx store.Tx, kind broadcast.Kind, id broadcast.ID, sha broadcast.Digest, rev broadcast.Revision, until broadcast.Instant, areas []broadcast.ID) error {
	for _, area := range areas {
		l := store.Listing{Area: area, Kind: kind, ID: id, Revision: rev, SHA256: sha, Until: until}
		if err := tx.List(ctx, l); err != nil {
			return err
		}
	}
	return nil
}
