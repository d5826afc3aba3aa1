package people_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

func TestDismissalEndsRightsAndTokens(t *testing.T) {
	for mode, earlier := range map[broadcast.RevocationMode]error{broadcast.Retired: nil, broadcast.Compromised: seal.ErrRevoked} {
		t.Run(string(mode), func(t *testing.T) {
			c := newClock()
			h, _ := real(t, c)
			ctx := context.Background()
			token := must[string](t)(h.Office.Mint(ctx, lan, 0, ""))
			began := c.instant()
			c.forward(time.Hour)
			var raw []byte
			err := h.Office.With(ctx, lan, func(s seal.Signer) error {
				raw = sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", c.instant(), "tan-lap"), s)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			c.forward(time.Hour)
			if err := h.Office.Dismiss(ctx, lan, "lan", mode, began); !errors.Is(err, people.ErrForbidden) {
				t.Errorf("by herself: %v", err)
			}
			if err := h.Office.Dismiss(ctx, an, "lan", mode, began); err != nil {
				t.Fatal(err)
			}
			for _, cred := range []people.Credential{lan, {Token: token}} {
				if _, err := speaks(h, c, "tan-lap", cred); !errors.Is(err, people.ErrCredential) {
					t.Errorf("still speaks: %v", err)
				}
			}
			ring := must[*seal.Keyring](t)(h.Office.Ring(ctx))
			_, _, err = seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement, raw, seal.Context{Places: h.Office.Places(), Listed: true})
			if !errors.Is(err, earlier) {
				t.Errorf("what she said before: %v, want %v", err, earlier)
			}
			if err := h.Office.Dismiss(ctx, an, "lan", mode, began); err == nil {
				t.Error("dismissed twice")
			}
		})
	}
}

// twoOffices is a demo house with administrators of the province, of the old
// district and of a commune in it, each taken in by the one before. The district's
// authority document is sealed by the district.
func twoOffices(t *testing.T, c *clock) (peopletest.House, map[broadcast.ID]people.Credential) {
	t.Helper()
	h := peopletest.Demo(t, c.now)
	creds := map[broadcast.ID]people.Credential{"": {Token: h.Token(t, "admin", "tuyen-quang")}}
	for _, n := range []people.NewPerson{
		{ID: "tinh", Name: "Tỉnh", Role: people.Administrator, Areas: []broadcast.ID{"tuyen-quang"}, Passphrase: "núi rừng Tuyên Quang"},
		{ID: "huyen", Name: "Huyện", Role: people.Administrator, Areas: []broadcast.ID{"bac-quang"}, Passphrase: "cam sành Bắc Quang"},
		{ID: "xa", Name: "Xã", Role: people.CommuneOfficial, Areas: []broadcast.ID{"xa-tan-quang"}, Passphrase: "chợ phiên Tân Quang"},
	} {
		by := map[broadcast.ID]broadcast.ID{"tinh": "", "huyen": "tinh", "xa": "huyen"}[n.ID]
		if _, err := h.Office.AddPerson(context.Background(), creds[by], n); err != nil {
			t.Fatal(err)
		}
		creds[n.ID] = people.Credential{Person: n.ID, Passphrase: n.Passphrase}
		c.forward(time.Hour)
	}
	return h, creds
}

// TestWhoeverSealedTheAuthorityCanBeDismissed: all that the district knows of its
// people fell with the stolen key, if nobody sealed it anew.
func TestWhoeverSealedTheAuthorityCanBeDismissed(t *testing.T) {
	c := newClock()
	h, creds := twoOffices(t, c)
	ctx := context.Background()
	fall := must[people.Fall](t)(h.Office.Fall(ctx, "huyen", c.instant().Add(-2*time.Hour)))
	if err := h.Office.Dismiss(ctx, creds["tinh"], "huyen", broadcast.Compromised, c.instant().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	ring := must[*seal.Keyring](t)(h.Office.Ring(ctx))
	if _, err := speaks(h, c, "tan-lap", creds["xa"]); !errors.Is(err, seal.ErrRevoked) {
		t.Errorf("whose rights rest on a stolen key: %v", err)
	}
	where := must[[]broadcast.ID](t)(areasOf(h, c))
	if len(where) != 2 || where[0] != "bac-quang" {
		t.Errorf("authority of %v", where)
	}
	resting := 0
	for kid, rests := range fall.Rests {
		cert, known := ring.Certificate(kid)
		if rests {
			resting++
		}
		if !known || rests != (cert.Person == "huyen" || cert.Person == "xa") {
			t.Errorf("%s rests on it: %v", cert.Person, rests)
		}
	}
	if resting != 2 {
		t.Errorf("%d certificates rest on it", resting)
	}
}

// areasOf are those with an authority document that the house believes.
func areasOf(h peopletest.House, c *clock) ([]broadcast.ID, error) {
	rows, err := h.DB.ListingsOf(context.Background(), broadcast.KindAuthority, c.instant())
	var out []broadcast.ID
	for _, l := range rows {
		out = append(out, l.Area)
	}
	return out, err
}

// TestWhatWouldFallIsWhatFalls holds the two kinds of end against what is believed
// of a document of somebody whose rights rest on the one who leaves.
func TestWhatWouldFallIsWhatFalls(t *testing.T) {
	for mode, want := range map[broadcast.RevocationMode]error{broadcast.Retired: nil, broadcast.Compromised: seal.ErrRevoked} {
		t.Run(string(mode), func(t *testing.T) {
			c := newClock()
			h, creds := twoOffices(t, c)
			ctx := context.Background()
			began := c.instant()
			var raw []byte
			err := h.Office.With(ctx, creds["xa"], func(s seal.Signer) error {
				raw = sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", c.instant(), "tan-lap"), s)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			c.forward(time.Hour)
			fall := must[people.Fall](t)(h.Office.Fall(ctx, "huyen", began))
			believed := func(ring *seal.Keyring) error {
				_, _, err := seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement, raw, seal.Context{Places: h.Office.Places(), Listed: true})
				return err
			}
			if err := believed(must[*seal.Keyring](t)(h.Office.Ring(ctx))); err != nil {
				t.Errorf("asking changed something: %v", err)
			}
			told := map[broadcast.RevocationMode]*seal.Keyring{broadcast.Retired: fall.Retired, broadcast.Compromised: fall.Compromised}[mode]
			if err := h.Office.Dismiss(ctx, creds["tinh"], "huyen", mode, began); err != nil {
				t.Fatal(err)
			}
			if after := believed(must[*seal.Keyring](t)(h.Office.Ring(ctx))); !errors.Is(after, want) || !errors.Is(believed(told), want) {
				t.Errorf("told %v, is %v", believed(told), after)
			}
		})
	}
}
