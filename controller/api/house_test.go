package api_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

// TestARealHouseGivesNoTokensToStrangers serves a house whose root is not
// marked demo.
func TestARealHouseGivesNoTokensToStrangers(t *testing.T) {
	r := newRig(t)
	dir := filepath.Join(t.TempDir(), "data")
	officer := func(id broadcast.ID) people.NewPerson {
		return people.NewPerson{ID: id, Name: string(id), Role: people.Approver, Areas: []broadcast.ID{broadcast.BacQuang}, Passphrase: "một mật khẩu dài"}
	}
	_, err := people.Init(t.Context(), people.Options{Dir: dir, RootFiles: []string{filepath.Join(t.TempDir(), "root.key")},
		Officers: []people.NewPerson{officer("an"), officer("binh")}}, r.Config)
	if err != nil {
		t.Fatal(err)
	}
	r.DB, r.Office = peopletest.Open(t, dir, r.Config)
	r.Assemble()
	r.Serve()
	got := r.post("", "/api/v1/demo/enrolment-tokens", api.Invitations{Nodes: []api.Invitation{{Node: "n1", Area: "tan-lap"}}})
	if p := got.Problem(t); p.Status != 403 || p.Code != "not-a-demo" || !strings.Contains(p.Detail, "/api/v1/enrolment-tokens") {
		t.Errorf("%s", got.Body)
	}
	var status api.Status
	r.ok(r.Do(apitest.Call{Method: "GET", Path: "/api/v1/status"}), 200, &status)
	if status.Demo {
		t.Error("a real house says that it is a demo")
	}
	if text := string(r.Do(apitest.Call{Method: "GET", Path: "/"}).Body); strings.Contains(text, "dùng thử") {
		t.Error("its page says that it is a demo")
	}
	token, err := r.Office.Mint(t.Context(), people.Credential{Person: "an", Passphrase: "một mật khẩu dài"}, time.Hour, "")
	if err != nil {
		t.Fatal(err)
	}
	r.ok(r.Do(apitest.Call{Method: "GET", Path: "/api/v1/me", Token: token}), 200, nil)
	r.Clock.Add(time.Hour)
	if got := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/me", Token: token}); got.Status != 401 || !strings.Contains(got.Problem(t).Detail, "expired") {
		t.Errorf("an hour later: %d %s", got.Status, got.Body)
	}
}

func TestThePageEscapesWhatPeopleWrote(t *testing.T) {
	r := newRig(t)
	body := r.flood()
	body["title"] = `<script>alert("x")</script>`
	r.published(body)
	draft := r.flood()
	draft["title"] = "chưa duyệt"
	r.ok(r.post(r.first, "/api/v1/announcements", draft), 201, nil)
	text := string(r.Do(apitest.Call{Method: "GET", Path: "/"}).Body)
	if strings.Contains(text, "<script") || !strings.Contains(text, "&lt;script&gt;") {
		t.Errorf("not escaped:\n%s", text)
	}
	if strings.Contains(text, "chưa duyệt") {
		t.Error("a draft is shown to anybody")
	}
}

func TestAProgrammeOverHTTP(t *testing.T) {
	r := newRig(t)
	var second api.Content
	r.ok(r.Upload(r.first, "", "nhac.mp3", []byte("sound of music")), 201, &second)
	body := r.flood()
	body["versions"] = []map[string]any{{"programme": map[string]any{"station": "Đài Bắc Quang", "segments": []map[string]any{
		{"title": "Tin", "content": r.sound}, {"title": "Nhạc", "content": second.SHA256, "hard_ms": 15000}}}}}
	a := r.published(body)
	if a.Versions[0].Millis != 25001 || a.Versions[0].Programme == "" || a.Versions[0].Content != "" {
		t.Errorf("%+v", a.Versions)
	}
	got := r.Do(apitest.Call{Method: "GET", Path: "/document/" + a.Versions[0].Programme, Token: r.first})
	if got.Status != 200 || !strings.Contains(string(got.Body), `"station":"Đài Bắc Quang"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestRecurrenceOverHTTP(t *testing.T) {
	r := newRig(t)
	now := r.Clock.Now()
	body := map[string]any{"title": "Thời tiết", "areas": []string{"bac-quang"}, "versions": []map[string]any{{"content": r.sound}},
		"timing": map[string]any{"start": now.Add(time.Hour).Format(time.RFC3339), "recurrence": "FREQ=WEEKLY;BYDAY=MO,WE",
			"until": now.AddDate(0, 2, 0).Format(time.RFC3339), "except": []string{"2026-12-02"}, "late_limit_s": 120},
		"volume": 80, "meta": map[string]any{"field": "Khí tượng", "document_number": "12/TB"}}
	var a, again api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", body), 201, &a)
	if a.Timing.Recurrence != "FREQ=WEEKLY;BYDAY=MO,WE" || len(a.Timing.Except) != 1 || a.Timing.LateLimit != 120 || a.Volume != 80 ||
		a.Meta.DocumentNumber != "12/TB" || a.Class != "normal" {
		t.Errorf("%+v", a)
	}
	r.get("/api/v1/announcements/"+a.ID, &again)
	if again.Digest != a.Digest || again.Author != "duyet-1" {
		t.Errorf("%+v", again)
	}
}

func TestAnEditorWritesAndOthersSign(t *testing.T) {
	r := newRig(t)
	editor := r.Named("bien-tap").Token
	var a api.Announcement
	r.ok(r.post(editor, "/api/v1/announcements", r.flood()), 201, &a)
	r.ok(r.post(editor, "/api/v1/announcements/"+a.ID+"/submit", map[string]string{"digest": a.Digest}), 200, &a)
	if got := r.post(editor, "/api/v1/announcements/"+a.ID+"/approve", map[string]string{"digest": a.Digest}); got.Status != 403 || got.Problem(t).Code != "forbidden" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	r.ok(r.post(r.second, "/api/v1/announcements/"+a.ID+"/approve", map[string]string{"digest": a.Digest}), 200, &a)
	if a.State != "published" {
		t.Errorf("%+v", a)
	}
	if got := r.post(editor, "/api/v1/announcements/"+a.ID+"/withdraw", map[string]string{"reason": "viết lại"}); got.Status != 403 {
		t.Errorf("an editor withdrew what is published: %d %s", got.Status, got.Body)
	}
	var draft api.Announcement
	r.ok(r.post(editor, "/api/v1/announcements", r.flood()), 201, &draft)
	r.ok(r.post(editor, "/api/v1/announcements/"+draft.ID+"/withdraw", map[string]string{"reason": "viết lại"}), 200, &draft)
	if draft.State != "closed" {
		t.Errorf("%+v", draft)
	}
}

// TestATokenThatCannotSignSaysSo: an auditor's shell token reads, a made-up
// right to approve would still lack the key.
func TestATokenThatCannotSignSaysSo(t *testing.T) {
	r := newRig(t)
	var me api.Me
	r.ok(r.Do(apitest.Call{Method: "GET", Path: "/api/v1/me", Token: r.Named("kiem-tra").Token}), 200, &me)
	if me.Signs || me.Role != "auditor" {
		t.Errorf("%+v", me)
	}
}
