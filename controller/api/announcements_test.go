package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/desk/desktest"
)

// rig is a served house with two officers and one content.
type rig struct {
	*apitest.House
	t             *testing.T
	first, second string
	sound         string
	// spoke is what a firing recorded; nil for nothing.
	spoke *broadcast.Content
}

func newRig(t *testing.T) *rig {
	t.Helper()
	h := apitest.New(t)
	r := &rig{House: h, t: t, first: h.Named("duyet-1").Token, second: h.Named("duyet-2").Token}
	var c api.Content
	r.ok(h.Upload(r.first, "", "tin.mp3", []byte("sound of water")), 201, &c)
	r.sound = c.SHA256
	return r
}

// ok asks for a status and reads the body.
func (r *rig) ok(a apitest.Answer, status int, v any) {
	r.t.Helper()
	if a.Status != status {
		r.t.Fatalf("%d, want %d: %s", a.Status, status, a.Body)
	}
	if v != nil {
		a.Into(r.t, v)
	}
}

func (r *rig) post(token, path string, body any) apitest.Answer {
	r.t.Helper()
	return r.Do(apitest.Call{Method: "POST", Path: path, Token: token, Body: body})
}

func (r *rig) get(path string, v any) {
	r.t.Helper()
	r.ok(r.Do(apitest.Call{Method: "GET", Path: path, Token: r.first}), 200, v)
}

// flood is an emergency that one officer may publish.
func (r *rig) flood() map[string]any {
	return map[string]any{"title": "Lũ quét", "class": "emergency", "areas": []string{"bac-quang"}, "reason": "lũ lên nhanh",
		"versions": []map[string]any{{"content": r.sound}}}
}

func (r *rig) published(body map[string]any) api.Announcement {
	r.t.Helper()
	var a api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", body), 201, &a)
	r.ok(r.post(r.first, "/api/v1/announcements/"+a.ID+"/submit", nil), 200, &a)
	r.ok(r.post(r.first, "/api/v1/announcements/"+a.ID+"/approve", map[string]string{"digest": a.Digest}), 200, &a)
	return a
}

func TestFromDraftToProof(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	a := r.published(r.flood())
	if a.State != "published" || a.Timing.Mode != "now" || a.Timing.Start == "" || a.Versions[0].Language != "vi" || a.Versions[0].Millis != 10001 || a.SHA256 == "" {
		t.Errorf("%+v", a)
	}
	doc, err := r.Desk.Announcement(t.Context(), broadcast.ID(a.ID))
	if err != nil {
		t.Fatal(err)
	}
	var d api.Deliveries
	r.get("/api/v1/announcements/"+a.ID+"/deliveries", &d)
	if d.Summary != (api.Summary{Expected: 1, Open: 1}) || d.Nodes[0].Rung != "" || d.Nodes[0].Age != nil || d.Nodes[0].AreaName != "Xã Tân Lập" {
		t.Errorf("before: %+v", d)
	}
	r.Prove("tan-lap-1", desktest.Sounded(doc.Document)...)
	r.get("/api/v1/announcements/"+a.ID+"/deliveries", &d)
	n := d.Nodes[0]
	if d.Summary != (api.Summary{Expected: 1, Ended: 1}) || n.End != "ended" || n.Evidence.Samples != 480048 || n.Evidence.First != a.Timing.Start ||
		len(n.Times) != 7 || n.Times[0].Rung != "received" || n.Times[6].Rung != "ended" || len(n.Occurrences) != 1 || n.Clock != "proved" {
		t.Errorf("after: %+v", n)
	}
	var page struct{ Announcements []api.Announcement }
	r.get("/api/v1/announcements?state=published", &page)
	if len(page.Announcements) != 1 || page.Announcements[0].ID != a.ID {
		t.Errorf("%+v", page)
	}
	if text := string(r.Do(apitest.Call{Method: "GET", Path: "/"}).Body); !strings.Contains(text, "Lũ quét") {
		t.Errorf("the page does not name it:\n%s", text)
	}
}

