package desk_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
)

// TestWordsThatStandAreSignedAnewWithoutAGap: they can be activated all along, and
// two other people answer for them in the end.
func TestWordsThatStandAreSignedAnewWithoutAGap(t *testing.T) {
	r := newRig(t)
	was := r.standing(r.waters())
	r.Clock.Add(time.Hour)
	admin := r.Named("quan-tri")
	for range 2 { // twice is once
		m, err := r.Desk.ResignTemplate(t.Context(), admin.Person, admin.Credential, "lu")
		if err != nil || m.Draft == nil || !m.Activatable() || len(m.Signatures) != 1 || m.SHA256 != was.SHA256 {
			t.Fatalf("%v %+v", err, m)
		}
	}
	m, err := r.Desk.ResignTemplate(t.Context(), r.second.Person, r.second.Credential, "lu")
	if err != nil || m.Draft != nil || m.SHA256 == was.SHA256 || !m.Activatable() || len(m.Approved) != 2 {
		t.Fatalf("%v %+v", err, m)
	}
	for _, s := range m.Approved {
		if s.Person == "duyet-1" {
			t.Errorf("%+v", m.Approved)
		}
	}
	if len(m.Standing.Local.Codes) != 1 || m.Standing.Expires > was.Standing.Expires || m.Standing.Title != was.Standing.Title {
		t.Errorf("other words: %+v", m.Standing)
	}
}

// TestADraftOfOtherWordsIsNotSwept: somebody is at work on it.
func TestADraftOfOtherWordsIsNotSwept(t *testing.T) {
	r := newRig(t)
	was := r.standing(r.waters())
	other := r.waters()
	other.Title = "Lũ ống"
	r.put(r.editor, was.Version, other)
	_, err := r.Desk.ResignTemplate(t.Context(), r.first.Person, r.first.Credential, "lu")
	refused(t, err, desk.OtherDraft)
	_, err = r.Desk.ResignTemplate(t.Context(), r.first.Person, r.first.Credential, "khong-co")
	if err == nil {
		t.Error("a template that is not there was signed")
	}
	r.propose(0, rules("tan-lap"))
	_, err = r.Desk.ResignPolicy(t.Context(), r.first.Person, r.first.Credential, "tan-lap")
	refused(t, err, desk.NoPolicy)
	changed := rules(broadcast.BacQuang)
	changed.Windows = changed.Windows[:1]
	r.propose(0, changed)
	_, err = r.Desk.ResignPolicy(t.Context(), r.first.Person, r.first.Credential, broadcast.BacQuang)
	refused(t, err, desk.OtherDraft)
}

func TestAPolicyIsSignedAnewWordByWord(t *testing.T) {
	r := newRig(t)
	was, err := r.Desk.Regulation(t.Context(), broadcast.BacQuang)
	if err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(time.Hour)
	admin := r.Named("quan-tri")
	m, err := r.Desk.ResignPolicy(t.Context(), admin.Person, admin.Credential, broadcast.BacQuang)
	if err != nil || m.Draft == nil || m.Signer != "quan-tri" || m.Standing.Revision != was.Standing.Revision {
		t.Fatalf("%v %+v", err, m)
	}
	m, err = r.Desk.ResignPolicy(t.Context(), r.second.Person, r.second.Credential, broadcast.BacQuang)
	if err != nil || m.Draft != nil || m.Standing.Revision <= was.Standing.Revision {
		t.Fatalf("%v %+v", err, m)
	}
	m.Standing.Revision = was.Standing.Revision
	one, _ := broadcast.Encode(*was.Standing)
	two, _ := broadcast.Encode(*m.Standing)
	if string(one) != string(two) {
		t.Errorf("%s\n%s", one, two)
	}
}
