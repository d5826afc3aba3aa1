package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/accounts/accountstest"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
)

// answerOf is what a device answers, as the browser puts it into a request.
func answerOf(t *testing.T, say func(json.RawMessage, accountstest.Lie) ([]byte, error), c api.Challenge) api.DeviceAnswer {
	t.Helper()
	b, err := say(c.Options, accountstest.Lie{})
	if err != nil {
		t.Fatal(err)
	}
	return api.DeviceAnswer{State: c.State, Credential: string(b)}
}

// withPasskey adds a passkey in a browser.
func (b *browser) withPasskey(name string) (*accountstest.Authenticator, api.Passkey) {
	b.t.Helper()
	device := accountstest.New(apitest.Site)
	var c api.Challenge
	b.ok(b.ask("POST", "/api/v1/me/passkeys/options", "", api.Knowing{Password: password}), 200, &c)
	var k api.Passkey
	b.ok(b.ask("POST", "/api/v1/me/passkeys", "", api.NewPasskey{DeviceAnswer: answerOf(b.t, device.Make, c), Name: name}), 201, &k)
	return device, k
}

func TestSomebodySignsInByTouchingADevice(t *testing.T) {
	r := newRig(t)
	b := r.signedIn("duyet-1")
	device, _ := b.withPasskey("<b>điện thoại</b>")
	r.ok(b.ask("DELETE", "/api/v1/session", "", nil), 204, nil)
	delete(b.cookies, "loaxa_session")
	r.Clock.Add(time.Hour)
	var c api.Challenge
	r.ok(b.ask("POST", "/api/v1/session/passkey/options", "", map[string]any{}), 200, &c)
	var me api.Me
	r.ok(b.ask("POST", "/api/v1/session/passkey", "", answerOf(t, device.Sign, c)), 201, &me)
	if me.ID != "duyet-1" || me.Session == "" {
		t.Errorf("%+v", me)
	}
	var list struct{ Passkeys []api.Passkey }
	r.ok(b.ask("GET", "/api/v1/me/passkeys", "", nil), 200, &list)
	if len(list.Passkeys) != 1 || list.Passkeys[0].Name != "<b>điện thoại</b>" || list.Passkeys[0].Used == "" {
		t.Errorf("%+v", list)
	}
	var a api.Announcement
	r.ok(b.ask("POST", "/api/v1/announcements", "", r.flood()), 201, &a)
	r.ok(b.ask("POST", "/api/v1/announcements/"+a.ID+"/submit", "", map[string]any{}), 200, &a)
	got := b.ask("POST", "/api/v1/announcements/"+a.ID+"/approve", "", map[string]string{"digest": a.Digest})
	if p := got.Problem(t); p.Code != "passphrase" {
		t.Errorf("a passkey alone signs: %d %s", got.Status, got.Body)
	}
}

func TestPasskeysAreRenamedAndRemovedByTheirOwnerAlone(t *testing.T) {
	r := newRig(t)
	b, other := r.signedIn("duyet-1"), r.signedIn("duyet-2")
	device, k := b.withPasskey("máy cũ")
	path := "/api/v1/me/passkeys/" + k.ID
	for name, got := range map[string]apitest.Answer{
		"renamed by another": other.ask("PUT", path, "", api.PasskeyName{Name: "của tôi"}),
		"removed by another": other.ask("DELETE", path, "", nil),
	} {
		if got.Status != 404 {
			t.Errorf("%s: %d", name, got.Status)
		}
	}
	r.ok(b.ask("PUT", path, "", api.PasskeyName{Name: "máy mới"}), 204, nil)
	r.ok(b.ask("DELETE", path, "", nil), 204, nil)
	var c api.Challenge
	r.ok(b.ask("POST", "/api/v1/session/passkey/options", "", map[string]any{}), 200, &c)
	if got := b.ask("POST", "/api/v1/session/passkey", "", answerOf(t, device.Sign, c)); got.Status != 403 || got.Problem(t).Code != "passkey" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestPasskeysThatCannotBeAreAnsweredWithWhatToDo(t *testing.T) {
	r := newRig(t)
	b := r.signedIn("duyet-1")
	token := r.Named("duyet-2").Token
	for name, c := range map[string]struct {
		got  apitest.Answer
		stat int
		code string
	}{
		"a wrong password":        {b.ask("POST", "/api/v1/me/passkeys/options", "", api.Knowing{Password: "đoán mò"}), 422, "password"},
		"a token has no passkeys": {r.post(token, "/api/v1/me/passkeys/options", api.Knowing{Password: password}), 409, "no-session"},
		"a question of one's own": {b.ask("POST", "/api/v1/session/passkey", "", map[string]any{"state": "AAAA", "credential": "{}"}), 403, "passkey"},
		"no answer":               {b.ask("POST", "/api/v1/session/passkey", "", map[string]any{"state": "AAAA"}), 422, "invalid"},
		"a name too long":         {b.ask("PUT", "/api/v1/me/passkeys/x", "", api.PasskeyName{Name: strings.Repeat("ă", 99)}), 403, "passkey"},
	} {
		if p := c.got.Problem(t); c.got.Status != c.stat || p.Code != c.code || p.DetailVI == "" {
			t.Errorf("%s: %d %s", name, c.got.Status, c.got.Body)
		}
	}
}
