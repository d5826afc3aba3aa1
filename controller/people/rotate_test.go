package people_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

// said is an announcement that somebody sealed, as it travels.
func said(t *testing.T, h peopletest.House, c *clock, area broadcast.ID, cred people.Credential) []byte {
	t.Helper()
	var raw []byte
	err := h.Office.With(context.Background(), cred, func(s seal.Signer) error {
		env, err := seal.Seal(broadcast.KindAnnouncement, sealtest.Announcement("a1", c.instant(), area), s)
		if err != nil {
			return err
		}
		raw, err = seal.Bytes(broadcast.KindAnnouncement, env)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// node is what a node holds that has fetched every authority document, from the
// fingerprint on its card on.
func node(t *testing.T, h peopletest.House, pin broadcast.Digest) (*seal.Keyring, error) {
	t.Helper()
	ctx := context.Background()
	var docs []broadcast.Authority
	for _, l := range must[[]store.Listing](t)(h.DB.ListingsOf(ctx, broadcast.KindAuthority, broadcast.InstantOf(h.Config.Now()))) {
		env := must[broadcast.Envelope](t)(seal.Parse(broadcast.KindAuthority, must[store.Document](t)(h.DB.Document(ctx, l.SHA256)).Raw))
		docs = append(docs, must[broadcast.Authority](t)(broadcast.Decode[broadcast.Authority](must[[]byte](t)(env.PayloadBytes()))))
	}
	ring, err := seal.NewKeyring(pin, docs[0].Roots, false)
	for _, d := range docs {
		if err == nil {
			err = ring.Learn(d.Certificates, d.Revocations, h.Office.Places())
		}
	}
	return ring, err
}

func TestANewRootLeavesEverythingThatPeopleSignedStanding(t *testing.T) {
	c := newClock()
	h, opt := real(t, c)
	ctx := context.Background()
	an := people.Credential{Person: "an", Passphrase: "cửa biển Thuận An"}
	// An administrator of a commune makes it have an authority document of its own.
	qt := people.Credential{Person: "qt", Passphrase: "quản trị xã Đồng Tâm"}
	for _, add := range []struct {
		by people.Credential
		n  people.NewPerson
	}{
		{an, people.NewPerson{ID: "qt", Name: "Quản trị", Role: people.Administrator, Areas: []broadcast.ID{"xa-dong-tam"}, Passphrase: qt.Passphrase}},
		{qt, people.NewPerson{ID: "moi", Name: "Mới", Role: people.CommuneOfficial, Areas: []broadcast.ID{"xa-dong-tam"}, Passphrase: "cán bộ mới vào làm"}},
	} {
		if _, err := h.Office.AddPerson(ctx, add.by, add.n); err != nil {
			t.Fatal(err)
		}
	}
	before := map[string][]byte{"lan": said(t, h, c, "tan-lap", lan),
		"moi": said(t, h, c, "xa-dong-tam", people.Credential{Person: "moi", Passphrase: "cán bộ mới vào làm"})}
	c.forward(24 * time.Hour)
	next := filepath.Join(t.TempDir(), "usb2.key")
	version, err := h.Office.RotateRoot(ctx, people.Rotation{Old: opt.RootFiles, New: []string{next}})
	if err != nil || version != 2 {
		t.Fatal(version, err)
	}
	ring, err := node(t, h, h.Office.Fingerprint())
	if err != nil || ring.Root().Version != 2 {
		t.Fatalf("a node with the old card: %v", err)
	}
	for who, raw := range before {
		_, proof, err := seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement, raw, seal.Context{Places: h.Office.Places()})
		if err != nil || proof.Signers[0].Person != broadcast.ID(who) {
			t.Errorf("what %s signed before: %v", who, err)
		}
	}
	if _, err := speaks(h, c, "tan-lap", lan); err != nil {
		t.Errorf("signing after: %v", err)
	}
	if _, err := h.Office.Service(ctx); err != nil {
		t.Errorf("the service key: %v", err)
	}
	c.forward(60 * 24 * time.Hour)
	if _, err := h.Office.Renew(ctx, opt.RootFiles, nil); err == nil || !strings.Contains(err.Error(), "another house") {
		t.Errorf("the old root key renews: %v", err)
	}
	if who, err := h.Office.Renew(ctx, []string{next}, nil); err != nil || len(who) == 0 {
		t.Errorf("the new root key: %v %v", who, err)
	}
	_, again := peopletest.Open(t, h.Dir, h.Config)
	if len(again.Roots()) != 2 || again.Fingerprint() != h.Office.Fingerprint() {
		t.Errorf("%d versions after a restart", len(again.Roots()))
	}
}

func TestALostRootKeyIsReplacedByTheOthers(t *testing.T) {
	c := newClock()
	dir := t.TempDir()
	_, opt := real(t, c)
	opt.Dir, opt.RootFiles = filepath.Join(dir, "data"), []string{filepath.Join(dir, "a.key"), filepath.Join(dir, "b.key"), filepath.Join(dir, "c.key")}
	opt.RootThreshold = 2
	must[people.Established](t)(people.Init(context.Background(), opt, peopletest.Config(t, c.now)))
	_, o := peopletest.Open(t, opt.Dir, peopletest.Config(t, c.now))
	ctx, d := context.Background(), filepath.Join(dir, "d.key")
	c.forward(time.Hour)
	have := opt.RootFiles[:2] // c is lost
	if _, err := o.RotateRoot(ctx, people.Rotation{Old: have[:1], Keep: have[:1], New: []string{d}, Threshold: 2}); !errors.Is(err, seal.ErrThreshold) {
		t.Errorf("one key of two: %v", err)
	}
	if _, err := os.Stat(d); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key was left behind: %v", err)
	}
	version, err := o.RotateRoot(ctx, people.Rotation{Old: have, Keep: have, New: []string{d}, Threshold: 2, Passphrase: "ba chìa hai người"})
	if err != nil || version != 2 {
		t.Fatal(version, err)
	}
	ring := must[*seal.Keyring](t)(o.Ring(ctx))
	if r := ring.Root(); r.Threshold != 2 || len(r.Keys) != 3 {
		t.Errorf("%+v", r)
	}
	c.forward(70 * 24 * time.Hour)
	ask := func(string) (string, error) { return "ba chìa hai người", nil }
	if _, err := o.Renew(ctx, []string{opt.RootFiles[2], d}, ask); err == nil {
		t.Error("the lost key still signs")
	}
	if who, err := o.Renew(ctx, []string{have[0], d}, ask); err != nil || len(who) != 3 {
		t.Errorf("%v %v", who, err)
	}
}

func TestARotationThatCannotBeWritesNothing(t *testing.T) {
	c := newClock()
	h, opt := real(t, c)
	dir := t.TempDir()
	for name, x := range map[string]struct {
		r    people.Rotation
		says string
	}{
		"no new key":             {people.Rotation{Old: opt.RootFiles}, "name 1 to 4"},
		"five keys":              {people.Rotation{Old: opt.RootFiles, New: []string{"a", "b", "c", "d", "e"}}, "name 1 to 4"},
		"inside the data folder": {people.Rotation{Old: opt.RootFiles, New: []string{filepath.Join(h.Dir, "root.key")}}, "inside the data folder"},
		"over a file":            {people.Rotation{Old: opt.RootFiles, New: opt.RootFiles}, "not written over"},
		"the same file twice":    {people.Rotation{Old: opt.RootFiles, New: []string{filepath.Join(dir, "x"), filepath.Join(dir, "x")}}, "named twice"},
		"a short passphrase":     {people.Rotation{Old: opt.RootFiles, New: []string{filepath.Join(dir, "x")}, Passphrase: "abc"}, "passphrase"},
		"a key that is not old":  {people.Rotation{Old: opt.RootFiles, Keep: []string{"y"}, New: []string{filepath.Join(dir, "x")}}, "has to be among the old"},
		"no old key":             {people.Rotation{New: []string{filepath.Join(dir, "x")}}, "root version 2"},
		"more than there are":    {people.Rotation{Old: opt.RootFiles, New: []string{filepath.Join(dir, "x")}, Threshold: 2}, "threshold"},
	} {
		_, err := h.Office.RotateRoot(context.Background(), x.r)
		complains(t, err, x.says)
		if left := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(left) != 0 {
			t.Errorf("%s: %v was left behind", name, left)
		}
	}
	if len(h.Office.Roots()) != 1 {
		t.Error("a version was made")
	}
}
