package programme_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/store"
)

// morning is a programme of tomorrow with two recordings.
func (r *rig) morning() programme.Body {
	return programme.Body{Title: "Buổi sáng", Start: r.at(5, 30, 1), Minutes: 60, Segments: []programme.Segment{
		{Title: "Tin xã", Content: r.Content(10 * time.Minute)}, {Title: "Ca nhạc", Content: r.Content(20 * time.Minute)}}}
}

func (r *rig) add(b programme.Body) programme.Programme {
	r.t.Helper()
	p, err := r.Add(r.t.Context(), r.official.Person, commune, b, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// published signs the announcement of a programme.
func (r *rig) published(p programme.Programme) desk.Announcement {
	r.t.Helper()
	ctx, by := r.t.Context(), r.official
	a, err := r.Draft(ctx, by.Person, p.ID, p.Version, broadcast.Metadata{})
	if err == nil {
		_, err = r.Desk.Submit(ctx, by.Person, by.Credential, a.Document.ID, "")
	}
	for _, who := range []desktest.Somebody{by, r.district} {
		if err == nil {
			a, err = r.Desk.Approve(ctx, who.Person, who.Credential, a.Document.ID, a.Digest, desk.Seen{Anything: true})
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func TestAProgrammeIsAsLongAsItsParts(t *testing.T) {
	r := newRig(t)
	jingle := r.Content(15 * time.Second)
	if err := r.SaveStation(t.Context(), r.district.Person, programme.Station{Area: broadcast.BacQuang, Name: "Đài Bắc Quang", Opening: jingle, Closing: jingle}); err != nil {
		t.Fatal(err)
	}
	p := r.add(r.morning())
	if p.Total != 30*time.Minute+30*time.Second || !p.Fits() || p.Room != time.Hour || p.Station != "Đài Bắc Quang" || len(p.Parts) != 4 ||
		p.Parts[0].Role != "opening" || p.Parts[3].Role != "closing" || p.Parts[2].At != p.Body.Start.Add(10*time.Minute+15*time.Second) {
		t.Fatalf("%+v", p)
	}
	b := p.Body
	b.Bare, b.Minutes = true, 25
	b.Segments[1].Hard = (12 * time.Minute).Milliseconds()
	p, err := r.Put(t.Context(), r.official.Person, p.ID, p.Version, b)
	if err != nil || p.Total != 32*time.Minute || p.Fits() || len(p.Parts) != 2 || p.Version != 2 {
		t.Fatalf("%v %+v", err, p)
	}
	_, err = r.Draft(t.Context(), r.official.Person, p.ID, p.Version, broadcast.Metadata{})
	if why := refused(t, err, programme.DoesNotFit); !strings.Contains(why.English, "lasts 32:00 and there is room for 25:00") {
		t.Errorf("%+v", why)
	}
	b.Segments = append(b.Segments, programme.Segment{Title: "Tiếp âm", Relay: "vov1", Length: (5 * time.Minute).Milliseconds()})
	if p, err = r.Put(t.Context(), r.official.Person, p.ID, p.Version, b); err != nil || p.Total != 37*time.Minute || p.Parts[2].Millis != (5*time.Minute).Milliseconds() {
		t.Fatalf("with a relay: %v %+v", err, p)
	}
	own := programme.Station{Area: commune, Name: "Đài xã"}
	if err := r.SaveStation(t.Context(), r.official.Person, own); err != nil {
		t.Fatal(err)
	}
	if s, err := r.Station(t.Context(), village); err != nil || s.Name != "Đài xã" || s.From != commune || s.Opening != "" {
		t.Errorf("%v %+v", err, s)
	}
	if err := r.SaveStation(t.Context(), r.official.Person, own); !errors.Is(err, store.ErrConflict) {
		t.Errorf("by who read no version: %v", err)
	}
}

func TestTheSecondOfTwoEditorsGetsBothVersions(t *testing.T) {
	r := newRig(t)
	p := r.add(r.morning())
	b := p.Body
	b.Title = "Của Lan"
	if _, err := r.Put(t.Context(), r.editor.Person, p.ID, p.Version, b); err != nil {
		t.Fatal(err)
	}
	b.Title = "Của Bình"
	_, err := r.Put(t.Context(), r.official.Person, p.ID, p.Version, b)
	if why := refused(t, err, programme.Edited); why.Current == nil || why.Current.Body.Title != "Của Lan" || why.Current.Version != 2 || why.Current.ChangedBy != "bien-tap" {
		t.Fatalf("%+v", why)
	}
	refused(t, r.Drop(t.Context(), r.official.Person, p.ID, p.Version), programme.Edited)
	now, err := r.Undo(t.Context(), r.official.Person, p.ID, 2)
	if err != nil || now.Body.Title != "Buổi sáng" || !now.Undo {
		t.Fatalf("%v %+v", err, now)
	}
	r.Clock.Add(61 * time.Minute)
	_, err = r.Undo(t.Context(), r.official.Person, p.ID, 3)
	refused(t, err, programme.NothingToUndo)
	if err := r.Drop(t.Context(), r.official.Person, p.ID, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Programme(t.Context(), p.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("dropped: %v", err)
	}
}

// TestAProgrammeGoesTheWayOfEveryAnnouncement has an offer of the district in it,
// which then sounds in it and nowhere else.
func TestAProgrammeGoesTheWayOfEveryAnnouncement(t *testing.T) {
	r := newRig(t)
	offer := r.publish("Tin huyện", broadcast.Normal, r.at(20, 0, 1), time.Minute)
	b := r.morning()
	b.Segments = append(b.Segments, programme.Segment{Title: "Từ huyện", Offer: offer.ID})
	p := r.add(b)
	a := r.published(p)
	if a.State != store.Published || a.Document.Class != broadcast.Normal || a.Document.Timing.Start != r.at(5, 30, 1) || a.Document.Versions[0].Programme.Millis != (31*time.Minute).Milliseconds() {
		t.Fatalf("%+v", a.Document)
	}
	p, err := r.Programme(t.Context(), p.ID)
	if err != nil || p.Announcement != a.Document.ID || p.State != store.Published {
		t.Fatalf("%v %+v", err, p)
	}
	if said := r.answer("Tin huyện"); said.Answer != programme.Inside || said.In != a.Document.ID {
		t.Errorf("%+v", said)
	}
	if got := r.heard(); got["Buổi sáng"] != "23/05:30:00" || got["Tin huyện"] != "" {
		t.Errorf("%v", got)
	}
	_, err = r.Put(t.Context(), r.official.Person, p.ID, p.Version, p.Body)
	if why := refused(t, err, programme.DraftedBefore); !slices.Equal(why.About, []broadcast.ID{a.Document.ID}) {
		t.Errorf("%+v", why)
	}
	_, err = r.Draft(t.Context(), r.official.Person, p.ID, p.Version, broadcast.Metadata{})
	refused(t, err, programme.DraftedBefore)
	if _, err := r.Desk.Withdraw(t.Context(), r.district.Person, r.district.Credential, a.Document.ID, "soạn lại"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Put(t.Context(), r.official.Person, p.ID, p.Version, p.Body); err != nil {
		t.Errorf("after its withdrawal: %v", err)
	}
}

func TestAProgrammeThatWouldNotSoundWholeIsNotDrafted(t *testing.T) {
	r := newRig(t)
	offer := r.publish("Tin huyện", broadcast.Normal, r.at(20, 0, 0), time.Minute)
	late := r.morning()
	late.Segments = append(late.Segments, programme.Segment{Title: "Từ huyện", Offer: offer.ID})
	gone := r.morning()
	gone.Segments = []programme.Segment{{Title: "Không có", Offer: "x"}}
	empty := r.morning()
	empty.Segments = nil
	for name, c := range map[string]struct {
		body programme.Body
		want programme.Code
		says string
	}{
		"nothing":              {empty, programme.Empty, "no segment"},
		"an offer that is old": {late, programme.Invalid, "may not begin that late"},
		"no offer":             {gone, programme.Invalid, "offered no more"},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.add(c.body)
			_, err := r.Draft(t.Context(), r.official.Person, p.ID, p.Version, broadcast.Metadata{})
			if why := refused(t, err, c.want); !strings.Contains(why.English, c.says) {
				t.Errorf("%+v", why)
			}
		})
	}
}

func TestWhatNoProgrammeCanBeIsRefused(t *testing.T) {
	r := newRig(t)
	for name, change := range map[string]func(*programme.Body){
		"no title":                 func(b *programme.Body) { b.Title = " \n" },
		"a long title":             func(b *programme.Body) { b.Title = strings.Repeat("ơ", 201) },
		"no start":                 func(b *programme.Body) { b.Start = 0 },
		"too much room":            func(b *programme.Body) { b.Minutes = 61 },
		"less than none":           func(b *programme.Body) { b.Minutes = -1 },
		"no content":               func(b *programme.Body) { b.Segments[0].Content = "" },
		"a relay without a length": func(b *programme.Body) { b.Segments[0] = programme.Segment{Title: "Tiếp âm", Relay: "vov1"} },
		"a relay of two hours": func(b *programme.Body) {
			b.Segments[0] = programme.Segment{Title: "Tiếp âm", Relay: "vov1", Length: 2 * time.Hour.Milliseconds()}
		},
		"a relay and content": func(b *programme.Body) { b.Segments[0].Relay, b.Segments[0].Length = "vov1", 1000 },
		"a length of content": func(b *programme.Body) { b.Segments[0].Length = 1000 },
		"both":                func(b *programme.Body) { b.Segments[0].Offer = "x" },
		"unknown content":     func(b *programme.Body) { b.Segments[0].Content = broadcast.Sum([]byte("x")) },
		"a start backward":    func(b *programme.Body) { b.Segments[0].Hard, b.Segments[1].Hard = 9, 8 },
		"no such slot":        func(b *programme.Body) { b.Slot = "khong-co" },
	} {
		b := r.morning()
		change(&b)
		_, err := r.Add(t.Context(), r.official.Person, commune, b, nil)
		t.Run(name, func(t *testing.T) { refused(t, err, programme.Invalid) })
	}
	b := r.morning()
	b.Segments = make([]programme.Segment, broadcast.MaxSegments-1)
	_, err := r.Add(t.Context(), r.official.Person, commune, b, nil)
	refused(t, err, programme.TooMany)
	_, err = r.Add(t.Context(), r.official.Person, "nowhere", r.morning(), nil)
	refused(t, err, programme.AreaUnknown)
	if _, err := r.Add(t.Context(), r.Named("kiem-tra").Person, commune, r.morning(), nil); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an auditor: %v", err)
	}
}

func TestASlotSaysStartAndRoom(t *testing.T) {
	r := newRig(t)
	slot := broadcast.Slot{ID: "sang", Areas: []broadcast.ID{commune}, Level: broadcast.Commune, From: r.Now(), Until: r.Now().Add(90 * 24 * time.Hour),
		Spans: []broadcast.Span{{From: 5*60 + 30, To: 6 * 60}, {From: 17 * 60, To: 18 * 60}}}
	r.Clock.Add(time.Second)
	if err := r.GiveSlot(t.Context(), r.official.Person, r.official.Credential, slot, programme.Seen{}); err != nil {
		t.Fatal(err)
	}
	b := r.morning()
	b.Slot, b.Start, b.Minutes = "sang", r.at(0, 0, 1), 0
	if p := r.add(b); p.Body.Start != r.at(5, 30, 1) || p.Room != 30*time.Minute {
		t.Errorf("%+v", p.Body)
	}
	b.Start = r.at(12, 0, 1)
	p := r.add(b)
	if p.Body.Start != r.at(17, 0, 1) || p.Room != time.Hour {
		t.Errorf("%+v", p.Body)
	}
	r.published(p)
	list, err := r.Slots(t.Context(), commune)
	if err != nil || len(list[0].Empty) != 2 || list[0].Empty[1].From != r.at(5, 30, 1) {
		t.Errorf("tomorrow's evening is filled, its morning is not: %v %+v", err, list)
	}
}

func TestAWeekIsCopiedOnce(t *testing.T) {
	r := newRig(t)
	b := r.morning()
	for i := range 3 {
		b.Start = r.at(5, 30, 1+i)
		r.add(b)
	}
	elsewhere := r.morning()
	if _, err := r.Add(t.Context(), r.official.Person, village, elsewhere, nil); err != nil {
		t.Fatal(err)
	}
	copied, err := r.Copy(t.Context(), r.official.Person, commune, r.at(12, 0, 1), r.at(3, 0, 8), 7)
	if err != nil || len(copied.Made) != 3 || copied.Made[2].Body.Start != r.at(5, 30, 10) || copied.Made[0].Total != 30*time.Minute || copied.Made[0].Version != 1 {
		t.Fatalf("%v %+v", err, copied)
	}
	again, err := r.Copy(t.Context(), r.official.Person, commune, r.at(12, 0, 1), r.at(3, 0, 8), 7)
	if err != nil || len(again.Made) != 0 || again.There != 3 {
		t.Errorf("%v %+v", err, again)
	}
	past, err := r.Copy(t.Context(), r.official.Person, commune, r.at(0, 0, 1), r.at(0, 0, 0), 1) // today at 05:30 is over
	if err != nil || past.Past != 1 || len(past.Made) != 0 {
		t.Errorf("%v %+v", err, past)
	}
	list, err := r.List(t.Context(), commune, r.at(0, 0, 0), r.at(0, 0, 30))
	if err != nil || len(list) != 7 {
		t.Errorf("%v: %d programmes, want three, their copies and the village's", err, len(list))
	}
	for days, to := range map[int]int{0: 1, 8: 1, 1: 0} {
		if _, err := r.Copy(t.Context(), r.official.Person, commune, r.at(0, 0, 0), r.at(0, 0, to), days); err == nil {
			t.Errorf("%d days to day %d are copied", days, to)
		}
	}
	_, err = r.List(t.Context(), commune, r.at(0, 0, 0), r.at(0, 0, 36))
	refused(t, err, programme.TooMany)
}
