package preview_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/store"
)

// list seals a document as some people and lists it in the district.
func (r *rig) list(kind broadcast.Kind, id broadcast.ID, rev broadcast.Revision, area broadcast.ID, doc broadcast.Validator, by ...desktest.Somebody) {
	r.t.Helper()
	env := broadcast.Envelope{}
	for i, p := range by {
		err := r.Office.With(r.t.Context(), p.Credential, func(s seal.Signer) (err error) {
			if i == 0 {
				env, err = seal.Seal(kind, doc, s)
			} else {
				env, err = seal.Cosign(kind, env, s)
			}
			return err
		})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	raw, err := seal.Bytes(kind, env)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Update(func(tx store.Tx) error {
		sha, err := tx.PutDocument(r.t.Context(), store.Document{Kind: kind, ID: id, Revision: rev, Raw: raw})
		if err != nil {
			return err
		}
		return tx.List(r.t.Context(), store.Listing{Area: area, Kind: kind, ID: id, Revision: rev, SHA256: sha, Until: r.Now().Add(240 * time.Hour)})
	})
}

// verdict is where the one entry of a plan ends, and why.
func (r *rig) verdict() (broadcast.Rung, broadcast.Reason) {
	r.t.Helper()
	p := r.plan()
	if len(p.Entries) != 1 {
		r.t.Fatalf("%+v", p.Entries)
	}
	return p.Entries[0].Rung, p.Entries[0].Reason
}

func TestASilenceIsSeenBeforeItIsHeard(t *testing.T) {
	r := newRig(t)
	r.publish(broadcast.Priority, r.Now().Add(time.Minute))
	s := broadcast.Silence{ID: "im-lang", Revision: broadcast.Revision(r.Now()), Areas: []broadcast.ID{broadcast.BacQuang},
		Classes: []broadcast.Class{broadcast.Priority}, Until: r.Now().Add(time.Hour), Reason: "lễ tang"}
	r.list(broadcast.KindSilence, s.ID, s.Revision, broadcast.BacQuang, s, r.officer)
	if rung, why := r.verdict(); why != broadcast.WhySilence {
		t.Errorf("%s %s", rung, why)
	}
}

func TestASilenceOfEmergenciesNeedsTheirThreshold(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		why    broadcast.Reason
	}{"one officer with a reason": {"báo nhầm", broadcast.WhySilence}, "one officer without": {"", ""}} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.publish(broadcast.Emergency, r.Now().Add(time.Minute))
			r.Clock.Add(time.Second)
			s := broadcast.Silence{ID: "im-lang", Revision: broadcast.Revision(r.Now()), Areas: []broadcast.ID{broadcast.BacQuang},
				Classes: []broadcast.Class{broadcast.Emergency}, Until: r.Now().Add(50 * time.Minute), Reason: c.reason}
			r.list(broadcast.KindSilence, s.ID, s.Revision, broadcast.BacQuang, s, r.officer)
			if rung, why := r.verdict(); why != c.why {
				t.Errorf("%s %s, want %q", rung, why, c.why)
			}
		})
	}
}

func TestAnOfferSoundsInTheSlotThatTheCommuneGave(t *testing.T) {
	r := newRig(t)
	r.publish(broadcast.Normal, r.Now().Add(time.Minute))
	if rung, why := r.verdict(); rung != broadcast.Ended {
		t.Errorf("inside the demo's slot: %s %s", rung, why)
	}
	r.Update(func(tx store.Tx) error { return tx.Unlist(t.Context(), broadcast.KindSlot, "khung-gio-huyen") })
	if _, why := r.verdict(); why != broadcast.WhyOffer {
		t.Errorf("without a slot: %q", why)
	}
}

func TestACommuneDeclines(t *testing.T) {
	r := newRig(t)
	a := r.publish(broadcast.Normal, r.Now().Add(time.Minute))
	commune := r.Tree().Children(broadcast.BacQuang, r.Now())
	official := r.Named("can-bo-xa")
	p := broadcast.Placement{ID: "xep-lich", Revision: broadcast.Revision(r.Now()), Areas: commune,
		Items: []broadcast.Placed{{Announcement: a.ID, Revision: a.Revision, Decline: true, Reason: "đã phát"}}, Until: r.Now().Add(time.Hour)}
	for _, area := range commune {
		r.list(broadcast.KindPlacement, p.ID, p.Revision, area, p, official)
	}
	if _, why := r.verdict(); why != broadcast.WhyDeclined {
		t.Errorf("%q", why)
	}
}

