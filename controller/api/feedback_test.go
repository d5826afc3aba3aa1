package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/people"
)

// tooLoud is what somebody reports.
func tooLoud(area string) map[string]string {
	return map[string]string{"area": area, "kind": "too-loud", "text": `=HYPERLINK("x")<script>`, "contact": "0912 345 678"}
}

func TestFeedbackIsWrittenWorkedOnAndReadByThoseOfThePlace(t *testing.T) {
	r := newRig(t)
	r.Node("n1", "tan-lap")
	r.Node("n9", "dong-tam")
	own, foreign := r.only(people.CommuneOfficial, "xa-tan-quang"), r.only(people.CommuneOfficial, "xa-dong-tam")
	auditor, technician := r.only(people.Auditor, "xa-tan-quang"), r.Named("ky-thuat").Token
	var f api.Feedback
	r.ok(r.post(own, "/api/v1/feedback", tooLoud("tan-lap")), 201, &f)
	at := "/api/v1/feedback/" + f.ID
	assign := func(version int, node string) map[string]any {
		return map[string]any{"version": version, "node": node}
	}
	for i, c := range []struct {
		method, path, token string
		body                any
		status              int
		has, hasNot         string
	}{
		{"POST", "/api/v1/feedback", foreign, tooLoud("tan-lap"), 403, "forbidden", ""},
		{"POST", "/api/v1/feedback", auditor, tooLoud("tan-lap"), 403, "forbidden", ""},
		{"POST", "/api/v1/feedback", own, tooLoud("nowhere"), 404, "not-found", ""},
		{"POST", "/api/v1/feedback", r.first, tooLoud("bac-quang"), 422, "area-level", ""},
		{"GET", at, own, nil, 200, "0912 345 678", ""},
		{"GET", at, auditor, nil, 200, "too-loud", "0912"},
		{"GET", at, foreign, nil, 403, "forbidden", "too-loud"},
		{"GET", "/api/v1/feedback/nothing", own, nil, 404, "not-found", ""},
		{"GET", "/api/v1/feedback?state=open", own, nil, 200, f.ID, "next"},
		{"GET", "/api/v1/feedback?state=closed", own, nil, 200, "[]", f.ID},
		{"GET", "/api/v1/feedback", foreign, nil, 200, "[]", f.ID},
		{"GET", "/api/v1/feedback", auditor, nil, 200, f.ID, "0912"},
		{"GET", "/api/v1/feedback?area=xa-tan-quang", r.first, nil, 200, f.ID, ""},
		{"GET", "/api/v1/feedback?area=xa-dong-tam", r.first, nil, 200, "[]", f.ID},
		{"GET", "/api/v1/feedback?area=xa-dong-tam", own, nil, 403, "forbidden", ""},
		{"POST", at + "/assign", own, assign(1, "n9"), 403, "forbidden", ""},
		{"POST", at + "/assign", own, assign(1, "n5"), 422, "node-status", ""},
		{"POST", at + "/assign", own, assign(1, "n1"), 200, `"trim_before_cdb":0`, "trim_after"},
		{"POST", at + "/assign", own, assign(1, "n1"), 409, `"edited"`, ""},
		{"POST", "/api/v1/nodes/n1/trim", own, map[string]int{"before_cdb": 0, "trim_cdb": -300}, 403, "forbidden", ""},
		{"POST", "/api/v1/nodes/n1/trim", technician, map[string]int{"before_cdb": -100, "trim_cdb": -300}, 409, "conflict", ""},
		{"POST", "/api/v1/nodes/n1/trim", technician, map[string]int{"before_cdb": 0, "trim_cdb": -3000}, 422, "invalid", ""},
		{"POST", "/api/v1/nodes/n1/trim", technician, map[string]int{"before_cdb": 0, "trim_cdb": -300}, 200, `"trim_cdb":-300`, ""},
		{"GET", "/api/v1/nodes/n1/trim", own, nil, 200, `"trim_cdb":-300`, ""},
		{"GET", "/api/v1/nodes/n1/trim", foreign, nil, 403, "forbidden", ""},
		{"POST", at + "/close", foreign, map[string]any{"version": 2, "answer": "Xong"}, 403, "forbidden", ""},
		{"POST", at + "/close", own, map[string]any{"version": 1, "answer": "Xong"}, 409, `"current":{`, ""},
		{"POST", at + "/close", own, map[string]any{"version": 2, "answer": " "}, 422, `"answer"`, ""},
		{"POST", at + "/close", own, map[string]any{"version": 2, "answer": "Đã giảm 3 dB"}, 200, `"trim_after_cdb":-300`, ""},
		{"POST", at + "/close", own, map[string]any{"version": 3, "answer": "Khác"}, 409, `"answered"`, ""},
		{"GET", "/api/v1/areas/xa-tan-quang/reports/2026-11", own, nil, 200, "Đã giảm 3 dB", "0912"},
	} {
		r.Clock.Add(time.Second)
		got := r.Do(apitest.Call{Method: c.method, Path: c.path, Token: c.token, Body: c.body})
		if got.Status != c.status || !strings.Contains(string(got.Body), c.has) || c.hasNot != "" && strings.Contains(string(got.Body), c.hasNot) {
			t.Errorf("%d %s %s: %d %s", i, c.method, c.path, got.Status, got.Body)
		}
	}
	table := r.by(own, "/api/v1/areas/xa-tan-quang/reports/2026-11/csv")
	if strings.Contains(string(table.Body), ",=") || strings.Contains(string(table.Body), `,"=`) {
		t.Errorf("a formula: %s", table.Body)
	}
	page := r.by(own, "/api/v1/areas/xa-tan-quang/reports/2026-11/html")
	if strings.Contains(string(page.Body), "<script") || !strings.Contains(string(page.Body), "&lt;script") {
		t.Errorf("%s", page.Body)
	}
}

