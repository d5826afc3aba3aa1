package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// announce drafts and submits an announcement for Tân Lập, an emergency for now,
// any other in a minute. If it is to be published, the approvers sign it.
func (r *rig) announce(class broadcast.Class, publish bool) desk.Announcement {
	r.t.Helper()
	d := desk.Draft{Title: "Lũ trên sông Lô", Class: class, Areas: []broadcast.ID{"tan-lap"},
		Versions: []desk.DraftVersion{{Language: "vi", Content: r.sound}}, Timing: broadcast.Timing{Mode: broadcast.ModeNow}}
	if class != broadcast.Emergency {
		d.Timing = broadcast.Timing{Start: r.Now().Add(time.Minute)}
	}
	a, err := r.Desk.Create(r.t.Context(), r.Named("bien-tap").Person, d, nil)
	if err == nil {
		a, err = r.Desk.Submit(r.t.Context(), r.Named("bien-tap").Person, people.Credential{}, a.Document.ID, "")
	}
	for _, who := range []broadcast.ID{"duyet-1", "duyet-2"} {
		if publish && err == nil && a.State == store.Submitted {
			by := r.Named(who)
			a, err = r.Desk.Approve(r.t.Context(), by.Person, by.Credential, a.Document.ID, a.Digest)
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) notices(s Source) []Notice {
	r.t.Helper()
	list, err := s.Notices(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

func TestAnEmergencyThatWaitsForApprovalWakesTheApprovers(t *testing.T) {
	r := newRig(t)
	r.start(ApprovalSource{Desk: r.Desk})
	r.wish("duyet-1", func(w *Wish) { w.Topics, w.Quiet, w.Language = []Topic{Approvals}, "07:00-09:00", "en" })
	normal, urgent := r.announce(broadcast.Normal, false), r.announce(broadcast.Emergency, false)
	r.turn(10 * time.Second)
	if len(r.box.took) != 1 || !strings.Contains(r.box.took[0].Body, "EMERGENCY: “Lũ trên sông Lô” waits for a signature") {
		t.Fatalf("%+v", r.box.took)
	}
	for _, a := range []desk.Announcement{normal, urgent} {
		if _, err := r.Desk.Withdraw(t.Context(), r.Named("bien-tap").Person, people.Credential{}, a.Document.ID, "nhầm"); err != nil {
			t.Fatal(err)
		}
	}
	r.turn(2 * time.Hour)
	last := r.box.took[len(r.box.took)-1]
	if len(r.box.took) != 2 || !strings.Contains(last.Body, "[Over · Waiting for approval]") {
		t.Errorf("its end: %q", r.box.subjects())
	}
}

func TestFaultsAreToldInTheWordsOfTheTable(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	grave := func(g broadcast.Gravity) broadcast.Fault {
		return broadcast.Faults()[slices.IndexFunc(broadcast.Faults(), func(f broadcast.Fault) bool { return f.Gravity == g })]
	}
	r.Update(func(tx store.Tx) error {
		var list []store.Fault
		for i, g := range broadcast.Gravities() {
			list = append(list, store.Fault{ID: broadcast.ID(fmt.Sprintf("f%d", i)), Node: "tan-lap-1", Code: grave(g).Code, Since: 1, Shown: 1})
		}
		return tx.SaveFaults(t.Context(), append(list, store.Fault{ID: "f8", Node: "tan-lap-1", Code: grave(broadcast.Grave).Code, Since: 1, Shown: 1, Cleared: 2}))
	})
	got := r.notices(FaultSource{DB: r.DB})
	if len(got) != 2 {
		t.Fatalf("%+v", got)
	}
	for _, n := range got {
		row, _ := broadcast.FaultOf(broadcast.FaultCode(n.Cause))
		if n.Area != "tan-lap" || n.Words.VI != row.VI || n.Words.DoVI != row.DoVI || n.Urgent != (row.Gravity == broadcast.Grave) {
			t.Errorf("%+v", n)
		}
	}
}

func TestWhatDidNotSoundIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		class   broadcast.Class
		prove   func(a broadcast.Announcement) []broadcast.Receipt
		after   time.Duration
		want    string
		passing bool
	}{
		"an emergency is given a minute":           {broadcast.Emergency, nil, 30 * time.Second, "", false},
		"an emergency that nobody proves":          {broadcast.Emergency, nil, 90 * time.Second, "chưa có bằng chứng đã phát", false},
		"an emergency that sounded":                {broadcast.Emergency, desktest.Sounded, 90 * time.Second, "", false},
		"a normal one may take its time":           {broadcast.Normal, nil, 90 * time.Second, "", false},
		"a normal one that was never proved":       {broadcast.Normal, nil, 3 * time.Hour, "không có bằng chứng đã phát", true},
		"what ended long ago is told no more":      {broadcast.Normal, nil, 60 * time.Hour, "", false},
		"one that the node refused, with its word": {broadcast.Normal, refusal, 2 * time.Minute, "không phát được: ", true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.Node("tan-lap-1", "tan-lap")
			a := r.announce(c.class, true)
			if c.prove != nil {
				r.Prove("tan-lap-1", c.prove(a.Document)...)
			}
			for range 2 { // closing and what is told of it
				r.Clock.Add(c.after / 2)
				if err := r.Desk.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			got := r.notices(&MissedSource{DB: r.DB, Desk: r.Desk, Now: r.Clock.Now})
			if c.want == "" {
				if len(got) != 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0].Words.VI, c.want) || got[0].Passing != c.passing || got[0].Subject != "tan-lap-1" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func refusal(a broadcast.Announcement) []broadcast.Receipt {
	return []broadcast.Receipt{desktest.Of(a, broadcast.Receipt{Start: a.Timing.Start, At: a.Timing.Start, Rung: broadcast.Refused, Reason: broadcast.WhyQuiet})}
}

func TestReceiptsAreReadEveryHalfMinuteAndNotMore(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	s := &MissedSource{DB: r.DB, Desk: r.Desk, Now: r.Clock.Now}
	r.announce(broadcast.Emergency, true)
	r.Clock.Add(50 * time.Second)
	if got := r.notices(s); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	r.Clock.Add(20 * time.Second)
	if got := r.notices(s); len(got) != 0 {
		t.Errorf("read again after 20 s: %+v", got)
	}
	r.Clock.Add(10 * time.Second)
	if got := r.notices(s); len(got) != 1 {
		t.Errorf("not read after 30 s: %+v", got)
	}
}

func TestRightsThatEndAreToldAMonthAndAWeekAhead(t *testing.T) {
	r := newRig(t)
	s := EndingSource{DB: r.DB, Office: r.Office, Now: r.Clock.Now}
	until, err := r.Office.SignsUntil(t.Context(), r.Named("duyet-1").Person)
	if err != nil || until == 0 {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, left := range []time.Duration{40 * day, 29 * day, 20 * day, 6 * day, time.Hour} {
		r.Clock.Add(until.Sub(r.Now()) - left)
		for _, n := range r.notices(s) {
			if n.Person == "duyet-1" {
				names[n.Name] = true
				if left > 30*day || !n.Passing || !strings.Contains(n.Words.VI, until.Time().In(broadcast.Local()).Format("02/01/2006")) {
					t.Errorf("%v before: %+v", left, n)
				}
			}
		}
	}
	if len(names) != 2 {
		t.Errorf("%v", names)
	}
}

func TestWhoeverIsMeantIsToldOfTheOwnRightsAndNobodyElses(t *testing.T) {
	r := newRig(t)
	for _, who := range []broadcast.ID{"duyet-1", "duyet-2", "quan-tri"} {
		r.wish(who, func(w *Wish) { w.Topics = []Topic{Endings} })
	}
	r.pile.list = []Notice{{Name: "ends:x", Topic: Endings, Cause: "x", Area: "bac-quang", Person: "duyet-1", Passing: true, Words: Words{VI: "sắp hết hạn"}}}
	r.turn(time.Minute)
	var got []string
	for _, m := range r.box.took {
		got = append(got, string(m.Person))
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"duyet-1", "quan-tri"}) {
		t.Errorf("%q", got)
	}
}
