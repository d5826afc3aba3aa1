package seal_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

func proof(rev broadcast.Revision, body string, epoch int64) seal.Proof {
	p := seal.Proof{Kind: broadcast.KindPolicy, Digest: broadcast.Sum([]byte(body)), Claim: seal.Claim{ID: "x", Revision: rev}}
	p.Signers = []seal.Signatory{{Person: "p", Epoch: epoch}}
	return p
}

func TestNothingOldIsBelievedAgain(t *testing.T) {
	f := seal.Floors{}
	rev := broadcast.Revision(at)
	for i, c := range []struct {
		p    seal.Proof
		want error
	}{
		{proof(rev, "a", 0), nil},
		{proof(rev, "a", 0), seal.ErrHeld},
		{proof(rev-1, "old", 0), seal.ErrStale},
		{proof(rev+1, "b", 0), nil},
		{proof(rev, "a", 0), seal.ErrStale},
	} {
		if err := f.Admit(c.p, at); !errors.Is(err, c.want) {
			t.Errorf("step %d: want %v, got %v", i, c.want, err)
		}
	}
}

func TestEqualRevisionTwoBodies(t *testing.T) {
	f := seal.Floors{}
	first := proof(broadcast.Revision(at), "first", 0)
	if err := f.Admit(first, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Admit(proof(broadcast.Revision(at), "second", 0), at); !errors.Is(err, seal.ErrEquivocation) {
		t.Errorf("%v", err)
	}
	if err := f.Admit(first, at); !errors.Is(err, seal.ErrHeld) {
		t.Errorf("the first was not kept: %v", err)
	}
}

func TestFastForwardRecovers(t *testing.T) {
	f := seal.Floors{}
	ahead := broadcast.Revision(at.Add(11 * time.Minute))
	if err := f.Admit(proof(ahead, "ahead", 1), at); !errors.Is(err, seal.ErrAhead) {
		t.Errorf("%v", err)
	}
	if err := f.Admit(proof(broadcast.Revision(at), "now", 1), at); err != nil {
		t.Errorf("what was refused raised the floor: %v", err)
	}
	if err := f.Admit(proof(ahead, "ahead", 1), 0); err != nil {
		t.Errorf("without trusted time the future cannot be judged: %v", err)
	}
}

func TestControllerRestoredYesterday(t *testing.T) {
	f := seal.Floors{}
	today, yesterday := broadcast.Revision(at), broadcast.Revision(at.Add(-24*time.Hour))
	if err := f.Admit(proof(today, "today", 1), at); err != nil {
		t.Fatal(err)
	}
	if err := f.Admit(proof(yesterday, "restored", 1), at); !errors.Is(err, seal.ErrStale) {
		t.Errorf("yesterday's service key went back: %v", err)
	}
	if err := f.Admit(proof(yesterday, "restored", 2), at); err != nil {
		t.Errorf("a new epoch could not go on: %v", err)
	}
	if err := f.Admit(proof(today+1, "old epoch", 1), at); !errors.Is(err, seal.ErrStale) {
		t.Errorf("the old epoch was believed again: %v", err)
	}
}

func TestTemplateActivationIsWhatWasApproved(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at.Add(-time.Hour), true)
	xa := h.Certify(broadcast.Certificate{Person: "xa", Level: broadcast.Commune, Areas: []broadcast.ID{"xa-tan-quang"},
		Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActAnnounce}})
	ring := h.Keyring(chain())
	base := sealtest.Announcement("a1", at, "tan-lap")
	tmpl := broadcast.Template{ID: "lu", Revision: broadcast.Revision(at.Add(-time.Minute)), Class: broadcast.Emergency, Title: "Lũ",
		Areas: []broadcast.ID{"bac-quang"}, Versions: base.Versions, Expires: at.Add(time.Hour)}
	base.Template = &broadcast.TemplateRef{ID: "lu", Revision: tmpl.Revision}
	open := func(a broadcast.Announcement, t *broadcast.Template) (seal.Proof, error) {
		_, p, err := seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement,
			sealtest.Sealed(broadcast.KindAnnouncement, a, xa), seal.Context{Places: chain(), Template: t})
		return p, err
	}
	if p, err := open(base, &tmpl); err != nil || !p.Activated {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := open(base, nil); !errors.Is(err, seal.ErrRight) {
		t.Errorf("without the template one announcer was enough: %v", err)
	}
	for name, change := range map[string]func(*broadcast.Announcement, *broadcast.Template){
		"other content": func(a *broadcast.Announcement, _ *broadcast.Template) {
			a.Versions = sealtest.Announcement("x", at, "tan-lap").Versions
		},
		"other class":    func(a *broadcast.Announcement, _ *broadcast.Template) { a.Class = broadcast.Priority },
		"other revision": func(_ *broadcast.Announcement, t *broadcast.Template) { t.Revision-- },
		"expired":        func(_ *broadcast.Announcement, t *broadcast.Template) { t.Expires = at - 1 },
	} {
		a, tm := base, tmpl
		change(&a, &tm)
		if _, err := open(a, &tm); !errors.Is(err, seal.ErrRight) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNodeKeySignsItsOwnReceiptsOnly(t *testing.T) {
	r := broadcast.Receipt{Seq: 1, Prev: broadcast.Sum(nil), At: at, Clock: broadcast.ClockProved, Boot: "b1",
		Announcement: "a1", Of: broadcast.Revision(at), Payload: broadcast.Sum(nil), Rung: broadcast.Received}
	batch := broadcast.ReceiptBatch{Node: "n1", Chain: "c1", Receipts: []broadcast.Receipt{r}}
	raw := sealtest.Sealed(broadcast.KindReceipts, batch, sealtest.Bare("n1"))
	if _, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, raw, sealtest.Public("n1")); err != nil {
		t.Error(err)
	}
	if _, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, raw, sealtest.Public("n2")); !errors.Is(err, seal.ErrUnknownSigner) {
		t.Errorf("another node's key: %v", err)
	}
	forged := sealtest.Sealed(broadcast.KindReceipts, batch, seal.Signer{KID: sealtest.Bare("n1").KID, Key: sealtest.Key("n2")})
	if _, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, forged, sealtest.Public("n1")); !errors.Is(err, seal.ErrSignature) {
		t.Errorf("another node under this one's name: %v", err)
	}
}