func TestDoubtfulNodesAreCountedApart(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	a := r.published(r.flood())
	published, err := r.Desk.Announcement(t.Context(), broadcast.ID(a.ID))
	if err != nil {
		t.Fatal(err)
	}
	r.Prove("tan-lap-1", desktest.Sounded(published.Document)...)
	r.Doubt("tan-lap-1")
	var d api.Deliveries
	r.get("/api/v1/announcements/"+a.ID+"/deliveries", &d)
	if d.Summary != (api.Summary{Expected: 1, Doubtful: 1}) {
		t.Errorf("%+v", d.Summary)
	}
	n := d.Nodes[0]
	if c := n.Claimed; n.Rung != "" || n.End != "" || n.Evidence != nil || c == nil || c.End != "ended" || len(c.Times) != 7 || len(c.Occurrences) != 1 {
		t.Errorf("%+v", n)
	}
}

func TestReasonsComeInBothLanguages(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	a := r.published(r.flood())
	published, err := r.Desk.Announcement(t.Context(), broadcast.ID(a.ID))
	if err != nil {
		t.Fatal(err)
	}
	r.Prove("tan-lap-1", desktest.Of(published.Document, broadcast.Receipt{At: r.Now(), Rung: broadcast.Refused, Reason: broadcast.WhyThreshold}))
	var d api.Deliveries
	r.get("/api/v1/announcements/"+a.ID+"/deliveries", &d)
	if got := d.Nodes[0].Reason; got == nil || *got != (api.Reason{Code: "threshold", VI: "chưa đủ chữ ký theo quy chế", EN: "too few signatures for the policy"}) {
		t.Errorf("%+v", got)
	}
	if d.Summary.Silent != 1 {
		t.Errorf("%+v", d.Summary)
	}
}

func TestWhatMaySoundAgainHasNotEnded(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	a := r.published(r.flood())
	published, err := r.Desk.Announcement(t.Context(), broadcast.ID(a.ID))
	if err != nil {
		t.Fatal(err)
	}
	said := desktest.Sounded(published.Document)[:5]
	lost := said[4]
	lost.Rung, lost.Reason = broadcast.Interrupted, broadcast.WhyCrash
	r.Prove("tan-lap-1", append(said, lost)...)
	var d api.Deliveries
	r.get("/api/v1/announcements/"+a.ID+"/deliveries", &d)
	n := d.Nodes[0]
	until := published.Document.Timing.Start.Add(broadcast.DefaultWindow).String()
	if n.End != "" || n.Until != until || n.Reason == nil || n.Reason.Code != "crash" || d.Summary.Open != 1 {
		t.Errorf("%+v", n)
	}
	if o := n.Occurrences[0]; o.Until != until || len(o.Each) != 1 || o.Each[0].End != "interrupted" || o.Each[0].Number != 1 {
		t.Errorf("%+v", o)
	}
}

func TestTwoOfficersOverHTTP(t *testing.T) {
	r := newRig(t)
	body := r.flood()
	body["class"], body["reason"] = "priority", ""
	body["timing"] = map[string]any{"start": r.Clock.Now().Add(time.Hour).Format(time.RFC3339)}
	var a api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", body), 201, &a)
	if a.Timing.Mode != "start" || a.Timing.Start != "2026-11-22T02:00:00.000Z" {
		t.Errorf("%+v", a.Timing)
	}
	r.ok(r.post(r.first, "/api/v1/announcements/"+a.ID+"/submit", map[string]string{"digest": a.Digest}), 200, &a)
	if a.State != "submitted" || a.Needed != 2 || len(a.Signatures) != 1 || a.Signatures[0].Person != "duyet-1" {
		t.Errorf("%+v", a)
	}
	wrong := r.post(r.second, "/api/v1/announcements/"+a.ID+"/approve", map[string]string{"digest": strings.Repeat("0", 64)})
	if p := wrong.Problem(t); p.Status != 409 || p.Code != "digest-changed" {
		t.Errorf("%s", wrong.Body)
	}
	r.ok(r.post(r.second, "/api/v1/announcements/"+a.ID+"/approve", map[string]string{"digest": a.Digest}), 200, &a)
	if a.State != "published" {
		t.Errorf("%+v", a)
	}
	r.ok(r.post(r.second, "/api/v1/announcements/"+a.ID+"/withdraw", map[string]string{"reason": "đổi lịch"}), 200, &a)
	if a.State != "withdrawn" || a.Withdrawn.Person != "duyet-2" || a.Withdrawn.Reason != "đổi lịch" {
		t.Errorf("%+v", a.Withdrawn)
	}
}

