package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

const localDay = 24 * time.Hour

// policyForever is the end of the listing of a policy: the last moment that has a
// text. It holds until another takes its place.
const policyForever = broadcast.Instant(253402300799999)

// policyRoom is what an envelope needs beside its payload: two signatures.
const policyRoom = 1 << 10

// ProposePolicy keeps a draft of the policy of its area in place of the draft of
// the version that was read; what stands goes on until two people signed. Another
// version is refused with the one that is there, a draft that would loosen a rule
// from above with its field. The same draft again changes nothing.
func (d *Desk) ProposePolicy(ctx context.Context, by people.Person, version int64, p broadcast.Policy) (Regulation, error) {
	if err := d.cfg.Rights.Authorise(by, people.PolicyWrite, p.Area); err != nil {
		return Regulation{}, err
	}
	p.Revision = broadcast.Revision(d.now())
	if err := d.checkPolicy(ctx, p); err != nil {
		return Regulation{}, err
	}
	p.Revision = 0
	raw, err := encode(proposed{p})
	if err != nil {
		return Regulation{}, err
	}
	digest := broadcast.Sum([]byte(raw))
	err = d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		row, err := tx.PolicyDraft(ctx, p.Area)
		switch {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		case row.Draft != "" && row.Digest == digest:
			return nil
		case row.Version != version:
			return policyEdited(row, version)
		}
		row = store.PolicyDraft{Area: p.Area, Version: row.Version, Author: by.ID, Draft: raw, Digest: digest}
		return errors.Join(tx.SavePolicyDraft(ctx, row), d.auditPolicy(ctx, tx, by.ID, "policy.propose", row))
	})
	if err != nil {
		return Regulation{}, err
	}
	d.changed(p.Area)
	return d.Regulation(ctx, p.Area)
}

// policyEdited refuses a stale edit with what is there.
func policyEdited(row store.PolicyDraft, version int64) error {
	r := refuse(Edited, "version", version, row.Version, string(row.Author))
	current, err := Regulation{Area: row.Area}.with(row)
	r.Current = current
	return errors.Join(r, err)
}

// checkPolicy refuses what is not complete, does not fit or loosens.
func (d *Desk) checkPolicy(ctx context.Context, p broadcast.Policy) error {
	if err := p.Validate(); err != nil {
		field, _, _ := strings.Cut(err.Error(), ":")
		return badPolicy(field, err.Error())
	}
	raw, err := broadcast.Encode(p)
	if err != nil {
		return err
	}
	if size := len(raw)*4/3 + policyRoom; size > broadcast.KindPolicy.Limit() {
		return badPolicy("special", fmt.Sprintf("the policy would be %d bytes, %d are allowed; leave out special days that have passed", size, broadcast.KindPolicy.Limit()))
	}
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return err
	}
	held, err := d.policies(ctx, ring)
	if err != nil {
		return err
	}
	chain, err := d.cfg.Tree().Chain(p.Area, d.now())
	if err != nil {
		return refuse(AreaUnknown, "area", string(p.Area))
	}
	for _, place := range chain {
		upper, ok := held[place.Area]
		if !ok || place.Area == p.Area {
			continue
		}
		if field := loosening(p, upper); field != "" {
			return refuse(Loosens, field, field, string(place.Area))
		}
	}
	if name := widened(p); name != "" {
		return refuse(BadPolicy, "special", word{
			fmt.Sprintf("%s: its windows reach outside the windows of the policy; narrow them, or leave them out", name),
			fmt.Sprintf("khung giờ của ngày “%s” vượt ra ngoài khung giờ phát của quy chế; hãy thu hẹp hoặc bỏ đi", name)})
	}
	return nil
}

// badPolicy refuses a field for what its validation says.
func badPolicy(field, what string) *Refusal {
	return refuse(BadPolicy, field, word{what, "hãy sửa mục " + field + " (" + what + ")"})
}

// SignPolicy signs the draft whose digest was shown. The second person's
// signature makes it stand in place of what stood. Signing again changes nothing.
func (d *Desk) SignPolicy(ctx context.Context, by people.Person, cred people.Credential, area broadcast.ID, digest broadcast.Digest) (Regulation, error) {
	if err := d.cfg.Rights.Authorise(by, people.PolicyWrite, area); err != nil {
		return Regulation{}, err
	}
	err := d.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error {
		ring, err := d.cfg.Keys.Ring(ctx)
		if err != nil {
			return err
		}
		s := signing{by: by, signer: signer, ring: ring, digest: digest}
		return d.cfg.DB.Update(ctx, func(tx store.Tx) error { return d.signPolicyIn(ctx, tx, s, area) })
	})
	if err != nil {
		return Regulation{}, err
	}
	d.changed(area)
	return d.Regulation(ctx, area)
}

