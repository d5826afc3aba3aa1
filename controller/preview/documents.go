package preview

import (
	"context"
	"errors"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// documents reads everything that the node's areas hold. What the node would
// not believe is left out, as on the node.
func (r *reader) documents(ctx context.Context) error {
	var areas []broadcast.ID
	for _, p := range r.places.Chain {
		areas = append(areas, p.Area)
	}
	listed, err := r.src.DB.Listings(ctx, areas, r.src.Now)
	if err != nil {
		return err
	}
	slices.SortStableFunc(listed, func(a, b store.Listing) int { return rank(a) - rank(b) })
	var policies []broadcast.Policy
	seen := map[broadcast.Digest]bool{}
	for _, l := range listed {
		if seen[l.SHA256] {
			continue
		}
		seen[l.SHA256] = true
		doc, err := r.src.DB.Document(ctx, l.SHA256)
		if err != nil {
			return err
		}
		if l.Kind == broadcast.KindPolicy {
			if p, _, err := seal.Open[broadcast.Policy](r.src.Ring, l.Kind, doc.Raw, r.context()); err == nil {
				policies = append(policies, p)
				r.in.Law = broadcast.LawOf(policies...)
			}
			continue
		}
		if err := r.take(ctx, l.Kind, doc.Raw); err != nil {
			return err
		}
	}
	return nil
}

// rank puts policies first: whether a silence met its threshold is for the law
// to say.
func rank(l store.Listing) int {
	if l.Kind == broadcast.KindPolicy {
		return 0
	}
	return 1
}

// take adds one document to the input; an error is one of the database.
func (r *reader) take(ctx context.Context, kind broadcast.Kind, raw []byte) error {
	switch kind {
	case broadcast.KindAnnouncement, broadcast.KindDrill:
		a, proof, err := seal.Open[broadcast.Announcement](r.src.Ring, kind, raw, r.context())
		if err != nil {
			return nil // the node refuses it too
		}
		r.in.Items = append(r.in.Items, plan.Item{Announcement: a, Payload: proof.Payload, Drill: kind == broadcast.KindDrill, Signers: signers(proof)})
		return r.orders(ctx, a)
	case broadcast.KindWithdrawal:
		if w, proof, err := seal.Open[broadcast.Withdrawal](r.src.Ring, kind, raw, r.context()); err == nil {
			r.in.Withdrawals = append(r.in.Withdrawals, plan.Withdrawal{Withdrawal: w, Level: proof.Level()})
		}
	case broadcast.KindSilence:
		if s, proof, err := seal.Open[broadcast.Silence](r.src.Ring, kind, raw, r.context()); err == nil {
			n, may := r.in.Law.Threshold(broadcast.Emergency, s.Reason)
			r.in.Silences = append(r.in.Silences, plan.Silence{Silence: s, Level: proof.Level(), Emergency: may && len(proof.Signers) >= n})
		}
	case broadcast.KindPlacement:
		if p, _, err := seal.Open[broadcast.Placement](r.src.Ring, kind, raw, r.context()); err == nil {
			r.in.Placements = append(r.in.Placements, p)
		}
	case broadcast.KindSlot:
		if s, _, err := seal.Open[broadcast.Slot](r.src.Ring, kind, raw, r.context()); err == nil {
			r.in.Slots = append(r.in.Slots, s)
		}
	}
	return nil
}

// orders reads the running orders that an announcement names.
func (r *reader) orders(ctx context.Context, a broadcast.Announcement) error {
	for _, v := range a.Versions {
		if v.Programme == nil {
			continue
		}
		doc, err := r.src.DB.Document(ctx, v.Programme.SHA256)
		if errors.Is(err, store.ErrNotFound) {
			continue // the plan says that it is missing
		}
		if err != nil {
			return err
		}
		if o, err := broadcast.Decode[broadcast.RunningOrder](doc.Raw); err == nil {
			r.in.Orders[v.Programme.SHA256] = o
		}
	}
	return nil
}

func signers(p seal.Proof) []plan.Signer {
	var out []plan.Signer
	for _, s := range p.Signers {
		out = append(out, plan.Signer{Person: s.Person, Level: s.Level, Custody: s.Custody})
	}
	return out
}
