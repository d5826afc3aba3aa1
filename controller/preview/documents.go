package preview

import (
	"context"
	"errors"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// silence is one with what decides whether it met the threshold of emergencies.
type silence struct {
	plan.Silence
	signers int
}

// documents reads everything that some areas list. What nodes would not believe
// is left out, as on the nodes.
func (r *reader) documents(ctx context.Context, areas []broadcast.ID) error {
	listed, err := r.src.DB.Listings(ctx, areas, min(r.since, r.src.Now))
	if err != nil {
		return err
	}
	seen := map[broadcast.Digest]bool{}
	for _, l := range listed {
		if seen[l.SHA256] || l.Until <= r.src.Now && l.Kind != broadcast.KindAnnouncement && l.Kind != broadcast.KindDrill {
			continue
		}
		seen[l.SHA256] = true
		doc, err := r.src.DB.Document(ctx, l.SHA256)
		if err != nil {
			return err
		}
		if err := r.take(ctx, l.Kind, doc.Raw); err != nil {
			return err
		}
	}
	return nil
}

// take adds one document to what was read; an error is one of the database.
func (r *reader) take(ctx context.Context, kind broadcast.Kind, raw []byte) error {
	switch kind {
	case broadcast.KindAnnouncement, broadcast.KindDrill:
		a, proof, err := seal.Open[broadcast.Announcement](r.src.Ring, kind, raw, r.context())
		if err != nil {
			return nil // the node refuses it too
		}
		r.in.Items = append(r.in.Items, plan.Item{Announcement: a, Payload: proof.Payload, Drill: kind == broadcast.KindDrill, Signers: signers(proof)})
		return r.orders(ctx, a)
	case broadcast.KindPolicy:
		if p, _, err := seal.Open[broadcast.Policy](r.src.Ring, kind, raw, r.context()); err == nil {
			r.policies = append(r.policies, p)
		}
	case broadcast.KindWithdrawal:
		if w, proof, err := seal.Open[broadcast.Withdrawal](r.src.Ring, kind, raw, r.context()); err == nil {
			r.in.Withdrawals = append(r.in.Withdrawals, plan.Withdrawal{Withdrawal: w, Level: proof.Level()})
		}
	case broadcast.KindSilence:
		if s, proof, err := seal.Open[broadcast.Silence](r.src.Ring, kind, raw, r.context()); err == nil {
			r.silences = append(r.silences, silence{plan.Silence{Silence: s, Level: proof.Level()}, len(proof.Signers)})
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

// at is the input of the plan of one place: of what was read, what concerns it.
func (r *reader) at(a broadcast.Assignment) plan.Input {
	in := r.in
	in.Assignment = a
	in.Law = broadcast.LawOf(r.policiesOf(a)...)
	in.Items = only(r.in.Items, func(i plan.Item) bool { return a.Within(i.Announcement.Areas) })
	in.Withdrawals = only(r.in.Withdrawals, func(w plan.Withdrawal) bool { return a.Within(w.Areas) })
	in.Placements = only(r.in.Placements, func(p broadcast.Placement) bool { return a.Within(p.Areas) })
	in.Slots = only(r.in.Slots, func(s broadcast.Slot) bool { return a.Within(s.Areas) })
	for _, s := range r.silences {
		if a.Within(s.Areas) {
			n, may := in.Law.Threshold(broadcast.Emergency, s.Reason)
			s.Emergency = may && s.signers >= n
			in.Silences = append(in.Silences, s.Silence)
		}
	}
	return in
}

// policiesOf are the policies of the areas to which a place belongs.
func (r *reader) policiesOf(a broadcast.Assignment) []broadcast.Policy {
	return only(r.policies, func(p broadcast.Policy) bool { return a.Knows(p.Area) })
}

// only are those of a list that a condition holds for.
func only[T any](list []T, holds func(T) bool) []T {
	var out []T
	for _, v := range list {
		if holds(v) {
			out = append(out, v)
		}
	}
	return out
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
