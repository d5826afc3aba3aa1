package api_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/desk/desktest"
)

// evil would run in a browser that took it for anything but words.
const evil = `"><script>x</script><img src=x onerror=x>`

// writing is one request that puts evil into the text fields of a route.
type writing struct {
	route, token string
	// at fills the parameters of the path.
	at   map[string]string
	body map[string]any
	// status is 0 for any refusal: the field is a choice, not a text.
	status int
	into   any
}

// TestWhatPeopleWroteIsTextOnEveryPage writes evil into every text field that
// the contract has and then reads every page. A field that is added to the
// contract fails here until it is written too.
func TestWhatPeopleWroteIsTextOnEveryPage(t *testing.T) {
	r := newRig(t)
	r.Node("n1", "tan-lap")
	if err := r.Records.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	tried := map[string]bool{}
	var a, b api.Announcement
	r.writes(tried, r.announced(&a, &b))
	for _, said := range []*api.Announcement{&a, &b} {
		path := "/api/v1/announcements/" + said.ID
		r.ok(r.post(r.first, path+"/submit", nil), 200, said)
		r.ok(r.post(r.first, path+"/approve", map[string]any{"digest": said.Digest, "accept_difference": true}), 200, said)
	}
	known, err := r.Desk.Announcement(t.Context(), broadcast.ID(a.ID))
	if err != nil {
		t.Fatal(err)
	}
	r.Prove("n1", desktest.Sounded(known.Document)...)
	r.writes(tried, r.chosen(b.ID))
	r.writes(tried, r.besides())
	r.writes(tried, r.replaced(b.ID))
	r.writes(tried, r.reorganised())
	r.writes(tried, r.secrets())
	if got := r.Upload(r.first, "", evil, []byte("sound of evil")); !quiet(got) {
		t.Errorf("upload: %v %s", got.Header, got.Body)
	}
	c, _ := routesOf(t, r.House)
	for _, field := range textFields(c) {
		if !tried[field] {
			t.Errorf("%s is a text that nobody tried: add a row that writes it", field)
		}
	}
	r.readsPages(3)
	r.Clock.Add(17 * time.Hour)
	if err := r.Records.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.readsPages(3)
}

// readsPages asks for every page that there is and looks for what would run;
// least is in how many places the diary has to show it as words.
func (r *rig) readsPages(least int) {
	r.t.Helper()
	for path, least := range map[string]int{"/": 2, diaryAt + "/html": least, "/api/v1/areas/xa-tan-quang/reports/2026-11/html": 1, "/api/v1/areas/bac-quang/reports/2026-11/html": 1} {
		got := r.by(r.first, path)
		text := string(got.Body)
		if got.Status != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
			r.t.Errorf("%s: %d %v", path, got.Status, got.Header)
		}
		if strings.Contains(text, "<script") || strings.Contains(text, "<img") || strings.Count(text, "&lt;script") < least {
			r.t.Errorf("%s: %d times as words, want %d and nothing else:\n%s", path, strings.Count(text, "&lt;script"), least, text)
		}
	}
}

// writes sends every writing, notes what it tried and asks that no browser takes
// an answer for a page.
func (r *rig) writes(tried map[string]bool, all []writing) {
	r.t.Helper()
	for _, w := range all {
		method, pattern, _ := strings.Cut(w.route, " ")
		path := pattern
		for name, value := range w.at {
			path = strings.ReplaceAll(path, "{"+name+"}", value)
		}
		got := r.Do(apitest.Call{Method: method, Path: path, Token: w.token, Body: w.body})
		if w.status != 0 && got.Status != w.status || w.status == 0 && (got.Status < 400 || got.Status >= 500) {
			r.t.Fatalf("%s: %d, want %d: %s", w.route, got.Status, w.status, got.Body)
		}
		if !quiet(got) {
			r.t.Errorf("%s: a browser may take it for a page: %v %s", w.route, got.Header, got.Body)
		}
		if w.into != nil {
			got.Into(r.t, w.into)
		}
		for _, field := range evilIn(w.body, "") {
			tried[w.route+" "+field] = true
		}
	}
}

// quiet says whether a browser shows an answer as what it is.
func quiet(a apitest.Answer) bool {
	media := a.Header.Get("Content-Type")
	return (len(a.Body) == 0 || strings.HasPrefix(media, "application/json") || strings.HasPrefix(media, "application/problem+json")) &&
		a.Header.Get("X-Content-Type-Options") == "nosniff" && strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'")
}

