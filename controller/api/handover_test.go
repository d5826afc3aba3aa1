package api_test

import (
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
)

// depends are the kinds of what depends on somebody, with one fate.
func depends(list []api.Dependence, fate func(api.Dependence) string) []string {
	var out []string
	for _, x := range list {
		out = append(out, x.Kind+" "+fate(x))
	}
	slices.Sort(out)
	return out
}

func retired(x api.Dependence) string     { return x.Retired }
func compromised(x api.Dependence) string { return x.Compromised }

// TestWhatADismissalDoesIsShownBeforeAndAfter: the answer of the dismissal says
// what was shown before it, and what nodes read agrees.
func TestWhatADismissalDoesIsShownBeforeAndAfter(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	r.Clock.Add(time.Minute)
	since := r.Clock.Now()
	a := r.published(r.flood())
	r.Clock.Add(time.Minute)
	for name, c := range map[string]struct {
		token  string
		path   string
		status int
	}{
		"by an approver":            {r.first, "/api/v1/persons/duyet-2/handover", 403},
		"of nobody":                 {admin, "/api/v1/persons/nobody/handover", 404},
		"since a moment of no kind": {admin, "/api/v1/persons/duyet-2/handover?since=yesterday", 422},
	} {
		if got := r.by(c.token, c.path); got.Status != c.status || got.Problem(t).DetailVI == "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	var h api.Handover
	r.ok(r.by(admin, "/api/v1/persons/duyet-1/handover"), 200, &h)
	if got := depends(h.Depends, compromised); !slices.Equal(got, []string{"announcement stays", "policy stays"}) {
		t.Errorf("a key that was lost just now: %q", got)
	}
	r.ok(r.by(admin, "/api/v1/persons/duyet-1/handover?since="+since.UTC().Format(time.RFC3339)), 200, &h)
	i := slices.IndexFunc(h.Depends, func(x api.Dependence) bool { return x.ID == a.ID })
	if i != 0 || h.Depends[i].Retired != "stays" || h.Depends[i].Compromised != "falls" || h.Depends[i].What == "" || h.Depends[i].DoVI == "" ||
		h.Depends[i].Class != "emergency" || h.Depends[i].Officers != len(h.Depends[i].Signers) {
		t.Fatalf("%d: %+v", i, h.Depends)
	}
	var left api.Dismissed
	r.ok(r.post(admin, "/api/v1/persons/duyet-1/dismiss", api.Dismissal{Mode: "compromised", Since: since.UTC().Format(time.RFC3339)}), 200, &left)
	if left.Left == "" || !slices.Equal(depends(left.Depends, compromised), depends(h.Depends, compromised)) {
		t.Errorf("%+v", left)
	}
	r.ok(r.post(admin, "/api/v1/persons/duyet-2/dismiss", api.Dismissal{Mode: "retired"}), 200, &left)
	if got := depends(left.Depends, retired); !slices.Equal(got, []string{"policy stays"}) {
		t.Errorf("what both signed and one of them lost is told of the other: %q", got)
	}
}

// TestAskingForAHandoverChangesNothing: it may be asked as often as one likes.
func TestAskingForAHandoverChangesNothing(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	before := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/audit", Token: admin}).Body
	for range 3 {
		r.ok(r.by(admin, "/api/v1/persons/duyet-1/handover"), 200, nil)
	}
	if after := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/audit", Token: admin}).Body; string(before) != string(after) {
		t.Errorf("%s\n%s", before, after)
	}
	if listed := r.by(admin, "/api/v1/me"); listed.Status != 200 {
		t.Errorf("%d", listed.Status)
	}
}

// TestASuccessorIsAnsweredForEachThing: by somebody of the same areas, and with the
// reason where something cannot be signed anew.
func TestASuccessorIsAnsweredForEachThing(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	r.Clock.Add(time.Minute)
	r.published(r.flood())
	r.Clock.Add(time.Minute)
	path := "/api/v1/persons/duyet-1/handover"
	for name, c := range map[string]struct {
		token  string
		body   any
		status int
		code   string
	}{
		"by somebody of a part":       {r.Token(t, "commune-official", "xa-tan-quang"), api.Succession{}, 403, "forbidden"},
		"by a technician":             {r.Named("ky-thuat").Token, api.Succession{}, 403, "forbidden"},
		"by the same person":          {r.first, api.Succession{}, 403, "forbidden"},
		"of a kind that there is not": {admin, api.Succession{Items: []api.Succeeding{{Kind: "song", ID: "x"}}}, 422, "invalid"},
	} {
		if got := r.post(c.token, path, c.body); got.Status != c.status || got.Problem(t).Code != c.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	var out struct{ Items []api.Succeeded }
	r.ok(r.post(admin, path, api.Succession{}), 200, &out)
	got := map[string]string{}
	for _, x := range out.Items {
		got[x.Kind] = x.Outcome
		if (x.Problem != nil) != (x.Outcome == "refused") || x.Problem != nil && (x.Problem.Code != "by-hand" || x.Problem.DetailVI == "") {
			t.Errorf("%+v", x)
		}
	}
	if len(got) != 2 || got["policy"] != "awaits" || got["announcement"] != "refused" {
		t.Errorf("%v", got)
	}
	out.Items = nil
	r.ok(r.post(admin, path, api.Succession{Items: []api.Succeeding{{Kind: "policy", ID: "bac-quang"}}}), 200, &out)
	if len(out.Items) != 1 || out.Items[0].Outcome != "awaits" {
		t.Errorf("one, a second time: %+v", out.Items)
	}
}
