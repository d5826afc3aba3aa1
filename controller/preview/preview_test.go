package preview_test

import (
	"errors"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

type rig struct {
	*desktest.House
	t       *testing.T
	officer desktest.Somebody
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{House: desktest.New(t), t: t}
	r.officer = r.Named("duyet-1")
	r.Node("tan-lap-1", "tan-lap")
	return r
}

// publish takes an announcement of one officer all the way.
func (r *rig) publish(class broadcast.Class, at broadcast.Instant) broadcast.Announcement {
	r.t.Helper()
	ctx, by := r.t.Context(), r.officer
	a, err := r.Desk.Create(ctx, by.Person, desk.Draft{Title: "Bản tin", Class: class, Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "thử",
		Versions: []desk.DraftVersion{{Content: r.Content(10 * time.Second)}}, Timing: broadcast.Timing{Start: at}}, nil)
	if err == nil {
		_, err = r.Desk.Submit(ctx, by.Person, by.Credential, a.Document.ID, "", broadcast.WhyQuiet)
	}
	if err == nil {
		a, err = r.Desk.Approve(ctx, by.Person, by.Credential, a.Document.ID, a.Digest)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return a.Document
}

// plan previews the next day.
func (r *rig) plan() plan.Plan {
	r.t.Helper()
	p, err := r.of("tan-lap-1")
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) of(node broadcast.ID) (plan.Plan, error) {
	r.t.Helper()
	return r.over(node, plan.Window{From: r.Now().Add(-time.Hour), To: r.Now().Add(24 * time.Hour)})
}

// over previews a window.
func (r *rig) over(node broadcast.ID, window plan.Window) (plan.Plan, error) {
	r.t.Helper()
	ring, err := r.Office.Ring(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return preview.Of(r.t.Context(), preview.Source{DB: r.DB, Ring: ring, Now: r.Now()}, node, window)
}

func TestAPlanKnowsTheLawOfThePlace(t *testing.T) {
	r := newRig(t)
	soon := r.publish(broadcast.Priority, r.Now().Add(time.Hour))
	night := r.publish(broadcast.Priority, r.Now().Add(18*time.Hour+30*time.Minute)) // 02:30, inside the demo's quiet hours
	p := r.plan()
	if len(p.Entries) != 2 || !p.WithoutHistory {
		t.Fatalf("%+v", p)
	}
	if e := p.Entries[0]; e.Announcement != soon.ID || e.Rung != broadcast.Ended || e.Soundings[0].From != soon.Timing.Start {
		t.Errorf("%+v", e)
	}
	if e := p.Entries[1]; e.Announcement != night.ID || e.Rung != broadcast.Refused || e.Reason != broadcast.WhyQuiet {
		t.Errorf("%+v", e)
	}
}

func TestAWithdrawnAnnouncementIsNotPlanned(t *testing.T) {
	r := newRig(t)
	a := r.publish(broadcast.Priority, r.Now().Add(time.Hour))
	if _, err := r.Desk.Withdraw(t.Context(), r.officer.Person, r.officer.Credential, a.ID, "đổi lịch"); err != nil {
		t.Fatal(err)
	}
	for _, e := range r.plan().Entries {
		if len(e.Soundings) > 0 {
			t.Errorf("%+v", e)
		}
	}
}

// TestThePastIsWhatTheNodeProved plans after each thing that a node may have
// said.
func TestThePastIsWhatTheNodeProved(t *testing.T) {
	end := func(rung broadcast.Rung, why broadcast.Reason) func(broadcast.Announcement) []broadcast.Receipt {
		return func(a broadcast.Announcement) []broadcast.Receipt {
			said := desktest.Sounded(a)[:5]
			last := said[4]
			last.Rung, last.Reason, last.At = rung, why, last.At+2000
			last.Evidence = &broadcast.Evidence{Samples: 96000, Of: 480000, First: a.Timing.Start}
			return append(said, last)
		}
	}
	ahead := func(a broadcast.Announcement) []broadcast.Receipt {
		late := desktest.Of(a, broadcast.Receipt{Start: a.Timing.Start, At: a.Timing.Start.Add(24 * time.Hour), Clock: broadcast.ClockPlausible,
			Rung: broadcast.Skipped, Reason: broadcast.WhyLate})
		back := late
		back.At, back.Clock, back.Rung, back.Reason = a.Timing.Start-500, broadcast.ClockProved, broadcast.Verified, broadcast.WhyAhead
		return []broadcast.Receipt{late, back}
	}
	for name, c := range map[string]struct {
		said   func(broadcast.Announcement) []broadcast.Receipt
		after  time.Duration
		rung   broadcast.Rung
		reason broadcast.Reason
	}{
		"ended":                     {desktest.Sounded, time.Minute, broadcast.Ended, ""},
		"interrupted":               {end(broadcast.Interrupted, broadcast.WhyCrash), 10 * time.Minute, broadcast.Interrupted, broadcast.WhyCrash},
		"skipped":                   {end(broadcast.Skipped, broadcast.WhyPower), time.Minute, broadcast.Skipped, broadcast.WhyPower},
		"given up by a wrong clock": {ahead, time.Second, broadcast.Ended, ""},
		"sounding this very moment": {func(a broadcast.Announcement) []broadcast.Receipt { return desktest.Sounded(a)[:5] }, 5 * time.Second, broadcast.Ended, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			a := r.publish(broadcast.Priority, r.Now().Add(time.Second))
			r.Clock.Add(time.Second)
			r.Prove("tan-lap-1", c.said(a)...)
			r.Clock.Add(c.after)
			p := r.plan()
			if len(p.Entries) != 1 || p.WithoutHistory {
				t.Fatalf("%+v", p)
			}
			if e := p.Entries[0]; e.Rung != c.rung || e.Reason != c.reason {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestThePastOfADoubtfulNodeIsNotItsOwn(t *testing.T) {
	r := newRig(t)
	a := r.publish(broadcast.Priority, r.Now().Add(time.Second))
	r.Clock.Add(time.Second)
	r.Prove("tan-lap-1", desktest.Sounded(a)...)
	r.Doubt("tan-lap-1")
	r.Clock.Add(time.Minute)
	if p := r.plan(); !p.WithoutHistory {
		t.Errorf("the plan goes by what another box may have sounded: %+v", p)
	}
}

func TestWhatSoundedUnderTheSameNameIsNoPastOfThisBody(t *testing.T) {
	r := newRig(t)
	a := r.publish(broadcast.Emergency, r.Now().Add(time.Minute))
	other := a
	other.Title = "Chuyện phiếm"
	r.Prove("tan-lap-1", desktest.Sounded(other)...)
	p := r.plan()
	if len(p.Entries) != 2 || p.Entries[0].Payload == p.Entries[1].Payload {
		t.Fatalf("%+v", p.Entries)
	}
	for _, e := range p.Entries {
		if mine := e.Payload == desktest.Of(a, broadcast.Receipt{}).Payload; e.Rung != broadcast.Ended || mine != (len(e.Soundings[0].Parts) > 0) {
			t.Errorf("mine %v: %+v", mine, e)
		}
	}
}

func TestAPlanNeedsAPlace(t *testing.T) {
	r := newRig(t)
	if _, err := r.of("nothing"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	if err := r.Fleet.Revoke(t.Context(), "ky-thuat", "tan-lap-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.of("tan-lap-1"); !errors.Is(err, preview.ErrNoPlace) {
		t.Errorf("revoked: %v", err)
	}
}
