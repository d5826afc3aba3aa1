package desk

import (
	"context"
	"errors"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Withdraw takes an announcement back: a published one by a sealed withdrawal,
// which stands in the manifests until nothing of it could sound any more, and with
// it whatever waits to take its place; one
// that was not published by closing it, for which its author needs no more than
// the right to write. Withdrawing again changes nothing. What was revised meanwhile
// is refused with the newest revision: that one is what sounds.
func (d *Desk) Withdraw(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, reason string) (Announcement, error) {
	a, err := d.Announcement(ctx, id)
	if err != nil {
		return a, err
	}
	reason = text(reason)
	if reason == "" {
		return a, refuse(ReasonNeeded, "reason")
	}
	need := people.AnnouncementWithdraw
	if a.SHA256 == "" && a.Author == by.ID {
		need = people.AnnouncementWrite
	}
	if err := d.cfg.Rights.Authorise(by, need, a.Document.Areas...); err != nil {
		return a, err
	}
	if a.ReplacedBy != "" {
		return a, d.overtaken(ctx, a)
	}
	if a.SHA256 == "" {
		err = d.drop(ctx, by, id, reason)
	} else {
		err = d.withdraw(ctx, by, cred, id, reason)
	}
	if err != nil {
		return a, err
	}
	d.changed(id)
	return d.Announcement(ctx, id)
}

// drop closes what no node ever heard of.
func (d *Desk) drop(ctx context.Context, by people.Person, id broadcast.ID, reason string) error {
	return d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		row, err := tx.Announcement(ctx, id)
		if err != nil {
			return err
		}
		switch row.State {
		case store.Draft, store.Submitted:
		case store.Closed:
			return nil
		default:
			return wrongState(row, "withdraw a draft", "huỷ bản nháp")
		}
		return d.dropIn(ctx, tx, by.ID, row, reason)
	})
}

// dropIn closes a draft inside a transaction.
func (d *Desk) dropIn(ctx context.Context, tx store.Tx, by broadcast.ID, row store.Announcement, reason string) error {
	now := d.now()
	row.State, row.Closed, row.Withdrawn, row.WithdrawnBy, row.WithdrawnWhy = store.Closed, now, now, by, reason
	if err := tx.SaveAnnouncement(ctx, row); err != nil {
		return err
	}
	return d.audit(ctx, tx, by, "announcement.drop", row)
}

func (d *Desk) withdraw(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, reason string) error {
	return d.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error {
		ring, err := d.cfg.Keys.Ring(ctx)
		if err != nil {
			return err
		}
		return d.cfg.DB.Update(ctx, func(tx store.Tx) error {
			row, err := tx.Announcement(ctx, id)
			if err != nil {
				return err
			}
			switch row.State {
			case store.Published:
				return d.withdrawIn(ctx, tx, signing{by: by, signer: signer, ring: ring}, row, reason, row.Until)
			case store.Withdrawn:
				if row.ReplacedBy != "" {
					return store.ErrConflict
				}
				return nil
			}
			return wrongState(row, "withdraw", "thu hồi")
		})
	})
}

// withdrawIn takes a published announcement back by a withdrawal that is listed
// until a moment.
func (d *Desk) withdrawIn(ctx context.Context, tx store.Tx, s signing, row store.Announcement, reason string, until broadcast.Instant) error {
	a, err := decodeBody(row)
	if err != nil {
		return err
	}
	if err := d.mayOutrank(ctx, s, row.SHA256, broadcast.KindAnnouncement, a.Class); err != nil {
		return err
	}
	w := broadcast.Withdrawal{ID: a.ID, Revision: max(broadcast.Revision(d.now()), a.Revision), Announcement: a.ID, Upto: a.Revision,
		Class: a.Class, Areas: a.Areas, Reason: reason}
	if err := w.Validate(); err != nil {
		return invalid("reason", err.Error())
	}
	if err := tx.Unlist(ctx, broadcast.KindAnnouncement, a.ID); err != nil {
		return err
	}
	if err := d.listWithdrawal(ctx, tx, s, w, until); err != nil {
		return err
	}
	row.State, row.Withdrawn, row.WithdrawnBy, row.WithdrawnWhy = store.Withdrawn, d.now(), s.by.ID, reason
	if err := tx.SaveAnnouncement(ctx, row); err != nil {
		return err
	}
	if err := d.audit(ctx, tx, s.by.ID, "announcement.withdraw", row); err != nil {
		return err
	}
	return d.dropRevising(ctx, tx, s.by.ID, row.ID, reason)
}

// listWithdrawal seals a withdrawal and lists it in its areas until a moment, if
// nodes would believe it.
func (d *Desk) listWithdrawal(ctx context.Context, tx store.Tx, s signing, w broadcast.Withdrawal, until broadcast.Instant) error {
	env, err := seal.Seal(broadcast.KindWithdrawal, w, s.signer)
	if err != nil {
		return err
	}
	raw, err := seal.Bytes(broadcast.KindWithdrawal, env)
	if err != nil {
		return err
	}
	if _, _, err := seal.Open[broadcast.Withdrawal](s.ring, broadcast.KindWithdrawal, raw, seal.Context{Places: d.places()}); err != nil {
		return refuse(SignRight, "", s.by.ID, err)
	}
	sha, err := tx.PutDocument(ctx, store.Document{Kind: broadcast.KindWithdrawal, ID: w.ID, Revision: w.Revision, Raw: raw})
	if err != nil {
		return err
	}
	return list(ctx, tx, broadcast.KindWithdrawal, w.ID, sha, w.Revision, until, w.Areas)
}

// mayOutrank refuses a withdrawal that nodes would not obey: an emergency, and
// words kept for one, yield only to their own level or a higher one.
func (d *Desk) mayOutrank(ctx context.Context, s signing, sha broadcast.Digest, kind broadcast.Kind, class broadcast.Class) error {
	cert, ok := s.ring.Certificate(s.signer.KID)
	if !ok || cert.Person != s.by.ID {
		return errors.Join(people.ErrNoCertificate, seal.ErrUnknownSigner)
	}
	if class != broadcast.Emergency && kind == broadcast.KindAnnouncement {
		return nil
	}
	doc, err := d.cfg.DB.Document(ctx, sha)
	if err != nil {
		return err
	}
	level, believed := d.levelOf(s.ring, kind, doc.Raw)
	if believed && cert.Level.Rank() > level.Rank() { // else its signers' rights ended meanwhile: nobody has to be outranked
		return refuse(HigherLevel, "", levelWord(level), s.by.ID)
	}
	return nil
}

// levelOf is the highest level that sealed a document, if it is still believed.
func (d *Desk) levelOf(ring *seal.Keyring, kind broadcast.Kind, raw []byte) (broadcast.Level, bool) {
	at := seal.Context{Places: d.places(), Listed: true}
	if kind == broadcast.KindTemplate {
		_, proof, err := seal.Open[broadcast.Template](ring, kind, raw, at)
		return proof.Level(), err == nil
	}
	_, proof, err := seal.Open[broadcast.Announcement](ring, kind, raw, at)
	return proof.Level(), err == nil
}
