package broadcast_test

import (
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

func TestKindSurvivesItsTypAndNoOther(t *testing.T) {
	seen := map[string]broadcast.Kind{}
	for _, k := range broadcast.Kinds() {
		if k.Validate() != nil || seen[k.Typ()] != "" {
			t.Errorf("%s: %v, shares %q with %s", k, k.Validate(), k.Typ(), seen[k.Typ()])
		}
		seen[k.Typ()] = k
		if got, err := broadcast.KindOfTyp(k.Typ()); got != k || err != nil {
			t.Errorf("%q is %s, %v", k.Typ(), got, err)
		}
		for _, bad := range []string{string(k), "loaxa/" + string(k), "loaxa/" + string(k) + ".v", k.Typ() + " ", strings.ToUpper(k.Typ()), "x" + k.Typ(), "application/" + k.Typ()} {
			if got, err := broadcast.KindOfTyp(bad); err == nil {
				t.Errorf("%q is %s", bad, got)
			}
		}
	}
	accepts(t, func(s string) broadcast.Kind { return broadcast.Kind(s) }, []string{"", "Policy", "song"}, nil)
}

func TestLaterVersionSaysSo(t *testing.T) {
	for _, k := range broadcast.Kinds() {
		for _, version := range []string{"2", "10", "2-beta"} {
			_, err := broadcast.KindOfTyp("loaxa/" + string(k) + ".v" + version)
			if err == nil || !strings.Contains(err.Error(), "later version of "+string(k)) || !strings.Contains(err.Error(), "update") {
				t.Errorf("version %s of %s: %v", version, k, err)
			}
		}
	}
	for _, unknown := range []string{"", "JWT", "loaxa/song.v1", "loaxa/song.v2", "loaxa/.v2"} {
		if _, err := broadcast.KindOfTyp(unknown); err == nil || strings.Contains(err.Error(), "later version") {
			t.Errorf("%q: %v", unknown, err)
		}
	}
}

func TestEveryKindHasALimit(t *testing.T) {
	want := map[broadcast.Kind]int{"announcement": 2, "drill": 2, "manifest": 256, "authority": 256, "receipts": 64,
		"policy": 16, "template": 16, "placement": 16, "assignment": 16, "root": 16}
	for _, k := range broadcast.Kinds() {
		kib, named := want[k]
		if !named {
			kib = 4
		}
		if k.Limit() != kib<<10 {
			t.Errorf("%s may have %d bytes, want %d KiB", k, k.Limit(), kib)
		}
	}
}

func envelope() broadcast.Envelope { return sample[broadcast.Authority]("authority")().Roots[0] }

func TestEnvelopeHasOneSpelling(t *testing.T) {
	type e = broadcast.Envelope
	one := envelope().Signatures[0]
	signature := func(string) broadcast.Signature { return one }
	mend := func(part *string, at int, with string) { *part = (*part)[:at] + with + (*part)[at:] }
	fresh := func() e {
		e := envelope()
		e.Signatures = []broadcast.Signature{one}
		return e
	}
	holdEdges(t, fresh, []edge[e]{
		{"payload", func(e *e) { e.Payload = "e30" }, func(e *e) { e.Payload = "" }},
		{"payload", nil, func(e *e) { e.Payload = "e30=" }},
		{"payload", nil, func(e *e) { e.Payload = "e31" }},
		{"payload", nil, func(e *e) { mend(&e.Payload, 4, "\n") }},
		{"signatures", func(e *e) { e.Signatures = several(4, signature) }, func(e *e) { e.Signatures = several(5, signature) }},
		{"signatures", nil, func(e *e) { e.Signatures = nil }},
		{"signatures/incomplete", nil, func(e *e) { e.Signatures[0].Protected = "" }},
		{"signatures/incomplete", nil, func(e *e) { e.Signatures[0].Signature = "" }},
		{"signatures/signature 0", nil, func(e *e) { mend(&e.Signatures[0].Protected, 4, "\r\n") }},
		{"signatures/signature 0", nil, func(e *e) { mend(&e.Signatures[0].Signature, 4, "\n") }},
		{"signatures/signature 0", nil, func(e *e) { mend(&e.Signatures[0].Signature, 4, "+/==") }},
	})
}

func TestEnvelopeIsNamedByItsBytes(t *testing.T) {
	e := envelope()
	b, err := broadcast.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := e.Digest(); err != nil || d != broadcast.Sum(b) {
		t.Errorf("%s, %v", d, err)
	}
	payload, err := e.PayloadBytes()
	if err != nil {
		t.Fatal(err)
	}
	if root, err := broadcast.Decode[broadcast.Root](payload); err != nil || root.Keys[0] != sealtest.Public("root") {
		t.Errorf("%+v, %v", root, err)
	}
}

func TestProtectedHeaderNamesOneAlgorithm(t *testing.T) {
	type p = broadcast.Protected
	fresh := func() p { return p{Alg: "EdDSA", KID: broadcast.Sum(nil), Typ: broadcast.KindPolicy.Typ()} }
	alg := func(s string) edge[p] { return edge[p]{"alg", nil, func(p *p) { p.Alg = s }} }
	holdEdges(t, fresh, []edge[p]{
		alg(""), alg("none"), alg("HS256"), alg("RS256"), alg("ES256"), alg("webauthn"), alg("Ed25519"), alg("eddsa"),
		{"kid", nil, func(p *p) { p.KID = "" }},
		{"kid", nil, func(p *p) { p.KID = "../../etc/passwd" }},
		{"typ/later version", func(p *p) { p.Typ = broadcast.KindRoot.Typ() }, func(p *p) { p.Typ = "loaxa/policy.v2" }},
		{"typ/no kind", nil, func(p *p) { p.Typ = "JWT" }},
	})
}
