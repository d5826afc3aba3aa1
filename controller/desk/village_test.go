package desk_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
)

// TestAVillageHeadSpeaksInItsWindowsForFiveMinutes: what no certificate can say
// is held at the desk, when it is written and again when it is signed.
func TestAVillageHeadSpeaksInItsWindowsForFiveMinutes(t *testing.T) {
	r := newRig(t)
	window := broadcast.Policy{Area: broadcast.BacQuang, Revision: broadcast.Revision(r.Now()) + 1, OneOfficer: broadcast.Classes(),
		Windows: []broadcast.Span{{From: 17 * 60, To: 18 * 60}}}
	for _, c := range broadcast.Classes() {
		window.Thresholds = append(window.Thresholds, broadcast.Threshold{Class: c, Officers: 1})
	}
	r.keep(window)
	head, neighbour := r.Somebody("village-head", "tan-lap"), r.Named("duyet-1")
	evening := r.Now().Add(9 * time.Hour) // it is eight in the morning
	at := func(start broadcast.Instant, length time.Duration) desk.Draft {
		d := r.flood()
		d.Class, d.Areas, d.Reason = broadcast.Normal, []broadcast.ID{"tan-lap"}, ""
		d.Timing = broadcast.Timing{Mode: broadcast.ModeStart, Start: start}
		d.Versions[0].Content = r.Content(length)
		return d
	}
	for name, c := range map[string]struct {
		draft desk.Draft
		want  desk.Code
	}{
		"six minutes":        {at(evening, 6*time.Minute), desk.RoleLength},
		"before the window":  {at(evening.Add(-time.Minute), time.Minute), desk.RoleWindow},
		"over its end":       {at(evening.Add(time.Hour-time.Minute), 2*time.Minute), desk.RoleWindow},
		"priority at noon":   {priority(at(evening.Add(19*time.Hour), time.Minute)), desk.RoleWindow},
		"an emergency":       {r.flood(), desk.ClassRight},
		"every evening":      {daily(at(evening, time.Minute)), desk.RoleOnce},
		"five minutes":       {at(evening, 5*time.Minute), ""},
		"priority in window": {priority(at(evening, time.Minute)), ""},
	} {
		c.draft.Areas = []broadcast.ID{"tan-lap"}
		_, err := r.Desk.Create(t.Context(), head.Person, c.draft, nil)
		if c.want == "" && err != nil || c.want != "" && err == nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.want != "" && err != nil {
			refused(t, err, c.want)
		}
	}
	if _, err := r.Desk.Create(t.Context(), head.Person, func() desk.Draft { d := at(evening, time.Minute); d.Areas = []broadcast.ID{"viet-quang"}; return d }(), nil); err == nil {
		t.Error("another village")
	}
	long, err := r.Desk.Create(t.Context(), neighbour.Person, at(evening, 6*time.Minute), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Desk.Submit(t.Context(), neighbour.Person, neighbour.Credential, long.Document.ID, ""); err != nil {
		t.Fatal(err)
	}
	_, err = r.Desk.Approve(t.Context(), head.Person, head.Credential, long.Document.ID, long.Digest)
	refused(t, err, desk.RoleLength)
}

func priority(d desk.Draft) desk.Draft {
	d.Class = broadcast.Priority
	return d
}

func daily(d desk.Draft) desk.Draft {
	d.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
	d.Timing.Until = d.Timing.Start.Add(72 * time.Hour)
	return d
}
