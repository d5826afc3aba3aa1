package desk_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pin"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// waters is a template for a flood in all of the district.
func (r *rig) waters() desk.TemplateDraft {
	return desk.TemplateDraft{Title: "Lũ quét", Areas: []broadcast.ID{broadcast.BacQuang}, Versions: []desk.DraftVersion{{Content: r.sound}},
		Local: &broadcast.OnSite{Keys: []broadcast.Switch{"flood"}, Codes: []broadcast.Code{{Number: "11", Person: "duyet-1"}}, Hourly: 3}}
}

func (r *rig) put(by desktest.Somebody, version int64, d desk.TemplateDraft) (desk.Template, []desk.PIN) {
	r.t.Helper()
	t, pins, err := r.Desk.PutTemplate(r.t.Context(), by.Person, "lu", version, d)
	if err != nil {
		r.t.Fatal(err)
	}
	return t, pins
}

func (r *rig) sign(by desktest.Somebody, t desk.Template) desk.Template {
	r.t.Helper()
	t, err := r.Desk.SignTemplate(r.t.Context(), by.Person, by.Credential, t.ID, t.Digest)
	if err != nil {
		r.t.Fatal(err)
	}
	return t
}

// standing is a template that two officers signed.
func (r *rig) standing(d desk.TemplateDraft) desk.Template {
	r.t.Helper()
	t, _ := r.put(r.editor, 0, d)
	return r.sign(r.second, r.sign(r.first, t))
}

func TestATemplateStandsOnceTwoPeopleSignedWhatTheyWereShown(t *testing.T) {
	r := newRig(t)
	m, pins := r.put(r.editor, 0, r.waters())
	if m.Officers != 2 || m.Standing != nil || m.Activatable() || len(pins) != 1 || pins[0].Person != "duyet-1" {
		t.Fatalf("%+v %+v", m, pins)
	}
	if !pin.Opens(m.Draft.Local.Codes[0].Lock, pins[0].Digits) {
		t.Error("the PIN does not open its lock")
	}
	_, err := r.Desk.SignTemplate(t.Context(), r.first.Person, r.first.Credential, "lu", broadcast.Sum(nil))
	refused(t, err, desk.DigestChanged)
	if _, err := r.Desk.SignTemplate(t.Context(), r.editor.Person, r.editor.Credential, "lu", m.Digest); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an editor signed: %v", err)
	}
	m = r.sign(r.first, m)
	if again := r.sign(r.first, m); again.Standing != nil || len(again.Signatures) != 1 || len(r.listings(broadcast.KindTemplate)) != 0 {
		t.Fatalf("one person, twice: %+v", again)
	}
	r.Clock.Add(time.Hour)
	m = r.sign(r.second, m)
	if m.Standing == nil || m.Draft != nil || !m.Activatable() || len(m.Approved) != 2 || m.Digest == "" {
		t.Fatalf("%+v", m)
	}
	if after := r.sign(r.second, m); after.SHA256 != m.SHA256 || after.Version != m.Version {
		t.Error("signing again changed something")
	}
	listed := r.listings(broadcast.KindTemplate)
	if len(listed) != 1 || listed[0].SHA256 != m.SHA256 || listed[0].Until != m.Expires || listed[0].Area != broadcast.BacQuang {
		t.Errorf("%+v", listed)
	}
	doc, err := r.DB.Document(t.Context(), m.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := r.Office.Ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, proof, err := seal.Open[broadcast.Template](ring, broadcast.KindTemplate, doc.Raw, seal.Context{Places: r.Office.Places()}); err != nil || len(proof.Signers) != 2 {
		t.Errorf("%v %+v", err, proof.Signers)
	}
}

func TestTheSecondEditorOfATemplateIsShownBothVersions(t *testing.T) {
	r := newRig(t)
	m, _ := r.put(r.editor, 0, r.waters())
	mine, yours := r.waters(), r.waters()
	mine.Title, yours.Title = "Lũ quét sông Lô", "Lũ quét sông Bạc"
	edited, pins := r.put(r.first, m.Version, mine)
	if edited.Version != m.Version+1 || len(pins) != 0 || edited.Draft.Local.Codes[0] != m.Draft.Local.Codes[0] {
		t.Errorf("%+v %+v", edited, pins)
	}
	_, _, err := r.Desk.PutTemplate(t.Context(), r.editor.Person, "lu", m.Version, yours)
	refused(t, err, desk.Edited)
	var no *desk.Refusal
	if !errors.As(err, &no) {
		t.Fatal(err)
	}
	if current, ok := no.Current.(desk.Template); !ok || current.Draft.Title != mine.Title || current.Version != edited.Version {
		t.Errorf("%+v", no.Current)
	}
	if same, _ := r.put(r.editor, m.Version, mine); same.Version != edited.Version {
		t.Error("the same words again are an edit")
	}
}

