package api_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// place is a village with one of everything in it.
type place struct {
	area    broadcast.ID
	commune string
	// draft and dropped are not published, said is.
	draft, dropped, said, node, spare, speech, template string
	person, leaver, coded, session, phone               string
	programme, feedback                                 string
}

// trial is how a route is tried on what stands in one place.
type trial struct {
	// id fills the parameter of the path; more is put behind it.
	id, more func(place) string
	// body is what is sent; nil sends an empty object.
	body func(place) any
	// shows is what a list shows of the place to those who may see it.
	shows func(place) string
	// header is sent beside.
	header map[string]string
	// lay puts there what the trial itself takes away.
	lay func(*rig, place)
	// everybody says why what belongs to other places is shown too, or done.
	everybody string
}

// renaming is a plan that gives a village another name.
func renaming(p place) any {
	return map[string]any{"name": "QĐ 1", "day": "2026-12-01", "changes": []map[string]string{{"do": "rename", "area": string(p.area), "name": "Thôn Mới"}}}
}

// house marks routes that are about nobody's place: the permission decides.
func house(why string) trial { return trial{everybody: why} }

// trials has a row for every route that is not public.
func trials(sound string) map[string]trial {
	draft := func(p place) string { return p.draft }
	node := func(p place) string { return p.node }
	speech := func(p place) string { return p.speech }
	template := func(p place) string { return p.template }
	words := func(p place) any {
		return map[string]any{"version": 99, "title": "Cháy", "areas": []string{string(p.area)}, "versions": []map[string]any{{"content": sound}}}
	}
	inArea := func(p place) string { return string(p.area) }
	commune := func(p place) string { return p.commune }
	text := func(p place) any {
		return map[string]any{"area": p.area, "title": "Họp thôn", "text": "Họp thôn.", "engine": "nu", "voice": "nu-bac"}
	}
	programme := func(p place) string { return p.programme }
	feedback := func(p place) string { return p.feedback }
	placed := func(p place) any {
		return map[string]any{"items": []map[string]string{{"announcement": p.said}}}
	}
	return map[string]trial{
		"POST /api/v1/contents":                   house("sound belongs to nobody before it is announced"),
		"GET /api/v1/contents/{sha256}":           house("named by a digest that only those know who were told"),
		"GET /api/v1/contents/{sha256}/text":      house("named by a digest"),
		"POST /api/v1/contents/{sha256}/listened": house("says something of oneself"),
		"GET /api/v1/voices":                      house("the same for all"),
		"GET /api/v1/areas":                       house("the tree is public"),
		"GET /api/v1/areas/{id}/lexicon":          {id: inArea, everybody: "how a place says its names is no secret"},
		"GET /api/v1/subscriptions":               house("one's own"),
		"POST /api/v1/subscriptions/{id}/end":     house("one's own"),
		"POST /api/v1/subscriptions/{id}/try":     house("one's own"),
		"GET /api/v1/messages":                    house("one's own"),
		"DELETE /api/v1/session":                  house("one's own"),
		"PUT /api/v1/me/password":                 house("one's own"),
		"PUT /api/v1/me/passphrase":               house("one's own"),
		"GET /api/v1/phones":                      {shows: func(p place) string { return p.phone }},
		"POST /api/v1/phones":                     {body: func(p place) any { return api.NewPhone{Name: "Trực", Area: string(p.area)} }},
		"POST /api/v1/phones/{id}/revoke":         {id: func(p place) string { return p.phone }},
		"PUT /api/v1/me/pin":                      {body: func(place) any { return api.NewPIN{PIN: "402957"} }, everybody: "one's own"},
		"GET /api/v1/me/passkeys":                 house("one's own"),
		"POST /api/v1/me/passkeys":                {body: func(place) any { return map[string]any{"state": "x", "credential": "{}", "name": "x"} }, everybody: "one's own"},
		"POST /api/v1/me/passkeys/options":        {body: func(place) any { return map[string]any{"password": "x"} }, everybody: "one's own"},
		"PUT /api/v1/me/passkeys/{id}":            {id: func(place) string { return "x" }, body: func(place) any { return map[string]any{"name": "x"} }, everybody: "one's own"},
		"DELETE /api/v1/me/passkeys/{id}":         {id: func(place) string { return "x" }, everybody: "one's own"},
		"GET /api/v1/me":                          house("oneself"),
		"GET /api/v1/events":                      house("names without facts"),
		"GET /document/{sha256}":                  house("only what was sealed for loudspeakers has a document"),
		"GET /content/{sha256}":                   house("named by a digest"),
		"GET /live/{station}/{session}":           house("what a station says is public"),
		"GET /api/v1/stations":                    house("the same for all"),

		"POST /api/v1/announcements": {body: func(p place) any {
			return map[string]any{"title": "Họp thôn", "areas": []string{string(p.area)}, "versions": []map[string]any{{"content": sound}},
				"timing": map[string]any{"start": "2026-11-23T10:00:00Z"}}
		}},
		"GET /api/v1/announcements":                 {shows: draft},
		"GET /api/v1/announcements/{id}":            {id: draft},
		"GET /api/v1/announcements/{id}/forecast":   {id: draft},
		"GET /api/v1/announcements/{id}/difference": {id: draft},
		"GET /api/v1/calendar": {more: func(p place) string {
			return "?from=2026-11-22T00:00:00Z&to=2026-12-20T00:00:00Z&state=draft&area=" + string(p.area)
		}, shows: draft},
		"GET /api/v1/announcements/{id}/deliveries": {id: func(p place) string { return p.said }, shows: node},
		"POST /api/v1/announcements/{id}/submit":    {id: draft},
		"POST /api/v1/announcements/{id}/revisions": {id: func(p place) string { return p.said }, body: func(p place) any {
			return map[string]any{"title": "Họp thôn", "areas": []string{string(p.area)}, "versions": []map[string]any{{"content": sound}}}
		}},
		"POST /api/v1/announcements/{id}/approve": {id: draft, body: func(place) any {
			return map[string]string{"digest": string(broadcast.Sum(nil))}
		}},
		"POST /api/v1/approvals": {body: func(p place) any {
			return map[string]any{"items": []map[string]string{{"id": p.draft, "digest": string(broadcast.Sum(nil))}}}
		}, everybody: "each is judged by itself, and what is not one's own is refused in its place"},
		"POST /api/v1/announcements/{id}/withdraw": {id: func(p place) string { return p.dropped }, body: func(place) any {
			return map[string]string{"reason": "nhầm"}
		}},
		"GET /api/v1/announcements/{id}/answers":  {id: func(p place) string { return p.said }, everybody: "what was published is public; answers of other places are left out"},
		"GET /api/v1/areas/{id}/offers":           {id: inArea},
		"GET /api/v1/areas/{id}/collisions":       {id: inArea},
		"POST /api/v1/areas/{id}/placement/weigh": {id: inArea, body: placed},
		"POST /api/v1/areas/{id}/placement":       {id: inArea, body: placed},
		"GET /api/v1/areas/{id}/slots":            {id: inArea},
		"PUT /api/v1/slots/{id}": {id: func(p place) string { return "khung-" + string(p.area) }, body: func(p place) any {
			return map[string]any{"areas": []string{string(p.area)}, "level": "commune", "hours": []map[string]string{{"from": "17:00", "to": "18:00"}}, "until": "2026-12-23T10:00:00Z"}
		}},
		"POST /api/v1/slots/{id}/end": {id: func(p place) string { return "khung-" + string(p.area) }, body: func(p place) any {
			return map[string]string{"area": string(p.area)}
		}},
		"GET /api/v1/areas/{id}/station": {id: inArea},
		"PUT /api/v1/areas/{id}/station": {id: inArea, body: func(place) any { return map[string]any{"version": 99, "name": "Đài"} }},
		"GET /api/v1/programmes": {more: func(p place) string {
			return "?from=2026-11-22T00:00:00Z&to=2026-12-20T00:00:00Z&area=" + string(p.area)
		}, shows: programme},
		"POST /api/v1/programmes": {body: func(p place) any {
			return map[string]any{"area": string(p.area), "title": "Buổi chiều", "start": "2026-11-23T10:00:00Z", "segments": []any{}}
		}},
		"GET /api/v1/programmes/{id}": {id: programme},
		"PUT /api/v1/programmes/{id}": {id: programme, body: func(place) any {
			return map[string]any{"version": 99, "title": "Buổi chiều", "start": "2026-11-23T10:00:00Z", "segments": []any{}}
		}},
		"POST /api/v1/programmes/{id}/undo":  {id: programme, body: func(place) any { return map[string]any{"version": 99} }},
		"POST /api/v1/programmes/{id}/draft": {id: programme, body: func(place) any { return map[string]any{"version": 99} }},
		"DELETE /api/v1/programmes/{id}":     {id: programme, more: func(place) string { return "?version=99" }},
		"POST /api/v1/areas/{id}/programmes/copy": {id: inArea, body: func(place) any {
			return map[string]any{"from": "2026-11-23T10:00:00Z", "to": "2026-11-24T10:00:00Z", "days": 1}
		}},
		"GET /api/v1/templates":                {shows: template},
		"GET /api/v1/templates/{id}":           {id: template},
		"PUT /api/v1/templates/{id}":           {id: template, body: words},
		"POST /api/v1/templates/{id}/renew":    {id: template, body: func(place) any { return map[string]any{"version": 99} }},
		"POST /api/v1/templates/{id}/sign":     {id: template, body: func(place) any { return map[string]string{"digest": string(broadcast.Sum(nil))} }},
		"POST /api/v1/templates/{id}/withdraw": {id: template, body: func(place) any { return map[string]string{"reason": " "} }},
		"POST /api/v1/templates/{id}/activate": {id: template},
		"POST /api/v1/speech/preview":          {body: text, everybody: "nothing is kept of it"},
		"POST /api/v1/speeches":                {body: text},
		"GET /api/v1/speeches":                 {shows: speech},
		"GET /api/v1/speeches/{id}":            {id: speech},
		"POST /api/v1/speeches/{id}/retry":     {id: speech},
		"PUT /api/v1/speeches/{id}/sentence":   {id: speech, body: func(place) any { return map[string]any{"version": 99, "sentence": 1, "text": "Họp."} }},
		"POST /api/v1/papers": {more: func(p place) string { return "?seconds=60&area=" + string(p.area) },
			body: func(place) any {
				return []byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nx\r\n--b--\r\n")
			},
			header: map[string]string{"Content-Type": "multipart/form-data; boundary=b"}},
		"PUT /api/v1/areas/{id}/lexicon": {id: inArea, body: func(place) any { return map[string]any{"written": "UBND", "spoken": "ủy ban", "version": 99} }},
		"DELETE /api/v1/areas/{id}/lexicon": {id: inArea, more: func(place) string { return "?written=UBND" },
			lay: func(r *rig, p place) {
				r.put(r.first, "/api/v1/areas/"+string(p.area)+"/lexicon", map[string]any{"written": "UBND", "spoken": "ủy ban"})
			}},

		"GET /api/v1/areas/{id}/diary":              {id: commune},
		"GET /api/v1/areas/{id}/diary/{day}":        {id: commune},
		"GET /api/v1/areas/{id}/diary/{day}/{form}": {id: commune},
		"POST /api/v1/areas/{id}/diary/{day}/entries": {id: commune, body: func(place) any {
			return map[string]string{"text": "Mất điện."}
		}},
		"GET /api/v1/areas/{id}/reports/{month}":        {id: inArea},
		"GET /api/v1/areas/{id}/reports/{month}/{form}": {id: inArea},

		"POST /api/v1/feedback": {body: func(p place) any {
			return map[string]string{"area": string(p.area), "kind": "too-loud"}
		}},
		"GET /api/v1/feedback":      {shows: feedback},
		"GET /api/v1/feedback/{id}": {id: feedback},
		"POST /api/v1/feedback/{id}/assign": {id: feedback, body: func(p place) any {
			return map[string]any{"version": 99, "node": p.node}
		}},
		"POST /api/v1/feedback/{id}/close": {id: feedback, body: func(place) any { return map[string]any{"version": 99, "answer": "Xong."} }},
		"GET /api/v1/nodes/{id}/trim":      {id: node},
		"POST /api/v1/nodes/{id}/trim":     {id: node, body: func(place) any { return map[string]any{"before_cdb": -1, "trim_cdb": -2} }},

		"GET /api/v1/nodes":                           {shows: node},
		"GET /api/v1/nodes/{id}/plan":                 {id: node},
		"GET /api/v1/nodes/{id}/ahead":                {id: node},
		"GET /api/v1/areas/{id}/policy":               {id: inArea, everybody: "a regulation is public"},
		"PUT /api/v1/areas/{id}/policy":               {id: inArea, body: func(place) any { return map[string]any{"version": 99, "policy": hours(nil)["policy"]} }},
		"POST /api/v1/areas/{id}/policy/sign":         {id: inArea, body: func(place) any { return map[string]string{"digest": string(broadcast.Sum(nil))} }},
		"GET /api/v1/areas/{id}/policy/difference":    {id: inArea},
		"GET /api/v1/areas/{id}/ahead":                {id: inArea},
		"GET /api/v1/nodes/{id}/pack":                 {id: node},
		"POST /api/v1/nodes/{id}/receipts":            {id: node},
		"GET /api/v1/nodes/{id}/recordings/{sha256}":  {id: node},
		"POST /api/v1/nodes/{id}/recordings/{sha256}": {id: node},
		"GET /recording/{sha256}":                     house("a node's own"),
		"PATCH /recording/{sha256}":                   house("a node's own"),
		"DELETE /recording/{sha256}":                  house("a node's own"),

		"POST /api/v1/nodes/{id}/confirm": {id: node, body: func(place) any { return map[string]string{"short_code": "0000-0000"} }},
		"POST /api/v1/nodes/{id}/revoke":  {id: func(p place) string { return p.spare }},
		"POST /api/v1/enrolment-tokens": {body: func(p place) any {
			return api.Invitations{Nodes: []api.Invitation{{Node: p.node + "-x", Area: string(p.area)}}}
		}},
		"GET /api/v1/faults":         {shows: node},
		"GET /api/v1/firings":        {more: func(p place) string { return "?node=" + p.node }, everybody: "those of other places are left out of the answer"},
		"POST /api/v1/subscriptions": {body: func(p place) any { return wish(func(w *api.Wish) { w.Areas = []string{string(p.area)} }) }},

		"GET /api/v1/audit":                          {more: func(p place) string { return "?person=" + p.person }, shows: func(p place) string { return `"person":"` + p.person + `"` }},
		"GET /api/v1/organisation":                   house("the tree is public"),
		"POST /api/v1/organisation/weigh":            {body: renaming},
		"POST /api/v1/organisation/plans":            {body: func(p place) any { return map[string]any{"plan": renaming(p), "digest": broadcast.Sum(nil)} }},
		"DELETE /api/v1/organisation/plans/{sha256}": house("named by a digest, and refused unless one acts in all that the plan changes"),
		"GET /api/v1/organisation/moves":             house("those of other places are left out of the answer"),
		"POST /api/v1/organisation/moves":            house("signs for no node of another place"),

		"GET /api/v1/restoration":         house("says nothing unless a restored backup waits, and then only to those over every node"),
		"POST /api/v1/restoration/accept": {body: func(place) any { return map[string]string{"digest": string(broadcast.Sum(nil))} }, everybody: "refused unless one is over every node"},
		"GET /api/v1/audit/verification":  house("one log for all, and whether it is whole is no secret"),

		"GET /api/v1/persons": {shows: func(p place) string { return `"` + p.person + `"` }},
		"POST /api/v1/persons": {body: func(p place) any {
			return api.NewPerson{ID: p.person, Name: "Có rồi", Role: "auditor", Areas: []string{string(p.area)}}
		}},
		"GET /api/v1/persons/{id}/handover":  {id: func(p place) string { return p.person }},
		"POST /api/v1/persons/{id}/handover": {id: func(p place) string { return p.person }, body: func(place) any { return api.Succession{} }},
		"POST /api/v1/persons/{id}/dismiss":  {id: func(p place) string { return p.leaver }, body: func(place) any { return api.Dismissal{Mode: "retired"} }},
		"POST /api/v1/persons/{id}/code":     {id: func(p place) string { return p.coded }},
		"GET /api/v1/sessions":               {more: func(p place) string { return "?person=" + p.person }},
		"DELETE /api/v1/sessions/{sha256}":   {id: func(p place) string { return p.session }},
	}
}

