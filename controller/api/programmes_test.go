package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/store"
)

// tomorrow is a programme of the commune with one recording.
func (r *rig) tomorrow(title string) map[string]any {
	return map[string]any{"area": "xa-tan-quang", "title": title, "start": "2026-11-23T05:30:00+07:00", "minutes": 60,
		"segments": []map[string]any{{"title": "Tin xã", "content": r.sound}}}
}

// with puts one more field into a body.
func with(body map[string]any, name string, value any) map[string]any {
	body[name] = value
	return body
}

func TestAProgrammeOfTomorrowOverHTTP(t *testing.T) {
	r := newRig(t)
	official := r.Named("can-bo-xa").Token
	var p, again api.ProgrammeDay
	add := func(key string, body map[string]any) apitest.Answer {
		return r.Do(apitest.Call{Method: "POST", Path: "/api/v1/programmes", Token: official, Body: body, Header: map[string]string{"Idempotency-Key": key}})
	}
	r.ok(add("k", r.tomorrow(`<script>"`)), 201, &p)
	r.ok(add("k", r.tomorrow(`<script>"`)), 201, &again)
	if p.ID == "" || p.ID != again.ID || !p.Fits || p.Total != 10001 || p.Title != `<script>"` || p.Parts[0].At != "2026-11-22T22:30:00.000Z" {
		t.Fatalf("%+v\n%+v", p, again)
	}
	if got := add("k", r.tomorrow("Khác")); got.Status != 409 || got.Problem(t).Code != "idempotency-key" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	path := "/api/v1/programmes/" + p.ID
	edit := with(r.tomorrow("Buổi sáng"), "version", p.Version)
	delete(edit, "area")
	r.ok(r.put(r.Named("bien-tap").Token, path, edit), 200, nil)
	var problem struct {
		Code    string
		Current api.ProgrammeDay `json:"current"`
	}
	got := r.put(official, path, edit)
	got.Into(t, &problem)
	if got.Status != 409 || problem.Code != "edited" || problem.Current.Title != "Buổi sáng" || problem.Current.Version != 2 || problem.Current.ChangedBy != "bien-tap" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	r.ok(r.post(official, path+"/undo", map[string]any{"version": 2}), 200, &p)
	if p.Title != `<script>"` {
		t.Errorf("%+v", p)
	}
	var made struct{ Made []api.ProgrammeDay }
	r.ok(r.post(official, "/api/v1/areas/xa-tan-quang/programmes/copy", map[string]any{"from": "2026-11-23T00:00:00+07:00", "to": "2026-11-24T00:00:00+07:00", "days": 1}), 200, &made)
	if len(made.Made) != 1 || made.Made[0].Start != "2026-11-23T22:30:00.000Z" {
		t.Fatalf("%+v", made)
	}
	var a api.Announcement
	r.ok(r.post(official, path+"/draft", map[string]any{"version": 3}), 201, &a)
	if a.State != "draft" || a.Forecast == nil || a.Versions[0].Programme == "" || a.Areas[0] != "xa-tan-quang" {
		t.Errorf("%+v", a)
	}
	if got := r.Do(apitest.Call{Method: "DELETE", Path: path + "?version=4", Token: official}); got.Status != 409 || got.Problem(t).Code != "drafted-before" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	r.ok(r.Do(apitest.Call{Method: "DELETE", Path: "/api/v1/programmes/" + made.Made[0].ID + "?version=1", Token: official}), 204, nil)
	var list struct{ Programmes []api.ProgrammeDay }
	r.get("/api/v1/programmes?area=bac-quang&from=2026-11-22T00:00:00Z&to=2026-11-30T00:00:00Z", &list)
	if len(list.Programmes) != 1 || list.Programmes[0].Announcement != a.ID || list.Programmes[0].State != "draft" {
		t.Errorf("%+v", list)
	}
}

