package organisation

import (
	"context"
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Apply has a plan take effect on its day, if its effects are the ones that were
// shown. Applying it again changes nothing. It signs nothing: nodes stay where
// they are until an officer signs their new places.
func (c *Chart) Apply(ctx context.Context, by broadcast.ID, p Plan, shown broadcast.Digest) (Effects, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	if done, err := c.applied(ctx, p); err != nil || done != nil {
		return *orNone(done), err
	}
	e, err := c.Weigh(ctx, p)
	if err != nil {
		return e, err
	}
	if e.Digest != shown {
		return e, ErrShown
	}
	if err := chosen(e.Disputes); err != nil {
		return e, err
	}
	raw, err := broadcast.Encode(p)
	if err != nil {
		return e, err
	}
	now := broadcast.InstantOf(c.now())
	err = c.db.Update(ctx, func(tx store.Tx) error {
		rows, err := c.rows(ctx, tx, p, e.Plan)
		if err != nil {
			return err
		}
		kept := store.AreaPlan{Digest: e.Plan, At: e.At, Person: by, Applied: now, Plan: string(raw)}
		if err := errors.Join(tx.AddAreaFacts(ctx, rows), tx.AddAreaPlan(ctx, kept)); err != nil {
			return err
		}
		for _, change := range p.Changes {
			deed := store.Deed{At: now, Person: by, Act: "area." + string(change.Do), Subject: string(change.Area), Detail: noted{Plan: e.Plan, Name: p.Name, Day: p.Day, Change: change}}
			if err := tx.Audit(ctx, deed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return e, fmt.Errorf("plan %s: %w", p.Name, err)
	}
	return e, c.load(ctx)
}

// noted is what the audit log keeps of a change.
type noted struct {
	Plan   broadcast.Digest `json:"plan"`
	Name   string           `json:"name"`
	Day    string           `json:"day"`
	Change Change           `json:"change"`
}

func orNone(e *Effects) *Effects {
	if e == nil {
		return &Effects{}
	}
	return e
}

// applied returns the effects of a plan that was applied before, or nil.
func (c *Chart) applied(ctx context.Context, p Plan) (*Effects, error) {
	digest, err := digestOf(p)
	if err != nil {
		return nil, err
	}
	rows, err := c.db.AreaPlans(ctx)
	for _, r := range rows {
		if r.Digest == digest {
			return &Effects{At: r.At, Plan: digest}, err
		}
	}
	return nil, err
}

// rows are what the plan adds to the facts that stand now.
func (c *Chart) rows(ctx context.Context, tx store.Tx, p Plan, digest broadcast.Digest) ([]store.AreaFact, error) {
	have, err := tx.AreaFacts(ctx)
	if err != nil {
		return nil, err
	}
	before, err := treeOf(have)
	if err != nil {
		return nil, err
	}
	after, s, err := p.draw(before)
	if err != nil {
		return nil, err
	}
	places, last := map[broadcast.ID]int64{}, int64(0)
	for _, f := range have {
		places[f.Area], last = f.Place, max(last, f.Place)
	}
	var out []store.AreaFact
	for _, a := range after.Areas() {
		if !s.touched[a.ID] {
			continue
		}
		place, known := places[a.ID]
		if !known {
			last++
			place = last
		}
		fact := a.Facts[len(a.Facts)-1]
		rows, err := factsOf([]broadcast.Area{{ID: a.ID, Facts: []broadcast.Fact{fact}}}, place, digest)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// Applied is a plan with who applied it.
type Applied struct {
	Plan
	Digest broadcast.Digest
	At     broadcast.Instant
	By     broadcast.ID
	On     broadcast.Instant
}

// Plans returns every plan that was applied, by day.
func (c *Chart) Plans(ctx context.Context) ([]Applied, error) {
	rows, err := c.db.AreaPlans(ctx)
	if err != nil {
		return nil, err
	}
	var out []Applied
	for _, r := range rows {
		p, err := broadcast.Decode[Plan]([]byte(r.Plan))
		if err != nil {
			return nil, fmt.Errorf("plan %s: %w", r.Digest.Short(), err)
		}
		out = append(out, Applied{Plan: p, Digest: r.Digest, At: r.At, By: r.Person, On: r.Applied})
	}
	return out, nil
}

// Drop takes a plan back whose day has not come, as long as no other plan builds
// on it. One that is not there, or has begun, is store.ErrNotFound.
func (c *Chart) Drop(ctx context.Context, by broadcast.ID, digest broadcast.Digest) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	now := broadcast.InstantOf(c.now())
	err := c.db.Update(ctx, func(tx store.Tx) error {
		if err := tx.DropAreaPlan(ctx, digest, now); err != nil {
			return err
		}
		rows, err := tx.AreaFacts(ctx)
		if err != nil {
			return err
		}
		if _, err := treeOf(rows); err != nil {
			return wrong("another plan builds on it; drop that one first: %w", err)
		}
		return tx.Audit(ctx, store.Deed{At: now, Person: by, Act: "area.drop", Subject: string(digest)})
	})
	if err != nil {
		return err
	}
	return c.load(ctx)
}

// Proposals are the policies that plans chose for merged areas, of plans whose day
// has come. Their areas are the merged ones; nothing of them holds before two
// people have signed it.
func (c *Chart) Proposals(ctx context.Context) ([]broadcast.Policy, error) {
	plans, err := c.Plans(ctx)
	if err != nil {
		return nil, err
	}
	now := broadcast.InstantOf(c.now())
	rows, err := c.db.AllListings(ctx, now)
	if err != nil {
		return nil, err
	}
	var out []broadcast.Policy
	for _, p := range plans {
		for _, l := range rows {
			for area, choice := range p.Policies {
				if p.At > now || l.Kind != broadcast.KindPolicy || l.Area != choice {
					continue
				}
				rule, err := c.policy(ctx, l.SHA256)
				if err != nil {
					return nil, err
				}
				rule.Area, rule.Revision = area, 0
				out = append(out, rule)
			}
		}
	}
	return out, nil
}
