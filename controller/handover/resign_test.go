package handover_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/handover"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// outcomes are what came of each thing, short.
func outcomes(list []handover.Answer) []string {
	var out []string
	for _, a := range list {
		out = append(out, fmt.Sprintf("%s %s", a.Kind, a.Outcome))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// resign has somebody take over everything of another.
func (r *rig) resign(by desktest.Somebody, from broadcast.ID) []handover.Answer {
	r.t.Helper()
	r.Clock.Add(time.Second)
	list, err := r.Resign(r.t.Context(), by.Person, by.Credential, from, r.before)
	r.must(err)
	return list
}

// ahead is what the one node will do in the coming days.
func (r *rig) ahead() string {
	r.t.Helper()
	ring, err := r.Office.Ring(r.t.Context())
	r.must(err)
	nodes, err := r.DB.Nodes(r.t.Context())
	r.must(err)
	at := r.before.Add(2 * time.Hour)
	look := preview.Look(r.t.Context(), preview.Source{DB: r.DB, Ring: ring, Now: r.Now(), Places: r.Office.Places()}, nodes, plan.Window{From: at, To: at.Add(48 * time.Hour)})
	if len(look.Prospects) == 0 || look.Unseen > 0 {
		r.t.Fatalf("nothing was looked at: %+v", look)
	}
	return fmt.Sprintf("%+v", look.Prospects)
}

// hoa is an official of the same commune as can-bo-xa.
func (r *rig) hoa() desktest.Somebody {
	r.t.Helper()
	p, err := r.Office.Person(r.t.Context(), "hoa")
	r.must(err)
	return desktest.Somebody{Person: p, Credential: people.Credential{Person: "hoa", Passphrase: "chợ phiên Tân Quang"}}
}

// TestASuccessorTakesOverInOneAction: what one person signs stands at once, what
// takes two waits for the second while the old one stands, and nothing of either
// falls with the key that goes.
func TestASuccessorTakesOverInOneAction(t *testing.T) {
	r := newRig(t)
	r.furnish()
	before := r.ahead()
	admin, second := r.Named("quan-tri"), r.Named("duyet-2")
	got := r.resign(admin, "duyet-1")
	if want := []string{"announcement refused", "policy awaits", "template refused", "withdrawal signed"}; !slices.Equal(outcomes(got), want) {
		t.Errorf("%q, want %q", outcomes(got), want)
	}
	for _, a := range got {
		if a.Kind == handover.Kind(broadcast.KindAnnouncement) && !errors.Is(a.Err, handover.ErrByHand) {
			t.Errorf("%s: %v", a.ID, a.Err)
		}
	}
	m, err := r.Desk.Template(t.Context(), "mau-lu")
	r.must(err)
	if m.Draft != nil {
		t.Error("a draft lies under what sounds, and nobody can sign it")
	}
	if now := r.ahead(); now != before {
		t.Errorf("what is ahead changed:\n%s\n%s", before, now)
	}
	for _, area := range []broadcast.ID{village, broadcast.BacQuang} {
		p, err := r.Desk.Regulation(t.Context(), area)
		r.must(err)
		_, err = r.Desk.SignPolicy(t.Context(), second.Person, second.Credential, area, p.Digest)
		r.must(err)
	}
	if now := r.ahead(); now != before {
		t.Errorf("what is ahead changed:\n%s\n%s", before, now)
	}
	r.Clock.Add(40 * time.Minute) // the template sounds no more
	if got := outcomes(r.resign(admin, "duyet-1")); !slices.Contains(got, "template awaits") {
		t.Errorf("%q", got)
	}
	m, err = r.Desk.Template(t.Context(), "mau-lu")
	r.must(err)
	if m.Standing == nil || m.Draft == nil || !m.Activatable() {
		t.Fatalf("it fell before its successor stood: %+v", m)
	}
	_, err = r.Desk.SignTemplate(t.Context(), second.Person, second.Credential, "mau-lu", m.Digest)
	r.must(err)
	for _, line := range r.lines("duyet-1") {
		if strings.HasPrefix(line, "policy") || strings.HasPrefix(line, "withdrawal") || strings.HasPrefix(line, "template") {
			t.Errorf("still rests on the old key: %s", line)
		}
	}
}

// TestWhatOneOfficerGaveIsGivenAnewBySomebodyOfTheSameLevel: a district would
// outrank the commune, and nodes would not believe its slots.
func TestWhatOneOfficerGaveIsGivenAnewBySomebodyOfTheSameLevel(t *testing.T) {
	r := newRig(t)
	r.furnish()
	before := r.ahead()
	for _, a := range r.resign(r.Named("duyet-2"), "can-bo-xa") {
		if a.Outcome != handover.Refused {
			t.Errorf("a district gave %s %s anew", a.Kind, a.ID)
		}
	}
	for _, a := range r.resign(r.hoa(), "can-bo-xa") {
		if a.ID == "sang" && a.Outcome != handover.Signed || a.ID == "khung-gio-huyen" && !errors.Is(a.Err, people.ErrForbidden) { // which is not hers to give
			t.Errorf("%s: %s %v", a.ID, a.Outcome, a.Err)
		}
	}
	if now := r.ahead(); now != before {
		t.Errorf("what is ahead changed:\n%s\n%s", before, now)
	}
	if got := outcomes(r.resign(r.hoa(), "can-bo-xa")); !slices.Equal(got, []string{"announcement refused", "slot refused"}) {
		t.Errorf("twice: %q", got)
	}
	r.must(r.Office.Dismiss(t.Context(), r.Named("quan-tri").Credential, "can-bo-xa", broadcast.Compromised, r.before))
	listed, err := r.DB.ListingsOf(t.Context(), broadcast.KindSlot, r.Now())
	r.must(err)
	ring, err := r.Office.Ring(t.Context())
	r.must(err)
	for _, l := range listed {
		d, err := r.DB.Document(t.Context(), l.SHA256)
		r.must(err)
		if r.believed(ring, d) != (l.ID == "sang") {
			t.Errorf("slot %s: %v", l.ID, !r.believed(ring, d))
		}
	}
}

func TestThePlaceOfANodeIsSignedAnew(t *testing.T) {
	r := newRig(t)
	if got := outcomes(r.resign(r.Named("duyet-2"), "ky-thuat")); !slices.Equal(got, []string{"assignment refused"}) {
		t.Errorf("an approver placed a node: %q", got)
	}
	if got := outcomes(r.resign(r.Named("quan-tri"), "ky-thuat")); !slices.Equal(got, []string{"assignment signed"}) {
		t.Fatalf("%q", got)
	}
	r.Clock.Add(time.Second)
	if got := r.lines("ky-thuat"); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if got := r.lines("quan-tri"); !slices.Equal(got, []string{"assignment tan-lap-1 stays/faulty"}) {
		t.Errorf("%q", got)
	}
}

// TestASilenceThatBarsEmergenciesIsNotDatedAnew: it would bar a warning that came
// since it was signed.
func TestASilenceThatBarsEmergenciesIsNotDatedAnew(t *testing.T) {
	for class, want := range map[broadcast.Class]string{broadcast.Emergency: "silence refused", broadcast.Normal: "silence signed"} {
		r := newRig(t)
		by := r.Named("duyet-1")
		doc := broadcast.Silence{ID: "im", Revision: broadcast.Revision(r.Now()), Areas: []broadcast.ID{village}, Classes: []broadcast.Class{class}, Until: r.Now().Add(time.Hour)}
		r.must(r.Office.With(t.Context(), by.Credential, func(s seal.Signer) error {
			env, err := seal.Seal(broadcast.KindSilence, doc, s)
			r.must(err)
			raw, err := seal.Bytes(broadcast.KindSilence, env)
			r.must(err)
			return r.DB.Update(t.Context(), func(tx store.Tx) error {
				sha, err := tx.PutDocument(t.Context(), store.Document{Kind: broadcast.KindSilence, ID: "im", Revision: doc.Revision, Raw: raw})
				if err != nil {
					return err
				}
				return tx.List(t.Context(), store.Listing{Area: village, Kind: broadcast.KindSilence, ID: "im", Revision: doc.Revision, SHA256: sha, Until: doc.Until})
			})
		}))
		got := outcomes(r.resign(r.Named("duyet-2"), "duyet-1"))
		if !slices.Contains(got, want) {
			t.Errorf("%s: %q", class, got)
		}
	}
}

func TestNobodyTakesOverFromOneself(t *testing.T) {
	r := newRig(t)
	by := r.Named("duyet-1")
	if _, err := r.Resign(t.Context(), by.Person, by.Credential, "duyet-1", r.before); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("%v", err)
	}
	if _, err := r.Resign(t.Context(), by.Person, people.Credential{Token: "lx_x"}, "duyet-2", r.before); !errors.Is(err, people.ErrCredential) {
		t.Errorf("%v", err)
	}
	only, err := r.Resign(t.Context(), by.Person, by.Credential, "duyet-2", r.before, handover.Ref{Kind: "slot", ID: "none"})
	if err != nil || len(only) != 0 {
		t.Errorf("what was not named: %+v %v", only, err)
	}
}
