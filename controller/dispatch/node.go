package dispatch

import (
	"context"
	"errors"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/store"
)

// Holding returns the digest of what a node should hold now: everything that
// the areas on its chain list.
func (d *Dispatch) Holding(ctx context.Context, id broadcast.ID) (broadcast.Digest, error) {
	_, rows, err := d.wants(ctx, id)
	if err != nil {
		return "", err
	}
	return wire.Holding(entriesOf(rows))
}

// wants returns a node and the listings of the areas on its chain; none while
// it is not confirmed.
func (d *Dispatch) wants(ctx context.Context, id broadcast.ID) (store.Node, []store.Listing, error) {
	n, err := d.cfg.DB.Node(ctx, id)
	if err != nil || n.Status != store.Confirmed {
		return n, nil, err
	}
	chain, err := d.cfg.Fleet.Chain(n.Area)
	if err != nil {
		return n, nil, err
	}
	areas := make([]broadcast.ID, 0, len(chain))
	for _, p := range chain {
		areas = append(areas, p.Area)
	}
	rows, err := d.cfg.DB.Listings(ctx, areas, d.now())
	return n, rows, err
}

// giveOrder is the order in which a node is given documents: authority before
// what it judges, what stops or bars sound before what sounds.
func giveOrder() []broadcast.Kind {
	return []broadcast.Kind{broadcast.KindAuthority, broadcast.KindAssignment, broadcast.KindPolicy, broadcast.KindSilence,
		broadcast.KindWithdrawal, broadcast.KindAnnouncement}
}

// give sends one node everything that it needs to come in step. Normal and
// priority announcements are left for it to fetch by hash.
func (d *Dispatch) give(ctx context.Context, id broadcast.ID) error {
	if restored, err := d.restoration(ctx); err != nil || restored != nil {
		return err
	}
	n, rows, err := d.wants(ctx, id)
	if err != nil || n.Status != store.Confirmed {
		return err
	}
	if n.Assignment != "" {
		rows = append(rows, store.Listing{Kind: broadcast.KindAssignment, ID: id, SHA256: n.Assignment})
	}
	sent := map[broadcast.Digest]bool{}
	for _, kind := range giveOrder() {
		for _, l := range rows {
			if l.Kind != kind || sent[l.SHA256] {
				continue
			}
			sent[l.SHA256] = true
			if err := d.send(ctx, id, l); err != nil {
				return err
			}
		}
	}
	chain, err := d.cfg.Fleet.Chain(n.Area)
	if err != nil {
		return err
	}
	for _, p := range slices.Backward(chain) {
		if a, ok := d.areas[p.Area]; ok && a.raw != nil {
			if err := d.cfg.Bus.Publish(wire.Node(id, "document"), a.raw, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Dispatch) send(ctx context.Context, id broadcast.ID, l store.Listing) error {
	doc, err := d.cfg.DB.Document(ctx, l.SHA256)
	if err != nil {
		return err
	}
	if l.Kind == broadcast.KindAssignment {
		return d.cfg.Bus.Publish(wire.Node(id, "assignment"), doc.Raw, true)
	}
	return d.cfg.Bus.Publish(wire.Node(id, "document"), doc.Raw, false)
}

// place tells nodes whose standing changed, and ends their sessions at the
// broker, because rights are read when a node connects: a confirmed node comes
// back and reads its areas, a revoked one stays out.
func (d *Dispatch) place(ctx context.Context, standings []fleet.Standing) error {
	first := d.placed == nil
	if first {
		d.placed = map[broadcast.ID]broadcast.Digest{}
	}
	var errs []error
	for _, s := range standings {
		id, now := s.Node.ID, s.Node.Assignment
		if s.Node.Status != store.Confirmed {
			now = ""
		}
		before := d.placed[id]
		if first || before == now {
			d.placed[id] = now
			continue
		}
		if now != "" {
			if err := d.give(ctx, id); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		d.placed[id] = now
		d.comeBack(id)
	}
	return errors.Join(errs...)
}

// comeBack ends a node's session. What it was given on the way out may be lost
// with the session, so it is served again as soon as it is back.
func (d *Dispatch) comeBack(id broadcast.ID) {
	if d.cfg.Broker != nil {
		d.cfg.Broker.Kick(string(id))
	}
	d.mu.Lock()
	delete(d.served, id)
	d.mu.Unlock()
}
