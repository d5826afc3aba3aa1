package api_test

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
)

const (
	password   = "mật khẩu hằng ngày"
	passphrase = "câu dài để ký phát"
)

// browser is somebody's browser with what it was given.
type browser struct {
	*rig
	cookies map[string]string
}

// ask sends a request as the browser would, with a passphrase if there is one.
func (b *browser) ask(method, path, passphrase string, body any) apitest.Answer {
	b.t.Helper()
	header := map[string]string{"User-Agent": "Firefox", "Sec-Fetch-Site": "same-origin"}
	for name, value := range b.cookies {
		header["Cookie"] += name + "=" + value + "; "
	}
	if passphrase != "" {
		header["Loaxa-Passphrase"] = url.PathEscape(passphrase)
	}
	got := b.Do(apitest.Call{Method: method, Path: path, Body: body, Header: header})
	for _, c := range (&http.Response{Header: got.Header}).Cookies() {
		b.cookies[c.Name] = c.Value
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure {
			b.t.Errorf("cookie %s", c.Raw)
		}
	}
	return got
}

// signedIn has the administrator give somebody a code and uses it up.
func (r *rig) signedIn(id string) *browser {
	r.t.Helper()
	var code api.Code
	r.ok(r.post(r.Named("quan-tri").Token, "/api/v1/persons/"+id+"/code", api.CodeRequest{NewKey: true}), 201, &code)
	b := &browser{rig: r, cookies: map[string]string{}}
	var me api.Me
	r.ok(b.ask("POST", "/api/v1/session/first", "", api.FirstSignIn{Person: id, Code: code.Code, Password: password, Passphrase: passphrase}), 201, &me)
	if me.ID != id || me.Session == "" || len(b.cookies) != 2 {
		r.t.Fatalf("%+v %v", me, b.cookies)
	}
	return b
}

func TestASessionReadsAndSignsOnlyWithThePassphrase(t *testing.T) {
	r := newRig(t)
	b := r.signedIn("duyet-1")
	var me api.Me
	r.ok(b.ask("GET", "/api/v1/me", "", nil), 200, &me)
	if !me.Signs || me.Role != "approver" {
		t.Errorf("%+v", me)
	}
	var a api.Announcement
	r.ok(b.ask("POST", "/api/v1/announcements", "", r.flood()), 201, &a)
	r.ok(b.ask("POST", "/api/v1/announcements/"+a.ID+"/submit", "", map[string]any{}), 200, &a)
	approval := map[string]string{"digest": a.Digest}
	for name, secret := range map[string]string{"none": "", "the password": password, "a guess": "sai rồi nhé bạn"} {
		got := b.ask("POST", "/api/v1/announcements/"+a.ID+"/approve", secret, approval)
		if p := got.Problem(t); p.Status != 403 || p.Code != "passphrase" || p.DetailVI == "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	signed := func() int {
		var now api.Announcement
		r.ok(b.ask("GET", "/api/v1/announcements/"+a.ID, "", nil), 200, &now)
		return len(now.Signatures)
	}
	if signed() != 0 {
		t.Fatal("signed without the passphrase")
	}
	r.ok(b.ask("POST", "/api/v1/announcements/"+a.ID+"/approve", passphrase, approval), 200, &a)
	if signed() != 1 || a.Signatures[0].Person != "duyet-1" {
		t.Errorf("%+v", a.Signatures)
	}
}