func TestAnEditedDraftIsSignedAnew(t *testing.T) {
	r := newRig(t)
	m, _ := r.put(r.editor, 0, r.waters())
	m = r.sign(r.first, m)
	other := r.waters()
	other.Title = "Lũ ống"
	next, _ := r.put(r.editor, m.Version, other)
	if len(next.Signatures) != 0 {
		t.Fatalf("%+v", next.Signatures)
	}
	_, err := r.Desk.SignTemplate(t.Context(), r.second.Person, r.second.Credential, "lu", m.Digest)
	refused(t, err, desk.DigestChanged)
	back, _ := r.put(r.editor, next.Version, r.waters())
	if back = r.sign(r.second, r.sign(r.first, back)); back.Standing == nil || back.Standing.Title != "Lũ quét" {
		t.Errorf("%+v", back)
	}
}

func TestWhatStandsGoesOnUntilItsSuccessorIsSigned(t *testing.T) {
	r := newRig(t)
	m := r.standing(r.waters())
	first := m.Standing.Revision
	r.Clock.Add(340 * 24 * time.Hour) // all but 25 days
	m, err := r.Desk.Template(t.Context(), "lu")
	if err != nil || m.Warning != desk.InAMonth {
		t.Fatalf("%v %+v", err, m.Warning)
	}
	next, err := r.Desk.RenewTemplate(t.Context(), r.editor.Person, "lu", m.Version)
	if err != nil || next.Standing.Revision != first || next.Draft == nil || next.Draft.Local.Codes[0] != m.Standing.Local.Codes[0] {
		t.Fatalf("%v %+v", err, next)
	}
	_, err = r.Desk.RenewTemplate(t.Context(), r.editor.Person, "lu", m.Version)
	if err != nil {
		t.Errorf("renewing again: %v", err)
	}
}

func TestATemplateWarnsBeforeItEnds(t *testing.T) {
	r := newRig(t)
	d := r.waters()
	d.Expires = r.Now().Add(40 * 24 * time.Hour)
	r.standing(d)
	for _, c := range []struct {
		later time.Duration
		want  desk.Warning
	}{{0, ""}, {11 * 24 * time.Hour, desk.InAMonth}, {23 * 24 * time.Hour, desk.InAWeek}, {7 * 24 * time.Hour, desk.Ended}} {
		r.Clock.Add(c.later)
		m, err := r.Desk.Template(t.Context(), "lu")
		if err != nil || m.Warning != c.want || m.Activatable() != (c.want != desk.Ended) {
			t.Errorf("at %s: %v %q, want %q", r.Now(), err, m.Warning, c.want)
		}
	}
}

func TestAWithdrawnTemplateIsActivatedByNobody(t *testing.T) {
	r := newRig(t)
	r.standing(r.waters())
	_, err := r.Desk.WithdrawTemplate(t.Context(), r.first.Person, r.first.Credential, "lu", " ")
	refused(t, err, desk.ReasonNeeded)
	_, err = r.Desk.WithdrawTemplate(t.Context(), r.official.Person, r.official.Credential, "lu", "sai")
	if !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an official of one commune: %v", err)
	}
	m, err := r.Desk.WithdrawTemplate(t.Context(), r.first.Person, r.first.Credential, "lu", "lời cũ")
	if err != nil || m.Withdrawn == 0 || m.WithdrawnWhy != "lời cũ" || m.Activatable() {
		t.Fatalf("%v %+v", err, m)
	}
	if len(r.listings(broadcast.KindTemplate)) != 0 || len(r.listings(broadcast.KindWithdrawal)) != 1 {
		t.Error("it is listed still, or its withdrawal is not")
	}
	if again, err := r.Desk.WithdrawTemplate(t.Context(), r.first.Person, r.first.Credential, "lu", "lời cũ"); err != nil || again.Version != m.Version {
		t.Errorf("again: %v", err)
	}
	_, err = r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{}, nil)
	refused(t, err, desk.NoTemplate)
	r.Clock.Add(time.Minute)
	d := r.waters()
	d.Title = "Lũ quét, lời mới"
	next, _ := r.put(r.editor, m.Version, d)
	if next = r.sign(r.second, r.sign(r.first, next)); !next.Activatable() || next.Withdrawn != 0 {
		t.Errorf("%+v", next)
	}
}

