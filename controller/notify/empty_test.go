package notify

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/programme"
)

// TestAnEmptySlotOfTomorrowIsToldInTheEvening gives a slot at eight in the
// morning, looks before and after the hour, and fills it.
func TestAnEmptySlotOfTomorrowIsToldInTheEvening(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	slots := programme.New(programme.Config{DB: r.DB, Keys: r.Office, Rights: r.Office, Fleet: r.Fleet, Desk: r.Desk, Tree: r.Tree, Wake: r.Woken, Now: r.Clock.Now})
	s := &EmptySource{DB: r.DB, Slots: slots, Now: r.Clock.Now}
	by := r.Named("can-bo-xa")
	r.Clock.Add(time.Second)
	err := slots.GiveSlot(t.Context(), by.Person, by.Credential, broadcast.Slot{ID: "buoi-sang", Areas: []broadcast.ID{"xa-tan-quang"}, Level: broadcast.Commune,
		Spans: []broadcast.Span{{From: 5*60 + 30, To: 6*60 + 30}, {From: 21 * 60, To: 22 * 60}}, From: r.Now(), Until: r.Now().Add(30 * day)}, programme.Seen{})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.notices(s); len(got) != 0 {
		t.Errorf("in the morning: %+v", got)
	}
	r.Clock.Add(12 * time.Hour)
	got := r.notices(s)
	if len(got) != 2 || got[0].Words.VI != "chưa có gì để phát lúc 05:30–06:30 23/11/2026" || got[0].Area != "xa-tan-quang" || !got[0].Passing || !strings.HasPrefix(got[0].Name, "empty:buoi-sang:") {
		t.Fatalf("in the evening: %+v", got)
	}
	p, err := slots.Add(t.Context(), by.Person, "xa-tan-quang", programme.Body{Title: "Buổi sáng", Slot: "buoi-sang", Start: got[0].Since.Add(4 * time.Hour),
		Segments: []programme.Segment{{Title: "Tin", Content: r.sound}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := slots.Draft(t.Context(), by.Person, p.ID, p.Version, broadcast.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Desk.Submit(t.Context(), by.Person, by.Credential, a.Document.ID, "")
	for _, who := range []broadcast.ID{"duyet-1", "duyet-2"} {
		if one := r.Named(who); err == nil {
			_, err = r.Desk.Approve(t.Context(), one.Person, one.Credential, a.Document.ID, a.Digest)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := r.notices(s); len(got) != 2 {
		t.Errorf("asked again at once: %+v", got)
	}
	r.Clock.Add(10 * time.Minute)
	if got := r.notices(s); len(got) != 1 || !strings.Contains(got[0].Words.EN, "21:00–22:00 23/11/2026") {
		t.Errorf("filled: %+v", got)
	}
}
