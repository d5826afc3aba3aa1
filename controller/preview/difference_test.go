package preview_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// around returns what a preview of every node reads from, and the next day.
func (r *rig) around() (preview.Source, []store.Node, plan.Window) {
	r.t.Helper()
	ring, err := r.Office.Ring(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	nodes, err := r.DB.Nodes(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return preview.Source{DB: r.DB, Ring: ring, Now: r.Now(), Places: todays{r.Tree(), r.Now()}}, nodes, plan.Window{From: r.Now(), To: r.Now().Add(24 * time.Hour)}
}

func (r *rig) differ(c preview.Change) preview.Difference {
	r.t.Helper()
	src, nodes, window := r.around()
	d := preview.Differ(r.t.Context(), src, nodes, window, c)
	if d.Trouble != "" {
		r.t.Fatal(d.Trouble)
	}
	return d
}

func district() []plan.Signer {
	return []plan.Signer{{Person: "an", Level: broadcast.District, Custody: broadcast.CustodyToken}}
}

// TestWhatIsAheadIsThePlanOfEveryNode compares the view of an area with the
// plan of one node in it.
func TestWhatIsAheadIsThePlanOfEveryNode(t *testing.T) {
	r := newRig(t)
	r.Node("tan-quang-1", "tan-quang")
	r.publish(broadcast.Priority, r.Now().Add(time.Hour))
	r.publish(broadcast.Priority, r.Now().Add(18*time.Hour+30*time.Minute))
	src, nodes, window := r.around()
	a := preview.Look(t.Context(), src, nodes, window)
	p := r.plan()
	if len(a.Prospects) != len(p.Entries) || a.Nodes != 2 || a.Unseen != 0 {
		t.Fatalf("%+v\n%+v", a, p)
	}
	for i, e := range p.Entries {
		got := a.Prospects[i]
		if got.Announcement != e.Announcement || got.Start != e.Start || got.Fate.Sounds != (len(e.Soundings) > 0) || got.Fate.Reason != e.Reason || got.Nodes != 2 || len(got.Areas) != 2 {
			t.Errorf("%+v is not %+v", got, e)
		}
	}
	if w := a.Prospects[1].Words(); w.English != "02:30 23/11/2026 “Bản tin”: silent: inside quiet hours (02:00–04:00), on 2 nodes in 2 areas" ||
		!strings.Contains(w.Vietnamese, "không phát: trong giờ yên tĩnh (02:00–04:00), tại 2 cụm loa") {
		t.Errorf("%+v", w)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if a := preview.Look(ended, src, nodes, window); a.Unseen != 2 || a.Trouble == "" || len(a.Prospects) != 0 {
		t.Errorf("after its end: %+v", a)
	}
}

// TestADifferenceIsWhatTheTwoPlansDoNotShare makes each change once.
func TestADifferenceIsWhatTheTwoPlansDoNotShare(t *testing.T) {
	said := func(c preview.Change, d preview.Difference) string {
		var lines []string
		for _, s := range d.Shifts {
			lines = append(lines, s.Words().English)
		}
		return strings.Join(lines, "\n")
	}
	r := newRig(t)
	old := r.publish(broadcast.Priority, r.Now().Add(time.Hour))
	if d := r.differ(preview.Change{}); len(d.Shifts) != 0 || d.Nodes != 1 {
		t.Errorf("no change: %+v", d)
	}
	same := r.item(func(a *broadcast.Announcement) { a.ID, a.Title = "00", "Một phút sau"; a.Timing.Start += 60_000 })
	c := preview.Change{Announcement: &preview.Subject{Announcement: same, Signers: district()}}
	beside := r.differ(c)
	if got := said(c, beside); got != "09:01 22/11/2026 “Một phút sau”: sounds 09:01–09:01:10, on 1 node in 1 area" || len(beside.Others()) != 0 {
		t.Errorf("beside: %s", got)
	}
	same.Timing.Start -= 60_000
	c.Announcement.Announcement = same
	over := r.differ(c)
	if got := said(c, over); !strings.Contains(got, "“Bản tin”: sounds 09:00:10–09:00:20, but: another item sounds at that time (“Một phút sau”), on 1 node in 1 area; before: sounds 09:00–09:00:10") {
		t.Errorf("in its place: %s", got)
	}
	if o := over.Others(); len(o) != 1 || !o[0].Spoils() || over.Digest == beside.Digest {
		t.Errorf("%+v", over)
	}
	c = preview.Change{Withdrawn: []broadcast.ID{old.ID}}
	gone := r.differ(c)
	if got := said(c, gone); got != "09:00 22/11/2026 “Bản tin”: is not there, on 1 node in 1 area; before: sounds 09:00–09:00:10" {
		t.Errorf("withdrawn: %s", got)
	}
}

// TestTheCommunesOrderIsForeseen has two items at one moment.
func TestTheCommunesOrderIsForeseen(t *testing.T) {
	r := newRig(t)
	first := r.publish(broadcast.Priority, r.Now().Add(time.Hour))
	r.Clock.Add(time.Second)
	second := r.publish(broadcast.Priority, first.Timing.Start)
	p := broadcast.Placement{ID: "xep-lich", Revision: broadcast.Revision(r.Now()), Areas: []broadcast.ID{"xa-tan-quang"}, Until: r.Now().Add(24 * time.Hour),
		Items: []broadcast.Placed{{Announcement: second.ID, Revision: second.Revision}, {Announcement: first.ID, Revision: first.Revision}}}
	d := r.differ(preview.Change{Placement: &p})
	if len(d.Shifts) != 2 || d.Shifts[0].Announcement != first.ID || d.Shifts[0].Fate.Reason != broadcast.WhyOverlap || d.Shifts[1].Announcement != second.ID || d.Shifts[1].Spoils() {
		t.Errorf("%+v", d.Shifts)
	}
	s := broadcast.Slot{ID: "khung", Areas: p.Areas, Level: broadcast.Commune, Spans: []broadcast.Span{{From: 0, To: 60}}, From: r.Now(), Until: r.Now().Add(time.Hour)}
	if d := r.differ(preview.Change{Slot: &s}); len(d.Shifts) != 0 {
		t.Errorf("a slot changes: %+v", d.Shifts)
	}
}
