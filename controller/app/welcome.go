package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// welcome stands in for the technician of a demo, who would compare the short
// code on site: it confirms every simulated node that enrols. It runs only
// where the root is marked demo, which no real node obeys.
type welcome struct {
	fleet  *fleet.Fleet
	office *people.Office
	events *events.Hub
	// dispatch is told, so that nobody waits for its next look.
	dispatch interface{ Changed() }
	// technician is a token of the demo's technician.
	technician string
	log        *slog.Logger
}

// Serve confirms pending nodes as they come, until ctx ends.
func (w *welcome) Serve(ctx context.Context) error {
	changes := w.events.Watch(ctx)
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		if err := w.confirmPending(ctx); err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "nodes of the demo were not confirmed", "err", err)
		}
		if !w.wait(ctx, changes, tick.C) {
			return ctx.Err()
		}
	}
}

// wait returns when a node changed, or false when ctx ended.
func (w *welcome) wait(ctx context.Context, changes <-chan events.Event, tick <-chan time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick:
			return true
		case e := <-changes:
			if e.Kind == events.Node || e.Kind == events.Missed {
				return true
			}
		}
	}
}

func (w *welcome) confirmPending(ctx context.Context) error {
	all, err := w.fleet.Overview(ctx)
	if err != nil {
		return err
	}
	var pending []store.Node
	for _, s := range all {
		if s.Node.Status == store.Pending {
			pending = append(pending, s.Node)
		}
	}
	if len(pending) == 0 {
		return nil
	}
	bearer, err := w.office.Bearer(ctx, w.technician)
	if err != nil {
		return err
	}
	return w.office.With(ctx, people.Credential{Token: w.technician}, func(signer seal.Signer) error {
		defer w.dispatch.Changed()
		var errs []error // one node that cannot be confirmed keeps no other waiting
		for _, n := range pending {
			code, err := wire.ShortCode(n.Key)
			if err == nil {
				err = w.fleet.Confirm(ctx, bearer.Person.ID, n.ID, code, signer)
			}
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}
