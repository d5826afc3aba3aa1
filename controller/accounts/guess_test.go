package accounts_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/accounts"
	"github.com/loaxa/loaxa/controller/people"
)

// hammer guesses until it is told to wait.
func (r *rig) hammer(id broadcast.ID, v accounts.Visit) time.Duration {
	r.t.Helper()
	for range 100 {
		_, err := r.Enter(context.Background(), id, "sai rồi nhé", v)
		var patience *people.Patience
		if errors.As(err, &patience) {
			return patience.Wait
		}
		if !errors.Is(err, accounts.ErrSignIn) {
			r.t.Fatal(err)
		}
	}
	r.t.Fatal("a hundred guesses and no end")
	return 0
}

func TestWhoHammersANameKeepsNobodyOut(t *testing.T) {
	r := newRig(t)
	usual := home()
	usual.Browser = r.settled("duyet-1", usual).Browser
	r.settled("duyet-2", accounts.Visit{Address: "10.3.0.1"})
	for name, attacker := range map[string]accounts.Visit{
		"from far": {Address: "192.0.2.66"}, "from the same house": {Address: usual.Address},
	} {
		for range 40 { // for an hour, as fast as it is let
			r.at = r.at.Add(r.hammer("duyet-1", attacker))
		}
		r.hammer("duyet-1", attacker)
		for who, v := range map[broadcast.ID]accounts.Visit{"duyet-1": usual, "duyet-2": attacker} {
			if _, err := r.Enter(t.Context(), who, password, v); err != nil {
				t.Errorf("%s: %s at %s: %v", name, who, v.Address, err)
			}
		}
		if name == "from far" {
			if _, err := r.Enter(t.Context(), "duyet-1", password, accounts.Visit{Address: "10.7.7.7"}); err != nil {
				t.Errorf("%s: at another computer: %v", name, err)
			}
		}
		var patience *people.Patience
		if _, err := r.Enter(t.Context(), "duyet-1", password, attacker); !errors.As(err, &patience) {
			t.Errorf("%s: even the right password is not looked at yet: %v", name, err)
		}
	}
}

func TestGuessingGetsSlowUpToAQuarterOfAnHour(t *testing.T) {
	r := newRig(t)
	r.settled("duyet-1", home())
	began, far := r.at, accounts.Visit{Address: "192.0.2.66"}
	guesses := 0
	for r.at.Sub(began) < 24*time.Hour {
		wait := r.hammer("duyet-1", far)
		if wait > 15*time.Minute {
			t.Fatalf("waits %s", wait)
		}
		guesses++
		r.at = r.at.Add(wait)
	}
	if guesses > 130 {
		t.Errorf("%d guesses in a day", guesses)
	}
	if _, err := r.Enter(t.Context(), "duyet-1", password, far); err != nil {
		t.Errorf("the right one, in time: %v", err)
	}
	if _, err := r.Enter(t.Context(), "duyet-1", "sai rồi nhé", far); !errors.Is(err, accounts.ErrSignIn) {
		t.Errorf("and all is forgiven: %v", err)
	}
}

// TestManyNamesFromOneNetworkGetSlow: yet the first try at any name is looked at.
func TestManyNamesFromOneNetworkGetSlow(t *testing.T) {
	r := newRig(t)
	r.settled("duyet-1", home())
	far := accounts.Visit{Address: "2001:db8:1:2::7"}
	names := 0
	for i := range 60 {
		id := broadcast.ID("ten-" + string(rune('a'+i%26)) + string(rune('a'+i/26)))
		_, first := r.Enter(t.Context(), id, "sai rồi nhé", far)
		_, second := r.Enter(t.Context(), id, "sai rồi nhé", accounts.Visit{Address: "2001:db8:1:2::8"})
		if !errors.Is(first, accounts.ErrSignIn) {
			t.Fatalf("the first try at %s: %v", id, first)
		}
		if errors.Is(second, accounts.ErrSignIn) {
			names++
		}
	}
	if names != 30 {
		t.Errorf("%d names were tried twice, 30 are free", names)
	}
	if _, err := r.Enter(t.Context(), "duyet-1", password, far); err != nil {
		t.Errorf("somebody else there: %v", err)
	}
}

func TestNamesDoNotShow(t *testing.T) {
	r := newRig(t)
	r.settled("duyet-1", home())
	if err := r.Office.Dismiss(t.Context(), r.admin, "duyet-1", broadcast.Retired, 0); err != nil {
		t.Fatal(err)
	}
	r.settled("duyet-2", home())
	text := map[string]bool{}
	for _, who := range []broadcast.ID{"duyet-1", "duyet-2", "kiem-tra", "nobody", ""} {
		_, err := r.Enter(t.Context(), who, "sai rồi nhé", home())
		if !errors.Is(err, accounts.ErrSignIn) {
			t.Fatalf("%s: %v", who, err)
		}
		text[err.Error()] = true
		if _, err = r.EnterFirst(t.Context(), accounts.First{Person: who, Code: "0000-0000", Password: password}, home()); !errors.Is(err, accounts.ErrSignIn) {
			t.Fatalf("%s: %v", who, err)
		}
		text[err.Error()] = true
	}
	if len(text) != 1 {
		t.Errorf("%d answers: %v", len(text), text)
	}
	if _, err := r.Enter(t.Context(), "duyet-1", password, home()); !errors.Is(err, accounts.ErrSignIn) {
		t.Errorf("somebody who left: %v", err)
	}
}

func TestPassphrasesCannotBeGuessedFromASession(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	c := r.code("duyet-1", true)
	mine := must[accounts.Entry](t)(r.EnterFirst(ctx, accounts.First{Person: "duyet-1", Code: c.Text, Password: password, Passphrase: passphrase}, home()))
	stolen := must[accounts.Entry](t)(r.Enter(ctx, "duyet-1", password, accounts.Visit{Address: "192.0.2.66"}))
	sign := func(e accounts.Entry, secret string) error {
		return r.Office.With(ctx, people.Credential{Person: "duyet-1", Passphrase: secret, Session: e.Session.ID}, func(seal.Signer) error { return nil })
	}
	var patience *people.Patience
	for range 5 {
		if err := sign(stolen, "sai rồi nhé"); !errors.Is(err, people.ErrPassphrase) {
			t.Fatal(err)
		}
	}
	if err := sign(stolen, passphrase); !errors.As(err, &patience) {
		t.Errorf("the sixth: %v", err)
	}
	if err := sign(mine, passphrase); err != nil {
		t.Errorf("the owner in another session: %v", err)
	}
}

func TestACrowdAtTheDoorIsTurnedAway(t *testing.T) {
	r := newRig(t)
	let := make(chan error, 200)
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			_, err := r.Enter(t.Context(), "duyet-1", "sai rồi nhé", accounts.Visit{Address: "192.0.2.66"})
			let <- err
		})
	}
	all.Wait()
	close(let)
	for err := range let {
		var patience *people.Patience
		if !errors.Is(err, accounts.ErrSignIn) && !errors.Is(err, accounts.ErrBusy) && !errors.As(err, &patience) {
			t.Errorf("%v", err)
		}
	}
}
