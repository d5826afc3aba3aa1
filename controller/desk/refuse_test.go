package desk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

func TestBadDraftsAreRefusedWithWhatToDo(t *testing.T) {
	r := newRig(t)
	weekly := func(rule string, until broadcast.Instant) func(*desk.Draft) {
		return func(d *desk.Draft) {
			d.Class, d.Timing.Start, d.Timing.Until = broadcast.Normal, r.Now().Add(time.Hour), until
			d.Timing.Recurrence = &broadcast.Recurrence{Rule: rule}
		}
	}
	for name, c := range map[string]struct {
		spoil func(*desk.Draft)
		want  desk.Code
		field string
	}{
		"empty title":               {func(d *desk.Draft) { d.Title = " \r\n " }, desk.TitleEmpty, "title"},
		"title too long":            {func(d *desk.Draft) { d.Title = strings.Repeat("dài ", 80) }, desk.Invalid, "title"},
		"unknown area":              {func(d *desk.Draft) { d.Areas = append(d.Areas, "atlantis") }, desk.AreaUnknown, "areas"},
		"an area twice":             {func(d *desk.Draft) { d.Areas = append(d.Areas, d.Areas...) }, desk.Invalid, "areas"},
		"unknown class":             {func(d *desk.Draft) { d.Class = "urgent" }, desk.Invalid, "class"},
		"unknown content":           {func(d *desk.Draft) { d.Versions[0].Content = broadcast.Sum(nil) }, desk.ContentUnknown, "versions"},
		"no version":                {func(d *desk.Draft) { d.Versions = nil }, desk.Invalid, "versions"},
		"a language twice":          {func(d *desk.Draft) { d.Versions = append(d.Versions, d.Versions...) }, desk.Invalid, "versions"},
		"content and programme":     {func(d *desk.Draft) { d.Versions[0].Programme = &desk.DraftProgramme{} }, desk.Invalid, "versions"},
		"empty programme":           {func(d *desk.Draft) { d.Versions[0] = desk.DraftVersion{Programme: &desk.DraftProgramme{}} }, desk.Invalid, "versions.programme"},
		"start in the past":         {func(d *desk.Draft) { d.Timing.Start = r.Now().Add(-time.Second) }, desk.StartPast, "timing.start"},
		"start in two years":        {func(d *desk.Draft) { d.Timing.Start = r.Now().Add(2 * broadcast.MaxUntil) }, desk.StartFar, "timing.start"},
		"now with a start":          {func(d *desk.Draft) { d.Timing = broadcast.Timing{Mode: broadcast.ModeNow, Start: r.Now() + 1} }, desk.Invalid, "timing.start"},
		"mode start without one":    {func(d *desk.Draft) { d.Timing.Mode = broadcast.ModeStart }, desk.Invalid, "timing.start"},
		"recurrence without until":  {weekly("FREQ=WEEKLY", 0), desk.BadRecurrence, "timing"},
		"recurrence each second":    {weekly("FREQ=SECONDLY", r.Now().Add(48*time.Hour)), desk.BadRecurrence, "timing"},
		"recurrence for two years":  {weekly("FREQ=WEEKLY", r.Now().Add(2*broadcast.MaxUntil)), desk.BadRecurrence, "timing"},
		"recurring emergency":       {func(d *desk.Draft) { d.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"} }, desk.BadRecurrence, "timing"},
		"volume above the ceiling":  {func(d *desk.Draft) { d.Volume = 101 }, desk.Invalid, "volume"},
		"control characters":        {func(d *desk.Draft) { d.Meta.Text = "a\x00b" }, desk.Invalid, "meta"},
		"two officers cannot start": {func(d *desk.Draft) { d.Class, d.Reason = broadcast.Normal, "" }, desk.StartNeeded, "timing.mode"},
	} {
		t.Run(name, func(t *testing.T) {
			d := r.flood()
			c.spoil(&d)
			_, err := r.Desk.Create(t.Context(), r.first.Person, d, nil)
			refused(t, err, c.want)
			var got *desk.Refusal
			if errors.As(err, &got) && got.Field != c.field {
				t.Errorf("field %q, want %q", got.Field, c.field)
			}
		})
	}
	if kept, err := r.Desk.Announcements(t.Context(), "", "", 10); err != nil || len(kept) != 0 {
		t.Errorf("refused drafts left something: %v %v", kept, err)
	}
}

func TestAnAnnouncementThatWouldNotFitIsRefusedBeforeAnybodySigns(t *testing.T) {
	r := newRig(t)
	d := r.flood()
	d.Title, d.Reason = strings.Repeat("ă", 100), strings.Repeat("â", 150)
	d.Areas = broadcast.FormerCommunes(r.Tree())
	for _, l := range []broadcast.Language{"tyz", "nut", "ium", "hmn"} {
		d.Versions = append(d.Versions, desk.DraftVersion{Language: l, Content: r.sound})
	}
	_, err := r.Desk.Create(t.Context(), r.first.Person, d, nil)
	refused(t, err, desk.TooLarge)
}

func TestAnAnnouncementToAll23CommunesFits(t *testing.T) {
	r := newRig(t)
	d := r.flood()
	d.Areas = broadcast.FormerCommunes(r.Tree())
	if a := r.published(d); len(r.listings(broadcast.KindAnnouncement)) != 23 {
		t.Errorf("%d areas listed of %d", len(r.listings(broadcast.KindAnnouncement)), len(a.Document.Areas))
	}
}

func TestRightsEndAtTheBorderOfOnesAreas(t *testing.T) {
	r := newRig(t)
	upper := r.flood()
	upper.Areas = []broadcast.ID{broadcast.TuyenQuang}
	if _, err := r.Desk.Create(t.Context(), r.first.Person, upper, nil); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("the province, by an officer of the district: %v", err)
	}
	if _, err := r.Desk.Create(t.Context(), r.official.Person, r.flood(), nil); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("the district, by an official of its communes: %v", err)
	}
	if _, err := r.Desk.Create(t.Context(), r.bystander.Person, r.flood(), nil); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an auditor: %v", err)
	}
	a := r.submit(r.first, r.create(r.first, r.flood()))
	for name, by := range map[string]struct {
		who  people.Person
		cred people.Credential
	}{"an official of its communes": {r.official.Person, r.official.Credential}, "an editor": {r.editor.Person, r.editor.Credential}} {
		if _, err := r.Desk.Approve(t.Context(), by.who, by.cred, a.Document.ID, a.Digest); !errors.Is(err, people.ErrForbidden) {
			t.Errorf("approved by %s: %v", name, err)
		}
	}
	if _, err := r.Desk.Approve(t.Context(), r.second.Person, r.first.Credential, a.Document.ID, a.Digest); !errors.Is(err, people.ErrNoCertificate) {
		t.Errorf("with somebody else's key: %v", err)
	}
}

