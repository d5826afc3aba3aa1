package people_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

const pin = "402957"

// ha is an official of one commune, with the passphrase.
var ha = people.Credential{Person: "ha", Passphrase: "cầu treo bản Mới"}

// phone is one of an area, enrolled by An.
func phone(t *testing.T, h peopletest.House, area broadcast.ID) (people.Phone, string) {
	t.Helper()
	ctx := context.Background()
	an := must[people.Person](t)(h.Office.Person(ctx, "an"))
	_, code, err := h.Office.InvitePhone(ctx, an, "Điện thoại trực", area)
	if err != nil {
		t.Fatal(err)
	}
	p, secret, err := h.Office.EnrolPhone(ctx, strings.ToUpper(code.Text))
	if err != nil {
		t.Fatal(err)
	}
	return p, secret
}

// withPIN is a house in which Hà has a PIN on the phone of Đồng Tâm.
func withPIN(t *testing.T) (peopletest.House, *clock, people.Phone, people.Credential) {
	t.Helper()
	c := newClock()
	h, _ := real(t, c)
	p, secret := phone(t, h, "xa-dong-tam")
	if err := h.Office.SetPIN(context.Background(), ha, secret, pin); err != nil {
		t.Fatal(err)
	}
	return h, c, p, people.Credential{Person: "ha", Phone: secret, PIN: pin}
}

