package api_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

// charted is a house that follows its chart.
func charted(t *testing.T) *rig {
	r := newRig(t)
	r.Tree = r.Chart.Tree
	r.Config.Tree = r.Chart.Tree
	r.DB, r.Office = peopletest.Open(t, r.Dir, r.Config)
	r.Assemble()
	r.Serve()
	return r
}

// joining is the plan that makes one commune of two, tomorrow.
func joining() api.AreaPlan {
	return api.AreaPlan{Name: "Nghị quyết 12", Day: "2026-11-23", Changes: []api.AreaChange{
		{Do: "create", Area: "xa-moi", Name: "Xã Mới", Code: "01999", Level: "commune", Parent: "bac-quang"},
		{Do: "merge", Area: "xa-moi", Parts: []string{"xa-tan-quang", "xa-dong-tam"}}}}
}

func TestCommunesAreMergedOverHTTP(t *testing.T) {
	r := charted(t)
	r.Node("tan-lap-1", "tan-lap")
	admin := r.Named("quan-tri").Token
	var e api.AreaEffects
	r.ok(r.post(admin, "/api/v1/organisation/weigh", joining()), 200, &e)
	if len(e.Steps) != 3 || len(e.Disputes) != 0 || !slices.Equal(e.Nodes, []string{"tan-lap-1"}) {
		t.Errorf("%+v", e)
	}
	for _, step := range e.Steps {
		if step.After == nil || (step.Before == nil) != (step.Area == "xa-moi") {
			t.Errorf("%+v", step)
		}
	}
	apply := func(digest string) map[string]any { return map[string]any{"plan": joining(), "digest": digest} }
	bad := joining()
	bad.Day = "2026-11-20"
	for name, c := range map[string]struct {
		token, path string
		body        any
		status      int
		code        string
	}{
		"an officer of one of the communes": {r.only(people.Administrator, "xa-tan-quang"), "plans", apply(e.Digest), 403, "forbidden"},
		"an approver":                       {r.first, "plans", apply(e.Digest), 403, "forbidden"},
		"nobody":                            {"", "plans", apply(e.Digest), 401, "credential"},
		"not what was shown":                {admin, "plans", apply(string(broadcast.Sum(nil))), 409, "difference"},
		"a day that has passed":             {admin, "weigh", bad, 422, "area-plan"},
		"an unknown field":                  {admin, "weigh", map[string]any{"name": "x", "day": "2026-11-23", "changes": []any{}, "x": 1}, 422, "invalid"},
	} {
		if got := r.post(c.token, "/api/v1/organisation/"+c.path, c.body); got.Status != c.status || got.Problem(t).Code != c.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	r.ok(r.post(admin, "/api/v1/organisation/plans", apply(e.Digest)), 200, nil)
	var m struct{ Moves []api.NodeMove }
	r.ok(r.by(admin, "/api/v1/organisation/moves"), 200, &m)
	if len(m.Moves) != 0 {
		t.Errorf("before its day: %+v", m)
	}
	r.Clock.Add(24 * time.Hour)
	r.ok(r.by(admin, "/api/v1/organisation/moves"), 200, &m)
	if len(m.Moves) != 1 || m.Moves[0].Done || slices.Contains(m.Moves[0].From, "xa-moi") || !slices.Contains(m.Moves[0].To, "xa-moi") {
		t.Errorf("%+v", m)
	}
	r.ok(r.post(r.only(people.Technician, "xa-vinh-tuy"), "/api/v1/organisation/moves", nil), 200, &m)
	if len(m.Moves) != 0 {
		t.Errorf("signed from elsewhere: %+v", m)
	}
	r.ok(r.post(admin, "/api/v1/organisation/moves", nil), 200, &m)
	if len(m.Moves) != 1 || !m.Moves[0].Done {
		t.Errorf("%+v", m)
	}
	var areas struct{ Areas []api.Area }
	r.ok(r.by(admin, "/api/v1/areas"), 200, &areas)
	i := slices.IndexFunc(areas.Areas, func(a api.Area) bool { return a.ID == "xa-moi" })
	if i < 0 || areas.Areas[i].Nodes != 1 || areas.Areas[i].Name != "Xã Mới" {
		t.Errorf("%+v", areas.Areas)
	}
	var history struct{ Areas []api.AreaHistory }
	r.ok(r.by(admin, "/api/v1/organisation"), 200, &history)
	i = slices.IndexFunc(history.Areas, func(a api.AreaHistory) bool { return a.ID == "xa-tan-quang" })
	if facts := history.Areas[i].Facts; len(facts) != 2 || facts[0].Level != "commune" || facts[1].Level != "village" || facts[1].Parent != "xa-moi" {
		t.Errorf("%+v", facts)
	}
	old := r.by(admin, "/api/v1/areas/xa-tan-quang/diary/2026-11-22")
	if old.Status != 200 || !strings.Contains(string(old.Body), `"Xã Tân Quang"`) {
		t.Errorf("the diary of yesterday: %d %s", old.Status, old.Body)
	}
	if got := r.by(admin, "/api/v1/areas/xa-tan-quang/diary/2026-11-23"); got.Status != 422 && got.Status != 409 && got.Status != 404 {
		t.Errorf("a part keeps a diary of today: %d %s", got.Status, got.Body)
	}
}

func TestANodeOnTheOldSetOfAreasIsShownAsDrift(t *testing.T) {
	r := charted(t)
	r.Node("tan-lap-1", "tan-lap")
	manifests := map[broadcast.ID]broadcast.Revision{"tuyen-quang": 1, "bac-quang": 1, "xa-tan-quang": 1, "tan-lap": 1}
	state := func() {
		raw, err := broadcast.Encode(wire.State{Boot: "b", Version: "1", Board: "simulated", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil),
			Chain: "c", Manifests: manifests})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Fleet.State(t.Context(), "tan-lap-1", raw, true); err != nil {
			t.Fatal(err)
		}
	}
	drifts := func() bool {
		t.Helper()
		var all struct{ Nodes []api.Node }
		r.get("/api/v1/nodes", &all)
		return all.Nodes[0].Drift
	}
	r.Holdings["tan-lap-1"] = broadcast.Sum(nil)
	state()
	if drifts() {
		t.Fatal("it drifts before anything changed")
	}
	admin := r.Named("quan-tri").Token
	var e api.AreaEffects
	r.ok(r.post(admin, "/api/v1/organisation/weigh", joining()), 200, &e)
	r.ok(r.post(admin, "/api/v1/organisation/plans", map[string]any{"plan": joining(), "digest": e.Digest}), 200, nil)
	r.Clock.Add(24 * time.Hour)
	if !drifts() {
		t.Error("the tree moved, the node did not, and nobody sees it")
	}
	r.ok(r.post(admin, "/api/v1/organisation/moves", nil), 200, nil)
	if !drifts() {
		t.Error("its new place is signed, it has not taken it, and nobody sees it")
	}
	manifests["xa-moi"] = 1
	state()
	if drifts() {
		t.Error("it followed and still drifts")
	}
}

