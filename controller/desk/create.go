package desk

import (
	"context"
	"errors"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Create keeps a draft. If kept is not nil it is called in the same
// transaction, so that whatever it notes of the draft exists exactly if the
// draft does.
func (d *Desk) Create(ctx context.Context, by people.Person, draft Draft, kept func(store.Tx, Announcement) error) (Announcement, error) {
	return d.make(ctx, by, draft, nil, kept)
}

// make keeps a draft, in the place of what it revises if that is anything.
func (d *Desk) make(ctx context.Context, by people.Person, draft Draft, of *revision, kept func(store.Tx, Announcement) error) (Announcement, error) {
	p, err := d.prepare(ctx, draft)
	if err != nil {
		return Announcement{}, err
	}
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementWrite, p.doc.Areas...); err != nil {
		return Announcement{}, err
	}
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return Announcement{}, err
	}
	if err := d.checkLaw(ctx, ring, by, p.doc); err != nil {
		return Announcement{}, err
	}
	row, err := d.row(by, p)
	if err != nil {
		return Announcement{}, err
	}
	if of != nil {
		row.Replaces = of.old.ID
	}
	made, err := read(row, nil)
	if err != nil {
		return made, err
	}
	made.Forecast = d.foresee(ctx, made, p.orders)
	err = d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := d.begin(ctx, tx, by.ID, of); err != nil {
			return err
		}
		if err := tx.AddAnnouncement(ctx, row); err != nil {
			return err
		}
		for _, o := range p.orders {
			if err := tx.AddRunningOrder(ctx, o); err != nil {
				return err
			}
		}
		if kept != nil {
			if err := kept(tx, made); err != nil {
				return err
			}
		}
		return d.audit(ctx, tx, by.ID, "announcement.create", row)
	})
	if err != nil {
		return Announcement{}, err
	}
	d.changed(row.ID)
	return made, nil
}

func (d *Desk) row(by people.Person, p prepared) (store.Announcement, error) {
	row := store.Announcement{ID: p.id, Document: p.doc.ID, State: store.Draft, Author: by.ID, Created: d.now()}
	var err, also error
	row.Body, err = encode(p.doc)
	row.Meta, also = encode(p.meta)
	err = errors.Join(err, also)
	row.Digest, also = p.doc.Digest()
	return row, errors.Join(err, also)
}

// checkLaw says at once what the law will refuse later.
func (d *Desk) checkLaw(ctx context.Context, ring *seal.Keyring, by people.Person, a broadcast.Announcement) error {
	if err := d.checkClass(ring, by.ID, a); err != nil {
		return err
	}
	r, err := d.rule(ctx, ring, a)
	if err != nil {
		return err
	}
	if err := r.suits(by.Role, d.dated(a)); err != nil {
		return err
	}
	return r.check(d.dated(a))
}

// check refuses what no number of signatures can make good.
func (r rule) check(a broadcast.Announcement) error {
	if a.Timing.Mode == broadcast.ModeNow && a.Class != broadcast.Emergency && r.officers > 1 {
		return refuse(StartNeeded, "timing.mode", classWord(a.Class), r.officers)
	}
	return checkSize(a, r.officers)
}

// trace is what the audit log keeps of a step.
type trace struct {
	Digest broadcast.Digest `json:"digest"`
	SHA256 broadcast.Digest `json:"sha256,omitempty"`
	Reason string           `json:"reason,omitempty"`
	// Difference is what somebody accepts to become of others.
	Difference broadcast.Digest `json:"difference,omitempty"`
}

func (d *Desk) audit(ctx context.Context, tx store.Tx, by broadcast.ID, act string, row store.Announcement) error {
	return tx.Audit(ctx, store.Deed{At: d.now(), Person: by, Act: act, Subject: string(row.ID),
		Detail: trace{Digest: row.Digest, SHA256: row.SHA256, Reason: row.WithdrawnWhy}})
}
