package api

import (
	"context"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
)

// AreaChange is one change of one area.
type AreaChange struct {
	Do     string   `json:"do" enum:"create,rename,move,merge,retire"`
	Area   string   `json:"area" pattern:"^[a-z0-9-]{1,40}$"`
	Name   string   `json:"name,omitempty" maxLength:"200"`
	Code   string   `json:"code,omitempty" maxLength:"20"`
	Level  string   `json:"level,omitempty" enum:"province,district,commune,village"`
	Parent string   `json:"parent,omitempty" pattern:"^[a-z0-9-]{1,40}$"`
	Parts  []string `json:"parts,omitempty" maxItems:"60" nullable:"false" doc:"Of a merge: the areas that become named parts of the area"`
}

// AreaPlan is what changes in the organisation tree on one day.
type AreaPlan struct {
	Name     string            `json:"name" maxLength:"200" doc:"Such as the number of the decision"`
	Day      string            `json:"day" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"From its beginning on, in Vietnam"`
	Changes  []AreaChange      `json:"changes" minItems:"1" maxItems:"200" nullable:"false"`
	Policies map[string]string `json:"policies,omitempty" doc:"For a merged area whose parts have differing policies: the part whose policy is proposed for the whole, or own"`
}

func (p AreaPlan) plan() organisation.Plan {
	out := organisation.Plan{Name: broadcast.NormalText(p.Name), Day: p.Day}
	for _, c := range p.Changes {
		change := organisation.Change{Do: organisation.Deed(c.Do), Area: broadcast.ID(c.Area), Name: broadcast.NormalText(c.Name), Code: c.Code,
			Level: broadcast.Level(c.Level), Parent: broadcast.ID(c.Parent)}
		for _, part := range c.Parts {
			change.Parts = append(change.Parts, broadcast.ID(part))
		}
		out.Changes = append(out.Changes, change)
	}
	for area, choice := range p.Policies {
		if out.Policies == nil {
			out.Policies = map[broadcast.ID]broadcast.ID{}
		}
		out.Policies[broadcast.ID(area)] = broadcast.ID(choice)
	}
	return out
}

// AreaEffects is all that follows of a plan.
type AreaEffects struct {
	From      string        `json:"from" format:"date-time"`
	Digest    string        `json:"digest,omitempty" doc:"Name it when you apply the plan; empty for a plan that was applied before"`
	Plan      string        `json:"plan" doc:"By which the plan is dropped while its day has not come"`
	Steps     []AreaStep    `json:"steps" nullable:"false"`
	Disputes  []AreaDispute `json:"disputes" nullable:"false" doc:"Each needs a choice in the plan's policies"`
	Nodes     []string      `json:"nodes" nullable:"false" doc:"An officer signs their new places on the day or later"`
	Documents []AreaHeld    `json:"documents" nullable:"false" doc:"They go on holding in the same areas"`
}

// AreaFact is what an area is at some time.
type AreaFact struct {
	From   string `json:"from,omitempty" format:"date-time"`
	Name   string `json:"name"`
	Code   string `json:"code,omitempty"`
	Level  string `json:"level"`
	Parent string `json:"parent,omitempty"`
	Ended  bool   `json:"ended,omitempty" doc:"There is no such area from then on"`
}

// AreaStep is one area before and after a plan.
type AreaStep struct {
	Area   string    `json:"area"`
	Before *AreaFact `json:"before,omitempty"`
	After  *AreaFact `json:"after,omitempty"`
}

// AreaDispute is an area that takes in others with differing policies.
type AreaDispute struct {
	Area   string   `json:"area"`
	Of     []string `json:"of" nullable:"false"`
	Choice string   `json:"choice,omitempty"`
}

// AreaHeld is a document that stands in an area which changes.
type AreaHeld struct {
	Area  string `json:"area"`
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Until string `json:"until" format:"date-time"`
}

// AreaHistory is what an area was called, is called and will be.
type AreaHistory struct {
	ID    string     `json:"id"`
	Facts []AreaFact `json:"facts" nullable:"false"`
}

// AppliedPlan is a plan with who applied it.
type AppliedPlan struct {
	Plan   string `json:"plan"`
	Name   string `json:"name"`
	Day    string `json:"day"`
	Person string `json:"person"`
	On     string `json:"on" format:"date-time"`
}

