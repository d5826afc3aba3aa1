package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/accounts"
	"github.com/loaxa/loaxa/controller/accounts/accountstest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

const site = "https://loa.example.vn"

// keyed is somebody who is signed in and has a passkey.
func (r *rig) keyed() (*accountstest.Authenticator, accounts.Entry) {
	r.t.Helper()
	e := r.settled("bien-tap", home())
	device := accountstest.New(site)
	asked := must[accounts.Challenge](r.t)(r.OfferPasskey(r.t.Context(), e.Session, password))
	answer := must[[]byte](r.t)(device.Make(asked.Options, accountstest.Lie{}))
	must[accounts.Passkey](r.t)(r.AddPasskey(r.t.Context(), e.Session, "điện thoại", asked.State, answer))
	return device, e
}

// touch has a device answer at the door.
func (r *rig) touch(device *accountstest.Authenticator, lie accountstest.Lie) (accounts.Entry, error) {
	r.t.Helper()
	asked := must[accounts.Challenge](r.t)(r.AskPasskey())
	answer := must[[]byte](r.t)(device.Sign(asked.Options, lie))
	return r.EnterPasskey(r.t.Context(), asked.State, answer, home())
}

func TestAPasskeyLetsItsOwnerInAndSignsNothing(t *testing.T) {
	r := newRig(t)
	device, _ := r.keyed()
	r.restart() // what a device needs survives a restart
	e, err := r.touch(device, accountstest.Lie{})
	if err != nil || e.Person.ID != "bien-tap" || e.Cookie == "" {
		t.Fatalf("%+v %v", e, err)
	}
	if _, p, err := r.Session(t.Context(), e.Cookie, home()); err != nil || p.ID != "bien-tap" {
		t.Errorf("%+v %v", p, err)
	}
	if _, err := r.Office.IssueCode(t.Context(), people.Credential{Person: "bien-tap", Session: e.Session.ID}, "ky-thuat", false); !errors.Is(err, people.ErrPassphrase) && !errors.Is(err, people.ErrCannotSign) {
		t.Errorf("a session by passkey signs: %v", err)
	}
	list := must[[]accounts.Passkey](t)(r.Passkeys(t.Context(), "bien-tap"))
	if len(list) != 1 || list[0].Name != "điện thoại" || list[0].Used == 0 {
		t.Errorf("%+v", list)
	}
	acts := ""
	for _, row := range must[[]store.AuditRow](t)(r.DB.AuditRows(t.Context(), 0, 500)) {
		acts += row.Act + " " + row.Detail + "\n"
	}
	if !strings.Contains(acts, "passkey.add") || !strings.Contains(acts, `"how":"passkey"`) {
		t.Errorf("audit log:\n%s", acts)
	}
}

