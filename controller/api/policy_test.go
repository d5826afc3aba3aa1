package api_test

import (
	"strings"
	"testing"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
)

// hours is the body of a draft that only tightens.
func hours(change map[string]any) map[string]any {
	p := map[string]any{"windows": []map[string]any{{"from": "05:30", "to": "06:30"}}, "thresholds": []map[string]any{
		{"class": "normal", "officers": 2}, {"class": "priority", "officers": 2}, {"class": "emergency", "officers": 2}}}
	for field, value := range change {
		p[field] = value
	}
	return map[string]any{"policy": p}
}

func TestAPolicyIsProposedAndSignedByTwoPeopleOverHTTP(t *testing.T) {
	r := newRig(t)
	const path = "/api/v1/areas/tan-lap/policy"
	var m api.Regulation
	r.ok(r.put(r.first, path, hours(nil)), 200, &m)
	if m.Draft == nil || m.Standing != nil || m.Digest == "" || len(m.Changes) != 2 || !strings.Contains(m.Changes[0].After, `"05:30"`) {
		t.Fatalf("%+v", m)
	}
	r.ok(r.post(r.first, path+"/sign", map[string]string{"digest": m.Digest}), 200, &m)
	second := r.Named("duyet-2").Credential.Token
	m = api.Regulation{}
	r.get(path, &m)
	if m.Signer != "duyet-1" || m.Standing != nil {
		t.Fatalf("%+v", m)
	}
	var after api.Regulation
	r.ok(r.post(second, path+"/sign", map[string]string{"digest": m.Digest}), 200, &after)
	if after.Standing == nil || after.Draft != nil || after.Standing["area"] != "tan-lap" {
		t.Fatalf("%+v", after)
	}
	var d api.Difference
	r.get(path+"/difference", &d)
	if len(d.Shifts) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestAPolicyWithATypingErrorIsNotKept(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		body map[string]any
		code string
	}{
		"unknown field":  {hours(map[string]any{"quite": []any{}}), "invalid"},
		"no such hour":   {hours(map[string]any{"quiet": []map[string]any{{"from": "25:00", "to": "26:00"}}}), "invalid"},
		"loosens":        {hours(map[string]any{"thresholds": []map[string]any{{"class": "normal", "officers": 1}, {"class": "priority", "officers": 1}, {"class": "emergency", "officers": 1}}}), "loosens"},
		"not complete":   {map[string]any{"policy": map[string]any{}}, "policy"},
		"another's name": {hours(map[string]any{"special": []map[string]any{{"name": "<script>", "from": "2027-02-30", "to": "2027-02-06", "ceiling": 5}}}), "policy"},
	} {
		got := r.Do(apitest.Call{Method: "PUT", Path: "/api/v1/areas/tan-lap/policy", Token: r.first, Body: c.body})
		if p := got.Problem(t); got.Status != 422 || p.Code != c.code || p.DetailVI == "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	var m api.Regulation
	r.get("/api/v1/areas/tan-lap/policy", &m)
	if m.Draft != nil || m.Version != 0 {
		t.Errorf("%+v", m)
	}
}
