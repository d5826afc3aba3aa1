package desk_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// at is a notice by one officer that starts so long from now.
func (r *rig) at(title string, class broadcast.Class, in, length time.Duration) desk.Draft {
	return desk.Draft{Title: title, Class: class, Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "thử",
		Versions: []desk.DraftVersion{{Content: r.Content(length)}}, Timing: broadcast.Timing{Start: r.Now().Add(in)}}
}

func TestNothingIsPublishedThatChangesOthersUnseen(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	old := r.published(r.at("Lịch tiêm chủng", broadcast.Normal, time.Hour, 10*time.Minute))
	a := r.submit(r.first, r.create(r.first, r.at("Mất điện", broadcast.Priority, time.Hour+5*time.Minute, time.Minute)))
	approve := func(seen ...desk.Seen) (desk.Announcement, error) {
		return r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, a.Digest, seen...)
	}
	_, err := approve()
	refused(t, err, desk.OthersChange)
	var why *desk.Refusal
	if !errors.As(err, &why) || !slices.Equal(why.About, []broadcast.ID{old.Document.ID}) || !strings.Contains(why.English, "“Lịch tiêm chủng”: sounds 09:00–09:05, but: gave way to a higher class") ||
		!strings.Contains(why.English, "before: sounds 09:00–09:10") || !strings.Contains(why.Vietnamese, "trước đó: phát 09:00–09:10") {
		t.Fatalf("%+v", why)
	}
	diff, err := r.Desk.Difference(t.Context(), a.Document.ID)
	if err != nil || len(diff.Others()) != 1 || len(diff.Shifts) != 2 || !diff.Others()[0].Spoils() ||
		diff.Digest != why.Current.(preview.Difference).Digest {
		t.Fatalf("%v %+v", err, diff)
	}
	_, err = approve(desk.Seen{Difference: broadcast.Sum([]byte("of yesterday"))})
	refused(t, err, desk.OthersChange)
	r.Clock.Add(time.Minute) // reading takes a while, and changes nothing of what was read
	if a, err = approve(desk.Seen{Difference: diff.Digest}); err != nil || a.State != store.Published {
		t.Fatalf("%v %s", err, a.State)
	}
	if !slices.ContainsFunc(r.acts(), func(s string) bool {
		return strings.HasPrefix(s, "announcement.accept-difference ") && strings.Contains(s, string(diff.Digest))
	}) {
		t.Errorf("nobody is told who accepted it: %q", r.acts())
	}
	if _, err := approve(); err != nil {
		t.Errorf("approving again: %v", err)
	}
	if d, err := r.Desk.Difference(t.Context(), a.Document.ID); err != nil || len(d.Shifts) != 0 {
		t.Errorf("published already: %v %+v", err, d)
	}
}

func TestWhoeverAcceptsAnythingIsNotAskedAgain(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.published(r.at("Lịch tiêm chủng", broadcast.Normal, time.Hour, 10*time.Minute))
	a := r.submit(r.first, r.create(r.first, r.at("Mất điện", broadcast.Priority, time.Hour+5*time.Minute, time.Minute)))
	a, err := r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, a.Digest, desk.Seen{Anything: true})
	if err != nil || a.State != store.Published {
		t.Errorf("%v %s", err, a.State)
	}
}

func TestAnEmergencyWaitsForNoDifference(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.published(r.at("Lịch tiêm chủng", broadcast.Normal, time.Second, 10*time.Minute))
	if a := r.published(r.flood()); a.State != store.Published { // it cuts the other
		t.Errorf("%s", a.State)
	}
}

// TestWhatCutsNothingNeedsNoSecondLook publishes side by side, and where the
// difference cannot be told.
func TestWhatCutsNothingNeedsNoSecondLook(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.published(r.at("Lịch tiêm chủng", broadcast.Normal, time.Hour, 10*time.Minute))
	r.published(r.at("Mất điện", broadcast.Priority, 2*time.Hour, time.Minute))
	r.Desk = desk.New(desk.Config{DB: r.DB, Keys: r.Office, Rights: r.Office, Fleet: unsure{r.Fleet}, Tree: r.Tree, Events: r.Hub, Wake: r.Woken,
		Now: r.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	a := r.submit(r.first, r.create(r.first, r.at("Mất nước", broadcast.Priority, time.Hour, time.Minute)))
	if d, err := r.Desk.Difference(t.Context(), a.Document.ID); err != nil || !strings.Contains(d.Trouble, "torn") {
		t.Fatalf("%v %+v", err, d)
	}
}
