package programme_test

import (
	"errors"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/store"
)

const commune, village = broadcast.ID("xa-tan-quang"), broadcast.ID("tan-lap")

// rig is a house whose communes decide about their loudspeakers. The standing
// slot of the demo, which has the district speak all day, is not there.
type rig struct {
	*desktest.House
	*programme.Programmes
	t                                   *testing.T
	official, editor, district, another desktest.Somebody
}

func newRig(t *testing.T) *rig {
	t.Helper()
	h := desktest.New(t)
	r := &rig{House: h, t: t, official: h.Named("can-bo-xa"), editor: h.Named("bien-tap"), district: h.Named("duyet-1"), another: h.Named("duyet-2"),
		Programmes: programme.New(programme.Config{DB: h.DB, Keys: h.Office, Rights: h.Office, Fleet: h.Fleet, Desk: h.Desk, Tree: h.Tree, Wake: h.Woken, Now: h.Clock.Now})}
	r.unslotted()
	h.Node("tan-lap-1", village)
	return r
}

// unslotted takes away the slot that a demo gives itself whenever it is opened.
func (r *rig) unslotted() {
	r.t.Helper()
	r.Update(func(tx store.Tx) error {
		return tx.Unlist(r.t.Context(), broadcast.KindSlot, "khung-gio-huyen")
	})
}

// at is a moment of the day of the test, or of a later one.
func (r *rig) at(hour, minute, days int) broadcast.Instant {
	return broadcast.InstantOf(time.Date(2026, 11, 22+days, hour, minute, 0, 0, broadcast.Local()))
}

// publish takes an announcement of the district all the way.
func (r *rig) publish(title string, class broadcast.Class, at broadcast.Instant, length time.Duration, change ...func(*desk.Draft)) broadcast.Announcement {
	r.t.Helper()
	d := desk.Draft{Title: title, Class: class, Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "thử",
		Versions: []desk.DraftVersion{{Content: r.Content(length)}}, Timing: broadcast.Timing{Start: at}}
	for _, f := range change {
		f(&d)
	}
	by := r.district
	a, err := r.Desk.Create(r.t.Context(), by.Person, d, nil)
	if err == nil {
		_, err = r.Desk.Submit(r.t.Context(), by.Person, by.Credential, a.Document.ID, "", broadcast.WhyOffer, broadcast.WhyLate)
	}
	if err == nil {
		a, err = r.Desk.Approve(r.t.Context(), by.Person, by.Credential, a.Document.ID, a.Digest, desk.Seen{Anything: true})
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.Clock.Add(time.Second) // so that ids tell the order
	return a.Document
}

// refused asks for a refusal with a code, in both languages.
func refused(t *testing.T, err error, want programme.Code) *programme.Refusal {
	t.Helper()
	var r *programme.Refusal
	if !errors.As(err, &r) || r.Code != want {
		t.Fatalf("got %v, want a refusal %s", err, want)
	}
	if r.English == "" || r.Vietnamese == "" || r.English == r.Vietnamese {
		t.Errorf("%s lacks a language: %+v", want, r)
	}
	return r
}

// decide signs a decision of the commune.
func (r *rig) decide(seen programme.Seen, items ...programme.Choice) error {
	r.t.Helper()
	r.Clock.Add(time.Second)
	return r.Decide(r.t.Context(), r.official.Person, r.official.Credential, commune, programme.Decision{Items: items}, seen)
}

// answer is what the commune did with an offer, by title.
func (r *rig) answer(title string) programme.OfferAnswer {
	r.t.Helper()
	list, err := r.Offers(r.t.Context(), commune)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, o := range list {
		if o.Announcement.Title == title {
			return o.Answers[0]
		}
	}
	return programme.OfferAnswer{}
}

// heard are the titles that the node of the village will sound, with their times.
func (r *rig) heard() map[string]string {
	r.t.Helper()
	out := map[string]string{}
	for _, x := range r.ahead() {
		if x.Fate.Sounds && x.Fate.From != 0 {
			out[x.Title] = x.Fate.From.Time().In(broadcast.Local()).Format("02/15:04:05")
		}
	}
	return out
}
