package desk_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
)

// rules are a policy of the usual windows.
func rules(area broadcast.ID) broadcast.Policy {
	p := broadcast.Policy{Area: area, Windows: []broadcast.Span{{From: 330, To: 390}, {From: 1020, To: 1080}}}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	return p
}

func (r *rig) propose(version int64, p broadcast.Policy) desk.Regulation {
	r.t.Helper()
	out, err := r.Desk.ProposePolicy(r.t.Context(), r.first.Person, version, p)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func TestAPolicyStandsOnceTwoPeopleSignedWhatTheyWereShown(t *testing.T) {
	r := newRig(t)
	m := r.propose(0, rules("tan-lap"))
	if m.Standing != nil || m.Draft == nil || m.Signer != "" || len(m.Changes) != 2 || m.Changes[0].Field != "windows" || m.Changes[0].Before != "" {
		t.Fatalf("%+v", m)
	}
	_, err := r.Desk.SignPolicy(t.Context(), r.first.Person, r.first.Credential, "tan-lap", broadcast.Sum(nil))
	refused(t, err, desk.DigestChanged)
	for range 2 {
		if m, err = r.Desk.SignPolicy(t.Context(), r.first.Person, r.first.Credential, "tan-lap", m.Digest); err != nil || m.Standing != nil || m.Signer != "duyet-1" {
			t.Fatalf("one person, also twice: %v %+v", err, m)
		}
	}
	r.Clock.Add(time.Minute)
	digest := m.Digest
	if m, err = r.Desk.SignPolicy(t.Context(), r.second.Person, r.second.Credential, "tan-lap", digest); err != nil || m.Standing == nil || m.Draft != nil {
		t.Fatalf("%v %+v", err, m)
	}
	if listed := r.listings(broadcast.KindPolicy); len(listed) != 2 {
		t.Errorf("%+v", listed)
	}
	if again, err := r.Desk.SignPolicy(t.Context(), r.second.Person, r.second.Credential, "tan-lap", digest); err != nil || again.Version != m.Version {
		t.Errorf("again: %v", err)
	}
}

func TestOnlyPeopleOfTheAreaProposeAndSignItsPolicy(t *testing.T) {
	r := newRig(t)
	for _, who := range []people.Person{r.editor.Person, r.official.Person, r.bystander.Person} {
		if _, err := r.Desk.ProposePolicy(t.Context(), who, 0, rules("tan-lap")); !errors.Is(err, people.ErrForbidden) {
			t.Errorf("%s proposes: %v", who.ID, err)
		}
	}
	m := r.propose(0, rules("tan-lap"))
	if _, err := r.Desk.SignPolicy(t.Context(), r.official.Person, r.official.Credential, "tan-lap", m.Digest); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an official signs: %v", err)
	}
	if _, err := r.Desk.ProposePolicy(t.Context(), r.first.Person, 0, rules("tuyen-quang")); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("above one's areas: %v", err)
	}
}

func TestTheSecondEditorOfAPolicyIsShownBothVersions(t *testing.T) {
	r := newRig(t)
	m := r.propose(0, rules("tan-lap"))
	if same := r.propose(0, rules("tan-lap")); same.Version != m.Version {
		t.Error("the same words again are an edit")
	}
	mine := rules("tan-lap")
	mine.Ceiling = 70
	_, err := r.Desk.ProposePolicy(t.Context(), r.second.Person, 0, mine)
	refused(t, err, desk.Edited)
	var no *desk.Refusal
	if !errors.As(err, &no) {
		t.Fatal(err)
	}
	if current, ok := no.Current.(desk.Regulation); !ok || current.Version != m.Version || current.Draft.Ceiling != 0 {
		t.Errorf("%+v", no.Current)
	}
	signed, err := r.Desk.SignPolicy(t.Context(), r.first.Person, r.first.Credential, "tan-lap", m.Digest)
	if err != nil {
		t.Fatal(err)
	}
	if next := r.propose(signed.Version, mine); next.Signer != "" || next.Digest == m.Digest {
		t.Errorf("an edited draft is signed still: %+v", next)
	}
}