func TestDifferingPoliciesForceAChoice(t *testing.T) {
	r := charted(t)
	admin := r.Named("quan-tri").Token
	var reg api.Regulation
	body := hours(nil)
	r.ok(r.put(r.first, "/api/v1/areas/xa-tan-quang/policy", body), 200, &reg)
	for _, token := range []string{r.first, r.second} {
		r.ok(r.post(token, "/api/v1/areas/xa-tan-quang/policy/sign", map[string]string{"digest": reg.Digest}), 200, nil)
	}
	var e api.AreaEffects
	p := joining()
	r.ok(r.post(admin, "/api/v1/organisation/weigh", p), 200, &e)
	if len(e.Disputes) != 1 || !slices.Equal(e.Disputes[0].Of, []string{"xa-tan-quang"}) || e.Disputes[0].Choice != "" {
		t.Fatalf("%+v", e.Disputes)
	}
	if !slices.ContainsFunc(e.Documents, func(h api.AreaHeld) bool { return h.Kind == "policy" && h.Area == "xa-tan-quang" }) {
		t.Errorf("%+v", e.Documents)
	}
	refuse := func(p api.AreaPlan) {
		t.Helper()
		r.ok(r.post(admin, "/api/v1/organisation/weigh", p), 200, &e)
		got := r.post(admin, "/api/v1/organisation/plans", map[string]any{"plan": p, "digest": e.Digest})
		if got.Status != 409 || got.Problem(t).Code != "policy-choice" || !strings.Contains(got.Problem(t).Detail, "xa-tan-quang") {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	refuse(p)
	p.Policies = map[string]string{"xa-moi": "xa-dong-tam"} // which has none
	refuse(p)
	p.Policies["xa-moi"] = "xa-tan-quang"
	r.ok(r.post(admin, "/api/v1/organisation/weigh", p), 200, &e)
	r.ok(r.post(admin, "/api/v1/organisation/plans", map[string]any{"plan": p, "digest": e.Digest}), 200, nil)
	r.Clock.Add(24 * time.Hour)
	var m struct{ Proposed []string }
	r.ok(r.post(admin, "/api/v1/organisation/moves", nil), 200, &m)
	if !slices.Equal(m.Proposed, []string{"xa-moi"}) {
		t.Errorf("%+v", m)
	}
	r.ok(r.by(admin, "/api/v1/areas/xa-moi/policy"), 200, &reg)
	if reg.Draft == nil || reg.Standing != nil || reg.Draft["area"] != "xa-moi" {
		t.Errorf("%+v", reg)
	}
	r.ok(r.post(admin, "/api/v1/organisation/moves", nil), 200, &m)
	if len(m.Proposed) != 0 {
		t.Errorf("proposed again: %+v", m)
	}
}

func TestAPlanIsDroppedOverHTTP(t *testing.T) {
	r := charted(t)
	admin := r.Named("quan-tri").Token
	var e api.AreaEffects
	r.ok(r.post(admin, "/api/v1/organisation/weigh", joining()), 200, &e)
	r.ok(r.post(admin, "/api/v1/organisation/plans", map[string]any{"plan": joining(), "digest": e.Digest}), 200, nil)
	drop := func(token string) int {
		return r.Do(apitest.Call{Method: "DELETE", Path: "/api/v1/organisation/plans/" + e.Plan, Token: token}).Status
	}
	for _, c := range []struct {
		token  string
		status int
	}{{r.only(people.Administrator, "xa-tan-quang"), 403}, {admin, 204}, {admin, 404}} {
		if got := drop(c.token); got != c.status {
			t.Errorf("%d, want %d", got, c.status)
		}
	}
}
