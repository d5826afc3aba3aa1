package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// restored makes the house one that came out of a backup and returns a token of
// its administrator: those of the backup's day are void.
func (r *rig) restored() string {
	r.t.Helper()
	made := broadcast.InstantOf(r.Clock.Now())
	r.Clock.Add(time.Minute)
	r.Update(func(tx store.Tx) error {
		return tx.Restored(r.t.Context(), store.Restoration{Made: made, At: broadcast.InstantOf(r.Clock.Now())})
	})
	r.Assemble()
	r.Serve()
	token, err := people.AdminToken(r.t.Context(), r.Dir, people.TokenRequest{Role: "admin", Person: "quan-tri"}, r.Config)
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

func TestARestoredHouseIsAcceptedOverHTTP(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	old := r.Named("quan-tri").Token
	var d api.Restoration
	r.ok(r.by(old, "/api/v1/restoration"), 200, &d)
	if d.Waiting || d.Nodes == nil || d.Digest != "" {
		t.Errorf("before: %+v", d)
	}
	none := map[string]string{"digest": string(broadcast.Sum(nil))}
	if p := r.post(old, "/api/v1/restoration/accept", none).Problem(t); p.Status != 409 || p.Code != "not-restored" || p.DetailVI == "" {
		t.Errorf("%+v", p)
	}
	admin := r.restored()
	if got := r.by(old, "/api/v1/restoration"); got.Status != 401 {
		t.Errorf("a token of the backup's day: %d", got.Status)
	}
	r.ok(r.by(admin, "/api/v1/restoration"), 200, &d)
	if !d.Waiting || len(d.Nodes) != 1 || d.Nodes[0].Node != "tan-lap-1" || d.Nodes[0].Heard || d.Until == "" || d.Made >= d.At {
		t.Fatalf("%+v", d)
	}
	shown := map[string]string{"digest": d.Digest}
	if got, _ := r.export(admin, "/api/v1/nodes/tan-lap-1/pack"); got.Status != 409 || got.Problem(t).Code != "restored" {
		t.Errorf("a pack: %d %s", got.Status, got.Body)
	}
	for who, c := range map[string]struct {
		token  string
		body   map[string]string
		status int
		code   string
	}{
		"too early":                {admin, shown, 409, "hearing"},
		"another difference":       {admin, none, 409, "difference"},
		"no digest":                {admin, map[string]string{"digest": "x"}, 422, "invalid"},
		"an auditor":               {r.only(people.Auditor, "bac-quang"), shown, 403, "forbidden"},
		"who answers for too few":  {r.only(people.Administrator, "xa-dong-tam"), shown, 403, "forbidden"},
		"nobody":                   {"", shown, 401, "credential"},
		"a token of earlier times": {old, shown, 401, "credential"},
	} {
		if got := r.post(c.token, "/api/v1/restoration/accept", c.body); got.Status != c.status || got.Problem(t).Code != c.code {
			t.Errorf("%s: %d %s", who, got.Status, got.Body)
		}
	}
	if got := r.by(r.only(people.Administrator, "xa-dong-tam"), "/api/v1/restoration"); got.Status != 403 || strings.Contains(string(got.Body), "tan-lap-1") {
		t.Errorf("seen by who answers for too few: %d %s", got.Status, got.Body)
	}
	r.Clock.Add(10 * time.Minute)
	r.ok(r.by(admin, "/api/v1/restoration"), 200, &d)
	r.ok(r.post(admin, "/api/v1/restoration/accept", map[string]string{"digest": d.Digest}), 204, nil)
	r.ok(r.by(admin, "/api/v1/restoration"), 200, &d)
	if d.Waiting {
		t.Error("it still waits")
	}
	var log deeds
	r.ok(r.by(admin, "/api/v1/audit?act=house.accept"), 200, &log)
	if len(log.Deeds) != 1 || log.Deeds[0].Person != "quan-tri" {
		t.Errorf("%+v", log)
	}
}
