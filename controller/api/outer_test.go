package api_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/controller/api/apitest"
)

// basic is the value of a Basic credential.
func basic(name, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(name + ":" + secret))
}

func TestWhatDoesNotExistIsAProblemToo(t *testing.T) {
	h := apitest.New(t)
	token := h.Token(t, "officer", "")
	for _, c := range []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"GET", "/nothing", 404, "not-found", ""},
		{"GET", "/api/v1/nothing", 404, "not-found", ""},
		{"DELETE", "/api/v1/announcements", 405, "method", "GET, HEAD, POST"},
		{"PUT", "/api/v1/status", 405, "method", "GET, HEAD"},
		{"GET", "/api/v1/announcements/nothing", 404, "not-found", ""},
		{"GET", "/api/v1/announcements/UPPER", 422, "invalid", ""},
		{"GET", "/api/v1/announcements?limit=1000", 422, "invalid", ""},
		{"GET", "/api/v1/announcements?offset=3", 422, "invalid", ""},
		{"GET", "/content/" + strings.Repeat("A", 64), 422, "invalid", ""},
		{"GET", "/content/" + strings.Repeat("a", 64), 404, "not-found", ""},
		{"GET", "/document/" + strings.Repeat("a", 64), 404, "not-found", ""},
		{"GET", "/api/v1/contents/" + strings.Repeat("a", 64), 404, "not-found", ""},
	} {
		got := h.Do(apitest.Call{Method: c.method, Path: c.path, Token: token})
		p := got.Problem(t)
		if got.Status != c.status || p.Code != c.code || got.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %s, Allow %q", c.method, c.path, got.Status, got.Body, got.Header.Get("Allow"))
		}
		if got.Header.Get("Content-Type") != "application/problem+json" || p.Status != c.status || p.Type != "urn:loaxa:problem:"+c.code ||
			p.Title != http.StatusText(c.status) || p.Detail == "" || p.DetailVI == "" {
			t.Errorf("%s %s: not a whole problem: %s", c.method, c.path, got.Body)
		}
	}
}

func TestThePageSaysOnlyWhatAnybodyMayKnow(t *testing.T) {
	h := apitest.New(t)
	got := h.Do(apitest.Call{Method: "GET", Path: "/"})
	text := string(got.Body)
	if got.Status != 200 || !strings.Contains(text, "Hệ thống dùng thử") || strings.Contains(text, "<script") || !strings.Contains(got.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %v\n%s", got.Status, got.Header, text)
	}
}
