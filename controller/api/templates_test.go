package api_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
)

// waters is the body of a template that two officers sign.
func (r *rig) waters() map[string]any {
	return map[string]any{"title": "Lũ quét", "areas": []string{"bac-quang"}, "versions": []map[string]any{{"content": r.sound}},
		"local": map[string]any{"keys": []string{"flood"}, "codes": []map[string]any{{"number": "11", "person": "duyet-1"}}, "hourly": 3}}
}

// standing takes a template all the way.
func (r *rig) approved() api.Template {
	r.t.Helper()
	var draft, m api.Template
	r.ok(r.put(r.Named("bien-tap").Token, "/api/v1/templates/lu", r.waters()), 200, &draft)
	r.ok(r.post(r.first, "/api/v1/templates/lu/sign", map[string]string{"digest": draft.Digest}), 200, nil)
	r.ok(r.post(r.second, "/api/v1/templates/lu/sign", map[string]string{"digest": draft.Digest}), 200, &m)
	return m
}

func TestATemplateFromDraftToSoundOverHTTP(t *testing.T) {
	r := newRig(t)
	var m api.Template
	r.ok(r.put(r.first, "/api/v1/templates/lu", r.waters()), 200, &m)
	if m.Ready || m.Draft == nil || m.Needed != 2 || len(m.PINs) != 1 || m.PINs[0].Person != "duyet-1" || m.Draft.Class != "emergency" {
		t.Fatalf("%+v", m)
	}
	digits := m.PINs[0].PIN
	seen := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/templates/lu", Token: r.first})
	if strings.Contains(string(seen.Body), digits) || strings.Contains(string(seen.Body), "lock") {
		t.Errorf("a PIN or its lock is shown again: %s", seen.Body)
	}
	m = r.approved()
	if !m.Ready || m.Draft != nil || len(m.Approved) != 2 || m.Standing.Local.Codes[0].Number != "11" || m.Warning != nil {
		t.Fatalf("%+v", m)
	}
	var list struct{ Templates []api.Template }
	r.get("/api/v1/templates", &list)
	if len(list.Templates) != 1 || list.Templates[0].ID != "lu" {
		t.Errorf("%+v", list)
	}
	var a, again api.Announcement
	call := apitest.Call{Method: "POST", Path: "/api/v1/templates/lu/activate", Token: r.first, Body: map[string]any{}, Header: map[string]string{"Idempotency-Key": "k"}}
	r.ok(r.Do(call), 201, &a)
	r.ok(r.Do(call), 201, &again)
	if a.State != "published" || a.Template != "lu" || a.Class != "emergency" || again.ID != a.ID {
		t.Errorf("%+v %+v", a, again)
	}
	r.ok(r.put(r.first, "/api/v1/templates/lu", map[string]any{"version": m.Version, "title": "Lũ", "areas": []string{"bac-quang"}, "expires": "2027-01-01T01:00:00Z",
		"versions": []map[string]any{{"content": r.sound}}}), 200, &m)
	r.Clock.Add(time.Hour)
	r.ok(r.post(r.first, "/api/v1/templates/lu/sign", map[string]string{"digest": m.Digest}), 200, nil)
	r.ok(r.post(r.second, "/api/v1/templates/lu/sign", map[string]string{"digest": m.Digest}), 200, &m)
	r.Clock.Add(30 * 24 * time.Hour)
	r.get("/api/v1/templates/lu", &m)
	if w := m.Warning; w == nil || w.Code != "30-days" || w.VI == "" || !strings.Contains(w.EN, "08:00 01/01/2027") {
		t.Errorf("%+v", m.Warning)
	}
}

// TestTemplatesAnswerWithWhatToDoNext is every refusal a client may get.
func TestTemplatesAnswerWithWhatToDoNext(t *testing.T) {
	r := newRig(t)
	m := r.approved()
	official := r.Named("can-bo-xa").Token
	var a api.Announcement
	r.ok(r.post(official, "/api/v1/templates/lu/activate", map[string]any{"areas": []string{"xa-bac-quang"}}), 201, &a)
	other := r.waters()
	other["title"] = "Lũ ống"
	for name, c := range map[string]struct {
		got    apitest.Answer
		status int
		code   string
	}{
		"an old version":       {r.put(r.first, "/api/v1/templates/lu", other), 409, "edited"},
		"another digest":       {r.post(r.first, "/api/v1/templates/lu/sign", map[string]string{"digest": strings.Repeat("0", 64)}), 409, "digest-changed"},
		"no reason":            {r.post(r.first, "/api/v1/templates/lu/withdraw", map[string]string{"reason": ""}), 422, "reason-needed"},
		"it sounds":            {r.post(r.first, "/api/v1/templates/lu/withdraw", map[string]string{"reason": "sai"}), 409, "template-sounds"},
		"no such template":     {r.post(r.first, "/api/v1/templates/chay/activate", map[string]any{}), 404, "not-found"},
		"somebody else's area": {r.post(official, "/api/v1/templates/lu/activate", map[string]any{}), 403, "forbidden"},
		"it sounds there":      {r.post(r.first, "/api/v1/templates/lu/activate", map[string]any{}), 409, "sounding"},
		"nothing is left":      {r.post(r.first, "/api/v1/templates/lu/activate", map[string]any{"areas": []string{"xa-bac-quang"}, "choice": "add"}), 409, "nothing-to-add"},
		"another choice":       {r.post(r.first, "/api/v1/templates/lu/activate", map[string]any{"choice": "all"}), 422, "invalid"},
		"a lock from outside": {r.put(r.first, "/api/v1/templates/x", map[string]any{"title": "x", "areas": []string{"bac-quang"}, "versions": []map[string]any{{"content": r.sound}},
			"local": map[string]any{"hourly": 3, "codes": []map[string]any{{"number": "1", "person": "lan", "lock": "x"}}}}), 422, "invalid"},
	} {
		p := c.got.Problem(t)
		if p.Status != c.status || p.Code != c.code || p.Detail == "" || p.DetailVI == "" {
			t.Errorf("%s: %s", name, c.got.Body)
		}
		switch c.code {
		case "sounding":
			if !slices.Equal(p.About, []string{a.ID}) || !slices.Equal(p.Choices, []string{"add", "repeat"}) || !strings.HasPrefix(p.DetailVI, "Mẫu này đang phát do ") {
				t.Errorf("%s", c.got.Body)
			}
		case "edited":
			if current, _ := p.Current.(map[string]any); current["version"] != float64(m.Version) {
				t.Errorf("%s", c.got.Body)
			}
		}
	}
	r.ok(r.post(r.first, "/api/v1/templates/lu/activate", map[string]any{"choice": "add"}), 201, &a)
	if len(a.Areas) < 2 || slices.Contains(a.Areas, "xa-bac-quang") {
		t.Errorf("%v", a.Areas)
	}
}