// TestTheCommuneAnswersAnOfferOverHTTP has the district offer, the commune place
// it, and the district see that.
func TestTheCommuneAnswersAnOfferOverHTTP(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Update(func(tx store.Tx) error { return tx.Unlist(t.Context(), broadcast.KindSlot, "khung-gio-huyen") })
	official := r.Named("can-bo-xa").Token
	body := r.soon("Tin huyện", 9*time.Hour)
	body["class"], body["meta"] = "normal", map[string]string{"text": "Tiêm chủng"}
	var offer api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", body), 201, &offer)
	r.ok(r.post(r.first, "/api/v1/announcements/"+offer.ID+"/submit", nil), 200, nil)
	r.ok(r.post(r.first, "/api/v1/announcements/"+offer.ID+"/approve", map[string]string{"digest": offer.Digest}), 200, &offer)
	var list struct{ Offers []api.OfferView }
	ask := func() api.Reply {
		t.Helper()
		r.ok(r.Do(apitest.Call{Method: "GET", Path: "/api/v1/areas/xa-tan-quang/offers", Token: official}), 200, &list)
		if len(list.Offers) != 1 || list.Offers[0].Text != "Tiêm chủng" || list.Offers[0].Level != "district" || len(list.Offers[0].Answers) != 1 {
			t.Fatalf("%+v", list)
		}
		return list.Offers[0].Answers[0]
	}
	if ask().Answer != "unanswered" {
		t.Errorf("%+v", list)
	}
	place := map[string]any{"items": []map[string]string{{"announcement": offer.ID, "start": "2026-11-22T11:30:00+07:00"}}}
	var d api.Difference
	r.ok(r.post(official, "/api/v1/areas/xa-tan-quang/placement/weigh", place), 200, &d)
	if len(d.Shifts) == 0 || !strings.Contains(d.Shifts[len(d.Shifts)-1].Text.VI, "11:30") || ask().Answer != "unanswered" {
		t.Errorf("%+v", d)
	}
	if got := r.post(r.second, "/api/v1/areas/xa-tan-quang/placement", place); got.Status != 403 || got.Problem(t).Code != "sign-right" {
		t.Errorf("the district decides: %d %s", got.Status, got.Body)
	}
	r.Clock.Add(time.Second)
	got := r.post(official, "/api/v1/areas/xa-tan-quang/placement", place)
	if got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if ask(); list.Offers[0].Answers[0].Answer != "placed" || list.Offers[0].Answers[0].Start != "2026-11-22T04:30:00.000Z" {
		t.Errorf("%+v", list)
	}
	var told api.OfferView
	r.get("/api/v1/announcements/"+offer.ID+"/answers", &told)
	if len(told.Answers) != len(r.Tree().Children(broadcast.BacQuang, r.Now())) {
		t.Errorf("%+v", told)
	}
	late := map[string]any{"items": []map[string]string{{"announcement": offer.ID, "start": "2026-11-22T20:00:00+07:00"}}}
	if got := r.post(official, "/api/v1/areas/xa-tan-quang/placement", late); got.Status != 422 || got.Problem(t).Code != "offer-ends" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestStandingSlotsAndStationsOverHTTP(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	official := r.Named("can-bo-xa").Token
	slot := map[string]any{"areas": []string{"xa-tan-quang"}, "level": "commune", "until": "2026-12-31T00:00:00+07:00",
		"hours": []map[string]any{{"days": []string{"mo"}, "from": "05:30", "to": "06:30"}}}
	var list struct{ Slots []api.SlotView }
	r.Clock.Add(time.Second)
	r.ok(r.put(official, "/api/v1/slots/buoi-sang", slot), 200, &list)
	var mine api.SlotView
	for _, s := range list.Slots {
		if s.ID == "buoi-sang" {
			mine = s
		}
	}
	if mine.SignedBy != "can-bo-xa" || mine.Hours[0].Days[0] != "MO" || len(mine.Empty) != 1 || mine.Empty[0].Text.VI != "chưa có gì để phát: 23/11/2026 05:30–06:30" {
		t.Fatalf("%+v", list)
	}
	slot["hours"] = []map[string]any{{"from": "25:00", "to": "06:30"}}
	if got := r.put(official, "/api/v1/slots/buoi-sang", slot); got.Status != 422 || got.Problem(t).Field != "hours" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	r.Clock.Add(time.Second)
	r.ok(r.post(official, "/api/v1/slots/buoi-sang/end", map[string]string{"area": "xa-tan-quang"}), 200, &list)
	for _, s := range list.Slots {
		if s.ID == "buoi-sang" {
			t.Errorf("it stands: %+v", s)
		}
	}
	var station api.StationView
	r.ok(r.put(official, "/api/v1/areas/xa-tan-quang/station", map[string]any{"version": 0, "name": "Đài xã", "opening": r.sound}), 200, &station)
	if station.Version != 1 || station.From != "xa-tan-quang" {
		t.Errorf("%+v", station)
	}
	if got := r.put(official, "/api/v1/areas/xa-tan-quang/station", map[string]any{"version": 0, "name": "Đài khác"}); got.Status != 409 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	r.get("/api/v1/areas/tan-lap/station", &station)
	if station.Name != "Đài xã" || station.Opening != r.sound {
		t.Errorf("%+v", station)
	}
}

func TestCollisionsOverHTTP(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.published(r.soon("Một", time.Hour))
	var b api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", r.soon("Hai", time.Hour)), 201, &b)
	r.ok(r.post(r.first, "/api/v1/announcements/"+b.ID+"/submit", nil), 200, nil)
	r.ok(r.post(r.first, "/api/v1/announcements/"+b.ID+"/approve", map[string]any{"digest": b.Digest, "accept_difference": true}), 200, nil)
	var list struct{ Collisions []api.CollisionView }
	r.get("/api/v1/areas/xa-tan-quang/collisions", &list)
	if len(list.Collisions) != 1 || len(list.Collisions[0].Items) != 2 || list.Collisions[0].Decided {
		t.Fatalf("%+v", list)
	}
	second := list.Collisions[0].Items[1]
	r.Clock.Add(time.Second)
	items := map[string]any{"items": []map[string]string{{"announcement": second.Announcement}, {"announcement": list.Collisions[0].Items[0].Announcement}}, "accept_difference": true}
	r.ok(r.post(r.Named("can-bo-xa").Token, "/api/v1/areas/xa-tan-quang/placement", items), 200, nil)
	r.get("/api/v1/areas/xa-tan-quang/collisions", &list)
	if c := list.Collisions[0]; !c.Decided || c.Items[0].Announcement != second.Announcement {
		t.Errorf("%+v", c)
	}
}