func TestASessionAnswersNoOtherSite(t *testing.T) {
	r := newRig(t)
	b := r.signedIn("duyet-1")
	cookie := "loaxa_session=" + b.cookies["loaxa_session"]
	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"another site":         {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"a neighbour":          {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"an old browser there": {map[string]string{"Origin": "https://evil.example"}, 403},
		"our own page":         {map[string]string{"Sec-Fetch-Site": "same-origin"}, 201},
		"no browser":           {nil, 201},
	} {
		header := map[string]string{"Cookie": cookie}
		for k, v := range c.header {
			header[k] = v
		}
		got := r.Do(apitest.Call{Method: "POST", Path: "/api/v1/announcements", Body: r.flood(), Header: header})
		if got.Status != c.status || c.status == 403 && got.Problem(t).Code != "cross-site" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	got := r.Do(apitest.Call{Method: "POST", Path: "/api/v1/session", Body: api.SignIn{Person: "duyet-1", Password: password}, Header: map[string]string{"Sec-Fetch-Site": "cross-site"}})
	if got.Status != 403 || got.Header.Get("Set-Cookie") != "" {
		t.Errorf("signed in by another site: %d %s", got.Status, got.Body)
	}
}

func TestSigningInOverHTTP(t *testing.T) {
	r := newRig(t)
	b := r.signedIn("duyet-1")
	if got := b.ask("DELETE", "/api/v1/session", "", nil); got.Status != 204 || b.cookies["loaxa_session"] != "" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := b.ask("GET", "/api/v1/me", "", nil); got.Status != 401 {
		t.Errorf("after signing out: %d", got.Status)
	}
	stranger := &browser{rig: r, cookies: map[string]string{}}
	bodies := map[string]bool{}
	for _, who := range []string{"duyet-1", "nobody"} {
		got := stranger.ask("POST", "/api/v1/session", "", api.SignIn{Person: who, Password: "sai rồi nhé"})
		if got.Status != 403 || got.Problem(t).Code != "sign-in" || got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %s", who, got.Status, got.Body)
		}
		bodies[string(got.Body)] = true
	}
	if len(bodies) != 1 {
		t.Errorf("names show: %v", bodies)
	}
	var got apitest.Answer
	for range 6 {
		got = stranger.ask("POST", "/api/v1/session", "", api.SignIn{Person: "duyet-1", Password: "sai rồi nhé"})
	}
	if got.Status != 429 || got.Header.Get("Retry-After") == "" || got.Problem(t).Code != "patience" {
		t.Errorf("%d %v %s", got.Status, got.Header, got.Body)
	}
	r.ok(b.ask("POST", "/api/v1/session", "", api.SignIn{Person: "duyet-1", Password: password}), 201, nil)
	over := r.Do(apitest.Call{Method: "POST", Path: "/api/v1/session", Body: api.SignIn{Person: "duyet-1", Password: password},
		Header: map[string]string{"X-Forwarded-Proto": "https", "Cookie": "loaxa_browser=" + b.cookies["loaxa_browser"]}})
	if !strings.Contains(over.Header.Get("Set-Cookie"), "; Secure") {
		t.Errorf("over TLS: %q", over.Header.Get("Set-Cookie"))
	}
}

func TestANewcomerIsGivenACodeInsteadOfASecret(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	var hoa api.Taken
	r.ok(r.post(admin, "/api/v1/persons", newcomer(func(n *api.NewPerson) { n.Passphrase = "" })), 201, &hoa)
	if hoa.Code == nil || !hoa.Code.NewKey || hoa.SignsUntil == "" {
		t.Fatalf("%+v", hoa)
	}
	b := &browser{rig: r, cookies: map[string]string{}}
	first := api.FirstSignIn{Person: "hoa", Code: hoa.Code.Code, Password: password, Passphrase: "ngắn"}
	if got := b.ask("POST", "/api/v1/session/first", "", first); got.Status != 422 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	first.Passphrase = passphrase
	var me api.Me
	r.ok(b.ask("POST", "/api/v1/session/first", "", first), 201, &me)
	if !me.Signs {
		t.Errorf("%+v", me)
	}
	if got := b.ask("PUT", "/api/v1/me/password", "", api.Change{Old: password, New: "một mật khẩu khác"}); got.Status != 204 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := b.ask("PUT", "/api/v1/me/passphrase", "", api.Change{Old: passphrase, New: "một câu khác hẳn"}); got.Status != 204 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := r.Do(apitest.Call{Method: "PUT", Path: "/api/v1/me/password", Token: r.first, Body: api.Change{Old: "x", New: "y"}}); got.Status != 409 || got.Problem(t).Code != "no-session" {
		t.Errorf("with a token: %d %s", got.Status, got.Body)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	r := newRig(t)
	b, other := r.signedIn("duyet-1"), r.signedIn("duyet-2")
	admin := r.Named("quan-tri").Token
	var list struct{ Sessions []api.Session }
	r.ok(b.ask("GET", "/api/v1/sessions", "", nil), 200, &list)
	if len(list.Sessions) != 1 || !list.Sessions[0].Current || list.Sessions[0].Device != "Firefox" || list.Sessions[0].Address != "127.0.0.1" {
		t.Errorf("%+v", list)
	}
	one := "/api/v1/sessions/" + list.Sessions[0].ID
	for _, path := range []string{"GET /api/v1/sessions?person=duyet-1", "DELETE " + one} {
		method, path, _ := strings.Cut(path, " ")
		if got := other.ask(method, path, "", nil); got.Status != 403 || strings.Contains(string(got.Body), "Firefox") {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
	r.ok(r.Do(apitest.Call{Method: "GET", Path: "/api/v1/sessions?person=duyet-1", Token: admin}), 200, &list)
	if got := r.Do(apitest.Call{Method: "DELETE", Path: one, Token: admin}); got.Status != 204 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := b.ask("GET", "/api/v1/me", "", nil); got.Status != 401 {
		t.Errorf("goes on: %d", got.Status)
	}
}

// TestALiveStreamEndsWithItsSession watches events over a real connection.
func TestALiveStreamEndsWithItsSession(t *testing.T) {
	for name, end := range map[string]func(*rig, *browser){
		"revoked": func(r *rig, b *browser) {
			var list struct{ Sessions []api.Session }
			r.ok(b.ask("GET", "/api/v1/sessions", "", nil), 200, &list)
			r.Do(apitest.Call{Method: "DELETE", Path: "/api/v1/sessions/" + list.Sessions[0].ID, Token: r.Named("quan-tri").Token})
		},
		"dismissed": func(r *rig, _ *browser) {
			r.ok(r.post(r.Named("quan-tri").Token, "/api/v1/persons/duyet-1/dismiss", api.Dismissal{Mode: "retired"}), 200, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			b := r.signedIn("duyet-1")
			req, err := http.NewRequestWithContext(t.Context(), "GET", r.Server.URL+"/api/v1/events", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.AddCookie(&http.Cookie{Name: "loaxa_session", Value: b.cookies["loaxa_session"]})
			got, err := http.DefaultClient.Do(req)
			if err != nil || got.StatusCode != 200 {
				t.Fatal(got, err)
			}
			defer func() { _ = got.Body.Close() }()
			lines := bufio.NewScanner(got.Body)
			if !lines.Scan() {
				t.Fatal("no stream")
			}
			began := time.Now()
			end(r, b)
			for lines.Scan() {
				if strings.Contains(lines.Text(), "duyet-1") {
					t.Errorf("told of its own end: %s", lines.Text())
				}
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("ended after %s", took)
			}
		})
	}
}