func TestAProgrammeIsPlannedByItsRunningOrder(t *testing.T) {
	r := newRig(t)
	by, ctx := r.officer, t.Context()
	a, err := r.Desk.Create(ctx, by.Person, desk.Draft{Title: "Buổi phát", Class: broadcast.Priority, Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "thử",
		Versions: []desk.DraftVersion{{Programme: &desk.DraftProgramme{Segments: []desk.DraftSegment{
			{Title: "Một", Content: r.Content(10 * time.Second)}, {Title: "Hai", Content: r.Content(20 * time.Second)}}}}},
		Timing: broadcast.Timing{Start: r.Now().Add(time.Minute)}}, nil)
	if err == nil {
		_, err = r.Desk.Submit(ctx, by.Person, by.Credential, a.Document.ID, "")
	}
	if err == nil {
		_, err = r.Desk.Approve(ctx, by.Person, by.Credential, a.Document.ID, a.Digest)
	}
	if err != nil {
		t.Fatal(err)
	}
	e := r.plan().Entries[0]
	if e.Rung != broadcast.Ended || len(e.Soundings) != 1 || len(e.Soundings[0].Parts) != 2 || e.Soundings[0].Parts[1].Segment != 2 {
		t.Errorf("%+v", e)
	}
}

// TestWhatNodesWouldNotBelieveIsNotPlanned lists documents that nobody with the
// right signed.
func TestWhatNodesWouldNotBelieveIsNotPlanned(t *testing.T) {
	r := newRig(t)
	at := r.Now().Add(time.Minute)
	forged := broadcast.Announcement{ID: "gia-mao", Revision: broadcast.Revision(r.Now()), Class: broadcast.Emergency, Title: "Giả mạo",
		Areas: []broadcast.ID{broadcast.BacQuang}, Timing: broadcast.Timing{Mode: broadcast.ModeStart, Start: at}, Meta: broadcast.Sum([]byte("{}")),
		Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: broadcast.Sum(nil), Millis: 1000, Bytes: 1000}}}}
	r.list(broadcast.KindAnnouncement, forged.ID, forged.Revision, broadcast.BacQuang, forged, r.Named("bien-tap"))
	loose := broadcast.Policy{Area: broadcast.BacQuang, Revision: broadcast.Revision(r.Now()) + 5}
	for _, c := range broadcast.Classes() {
		loose.Thresholds = append(loose.Thresholds, broadcast.Threshold{Class: c, Officers: 1})
	}
	r.list(broadcast.KindPolicy, loose.Area, loose.Revision, broadcast.BacQuang, loose, r.officer) // one signature, two are needed
	if p := r.plan(); len(p.Entries) != 0 {
		t.Errorf("%+v", p.Entries)
	}
	r.alone(t)
	for _, e := range r.plan().Entries {
		if e.Rung != broadcast.Ended {
			continue
		}
		t.Errorf("planned under a policy that one officer signed: %+v", e)
	}
}

// alone lists an announcement of one officer past the desk, which knows
// that the policy is not believed.
func (r *rig) alone(t *testing.T) {
	t.Helper()
	a := broadcast.Announcement{ID: "mot-nguoi", Revision: broadcast.Revision(r.Now()), Class: broadcast.Priority, Title: "Một người",
		Areas: []broadcast.ID{broadcast.BacQuang}, Timing: broadcast.Timing{Mode: broadcast.ModeStart, Start: r.Now().Add(time.Minute)}, Meta: broadcast.Sum([]byte("{}")),
		Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: broadcast.Sum(nil), Millis: 1000, Bytes: 1000}}}}
	r.list(broadcast.KindAnnouncement, a.ID, a.Revision, broadcast.BacQuang, a, r.officer)
}