func TestAnythingButARightAnswerOfADeviceIsRefused(t *testing.T) {
	for name, lie := range map[string]accountstest.Lie{
		"another site asked":            {Origin: "https://loa.example.vn.evil.example"},
		"without TLS":                   {Origin: "http://loa.example.vn"},
		"the owner was not recognised":  {Unverified: true},
		"a copy of the device":          {Backwards: true},
		"the handle of somebody else":   {Handle: []byte("admin")},
		"a signature with one bit less": {Forged: true},
	} {
		r := newRig(t)
		device, _ := r.keyed()
		if _, err := r.touch(device, accountstest.Lie{}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.touch(device, lie); !errors.Is(err, accounts.ErrPasskey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAnswerOfADeviceIsGoodOnceForFiveMinutesWhereItWasAsked(t *testing.T) {
	r := newRig(t)
	device, e := r.keyed()
	ctx := t.Context()
	asked := must[accounts.Challenge](t)(r.AskPasskey())
	answer := must[[]byte](t)(device.Sign(asked.Options, accountstest.Lie{}))
	must[accounts.Entry](t)(r.EnterPasskey(ctx, asked.State, answer, home()))
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, accounts.ErrPasskey) {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err := r.EnterPasskey(ctx, asked.State, answer, home())
	refused("twice", err)
	late := must[accounts.Challenge](t)(r.AskPasskey())
	answer = must[[]byte](t)(device.Sign(late.Options, accountstest.Lie{}))
	r.at = r.at.Add(6 * time.Minute)
	_, err = r.EnterPasskey(ctx, late.State, answer, home())
	refused("too late", err)
	_, err = r.EnterPasskey(ctx, asked.State[:len(asked.State)-4]+"AAAA", answer, home())
	refused("a question of one's own", err)
	_, err = r.EnterPasskey(ctx, "%%", []byte("{}"), home())
	refused("nonsense", err)

	offered := must[accounts.Challenge](t)(r.OfferPasskey(ctx, e.Session, password))
	made := must[[]byte](t)(accountstest.New(site).Make(offered.Options, accountstest.Lie{}))
	other := must[accounts.Entry](t)(r.Enter(ctx, "bien-tap", password, home()))
	_, err = r.AddPasskey(ctx, other.Session, "máy lạ", offered.State, made)
	refused("in another session", err)
	_, err = r.EnterPasskey(ctx, offered.State, answer, home())
	refused("at the door", err)
}

func TestAStolenSessionAddsNoPasskey(t *testing.T) {
	r := newRig(t)
	_, e := r.keyed()
	if _, err := r.OfferPasskey(t.Context(), e.Session, "đoán mò mật khẩu"); !errors.Is(err, accounts.ErrPassword) {
		t.Errorf("%v", err)
	}
}

func TestAPasskeyEndsWithItsRemovalItsOwnerOrANewCode(t *testing.T) {
	for name, end := range map[string]func(context.Context, *rig, accounts.Session) error{
		"removed": func(ctx context.Context, r *rig, s accounts.Session) error {
			list, err := r.Passkeys(ctx, "bien-tap")
			return errors.Join(err, r.DropPasskey(ctx, s, list[0].ID))
		},
		"a new code": func(ctx context.Context, r *rig, _ accounts.Session) error {
			_, err := r.Office.IssueCode(ctx, r.admin, "bien-tap", false)
			return err
		},
		"its owner left": func(ctx context.Context, r *rig, _ accounts.Session) error {
			return r.Office.Dismiss(ctx, r.admin, "bien-tap", broadcast.Retired, 0)
		},
	} {
		r := newRig(t)
		device, e := r.keyed()
		if err := end(t.Context(), r, e.Session); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := r.touch(device, accountstest.Lie{}); !errors.Is(err, accounts.ErrPasskey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNobodyRenamesOrRemovesAnothersPasskey(t *testing.T) {
	r := newRig(t)
	r.keyed()
	other := r.settled("ky-thuat", home())
	mine := must[[]accounts.Passkey](t)(r.Passkeys(t.Context(), "bien-tap"))[0]
	if err := r.DropPasskey(t.Context(), other.Session, mine.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
	if err := r.NamePasskey(t.Context(), other.Session, mine.ID, "x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("renamed: %v", err)
	}
}

func TestPasskeysAreBoundedAndNamed(t *testing.T) {
	r := newRig(t)
	_, e := r.keyed()
	ctx := t.Context()
	if err := r.NamePasskey(ctx, e.Session, must[[]accounts.Passkey](t)(r.Passkeys(ctx, "bien-tap"))[0].ID, " \n"); !errors.Is(err, accounts.ErrPasskey) {
		t.Errorf("an empty name: %v", err)
	}
	for i := range 9 {
		asked := must[accounts.Challenge](t)(r.OfferPasskey(ctx, e.Session, password))
		answer := must[[]byte](t)(accountstest.New(site).Make(asked.Options, accountstest.Lie{}))
		must[accounts.Passkey](t)(r.AddPasskey(ctx, e.Session, fmt.Sprint("máy ", i), asked.State, answer))
	}
	if _, err := r.OfferPasskey(ctx, e.Session, password); !errors.Is(err, accounts.ErrPasskey) {
		t.Errorf("an eleventh: %v", err)
	}
}

func TestPasskeysNeedASiteThatBrowsersTrust(t *testing.T) {
	for address, want := range map[string]bool{
		"https://loa.example.vn": true, "https://LOA.example.vn:8443/": true, "http://localhost:8080": true,
		"": false, "http://loa.example.vn": false, "https://10.0.0.1": false, "https://[::1]:443": false, "loa.example.vn": false, "://": false,
	} {
		r := newRig(t)
		r.site = address
		r.restart()
		if _, err := r.AskPasskey(); (err == nil) != want || !want && !errors.Is(err, accounts.ErrNoSite) {
			t.Errorf("%q: %v", address, err)
		}
	}
}
