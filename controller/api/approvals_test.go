package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/people"
)

// verdicts are the answer to several approvals at once.
type verdicts struct{ Verdicts []api.Verdict }

// waiting is an announcement that one of two officers has signed.
func (r *rig) waiting(area string, at time.Duration) api.Shown {
	r.t.Helper()
	body := map[string]any{"title": "Họp thôn", "areas": []string{area}, "versions": []map[string]any{{"content": r.sound}},
		"timing": map[string]any{"start": r.Clock.Now().Add(at).Format(time.RFC3339)}}
	var a api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", body), 201, &a)
	r.ok(r.post(r.first, "/api/v1/announcements/"+a.ID+"/submit", map[string]any{"digest": a.Digest, "accept_silence": []string{"window", "quiet"}}), 200, &a)
	return api.Shown{ID: a.ID, Digest: a.Digest}
}

func TestAWeekIsApprovedAtOnceAndWhatCannotBeIsRefusedInItsPlace(t *testing.T) {
	r := newRig(t)
	var week api.Approvals
	for day := range 7 {
		week.Items = append(week.Items, r.waiting("bac-quang", time.Duration(day+1)*24*time.Hour+10*time.Hour))
	}
	week.Items[2].Digest = strings.Repeat("0", 64) // changed since it was shown
	week.Items[4].ID = "khong-co"
	var got verdicts
	r.ok(r.post(r.second, "/api/v1/approvals", week), 200, &got)
	if len(got.Verdicts) != 7 {
		t.Fatalf("%+v", got)
	}
	for i, v := range got.Verdicts {
		code := map[int]string{2: "digest-changed", 4: "not-found"}[i]
		if v.ID != week.Items[i].ID || (v.Problem != nil) != (code != "") || (v.Announcement != nil) == (code != "") {
			t.Errorf("%d: %+v", i, v)
			continue
		}
		if code != "" && (v.Problem.Code != code || v.Problem.DetailVI == "") {
			t.Errorf("%d: %+v, want %s", i, v.Problem, code)
		}
		if code == "" && v.Announcement.State != "published" {
			t.Errorf("%d: %s", i, v.Announcement.State)
		}
	}
	var left api.Announcement
	r.get("/api/v1/announcements/"+week.Items[2].ID, &left)
	if left.State != "submitted" || len(left.Signatures) != 1 {
		t.Errorf("signed under a digest that nobody saw: %+v", left)
	}
}

func TestSeveralApprovalsNeedTheKeyAndTheArea(t *testing.T) {
	r := newRig(t)
	one := r.waiting("tan-lap", 34*time.Hour)
	r.Clock.Add(time.Minute) // what the key signed before its retirement stays good
	b := r.signedIn("duyet-2")
	got := b.ask("POST", "/api/v1/approvals", "sai rồi nhé bạn", api.Approvals{Items: []api.Shown{one}})
	if p := got.Problem(t); p.Status != 403 || p.Code != "passphrase" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	var said verdicts
	r.ok(r.post(r.only(people.CommuneOfficial, "xa-dong-tam"), "/api/v1/approvals", api.Approvals{Items: []api.Shown{one}}), 200, &said)
	if said.Verdicts[0].Problem == nil || said.Verdicts[0].Problem.Code != "forbidden" {
		t.Errorf("an official of another commune: %+v", said.Verdicts[0])
	}
	said = verdicts{}
	r.ok(b.ask("POST", "/api/v1/approvals", passphrase, api.Approvals{Items: []api.Shown{one, one}}), 200, &said)
	for i, v := range said.Verdicts {
		if v.Problem != nil || v.Announcement.State != "published" {
			t.Errorf("%d: %+v", i, v)
		}
	}
	if got := b.ask("POST", "/api/v1/approvals", passphrase, map[string]any{"items": []any{}}); got.Status != 422 {
		t.Errorf("nothing to approve: %d", got.Status)
	}
}

func TestAnEditThatComesSecondIsAnsweredWithTheFirst(t *testing.T) {
	r := newRig(t)
	old := r.waiting("tan-lap", 34*time.Hour)
	r.ok(r.post(r.second, "/api/v1/announcements/"+old.ID+"/approve", map[string]any{"digest": old.Digest}), 200, &api.Announcement{})
	edit := func(title string) map[string]any {
		return map[string]any{"title": title, "areas": []string{"tan-lap"}, "versions": []map[string]any{{"content": r.sound}},
			"timing": map[string]any{"start": r.Clock.Now().Add(35 * time.Hour).Format(time.RFC3339)}}
	}
	var mine api.Announcement
	path := "/api/v1/announcements/" + old.ID + "/revisions"
	r.ok(r.post(r.first, path, edit("Họp thôn lúc bảy giờ")), 201, &mine)
	if mine.Replaces != old.ID || mine.Document != old.ID || mine.State != "draft" {
		t.Errorf("%+v", mine)
	}
	p := r.post(r.second, path, edit("Họp thôn lúc tám giờ")).Problem(t)
	shown, _ := p.Current.(map[string]any)
	if p.Status != 409 || p.Code != "revised" || shown["id"] != mine.ID || shown["title"] != "Họp thôn lúc bảy giờ" {
		t.Errorf("%+v", p)
	}
}

func TestAWithdrawalWithACorrectionIsOneRequest(t *testing.T) {
	r := newRig(t)
	old := r.waiting("tan-lap", 34*time.Hour)
	r.ok(r.post(r.second, "/api/v1/announcements/"+old.ID+"/approve", map[string]any{"digest": old.Digest}), 200, &api.Announcement{})
	path := "/api/v1/announcements/" + old.ID + "/withdraw"
	body := func(digest string) map[string]any {
		return map[string]any{"reason": "phát nhầm", "correction": map[string]any{"digest": digest, "versions": []map[string]any{{"content": r.sound}}}}
	}
	for digest, want := range map[string]string{old.Digest: "no-correction", strings.Repeat("0", 64): "digest-changed"} {
		p := r.post(r.first, path, body(digest)).Problem(t)
		shown, _ := p.Current.(map[string]any)
		if p.Status != 409 || p.Code != want || p.DetailVI == "" || want == "digest-changed" && shown["digest"] != old.Digest {
			t.Errorf("%+v, want %s", p, want)
		}
	}
	var still api.Announcement
	r.get("/api/v1/announcements/"+old.ID, &still)
	if still.State != "published" {
		t.Errorf("withdrawn without what was to be said: %s", still.State)
	}
}
