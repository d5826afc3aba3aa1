package seal_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

func openAt(k *seal.Keyring, raw []byte, listed bool) error {
	_, _, err := seal.Open[broadcast.Announcement](k, broadcast.KindAnnouncement, raw, seal.Context{Places: chain(), Listed: listed})
	return err
}

func TestRevokedOfficer(t *testing.T) {
	const hour = time.Hour
	for _, mode := range []broadcast.RevocationMode{broadcast.Retired, broadcast.Compromised} {
		h := sealtest.NewHouse("tuyen-quang", at.Add(-10*hour), true)
		lan := h.Officer("lan", broadcast.District, "bac-quang")
		minh := h.CertifyBy(lan, broadcast.Certificate{Person: "minh", Level: broadcast.Commune, Areas: []broadcast.ID{"tan-lap"},
			Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActApprove}})
		late := h.CertifyBy(lan, broadcast.Certificate{Person: "late", Level: broadcast.Commune, Areas: []broadcast.ID{"tan-lap"},
			Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActApprove}, From: at})
		ring := h.Keyring(chain())
		if err := ring.Learn(nil, []broadcast.Revocation{{KID: lan.KID, Mode: mode, At: at}}, chain()); err != nil {
			t.Fatal(err)
		}
		note := func(when broadcast.Instant, by seal.Signer) []byte {
			return sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", when, "tan-lap"), by)
		}
		child := map[broadcast.RevocationMode]error{broadcast.Retired: nil, broadcast.Compromised: seal.ErrRevoked}[mode]
		for _, c := range []struct {
			name   string
			raw    []byte
			listed bool
			want   error
		}{
			{"signed after", note(at.Add(hour), lan), true, seal.ErrRevoked},
			{"signed before and listed", note(at.Add(-hour), lan), true, nil},
			{"backdated, not listed", note(at.Add(-hour), lan), false, seal.ErrRevoked},
			{"by somebody he certified before, after", note(at.Add(hour), minh), true, child},
			{"by somebody he certified before, before", note(at.Add(-hour), minh), true, nil},
			{"by somebody he certified after", note(at.Add(hour), late), true, seal.ErrRevoked},
		} {
			if err := openAt(ring, c.raw, c.listed); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: want %v, got %v", mode, c.name, c.want, err)
			}
		}
	}
}

func TestRevocationsOnlyGetStricter(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at.Add(-10*time.Hour), true)
	lan := h.Officer("lan", broadcast.District, "bac-quang")
	ring := h.Keyring(chain())
	for _, r := range []broadcast.Revocation{
		{KID: lan.KID, Mode: broadcast.Compromised, At: at},
		{KID: lan.KID, Mode: broadcast.Retired, At: at.Add(-5 * time.Hour)},
		{KID: lan.KID, Mode: broadcast.Compromised, At: at.Add(5 * time.Hour)},
	} {
		if err := ring.Learn(nil, []broadcast.Revocation{r}, chain()); err != nil {
			t.Fatal(err)
		}
	}
	_, revs := ring.Certificates()
	if len(revs) != 1 || revs[0].Mode != broadcast.Compromised || revs[0].At != at {
		t.Errorf("%+v", revs)
	}
}

