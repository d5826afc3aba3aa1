package api_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/people"
)

const phrase = "một mật khẩu đủ dài"

// by asks for something as somebody.
func (r *rig) by(token, path string) apitest.Answer {
	r.t.Helper()
	return r.Do(apitest.Call{Method: "GET", Path: path, Token: token})
}

func newcomer(change func(*api.NewPerson)) api.NewPerson {
	n := api.NewPerson{ID: "hoa", Name: "Vàng Thị Hoa", Role: "approver", Areas: []string{"tan-lap"}, Passphrase: phrase}
	if change != nil {
		change(&n)
	}
	return n
}

func TestAPersonComesAndGoes(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	var hoa api.Person
	r.ok(r.post(admin, "/api/v1/persons", newcomer(nil)), 201, &hoa)
	if hoa.ID != "hoa" || hoa.Level != "village" || hoa.SignsUntil == "" || hoa.Left != "" {
		t.Errorf("%+v", hoa)
	}
	token, err := r.Office.Mint(t.Context(), people.Credential{Person: "hoa", Passphrase: phrase}, time.Hour, "")
	if err != nil {
		t.Fatal(err)
	}
	var me api.Me
	r.ok(r.by(token, "/api/v1/me"), 200, &me)
	if !me.Signs || me.Name != "Vàng Thị Hoa" {
		t.Errorf("%+v", me)
	}
	hoa = api.Person{}
	r.ok(r.post(admin, "/api/v1/persons/hoa/dismiss", api.Dismissal{Mode: "retired"}), 200, &hoa)
	if hoa.Left == "" || hoa.SignsUntil != "" {
		t.Errorf("%+v", hoa)
	}
	if got := r.by(token, "/api/v1/me"); got.Status != 401 {
		t.Errorf("the token of somebody who left: %d %s", got.Status, got.Body)
	}
	if got := r.post(admin, "/api/v1/persons/hoa/dismiss", api.Dismissal{Mode: "retired"}); got.Status != 409 || got.Problem(t).Code != "person-left" {
		t.Errorf("twice: %d %s", got.Status, got.Body)
	}
	var all struct{ Persons []api.Person }
	r.ok(r.by(admin, "/api/v1/persons"), 200, &all)
	i := slices.IndexFunc(all.Persons, func(p api.Person) bool { return p.ID == "hoa" })
	auditor := slices.IndexFunc(all.Persons, func(p api.Person) bool { return p.ID == "kiem-tra" })
	if i < 0 || all.Persons[i].Left == "" || auditor < 0 || all.Persons[auditor].SignsUntil != "" {
		t.Errorf("%+v", all.Persons)
	}
}

func TestPeopleWhoCannotBeTakenInAreRefusedInWords(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	for name, c := range map[string]struct {
		token  string
		body   api.NewPerson
		status int
		code   string
	}{
		"an id that is taken":     {admin, newcomer(func(n *api.NewPerson) { n.ID = "duyet-1" }), 409, "conflict"},
		"a short passphrase":      {admin, newcomer(func(n *api.NewPerson) { n.Passphrase = "ngắn" }), 422, "person"},
		"a role for communes":     {admin, newcomer(func(n *api.NewPerson) { n.Role, n.Areas = "commune-official", []string{"bac-quang"} }), 422, "person"},
		"an area above one's own": {admin, newcomer(func(n *api.NewPerson) { n.Areas = []string{"tuyen-quang"} }), 403, "forbidden"},
		"by an approver":          {r.first, newcomer(nil), 403, "forbidden"},
		"a role that is not":      {admin, newcomer(func(n *api.NewPerson) { n.Role = "chairman" }), 422, "invalid"},
	} {
		got := r.post(c.token, "/api/v1/persons", c.body)
		if p := got.Problem(t); p.Status != c.status || p.Code != c.code || p.Detail == "" || p.DetailVI == "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		if strings.Contains(string(got.Body), c.body.Passphrase) {
			t.Errorf("%s: the passphrase is repeated: %s", name, got.Body)
		}
	}
	if got := r.post(admin, "/api/v1/persons/quan-tri/dismiss", api.Dismissal{Mode: "retired"}); got.Status != 409 || got.Problem(t).Code != "oneself" {
		t.Errorf("oneself: %d %s", got.Status, got.Body)
	}
	if got := r.post(admin, "/api/v1/persons/nobody/dismiss", api.Dismissal{Mode: "retired"}); got.Status != 404 {
		t.Errorf("nobody: %d %s", got.Status, got.Body)
	}
	if got := r.post(admin, "/api/v1/persons/duyet-1/dismiss", api.Dismissal{Mode: "compromised", Since: "yesterday"}); got.Status != 422 {
		t.Errorf("a moment that is none: %d %s", got.Status, got.Body)
	}
}

func TestARevokedNodeIsOutAndCanBeInvitedAgain(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	technician := r.Named("ky-thuat").Token
	if got := r.post(r.first, "/api/v1/nodes/tan-lap-1/revoke", nil); got.Status != 403 {
		t.Errorf("by an approver: %d %s", got.Status, got.Body)
	}
	if got := r.post(technician, "/api/v1/nodes/nothing/revoke", nil); got.Status != 404 {
		t.Errorf("an unknown node: %d %s", got.Status, got.Body)
	}
	var nodes struct{ Nodes []api.Node }
	r.ok(r.post(technician, "/api/v1/nodes/tan-lap-1/revoke", nil), 200, &nodes)
	if nodes.Nodes[0].Status != "revoked" {
		t.Errorf("%+v", nodes.Nodes[0])
	}
	var invited api.Invited
	r.ok(r.post(technician, "/api/v1/enrolment-tokens", api.Invitations{Nodes: []api.Invitation{{Node: "tan-lap-1", Area: "tan-lap"}}}), 201, &invited)
	e := wire.Enrolment{Node: "tan-lap-1", Token: invited.Tokens[0].Token, Board: "simulated"}.Prove(sealtest.Key("another"))
	r.ok(r.post("", "/api/v1/enrolments", e), 201, nil)
}
