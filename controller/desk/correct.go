package desk

import (
	"context"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Correction is what is said in place of what is withdrawn.
type Correction struct {
	// Digest is that under which the announcement to be withdrawn was shown.
	Digest broadcast.Digest
	// Title left out is made of that of the announcement.
	Title    string
	Versions []DraftVersion
}

// Correct withdraws a published announcement and says something in its place at
// once, in the same areas and class: one officer, one key, one transaction. It may
// consist only of recordings that the policies of all target areas list as
// corrections; anything else is approved like any other announcement. Correcting
// again changes nothing. It returns what was withdrawn.
func (d *Desk) Correct(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, reason string, c Correction) (Announcement, error) {
	a, err := d.Announcement(ctx, id)
	if err != nil {
		return a, err
	}
	if reason = text(reason); reason == "" {
		return a, refuse(ReasonNeeded, "reason")
	}
	for _, need := range []people.Permission{people.AnnouncementWithdraw, people.AnnouncementApprove} {
		if err := d.cfg.Rights.Authorise(by, need, a.Document.Areas...); err != nil {
			return a, err
		}
	}
	switch {
	case a.CorrectedBy != "":
		return a, nil
	case a.ReplacedBy != "":
		return a, d.overtaken(ctx, a)
	case a.State != store.Published:
		return a, wrongState(store.Announcement{State: a.State}, "withdraw with a correction", "thu hồi kèm đính chính")
	case a.Digest != c.Digest:
		r := refuse(DigestChanged, "digest", c.Digest.Short(), a.Digest.Short())
		r.Current = a
		return a, r
	}
	p, err := d.correction(ctx, by, a, c)
	if err != nil {
		return a, err
	}
	if err := d.correct(ctx, by, cred, a, p, reason); err != nil {
		return a, err
	}
	d.changed(a.ID)
	d.changed(p.id)
	return d.Announcement(ctx, id)
}

// correction prepares what is said, if the policy lists it.
func (d *Desk) correction(ctx context.Context, by people.Person, a Announcement, c Correction) (prepared, error) {
	if strings.TrimSpace(c.Title) == "" {
		c.Title = "Đính chính: " + a.Document.Title
	}
	draft := Draft{Title: c.Title, Class: a.Document.Class, Areas: a.Document.Areas, Versions: c.Versions, Volume: a.Document.Volume,
		Meta: broadcast.Metadata{Author: by.Name}, corrects: &broadcast.AnnouncementRef{ID: a.Document.ID, Revision: a.Document.Revision}}
	p, err := d.prepare(ctx, draft)
	if err != nil {
		return p, err
	}
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return p, err
	}
	r, err := d.rule(ctx, ring, p.doc)
	if err != nil {
		return p, err
	}
	for _, law := range r.laws {
		for _, v := range p.doc.Versions {
			if !law.Corrects([]broadcast.Version{v}) {
				return p, refuse(NoCorrection, "correction.versions", named(v))
			}
		}
	}
	return p, nil
}

// named is a recording as a refusal names it.
func named(v broadcast.Version) string {
	if v.Content == nil {
		return string(v.Language)
	}
	return v.Content.SHA256.Short()
}

// correct is the one transaction of a withdrawal and its correction.
func (d *Desk) correct(ctx context.Context, by people.Person, cred people.Credential, a Announcement, p prepared, reason string) error {
	said, err := d.row(by, p)
	if err != nil {
		return err
	}
	said.State, said.Submitted, said.Officers = store.Submitted, d.now(), 1
	return d.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error {
		s := signing{by: by, signer: signer, digest: said.Digest}
		if s.ring, err = d.cfg.Keys.Ring(ctx); err != nil {
			return err
		}
		if s.rule, err = d.rule(ctx, s.ring, p.doc); err != nil {
			return err
		}
		if s.nodes, err = d.cfg.Fleet.Within(ctx, p.doc.Areas); err != nil {
			return err
		}
		return d.cfg.DB.Update(ctx, func(tx store.Tx) error {
			row, err := tx.Announcement(ctx, a.ID)
			if err != nil {
				return err
			}
			if row.State != store.Published || row.SHA256 != a.SHA256 {
				return store.ErrConflict
			}
			row.CorrectedBy = said.ID
			// Nodes believe the correction by its withdrawal, so that stays as long.
			if err := d.withdrawIn(ctx, tx, s, row, reason, max(row.Until, lasts(d.dated(p.doc)).Add(soundMargin))); err != nil {
				return err
			}
			if err := tx.AddAnnouncement(ctx, said); err != nil {
				return err
			}
			if err := d.audit(ctx, tx, by.ID, "announcement.correct", said); err != nil {
				return err
			}
			return d.signIn(ctx, tx, s, said.ID)
		})
	})
}