func TestAPolicyThatLoosensARuleFromAboveIsRefusedWithItsField(t *testing.T) {
	r := newRig(t)
	upper := rules(broadcast.BacQuang)
	upper.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 60}}
	upper.Sessions = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 30}}
	upper.Ceiling, upper.OfflineDays, upper.Minimum, upper.Retention = 80, 10, 30, 12
	upper.Speakers = []broadcast.Speaker{{Class: broadcast.Priority, Levels: []broadcast.Level{broadcast.Commune}}}
	upper.Custodies = []broadcast.LeastCustody{{Class: broadcast.Normal, Custody: broadcast.CustodyController}, {Class: broadcast.Priority, Custody: broadcast.CustodyToken}}
	m := r.propose(0, upper)
	for _, who := range []struct {
		person people.Person
		cred   people.Credential
	}{{r.first.Person, r.first.Credential}, {r.second.Person, r.second.Credential}} {
		r.Clock.Add(time.Second)
		if _, err := r.Desk.SignPolicy(t.Context(), who.person, who.cred, broadcast.BacQuang, m.Digest); err != nil {
			t.Fatal(err)
		}
	}
	for field, change := range map[string]func(*broadcast.Policy){
		"windows": func(p *broadcast.Policy) {
			p.Windows[0].To++
		},
		"windows ": func(p *broadcast.Policy) {
			p.Special = []broadcast.SpecialDay{{Name: "Tết", From: "2027-02-06", To: "2027-02-08", Windows: []broadcast.Span{{From: 0, To: 60}}}}
		},
		"minutes":  func(p *broadcast.Policy) { p.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 61}} },
		"sessions": func(p *broadcast.Policy) { p.Sessions = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 31}} },
		"ceiling":  func(p *broadcast.Policy) { p.Ceiling = 81 },
		"speakers": func(p *broadcast.Policy) {
			p.Speakers = []broadcast.Speaker{{Class: broadcast.Priority, Levels: []broadcast.Level{broadcast.Province}}}
		},
		"thresholds":  func(p *broadcast.Policy) { p.Thresholds[2].Officers = 1 },
		"one_officer": func(p *broadcast.Policy) { p.OneOfficer = []broadcast.Class{broadcast.Emergency} },
		"custodies": func(p *broadcast.Policy) {
			p.Custodies = []broadcast.LeastCustody{{Class: broadcast.Priority, Custody: broadcast.CustodyBrowser}}
		},
		"offline_days": func(p *broadcast.Policy) { p.OfflineDays = 11 },
		"minimum":      func(p *broadcast.Policy) { p.Minimum = 29 },
		"corrections":  func(p *broadcast.Policy) { p.Corrections = []broadcast.Digest{broadcast.Sum(nil)} },
		"retention":    func(p *broadcast.Policy) { p.Retention = 11 },
	} {
		p := rules("tan-lap")
		change(&p)
		_, err := r.Desk.ProposePolicy(t.Context(), r.first.Person, 0, p)
		refused(t, err, desk.Loosens)
		var no *desk.Refusal
		if errors.As(err, &no) && no.Field != strings.TrimSpace(field) {
			t.Errorf("%s: the refusal names %s", field, no.Field)
		}
	}
	tight := rules("tan-lap")
	tight.Windows, tight.Ceiling, tight.OfflineDays = tight.Windows[:1], 80, 10
	tight.Quiet = []broadcast.Span{{From: 720, To: 780, Season: &broadcast.Season{From: "05-01", To: "08-31"}}}
	r.propose(0, tight)
}

func TestASpecialDayWithWindowsOutsideThoseOfItsPolicyIsRefused(t *testing.T) {
	r := newRig(t)
	p := rules("tan-lap")
	p.Windows = []broadcast.Span{{Days: []broadcast.Weekday{"MO", "TU", "WE", "TH", "FR"}, From: 330, To: 390}, {From: 480, To: 600}}
	day := broadcast.SpecialDay{Name: "Thi", From: "2027-02-05", To: "2027-02-05", Windows: []broadcast.Span{{From: 340, To: 390}}}
	p.Special = []broadcast.SpecialDay{{Name: "Tang", From: "2027-02-01", To: "2027-02-09", Windows: []broadcast.Span{{From: 480, To: 600}}}, day}
	r.propose(0, p)
	p.Special[1].To = "2027-02-06" // a Saturday
	_, err := r.Desk.ProposePolicy(t.Context(), r.first.Person, 1, p)
	refused(t, err, desk.BadPolicy)
	if no := new(desk.Refusal); !errors.As(err, &no) || no.Field != "special" || !strings.Contains(no.Error(), "Thi") {
		t.Errorf("%+v", no)
	}
	p.Windows = nil
	r.propose(1, p)
}

func TestAPolicyThatIsNotCompleteIsNotKept(t *testing.T) {
	r := newRig(t)
	p := rules("tan-lap")
	p.Thresholds = nil
	_, err := r.Desk.ProposePolicy(t.Context(), r.first.Person, 0, p)
	refused(t, err, desk.BadPolicy)
	p = rules("tan-lap")
	for range broadcast.MaxSpecialDays {
		p.Special = append(p.Special, broadcast.SpecialDay{Name: strings.Repeat("ế", 66), From: "2027-02-06", To: "2027-02-08",
			Quiet: []broadcast.Span{{Days: broadcast.Weekdays(), From: 1, To: 2}, {Days: broadcast.Weekdays(), From: 3, To: 4}, {Days: broadcast.Weekdays(), From: 5, To: 6}, {Days: broadcast.Weekdays(), From: 7, To: 8}}})
	}
	_, err = r.Desk.ProposePolicy(t.Context(), r.first.Person, 0, p)
	refused(t, err, desk.BadPolicy)
}

func TestWhatADraftOfAPolicyChangesIsShownBeforeItIsSigned(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	if d, err := r.Desk.PolicyDifference(t.Context(), "tan-lap"); err != nil || len(d.Shifts) != 0 {
		t.Fatalf("without a draft: %v %+v", err, d)
	}
	p := rules("tan-lap")
	p.Quiet, p.OneOfficer = []broadcast.Span{{From: 0, To: 1440}}, broadcast.Classes()
	r.propose(0, p)
	d, err := r.Desk.PolicyDifference(t.Context(), "tan-lap")
	if err != nil || d.Nodes != 1 || len(d.Shifts) != 0 {
		t.Fatalf("nothing is planned: %v %+v", err, d)
	}
	notice := r.published(r.at("Họp", broadcast.Priority, time.Hour, 10*time.Second)).Document.ID
	if d, err = r.Desk.PolicyDifference(t.Context(), "tan-lap"); err != nil || len(d.Shifts) != 1 || d.Shifts[0].Announcement != notice || d.Shifts[0].Fate.Reason != broadcast.WhyQuiet || !d.Shifts[0].Spoils() {
		t.Fatalf("%v %+v", err, d)
	}
}
