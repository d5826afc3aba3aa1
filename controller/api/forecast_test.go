package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
)

// nightly is a daily programme that somebody mistyped into the quiet hours.
func (r *rig) nightly() map[string]any {
	start := time.Date(2026, 11, 23, 3, 15, 0, 0, broadcast.Local())
	return map[string]any{"title": "Thời tiết", "areas": []string{"bac-quang"}, "versions": []map[string]any{{"content": r.sound}},
		"timing": map[string]any{"start": start.Format(time.RFC3339), "recurrence": "FREQ=DAILY", "until": start.AddDate(0, 1, 0).Format(time.RFC3339)}}
}

func TestTheOfficeSeesBeforehandThatItWillBeSilentAndWhy(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("tan-quang-1", "tan-quang")
	var a api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", r.nightly()), 201, &a)
	f := a.Forecast
	if f == nil || !f.Nowhere || f.Nodes != 2 || f.Occurrences != 7 || !f.Later || f.To != "2026-11-29T20:15:00.000Z" || len(f.Outcomes) != 1 {
		t.Fatalf("%+v", f)
	}
	o := f.Outcomes[0]
	if o.Sounds || o.Reason.Code != "quiet" || o.Reason.VI != "trong giờ yên tĩnh" || o.Limit != "02:00–04:00" || o.First != "2026-11-22T20:15:00.000Z" ||
		o.Advice == nil || o.Advice.EN == "" || o.Advice.VI == "" || len(o.Areas) != 2 || o.Areas[0] != (api.Share{Area: "tan-lap", Name: "Xã Tân Lập", Nodes: 1}) {
		t.Errorf("%+v", o)
	}
	refused := r.post(r.first, "/api/v1/announcements/"+a.ID+"/submit", map[string]any{"digest": a.Digest})
	if p := refused.Problem(t); p.Status != 422 || p.Code != "sounds-nowhere" || !strings.Contains(p.Detail, "02:00–04:00") ||
		!strings.Contains(p.DetailVI, "Bản tin sẽ không phát") || len(p.Errors) != 1 {
		t.Errorf("%s", refused.Body)
	}
	var asked api.Forecast
	r.get("/api/v1/announcements/"+a.ID+"/forecast", &asked)
	if !asked.Nowhere || asked.Outcomes[0].Text != o.Text {
		t.Errorf("%+v", asked)
	}
	r.ok(r.post(r.first, "/api/v1/announcements/"+a.ID+"/submit", map[string]any{"digest": a.Digest, "accept_silence": []string{"quiet"}}), 200, &a)
	if a.State != "submitted" || a.Forecast == nil || !a.Forecast.Nowhere {
		t.Errorf("%+v", a)
	}
	var seen api.Announcement
	if r.get("/api/v1/announcements/"+a.ID, &seen); seen.Forecast != nil {
		t.Errorf("an old forecast is shown: %+v", seen.Forecast)
	}
	if got := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/announcements/nothing/forecast", Token: r.first}); got.Status != 404 {
		t.Errorf("of nothing: %s", got.Body)
	}
}

// TestAForecastOfADistrictIsSmall: 23 communes fit one answer that a phone can take.
func TestAForecastOfADistrictIsSmall(t *testing.T) {
	r := newRig(t)
	for _, commune := range r.Tree().Children(broadcast.BacQuang, r.Now()) {
		for _, area := range r.Tree().Children(commune, r.Now()) {
			r.Node(area+"-1", area)
			r.Node(area+"-2", area)
		}
	}
	for i, body := range []map[string]any{r.nightly(), r.flood()} {
		got := r.post(r.first, "/api/v1/announcements", body)
		var a api.Announcement
		r.ok(got, 201, &a)
		if a.Forecast.Nodes != 46 || len(a.Forecast.Outcomes) != 1 || len(a.Forecast.Outcomes[0].Areas) != 23 || len(got.Body) > 4000 {
			t.Errorf("%d: %d bytes, %+v", i, len(got.Body), a.Forecast)
		}
	}
}