func TestTheSameKeyWritesFeedbackOnce(t *testing.T) {
	r := newRig(t)
	send := func(key string, body any) apitest.Answer {
		return r.Do(apitest.Call{Method: "POST", Path: "/api/v1/feedback", Token: r.first, Body: body, Header: map[string]string{"Idempotency-Key": key}})
	}
	first, again := send("k1", tooLoud("tan-lap")), send("k1", tooLoud("tan-lap"))
	if first.Status != 201 || again.Status != 201 || string(first.Body) != string(again.Body) {
		t.Errorf("%d %s\n%d %s", first.Status, first.Body, again.Status, again.Body)
	}
	if got := send("k1", tooLoud("dong-tam")); got.Status != 409 || got.Problem(t).Code != "idempotency-key" {
		t.Errorf("another body: %d %s", got.Status, got.Body)
	}
	if got := send("k2", tooLoud("tan-lap")); got.Status != 201 || string(got.Body) == string(first.Body) {
		t.Errorf("another key: %d %s", got.Status, got.Body)
	}
}

func TestAnybodyReportsALittleAndLearnsNothing(t *testing.T) {
	r := newRig(t)
	send := func(body any) apitest.Answer {
		return r.Do(apitest.Call{Method: "POST", Path: "/api/v1/public/feedback", Body: body})
	}
	got := send(tooLoud("tan-lap"))
	if got.Status != 201 || strings.Contains(string(got.Body), "0912") || strings.Contains(string(got.Body), "area") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	big := tooLoud("tan-lap")
	big["text"] = strings.Repeat("a", 1100)
	if got := send(big); got.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("more than 1 KB: %d %s", got.Status, got.Body)
	}
	if got := send(tooLoud("nowhere")); got.Status != 422 || got.Problem(t).Code != "area-unknown" || got.Problem(t).DetailVI == "" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	var last apitest.Answer
	for i := range 3 {
		body := tooLoud("tan-lap")
		body["text"] = fmt.Sprint("to quá ", i)
		last = send(body)
	}
	if last.Status != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
		t.Errorf("the fourth: %d %s", last.Status, last.Body)
	}
	foreign := r.Do(apitest.Call{Method: "POST", Path: "/api/v1/public/feedback", Body: tooLoud("tan-lap"), Header: map[string]string{"Sec-Fetch-Site": "cross-site"}})
	if foreign.Status != http.StatusForbidden {
		t.Errorf("sent by another site: %d %s", foreign.Status, foreign.Body)
	}
	var list struct{ Feedback []api.Feedback }
	r.get("/api/v1/feedback", &list)
	if len(list.Feedback) != 3 || list.Feedback[0].TakenBy != "" || list.Feedback[2].Contact != "0912 345 678" {
		t.Errorf("%+v", list)
	}
}

func TestFeedbackComesInPages(t *testing.T) {
	r := newRig(t)
	for i := range 5 {
		r.Clock.Add(time.Second)
		r.ok(r.post(r.first, "/api/v1/feedback", map[string]string{"area": "tan-lap", "kind": "other", "text": fmt.Sprint("số ", i)}), 201, nil)
	}
	var seen []string
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		var page struct {
			Feedback []api.Feedback
			Next     string
		}
		r.get("/api/v1/feedback?limit=2"+map[bool]string{true: "&cursor=" + cursor}[cursor != ""], &page)
		for _, f := range page.Feedback {
			seen = append(seen, f.Text)
		}
		if cursor = page.Next; pages > 5 {
			t.Fatal("no end")
		}
	}
	if fmt.Sprint(seen) != "[số 4 số 3 số 2 số 1 số 0]" {
		t.Errorf("%q", seen)
	}
}