func evilMeta() map[string]any {
	out := map[string]any{}
	for _, name := range []string{"author", "document_number", "field", "genre", "rights", "source", "text"} {
		out[name] = evil
	}
	return out
}

// announced are the texts of announcements.
func (r *rig) announced(first, second *api.Announcement) []writing {
	now, later := r.flood(), r.flood()
	for _, body := range []map[string]any{now, later} {
		body["title"], body["reason"], body["meta"] = evil, evil, evilMeta()
	}
	later["versions"] = []any{map[string]any{"programme": map[string]any{"station": evil, "segments": []any{map[string]any{"title": evil, "content": r.sound}}}}}
	later["class"], later["timing"] = "emergency", map[string]any{"start": r.Clock.Now().Add(2 * time.Hour).Format(time.RFC3339)}
	const route = "POST /api/v1/announcements"
	return []writing{{route: route, token: r.first, body: now, status: 201, into: first}, {route: route, token: r.first, body: later, status: 201, into: second}}
}

// chosen are fields whose words the controller knows; it has to refuse others.
func (r *rig) chosen(id string) []writing {
	later := r.Clock.Now().Add(time.Hour).Format(time.RFC3339)
	timing := func(name string, value any) map[string]any {
		return map[string]any{"title": "x", "areas": []any{"tan-lap"}, "versions": []any{map[string]any{"content": r.sound}},
			"timing": map[string]any{"start": later, "until": r.Clock.Now().AddDate(0, 1, 0).Format(time.RFC3339), "recurrence": "FREQ=DAILY", name: value}}
	}
	areas := r.flood()
	areas["areas"] = []any{evil}
	at := func(id string) map[string]string { return map[string]string{"id": id} }
	words := func() map[string]any {
		return map[string]any{"title": "x", "areas": []any{"tan-lap"}, "versions": []any{map[string]any{"content": r.sound}}}
	}
	var out []writing
	for _, route := range []string{"POST /api/v1/announcements", "POST /api/v1/announcements/{id}/revisions"} {
		for _, body := range []map[string]any{areas, timing("recurrence", evil), timing("except", []any{evil})} {
			out = append(out, writing{route: route, at: at(id), token: r.first, body: body})
		}
	}
	return append(out, []writing{
		{route: "POST /api/v1/announcements/{id}/submit", at: at(id), token: r.first, body: map[string]any{"accept_silence": []any{evil}}, status: 200},
		{route: "POST /api/v1/persons", token: r.Named("quan-tri").Token, body: map[string]any{"id": "x", "name": "x", "role": "auditor", "areas": []any{evil}}},
		{route: "PUT /api/v1/slots/{id}", at: at("khung"), token: r.first, body: map[string]any{"areas": []any{evil}, "level": "commune", "until": later, "hours": []any{map[string]any{"days": []any{evil}, "from": "05:00", "to": "06:00"}}}},
		{route: "PUT /api/v1/areas/{id}/station", at: at("tan-lap"), token: r.first, body: map[string]any{"version": 0, "name": "x", "from": evil}, status: 200},
		{route: "POST /api/v1/subscriptions", token: r.first, body: map[string]any{"way": "mail", "address": evil, "areas": []any{evil}, "topics": []any{evil}, "quiet": evil}},
		{route: "PUT /api/v1/templates/{id}", at: at("mau"), token: r.first, body: with(words(), "areas", []any{evil})},
		{route: "PUT /api/v1/templates/{id}", at: at("mau"), token: r.first, body: with(words(), "local", map[string]any{"keys": []any{evil}})},
		{route: "POST /api/v1/templates/{id}/activate", at: at("mau"), token: r.first, body: map[string]any{"areas": []any{evil}, "languages": []any{evil}}},
		{route: "POST /api/v1/speech/preview", token: r.first, body: map[string]any{"area": "tan-lap", "title": evil, "text": evil, "engine": evil, "voice": evil, "accept": []any{evil}}},
		{route: "POST /api/v1/speeches", token: r.first, body: map[string]any{"area": "tan-lap", "title": evil, "text": evil, "engine": evil, "voice": evil, "accept": []any{evil}}},
	}...)
}

