package desk

import (
	"context"
	"errors"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

const (
	// closingPause lies between two looks for what has ended.
	closingPause = 5 * time.Second
	// answersLast is how long an Idempotency-Key is remembered.
	answersLast = 7 * 24 * time.Hour
	// forgetEvery lies between two looks for answers that are older.
	forgetEvery = time.Hour
)

// Serve closes announcements that have ended, and forgets old answers, until
// ctx ends.
func (d *Desk) Serve(ctx context.Context) error {
	tick := time.NewTicker(closingPause)
	defer tick.Stop()
	old := time.NewTicker(forgetEvery)
	defer old.Stop()
	d.tryForget(ctx)
	for {
		if err := d.Close(ctx); err != nil && ctx.Err() == nil {
			d.cfg.Log.Error("closing announcements", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-old.C:
			d.tryForget(ctx)
		case <-tick.C:
		}
	}
}

// Close closes once whatever has ended: what is past its last sounding, and
// what was withdrawn as soon as every node said so.
func (d *Desk) Close(ctx context.Context) error {
	rows, err := d.cfg.DB.Closable(ctx)
	if err != nil {
		return err
	}
	var errs []error // one that cannot be judged keeps no other open
	for _, row := range rows {
		over, err := d.over(ctx, row)
		if err == nil && over {
			err = d.closeOne(ctx, row.ID)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if over {
			d.changed(row.ID)
		}
	}
	return errors.Join(errs...)
}

func (d *Desk) tryForget(ctx context.Context) {
	if err := d.forget(ctx); err != nil && ctx.Err() == nil {
		d.cfg.Log.Error("forgetting old answers", "error", err)
	}
}

// forget drops answers that nobody will ask for again.
func (d *Desk) forget(ctx context.Context) error {
	return d.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.ForgetAnswers(ctx, d.now().Add(-answersLast)) })
}

func (d *Desk) over(ctx context.Context, row store.Announcement) (bool, error) {
	if d.now() >= row.Until {
		return true, nil
	}
	if row.State != store.Withdrawn {
		return false, nil
	}
	got, err := d.Deliveries(ctx, row.ID)
	return err == nil && got.Open() == 0, err
}

func (d *Desk) closeOne(ctx context.Context, id broadcast.ID) error {
	return d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		row, err := tx.Announcement(ctx, id)
		if err != nil {
			return err
		}
		if row.State != store.Published && row.State != store.Withdrawn {
			return nil
		}
		row.State, row.Closed = store.Closed, d.now()
		if err := tx.SaveAnnouncement(ctx, row); err != nil {
			return err
		}
		return d.audit(ctx, tx, "", "announcement.close", row)
	})
}
