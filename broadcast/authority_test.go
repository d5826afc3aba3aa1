package broadcast_test

import (
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

func TestRootThresholdCanBeMet(t *testing.T) {
	type r = broadcast.Root
	key := func(s string) broadcast.Key { return sealtest.Public(s) }
	holdEdges(t, sample[r]("root"), []edge[r]{
		{"version", func(r *r) { r.Version = 1 }, func(r *r) { r.Version = 0 }},
		{"version", func(r *r) { r.Version = 1 << 31 }, func(r *r) { r.Version = 1<<31 + 1 }},
		{"threshold", func(r *r) { r.Threshold = 1 }, func(r *r) { r.Threshold = 0 }},
		{"threshold", func(r *r) { r.Threshold = 2 }, func(r *r) { r.Threshold = 3 }},
		{"keys", func(r *r) { r.Keys = several(4, key) }, func(r *r) { r.Keys = several(5, key) }},
		{"keys", func(r *r) { r.Keys, r.Threshold = several(1, key), 1 }, func(r *r) { r.Keys, r.Threshold = nil, 0 }},
		{"keys", nil, func(r *r) { r.Keys = []broadcast.Key{key("a"), key("a")} }},
		{"keys", nil, func(r *r) { r.Keys = []broadcast.Key{key("a"), key("a") + "\n"} }},
		{"keys", nil, func(r *r) { r.Keys[0] = "" }},
	})
}

func TestCertificateKeepsItsLimits(t *testing.T) {
	type c = broadcast.Certificate
	emergency := []broadcast.Class{broadcast.Emergency}
	holdEdges(t, sample[c]("certificate"), []edge[c]{
		{"person", nil, func(c *c) { c.Person = "Lan" }},
		{"key", nil, func(c *c) { c.Key = c.Key[1:] }},
		{"level", func(c *c) { c.Level = broadcast.Province }, func(c *c) { c.Level = "" }},
		{"areas", func(c *c) { c.Areas = ids(24) }, func(c *c) { c.Areas = ids(25) }},
		{"areas", nil, func(c *c) { c.Areas = nil }},
		{"classes", func(c *c) { c.Classes = nil }, func(c *c) { c.Classes = []broadcast.Class{"all"} }},
		{"classes", func(c *c) { c.Classes = broadcast.Classes() }, func(c *c) { c.Classes = append(broadcast.Classes(), broadcast.Normal) }},
		{"acts", nil, func(c *c) { c.Acts = nil }},
		{"acts", nil, func(c *c) { c.Acts = []broadcast.Act{"sing"} }},
		{"acts", nil, func(c *c) { c.Acts = append(c.Acts, c.Acts...) }},
		{"from/until", func(c *c) { c.From = c.Until - 1 }, func(c *c) { c.From = c.Until }},
		{"until", func(c *c) { c.Until = at + 396*day }, func(c *c) { c.Until = at + 396*day + 1 }},
		{"until", func(c *c) { c.Classes, c.Until = emergency, at+90*day }, func(c *c) { c.Classes, c.Until = emergency, at+90*day+1 }},
		{"until", nil, func(c *c) { c.Until = wrapped(at) }},
		{"until", nil, func(c *c) { c.Classes, c.Until = emergency, wrapped(at) }},
		{"custody", func(c *c) { c.Custody = broadcast.CustodyController }, func(c *c) { c.Custody = "" }},
		{"epoch/acts", func(c *c) { c.Epoch = 0 }, func(c *c) { c.Epoch = 1 }},
		{"epoch", func(c *c) { c.Epoch, c.Acts = 1<<31, broadcast.ServiceActs() }, func(c *c) { c.Epoch, c.Acts = 1<<31+1, broadcast.ServiceActs() }},
		{"epoch", nil, func(c *c) { c.Epoch = -1 }},
	})
}

// TestServiceAndPeopleNeverShareAnAct tries every single act and every pair on
// both kinds of keys.
func TestServiceAndPeopleNeverShareAnAct(t *testing.T) {
	service := []broadcast.Act{broadcast.ActManifest, broadcast.ActTime, broadcast.ActRelay}
	if !slices.Equal(broadcast.ServiceActs(), service) {
		t.Errorf("the online key may %v", broadcast.ServiceActs())
	}
	personal := sample[broadcast.Certificate]("certificate")()
	for _, a := range broadcast.Acts() {
		for _, b := range broadcast.Acts() {
			for epoch := range int64(2) {
				c := personal
				c.Epoch, c.Acts = epoch, []broadcast.Act{a, b}
				if a == b {
					c.Acts = c.Acts[:1]
				}
				online := c.Service()
				may := slices.Contains(service, a) == online && slices.Contains(service, b) == online
				if err := c.Validate(); (err == nil) != may || online != (epoch > 0) {
					t.Errorf("acts %v with epoch %d: %v", c.Acts, epoch, err)
				}
			}
		}
	}
}

func TestRightsToEmergenciesLastNinetyDays(t *testing.T) {
	for _, c := range []struct {
		classes []broadcast.Class
		epoch   int64
		want    time.Duration
	}{
		{nil, 0, 396 * 24 * time.Hour},
		{[]broadcast.Class{broadcast.Normal, broadcast.Priority}, 0, 396 * 24 * time.Hour},
		{[]broadcast.Class{broadcast.Emergency}, 0, 90 * 24 * time.Hour},
		{broadcast.Classes(), 0, 90 * 24 * time.Hour},
		{broadcast.Classes(), 1, 396 * 24 * time.Hour},
	} {
		if got := (broadcast.Certificate{Classes: c.classes, Epoch: c.epoch}).Life(); got != c.want {
			t.Errorf("%v with epoch %d may last %v", c.classes, c.epoch, got)
		}
	}
}

func TestAuthorityIsBounded(t *testing.T) {
	type a = broadcast.Authority
	root := sample[a]("authority")().Roots[0]
	envelope := func(string) broadcast.Envelope { return root }
	revocation := func(s string) broadcast.Revocation {
		return broadcast.Revocation{KID: broadcast.Sum([]byte(s)), Mode: broadcast.Compromised, At: at}
	}
	holdEdges(t, sample[a]("authority"), []edge[a]{
		{"area", nil, func(a *a) { a.Area = "" }},
		{"revision", nil, func(a *a) { a.Revision = 0 }},
		{"roots", func(a *a) { a.Roots = several(32, envelope) }, func(a *a) { a.Roots = several(33, envelope) }},
		{"roots", nil, func(a *a) { a.Roots = nil }},
		{"roots/signatures", nil, func(a *a) { a.Roots = []broadcast.Envelope{{Payload: "e30"}} }},
		{"certificates", func(a *a) { a.Certificates = several(400, envelope) }, func(a *a) { a.Certificates = several(401, envelope) }},
		{"certificates/payload", func(a *a) { a.Certificates = nil }, func(a *a) { a.Certificates[0].Payload = "" }},
		{"revocations", func(a *a) { a.Revocations = several(400, revocation) }, func(a *a) { a.Revocations = several(401, revocation) }},
		{"revocations", func(a *a) { a.Revocations[0].Mode = broadcast.Compromised }, func(a *a) { a.Revocations[0].Mode = "" }},
		{"revocations", func(a *a) { a.Revocations = nil }, func(a *a) { a.Revocations[0].KID = "" }},
		{"revocations", func(a *a) { a.Revocations[0].At = 1 }, func(a *a) { a.Revocations[0].At = 0 }},
		{"revocations", func(a *a) { a.Revocations[0].At = last }, func(a *a) { a.Revocations[0].At = last + 1 }},
	})
}

func TestActsExistOnce(t *testing.T) {
	accepts(t, func(s string) broadcast.Act { return broadcast.Act(s) }, []string{"", "Announce", "sing", "*"}, nil)
	seen := map[broadcast.Act]bool{}
	for _, a := range broadcast.Acts() {
		if err := a.Validate(); err != nil || seen[a] {
			t.Errorf("%s: %v, seen before: %v", a, err, seen[a])
		}
		seen[a] = true
	}
}