// besides is what the office writes beside.
func (r *rig) besides() []writing {
	admin, official := r.Named("quan-tri").Token, r.Named("can-bo-xa").Token
	var p api.ProgrammeDay
	var s api.Speech
	var f api.Feedback
	var other api.Announcement
	stands := r.published(r.soon("x", 5*time.Hour))
	var later, changed api.Announcement
	second := r.announced(&later, &changed)[1].body
	second["class"] = "priority"
	r.ok(r.post(official, "/api/v1/programmes", r.tomorrow("x")), 201, &p)
	r.ok(r.post(r.first, "/api/v1/speeches", aText("Họp thôn.")), 201, &s)
	r.ok(r.post(r.first, "/api/v1/feedback", map[string]string{"area": "tan-lap", "kind": "broken"}), 201, &f)
	r.ok(r.post(r.first, "/api/v1/announcements", r.flood()), 201, &other)
	at := func(id string) map[string]string { return map[string]string{"id": id, "day": "2026-11-22"} }
	programme := func(version int) map[string]any {
		return with(map[string]any{"title": evil, "start": "2026-11-23T05:30:00+07:00", "segments": []any{map[string]any{"title": evil, "content": r.sound}}}, "version", version)
	}
	added := with(programme(0), "area", "xa-tan-quang")
	delete(added, "version")
	placed := map[string]any{"items": []any{map[string]any{"announcement": other.ID, "decline": true, "reason": evil}}}
	out := []writing{
		{route: "POST /api/v1/announcements/{id}/revisions", at: at(stands.ID), token: r.first, body: second, status: 201, into: &changed},
		{route: "POST /api/v1/announcements/{id}/withdraw", at: at(other.ID), token: r.first, body: map[string]any{"reason": evil}, status: 200},
		{route: "POST /api/v1/areas/{id}/diary/{day}/entries", at: at("xa-tan-quang"), token: official, body: map[string]any{"text": evil}, status: 201},
		{route: "PUT /api/v1/areas/{id}/lexicon", at: at("xa-tan-quang"), token: official, body: map[string]any{"written": evil, "spoken": evil}},
		{route: "POST /api/v1/areas/{id}/placement", at: at("xa-tan-quang"), token: official, body: placed},
		{route: "POST /api/v1/areas/{id}/placement/weigh", at: at("xa-tan-quang"), token: official, body: placed},
		{route: "PUT /api/v1/areas/{id}/station", at: at("xa-tan-quang"), token: official, body: map[string]any{"version": 0, "name": evil}, status: 200},
		{route: "POST /api/v1/feedback", token: r.first, body: map[string]any{"area": "tan-lap", "kind": "broken", "text": evil, "contact": evil}, status: 201},
		{route: "POST /api/v1/public/feedback", body: map[string]any{"area": "tan-lap", "kind": "broken", "text": evil, "contact": evil}, status: 201},
		{route: "POST /api/v1/feedback/{id}/close", at: at(f.ID), token: r.first, body: map[string]any{"version": 1, "answer": evil}, status: 200},
		{route: "POST /api/v1/persons", token: admin, body: map[string]any{"id": "hoa", "name": evil, "role": "auditor", "areas": []any{"tan-lap"}}, status: 201},
		{route: "POST /api/v1/phones", token: admin, body: map[string]any{"name": evil, "area": "tan-lap"}, status: 201},
		{route: "POST /api/v1/programmes", token: official, body: added, status: 201},
		{route: "PUT /api/v1/programmes/{id}", at: at(p.ID), token: official, body: programme(1), status: 200},
		{route: "POST /api/v1/programmes/{id}/draft", at: at(p.ID), token: official, body: map[string]any{"version": 2, "meta": evilMeta()}, status: 201},
		{route: "PUT /api/v1/speeches/{id}/sentence", at: at(s.ID), token: r.first, body: map[string]any{"version": 1, "sentence": 0, "text": evil, "accept": []any{evil}}},
		{route: "PUT /api/v1/templates/{id}", at: at("mau"), token: r.first, body: map[string]any{"title": evil, "areas": []any{"tan-lap"}, "versions": []any{map[string]any{"content": r.sound}}}, status: 200},
		{route: "POST /api/v1/templates/{id}/withdraw", at: at("mau"), token: r.first, body: map[string]any{"reason": evil}},
	}
	return out
}

// replaced is what is said in place of something; nothing of it was allowed beforehand.
func (r *rig) replaced(id string) []writing {
	correction := map[string]any{"title": evil, "digest": strings.Repeat("0", 64), "versions": []any{
		map[string]any{"programme": map[string]any{"station": evil, "segments": []any{map[string]any{"title": evil, "content": r.sound}}}}}}
	body := map[string]any{"reason": "x", "correction": correction}
	return []writing{
		{route: "POST /api/v1/announcements/{id}/withdraw", at: map[string]string{"id": id}, token: r.first, body: body},
		{route: "POST /api/v1/templates/{id}/withdraw", at: map[string]string{"id": "mau"}, token: r.first, body: body},
	}
}

