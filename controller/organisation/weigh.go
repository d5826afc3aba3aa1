package organisation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// Standing is what an area is before or after a plan.
type Standing struct {
	Name   string          `json:"name"`
	Code   string          `json:"code,omitempty"`
	Level  broadcast.Level `json:"level"`
	Parent broadcast.ID    `json:"parent,omitempty"`
}

// Step is one area before and after; Before is nil for a new one, After for one
// that is retired.
type Step struct {
	Area   broadcast.ID `json:"area"`
	Before *Standing    `json:"before,omitempty"`
	After  *Standing    `json:"after,omitempty"`
}

// Dispute is an area that takes in others which have differing policies.
type Dispute struct {
	Area broadcast.ID `json:"area"`
	// Of are the parts that have a policy of their own.
	Of []broadcast.ID `json:"of"`
	// Choice is what the plan chooses, empty while nobody did.
	Choice broadcast.ID `json:"choice,omitempty"`
}

// Held is a document that stands in an area which changes. It goes on holding
// there, because the area goes on as a part.
type Held struct {
	Area broadcast.ID      `json:"area"`
	Kind broadcast.Kind    `json:"kind"`
	ID   broadcast.ID      `json:"id"`
	End  broadcast.Instant `json:"until"`
}

// Effects is all that follows of a plan. Whoever applies the plan names Digest, by
// which the effects are the ones that were shown.
type Effects struct {
	At       broadcast.Instant `json:"at"`
	Steps    []Step            `json:"steps"`
	Disputes []Dispute         `json:"disputes,omitempty"`
	// Nodes get another place, which an officer has to sign on or after the day.
	Nodes     []broadcast.ID   `json:"nodes,omitempty"`
	Documents []Held           `json:"documents,omitempty"`
	Plan      broadcast.Digest `json:"plan"`
	Digest    broadcast.Digest `json:"-"`
}

// Weigh says what follows of a plan, without doing anything. A plan for a day that
// has passed, or one that cannot be carried out, is ErrPlan.
func (c *Chart) Weigh(ctx context.Context, p Plan) (Effects, error) {
	before := c.Tree()
	after, s, err := c.judge(p, before)
	if err != nil {
		return Effects{}, err
	}
	e := Effects{At: s.at}
	if e.Plan, err = digestOf(p); err != nil {
		return e, err
	}
	for _, a := range after.Areas() {
		if s.touched[a.ID] {
			e.Steps = append(e.Steps, Step{Area: a.ID, Before: standing(before, a.ID, s.at), After: standing(after, a.ID, s.at)})
		}
	}
	if e.Nodes, err = c.movers(ctx, before, after, s); err != nil {
		return e, err
	}
	rows, err := c.db.AllListings(ctx, s.at)
	if err != nil {
		return e, err
	}
	for _, l := range rows {
		if s.touched[l.Area] && l.Kind != broadcast.KindAuthority {
			e.Documents = append(e.Documents, Held{Area: l.Area, Kind: l.Kind, ID: l.ID, End: l.Until})
		}
	}
	if e.Disputes, err = c.disputes(ctx, p, rows); err != nil {
		return e, err
	}
	e.Digest, err = digestOf(e)
	return e, err
}

// judge draws the plan into the tree, unless its day is wrong.
func (c *Chart) judge(p Plan, before broadcast.Tree) (broadcast.Tree, *sketch, error) {
	if err := p.Validate(); err != nil {
		return before, nil, err
	}
	after, s, err := p.draw(before)
	if err != nil {
		return before, nil, err
	}
	now := broadcast.InstantOf(c.now())
	switch {
	case s.at < broadcast.DateOf(now).Begins():
		return before, nil, wrong("%s has passed, and what areas were called on a day that has passed is never changed; take today or a later day", p.Day)
	case s.at.Sub(now) > farthest:
		return before, nil, wrong("%s is more than a year ahead", p.Day)
	}
	return after, s, nil
}

func digestOf(v any) (broadcast.Digest, error) {
	raw, err := broadcast.Encode(v)
	return broadcast.Sum(raw), err
}

func standing(t broadcast.Tree, id broadcast.ID, at broadcast.Instant) *Standing {
	a, _ := t.Find(id)
	f, exists := a.At(at)
	if !exists {
		return nil
	}
	return &Standing{Name: f.Name, Code: f.Code, Level: f.Level, Parent: f.Parent}
}

// movers are the confirmed nodes whose chain of areas changes. An area in which
// nodes stand is not retired: they would be nowhere.
func (c *Chart) movers(ctx context.Context, before, after broadcast.Tree, s *sketch) ([]broadcast.ID, error) {
	nodes, err := c.db.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	var out []broadcast.ID
	for _, n := range nodes {
		if n.Status == store.Revoked {
			continue
		}
		was, err := before.Chain(n.Area, s.at)
		if err != nil {
			continue // it stands nowhere already
		}
		will, err := after.Chain(n.Area, s.at)
		if err != nil {
			return nil, wrong("node %s stands in %s; merge that area into another instead of retiring it", n.ID, n.Area)
		}
		if n.Status == store.Confirmed && !slices.Equal(was, will) {
			out = append(out, n.ID)
		}
	}
	return out, nil
}

// disputes finds merges of areas whose policies say different things.
func (c *Chart) disputes(ctx context.Context, p Plan, rows []store.Listing) ([]Dispute, error) {
	var out []Dispute
	for _, change := range p.Changes {
		if change.Do != Merge {
			continue
		}
		d := Dispute{Area: change.Area, Choice: p.Policies[change.Area]}
		sums := map[broadcast.Digest]bool{}
		for _, l := range rows {
			if l.Kind != broadcast.KindPolicy || !slices.Contains(change.Parts, l.Area) {
				continue
			}
			rule, err := c.policy(ctx, l.SHA256)
			if err != nil {
				return nil, err
			}
			rule.Area, rule.Revision = change.Area, 0
			sum, err := digestOf(rule)
			if err != nil {
				return nil, err
			}
			sums[sum], d.Of = true, append(d.Of, l.Area)
		}
		if len(sums) > 1 || len(sums) == 1 && len(d.Of) < len(change.Parts) {
			out = append(out, d)
		}
	}
	return out, nil
}

func (c *Chart) policy(ctx context.Context, sha broadcast.Digest) (broadcast.Policy, error) {
	var none broadcast.Policy
	doc, err := c.db.Document(ctx, sha)
	if err != nil {
		return none, err
	}
	env, err := seal.Parse(broadcast.KindPolicy, doc.Raw)
	if err != nil {
		return none, err
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return none, err
	}
	return broadcast.Decode[broadcast.Policy](payload)
}

// Errors that callers tell apart.
var (
	// ErrShown: the effects are others than those that were shown.
	ErrShown = errors.New("what follows of this plan is not what was shown; look at it again")
	// ErrChoice: areas with differing policies come together, and nobody chose.
	ErrChoice = errors.New("areas with differing policies come together; say in the plan's policies whose is proposed for the whole, or own")
)

// chosen says whether every dispute has a choice that it offers.
func chosen(disputes []Dispute) error {
	for _, d := range disputes {
		if d.Choice != Own && !slices.Contains(d.Of, d.Choice) {
			return fmt.Errorf("%s takes in %v: %w", d.Area, d.Of, ErrChoice)
		}
	}
	return nil
}
