package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
)

const pin = "402957"

// enrolled is a shared phone with nobody signed in on it.
func (r *rig) enrolled(area string) (*browser, api.InvitedPhone) {
	r.t.Helper()
	var phone api.InvitedPhone
	r.ok(r.post(r.Named("quan-tri").Token, "/api/v1/phones", api.NewPhone{Name: "Điện thoại trực <b>xã</b>", Area: area}), 201, &phone)
	b := &browser{rig: r, cookies: map[string]string{}}
	r.ok(b.ask("POST", "/api/v1/phone", "", api.PhoneCode{Code: phone.Code}), 201, nil)
	return b, phone
}

// takes has somebody who has a password sign in on the phone and choose a PIN.
func (b *browser) takes(person string) {
	b.t.Helper()
	b.signedIn(person)
	b.ok(b.ask("POST", "/api/v1/session", "", api.SignIn{Person: person, Password: password}), 201, nil)
	b.ok(b.ask("PUT", "/api/v1/me/pin", passphrase, api.NewPIN{PIN: pin}), 204, nil)
	b.ok(b.ask("DELETE", "/api/v1/session", "", nil), 204, nil)
	delete(b.cookies, "loaxa_session")
}

// askPIN is ask with a PIN in the passphrase's place.
func (b *browser) askPIN(method, path, pin string, body any) apitest.Answer {
	b.t.Helper()
	header := map[string]string{"Loaxa-PIN": pin, "Sec-Fetch-Site": "same-origin"}
	for name, value := range b.cookies {
		header["Cookie"] += name + "=" + value + "; "
	}
	return b.Do(apitest.Call{Method: method, Path: path, Body: body, Header: header})
}

func TestOfficersShareAPhoneAndEachSignsWithAPIN(t *testing.T) {
	r := newRig(t)
	b, _ := r.enrolled("bac-quang")
	b.takes("duyet-1")
	b.takes("duyet-2")
	var this api.ThisPhone
	r.ok(b.ask("GET", "/api/v1/phone", "", nil), 200, &this)
	if len(this.Persons) != 2 || this.Persons[0].ID != "duyet-1" || this.AreaName == "" {
		t.Errorf("%+v", this)
	}
	for _, person := range []string{"duyet-1", "duyet-2"} {
		var me api.Me
		r.ok(b.ask("POST", "/api/v1/session/pin", "", api.PINSignIn{Person: person, PIN: pin}), 201, &me)
		var a api.Announcement
		r.ok(b.ask("POST", "/api/v1/announcements", "", r.flood()), 201, &a)
		r.ok(b.ask("POST", "/api/v1/announcements/"+a.ID+"/submit", "", map[string]any{}), 200, &a)
		approval, path := map[string]string{"digest": a.Digest}, "/api/v1/announcements/"+a.ID+"/approve"
		if p := b.ask("POST", path, "", approval).Problem(t); p.Code != "passphrase" {
			t.Errorf("the session alone: %+v", p)
		}
		if p := b.askPIN("POST", path, "402958", approval).Problem(t); p.Code != "pin" {
			t.Errorf("a wrong PIN: %+v", p)
		}
		r.ok(b.askPIN("POST", path, pin, approval), 200, &a)
		if len(a.Signatures) != 1 || a.Signatures[0].Person != person {
			t.Errorf("%+v", a.Signatures)
		}
	}
}

func TestALostPhoneEndsWithItsSessions(t *testing.T) {
	r := newRig(t)
	b, phone := r.enrolled("bac-quang")
	b.takes("duyet-1")
	r.ok(b.ask("POST", "/api/v1/session/pin", "", api.PINSignIn{Person: "duyet-1", PIN: pin}), 201, nil)
	r.ok(b.ask("GET", "/api/v1/me", "", nil), 200, nil)
	r.ok(r.post(r.Named("quan-tri").Token, "/api/v1/phones/"+phone.ID+"/revoke", map[string]any{}), 200, nil)
	if got := b.ask("GET", "/api/v1/me", "", nil); got.Status != 401 {
		t.Errorf("a session on it: %d", got.Status)
	}
	if p := b.ask("POST", "/api/v1/session/pin", "", api.PINSignIn{Person: "duyet-1", PIN: pin}).Problem(t); p.Status != 403 || p.Code != "phone" {
		t.Errorf("the PIN: %+v", p)
	}
	next, _ := r.enrolled("bac-quang") // the officer goes on on another
	next.takes("duyet-1")
	r.ok(next.ask("POST", "/api/v1/session/pin", "", api.PINSignIn{Person: "duyet-1", PIN: pin}), 201, nil)
}

func TestASessionOnASharedPhoneLastsAShift(t *testing.T) {
	r := newRig(t)
	b, _ := r.enrolled("bac-quang")
	b.takes("duyet-1")
	r.ok(b.ask("POST", "/api/v1/session/pin", "", api.PINSignIn{Person: "duyet-1", PIN: pin}), 201, nil)
	for hour := range 13 {
		got := b.ask("GET", "/api/v1/me", "", nil).Status
		if want := map[bool]int{true: 200, false: 401}[hour < 12]; got != want {
			t.Errorf("after %d hours: %d, want %d", hour, got, want)
		}
		r.Clock.Add(time.Hour)
	}
}

func TestPhonesThatCannotBeAreAnsweredWithWhatToDo(t *testing.T) {
	r := newRig(t)
	b, phone := r.enrolled("bac-quang")
	b.takes("duyet-1")
	plain := &browser{rig: r, cookies: map[string]string{}}
	for range 5 {
		b.ask("POST", "/api/v1/session/pin", "", api.PINSignIn{Person: "duyet-1", PIN: "999998"})
	}
	own := r.signedIn("can-bo-xa")
	for name, c := range map[string]struct {
		got    apitest.Answer
		status int
		code   string
	}{
		"a used code":            {plain.ask("POST", "/api/v1/phone", "", api.PhoneCode{Code: phone.Code}), 403, "phone"},
		"nonsense for a code":    {plain.ask("POST", "/api/v1/phone", "", api.PhoneCode{Code: strings.Repeat("x", 90)}), 403, "phone"},
		"a device that is none":  {plain.ask("GET", "/api/v1/phone", "", nil), 403, "phone"},
		"five wrong PINs":        {b.ask("POST", "/api/v1/session/pin", "", api.PINSignIn{Person: "duyet-1", PIN: pin}), 403, "pin-spent"},
		"somebody without a PIN": {b.ask("POST", "/api/v1/session/pin", "", api.PINSignIn{Person: "duyet-2", PIN: pin}), 403, "pin"},
		"a PIN off the phone":    {own.ask("PUT", "/api/v1/me/pin", passphrase, api.NewPIN{PIN: pin}), 403, "phone"},
		"no passphrase":          {own.ask("PUT", "/api/v1/me/pin", "", api.NewPIN{PIN: pin}), 403, "passphrase"},
		"an unknown area":        {r.post(r.Named("quan-tri").Token, "/api/v1/phones", api.NewPhone{Name: "x", Area: "khong-co"}), 403, "forbidden"},
		"by an editor":           {r.post(r.Named("bien-tap").Token, "/api/v1/phones", api.NewPhone{Name: "x", Area: "bac-quang"}), 403, "forbidden"},
	} {
		if p := c.got.Problem(t); c.got.Status != c.status || p.Code != c.code || p.DetailVI == "" {
			t.Errorf("%s: %d %s", name, c.got.Status, c.got.Body)
		}
	}
}