// reorganised are the texts of plans for areas, of which the names alone are free.
func (r *rig) reorganised() (out []writing) {
	plan := func(name string, value any) map[string]any {
		change := map[string]any{"do": "rename", "area": "tan-lap", "name": evil, name: value}
		return map[string]any{"name": evil, "day": "2027-07-01", "changes": []any{change}}
	}
	admin := r.Named("quan-tri").Token
	out = append(out, writing{route: "POST /api/v1/organisation/weigh", token: admin, body: plan("name", evil), status: 200})
	for _, body := range []map[string]any{plan("code", evil), plan("parts", []any{evil})} {
		out = append(out, writing{route: "POST /api/v1/organisation/weigh", token: admin, body: body},
			writing{route: "POST /api/v1/organisation/plans", token: admin, body: map[string]any{"plan": body, "digest": strings.Repeat("0", 64)}})
	}
	return out
}

// secrets are what nobody repeats.
func (r *rig) secrets() []writing {
	own := map[string]string{"id": "x"}
	return []writing{
		{route: "POST /api/v1/persons", token: r.Named("quan-tri").Token, body: map[string]any{"id": "x", "name": "x", "role": "approver", "areas": []any{"nowhere"}, "passphrase": evil}},
		{route: "POST /api/v1/me/passkeys", token: r.first, body: map[string]any{"state": evil, "credential": evil, "name": evil}},
		{route: "POST /api/v1/me/passkeys/options", token: r.first, body: map[string]any{"password": evil}},
		{route: "PUT /api/v1/me/passkeys/{id}", at: own, token: r.first, body: map[string]any{"name": evil}},
		{route: "PUT /api/v1/me/passphrase", token: r.first, body: map[string]any{"old": evil, "new": evil}},
		{route: "PUT /api/v1/me/password", token: r.first, body: map[string]any{"old": evil, "new": evil}},
		{route: "PUT /api/v1/me/pin", token: r.first, body: map[string]any{"pin": evil}},
		{route: "POST /api/v1/phone", body: map[string]any{"code": evil}},
		{route: "POST /api/v1/session", body: map[string]any{"person": "duyet-1", "password": evil}},
		{route: "POST /api/v1/session/first", body: map[string]any{"person": "duyet-1", "code": evil, "password": evil, "passphrase": evil}},
		{route: "POST /api/v1/session/passkey", body: map[string]any{"state": evil, "credential": evil}},
		{route: "POST /api/v1/session/pin", body: map[string]any{"person": "duyet-1", "pin": evil}},
	}
}

// evilIn names the fields of a body that hold evil, in order.
func evilIn(v any, at string) (out []string) {
	switch v := v.(type) {
	case string:
		if v == evil {
			return []string{strings.TrimPrefix(at, ".")}
		}
	case []any:
		for _, one := range v {
			out = append(out, evilIn(one, at+"[]")...)
		}
	case map[string]any:
		for name, one := range v {
			out = append(out, evilIn(one, at+"."+name)...)
		}
	}
	return out
}

