package preview_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// item is a priority announcement of the district, ten seconds long.
func (r *rig) item(change func(*broadcast.Announcement)) broadcast.Announcement {
	a := broadcast.Announcement{ID: "du-bao", Revision: broadcast.Revision(r.Now()), Class: broadcast.Priority, Title: "Dự báo",
		Areas: []broadcast.ID{broadcast.BacQuang}, Meta: broadcast.Sum([]byte("{}")), Reason: "thử",
		Timing:   broadcast.Timing{Mode: broadcast.ModeStart, Start: r.Now().Add(time.Hour)},
		Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: broadcast.Sum(nil), Millis: 10000, Bytes: 30000}}}}
	if change != nil {
		change(&a)
	}
	return a
}

// foresee makes the forecast of an announcement that one officer of the
// district signs.
func (r *rig) foresee(ctx context.Context, a broadcast.Announcement) preview.Forecast {
	r.t.Helper()
	ring, err := r.Office.Ring(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	nodes, err := r.DB.Nodes(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	src := preview.Source{DB: r.DB, Ring: ring, Now: r.Now(), Places: todays{r.Tree(), r.Now()}}
	return preview.Foresee(ctx, src, preview.Subject{Announcement: a, Signers: []plan.Signer{{Person: "an", Level: broadcast.District, Custody: broadcast.CustodyToken}}}, nodes)
}

// law lists a policy of an area that two officers signed.
func (r *rig) law(area broadcast.ID, change func(*broadcast.Policy)) {
	r.t.Helper()
	p := broadcast.Policy{Area: area, Revision: broadcast.Revision(r.Now()) + 1, OneOfficer: broadcast.Classes()}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	change(&p)
	r.list(broadcast.KindPolicy, area, p.Revision, area, p, r.officer, r.Named("duyet-2"))
}

func daily(from broadcast.Instant) broadcast.Timing {
	return broadcast.Timing{Mode: broadcast.ModeStart, Start: from, Recurrence: &broadcast.Recurrence{Rule: "FREQ=DAILY"}, Until: from.Add(60 * 24 * time.Hour)}
}

// TestEveryReasonIsForetold makes each rule speak against an announcement.
func TestEveryReasonIsForetold(t *testing.T) {
	span := broadcast.Span{From: 5 * 60, To: 6 * 60}
	at := func(hours float64) func(*broadcast.Announcement) {
		return func(a *broadcast.Announcement) { a.Timing.Start += broadcast.Instant(hours * 3600_000) }
	}
	class := func(c broadcast.Class) func(*broadcast.Announcement) {
		return func(a *broadcast.Announcement) { a.Class = c }
	}
	for name, c := range map[string]struct {
		set    func(*rig)
		change func(*broadcast.Announcement)
		says   string
	}{
		"nothing wrong": {nil, nil, "sounds; at 09:00 22/11/2026 on 1 node in 1 area"},
		"quiet":         {nil, at(18.25), "silent: inside quiet hours (02:00–04:00); at 03:15 23/11/2026 on 1 node in 1 area"},
		"window": {func(r *rig) {
			r.law(broadcast.BacQuang, func(p *broadcast.Policy) {
				p.Windows = []broadcast.Span{span, {Days: []broadcast.Weekday{"SU"}, From: 0, To: 60}}
			})
		}, class(broadcast.Normal), "silent: outside the broadcast windows (05:00–06:00, 00:00–01:00 SU)"},
		"budget": {func(r *rig) {
			r.law(broadcast.BacQuang, func(p *broadcast.Policy) { p.Minutes = []broadcast.Budget{{Class: broadcast.Priority, Minutes: 0}} })
		}, nil, "silent: the day's minutes are used up;"},
		"no policy": {func(r *rig) {
			r.Update(func(tx store.Tx) error { return tx.Unlist(r.t.Context(), broadcast.KindPolicy, broadcast.BacQuang) })
		}, nil, "silent: no verified policy is held;"},
		"threshold": {nil, func(a *broadcast.Announcement) { a.Reason = "" }, "silent: too few signatures for the policy;"},
		"silence": {func(r *rig) {
			s := broadcast.Silence{ID: "im-lang", Revision: broadcast.Revision(r.Now()), Areas: []broadcast.ID{broadcast.BacQuang},
				Classes: []broadcast.Class{broadcast.Priority}, Until: r.Now().Add(3 * time.Hour), Reason: "lễ tang"}
			r.list(broadcast.KindSilence, s.ID, s.Revision, broadcast.BacQuang, s, r.officer)
		}, nil, "silent: a silence is in force (→ 11:00 22/11/2026);"},
		"language": {nil, func(a *broadcast.Announcement) { a.Versions[0].Language = "tyz" }, "silent: no version in a language of the area;"},
		"offer": {func(r *rig) {
			r.Update(func(tx store.Tx) error { return tx.Unlist(r.t.Context(), broadcast.KindSlot, "khung-gio-huyen") })
		}, class(broadcast.Normal), "silent: offered by a higher level, not yet placed by the commune;"},
		"body": {nil, func(a *broadcast.Announcement) {
			a.Versions[0] = broadcast.Version{Language: "vi", Live: &broadcast.Live{Source: "microphone", Millis: 60000}}
		}, "silent: a body that this node cannot play;"},
		"another before it": {func(r *rig) { r.long(broadcast.Emergency, r.Now().Add(time.Hour-10*time.Second), 10*time.Minute) }, nil,
			"silent: past its deadline (“Bản tin dài”);"},
		"another for a moment": {func(r *rig) { r.long(broadcast.Priority, r.Now().Add(time.Hour-10*time.Second), time.Minute) }, nil,
			"sounds, but: another item sounds at that time (“Bản tin dài”);"},
		"cut by a higher class": {func(r *rig) { r.long(broadcast.Emergency, r.Now().Add(time.Hour+5*time.Second), time.Minute) },
			class(broadcast.Normal), "sounds, but: gave way to a higher class (“Bản tin dài”);"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			if c.set != nil {
				c.set(r)
			}
			f := r.foresee(t.Context(), r.item(c.change))
			if len(f.Outcomes) != 1 || f.Nodes != 1 || f.Occurrences != 1 || f.Trouble != "" {
				t.Fatalf("%+v", f)
			}
			o := f.Outcomes[0]
			if got := o.Words(); !strings.HasPrefix(got.English, c.says) || (o.Reason != "") != (o.Advice().English != "") {
				t.Errorf("%q, want %q; advice %q", got.English, c.says, o.Advice().English)
			}
			if want := !o.Sounds && o.Reason != broadcast.WhyOffer; f.Nowhere() != want {
				t.Errorf("nowhere %v", f.Nowhere())
			}
		})
	}
}

// long publishes an announcement of a length.
func (r *rig) long(class broadcast.Class, at broadcast.Instant, length time.Duration) {
	r.t.Helper()
	by := r.officer
	a, err := r.Desk.Create(r.t.Context(), by.Person, desk.Draft{Title: "Bản tin dài", Class: class, Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "thử",
		Versions: []desk.DraftVersion{{Content: r.Content(length)}}, Timing: broadcast.Timing{Start: at}}, nil)
	if err == nil {
		_, err = r.Desk.Submit(r.t.Context(), by.Person, by.Credential, a.Document.ID, "")
	}
	if err == nil {
		_, err = r.Desk.Approve(r.t.Context(), by.Person, by.Credential, a.Document.ID, a.Digest)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestTheForecastIsThePlanOfTheNode asks for every hour of a day, before
// publishing and after.
func TestTheForecastIsThePlanOfTheNode(t *testing.T) {
	r := newRig(t)
	for hour := range 24 {
		at := r.Now().Add(time.Duration(hour)*time.Hour + 15*time.Minute)
		f := r.foresee(t.Context(), r.item(func(a *broadcast.Announcement) { a.Timing.Start = at }))
		a := r.publish(broadcast.Priority, at)
		for _, e := range r.plan().Entries {
			if e.Announcement != a.ID {
				continue
			}
			if o := f.Outcomes[0]; o.Sounds != (len(e.Soundings) == 1) || o.Reason != e.Reason || o.First != e.Start {
				t.Errorf("at %s: foretold %+v, planned %+v", at, o, e)
			}
		}
	}
}

func TestWhatEndsAlikeIsToldTogether(t *testing.T) {
	r := newRig(t)
	for i := range 3 {
		r.Node(broadcast.ID(fmt.Sprint("tan-quang-", i)), "tan-quang")
	}
	r.law("tan-quang", func(p *broadcast.Policy) { p.Quiet = []broadcast.Span{{From: 12 * 60, To: 14 * 60}} })
	night := r.foresee(t.Context(), r.item(func(a *broadcast.Announcement) { a.Timing = daily(r.Now().Add(19*time.Hour + 15*time.Minute)) }))
	if len(night.Outcomes) != 1 || !night.Nowhere() || !night.Later || night.Occurrences != 7 || night.Nodes != 4 {
		t.Fatalf("%+v", night)
	}
	if got := night.Outcomes[0].Words(); got.English != "silent: inside quiet hours (02:00–04:00); 7 times, 03:15 23/11/2026 to 03:15 29/11/2026 on 4 nodes in 2 areas" ||
		got.Vietnamese != "không phát: trong giờ yên tĩnh (02:00–04:00); 7 lượt, từ 03:15 23/11/2026 đến 03:15 29/11/2026 tại 4 cụm loa thuộc 2 địa bàn" {
		t.Errorf("%+v", got)
	}
	noon := r.foresee(t.Context(), r.item(func(a *broadcast.Announcement) { a.Timing = daily(r.Now().Add(5 * time.Hour)) }))
	if len(noon.Outcomes) != 2 || noon.Nowhere() {
		t.Fatalf("%+v", noon)
	}
	silent, heard := noon.Outcomes[0], noon.Outcomes[1]
	if silent.Sounds || silent.Limit != "12:00–14:00" || silent.Nodes != 3 || len(silent.Areas) != 1 || silent.Areas[0] != (preview.AreaNodes{Area: "tan-quang", Nodes: 3}) {
		t.Errorf("%+v", silent)
	}
	if !heard.Sounds || heard.Reason != "" || heard.Nodes != 1 || heard.Areas[0].Area != "tan-lap" {
		t.Errorf("%+v", heard)
	}
	if night.Accepts(nil) || night.Accepts([]broadcast.Reason{broadcast.WhyBudget}) || !night.Accepts([]broadcast.Reason{broadcast.WhyBudget, broadcast.WhyQuiet}) {
		t.Error("accepted without its reason, or not with it")
	}
}

// TestARareRuleIsLookedForFarther: the first Monday of a month is not in the
// next seven days.
func TestARareRuleIsLookedForFarther(t *testing.T) {
	r := newRig(t)
	monthly := func(rule string) preview.Forecast {
		return r.foresee(t.Context(), r.item(func(a *broadcast.Announcement) {
			a.Timing = daily(r.Now().Add(time.Hour))
			a.Timing.Recurrence.Rule = rule
		}))
	}
	if f := monthly("FREQ=MONTHLY;BYDAY=1MO"); f.Occurrences != 1 || f.Outcomes[0].First != broadcast.InstantOf(time.Date(2026, 12, 7, 9, 0, 0, 0, broadcast.Local())) {
		t.Errorf("%+v", f)
	}
	if f := monthly("FREQ=YEARLY;BYMONTH=6;BYMONTHDAY=1"); f.Occurrences != 0 || f.Nowhere() || f.Nodes != 1 {
		t.Errorf("in half a year: %+v", f)
	}
}

// TestMinutesOfTodayAreSpent: what ended in the morning is listed no more, and
// counts.
func TestMinutesOfTodayAreSpent(t *testing.T) {
	r := newRig(t)
	r.law(broadcast.BacQuang, func(p *broadcast.Policy) { p.Minutes = []broadcast.Budget{{Class: broadcast.Priority, Minutes: 2}} })
	r.Clock.Add(time.Second)
	r.long(broadcast.Priority, r.Now().Add(time.Minute), 115*time.Second)
	r.Clock.Add(3 * time.Hour)
	today, tomorrow := r.item(nil), r.item(func(a *broadcast.Announcement) { a.Timing.Start = r.Now().Add(24 * time.Hour) })
	if f := r.foresee(t.Context(), today); f.Outcomes[0].Reason != broadcast.WhyBudget {
		t.Errorf("today: %+v", f)
	}
	if f := r.foresee(t.Context(), tomorrow); !f.Outcomes[0].Sounds {
		t.Errorf("tomorrow: %+v", f)
	}
}

func TestAForecastSaysWhatItDidNotLookAt(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	night := r.item(func(a *broadcast.Announcement) { a.Timing.Start = r.Now().Add(19 * time.Hour) })
	if f := r.foresee(ctx, night); f.Nodes != 0 || f.Unseen != 1 || f.Trouble == "" || f.Nowhere() {
		t.Errorf("out of time: %+v", f)
	}
	if err := r.Fleet.Revoke(t.Context(), "ky-thuat", "tan-lap-1"); err != nil {
		t.Fatal(err)
	}
	r.Node("tan-lap-2", "tan-lap")
	r.Update(func(tx store.Tx) error {
		n, err := tx.Node(t.Context(), "tan-lap-1")
		n.Assignment = broadcast.Sum([]byte("lost"))
		if err == nil {
			err = tx.SaveNode(t.Context(), n)
		}
		return err
	})
	if f := r.foresee(t.Context(), night); f.Nodes != 1 || f.Unseen != 1 || !strings.Contains(f.Trouble, "tan-lap-1") || f.Nowhere() {
		t.Errorf("a place that cannot be read: %+v", f)
	}
}
