package api_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
)

// soon is the body of a priority announcement of one officer.
func (r *rig) soon(title string, in time.Duration) map[string]any {
	return map[string]any{"title": title, "class": "priority", "areas": []string{"bac-quang"}, "reason": "thử", "versions": []map[string]any{{"content": r.sound}},
		"timing": map[string]any{"start": r.Clock.Now().Add(in).Format(time.RFC3339)}}
}

func TestWhatChangesOthersIsShownBeforeItIsSigned(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	old := r.published(r.soon(`<b>Họp</b>`, time.Hour))
	var a api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", r.soon("Chen ngang", time.Hour-5*time.Second)), 201, &a)
	r.ok(r.post(r.first, "/api/v1/announcements/"+a.ID+"/submit", nil), 200, nil)
	got := r.post(r.first, "/api/v1/announcements/"+a.ID+"/approve", map[string]string{"digest": a.Digest})
	var refused struct {
		api.Problem
		Current api.Difference `json:"current"`
	}
	got.Into(t, &refused)
	if got.Status != 409 || refused.Code != "others-change" || len(refused.About) != 1 || refused.About[0] != old.ID || refused.Current.Digest == "" ||
		!strings.Contains(refused.DetailVI, "trước đó: phát 09:00") {
		t.Fatalf("%d %+v", got.Status, refused)
	}
	var d api.Difference
	r.get("/api/v1/announcements/"+a.ID+"/difference", &d)
	if d.Others != 1 || d.Digest != refused.Current.Digest || len(d.Shifts) != 2 || d.Shifts[0].Before == nil || d.Shifts[0].Areas[0].Area != "tan-lap" {
		t.Fatalf("%+v", d)
	}
	if got := r.post(r.first, "/api/v1/announcements/"+a.ID+"/approve", map[string]string{"digest": a.Digest, "difference": old.Digest}); got.Status != 409 {
		t.Errorf("another difference: %d %s", got.Status, got.Body)
	}
	r.ok(r.post(r.first, "/api/v1/announcements/"+a.ID+"/approve", map[string]string{"digest": a.Digest, "difference": d.Digest}), 200, &a)
	if a.State != "published" {
		t.Errorf("%+v", a)
	}
}

func TestTheDaysOfAnAreaOverHTTP(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.published(r.soon("Họp", time.Hour))
	r.ok(r.post(r.first, "/api/v1/announcements", r.soon("Nháp", 2*time.Hour)), 201, nil)
	var ahead api.Ahead
	for _, path := range []string{"/api/v1/areas/bac-quang/ahead", "/api/v1/nodes/tan-lap-1/ahead?days=1"} {
		r.get(path, &ahead)
		if len(ahead.Prospects) != 1 || ahead.Prospects[0].Title != "Họp" || !ahead.Prospects[0].Fate.Sounds || !strings.Contains(ahead.Prospects[0].Text.VI, "09:00") {
			t.Errorf("%s: %+v", path, ahead)
		}
	}
	days := func(token, more string) apitest.Answer {
		q := url.Values{"area": {"tan-lap"}, "from": {r.Clock.Now().Format(time.RFC3339)}, "to": {r.Clock.Now().Add(24 * time.Hour).Format(time.RFC3339)}}
		return r.Do(apitest.Call{Method: "GET", Path: "/api/v1/calendar?" + q.Encode() + more, Token: token})
	}
	var page struct{ Items []api.DayItem }
	r.ok(days(r.first, ""), 200, &page)
	if len(page.Items) != 2 || page.Items[1].Announcement.Title != "Nháp" || len(page.Items[0].Starts) != 1 {
		t.Errorf("%+v", page)
	}
	r.ok(days(r.Named("can-bo-xa").Token, ""), 200, &page) // over the communes, while the draft is for the district
	if len(page.Items) != 1 || page.Items[0].Announcement.Title != "Họp" {
		t.Errorf("%+v", page)
	}
	if got := days(r.first, "&cursor=x"); got.Status != 422 || got.Problem(t).Code != "question" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/areas/bac-quang/ahead?days=36", Token: r.first}); got.Status != 422 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