// TestBadInputGetsAClearError is every kind of bad create that a client may
// send. Nothing is kept of any.
func TestBadInputGetsAClearError(t *testing.T) {
	r := newRig(t)
	now := r.Clock.Now()
	with := func(name string, value any) map[string]any {
		b := r.flood()
		b[name] = value
		return b
	}
	timing := func(t map[string]any) map[string]any {
		b := with("timing", t)
		b["class"] = "normal"
		return b
	}
	later := now.Add(time.Hour).Format(time.RFC3339)
	for name, c := range map[string]struct {
		body   any
		status int
		code   string
		field  string
	}{
		"not JSON":                 {[]byte("{"), 400, "bad-request", ""},
		"nothing":                  {nil, 400, "bad-request", ""},
		"a list":                   {[]byte("[]"), 422, "invalid", ""},
		"an unknown field":         {with("priority", 1), 422, "invalid", "priority"},
		"a field in another case":  {with("Title", "x"), 400, "bad-request", ""},
		"a field twice":            {[]byte(`{"title":"a","title":"b"}`), 400, "bad-request", ""},
		"a field twice, folded":    {[]byte(`{"title":"a","tıtle":"b","TITLE":"c"}`), 400, "bad-request", ""},
		"nested without end":       {[]byte(strings.Repeat("[", 5000)), 400, "bad-request", ""},
		"two bodies":               {[]byte(`{} {}`), 400, "bad-request", ""},
		"no title":                 {with("title", nil), 422, "invalid", "title"},
		"an empty title":           {with("title", " "), 422, "title-empty", "title"},
		"an unknown area":          {with("areas", []string{"atlantis"}), 422, "area-unknown", "areas"},
		"no area":                  {with("areas", []string{}), 422, "invalid", "areas"},
		"an unknown class":         {with("class", "urgent"), 422, "invalid", "class"},
		"unknown content":          {with("versions", []map[string]any{{"content": strings.Repeat("0", 64)}}), 422, "content-unknown", "versions"},
		"content by a path":        {with("versions", []map[string]any{{"content": "../../etc/passwd"}}), 422, "invalid", "versions[0].content"},
		"a start in the past":      {with("timing", map[string]any{"start": now.Add(-time.Minute).Format(time.RFC3339)}), 422, "start-past", "timing.start"},
		"a start without a zone":   {with("timing", map[string]any{"start": "2026-11-22 10:00"}), 422, "invalid", "timing.start"},
		"recurrence without until": {timing(map[string]any{"start": later, "recurrence": "FREQ=DAILY"}), 422, "recurrence", "timing"},
		"recurrence each second": {timing(map[string]any{"start": later, "recurrence": "FREQ=SECONDLY", "until": now.AddDate(0, 1, 0).Format(time.RFC3339)}),
			422, "recurrence", "timing"},
		"two officers, but now": {with("reason", ""), 201, "", ""}, // an emergency may: the second officer joins later
		"normal by two, but now": {map[string]any{"title": "x", "areas": []string{"bac-quang"}, "versions": []map[string]any{{"content": r.sound}}},
			422, "start-needed", "timing.mode"},
		"above one's areas": {with("areas", []string{"tuyen-quang"}), 403, "forbidden", ""},
		"too large a body":  {bytes.Repeat([]byte(" "), 200<<10), 413, "too-large", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.post(r.first, "/api/v1/announcements", c.body)
			if got.Status != c.status {
				t.Fatalf("%d, want %d: %s", got.Status, c.status, got.Body)
			}
			if c.code == "" {
				return
			}
			if p := got.Problem(t); p.Code != c.code || p.Field != c.field || p.Detail == "" || p.DetailVI == "" {
				t.Errorf("%s", got.Body)
			}
		})
	}
	form := r.Do(apitest.Call{Method: "POST", Path: "/api/v1/announcements", Token: r.first, Body: []byte("title=x"),
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}})
	if form.Status != 415 || form.Problem(t).Code != "media-type" {
		t.Errorf("a form: %d %s", form.Status, form.Body)
	}
}

