package desk_test

import (
	"errors"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/store"
)

// rig is a house with the people who work at its desk.
type rig struct {
	*desktest.House
	t                     *testing.T
	editor, first, second desktest.Somebody
	official, bystander   desktest.Somebody
	sound                 broadcast.Digest
}

func newRig(t *testing.T) *rig {
	t.Helper()
	h := desktest.New(t)
	return &rig{House: h, t: t, editor: h.Named("bien-tap"), first: h.Named("duyet-1"), second: h.Named("duyet-2"),
		official: h.Named("can-bo-xa"), bystander: h.Named("kiem-tra"), sound: h.Content(10 * time.Second)}
}

// flood is an emergency that one officer may publish now because of its reason.
func (r *rig) flood() desk.Draft {
	return desk.Draft{Title: "Lũ quét trên sông Lô", Class: broadcast.Emergency, Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "lũ lên nhanh",
		Versions: []desk.DraftVersion{{Content: r.sound}}, Meta: broadcast.Metadata{Author: "Ban chỉ huy", Text: "Nước lên nhanh"}}
}

// notice is a normal announcement of tomorrow that takes two officers.
func (r *rig) notice() desk.Draft {
	return desk.Draft{Title: "Lịch tiêm chủng", Areas: []broadcast.ID{broadcast.BacQuang}, Versions: []desk.DraftVersion{{Content: r.sound}},
		Timing: broadcast.Timing{Start: r.Now().Add(24 * time.Hour)}}
}

