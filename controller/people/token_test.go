package people_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

var lan = people.Credential{Person: "lan", Passphrase: "mưa nguồn suối lũ"}

func TestTokenGivesOnePersonsSignature(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	ctx := context.Background()
	one, again := h.Token(t, "officer", ""), h.Token(t, "officer", "")
	two := must[string](t)(people.AdminToken(ctx, h.Dir, people.TokenRequest{Role: "officer", Person: "duyet-2"}, h.Config))
	if !regexp.MustCompile(`^lx_[A-Za-z0-9_-]{43}$`).MatchString(one) || one == again {
		t.Errorf("tokens %q %q", one, again)
	}
	for token, want := range map[string]broadcast.ID{one: "duyet-1", again: "duyet-1", two: "duyet-2"} {
		b := must[people.Bearer](t)(h.Office.Bearer(ctx, token))
		if b.Person.ID != want || !b.Signs || b.Expires != c.instant().Add(people.DefaultTokenLife) || b.Token != broadcast.Sum([]byte(token)) {
			t.Errorf("%+v", b)
		}
		proof := must[seal.Proof](t)(speaks(h, c, "tan-lap", people.Credential{Token: token}))
		if len(proof.Signers) != 1 || proof.Signers[0].Person != want || proof.Level() != broadcast.District {
			t.Errorf("%+v", proof)
		}
	}
	// Two tokens of one person are still one person.
	err := h.Office.With(ctx, people.Credential{Token: one}, func(a seal.Signer) error {
		return h.Office.With(ctx, people.Credential{Token: again}, func(b seal.Signer) error {
			p := broadcast.Policy{Area: "bac-quang", Revision: broadcast.Revision(c.instant())}
			for _, class := range broadcast.Classes() {
				p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: class, Officers: 1})
			}
			env := must[broadcast.Envelope](t)(seal.Seal(broadcast.KindPolicy, p, a, b))
			raw := must[[]byte](t)(seal.Bytes(broadcast.KindPolicy, env))
			ring := must[*seal.Keyring](t)(h.Office.Ring(ctx))
			_, _, err := seal.Open[broadcast.Policy](ring, broadcast.KindPolicy, raw, seal.Context{Places: h.Office.Places()})
			return err
		})
	})
	if !errors.Is(err, seal.ErrThreshold) {
		t.Errorf("one person signed for two: %v", err)
	}
}

func TestATokenEnds(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	ctx := context.Background()
	mint := func() string { return must[string](t)(h.Office.Mint(ctx, lan, 24*time.Hour, "phone")) }
	expired, revoked := mint(), mint()
	person := must[people.Person](t)(h.Office.Person(ctx, "lan"))
	if err := h.Office.Revoke(ctx, person, broadcast.Sum([]byte(revoked))); err != nil {
		t.Fatal(err)
	}
	c.forward(24*time.Hour - time.Millisecond)
	if _, err := speaks(h, c, "tan-lap", people.Credential{Token: expired}); err != nil {
		t.Errorf("before its end: %v", err)
	}
	c.forward(time.Millisecond)
	for name, x := range map[string]struct{ token, says string }{
		"expired": {expired, "expired on 2026-11-23"},
		"revoked": {revoked, "revoked on 2026-11-22"},
		"unknown": {"lx_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "not known here"},
		"short":   {expired[:40], "46 characters"},
		"bare":    {expired[3:], "begins with lx_"},
	} {
		_, err := h.Office.Bearer(ctx, x.token)
		if !errors.Is(err, people.ErrCredential) {
			t.Errorf("%s: %v", name, err)
		}
		complains(t, err, x.says)
		if _, err := speaks(h, c, "tan-lap", people.Credential{Token: x.token}); !errors.Is(err, people.ErrCredential) {
			t.Errorf("%s signs: %v", name, err)
		}
	}
}

func TestAWrongPassphraseOpensNothing(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	for _, cred := range []people.Credential{{Person: "lan", Passphrase: "mưa nguồn suối"}, {Person: "lan"}, {Person: "an", Passphrase: lan.Passphrase},
		{Person: "nobody", Passphrase: lan.Passphrase}, {}} {
		if _, err := speaks(h, c, "tan-lap", cred); !errors.Is(err, people.ErrCredential) {
			t.Errorf("%+v: %v", cred, err)
		}
		if _, err := h.Office.Mint(context.Background(), cred, 0, ""); !errors.Is(err, people.ErrCredential) {
			t.Errorf("%+v makes a token: %v", cred, err)
		}
	}
	// The same letters composed by another keyboard are the same passphrase.
	decomposed := "mu\u031ba nguo\u0302\u0300n suo\u0302\u0301i lu\u0303"
	if _, err := speaks(h, c, "tan-lap", people.Credential{Person: "lan", Passphrase: decomposed}); err != nil {
		t.Errorf("decomposed: %v", err)
	}
}

func TestATokenBegetsNoToken(t *testing.T) {
	h, _ := real(t, newClock())
	ctx := context.Background()
	token := must[string](t)(h.Office.Mint(ctx, lan, 0, "phone"))
	if _, err := h.Office.Mint(ctx, people.Credential{Token: token}, 0, ""); !errors.Is(err, people.ErrForbidden) {
		t.Error(err)
	}
	for _, life := range []time.Duration{time.Second, -time.Hour, 367 * 24 * time.Hour} {
		_, err := h.Office.Mint(ctx, lan, life, "")
		complains(t, err, "366 days")
	}
}

func TestTokensAreRevokedByTheirOwnerOrWhoManagesThem(t *testing.T) {
	h, _ := real(t, newClock())
	ctx := context.Background()
	token := broadcast.Sum([]byte(must[string](t)(h.Office.Mint(ctx, lan, 0, "phone"))))
	person := func(id broadcast.ID) people.Person { return must[people.Person](t)(h.Office.Person(ctx, id)) }
	if err := h.Office.Revoke(ctx, person("ha"), token); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("by a stranger: %v", err)
	}
	if err := h.Office.Revoke(ctx, person("an"), token); err != nil {
		t.Errorf("by an administrator: %v", err)
	}
	if err := h.Office.Revoke(ctx, person("lan"), token); err == nil {
		t.Error("revoked twice")
	}
}
