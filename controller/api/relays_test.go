package api_test

import (
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
)

func TestAHouseWithoutStationsSaysSo(t *testing.T) {
	r := newRig(t)
	if got := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/stations", Token: r.first}); got.Status != 200 || !strings.Contains(string(got.Body), `"stations":[]`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := r.Do(apitest.Call{Method: "GET", Path: "/live/vov1/" + string(sealtest.Public("session")), Token: r.first}); got.Status != 404 || got.Problem(t).Code != "station" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	body := r.flood()
	body["class"] = "normal"
	relay := map[string]any{"title": "Tiếp âm", "relay": map[string]any{"station": "vov1", "ms": 60000}}
	body["versions"] = []map[string]any{{"programme": map[string]any{"segments": []map[string]any{relay}}}}
	if got := r.post(r.first, "/api/v1/announcements", body); got.Status != 422 || !strings.Contains(got.Problem(t).Detail, "relays.toml") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	var day api.ProgrammeDay
	r.ok(r.post(r.first, "/api/v1/programmes", with(r.tomorrow("Buổi sáng"), "segments", []map[string]any{relay})), 201, &day)
	if day.Total != 60000 || day.Segments[0].Relay == nil || *day.Segments[0].Relay != (api.NewRelay{Station: "vov1", Millis: 60000}) {
		t.Errorf("a relay in a programme of a day: %+v", day)
	}
	if got := r.post(r.first, "/api/v1/programmes/"+day.ID+"/draft", map[string]any{"version": day.Version}); got.Status != 422 || !strings.Contains(got.Problem(t).Detail, "relays.toml") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
