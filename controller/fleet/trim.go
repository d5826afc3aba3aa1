package fleet

import (
	"context"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// LeastTrim is the lowest trim that is signed here, in hundredths of a decibel: it
// also holds for emergencies, which have to be heard.
const LeastTrim = -2000

// TrimOf returns what a node adds to every volume, in hundredths of a decibel, as
// its place was signed last. A node without a place is ErrStatus.
func (f *Fleet) TrimOf(ctx context.Context, id broadcast.ID) (int64, error) {
	n, err := f.cfg.DB.Node(ctx, id)
	if err != nil {
		return 0, err
	}
	a, err := f.placed(ctx, n)
	return a.Trim, err
}

// placed is the place of a confirmed node as it was signed last.
func (f *Fleet) placed(ctx context.Context, n store.Node) (broadcast.Assignment, error) {
	var none broadcast.Assignment
	if n.Status != store.Confirmed || n.Assignment == "" {
		return none, fmt.Errorf("node %s is %s: %w", n.ID, n.Status, ErrStatus)
	}
	doc, err := f.cfg.DB.Document(ctx, n.Assignment)
	if err != nil {
		return none, err
	}
	env, err := seal.Parse(broadcast.KindAssignment, doc.Raw)
	if err != nil {
		return none, fmt.Errorf("place of node %s: %w", n.ID, err)
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return none, fmt.Errorf("place of node %s: %w", n.ID, err)
	}
	return broadcast.Decode[broadcast.Assignment](payload)
}

// Trim signs the place of a confirmed node anew with another trim, if it is still
// the one that was read before; another is store.ErrConflict, and one outside of
// LeastTrim to 0 is ErrTrim. Nothing else of the place changes.
func (f *Fleet) Trim(ctx context.Context, by, id broadcast.ID, before, trim int64, signer seal.Signer) error {
	if trim < LeastTrim || trim > 0 {
		return fmt.Errorf("%w: %d", ErrTrim, trim)
	}
	n, err := f.cfg.DB.Node(ctx, id)
	if err != nil {
		return err
	}
	old, err := f.placed(ctx, n)
	if err != nil {
		return err
	}
	if old.Trim != before {
		return fmt.Errorf("the trim of node %s is %d by now, not %d: %w", id, old.Trim, before, store.ErrConflict)
	}
	doc := old
	doc.Trim = trim
	return f.replace(ctx, n, old, doc, signer, store.Deed{Person: by, Act: "node.trim", Detail: trimming{Before: before, After: trim}})
}

// replace signs another place of a confirmed node, unless it got another one since
// it was read.
func (f *Fleet) replace(ctx context.Context, n store.Node, old, doc broadcast.Assignment, signer seal.Signer, deed store.Deed) error {
	id := n.ID
	doc.Revision = max(broadcast.Revision(f.now()), old.Revision+1)
	raw, err := f.sealed(ctx, doc, &old, signer)
	if err != nil {
		return err
	}
	deed.At, deed.Subject = f.now(), string(id)
	err = f.cfg.DB.Update(ctx, func(tx store.Tx) error {
		now, err := tx.Node(ctx, id)
		if err != nil {
			return err
		}
		if now.Assignment != n.Assignment || now.Status != store.Confirmed {
			return fmt.Errorf("the place of node %s: %w", id, store.ErrConflict)
		}
		now.Assignment, err = tx.PutDocument(ctx, store.Document{Kind: broadcast.KindAssignment, ID: id, Revision: doc.Revision, Raw: raw})
		if err != nil {
			return err
		}
		if err := tx.SaveNode(ctx, now); err != nil {
			return err
		}
		return tx.Audit(ctx, deed)
	})
	if err == nil {
		f.cfg.Events.Publish(events.Event{Kind: events.Node, ID: id})
	}
	return err
}

// trimming is what the audit log keeps of a trim, in hundredths of a decibel.
type trimming struct {
	Before int64 `json:"before_cdb"`
	After  int64 `json:"after_cdb"`
}
