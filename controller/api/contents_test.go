package api_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/intake"
)

func TestUploadsAreMeasuredAndKept(t *testing.T) {
	r := newRig(t)
	var made, kept api.Content
	r.ok(r.Upload(r.first, "", "Tin lũ.mp3", []byte("sound of rain")), 201, &made)
	if made.Millis != 10001 || made.LUFS != -16 || made.TruePeak != -1.2 || made.Name != "Tin lũ.mp3" || made.Source.Container != "mp3" {
		t.Errorf("%+v", made)
	}
	if len(made.Remarks) != 1 || made.Remarks[0].DetailVI == "" {
		t.Errorf("%+v", made.Remarks)
	}
	r.get("/api/v1/contents/"+made.SHA256, &kept)
	if fmt.Sprint(kept) != fmt.Sprint(made) {
		t.Errorf("%+v is not %+v", kept, made)
	}
}

// TestRefusedUploadsSayWhatToDo covers what intake may say, and forms that are
// none.
func TestRefusedUploadsSayWhatToDo(t *testing.T) {
	r := newRig(t)
	if got := r.Upload(r.first, "", "tin.mp3", []byte("MZ a program")); got.Status != 415 || got.Problem(t).Code != "not-audio" {
		t.Errorf("a program: %d %s", got.Status, got.Body)
	}
	for code, status := range map[intake.Code]int{intake.DiskFull: 507, intake.Busy: 503, intake.TooLong: 422, intake.Silent: 422,
		intake.TooLarge: 413, intake.Truncated: 422, intake.Undecodable: 422} {
		r.Contents.Refuse(fmt.Errorf("take: %w", &intake.Refusal{Code: code, English: "why", Vietnamese: "vì sao"}))
		got := r.Upload(r.first, "again", "tin.mp3", []byte("sound"))
		if p := got.Problem(t); got.Status != status || p.Code != string(code) || p.Detail != "why" || p.DetailVI != "vì sao" {
			t.Errorf("%s: %d %s", code, got.Status, got.Body)
		}
	}
	r.Contents.Refuse(syscall.EIO)
	if got := r.Upload(r.first, "again", "tin.mp3", []byte("sound")); got.Status != 500 || strings.Contains(string(got.Body), "input/output") {
		t.Errorf("a broken disk: %d %s", got.Status, got.Body)
	}
	r.Contents.Refuse(nil)
	r.ok(r.Upload(r.first, "again", "tin.mp3", []byte("sound")), 201, nil)
	for name, c := range map[string]struct {
		media, body string
		status      int
		code        string
	}{
		"JSON":         {"application/json", "{}", 415, "media-type"},
		"no boundary":  {"multipart/form-data", "x", 415, "media-type"},
		"no file":      {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--b--\r\n", 422, "file-missing"},
		"an empty one": {"multipart/form-data; boundary=b", "", 422, "file-missing"},
		"a cut-off one": {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nsound",
			400, "upload-broken"},
	} {
		got := r.Do(apitest.Call{Method: "POST", Path: "/api/v1/contents", Token: r.first, Body: []byte(c.body), Header: map[string]string{"Content-Type": c.media}})
		if got.Status != c.status || got.Problem(t).Code != c.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}

func TestTheSameUploadWithOneKeyIsTakenOnce(t *testing.T) {
	r := newRig(t)
	before := r.Contents.Taken()
	var first, again api.Content
	r.ok(r.Upload(r.first, "k", "tin.mp3", []byte("sound of wind")), 201, &first)
	r.Serve()
	r.ok(r.Upload(r.first, "k", "tin.mp3", []byte("sound of wind")), 201, &again)
	if fmt.Sprint(first) != fmt.Sprint(again) || r.Contents.Taken() != before+1 {
		t.Errorf("taken %d times", r.Contents.Taken()-before)
	}
	if got := r.Upload(r.first, "k", "tin.mp3", []byte("sound of sea")); got.Status != 409 || got.Problem(t).Code != "idempotency-key" {
		t.Errorf("another file: %d %s", got.Status, got.Body)
	}
	r.ok(r.post(r.first, "/api/v1/announcements", r.flood()), 201, nil)
	used := r.Do(apitest.Call{Method: "POST", Path: "/api/v1/announcements", Token: r.first, Body: r.flood(), Header: map[string]string{"Idempotency-Key": "k"}})
	r.ok(used, 201, nil) // a key of an upload is not one of an announcement
}

func TestSoundIsServedInRangesToPeopleAndNodes(t *testing.T) {
	r := newRig(t)
	secret := r.Node("tan-lap-1", "tan-lap")
	whole := []byte("sound of water")
	for name, auth := range map[string]string{"person": "Bearer " + r.first, "node": "Basic " + basic("tan-lap-1", secret)} {
		got := r.Do(apitest.Call{Method: "GET", Path: "/content/" + r.sound, Header: map[string]string{"Authorization": auth}})
		if got.Status != 200 || !bytes.Equal(got.Body, whole) || got.Header.Get("ETag") != `"`+r.sound+`"` ||
			!strings.Contains(got.Header.Get("Cache-Control"), "immutable") || got.Header.Get("Content-Type") != "audio/ogg" {
			t.Errorf("%s: %d %q %v", name, got.Status, got.Body, got.Header)
		}
		part := r.Do(apitest.Call{Method: "GET", Path: "/content/" + r.sound, Header: map[string]string{"Authorization": auth, "Range": "bytes=6-7"}})
		if part.Status != 206 || string(part.Body) != "of" || part.Header.Get("Content-Range") != "bytes 6-7/14" {
			t.Errorf("%s: %d %q", name, part.Status, part.Body)
		}
		held := r.Do(apitest.Call{Method: "GET", Path: "/content/" + r.sound, Header: map[string]string{"Authorization": auth, "If-None-Match": `"` + r.sound + `"`}})
		if held.Status != 304 {
			t.Errorf("%s: held already: %d", name, held.Status)
		}
	}
	beyond := r.Do(apitest.Call{Method: "GET", Path: "/content/" + r.sound, Token: r.first, Header: map[string]string{"Range": "bytes=99-"}})
	if beyond.Status != 416 {
		t.Errorf("beyond the end: %d", beyond.Status)
	}
}

func TestDocumentsAreServedByTheirDigest(t *testing.T) {
	r := newRig(t)
	secret := r.Node("tan-lap-1", "tan-lap")
	a := r.published(r.flood())
	got := r.Do(apitest.Call{Method: "GET", Path: "/document/" + a.SHA256, Header: map[string]string{"Authorization": "Basic " + basic("tan-lap-1", secret)}})
	if got.Status != 200 || !bytes.HasPrefix(got.Body, []byte(`{"payload":"`)) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if err := r.Fleet.Revoke(t.Context(), "ky-thuat", "tan-lap-1"); err != nil {
		t.Fatal(err)
	}
	if got := r.Do(apitest.Call{Method: "GET", Path: "/document/" + a.SHA256, Header: map[string]string{"Authorization": "Basic " + basic("tan-lap-1", secret)}}); got.Status != 401 {
		t.Errorf("a revoked node: %d", got.Status)
	}
	if got := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/areas", Header: map[string]string{"Authorization": "Basic " + basic("tan-lap-1", secret)}}); got.Status != 401 {
		t.Errorf("a node asks what is for people: %d", got.Status)
	}
}

// TestABrokenOffUploadIsNamed sends half of an upload and then hangs up.
func TestABrokenOffUploadIsNamed(t *testing.T) {
	r := newRig(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.Server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "POST /api/v1/contents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n", r.first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nsound"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.Contains(answer, []byte("upload-broken")) {
		t.Errorf("%v %q", err, answer)
	}
}

// TestAServerDoesNotWaitForSlowHeaders: the limits stand on the server itself.
func TestAServerDoesNotWaitForSlowHeaders(t *testing.T) {
	srv := api.NewServer("127.0.0.1:0", http.NotFoundHandler(), discard())
	if srv.ReadHeaderTimeout <= 0 || srv.ReadHeaderTimeout > 30*time.Second || srv.IdleTimeout <= 0 || srv.MaxHeaderBytes > 64<<10 {
		t.Errorf("%+v", srv)
	}
}
