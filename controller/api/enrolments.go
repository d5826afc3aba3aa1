package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
)

// Invitations asks for one-time tokens.
type Invitations struct {
	Nodes []Invitation `json:"nodes" nullable:"false" minItems:"1" maxItems:"500"`
}

// Invitation is a new node with the area that it shall stand in.
type Invitation struct {
	Node string `json:"node" pattern:"^[a-z0-9-]{1,40}$"`
	Area string `json:"area" pattern:"^[a-z0-9-]{1,40}$"`
}

// Invited answers with tokens that are shown once. Asking again for a node that
// did not enrol makes its earlier token worthless.
type Invited struct {
	Fingerprint string            `json:"fingerprint" doc:"Of the root: give it to the node by another way than the network"`
	Tokens      []InvitationToken `json:"tokens" nullable:"false"`
}

// InvitationToken is one node's one-time token.
type InvitationToken struct {
	Node  string `json:"node"`
	Area  string `json:"area"`
	Token string `json:"token"`
}

type inviteInput struct{ Body Invitations }

type inviteAnswer struct{ Body Invited }

// enrolInput is read as the wire format says, which is not the contract's to
// repeat.
type enrolInput struct {
	RawBody []byte `contentType:"application/json"`
}

type enrolAnswer struct{ Body json.RawMessage }

func (s *server) enrolments(r *registry) {
	on(r, "create-enrolment-tokens", s.invite)
	on(r, "create-demo-enrolment-tokens", s.inviteDemo)
	on(r, "enrol", s.enrol)
}

func (s *server) invite(ctx context.Context, in *inviteInput) (*inviteAnswer, error) {
	by := callerOf(ctx).Person
	for _, n := range in.Body.Nodes {
		if err := s.cfg.Office.Authorise(by, people.NodeEnrol, broadcast.ID(n.Area)); err != nil {
			return nil, err
		}
	}
	return s.tokens(ctx, by.ID, in.Body)
}

// inviteDemo needs no login, because a demo's root is obeyed by no real node.
func (s *server) inviteDemo(ctx context.Context, in *inviteInput) (*inviteAnswer, error) {
	demo, err := s.cfg.Office.Demo(ctx)
	if err != nil {
		return nil, err
	}
	if !demo {
		return nil, problem(http.StatusForbidden, "not-a-demo", "this is no demo house: a technician asks for tokens at /api/v1/enrolment-tokens",
			"Đây không phải hệ thống dùng thử: cán bộ kỹ thuật lấy mã tại /api/v1/enrolment-tokens.")
	}
	return s.tokens(ctx, "", in.Body)
}

func (s *server) tokens(ctx context.Context, by broadcast.ID, in Invitations) (*inviteAnswer, error) {
	out := &inviteAnswer{}
	out.Body = Invited{Fingerprint: string(s.cfg.Office.Fingerprint()), Tokens: []InvitationToken{}}
	for _, n := range in.Nodes {
		token, err := s.cfg.Fleet.Invite(ctx, by, fleet.Invitation{Node: broadcast.ID(n.Node), Area: broadcast.ID(n.Area)})
		if err != nil {
			return nil, err
		}
		out.Body.Tokens = append(out.Body.Tokens, InvitationToken{Node: n.Node, Area: n.Area, Token: token})
	}
	return out, nil
}

func (s *server) enrol(ctx context.Context, in *enrolInput) (*enrolAnswer, error) {
	e, err := wire.DecodeEnrolment(in.RawBody)
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "invalid", err.Error(), "Yêu cầu ghi danh không hợp lệ.")
	}
	done, err := s.cfg.Fleet.Enrol(ctx, e, s.cfg.Office.Roots())
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(done)
	return &enrolAnswer{Body: body}, err
}
