package desk

import (
	"context"
	"errors"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Submit hands a draft in; from then on its words are fixed. Whoever names the
// digest that was shown also signs as the first officer, if more than one has
// to and that person can. Submitting again changes nothing.
//
// What would sound nowhere is refused, unless accept names every reason why it
// stays silent; an emergency is never kept back for that.
func (d *Desk) Submit(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, digest broadcast.Digest,
	accept ...broadcast.Reason) (Announcement, error) {
	a, err := d.Announcement(ctx, id)
	if err != nil {
		return a, err
	}
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementWrite, a.Document.Areas...); err != nil {
		return a, err
	}
	if digest != "" && digest != a.Digest {
		return a, refuse(DigestChanged, "digest", digest.Short(), a.Digest.Short())
	}
	if err := d.heard(ctx, a); err != nil {
		return a, err
	}
	forecast := d.foresee(ctx, a, nil)
	silent, err := mayBeSilent(a, forecast, accept)
	if err != nil {
		return a, err
	}
	officers, err := d.submit(ctx, by, a, silent)
	if err != nil {
		return a, err
	}
	if digest != "" && officers > 1 {
		if err := d.signIfPossible(ctx, by, cred, id, digest); err != nil {
			return a, err
		}
	}
	d.changed(id)
	a, err = d.Announcement(ctx, id)
	a.Forecast = forecast
	return a, err
}

// submit fixes a draft and returns how many officers have to sign. The audit
// log keeps for which reasons somebody let it stay silent everywhere.
func (d *Desk) submit(ctx context.Context, by people.Person, a Announcement, silent string) (int, error) {
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return 0, err
	}
	r, err := d.rule(ctx, ring, a.Document)
	if err != nil {
		return 0, err
	}
	if err := r.check(d.dated(a.Document)); err != nil {
		return 0, err
	}
	return r.officers, d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		row, err := tx.Announcement(ctx, a.ID)
		if err != nil {
			return err
		}
		switch {
		case row.State == store.Submitted || row.State == store.Published:
			return nil
		case row.State != store.Draft:
			return wrongState(row, "submit", "trình duyệt")
		}
		if start := a.Document.Timing.Start; start != 0 && start < d.now() {
			return refuse(StartPast, "timing.start", local(start))
		}
		row.State, row.Submitted, row.Officers = store.Submitted, d.now(), int64(r.officers)
		if err := tx.SaveAnnouncement(ctx, row); err != nil {
			return err
		}
		if silent != "" {
			deed := store.Deed{At: d.now(), Person: by.ID, Act: "announcement.accept-silence", Subject: string(row.ID),
				Detail: trace{Digest: row.Digest, Reason: silent}}
			if err := tx.Audit(ctx, deed); err != nil {
				return err
			}
		}
		return d.audit(ctx, tx, by.ID, "announcement.submit", row)
	})
}

// signIfPossible signs for people who can and lets the others submit unsigned.
func (d *Desk) signIfPossible(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, digest broadcast.Digest) error {
	err := d.sign(ctx, by, cred, id, digest)
	var refused *Refusal
	switch {
	case errors.Is(err, people.ErrCannotSign), errors.Is(err, people.ErrNoCertificate),
		errors.As(err, &refused) && (refused.Code == SignRight || refused.Code == ClassRight || refused.Code == Custody):
		d.cfg.Log.Info("submitted without a signature", "announcement", id, "person", by.ID, "reason", err)
		return nil
	}
	return err
}