func TestBadTemplatesAreNotKept(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		change func(*desk.TemplateDraft)
		want   desk.Code
	}{
		"no title":          {func(d *desk.TemplateDraft) { d.Title = " " }, desk.TitleEmpty},
		"nowhere":           {func(d *desk.TemplateDraft) { d.Areas = nil }, desk.Invalid},
		"no such area":      {func(d *desk.TemplateDraft) { d.Areas = []broadcast.ID{"atlantis"} }, desk.AreaUnknown},
		"no such recording": {func(d *desk.TemplateDraft) { d.Versions[0].Content = broadcast.Sum(nil) }, desk.ContentUnknown},
		"no words":          {func(d *desk.TemplateDraft) { d.Versions = nil }, desk.Invalid},
		"ended":             {func(d *desk.TemplateDraft) { d.Expires = r.Now() - 1 }, desk.Invalid},
		"for two years":     {func(d *desk.TemplateDraft) { d.Expires = r.Now().Add(800 * 24 * time.Hour) }, desk.Invalid},
		"a PIN of nobody":   {func(d *desk.TemplateDraft) { d.Local.Codes[0].Person = "" }, desk.Invalid},
	} {
		d := r.waters()
		c.change(&d)
		_, _, err := r.Desk.PutTemplate(t.Context(), r.editor.Person, "lu", 0, d)
		if refused(t, err, c.want); t.Failed() {
			t.Fatal(name)
		}
	}
	d := r.waters()
	d.Areas = []broadcast.ID{"tuyen-quang"}
	if _, _, err := r.Desk.PutTemplate(t.Context(), r.editor.Person, "lu", 0, d); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("above one's areas: %v", err)
	}
	if all, err := r.Desk.Templates(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%v %+v", err, all)
	}
}

func TestATemplateInALanguageOfTheAreaIsActivatedInIt(t *testing.T) {
	r := newRig(t)
	d := r.waters()
	d.Versions = append(d.Versions, desk.DraftVersion{Language: "tyz", Content: r.Content(7 * time.Second)})
	r.standing(d)
	_, err := r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{Languages: []broadcast.Language{"hmn"}}, nil)
	refused(t, err, desk.Invalid)
	a, err := r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{Languages: []broadcast.Language{"tyz"}}, nil)
	if err != nil || len(a.Document.Versions) != 1 || a.Document.Versions[0].Language != "tyz" {
		t.Errorf("%v %+v", err, a.Document.Versions)
	}
}

func TestOneOfficerActivatesATemplateInHisOwnAreaAtOnce(t *testing.T) {
	r := newRig(t)
	r.policy(2, nil) // nobody speaks alone here
	r.standing(r.waters())
	own := r.official.Person.Areas[:1]
	_, err := r.Desk.Activate(t.Context(), r.official.Person, r.official.Credential, "lu", desk.Activation{}, nil)
	if !errors.Is(err, people.ErrForbidden) {
		t.Errorf("outside of his area: %v", err)
	}
	kept := 0
	a, err := r.Desk.Activate(t.Context(), r.official.Person, r.official.Credential, "lu", desk.Activation{Areas: own},
		func(_ store.Tx, a desk.Announcement) error { kept++; return nil })
	if err != nil || kept != 1 {
		t.Fatalf("%v, kept %d times", err, kept)
	}
	if a.State != store.Published || len(a.Signatures) != 1 || a.Document.Template.ID != "lu" || a.Document.Timing.Start != r.Now().Add(3*time.Second) {
		t.Errorf("%+v", a)
	}
	if listed := r.listings(broadcast.KindAnnouncement); len(listed) != 1 || listed[0].Area != own[0] {
		t.Errorf("%+v", listed)
	}
}

func TestTheSameTemplateWithinTenMinutesAsksWhatIsMeant(t *testing.T) {
	r := newRig(t)
	r.standing(r.waters())
	own := r.official.Person.Areas[:1]
	first, err := r.Desk.Activate(t.Context(), r.official.Person, r.official.Credential, "lu", desk.Activation{Areas: own}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(9 * time.Minute)
	activate := func(c desk.Choice, areas ...broadcast.ID) (desk.Announcement, error) {
		return r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{Areas: areas, Choice: c}, nil)
	}
	_, err = activate("")
	refused(t, err, desk.Sounding)
	var no *desk.Refusal
	if !errors.As(err, &no) || !slices.Equal(no.About, []broadcast.ID{first.Document.ID}) || !slices.Equal(no.Choices, []string{"add", "repeat"}) {
		t.Fatalf("%+v", no)
	}
	if _, err = activate("", r.official.Person.Areas[1]); err != nil {
		t.Errorf("elsewhere: %v", err)
	}
	_, err = activate(desk.Add, own...)
	refused(t, err, desk.NothingToAdd)
	if a, err := activate(desk.Repeat, own...); err != nil || !slices.Equal(a.Document.Areas, own) {
		t.Errorf("repeat: %v %v", err, a.Document.Areas)
	}
	r.Clock.Add(11 * time.Minute)
	if _, err := activate("", own...); err != nil {
		t.Errorf("eleven minutes later: %v", err)
	}
}