func TestTheSameKeyAndBodyGiveTheSameAnswer(t *testing.T) {
	r := newRig(t)
	create := func(body any) apitest.Answer {
		return r.Do(apitest.Call{Method: "POST", Path: "/api/v1/announcements", Token: r.first, Body: body, Header: map[string]string{"Idempotency-Key": "k1"}})
	}
	var first, again api.Announcement
	r.ok(create(r.flood()), 201, &first)
	r.ok(r.post(r.first, "/api/v1/announcements/"+first.ID+"/submit", nil), 200, nil)
	r.Clock.Add(time.Minute)
	r.Assemble()
	r.Serve() // as after a restart
	r.ok(create(r.flood()), 201, &again)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("another answer: %s", diff)
	}
	other := r.flood()
	other["title"] = "Bản tin khác"
	if got := create(other); got.Status != 409 || got.Problem(t).Code != "idempotency-key" {
		t.Errorf("another body: %d %s", got.Status, got.Body)
	}
	mine := r.Do(apitest.Call{Method: "POST", Path: "/api/v1/announcements", Token: r.second, Body: r.flood(), Header: map[string]string{"Idempotency-Key": "k1"}})
	var theirs api.Announcement
	r.ok(mine, 201, &theirs)
	if theirs.ID == first.ID {
		t.Error("one person's key reached another's announcement")
	}
}

func TestManyCreatesWithOneKeyAtOnceMakeOne(t *testing.T) {
	r := newRig(t)
	var wait sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wait.Go(func() {
			got := r.Do(apitest.Call{Method: "POST", Path: "/api/v1/announcements", Token: r.first, Body: r.flood(), Header: map[string]string{"Idempotency-Key": "k"}})
			var a api.Announcement
			if err := json.Unmarshal(got.Body, &a); err != nil || got.Status != http.StatusCreated {
				t.Errorf("%d %s", got.Status, got.Body)
			}
			ids[i] = a.ID
		})
	}
	wait.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("%v", ids)
		}
	}
	var page struct{ Announcements []api.Announcement }
	r.get("/api/v1/announcements", &page)
	if len(page.Announcements) != 1 {
		t.Errorf("%d announcements", len(page.Announcements))
	}
}

func TestPagesHaveACursor(t *testing.T) {
	r := newRig(t)
	for range 3 {
		r.ok(r.post(r.first, "/api/v1/announcements", r.flood()), 201, nil)
		r.Clock.Add(time.Second)
	}
	var page struct {
		Announcements []api.Announcement
		Next          string
	}
	r.get("/api/v1/announcements?limit=2", &page)
	if len(page.Announcements) != 2 || page.Next == "" {
		t.Fatalf("%+v", page)
	}
	next := page.Next
	page.Next = ""
	r.get("/api/v1/announcements?limit=2&cursor="+next, &page)
	if len(page.Announcements) != 1 || page.Next != "" {
		t.Errorf("%+v", page)
	}
}
