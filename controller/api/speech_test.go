package api_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/speech"
)

func (r *rig) put(token, path string, body any) apitest.Answer {
	return r.Do(apitest.Call{Method: "PUT", Path: path, Token: token, Body: body})
}

func aText(text string, accept ...string) map[string]any {
	body := map[string]any{"area": "bac-quang", "title": "Họp thôn", "text": text, "engine": "nu", "voice": "nu-bac"}
	if len(accept) > 0 {
		body["accept"] = accept
	}
	return body
}

// spoken has a text spoken and returns it as it is then.
func (r *rig) spoken(text string, accept ...string) api.Speech {
	r.t.Helper()
	var s api.Speech
	r.ok(r.post(r.first, "/api/v1/speeches", aText(text, accept...)), 201, &s)
	if _, err := r.Speech.Work(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.get("/api/v1/speeches/"+s.ID, &s)
	return s
}

func TestATextIsPreviewedSpokenAndEditedOverHTTP(t *testing.T) {
	r := newRig(t)
	var preview struct {
		Tokens  []api.Token
		Unknown []string
		Spoken  string
		Millis  int64 `json:"ms"`
	}
	r.ok(r.post(r.first, "/api/v1/speech/preview", aText("Họp lúc 7h30, GRDP tăng.")), 200, &preview)
	if preview.Spoken != "Họp lúc bảy giờ ba mươi phút, GRDP tăng" || len(preview.Unknown) != 1 || preview.Unknown[0] != "GRDP" || preview.Millis < 2000 {
		t.Errorf("%+v", preview)
	}
	for _, k := range preview.Tokens {
		if (k.Risk != "none") != (k.Reason != "" && k.ReasonVI != "") {
			t.Errorf("%+v", k)
		}
	}
	s := r.spoken("Họp lúc 7h30. Mang theo CCCD.")
	if s.State != "done" || s.Content == "" || len(s.Sentences) != 2 {
		t.Fatalf("%+v", s)
	}
	var beside struct {
		Text, Spoken, Person string
		Listened             bool
	}
	r.get("/api/v1/contents/"+s.Content+"/text", &beside)
	if beside.Text != s.Text || !strings.Contains(beside.Spoken, "căn cước công dân") || beside.Person != "duyet-1" || beside.Listened {
		t.Errorf("%+v", beside)
	}
	r.Voice.Said()
	edit := map[string]any{"version": s.Version, "sentence": 1, "text": "Họp lúc 8h."}
	var edited api.Speech
	r.ok(r.put(r.first, "/api/v1/speeches/"+s.ID+"/sentence", edit), 200, &edited)
	if edited.State != "queued" || edited.Text != "Họp lúc 8h. Mang theo CCCD." {
		t.Errorf("%+v", edited)
	}
	if got := r.put(r.first, "/api/v1/speeches/"+s.ID+"/sentence", edit); got.Status != 409 || got.Problem(t).Code != "conflict" {
		t.Errorf("a second editor: %d %s", got.Status, got.Body)
	}
	if _, err := r.Speech.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	if said := r.Voice.Said(); len(said) != 1 || said[0] != "Họp lúc tám giờ" {
		t.Errorf("said again %q", said)
	}
	var list struct{ Speeches []api.Speech }
	r.get("/api/v1/speeches", &list)
	if len(list.Speeches) != 1 || list.Speeches[0].Sentences != nil {
		t.Errorf("%+v", list)
	}
}

func TestASpeechIsCreatedOnceUnderItsKey(t *testing.T) {
	r := newRig(t)
	call := apitest.Call{Method: "POST", Path: "/api/v1/speeches", Token: r.first, Body: aText("Họp thôn."), Header: map[string]string{"Idempotency-Key": "k1"}}
	var one, two api.Speech
	r.ok(r.Do(call), 201, &one)
	r.ok(r.Do(call), 201, &two)
	if one.ID != two.ID {
		t.Errorf("%s and %s", one.ID, two.ID)
	}
	call.Body = aText("Họp xã.")
	if got := r.Do(call); got.Status != 409 || got.Problem(t).Code != "idempotency-key" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestTextsThatAreNotTaken(t *testing.T) {
	r := newRig(t)
	with := func(field string, value any) map[string]any {
		body := aText("Họp thôn.")
		body[field] = value
		return body
	}
	for name, c := range map[string]struct {
		token  string
		body   map[string]any
		status int
		code   string
	}{
		"unknown pieces":   {r.first, aText("GRDP tăng."), 422, "unknown-tokens"},
		"nothing to say":   {r.first, aText(" ... "), 422, "text-empty"},
		"no such engine":   {r.first, with("engine", "x"), 422, "engine-unknown"},
		"no such voice":    {r.first, with("voice", "--help"), 422, "voice-unknown"},
		"a rate of nobody": {r.first, with("rate", 1000), 422, "rate"},
		"a foreign area":   {r.first, with("area", "ha-giang"), 403, "forbidden"},
		"an unknown area":  {r.first, with("area", "nowhere"), 403, "forbidden"},
		"an auditor":       {r.Named("kiem-tra").Token, aText("Họp thôn."), 403, "forbidden"},
		"too long":         {r.first, aText(strings.Repeat("a", 31_000)), 422, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.post(c.token, "/api/v1/speeches", c.body)
			if p := got.Problem(t); got.Status != c.status || p.Code != c.code || p.DetailVI == "" {
				t.Errorf("%d %s", got.Status, got.Body)
			}
		})
	}
	if got := r.post(r.first, "/api/v1/speeches", aText("GRDP tăng.")); len(got.Problem(t).Errors) != 1 || got.Problem(t).Errors[0] != "GRDP" {
		t.Errorf("%s", got.Body)
	}
	r.ok(r.post(r.first, "/api/v1/speeches", aText("GRDP tăng.", "GRDP")), 201, nil)
}

func TestAVoiceThatIsDownShowsAndTheTextWaits(t *testing.T) {
	r := newRig(t)
	r.Voice.Fail(fmt.Errorf("%w: cable out", speech.ErrDown))
	s := r.spoken("Họp thôn.")
	if s.State != "queued" || !strings.Contains(s.Reason, "cable out") || s.ReasonVI == "" || s.Next == "" || s.Tries != 1 {
		t.Errorf("%+v", s)
	}
	var voices struct{ Engines []api.Engine }
	r.get("/api/v1/voices", &voices)
	if len(voices.Engines) != 1 || voices.Engines[0].Well || !strings.Contains(voices.Engines[0].Down, "cable out") || len(voices.Engines[0].Voices) != 1 {
		t.Errorf("%+v", voices)
	}
	r.Voice.Fail(nil)
	r.ok(r.post(r.first, "/api/v1/speeches/"+s.ID+"/retry", nil), 200, &s)
	if _, err := r.Speech.Work(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := s.ID
	s = api.Speech{}
	r.get("/api/v1/speeches/"+id, &s)
	if s.State != "done" || s.Reason != "" {
		t.Errorf("%+v", s)
	}
}

func TestALexiconIsKeptOverHTTP(t *testing.T) {
	r := newRig(t)
	const path = "/api/v1/areas/bac-quang/lexicon"
	var kept api.Lexeme
	r.ok(r.put(r.first, path, map[string]any{"written": "GRDP", "spoken": "tổng sản phẩm"}), 200, &kept)
	if kept.Version != 1 {
		t.Errorf("%+v", kept)
	}
	if got := r.put(r.first, path, map[string]any{"written": "GRDP", "spoken": "khác"}); got.Status != 409 {
		t.Errorf("a second first: %d %s", got.Status, got.Body)
	}
	r.ok(r.put(r.first, path, map[string]any{"written": "GRDP", "spoken": "tổng sản phẩm trên địa bàn", "version": 1}), 200, &kept)
	for _, bad := range []map[string]any{{"written": "a", "spoken": "[[x]]"}, {"written": "a", "spoken": "<script>"}, {"written": "=1+1", "spoken": "hai"}} {
		if got := r.put(r.first, path, bad); got.Status != 422 || got.Problem(t).Code != "lexicon-entry" {
			t.Errorf("%v: %d %s", bad, got.Status, got.Body)
		}
	}
	if got := r.put(r.Named("kiem-tra").Token, path, map[string]any{"written": "a", "spoken": "a"}); got.Status != 403 {
		t.Errorf("an auditor: %d", got.Status)
	}
	var list struct{ Entries []api.Lexeme }
	r.get(path, &list)
	if len(list.Entries) != 1 || list.Entries[0].Spoken != "tổng sản phẩm trên địa bàn" || list.Entries[0].Version != 2 {
		t.Errorf("%+v", list)
	}
	drop := apitest.Call{Method: "DELETE", Path: path + "?written=" + url.QueryEscape("GRDP"), Token: r.first}
	r.ok(r.Do(drop), 204, nil)
	if got := r.Do(drop); got.Status != 404 {
		t.Errorf("dropped twice: %d", got.Status)
	}
}

// TestAMachinesVoiceSpeaksNoEmergencyUnheard: what came from a text is submitted
// as an emergency only after its author has listened.
func TestAMachinesVoiceSpeaksNoEmergencyUnheard(t *testing.T) {
	r := newRig(t)
	s := r.spoken("Khẩn cấp! Nước sông Lô lên nhanh. Bà con sơ tán ngay.")
	body := r.flood()
	body["versions"] = []map[string]any{{"content": s.Content}}
	var a api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", body), 201, &a)
	if a.Class != "emergency" || a.Meta.Text != s.Text {
		t.Fatalf("class %s, text %q", a.Class, a.Meta.Text)
	}
	submit := "/api/v1/announcements/" + a.ID + "/submit"
	got := r.post(r.first, submit, map[string]string{"digest": a.Digest})
	if p := got.Problem(t); got.Status != 409 || p.Code != "not-listened" || len(p.Errors) != 1 || p.Errors[0] != s.Content {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	listened := "/api/v1/contents/" + s.Content + "/listened"
	if got := r.post(r.first, listened, map[string]bool{"listened": false}); got.Status != 422 {
		t.Errorf("listened: false: %d %s", got.Status, got.Body)
	}
	r.ok(r.post(r.second, listened, map[string]bool{"listened": true}), 204, nil)
	if got := r.post(r.first, submit, nil); got.Status != 409 {
		t.Errorf("another's ears: %d %s", got.Status, got.Body)
	}
	r.ok(r.post(r.first, listened, map[string]bool{"listened": true}), 204, nil)
	r.ok(r.post(r.first, submit, map[string]string{"digest": a.Digest}), 200, &a)
	if a.State != "submitted" && a.State != "published" {
		t.Errorf("%+v", a)
	}
}

func TestAProgrammeWithAMachinesVoiceIsHeardFirstToo(t *testing.T) {
	r := newRig(t)
	s := r.spoken("Khẩn cấp! Nước sông Lô lên nhanh.")
	body := r.flood()
	body["versions"] = []map[string]any{{"programme": map[string]any{"segments": []map[string]any{{"title": "Tin", "content": s.Content}}}}}
	var a api.Announcement
	r.ok(r.post(r.first, "/api/v1/announcements", body), 201, &a)
	if got := r.post(r.first, "/api/v1/announcements/"+a.ID+"/submit", nil); got.Status != 409 || got.Problem(t).Code != "not-listened" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestAPaperIsReadOverHTTP(t *testing.T) {
	r := newRig(t)
	send := func(token, area string, file []byte) apitest.Answer {
		body := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.docx\"\r\n\r\n" + string(file) + "\r\n--b--\r\n"
		return r.Do(apitest.Call{Method: "POST", Path: "/api/v1/papers?area=" + area + "&seconds=60", Token: token, Body: []byte(body),
			Header: map[string]string{"Content-Type": "multipart/form-data; boundary=b"}})
	}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	w, err := z.Create("word/document.xml")
	if err == nil {
		_, err = w.Write([]byte("<w:p><w:t>Điều 1. Họp lúc 7h30.</w:t></w:p><w:p><w:t>Nơi nhận:</w:t></w:p>"))
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	var p api.Paper
	r.ok(send(r.first, "bac-quang", packed.Bytes()), 200, &p)
	if len(p.Episodes) != 1 || p.Episodes[0].Text != "Điều 1. Họp lúc 7h30." || p.Episodes[0].Millis < 1000 || len(p.Dropped) != 1 || p.Dropped[0].Why != "signature" {
		t.Errorf("%+v", p)
	}
	if got := send(r.first, "bac-quang", []byte("no paper")); got.Status != 422 || got.Problem(t).Code != "paper" || got.Problem(t).DetailVI == "" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := send(r.first, "ha-giang", packed.Bytes()); got.Status != 403 {
		t.Errorf("another's area: %d", got.Status)
	}
}
