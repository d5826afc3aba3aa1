package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/records"
)

const diaryAt = "/api/v1/areas/xa-tan-quang/diary/2026-11-22"

// aired is a rig with two nodes, of which one proved that it sounded a flood
// with a hostile title, on a day that is closed.
func aired(t *testing.T) (*rig, api.Announcement) {
	t.Helper()
	r := newRig(t)
	if err := r.Records.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Node("n1", "tan-lap")
	r.Node("n2", "tan-lap")
	body := r.flood()
	body["title"] = `=HYPERLINK("http://x","<script>")`
	a := r.published(body)
	known, err := r.Desk.Deliveries(t.Context(), broadcast.ID(a.ID))
	if err != nil {
		t.Fatal(err)
	}
	r.Prove("n1", desktest.Sounded(known.Announcement.Document)...)
	r.Clock.Add(17 * time.Hour)
	if err := r.Records.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r, a
}

func TestADiaryIsReadWrittenAndVerifiedByThoseOfTheCommune(t *testing.T) {
	r, a := aired(t)
	of := func(role people.Role, area string) string {
		token, err := people.AdminToken(t.Context(), r.Dir, people.TokenRequest{Role: string(role), Area: broadcast.ID(area), New: true, Person: broadcast.ID(string(role) + "-" + area)}, r.Config)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	own, foreign, auditor, head := of(people.CommuneOfficial, "xa-tan-quang"), of(people.CommuneOfficial, "xa-dong-tam"), of(people.Auditor, "xa-tan-quang"), of(people.VillageHead, "tan-lap")
	entry := map[string]string{"text": "Mất điện từ 9 giờ."}
	for name, c := range map[string]struct {
		method, path, token string
		body                any
		status              int
		has, hasNot         string
	}{
		"the commune reads":              {"GET", diaryAt, own, nil, 200, `"sounded":1`, "n9"},
		"an auditor reads":               {"GET", diaryAt, auditor, nil, 200, `"unproved":1`, ""},
		"another commune does not":       {"GET", diaryAt, foreign, nil, 403, "forbidden", "sounded"},
		"nor a village":                  {"GET", diaryAt, head, nil, 403, "forbidden", "sounded"},
		"a day to come":                  {"GET", "/api/v1/areas/xa-tan-quang/diary/2027-01-01", own, nil, 422, "record", "lines"},
		"no day":                         {"GET", "/api/v1/areas/xa-tan-quang/diary/2026-02-30", own, nil, 422, "record", "lines"},
		"a village has none":             {"GET", "/api/v1/areas/tan-lap/diary/2026-11-22", own, nil, 422, "record", "lines"},
		"an area that nobody knows":      {"GET", "/api/v1/areas/nowhere/diary/2026-11-22", own, nil, 404, "not-found", ""},
		"the commune writes":             {"POST", diaryAt + "/entries", own, entry, 201, "Mất điện", ""},
		"an auditor does not write":      {"POST", diaryAt + "/entries", auditor, entry, 403, "forbidden", ""},
		"another commune does not write": {"POST", diaryAt + "/entries", foreign, entry, 403, "forbidden", ""},
		"nothing is no entry":            {"POST", diaryAt + "/entries", own, map[string]string{"text": " "}, 422, "record", ""},
		"the chain is whole":             {"GET", "/api/v1/areas/xa-tan-quang/diary", auditor, nil, 200, `"whole":true`, ""},
		"a report":                       {"GET", "/api/v1/areas/xa-tan-quang/reports/2026-11", own, nil, 200, `"expected":2`, ""},
		"a village's report":             {"GET", "/api/v1/areas/tan-lap/reports/2026-11", head, nil, 200, `"sounded":1`, ""},
		"another commune's report":       {"GET", "/api/v1/areas/xa-tan-quang/reports/2026-11", foreign, nil, 403, "forbidden", "sounded"},
		"a report of no month":           {"GET", "/api/v1/areas/xa-tan-quang/reports/2026-13", own, nil, 422, "record", ""},
		"a form that there is not":       {"GET", diaryAt + "/pdf", own, nil, 422, "invalid", ""},
	} {
		got := r.Do(apitest.Call{Method: c.method, Path: c.path, Token: c.token, Body: c.body})
		if got.Status != c.status || !strings.Contains(string(got.Body), c.has) || c.hasNot != "" && strings.Contains(string(got.Body), c.hasNot) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	var d records.Diary
	r.get(diaryAt, &d)
	if d.Closed == "" || len(d.Lines) != 1 || len(d.Addenda) != 1 || d.Lines[0].Announcement != a.ID {
		t.Fatalf("%+v", d)
	}
	sound := r.Do(apitest.Call{Method: "GET", Path: "/content/" + d.Lines[0].Parts[0].Content, Token: own, Header: map[string]string{"Range": "bytes=0-4"}})
	if sound.Status != http.StatusPartialContent || string(sound.Body) != "sound" {
		t.Errorf("a line cannot be played: %d %s", sound.Status, sound.Body)
	}
}

func TestRecordsAreDownloadedAsPagesWorkbooksAndCSV(t *testing.T) {
	r, _ := aired(t)
	for _, path := range []string{diaryAt, "/api/v1/areas/xa-tan-quang/reports/2026-11"} {
		page := r.by(r.first, path+"/html")
		if text := string(page.Body); page.Status != 200 || strings.Contains(text, "<script") || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") ||
			!strings.Contains(page.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%d %v %s", page.Status, page.Header, text)
		}
		table := r.by(r.first, path+"/csv")
		if table.Status != 200 || !strings.Contains(table.Header.Get("Content-Disposition"), ".csv") || strings.Contains(string(table.Body), `,"=`) || strings.Contains(string(table.Body), ",=") {
			t.Errorf("%d %v %s", table.Status, table.Header, table.Body)
		}
		book := r.by(r.first, path+"/xlsx")
		f, err := excelize.OpenReader(bytes.NewReader(book.Body))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSameKeyWritesIntoTheDiaryOnce(t *testing.T) {
	r, _ := aired(t)
	write := func(path, key, text string) apitest.Answer {
		return r.Do(apitest.Call{Method: "POST", Path: path + "/entries", Token: r.first, Body: map[string]string{"text": text}, Header: map[string]string{"Idempotency-Key": key}})
	}
	today := "/api/v1/areas/xa-tan-quang/diary/2026-11-23"
	for _, path := range []string{diaryAt, today} { // a closed day, and one that is open
		key := path[len(path)-2:]
		for range 2 {
			var d records.Diary
			r.ok(write(path, key, "Mất điện."), 201, &d)
			if len(d.Addenda)+len(d.Entries) != 1 {
				t.Errorf("%s: %+v", path, d)
			}
		}
		for name, got := range map[string]apitest.Answer{"another text": write(path, key, "Có điện."), "another day": write("/api/v1/areas/xa-dong-tam/diary/2026-11-22", key, "Mất điện.")} {
			if got.Status != 409 || got.Problem(t).Code != "idempotency-key" {
				t.Errorf("%s: %d %s", name, got.Status, got.Body)
			}
		}
		var d records.Diary
		r.ok(write(path, "", "Mất điện."), 201, &d)
		if len(d.Addenda)+len(d.Entries) != 2 {
			t.Errorf("without a key: %+v", d)
		}
	}
}
