package desk_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// keys lends out keys with certificates of a test's making.
type keys struct {
	house   *sealtest.House
	signers map[broadcast.ID]seal.Signer
	revoked []broadcast.Revocation
	places  seal.Places
}

// With gives the signer of the named person.
func (k *keys) With(_ context.Context, c people.Credential, f func(seal.Signer) error) error {
	s, ok := k.signers[c.Person]
	if !ok {
		return people.ErrCannotSign
	}
	return f(s)
}

// Ring believes everything that was certified, and every revocation.
func (k *keys) Ring(context.Context) (*seal.Keyring, error) {
	ring := k.house.Keyring(k.places)
	return ring, ring.Learn(nil, k.revoked, k.places)
}

// open lets everybody do everything: what is left to say is the certificates'.
type openDoor struct{}

// Authorise allows.
func (openDoor) Authorise(people.Person, people.Permission, ...broadcast.ID) error { return nil }

// forge is a rig whose keys and certificates the test makes.
type forge struct {
	*rig
	keys *keys
}

func newForge(t *testing.T) *forge {
	t.Helper()
	r := newRig(t)
	k := &keys{house: sealtest.NewHouse(broadcast.TuyenQuang, r.Now(), true), signers: map[broadcast.ID]seal.Signer{}, places: r.Office.Places()}
	f := &forge{rig: r, keys: k}
	for _, person := range []broadcast.ID{"an", "binh"} {
		k.signers[person] = k.house.Officer(person, broadcast.District, broadcast.BacQuang)
	}
	r.Desk = desk.New(desk.Config{DB: r.DB, Keys: k, Rights: openDoor{}, Fleet: r.Fleet, Tree: r.Tree, Events: r.Hub, Wake: r.Woken,
		Now: r.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	policy := broadcast.Policy{Area: broadcast.BacQuang, Revision: broadcast.Revision(r.Now()), OneOfficer: broadcast.Classes()}
	for _, c := range broadcast.Classes() {
		policy.Thresholds = append(policy.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	raw := sealtest.Sealed(broadcast.KindPolicy, policy, k.signers["an"], k.signers["binh"])
	r.Update(func(tx store.Tx) error {
		err := tx.Unlist(t.Context(), broadcast.KindPolicy, broadcast.BacQuang)
		sha, also := tx.PutDocument(t.Context(), store.Document{Kind: broadcast.KindPolicy, ID: policy.Area, Revision: policy.Revision, Raw: raw})
		return errors.Join(err, also, tx.List(t.Context(), store.Listing{Area: policy.Area, Kind: broadcast.KindPolicy, ID: policy.Area,
			Revision: policy.Revision, SHA256: sha, Until: r.Now().Add(3000 * time.Hour)}))
	})
	return f
}

// certify gives a person a certificate; what is left out is that of an officer.
func (f *forge) certify(c broadcast.Certificate) {
	if c.Acts == nil {
		c.Acts = []broadcast.Act{broadcast.ActAnnounce, broadcast.ActApprove, broadcast.ActWithdraw}
	}
	if c.Classes == nil {
		c.Classes = broadcast.Classes()
	}
	if c.Areas == nil {
		c.Areas = []broadcast.ID{broadcast.BacQuang}
	}
	if c.Level == "" {
		c.Level = broadcast.District
	}
	f.keys.signers[c.Person] = f.keys.house.Certify(c)
}

func (f *forge) submitted(d desk.Draft) desk.Announcement {
	f.t.Helper()
	a, err := f.Desk.Create(f.t.Context(), people.Person{ID: "an"}, d, nil)
	if err == nil {
		a, err = f.Desk.Submit(f.t.Context(), people.Person{ID: "an"}, people.Credential{}, a.Document.ID, "")
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

func (f *forge) approveAs(person broadcast.ID, a desk.Announcement) (desk.Announcement, error) {
	return f.Desk.Approve(f.t.Context(), people.Person{ID: person}, people.Credential{Person: person}, a.Document.ID, a.Digest)
}

// TestACertificateSaysWhatASignatureIsWorth narrows one thing at a time.
func TestACertificateSaysWhatASignatureIsWorth(t *testing.T) {
	for name, c := range map[string]struct {
		cert broadcast.Certificate
		want desk.Code
	}{
		"another area":        {broadcast.Certificate{Areas: []broadcast.ID{"tan-lap"}}, desk.SignRight},
		"another class":       {broadcast.Certificate{Classes: []broadcast.Class{broadcast.Normal}}, desk.ClassRight},
		"no act of speech":    {broadcast.Certificate{Acts: []broadcast.Act{broadcast.ActWithdraw}}, desk.SignRight},
		"announcing, alone":   {broadcast.Certificate{Acts: []broadcast.Act{broadcast.ActAnnounce}}, desk.Signatures},
		"everything it needs": {broadcast.Certificate{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			c.cert.Person = "chi"
			f.certify(c.cert)
			a := f.submitted(f.flood())
			before := f.rows(a.Document.ID)
			got, err := f.approveAs("chi", a)
			if c.want == "" {
				if err != nil || got.State != store.Published {
					t.Errorf("%v %s", err, got.State)
				}
				return
			}
			refused(t, err, c.want)
			if after := f.rows(a.Document.ID); after != before {
				t.Errorf("left behind:\n%s\nbefore it was\n%s", after, before)
			}
		})
	}
}

func TestSignaturesEndWithTheirCertificates(t *testing.T) {
	f := newForge(t)
	f.certify(broadcast.Certificate{Person: "chi", From: f.Now().Add(-time.Hour), Until: f.Now().Add(time.Hour)})
	f.certify(broadcast.Certificate{Person: "dung"})
	gone := f.keys.signers["dung"].KID
	f.Clock.Add(2 * time.Hour)
	a := f.submitted(f.flood())
	_, err := f.approveAs("chi", a)
	refused(t, err, desk.SignRight)
	for _, mode := range []broadcast.RevocationMode{broadcast.Retired, broadcast.Compromised} {
		f.keys.revoked = []broadcast.Revocation{{KID: gone, Mode: mode, At: f.Now().Add(-time.Minute)}}
		_, err = f.approveAs("dung", a)
		refused(t, err, desk.SignRight)
	}
	if got, err := f.approveAs("binh", a); err != nil || got.State != store.Published {
		t.Errorf("%v %s", err, got.State)
	}
}

// TestOneBadSignerKeepsTheOthersFromPublishing: the first officer's certificate
// is withdrawn before the second one signs.
func TestOneBadSignerKeepsTheOthersFromPublishing(t *testing.T) {
	f := newForge(t)
	f.certify(broadcast.Certificate{Person: "chi"})
	d := f.notice()
	a := f.submitted(d)
	a, err := f.approveAs("chi", a)
	if err != nil || len(a.Signatures) != 1 {
		t.Fatalf("%v %+v", err, a.Signatures)
	}
	f.keys.revoked = []broadcast.Revocation{{KID: f.keys.signers["chi"].KID, Mode: broadcast.Compromised, At: f.Now().Add(-time.Minute)}}
	_, err = f.approveAs("binh", a)
	refused(t, err, desk.Signatures)
	if len(f.listings(broadcast.KindAnnouncement)) != 0 {
		t.Error("published with a bad signature on it")
	}
}

func TestTwoPeopleWhoMayOnlyAnnounceDoNotPublish(t *testing.T) {
	f := newForge(t)
	for _, person := range []broadcast.ID{"chi", "dung"} {
		f.certify(broadcast.Certificate{Person: person, Acts: []broadcast.Act{broadcast.ActAnnounce}})
	}
	a := f.submitted(f.notice())
	a, err := f.approveAs("chi", a)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.approveAs("dung", a)
	refused(t, err, desk.Signatures)
	if got, err := f.approveAs("binh", a); err != nil || got.State != store.Published {
		t.Errorf("an approver beside an announcer: %v %s", err, got.State)
	}
}

func TestADraftInAClassThatOnesCertificateLacksIsRefusedAtOnce(t *testing.T) {
	f := newForge(t)
	f.certify(broadcast.Certificate{Person: "chi", Classes: []broadcast.Class{broadcast.Normal, broadcast.Priority}})
	_, err := f.Desk.Create(t.Context(), people.Person{ID: "chi"}, f.flood(), nil)
	refused(t, err, desk.ClassRight)
	if _, err := f.Desk.Create(t.Context(), people.Person{ID: "chi"}, f.notice(), nil); err != nil {
		t.Errorf("a class that it has: %v", err)
	}
	if _, err := f.Desk.Create(t.Context(), people.Person{ID: "somebody-without"}, f.flood(), nil); err != nil {
		t.Errorf("somebody without a certificate writes for others to sign: %v", err)
	}
}

func TestWhoCannotSignSubmitsWithoutASignature(t *testing.T) {
	f := newForge(t)
	f.certify(broadcast.Certificate{Person: "chi", Areas: []broadcast.ID{"tan-lap"}})
	for _, person := range []broadcast.ID{"nobody", "chi"} {
		a, err := f.Desk.Create(t.Context(), people.Person{ID: person}, f.notice(), nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err = f.Desk.Submit(t.Context(), people.Person{ID: person}, people.Credential{Person: person}, a.Document.ID, a.Digest)
		if err != nil || a.State != store.Submitted || len(a.Signatures) != 0 {
			t.Errorf("%s: %v %s with %d signatures", person, err, a.State, len(a.Signatures))
		}
	}
}

func TestAWithdrawalNeedsTheActAndTheArea(t *testing.T) {
	for name, cert := range map[string]broadcast.Certificate{
		"another area": {Areas: []broadcast.ID{"tan-lap"}},
		"no such act":  {Acts: []broadcast.Act{broadcast.ActApprove}},
		"lower class":  {Classes: []broadcast.Class{broadcast.Normal}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			cert.Person = "chi"
			f.certify(cert)
			a, err := f.approveAs("binh", f.submitted(f.flood()))
			if err != nil {
				t.Fatal(err)
			}
			_, err = f.Desk.Withdraw(t.Context(), people.Person{ID: "chi"}, people.Credential{Person: "chi"}, a.Document.ID, "vì sao")
			refused(t, err, desk.SignRight)
			if len(f.listings(broadcast.KindAnnouncement)) != 1 || len(f.listings(broadcast.KindWithdrawal)) != 0 {
				t.Error("a refused withdrawal changed the listings")
			}
		})
	}
}