type organisationAnswer struct {
	Body struct {
		Areas []AreaHistory `json:"areas" nullable:"false" doc:"Also those that are gone, and those to come"`
		Plans []AppliedPlan `json:"plans" nullable:"false"`
	}
}

type planWeighInput struct{ Body AreaPlan }

type planApplyInput struct {
	Body struct {
		Plan   AreaPlan `json:"plan"`
		Digest string   `json:"digest" pattern:"^[0-9a-f]{64}$" doc:"Of the effects that were shown"`
	}
}

type effectsAnswer struct{ Body AreaEffects }

// NodeMove is a node whose signed place is not today's.
type NodeMove struct {
	Node string   `json:"node"`
	From []string `json:"from" nullable:"false"`
	To   []string `json:"to" nullable:"false"`
	Done bool     `json:"done" doc:"Its new place was signed just now"`
	Why  string   `json:"why,omitempty" doc:"Why it could not be signed"`
}

type movesAnswer struct {
	Body struct {
		Moves    []NodeMove `json:"moves" nullable:"false"`
		Left     int        `json:"left" doc:"Nodes of the caller's areas that are still to be signed for: ask again"`
		Proposed []string   `json:"proposed" nullable:"false" doc:"Merged areas for which the chosen policy now waits for two signatures"`
	}
}

// movesAtOnce bounds how many places one request signs.
const movesAtOnce = 500

func (s *server) organisation(r *registry) {
	on(r, "get-organisation", s.getOrganisation)
	on(r, "weigh-organisation", func(ctx context.Context, in *planWeighInput) (*effectsAnswer, error) {
		p := in.Body.plan()
		if err := s.answersFor(ctx, p); err != nil {
			return nil, err
		}
		return effectsOf(s.cfg.Organisation.Weigh(ctx, p))
	})
	on(r, "apply-organisation", func(ctx context.Context, in *planApplyInput) (*effectsAnswer, error) {
		p := in.Body.Plan.plan()
		if err := s.answersFor(ctx, p); err != nil {
			return nil, err
		}
		return effectsOf(s.cfg.Organisation.Apply(ctx, callerOf(ctx).Person.ID, p, broadcast.Digest(in.Body.Digest)))
	})
	on(r, "drop-organisation", s.dropPlan)
	on(r, "list-moves", func(ctx context.Context, _ *struct{}) (*movesAnswer, error) {
		moves, err := s.moves(ctx)
		if err != nil {
			return nil, err
		}
		var shown []fleet.Moved
		for _, m := range moves {
			shown = append(shown, fleet.Moved{Move: m})
		}
		return movesOf(shown, len(moves)), nil
	})
	on(r, "sign-moves", s.signMoves)
}

// answersFor refuses whoever does not act in everything that a plan changes.
func (s *server) answersFor(ctx context.Context, p organisation.Plan) error {
	return s.cfg.Office.Authorise(callerOf(ctx).Person, people.AreaManage, p.Areas()...)
}

func (s *server) getOrganisation(ctx context.Context, _ *struct{}) (*organisationAnswer, error) {
	plans, err := s.cfg.Organisation.Plans(ctx)
	if err != nil {
		return nil, err
	}
	out := &organisationAnswer{}
	out.Body.Areas, out.Body.Plans = []AreaHistory{}, []AppliedPlan{}
	for _, a := range s.cfg.Tree().Areas() {
		h := AreaHistory{ID: string(a.ID)}
		for _, f := range a.Facts {
			h.Facts = append(h.Facts, AreaFact{From: moment(f.From), Name: f.Name, Code: f.Code, Level: string(f.Level), Parent: string(f.Parent), Ended: f.Retired})
		}
		out.Body.Areas = append(out.Body.Areas, h)
	}
	for _, p := range plans {
		out.Body.Plans = append(out.Body.Plans, AppliedPlan{Plan: string(p.Digest), Name: p.Name, Day: p.Day, Person: string(p.By), On: moment(p.On)})
	}
	return out, nil
}