func (r *rig) create(by desktest.Somebody, d desk.Draft) desk.Announcement {
	r.t.Helper()
	a, err := r.Desk.Create(r.t.Context(), by.Person, d, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) submit(by desktest.Somebody, a desk.Announcement) desk.Announcement {
	r.t.Helper()
	a, err := r.Desk.Submit(r.t.Context(), by.Person, by.Credential, a.ID, "")
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) approve(by desktest.Somebody, a desk.Announcement) desk.Announcement {
	r.t.Helper()
	a, err := r.Desk.Approve(r.t.Context(), by.Person, by.Credential, a.ID, a.Digest)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// published takes a draft all the way by one officer.
func (r *rig) published(d desk.Draft) desk.Announcement {
	r.t.Helper()
	return r.approve(r.first, r.submit(r.first, r.create(r.first, d)))
}

func (r *rig) listings(kind broadcast.Kind) []store.Listing {
	r.t.Helper()
	out, err := r.DB.ListingsOf(r.t.Context(), kind, r.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// refused asks for a refusal with a code, in both languages.
func refused(t *testing.T, err error, want desk.Code) {
	t.Helper()
	var r *desk.Refusal
	if !errors.As(err, &r) || r.Code != want {
		t.Errorf("got %v, want a refusal %s", err, want)
		return
	}
	if r.English == "" || r.Vietnamese == "" {
		t.Errorf("%s lacks a language: %+v", want, r)
	}
}

func TestOneOfficerPublishesAnEmergencyWithAReason(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	draft := r.create(r.first, r.flood())
	if draft.State != store.Draft || draft.Document.Revision != 0 || draft.Document.Timing.Start != 0 || draft.Document.Versions[0].Language != "vi" {
		t.Errorf("draft: %+v", draft)
	}
	a := r.approve(r.first, r.submit(r.first, draft))
	if a.State != store.Published || a.Document.Timing.Start != r.Now().Add(3*time.Second) || len(a.Signatures) != 1 || a.Digest != draft.Digest {
		t.Fatalf("published: %+v", a)
	}
	listed := r.listings(broadcast.KindAnnouncement)
	if len(listed) != 1 || listed[0].Area != broadcast.BacQuang || listed[0].SHA256 != a.SHA256 || listed[0].Until != a.Until {
		t.Fatalf("%+v", listed)
	}
	ring, err := r.Office.Ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := r.DB.Document(t.Context(), a.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	opened, proof, err := seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement, doc.Raw, seal.Context{Places: r.Office.Places()})
	if err != nil || opened.Revision != a.Document.Revision || len(proof.Signers) != 1 || proof.Signers[0].Person != "duyet-1" {
		t.Errorf("%v %+v %+v", err, opened, proof)
	}
	meta, err := r.DB.Document(t.Context(), a.Document.Meta)
	if err != nil || meta.Kind != store.Blob {
		t.Errorf("metadata: %v %+v", err, meta)
	}
	expected, err := r.DB.Expected(t.Context(), a.Document.ID, a.Document.Revision)
	if err != nil || len(expected) != 1 || expected[0] != "tan-lap-1" {
		t.Errorf("expected: %v %v", expected, err)
	}
	if r.Woken.Times() == 0 {
		t.Error("dispatch was not woken")
	}
}

func TestTwoOfficersAreTwoPeople(t *testing.T) {
	r := newRig(t)
	a := r.submit(r.first, r.create(r.first, r.notice()))
	if a.Officers != 2 {
		t.Fatalf("%d officers", a.Officers)
	}
	a = r.approve(r.first, a)
	again := r.approve(r.first, a)
	if again.State != store.Submitted || len(again.Signatures) != 1 || len(r.listings(broadcast.KindAnnouncement)) != 0 {
		t.Fatalf("one person, twice: %s with %d signatures", again.State, len(again.Signatures))
	}
	r.Clock.Add(time.Hour)
	done := r.approve(r.second, again)
	if done.State != store.Published || len(done.Signatures) != 2 || done.Document.Revision != a.Document.Revision {
		t.Errorf("%s, %d signatures", done.State, len(done.Signatures))
	}
	if after := r.approve(r.second, done); after.SHA256 != done.SHA256 {
		t.Error("approving again published again")
	}
}

func TestWhoSubmitsSignsFirstWhenTheDigestIsNamed(t *testing.T) {
	r := newRig(t)
	a := r.create(r.editor, r.notice())
	a, err := r.Desk.Submit(t.Context(), r.editor.Person, r.editor.Credential, a.Document.ID, a.Digest)
	if err != nil || len(a.Signatures) != 1 || a.Signatures[0].Person != "bien-tap" {
		t.Fatalf("%v %+v", err, a.Signatures)
	}
	if a = r.approve(r.first, a); a.State != store.Published {
		t.Errorf("an editor and an approver: %s", a.State)
	}
}

func TestNobodyApprovesTheirOwnWordsAlone(t *testing.T) {
	r := newRig(t)
	// One signature is enough by this policy, but no class may be spoken alone.
	r.policy(1, nil)
	d := r.notice()
	d.Reason = "một lý do"
	a := r.submit(r.first, r.create(r.first, d))
	_, err := r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, a.Digest)
	refused(t, err, desk.SecondPerson)
	if a = r.approve(r.second, a); a.State != store.Published {
		t.Errorf("%s", a.State)
	}
}

// policy replaces the policy of the district, sealed by its two officers.
func (r *rig) policy(officers int64, alone []broadcast.Class) {
	r.t.Helper()
	p := broadcast.Policy{Area: broadcast.BacQuang, Revision: broadcast.Revision(r.Now()) + 1, OneOfficer: alone}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: officers})
	}
	r.keep(p)
}

// keep lists a policy.
func (r *rig) keep(p broadcast.Policy) {
	r.t.Helper()
	r.seal(broadcast.KindPolicy, p, func(raw []byte) {
		r.Update(func(tx store.Tx) error {
			sha, err := tx.PutDocument(r.t.Context(), store.Document{Kind: broadcast.KindPolicy, ID: p.Area, Revision: p.Revision, Raw: raw})
			if err != nil {
				return err
			}
			return tx.List(r.t.Context(), store.Listing{Area: p.Area, Kind: broadcast.KindPolicy, ID: p.Area, Revision: p.Revision, SHA256: sha, Until: r.Now().Add(1000 * time.Hour)})
		})
	})
}

func (r *rig) seal(kind broadcast.Kind, doc broadcast.Validator, keep func([]byte)) {
	r.t.Helper()
	err := r.Office.With(r.t.Context(), r.first.Credential, func(one seal.Signer) error {
		return r.Office.With(r.t.Context(), r.second.Credential, func(two seal.Signer) error {
			env, err := seal.Seal(kind, doc, one, two)
			if err != nil {
				return err
			}
			raw, err := seal.Bytes(kind, env)
			keep(raw)
			return err
		})
	})
	if err != nil {
		r.t.Fatal(err)
	}
}
