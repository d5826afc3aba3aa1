package desk_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/store"
)

func TestNowIsALeadAfterTheFirstSignature(t *testing.T) {
	for class, lead := range map[broadcast.Class]time.Duration{
		broadcast.Emergency: 3 * time.Second, broadcast.Priority: 5 * time.Second, broadcast.Normal: 5 * time.Second,
	} {
		r := newRig(t)
		d := r.flood()
		d.Class = class
		a := r.submit(r.first, r.create(r.first, d))
		r.Clock.Add(17 * time.Minute)
		if a = r.approve(r.first, a); a.Document.Timing.Start != r.Now().Add(lead) || a.Document.Revision.IssuedAt() != r.Now() {
			t.Errorf("%s: starts %s after approval", class, a.Document.Timing.Start.Sub(r.Now()))
		}
	}
}

func TestTheSecondSignatureOfAnEmergencyLeavesItsStart(t *testing.T) {
	r := newRig(t)
	d := r.flood()
	d.Reason = ""
	first := r.approve(r.first, r.submit(r.first, r.create(r.first, d)))
	if first.State != store.Submitted || first.Document.Timing.Start != r.Now().Add(3*time.Second) {
		t.Fatalf("%s %s", first.State, first.Document.Timing.Start)
	}
	r.Clock.Add(4 * time.Minute)
	second := r.approve(r.second, first)
	if second.State != store.Published || second.Document.Timing.Start != first.Document.Timing.Start || second.Digest != first.Digest {
		t.Errorf("%s %s", second.State, second.Document.Timing.Start)
	}
}

func TestAnEmergencyWhoseWindowEndedIsNotPublished(t *testing.T) {
	r := newRig(t)
	d := r.flood()
	d.Reason = ""
	a := r.approve(r.first, r.submit(r.first, r.create(r.first, d)))
	r.Clock.Add(broadcast.DefaultWindow + 4*time.Second)
	_, err := r.Desk.Approve(t.Context(), r.second.Person, r.second.Credential, a.Document.ID, a.Digest)
	refused(t, err, desk.TooLate)
}

func TestListingsOutlastTheLastSoundingThatMayBegin(t *testing.T) {
	r := newRig(t)
	until := r.Now().Add(10 * 24 * time.Hour)
	d := r.notice()
	d.Timing.Recurrence, d.Timing.Until = &broadcast.Recurrence{Rule: "FREQ=DAILY"}, until
	a := r.approve(r.second, r.approve(r.first, r.submit(r.first, r.create(r.first, d))))
	// The last one may begin 60 s late and sounds for 10 s.
	if a.Until < until.Add(70*time.Second) || a.Until > until.Add(5*time.Minute) {
		t.Errorf("listed until %s, the last day ends %s", a.Until, until)
	}
	flood := r.published(r.flood())
	if end := flood.Document.Timing.Start.Add(broadcast.DefaultWindow + 10*time.Second); flood.Until < end || flood.Until > end.Add(5*time.Minute) {
		t.Errorf("listed until %s, the last sound ends %s", flood.Until, end)
	}
}

func TestATightenedPolicyIsAskedAgainAtTheSignature(t *testing.T) {
	r := newRig(t)
	a := r.submit(r.first, r.create(r.first, r.flood()))
	r.policy(2, nil) // nobody speaks alone any more
	if a = r.approve(r.first, a); a.State != store.Submitted {
		t.Fatalf("one officer published under a policy of two: %s", a.State)
	}
	if a = r.approve(r.second, a); a.State != store.Published {
		t.Errorf("%s", a.State)
	}
}

func TestEveryTargetAreaIsAskedForItsLaw(t *testing.T) {
	r := newRig(t)
	strict := broadcast.Policy{Area: "tan-lap", Revision: broadcast.Revision(r.Now())}
	for _, c := range broadcast.Classes() {
		strict.Thresholds = append(strict.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	r.keep(strict)
	for _, c := range []struct {
		areas    []broadcast.ID
		officers int
	}{
		{[]broadcast.ID{"tan-quang"}, 1}, {[]broadcast.ID{"tan-lap"}, 2}, {[]broadcast.ID{"tan-quang", "tan-lap"}, 2},
		{[]broadcast.ID{broadcast.BacQuang}, 1}, // what is below does not bind what is above
	} {
		d := r.flood()
		d.Areas = c.areas
		if a := r.submit(r.first, r.create(r.first, d)); a.Officers != c.officers {
			t.Errorf("%v: %d officers, want %d", c.areas, a.Officers, c.officers)
		}
	}
}