func effectsOf(e organisation.Effects, err error) (*effectsAnswer, error) {
	if err != nil {
		return nil, err
	}
	out := &effectsAnswer{Body: AreaEffects{From: moment(e.At), Digest: string(e.Digest), Plan: string(e.Plan), Steps: []AreaStep{}, Disputes: []AreaDispute{},
		Nodes: append([]string{}, texts(e.Nodes)...), Documents: []AreaHeld{}}}
	for _, step := range e.Steps {
		out.Body.Steps = append(out.Body.Steps, AreaStep{Area: string(step.Area), Before: factOf(step.Before), After: factOf(step.After)})
	}
	for _, d := range e.Disputes {
		out.Body.Disputes = append(out.Body.Disputes, AreaDispute{Area: string(d.Area), Of: texts(d.Of), Choice: string(d.Choice)})
	}
	for _, h := range e.Documents {
		out.Body.Documents = append(out.Body.Documents, AreaHeld{Area: string(h.Area), Kind: string(h.Kind), ID: string(h.ID), Until: moment(h.End)})
	}
	return out, nil
}

func factOf(s *organisation.Standing) *AreaFact {
	if s == nil {
		return nil
	}
	return &AreaFact{Name: s.Name, Code: s.Code, Level: string(s.Level), Parent: string(s.Parent)}
}

// dropPlan takes a plan back before its day.
func (s *server) dropPlan(ctx context.Context, in *contentPath) (*struct{}, error) {
	plans, err := s.cfg.Organisation.Plans(ctx)
	if err != nil {
		return nil, err
	}
	digest := broadcast.Digest(in.SHA256)
	if i := slices.IndexFunc(plans, func(p organisation.Applied) bool { return p.Digest == digest }); i >= 0 {
		if err := s.answersFor(ctx, plans[i].Plan); err != nil {
			return nil, err
		}
	}
	return nil, s.cfg.Organisation.Drop(ctx, callerOf(ctx).Person.ID, digest)
}

// moves are the nodes behind for which whoever asks may sign.
func (s *server) moves(ctx context.Context) ([]fleet.Move, error) {
	all, err := s.cfg.Fleet.Behind(ctx)
	if err != nil {
		return nil, err
	}
	by := callerOf(ctx).Person
	return slices.DeleteFunc(all, func(m fleet.Move) bool {
		return s.cfg.Office.Authorise(by, people.NodeConfirm, m.Node.Area) != nil
	}), nil
}

func movesOf(list []fleet.Moved, left int) *movesAnswer {
	out := &movesAnswer{}
	out.Body.Moves, out.Body.Left, out.Body.Proposed = []NodeMove{}, left, []string{}
	for _, m := range list {
		row := NodeMove{Node: string(m.Node.ID)}
		for _, p := range m.From {
			row.From = append(row.From, string(p.Area))
		}
		for _, p := range m.To {
			row.To = append(row.To, string(p.Area))
		}
		out.Body.Moves = append(out.Body.Moves, row)
	}
	return out
}

// signMoves has nodes follow the tree, and proposes the policies that were chosen
// for merged areas.
func (s *server) signMoves(ctx context.Context, _ *struct{}) (*movesAnswer, error) {
	moves, err := s.moves(ctx)
	if err != nil {
		return nil, err
	}
	c := callerOf(ctx)
	left := max(0, len(moves)-movesAtOnce)
	var done []fleet.Moved
	err = s.cfg.Office.With(ctx, c.credential(), func(signer seal.Signer) error {
		done = s.cfg.Fleet.Follow(ctx, c.Person.ID, signer, moves[:len(moves)-left])
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := movesOf(done, left)
	for i, m := range done {
		out.Body.Moves[i].Done = m.Err == nil
		if m.Err != nil {
			out.Body.Moves[i].Why = m.Err.Error()
		}
	}
	out.Body.Proposed, err = s.propose(ctx)
	return out, err
}

// propose drafts the chosen policies of merged areas that have none yet.
func (s *server) propose(ctx context.Context) ([]string, error) {
	out := []string{}
	rules, err := s.cfg.Organisation.Proposals(ctx)
	if err != nil {
		return nil, err
	}
	by := callerOf(ctx).Person
	for _, rule := range rules {
		if s.cfg.Office.Authorise(by, people.PolicyWrite, rule.Area) != nil {
			continue
		}
		now, err := s.cfg.Desk.Regulation(ctx, rule.Area)
		if err != nil {
			return nil, err
		}
		if now.Draft != nil || now.Standing != nil {
			continue
		}
		if _, err := s.cfg.Desk.ProposePolicy(ctx, by, now.Version, rule); err != nil {
			return nil, err
		}
		out = append(out, string(rule.Area))
	}
	return out, nil
}