// signPolicyIn is the transaction of one signature.
func (d *Desk) signPolicyIn(ctx context.Context, tx store.Tx, s signing, area broadcast.ID) error {
	row, err := tx.PolicyDraft(ctx, area)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if row.Draft == "" && row.Digest == s.digest && s.digest != "" {
		return nil // it stands already
	}
	if row.Draft == "" || row.Digest != s.digest {
		return refuse(DigestChanged, "digest", s.digest.Short(), row.Digest.Short())
	}
	if row.Signer == s.by.ID {
		return nil
	}
	draft, err := broadcast.Decode[proposed]([]byte(row.Draft))
	if err != nil {
		return err
	}
	p := draft.Policy
	if err := d.mayRule(&s, area); err != nil {
		return err
	}
	if row.Signer != "" {
		return d.enact(ctx, tx, s, row, p)
	}
	p.Revision = broadcast.Revision(d.now())
	env, err := seal.Seal(broadcast.KindPolicy, p, s.signer)
	if err != nil {
		return err
	}
	var also error
	row.Draft, err = encode(p)
	row.Envelope, also = encode(env)
	row.Signer, row.Signed = s.by.ID, d.now()
	return errors.Join(err, also, tx.SavePolicyDraft(ctx, row), d.auditPolicy(ctx, tx, s.by.ID, "policy.sign", row))
}

// mayRule refuses a key that nodes would not believe about policies here.
func (d *Desk) mayRule(s *signing, area broadcast.ID) error {
	cert, ok := s.ring.Certificate(s.signer.KID)
	if !ok || cert.Person != s.by.ID {
		return fmt.Errorf("the key of %s: %w", s.by.ID, people.ErrNoCertificate)
	}
	s.cert = cert
	if !slices.Contains(cert.Acts, broadcast.ActPolicy) {
		return refuse(SignRight, "", s.by.ID, word{"it gives no right to sign policies", "không có quyền ký quy chế"})
	}
	now, places := d.now(), d.places()
	if now < cert.From || now > cert.Until {
		return refuse(SignRight, "", s.by.ID, word{"it ended on " + local(cert.Until), "đã hết hạn lúc " + local(cert.Until)})
	}
	if !slices.ContainsFunc(cert.Areas, func(up broadcast.ID) bool { return up == area || places.Covers(up, area) }) {
		return refuse(SignRight, "", s.by.ID, word{"it does not reach " + string(area), "không gồm địa bàn " + string(area)})
	}
	return nil
}

// enact lists the sealed policy in place of its predecessor, if a node would
// believe it and it still only tightens.
func (d *Desk) enact(ctx context.Context, tx store.Tx, s signing, row store.PolicyDraft, p broadcast.Policy) error {
	if err := d.checkPolicy(ctx, p); err != nil {
		return err
	}
	env, err := broadcast.Decode[broadcast.Envelope]([]byte(row.Envelope))
	if err != nil {
		return err
	}
	if env, err = seal.Cosign(broadcast.KindPolicy, env, s.signer); err != nil {
		return err
	}
	raw, err := seal.Bytes(broadcast.KindPolicy, env)
	if err != nil {
		return err
	}
	if _, _, err := seal.Open[broadcast.Policy](s.ring, broadcast.KindPolicy, raw, seal.Context{Places: d.places()}); err != nil {
		return refuse(Signatures, "", err)
	}
	sha, err := tx.PutDocument(ctx, store.Document{Kind: broadcast.KindPolicy, ID: p.Area, Revision: p.Revision, Raw: raw})
	if err != nil {
		return err
	}
	if err := tx.Unlist(ctx, broadcast.KindPolicy, p.Area); err != nil {
		return err
	}
	if err := list(ctx, tx, broadcast.KindPolicy, p.Area, sha, p.Revision, policyForever, []broadcast.ID{p.Area}); err != nil {
		return err
	}
	row.Draft, row.Envelope, row.Signer, row.Signed = "", "", "", 0
	return errors.Join(tx.SavePolicyDraft(ctx, row), d.auditPolicy(ctx, tx, s.by.ID, "policy.publish", row))
}

func (d *Desk) auditPolicy(ctx context.Context, tx store.Tx, by broadcast.ID, act string, row store.PolicyDraft) error {
	return tx.Audit(ctx, store.Deed{At: d.now(), Person: by, Act: act, Subject: string(row.Area), Detail: trace{Digest: row.Digest}})
}