// furnished puts one of everything into a village.
func (r *rig) furnished(area broadcast.ID) place {
	r.t.Helper()
	name := string(area)
	chain, err := r.Tree().Chain(area, r.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	p := place{area: area, commune: string(chain[len(chain)-2].Area), node: "nut-" + name, spare: "du-" + name, person: "nguoi-" + name, leaver: "thoi-" + name, coded: "quen-" + name}
	r.Node(broadcast.ID(p.node), area)
	r.Node(broadcast.ID(p.spare), area)
	r.ok(r.say(broadcast.ID(p.node), "f-"+area, spoken), 200, nil)
	r.Update(func(tx store.Tx) error {
		return tx.SaveFaults(r.t.Context(), []store.Fault{{ID: "loi-" + area, Node: broadcast.ID(p.node), Code: broadcast.FaultDuplicate, Since: 1, Shown: 1}})
	})
	about := r.flood()
	about["areas"] = []string{name}
	var a, b api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", about), 201, &a)
	r.ok(r.post(r.first, "/api/v1/announcements", about), 201, &b)
	p.template = "mau-" + name
	var m api.Template
	r.ok(r.put(r.first, "/api/v1/templates/"+p.template, map[string]any{"title": "Lũ", "areas": []string{name}, "versions": []map[string]any{{"content": r.sound}}}), 200, &m)
	for _, token := range []string{r.first, r.second} {
		r.ok(r.post(token, "/api/v1/templates/"+p.template+"/sign", map[string]string{"digest": m.Digest}), 200, nil)
	}
	r.ok(r.post(r.first, "/api/v1/templates/"+p.template+"/renew", map[string]any{"version": 3}), 200, nil)
	p.draft, p.dropped, p.said = a.ID, b.ID, r.published(about).ID
	var s api.Speech
	r.ok(r.post(r.first, "/api/v1/speeches", map[string]any{"area": name, "title": "Họp", "text": "Họp thôn.", "engine": "nu", "voice": "nu-bac"}), 201, &s)
	p.speech = s.ID
	var day api.ProgrammeDay
	r.ok(r.post(r.first, "/api/v1/programmes", map[string]any{"area": name, "title": "Buổi sáng", "start": "2026-11-23T10:00:00Z", "segments": []any{}}), 201, &day)
	p.programme = day.ID
	var f api.Feedback
	r.ok(r.post(r.first, "/api/v1/feedback", map[string]string{"area": name, "kind": "broken"}), 201, &f)
	p.feedback = f.ID
	for _, id := range []string{p.person, p.leaver, p.coded} {
		r.ok(r.post(r.Named("quan-tri").Token, "/api/v1/persons", api.NewPerson{ID: id, Name: "Người " + name, Role: "editor", Areas: []string{name}}), 201, nil)
	}
	var phone api.InvitedPhone
	r.ok(r.post(r.Named("quan-tri").Token, "/api/v1/phones", api.NewPhone{Name: "Trực", Area: name}), 201, &phone)
	p.phone = phone.ID
	var me api.Me
	r.Clock.Add(time.Second)
	r.ok(r.signedIn(p.person).ask("GET", "/api/v1/me", "", nil), 200, &me)
	p.session = me.Session
	return p
}

// try sends a route for a place and says whether it was let through.
func (r *rig) try(route, token string, x trial, p place) bool {
	r.t.Helper()
	if x.lay != nil {
		x.lay(r, p)
	}
	method, _, _ := strings.Cut(route, " ")
	call := apitest.Call{Method: method, Path: path(route), Token: token, Header: x.header, Body: []byte("{}")}
	if x.id != nil {
		_, pattern, _ := strings.Cut(route, " ")
		digest := x.id(p)
		if strings.Contains(pattern, "{id}") {
			digest = string(broadcast.Sum(spoken))
		}
		call.Path = strings.NewReplacer("{id}", x.id(p), "{sha256}", digest, "{day}", "2026-11-22", "{month}", "2026-11", "{form}", "csv").Replace(pattern)
	}
	if x.more != nil {
		call.Path += x.more(p)
	}
	if x.body != nil {
		call.Body = x.body(p)
	}
	got := r.Do(call)
	about := x.id != nil || x.more != nil || x.body != nil
	switch {
	case got.Status == http.StatusForbidden && got.Problem(r.t).Code == "forbidden":
		return false
	case got.Status == http.StatusNotFound && about && x.everybody == "":
		return got.Problem(r.t).Code != "not-found"
	case got.Status == http.StatusUnprocessableEntity && about && got.Problem(r.t).Code == "invalid":
		r.t.Fatalf("%s: the trial is not well-formed: %s", route, got.Body)
	case x.shows != nil:
		return got.Status == http.StatusOK && strings.Contains(string(got.Body), x.shows(p))
	}
	return true
}

// TestTheMatrixOfRightsIsWhatThePageSays tries every route as every role of one
// commune, on what stands there and on what stands in another, and compares the
// outcome with docs/authorisation.md (go test -run Matrix -matrix renews it).
func TestTheMatrixOfRightsIsWhatThePageSays(t *testing.T) {
	r := newRig(t)
	own, foreign := r.furnished("tan-lap"), r.furnished("dong-tam")
	_, served := routesOf(t, r.House)
	slices.Sort(served)
	rows := trials(r.sound)
	tokens := map[people.Role]string{}
	for _, role := range people.Roles() {
		area := broadcast.ID("xa-tan-quang")
		if role == people.VillageHead {
			area = "tan-lap"
		}
		var err error
		who := people.TokenRequest{Role: string(role), Area: area, Person: broadcast.ID(role) + "-xa", New: true} // of this commune alone
		if tokens[role], err = people.AdminToken(t.Context(), r.Dir, who, r.Config); err != nil {
			t.Fatal(err)
		}
	}
	var table bytes.Buffer
	for _, route := range served {
		x, known := rows[route]
		if access[route] == "" {
			continue
		}
		if !known {
			t.Errorf("%s has no row: say how it is tried on what stands in one place", route)
			continue
		}
		fmt.Fprintf(&table, "| `%s` |", route)
		for _, role := range people.Roles() {
			fmt.Fprintf(&table, " %s |", r.cell(route, role, tokens[role], x, own, foreign))
		}
		fmt.Fprintf(&table, " %s |\n", x.everybody)
	}
	compare(t, table.String())
}

// cell tries one route as one role.
func (r *rig) cell(route string, role people.Role, token string, x trial, own, foreign place) string {
	if route == "GET /api/v1/events" { // it does not end; it has tests of its own
		return map[bool]string{true: "●", false: "–"}[slices.Contains(role.Permissions(), access[route])]
	}
	away := r.try(route, token, x, foreign) // first, so that what is done at home does not hide it
	home := r.try(route, token, x, own)
	may := slices.Contains(role.Permissions(), access[route])
	switch {
	case home && !may, away && !may:
		r.t.Errorf("%s as %s without %s", route, role, access[route])
	case away && x.everybody == "":
		r.t.Errorf("%s as %s reaches another commune", route, role)
	case away && home:
		return "●"
	case home:
		return "◐"
	}
	return "–"
}

var renew = flag.Bool("matrix", false, "write docs/authorisation.md anew")

// compare holds the page against the table.
func compare(t *testing.T, table string) {
	t.Helper()
	const page = "../../docs/authorisation.md"
	head := "# Who may do what / Ai được làm gì\n\nMade by trying every address of the controller as every role of one commune. ● anywhere, ◐ only in\n" +
		"the own areas, – not at all; the last column says why a place does not matter. Anything that is\nnot here is refused.\n\n" +
		"*Bảng này do phép thử sinh ra: ● mọi nơi, ◐ chỉ trong địa bàn được giao, – không được.*\n\n| |"
	for _, role := range people.Roles() {
		head += " " + string(role) + " |"
	}
	want := head + " anywhere, because |\n|---|" + strings.Repeat("---|", len(people.Roles())+1) + "\n" + table
	if *renew {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/authorisation.md is not what the routes do (%v); renew it with go test ./controller/api -run Matrix -matrix, and read the difference", err)
	}
}