func TestAddingReachesEverythingThatDoesNotHaveItYet(t *testing.T) {
	r := newRig(t)
	r.standing(r.waters())
	own := r.official.Person.Areas[:1]
	if _, err := r.Desk.Activate(t.Context(), r.official.Person, r.official.Credential, "lu", desk.Activation{Areas: own}, nil); err != nil {
		t.Fatal(err)
	}
	a, err := r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{Choice: desk.Add}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want []broadcast.ID
	for _, child := range r.Tree().Children(broadcast.BacQuang, r.Now()) {
		if child != own[0] {
			want = append(want, child)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(slices.Values(a.Document.Areas)); !slices.Equal(got, want) || len(want) < 2 {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAddingMayRepeatButNeverLeavesANodeOut(t *testing.T) {
	r := newRig(t)
	r.standing(r.waters())
	r.Node("huyen-1", broadcast.BacQuang) // it stands in the district itself, in none of its communes
	if _, err := r.Desk.Activate(t.Context(), r.official.Person, r.official.Credential, "lu", desk.Activation{Areas: r.official.Person.Areas[:1]}, nil); err != nil {
		t.Fatal(err)
	}
	a, err := r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{Choice: desk.Add}, nil)
	if err != nil || !slices.Equal(a.Document.Areas, []broadcast.ID{broadcast.BacQuang}) {
		t.Errorf("%v %v", err, a.Document.Areas)
	}
}

func TestATemplateIsNotTakenFromUnderWhatSounds(t *testing.T) {
	r := newRig(t)
	m := r.standing(r.waters())
	a, err := r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Desk.WithdrawTemplate(t.Context(), r.first.Person, r.first.Credential, "lu", "lời cũ")
	refused(t, err, desk.TemplateSounds)
	d := r.waters()
	d.Title = "Lũ ống"
	next, _ := r.put(r.editor, m.Version, d)
	_, err = r.Desk.SignTemplate(t.Context(), r.first.Person, r.first.Credential, "lu", next.Digest)
	refused(t, err, desk.TemplateSounds)
	if _, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, "đã rút"); err != nil {
		t.Fatal(err)
	}
	if next = r.sign(r.second, r.sign(r.first, next)); next.Standing.Title != "Lũ ống" {
		t.Errorf("%+v", next)
	}
}

func TestAnEndedTemplateIsNotActivated(t *testing.T) {
	r := newRig(t)
	d := r.waters()
	d.Expires = r.Now().Add(time.Hour)
	r.standing(d)
	r.Clock.Add(time.Hour)
	_, err := r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{}, nil)
	refused(t, err, desk.TemplateEnded)
	_, err = r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "chay", desk.Activation{}, nil)
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func TestATemplateIsActivatedOnlyWhereItWasApproved(t *testing.T) {
	r := newRig(t)
	d := r.waters()
	d.Areas = r.official.Person.Areas[:1]
	r.standing(d)
	_, err := r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{Areas: []broadcast.ID{broadcast.BacQuang}}, nil)
	refused(t, err, desk.TemplateArea)
	_, err = r.Desk.Activate(t.Context(), r.first.Person, r.first.Credential, "lu", desk.Activation{Areas: []broadcast.ID{"atlantis"}}, nil)
	refused(t, err, desk.AreaUnknown)
}

func TestOfManyWhoRaiseTheSameAlarmAtOnceOneSounds(t *testing.T) {
	r := newRig(t)
	r.standing(r.waters())
	errs := make([]error, 8)
	var wait sync.WaitGroup
	for i := range errs {
		by := []desktest.Somebody{r.first, r.second}[i%2]
		wait.Go(func() {
			_, errs[i] = r.Desk.Activate(t.Context(), by.Person, by.Credential, "lu", desk.Activation{}, nil)
		})
	}
	wait.Wait()
	sounded := 0
	for _, err := range errs {
		var no *desk.Refusal
		switch {
		case err == nil:
			sounded++
		case !errors.Is(err, store.ErrConflict) && (!errors.As(err, &no) || no.Code != desk.Sounding):
			t.Error(err)
		}
	}
	if listed := r.listings(broadcast.KindAnnouncement); sounded != 1 || len(listed) != 1 {
		t.Errorf("%d sounded, %d are listed", sounded, len(listed))
	}
}
