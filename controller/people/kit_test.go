package people_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

// clock is a clock that tests turn.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time             { return c.at }
func (c *clock) instant() broadcast.Instant { return broadcast.InstantOf(c.at) }
func (c *clock) forward(d time.Duration)    { c.at = c.at.Add(d) }

// must returns the value or ends the test.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// real sets up a house of three officers that is no demo.
func real(t *testing.T, c *clock) (peopletest.House, people.Options) {
	t.Helper()
	dir := t.TempDir()
	h := peopletest.House{Dir: filepath.Join(dir, "data"), Config: peopletest.Config(t, c.now)}
	opt := people.Options{Dir: h.Dir, Top: broadcast.BacQuang, RootFiles: []string{filepath.Join(dir, "usb.key")}, Officers: []people.NewPerson{
		{ID: "an", Name: "An", Role: people.Administrator, Areas: []broadcast.ID{"bac-quang"}, Passphrase: "cửa biển Thuận An"},
		{ID: "lan", Name: "Lan", Role: people.Approver, Areas: []broadcast.ID{"bac-quang"}, Passphrase: "mưa nguồn suối lũ"},
		{ID: "ha", Name: "Hà", Role: people.CommuneOfficial, Areas: []broadcast.ID{"xa-dong-tam"}, Passphrase: "cầu treo bản Mới"},
	}}
	if _, err := people.Init(context.Background(), opt, h.Config); err != nil {
		t.Fatal(err)
	}
	h.DB, h.Office = peopletest.Open(t, h.Dir, h.Config)
	return h, opt
}

// speak says whether the signer's announcement in a class and area is believed.
func speak(h peopletest.House, c *clock, area broadcast.ID, s seal.Signer) (seal.Proof, error) {
	ring, err := h.Office.Ring(context.Background())
	if err != nil {
		return seal.Proof{}, err
	}
	env, err := seal.Seal(broadcast.KindAnnouncement, sealtest.Announcement("a1", c.instant(), area), s)
	if err != nil {
		return seal.Proof{}, err
	}
	raw, err := seal.Bytes(broadcast.KindAnnouncement, env)
	if err != nil {
		return seal.Proof{}, err
	}
	_, proof, err := seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement, raw, seal.Context{Places: h.Office.Places()})
	return proof, err
}

// speaks unlocks a credential and says an emergency with it.
func speaks(h peopletest.House, c *clock, area broadcast.ID, cred people.Credential) (proof seal.Proof, err error) {
	err = h.Office.With(context.Background(), cred, func(s seal.Signer) error {
		proof, err = speak(h, c, area, s)
		return err
	})
	return proof, err
}

// complains fails the test unless the error names every word.
func complains(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; want one about %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}