// textFields are the fields of all bodies that take any words: those that the
// contract binds to a pattern, a form or a list of values are left out.
func textFields(c contract) (out []string) {
	for path, methods := range c.Paths {
		for method, op := range methods {
			body := op.RequestBody.Content["application/json"].Schema
			for _, field := range c.texts(body, "", 0) {
				if field != "$schema" {
					out = append(out, fmt.Sprintf("%s %s %s", strings.ToUpper(method), path, field))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func (c contract) texts(schema map[string]any, at string, deep int) (out []string) {
	if name, is := schema["$ref"].(string); is && deep < 8 {
		return c.texts(c.Components.Schemas[strings.TrimPrefix(name, "#/components/schemas/")], at, deep+1)
	}
	if properties, is := schema["properties"].(map[string]any); is {
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			out = append(out, c.texts(properties[name].(map[string]any), at+"."+name, deep)...)
		}
		return out
	}
	if items, is := schema["items"].(map[string]any); is {
		return c.texts(items, at+"[]", deep)
	}
	bound := schema["enum"] != nil || schema["pattern"] != nil || schema["format"] != nil
	if schema["type"] == "string" && !bound {
		return []string{strings.TrimPrefix(at, ".")}
	}
	return nil
}

// TestWhatWasPublishedIsNeverEdited tries to change what was signed, through
// everything that writes to it.
func TestWhatWasPublishedIsNeverEdited(t *testing.T) {
	r := newRig(t)
	r.Node("n1", "tan-lap")
	a := r.published(r.flood())
	other := r.flood()
	other["title"] = "Lời khác"
	path := "/api/v1/announcements/" + a.ID
	for name, c := range map[string]struct {
		method, path string
		body         any
		status       int
	}{
		"put":                     {"PUT", path, other, 405},
		"patch":                   {"PATCH", path, other, 405},
		"delete":                  {"DELETE", path, nil, 405},
		"handed in again":         {"POST", path + "/submit", map[string]any{"digest": a.Digest}, 200},
		"approved again":          {"POST", path + "/approve", map[string]any{"digest": a.Digest}, 200},
		"approved as other words": {"POST", path + "/approve", map[string]any{"digest": string(broadcast.Sum([]byte("x")))}, 409},
	} {
		if got := r.Do(apitest.Call{Method: c.method, Path: c.path, Token: r.first, Body: c.body}); got.Status != c.status {
			t.Errorf("%s: %d, want %d: %s", name, got.Status, c.status, got.Body)
		}
		var now api.Announcement
		r.get(path, &now)
		if now.State != "published" || now.Title != a.Title || now.SHA256 != a.SHA256 || len(now.Signatures) != len(a.Signatures) {
			t.Fatalf("%s changed it: %+v", name, now)
		}
	}
}

// TestOnePersonIsOneSignatureHoweverManyKeys has somebody sign, be given a new
// key, and sign with that too.
func TestOnePersonIsOneSignatureHoweverManyKeys(t *testing.T) {
	r := newRig(t)
	r.Node("n1", "tan-lap")
	r.Clock.Add(time.Second) // what was signed before a key was retired stands
	two := r.signedIn("duyet-2")
	body := r.soon("Hai người", 2*time.Hour)
	body["reason"] = ""
	var a api.Announcement
	r.ok(two.ask("POST", "/api/v1/announcements", "", body), 201, &a)
	path := "/api/v1/announcements/" + a.ID
	r.ok(two.ask("POST", path+"/submit", passphrase, map[string]any{"digest": a.Digest}), 200, &a)
	if a.State != "submitted" || a.Needed != 2 || len(a.Signatures) != 1 {
		t.Fatalf("%+v", a)
	}
	r.Clock.Add(time.Minute)
	again := r.signedIn("duyet-2") // with a new key
	got := again.ask("POST", path+"/approve", passphrase, map[string]any{"digest": a.Digest, "accept_difference": true})
	var now api.Announcement
	r.get(path, &now)
	if now.State != "submitted" || len(now.Signatures) != 1 {
		t.Errorf("%d %s: %+v", got.Status, got.Body, now)
	}
	if listed, err := r.DB.ListingsOf(t.Context(), broadcast.KindAnnouncement, r.Now()); err != nil || len(listed) != 0 {
		t.Errorf("%v %+v", err, listed)
	}
}

// TestWhoWasDismissedSignsNothingMore tries the token of somebody who left on
// everything that speaks.
func TestWhoWasDismissedSignsNothingMore(t *testing.T) {
	r := newRig(t)
	r.Node("n1", "tan-lap")
	var a api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", r.flood()), 201, &a)
	path := "/api/v1/announcements/" + a.ID
	r.ok(r.post(r.first, path+"/submit", nil), 200, &a)
	r.ok(r.post(r.Named("quan-tri").Token, "/api/v1/persons/duyet-1/dismiss", api.Dismissal{Mode: "retired"}), 200, nil)
	for _, call := range []apitest.Call{
		{Method: "POST", Path: path + "/approve", Body: map[string]string{"digest": a.Digest}},
		{Method: "POST", Path: path + "/withdraw", Body: map[string]string{"reason": "x"}},
		{Method: "POST", Path: "/api/v1/approvals", Body: map[string]any{"items": []any{map[string]any{"id": a.ID, "digest": a.Digest}}}},
		{Method: "POST", Path: "/api/v1/announcements", Body: r.flood()},
		{Method: "GET", Path: "/api/v1/events"},
	} {
		call.Token = r.first
		if got := r.Do(call); got.Status != 401 || got.Problem(t).Code != "credential" {
			t.Errorf("%s %s: %d %s", call.Method, call.Path, got.Status, got.Body)
		}
	}
	var now api.Announcement
	r.ok(r.by(r.second, path), 200, &now)
	if now.State != "submitted" || len(now.Signatures) != 0 {
		t.Errorf("%+v", now)
	}
}
