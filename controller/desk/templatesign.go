package desk

import (
	"context"
	"errors"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// SignTemplate signs the draft whose digest was shown; the last signature needed
// makes it stand in place of what stood, and nodes fetch it ahead of everything
// else. Nothing of it sounds by that. Signing again changes nothing.
func (d *Desk) SignTemplate(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, digest broadcast.Digest) (Template, error) {
	t, err := d.Template(ctx, id)
	if err != nil {
		return t, err
	}
	if t.Draft == nil {
		return t, d.nothingToSign(t, digest)
	}
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementApprove, t.Draft.Areas...); err != nil {
		return t, err
	}
	if err := d.templateHeard(ctx, t); err != nil {
		return t, err
	}
	if err := d.mayReplace(ctx, t); err != nil {
		return t, err
	}
	err = d.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error {
		s := signing{by: by, signer: signer, digest: digest}
		if s.ring, err = d.cfg.Keys.Ring(ctx); err != nil {
			return err
		}
		if s.rule, err = d.rule(ctx, s.ring, approvedOf(*t.Draft)); err != nil {
			return err
		}
		if err := d.checkRoom(ctx, approvedOf(*t.Draft)); err != nil {
			return err
		}
		s.rule.officers = max(2, s.rule.officers)
		return d.cfg.DB.Update(ctx, func(tx store.Tx) error { return d.signTemplateIn(ctx, tx, s, id) })
	})
	if err != nil {
		return t, err
	}
	d.changed(id)
	return d.Template(ctx, id)
}

// nothingToSign is nil for words that stand already.
func (d *Desk) nothingToSign(t Template, digest broadcast.Digest) error {
	if t.Standing != nil {
		if standing, err := t.Standing.Digest(); err != nil || standing == digest {
			return err
		}
	}
	return refuse(DigestChanged, "digest", digest.Short(), "empty")
}

// templateHeard refuses an emergency from a machine's voice that its author has
// not listened to.
func (d *Desk) templateHeard(ctx context.Context, t Template) error {
	if t.Draft.Class != broadcast.Emergency {
		return nil
	}
	var contents []broadcast.Digest
	for _, v := range t.Draft.Versions {
		if v.Content != nil {
			contents = append(contents, v.Content.SHA256)
		}
	}
	return d.listened(ctx, t.Author, contents)
}

// mayReplace refuses to take words away by which something sounds: nodes would
// no longer know who approved it.
func (d *Desk) mayReplace(ctx context.Context, t Template) error {
	if t.Standing == nil {
		return nil
	}
	rows, err := d.cfg.DB.Closable(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.State != store.Published || row.Until <= d.now() {
			continue
		}
		a, err := decodeBody(row)
		if err != nil {
			return err
		}
		if a.Template != nil && a.Template.ID == t.ID {
			r := refuse(TemplateSounds, "", string(a.ID), local(row.Until))
			r.About = []broadcast.ID{a.ID}
			return r
		}
	}
	return nil
}

// signTemplateIn is the transaction of one signature.
func (d *Desk) signTemplateIn(ctx context.Context, tx store.Tx, s signing, id broadcast.ID) error {
	row, err := tx.Template(ctx, id)
	if err != nil {
		return err
	}
	if row.Draft == "" || row.Digest != s.digest {
		return refuse(DigestChanged, "digest", s.digest.Short(), row.Digest.Short())
	}
	all, err := tx.TemplateSignatures(ctx, id)
	if err != nil {
		return err
	}
	signed := slices.DeleteFunc(all, func(o store.TemplateSignature) bool { return o.Digest != row.Digest })
	if slices.ContainsFunc(signed, func(o store.TemplateSignature) bool { return o.Person == s.by.ID }) {
		return nil
	}
	t, err := drafted(row)
	if err != nil {
		return err
	}
	if err := d.holdsRight(&s, approvedOf(t)); err != nil {
		return err
	}
	t, env, err := d.templateSignature(s, row, t)
	if err != nil {
		return err
	}
	var also error
	row.Draft, err = encode(t)
	row.Envelope, also = encode(env)
	if err := errors.Join(err, also); err != nil {
		return err
	}
	err = tx.AddTemplateSignature(ctx, store.TemplateSignature{Template: id, Digest: s.digest, Person: s.by.ID,
		Place: int64(len(signed) + 1), KID: s.signer.KID, At: d.now()})
	if err != nil {
		return err
	}
	if err := d.auditTemplate(ctx, tx, s.by.ID, "template.sign", row, ""); err != nil {
		return err
	}
	if len(env.Signatures) < s.rule.officers {
		return tx.SaveTemplate(ctx, row)
	}
	return d.stand(ctx, tx, s, row, t, env)
}