func TestApprovalNamesTheDigestThatWasShown(t *testing.T) {
	r := newRig(t)
	a := r.create(r.first, r.flood())
	_, err := r.Desk.Submit(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, broadcast.Sum([]byte("another")))
	refused(t, err, desk.DigestChanged)
	_, err = r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, broadcast.Sum([]byte("another")))
	refused(t, err, desk.DigestChanged)
	_, err = r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, a.Digest)
	refused(t, err, desk.WrongState)
	if _, err := r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, "nothing", a.Digest); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
}

func TestTheLastSignatureMayComeTooLate(t *testing.T) {
	r := newRig(t)
	a := r.approve(r.first, r.submit(r.first, r.create(r.first, r.notice())))
	r.Clock.Add(24*time.Hour + 61*time.Second)
	_, err := r.Desk.Approve(t.Context(), r.second.Person, r.second.Credential, a.Document.ID, a.Digest)
	refused(t, err, desk.TooLate)
	late := r.create(r.first, r.notice())
	r.Clock.Add(25 * time.Hour)
	_, err = r.Desk.Submit(t.Context(), r.first.Person, r.first.Credential, late.Document.ID, "")
	refused(t, err, desk.StartPast)
}

func TestWithoutAPolicyNothingButTwoOfficerEmergenciesIsTaken(t *testing.T) {
	r := newRig(t)
	r.Update(func(tx store.Tx) error { return tx.Unlist(t.Context(), broadcast.KindPolicy, broadcast.BacQuang) })
	_, err := r.Desk.Create(t.Context(), r.first.Person, r.notice(), nil)
	refused(t, err, desk.NoPolicy)
	a := r.submit(r.first, r.create(r.first, r.flood()))
	if a.Officers != 2 {
		t.Errorf("an emergency without any policy takes %d officers", a.Officers)
	}
	if a = r.approve(r.second, r.approve(r.first, a)); a.State != store.Published {
		t.Errorf("%s", a.State)
	}
}

func TestAPolicyMayAskForBetterKeys(t *testing.T) {
	r := newRig(t)
	p := broadcast.Policy{Area: broadcast.BacQuang, Revision: broadcast.Revision(r.Now()) + 1, OneOfficer: broadcast.Classes(),
		Custodies: []broadcast.LeastCustody{{Class: broadcast.Emergency, Custody: broadcast.CustodyToken}}}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 1})
	}
	r.keep(p)
	a := r.submit(r.first, r.create(r.first, r.flood()))
	_, err := r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, a.Digest)
	refused(t, err, desk.Custody)
}

func TestRefusalsNameDetailsInBothLanguages(t *testing.T) {
	r := newRig(t)
	d := r.flood()
	d.Areas = []broadcast.ID{"atlantis"}
	_, err := r.Desk.Create(t.Context(), r.first.Person, d, nil)
	var got *desk.Refusal
	if !errors.As(err, &got) || !strings.Contains(got.English, `"atlantis"`) || !strings.Contains(got.Vietnamese, `"atlantis"`) {
		t.Errorf("%+v", got)
	}
	if text := fmt.Sprint(err); !strings.HasPrefix(text, "area-unknown: ") || strings.Contains(text, "%!") {
		t.Errorf("%s", text)
	}
}

// TestAManifestKeepsRoomForEmergencies fills an area with other documents.
func TestAManifestKeepsRoomForEmergencies(t *testing.T) {
	r := newRig(t)
	fill := func(from, to int) {
		r.Update(func(tx store.Tx) error {
			sha, err := tx.PutDocument(t.Context(), store.Document{Kind: store.Blob, ID: "x", Revision: 1, Raw: []byte("x")})
			for i := from; i < to && err == nil; i++ {
				err = tx.List(t.Context(), store.Listing{Area: broadcast.BacQuang, Kind: broadcast.KindSlot, ID: broadcast.ID(fmt.Sprint("slot-", i)),
					Revision: 1, SHA256: sha, Until: r.Now().Add(100 * time.Hour)})
			}
			return err
		})
	}
	fill(0, broadcast.MaxManifestEntries-100)
	notice := r.submit(r.first, r.create(r.first, r.notice()))
	_, err := r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, notice.Document.ID, notice.Digest)
	refused(t, err, desk.AreaFull)
	r.published(r.flood())
	fill(broadcast.MaxManifestEntries-100, broadcast.MaxManifestEntries-30)
	flood := r.submit(r.first, r.create(r.first, r.flood()))
	_, err = r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, flood.Document.ID, flood.Digest)
	refused(t, err, desk.AreaFull)
}