func TestAPINSignsOnItsPhoneAlone(t *testing.T) {
	h, c, _, cred := withPIN(t)
	proof, err := speaks(h, c, "xa-dong-tam", cred)
	if err != nil || len(proof.Signers) != 1 || proof.Signers[0].Person != "ha" {
		t.Fatalf("%+v %v", proof, err)
	}
	_, other := phone(t, h, "xa-dong-tam")
	for name, x := range map[string]struct {
		cred people.Credential
		want error
	}{
		"another phone":    {people.Credential{Person: "ha", Phone: other, PIN: pin}, people.ErrPIN},
		"no phone":         {people.Credential{Person: "ha", PIN: pin}, people.ErrPhone},
		"an unknown phone": {people.Credential{Person: "ha", Phone: "lp_AAAA", PIN: pin}, people.ErrPhone},
		"another PIN":      {people.Credential{Person: "ha", Phone: cred.Phone, PIN: "402958"}, people.ErrPIN},
		"another officer":  {people.Credential{Person: "lan", Phone: cred.Phone, PIN: pin}, people.ErrPIN},
		"nobody":           {people.Credential{Person: "ai-do", Phone: cred.Phone, PIN: pin}, people.ErrPIN},
	} {
		if _, err := speaks(h, c, "xa-dong-tam", x.cred); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNeitherTheDataNorThePhoneOpensAKeyByItself(t *testing.T) {
	h, _, _, cred := withPIN(t)
	for path, b := range folder(t, h.Dir) {
		for _, secret := range [][]byte{[]byte(cred.Phone), []byte(cred.Phone[3:]), []byte(pin)} {
			if bytes.Contains(b, secret) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
	}
	// A thief of the data who learned the PIN guesses at phones, not at PINs: the
	// secret has 256 bits.
	if len(cred.Phone) != 3+43 {
		t.Errorf("%d characters", len(cred.Phone))
	}
}

func TestFiveWrongPINsEndThatPINOnThatPhoneOnly(t *testing.T) {
	h, c, _, cred := withPIN(t)
	ctx := context.Background()
	if err := h.Office.SetPIN(ctx, lan, cred.Phone, "951753"); err != nil {
		t.Fatal(err)
	}
	wrong := cred
	wrong.PIN = "000001"
	for range 4 {
		if _, err := speaks(h, c, "xa-dong-tam", wrong); !errors.Is(err, people.ErrPIN) {
			t.Fatal(err)
		}
	}
	if _, err := speaks(h, c, "xa-dong-tam", cred); err != nil { // a right one in between forgets them
		t.Fatal(err)
	}
	var each sync.WaitGroup // many at once are no way round
	for range 8 {
		each.Go(func() { _, _ = speaks(h, c, "xa-dong-tam", wrong) })
	}
	each.Wait()
	c.forward(24 * time.Hour) // nor is patience
	if _, err := speaks(h, c, "xa-dong-tam", cred); !errors.Is(err, people.ErrPINSpent) {
		t.Errorf("the right PIN after the fifth wrong one: %v", err)
	}
	if _, err := speaks(h, c, "xa-dong-tam", people.Credential{Person: "lan", Phone: cred.Phone, PIN: "951753"}); err != nil {
		t.Errorf("another officer on that phone: %v", err)
	}
	if _, err := speaks(h, c, "xa-dong-tam", ha); err != nil {
		t.Errorf("with the passphrase: %v", err)
	}
	if err := h.Office.SetPIN(ctx, ha, cred.Phone, "719234"); err != nil {
		t.Fatal(err)
	}
	cred.PIN = "719234"
	if _, err := speaks(h, c, "xa-dong-tam", cred); err != nil {
		t.Errorf("a new PIN: %v", err)
	}
}

func TestALostPhoneOpensNothingOnceItIsRevoked(t *testing.T) {
	h, c, p, cred := withPIN(t)
	ctx := context.Background()
	official := must[people.Person](t)(h.Office.Person(ctx, "ha"))
	if _, err := h.Office.RevokePhone(ctx, official, p.ID); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an official revokes: %v", err)
	}
	an := must[people.Person](t)(h.Office.Person(ctx, "an"))
	for range 2 { // again changes nothing
		if got := must[people.Phone](t)(h.Office.RevokePhone(ctx, an, p.ID)); got.Revoked == 0 {
			t.Errorf("%+v", got)
		}
	}
	if _, err := speaks(h, c, "xa-dong-tam", cred); !errors.Is(err, people.ErrPhone) {
		t.Errorf("%v", err)
	}
	if left := must[[]store.PIN](t)(h.DB.PINsOn(ctx, p.ID)); len(left) != 0 {
		t.Errorf("%+v", left)
	}
	_, next := phone(t, h, "xa-dong-tam")
	if err := h.Office.SetPIN(ctx, ha, next, pin); err != nil {
		t.Fatal(err)
	}
	if _, err := speaks(h, c, "xa-dong-tam", people.Credential{Person: "ha", Phone: next, PIN: pin}); err != nil {
		t.Errorf("on the next phone: %v", err)
	}
}

func TestAPINEndsWithItsOwnerAndWithTheKey(t *testing.T) {
	for name, end := range map[string]func(context.Context, peopletest.House) error{
		"the owner left": func(ctx context.Context, h peopletest.House) error {
			return h.Office.Dismiss(ctx, people.Credential{Person: "an", Passphrase: "cửa biển Thuận An"}, "ha", broadcast.Retired, 0)
		},
		"a new key": func(ctx context.Context, h peopletest.House) error {
			_, err := h.Office.IssueCode(ctx, people.Credential{Person: "an", Passphrase: "cửa biển Thuận An"}, "ha", true)
			return err
		},
	} {
		h, c, _, cred := withPIN(t)
		if err := end(context.Background(), h); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := speaks(h, c, "xa-dong-tam", cred); !errors.Is(err, people.ErrPIN) && !errors.Is(err, people.ErrPINSpent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACodeEnrolsOnePhoneForThreeDays(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	ctx := context.Background()
	an := must[people.Person](t)(h.Office.Person(ctx, "an"))
	invite := func() string {
		_, code, err := h.Office.InvitePhone(ctx, an, " Điện\ntrực ", "xa-dong-tam")
		if err != nil {
			t.Fatal(err)
		}
		return code.Text
	}
	once, late := invite(), invite()
	if p, _, err := h.Office.EnrolPhone(ctx, once); err != nil || p.Name != "Điện trực" || p.Enrolled == 0 {
		t.Fatalf("%+v %v", p, err)
	}
	if _, _, err := h.Office.EnrolPhone(ctx, once); !errors.Is(err, people.ErrPhone) {
		t.Errorf("twice: %v", err)
	}
	c.forward(people.CodeLife)
	if _, _, err := h.Office.EnrolPhone(ctx, late); !errors.Is(err, people.ErrPhone) {
		t.Errorf("too late: %v", err)
	}
	official := must[people.Person](t)(h.Office.Person(ctx, "ha"))
	if _, _, err := h.Office.InvitePhone(ctx, official, "Của tôi", "xa-dong-tam"); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an official invites: %v", err)
	}
	if got := must[[]people.Phone](t)(h.Office.Phones(ctx, official)); len(got) != 0 {
		t.Errorf("an official lists: %+v", got)
	}
}

func TestPINsThatAnybodyGuessesAndPhonesOfOthersAreRefused(t *testing.T) {
	h, _, _, cred := withPIN(t)
	ctx := context.Background()
	for _, weak := range []string{"", "12345", "123456", "987654", "111111", "1234567890123", "40295a", "４０２９５７"} {
		if err := h.Office.SetPIN(ctx, ha, cred.Phone, weak); !errors.Is(err, people.ErrPINWeak) {
			t.Errorf("%q: %v", weak, err)
		}
	}
	_, far := phone(t, h, "xa-bang-hanh")
	if err := h.Office.SetPIN(ctx, ha, far, pin); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("the phone of another commune: %v", err)
	}
	if err := h.Office.SetPIN(ctx, people.Credential{Person: "ha", Passphrase: "sai"}, cred.Phone, pin); err == nil {
		t.Error("without the passphrase")
	}
}