// TestEnvelopesAreStandardJWS has an independent implementation of RFC 7515
// read our envelopes, so that other programs can check them too.
func TestEnvelopesAreStandardJWS(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan, minh := h.Officer("lan", broadcast.District, "bac-quang"), h.Officer("minh", broadcast.District, "bac-quang")
	raw := sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", at, "tan-lap"), lan, minh)
	when := at
	obj, err := jose.ParseSignedJSON(string(raw), []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"lan", "minh"} {
		public, err := broadcast.ParseKey(string(sealtest.Public(name)))
		if err != nil {
			t.Fatal(err)
		}
		at, _, payload, err := obj.VerifyMulti(public)
		if err != nil || at != i {
			t.Fatalf("%s: signature %d: %v", name, at, err)
		}
		if want, _ := broadcast.Encode(sealtest.Announcement("a1", when, "tan-lap")); string(payload) != string(want) {
			t.Errorf("payload differs: %s", payload)
		}
	}
	peeked, err := seal.Peek(raw)
	if err != nil || peeked != broadcast.KindAnnouncement {
		t.Errorf("%v %v", peeked, err)
	}
}

// TestSignaturesFollowRFC8037 checks the example of RFC 8037 appendix A.4: the
// key, protected header and payload give exactly that signature.
func TestSignaturesFollowRFC8037(t *testing.T) {
	public, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if err != nil {
		t.Fatal(err)
	}
	input := "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
	sig := "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	if !seal.VerifyRaw(public, input, sig) {
		t.Error("the RFC's own example does not verify")
	}
	if seal.VerifyRaw(public, input+"A", sig) {
		t.Error("altered input verifies")
	}
}