func TestRootRotation(t *testing.T) {
	key := sealtest.Public
	root := func(version, threshold int64, keys ...broadcast.Key) broadcast.Root {
		return broadcast.Root{Version: version, Threshold: threshold, Keys: keys}
	}
	sign := func(r broadcast.Root, by ...string) broadcast.Envelope {
		var signers []seal.Signer
		for _, n := range by {
			signers = append(signers, sealtest.Bare(n))
		}
		env, err := seal.Seal(broadcast.KindRoot, r, signers...)
		if err != nil {
			t.Fatal(err)
		}
		return env
	}
	one := sign(root(1, 2, key("a"), key("b"), key("c")), "a", "b")
	payload, err := one.PayloadBytes()
	if err != nil {
		t.Fatal(err)
	}
	pin := broadcast.Sum(payload)
	next := root(2, 2, key("b"), key("d"), key("e"))
	for _, c := range []struct {
		name  string
		roots []broadcast.Envelope
		ok    bool
	}{
		{"version 1", []broadcast.Envelope{one}, true},
		{"old and new threshold", []broadcast.Envelope{one, sign(next, "a", "b", "d")}, true},
		{"new keys alone", []broadcast.Envelope{one, sign(next, "d", "e")}, false},
		{"old keys alone", []broadcast.Envelope{one, sign(next, "a", "c")}, false},
		{"one old key twice", []broadcast.Envelope{one, sign(next, "b", "b", "d")}, false},
		{"with a stranger's signature", []broadcast.Envelope{one, sign(next, "a", "b", "d", "x")}, false},
		{"version skipped", []broadcast.Envelope{one, sign(root(3, 1, key("a")), "a", "b")}, false},
		{"another version 1", []broadcast.Envelope{sign(root(1, 1, key("x")), "x")}, false},
		{"too few of its own", []broadcast.Envelope{sign(root(1, 2, key("a"), key("b"), key("c")), "a")}, false},
		{"turned into a demo", []broadcast.Envelope{one, sign(broadcast.Root{Version: 2, Threshold: 1, Keys: []broadcast.Key{key("a")}, Demo: true}, "a", "b")}, false},
		{"none", nil, false},
	} {
		if _, err := seal.NewKeyring(pin, c.roots, false); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRealNodeRefusesTheDemoRoot(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	if _, err := seal.NewKeyring(h.Pin, []broadcast.Envelope{h.Root}, false); err == nil {
		t.Error("a real node believed a demo root")
	}
	if _, err := seal.NewKeyring(h.Pin, []broadcast.Envelope{h.Root}, true); err != nil {
		t.Error(err)
	}
}

// drawParent draws a delegate's certificate over part of the node's chain.
func drawParent(rt *rapid.T) broadcast.Certificate {
	area := rapid.SampledFrom([]broadcast.ID{"bac-quang", "xa-tan-quang"}).Draw(rt, "area")
	level := map[broadcast.ID]broadcast.Level{"bac-quang": broadcast.District, "xa-tan-quang": broadcast.Commune}[area]
	return broadcast.Certificate{Person: "parent", Level: level, Areas: []broadcast.ID{area},
		Classes: []broadcast.Class{broadcast.Normal, broadcast.Priority},
		Acts:    []broadcast.Act{broadcast.ActDelegate, broadcast.ActApprove},
		From:    at.Add(-time.Hour), Until: at.Add(24 * time.Hour)}
}

// widenings each widen one field of a child beyond any parent of drawParent.
func widenings() map[string]func(*broadcast.Certificate) {
	return map[string]func(*broadcast.Certificate){
		"area":    func(c *broadcast.Certificate) { c.Areas = []broadcast.ID{"tuyen-quang"} },
		"level":   func(c *broadcast.Certificate) { c.Level = broadcast.Province },
		"class":   func(c *broadcast.Certificate) { c.Classes = append(slices.Clone(c.Classes), broadcast.Emergency) },
		"act":     func(c *broadcast.Certificate) { c.Acts = append(slices.Clone(c.Acts), broadcast.ActPolicy) },
		"from":    func(c *broadcast.Certificate) { c.From -= 1 },
		"until":   func(c *broadcast.Certificate) { c.Until += 1 },
		"service": func(c *broadcast.Certificate) { c.Acts, c.Epoch = []broadcast.Act{broadcast.ActManifest}, 9 },
	}
}

func TestChainOnlyNarrows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := sealtest.NewHouse("tuyen-quang", at, true)
		cert := drawParent(rt)
		signer := h.Certify(cert)
		for i := range rapid.IntRange(0, 2).Draw(rt, "depth") {
			cert.Person = broadcast.ID(fmt.Sprint("child-", i))
			cert.From, cert.Until = cert.From+broadcast.Instant(rapid.IntRange(0, 1000).Draw(rt, "from")), cert.Until-1
			if rapid.Bool().Draw(rt, "lower") {
				cert.Areas, cert.Level = []broadcast.ID{"tan-lap"}, broadcast.Village
			}
			cert.Custody, cert.Key = "", ""
			signer = h.CertifyBy(signer, cert)
		}
		if err := h.Keyring(chain()).Learn(nil, nil, chain()); err != nil {
			rt.Fatal(err)
		}
		leaf := cert
		leaf.Person, leaf.Key, leaf.Custody = "leaf", "", ""
		names := make([]string, 0, 7)
		for n := range widenings() {
			names = append(names, n)
		}
		slices.Sort(names)
		field := rapid.SampledFrom(names).Draw(rt, "field")
		wide := leaf
		widenings()[field](&wide)
		before := h.Certs
		h.CertifyBy(signer, leaf)
		if err := h.Keyring(chain()).Learn(nil, nil, chain()); err != nil {
			rt.Fatalf("a child with its parent's rights: %v", err)
		}
		h.Certs = before
		h.CertifyBy(signer, wide)
		ring, err := seal.NewKeyring(h.Pin, []broadcast.Envelope{h.Root}, true)
		if err != nil {
			rt.Fatal(err)
		}
		if err := ring.Learn(h.Certs, nil, chain()); !errors.Is(err, seal.ErrRight) {
			rt.Fatalf("%s widened: %v", field, err)
		}
	})
}