// templateSignature adds the signature: the first one fixes the revision.
func (d *Desk) templateSignature(s signing, row store.Template, t broadcast.Template) (broadcast.Template, broadcast.Envelope, error) {
	if row.Envelope == "" {
		t.Revision = broadcast.Revision(d.now())
		env, err := seal.Seal(broadcast.KindTemplate, t, s.signer)
		return t, env, err
	}
	env, err := broadcast.Decode[broadcast.Envelope]([]byte(row.Envelope))
	if err != nil {
		return t, env, err
	}
	env, err = seal.Cosign(broadcast.KindTemplate, env, s.signer)
	return t, env, err
}

// stand lists the sealed template in place of its predecessor, if a node would
// believe it.
func (d *Desk) stand(ctx context.Context, tx store.Tx, s signing, row store.Template, t broadcast.Template, env broadcast.Envelope) error {
	raw, err := seal.Bytes(broadcast.KindTemplate, env)
	if err != nil {
		return err
	}
	if _, _, err := seal.Open[broadcast.Template](s.ring, broadcast.KindTemplate, raw, seal.Context{Places: d.places()}); err != nil {
		return refuse(Signatures, "", err)
	}
	if err := tx.Unlist(ctx, broadcast.KindTemplate, t.ID); err != nil {
		return err
	}
	row.SHA256, err = tx.PutDocument(ctx, store.Document{Kind: broadcast.KindTemplate, ID: t.ID, Revision: t.Revision, Raw: raw})
	if err != nil {
		return err
	}
	if err := list(ctx, tx, broadcast.KindTemplate, t.ID, row.SHA256, t.Revision, t.Expires, t.Areas); err != nil {
		return err
	}
	row.Standing, row.Draft, row.Envelope, row.Published, row.Expires = row.Draft, "", "", d.now(), t.Expires
	row.Withdrawn, row.WithdrawnBy, row.WithdrawnWhy = 0, "", ""
	if err := tx.SaveTemplate(ctx, row); err != nil {
		return err
	}
	return d.auditTemplate(ctx, tx, s.by.ID, "template.publish", row, "")
}

// WithdrawTemplate takes back what stands by a sealed withdrawal, so that neither
// officers nor key switches can have it sound; one officer is enough. What
// sounds by it is withdrawn first. Withdrawing again changes nothing.
func (d *Desk) WithdrawTemplate(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, reason string) (Template, error) {
	t, err := d.Template(ctx, id)
	if err != nil {
		return t, err
	}
	if t.Standing == nil {
		return t, refuse(NoTemplate, "", string(id))
	}
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementWithdraw, t.Standing.Areas...); err != nil {
		return t, err
	}
	if reason = text(reason); reason == "" {
		return t, refuse(ReasonNeeded, "reason")
	}
	if t.Withdrawn != 0 {
		return t, nil
	}
	if err := d.mayReplace(ctx, t); err != nil {
		return t, err
	}
	err = d.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error {
		ring, err := d.cfg.Keys.Ring(ctx)
		if err != nil {
			return err
		}
		return d.cfg.DB.Update(ctx, func(tx store.Tx) error {
			row, err := tx.Template(ctx, id)
			if err != nil || row.SHA256 != t.SHA256 || row.Withdrawn != 0 {
				return errors.Join(err, store.ErrConflict)
			}
			return d.fall(ctx, tx, signing{by: by, signer: signer, ring: ring}, row, *t.Standing, reason)
		})
	})
	if err != nil {
		return t, err
	}
	d.changed(id)
	return d.Template(ctx, id)
}

// fall takes what stands out of the listings, and lists its withdrawal for as
// long as a node could still hold it.
func (d *Desk) fall(ctx context.Context, tx store.Tx, s signing, row store.Template, t broadcast.Template, reason string) error {
	w := broadcast.Withdrawal{ID: t.ID, Revision: max(broadcast.Revision(d.now()), t.Revision), Announcement: t.ID, Upto: t.Revision,
		Class: t.Class, Areas: t.Areas, Reason: reason}
	if err := w.Validate(); err != nil {
		return invalid("reason", err.Error())
	}
	if err := d.mayOutrank(ctx, s, row.SHA256, broadcast.KindTemplate, t.Class); err != nil {
		return err
	}
	if err := tx.Unlist(ctx, broadcast.KindTemplate, t.ID); err != nil {
		return err
	}
	if err := d.listWithdrawal(ctx, tx, s, w, t.Expires); err != nil {
		return err
	}
	row.Withdrawn, row.WithdrawnBy, row.WithdrawnWhy = d.now(), s.by.ID, reason
	if err := tx.SaveTemplate(ctx, row); err != nil {
		return err
	}
	return d.auditTemplate(ctx, tx, s.by.ID, "template.withdraw", row, reason)
}
