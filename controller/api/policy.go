package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
)

// Regulation is the policy of one area: what stands, and what waits for two
// signatures.
type Regulation struct {
	Area     string         `json:"area"`
	Version  int64          `json:"version" doc:"Name it when you propose; 0 before the first"`
	Author   string         `json:"author,omitempty"`
	Draft    map[string]any `json:"draft,omitempty" doc:"What waits for signatures; docs/policy.md has every field"`
	Digest   string         `json:"digest,omitempty" doc:"What people sign of the draft; name it when you sign"`
	Signer   string         `json:"signer,omitempty" doc:"Who signed so far; two different people have to"`
	Signed   string         `json:"signed,omitempty" format:"date-time"`
	Standing map[string]any `json:"standing,omitempty" doc:"What nodes hold"`
	Changes  []FieldChange  `json:"changes" nullable:"false" doc:"In what the draft differs from what stands"`
}

// FieldChange is one field of a policy before and after.
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

type regulationAnswer struct{ Body Regulation }

type proposeInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Version int64          `json:"version,omitempty" minimum:"0" doc:"The version that was read"`
		Policy  map[string]any `json:"policy" doc:"Every rule; what is left out is taken from the areas above. docs/policy.md has every field"`
	}
}

func (s *server) policies(r *registry) {
	on(r, "get-policy", func(ctx context.Context, in *idPath) (*regulationAnswer, error) {
		return regulated(s.cfg.Desk.Regulation(ctx, broadcast.ID(in.ID)))
	})
	on(r, "propose-policy", func(ctx context.Context, in *proposeInput) (*regulationAnswer, error) {
		p, err := policyIn(in.Body.Policy)
		if err != nil {
			return nil, err
		}
		p.Area = broadcast.ID(in.ID)
		return regulated(s.cfg.Desk.ProposePolicy(ctx, callerOf(ctx).Person, in.Body.Version, p))
	})
	on(r, "sign-policy", func(ctx context.Context, in *approveInput) (*regulationAnswer, error) {
		c := callerOf(ctx)
		return regulated(s.cfg.Desk.SignPolicy(ctx, c.Person, c.credential(), broadcast.ID(in.ID), broadcast.Digest(in.Body.Digest)))
	})
	on(r, "get-policy-difference", func(ctx context.Context, in *idPath) (*differenceAnswer, error) {
		if err := s.knownArea(broadcast.ID(in.ID)); err != nil {
			return nil, err
		}
		if err := s.cfg.Office.Authorise(callerOf(ctx).Person, people.PlanRead, broadcast.ID(in.ID)); err != nil {
			return nil, err
		}
		d, err := s.cfg.Desk.PolicyDifference(ctx, broadcast.ID(in.ID))
		if err != nil {
			return nil, err
		}
		return &differenceAnswer{Body: s.differenceOf(d)}, nil
	})
}

// policyIn reads a policy and refuses fields that no policy has: a rule with a
// typing error must not be a rule that nobody enforces.
func policyIn(body map[string]any) (broadcast.Policy, error) {
	var p broadcast.Policy
	raw, err := json.Marshal(body)
	if err != nil {
		return p, err
	}
	read := json.NewDecoder(bytes.NewReader(raw))
	read.DisallowUnknownFields()
	if err := read.Decode(&p); err != nil {
		return p, problem(http.StatusUnprocessableEntity, "invalid", fmt.Sprintf("the policy cannot be read: %v; docs/policy.md has every field", err),
			"Không đọc được quy chế: hãy kiểm tra tên và giá trị các mục.")
	}
	return p, nil
}

func regulated(r desk.Regulation, err error) (*regulationAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &regulationAnswer{Body: regulationOf(r)}, nil
}

func regulationOf(r desk.Regulation) Regulation {
	out := Regulation{Area: string(r.Area), Version: r.Version, Author: string(r.Author), Draft: policyOut(r.Draft), Digest: string(r.Digest),
		Signer: string(r.Signer), Signed: moment(r.Signed), Standing: policyOut(r.Standing), Changes: []FieldChange{}}
	for _, c := range r.Changes {
		out.Changes = append(out.Changes, FieldChange(c))
	}
	return out
}

// policyOut is a policy as its document writes it; nil for none.
func policyOut(p *broadcast.Policy) map[string]any {
	if p == nil {
		return nil
	}
	var out map[string]any
	raw, err := json.Marshal(p)
	if err != nil || json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}