func TestChainsAreAtMostFourDeepAndNeedDelegate(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	signer := h.Officer("p0", broadcast.District, "bac-quang")
	all := func(person broadcast.ID, acts ...broadcast.Act) broadcast.Certificate {
		return broadcast.Certificate{Person: person, Level: broadcast.District, Areas: []broadcast.ID{"bac-quang"}, Acts: acts}
	}
	for i := 1; i < seal.MaxDepth; i++ {
		signer = h.CertifyBy(signer, all(broadcast.ID(fmt.Sprint("p", i)), broadcast.ActDelegate, broadcast.ActApprove))
	}
	h.Keyring(chain())
	h.CertifyBy(signer, all("too-deep", broadcast.ActApprove))
	plain := h.Certify(all("plain", broadcast.ActApprove))
	h.CertifyBy(plain, all("by-plain", broadcast.ActApprove))
	ring, err := seal.NewKeyring(h.Pin, []broadcast.Envelope{h.Root}, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Learn(h.Certs, nil, chain()); !errors.Is(err, seal.ErrRight) {
		t.Errorf("%v", err)
	}
	certs, _ := ring.Certificates()
	if len(certs) != len(h.Certs)-2 {
		t.Errorf("%d of %d certificates were believed, want all but two", len(certs), len(h.Certs))
	}
}

func TestCertificatesMayArriveInAnyOrder(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan := h.Officer("lan", broadcast.District, "bac-quang")
	h.CertifyBy(lan, broadcast.Certificate{Person: "minh", Level: broadcast.Commune, Areas: []broadcast.ID{"tan-lap"}, Acts: []broadcast.Act{broadcast.ActApprove}})
	slices.Reverse(h.Certs)
	h.Keyring(chain())
}

func TestOutdatedCertificateGivesNoRight(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan := h.Certify(broadcast.Certificate{Person: "lan", Level: broadcast.District, Areas: []broadcast.ID{"bac-quang"},
		Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActApprove}, From: at, Until: at.Add(time.Hour)})
	ring := h.Keyring(chain())
	for when, want := range map[broadcast.Instant]error{at - 1: seal.ErrRight, at: nil, at.Add(time.Hour): nil, at.Add(time.Hour) + 1: seal.ErrRight} {
		raw := sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", when, "tan-lap"), lan)
		if err := openAt(ring, raw, true); !errors.Is(err, want) {
			t.Errorf("issued %s: %v", when, err)
		}
	}
}
