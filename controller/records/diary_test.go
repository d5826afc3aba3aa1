package records_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/records"
	"github.com/loaxa/loaxa/controller/store"
)

const first = "2026-11-22" // the day on which every house begins

func TestADayIsClosedByItselfWithWhatNodesProved(t *testing.T) {
	r := newRig(t)
	for _, id := range []broadcast.ID{"n1", "n2", "n3"} {
		r.Node(id, village)
	}
	r.Node("away", "dong-tam")
	a := r.flood("Lũ quét trên sông Lô")
	r.Prove("n1", desktest.Sounded(a)...)
	r.Prove("n2", refused(a, broadcast.WhyContent))
	r.Prove("away", desktest.Sounded(a)...)
	r.Update(func(tx store.Tx) error {
		return tx.SaveFaults(t.Context(), []store.Fault{{ID: "f1", Node: "n2", Code: broadcast.FaultMains, Since: r.Now(), Shown: r.Now()},
			{ID: "f2", Node: "away", Code: broadcast.FaultMains, Since: r.Now(), Shown: r.Now()}})
	})
	if open := r.diary(first); open.Closed != "" || len(open.Lines) != 1 {
		t.Errorf("before midnight: %+v", open)
	}
	r.nextDay()
	d := r.diary(first)
	if d.Closed == "" || d.Hash == "" || len(d.Lines) != 1 || len(d.Addenda) != 0 {
		t.Fatalf("%+v", d)
	}
	l := d.Lines[0]
	if want := (records.Proof{Expected: 3, Sounded: 1, Silent: 1, Unproved: 1, Millis: 90000}); l.Proof != want {
		t.Errorf("%+v, want %+v", l.Proof, want)
	}
	if l.From != a.Timing.Start.String() || l.To != a.Timing.Start.Add(90*time.Second).String() || l.Author.ID != "duyet-1" || l.Author.Name == "" ||
		len(l.Approvers) != 1 || l.Reason == "" || l.Writer != "Ban chỉ huy" || len(l.Parts) != 1 || l.Parts[0].Content == "" {
		t.Errorf("%+v", l)
	}
	if len(l.Missing) != 2 || l.Missing[0].Node != "n2" || l.Missing[0].VI == "" || l.Missing[1].Result != "unproved" {
		t.Errorf("%+v", l.Missing)
	}
	if len(d.Incidents) != 1 || d.Incidents[0].Node != "n2" {
		t.Errorf("%+v", d.Incidents)
	}
	if v := r.verdict(); !v.Whole || v.Pages != 1 || v.Head != d.Hash {
		t.Errorf("%+v", v)
	}
	r.look()
	if v := r.verdict(); v.Pages != 1 {
		t.Errorf("a second look wrote %d pages", v.Pages)
	}
}

func TestLateReceiptsBecomeAnAddendumByThemselves(t *testing.T) {
	r := newRig(t)
	r.Node("n1", village)
	r.Node("n2", village)
	a := r.flood("Lũ")
	r.Prove("n1", desktest.Sounded(a)...)
	r.nextDay()
	before := r.diary(first)
	r.Clock.Add(time.Hour)
	r.Prove("n2", desktest.Sounded(a)...)
	r.look()
	r.look()
	d := r.diary(first)
	if len(d.Addenda) != 1 || d.Hash != before.Hash || d.Lines[0].Proof.Sounded != 1 {
		t.Fatalf("the closed day: %+v, addenda: %+v", d.Day, d.Addenda)
	}
	if got := d.Addenda[0].Lines; len(got) != 1 || got[0].Proof.Sounded != 2 || len(got[0].Missing) != 0 {
		t.Errorf("%+v", got)
	}
	r.Doubt("n2")
	r.look()
	if d = r.diary(first); len(d.Addenda) != 2 || d.Addenda[1].Lines[0].Proof.Doubtful != 1 || d.Addenda[1].Lines[0].Proof.Sounded != 1 {
		t.Errorf("a doubt that came later: %+v", d.Addenda)
	}
	if v := r.verdict(); !v.Whole || v.Pages != 3 {
		t.Errorf("%+v", v)
	}
}

func TestAChangedOrMissingPageIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		statement string
		broken    int64
	}{
		"the body of a closed day": {"UPDATE diary_pages SET body = replace(body, '\"sounded\":0', '\"sounded\":1') WHERE seq = 1", 1},
		"its day":                  {"UPDATE diary_pages SET day = '2026-11-20' WHERE seq = 2", 2},
		"a page taken out":         {"DELETE FROM diary_pages WHERE seq = 1", 1},
		"the last page taken out":  {"DELETE FROM diary_pages WHERE seq = 2", 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.Node("n1", village)
			r.flood("Lũ")
			r.nextDay()
			r.nextDay()
			if v := r.verdict(); !v.Whole || v.Pages != 2 {
				t.Fatalf("%+v", v)
			}
			r.tamper(c.statement)
			if v := r.verdict(); v.Whole || v.Broken != c.broken {
				t.Errorf("%+v, want page %d", v, c.broken)
			}
		})
	}
}

func TestWhatPeopleWriteIntoTheDiaryStays(t *testing.T) {
	r := newRig(t)
	r.Node("n1", village)
	ctx := t.Context()
	if err := r.records.Write(ctx, "can-bo-xa", commune, first, "  Mất điện từ 9 giờ. ", nil); err != nil {
		t.Fatal(err)
	}
	r.nextDay()
	if err := r.records.Write(ctx, "duyet-1", commune, first, "Đọc bù lúc 17 giờ.", nil); err != nil {
		t.Fatal(err)
	}
	d := r.diary(first)
	if len(d.Entries) != 1 || d.Entries[0].Text != "Mất điện từ 9 giờ." || d.Entries[0].Who.Name == "" {
		t.Errorf("%+v", d.Entries)
	}
	if len(d.Addenda) != 1 || len(d.Addenda[0].Entries) != 1 || d.Addenda[0].Entries[0].Who.ID != "duyet-1" {
		t.Errorf("%+v", d.Addenda)
	}
	for name, c := range map[string]struct{ area, day, text string }{
		"nothing":        {commune, first, " \n"},
		"too much":       {commune, first, strings.Repeat("ă", 1001)},
		"a control sign": {commune, first, "a\x07b"},
		"a village":      {village, first, "a"},
		"nowhere":        {"nowhere", first, "a"},
		"a day to come":  {commune, "2026-11-24", "a"},
		"no day":         {commune, "2026-11-1", "a"},
	} {
		if err := r.records.Write(ctx, "duyet-1", broadcast.ID(c.area), c.day, c.text, nil); !errors.Is(err, records.ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v := r.verdict(); !v.Whole || v.Pages != 2 {
		t.Errorf("%+v", v)
	}
}

// TestWhatRecursHasALineOnEachOfItsDays has one node prove the second day alone.
func TestWhatRecursHasALineOnEachOfItsDays(t *testing.T) {
	r := newRig(t)
	r.Node("n1", village)
	a := r.published(r.Named("duyet-1"), desk.Draft{Title: "Tin sáng", Areas: []broadcast.ID{commune}, Versions: []desk.DraftVersion{{Content: r.Content(time.Minute)}},
		Timing: broadcast.Timing{Start: r.Now().Add(time.Hour), Recurrence: &broadcast.Recurrence{Rule: "FREQ=DAILY"}, Until: r.Now().Add(60 * time.Hour)}})
	r.nextDay()
	second := a
	second.Timing.Start = a.Timing.Start.Add(24 * time.Hour)
	r.Clock.Add(10 * time.Hour)
	for _, receipt := range desktest.Sounded(second) {
		r.Prove("n1", desktest.Of(a, receipt))
	}
	r.nextDay()
	for day, want := range map[string]records.Proof{first: {Expected: 1, Unproved: 1}, "2026-11-23": {Expected: 1, Sounded: 1, Millis: 60000}} {
		d := r.diary(day)
		if len(d.Lines) != 1 || d.Lines[0].Proof != want {
			t.Errorf("%s: %+v", day, d.Lines)
		}
	}
	if d := r.diary("2026-11-24"); d.Closed != "" || len(d.Lines) != 1 {
		t.Errorf("%+v", d)
	}
}

func TestDaysThatEndedWhileTheControllerStoodStillAreClosedAndSaySo(t *testing.T) {
	r := newRig(t)
	r.Node("n1", village)
	r.Clock.Add(72 * time.Hour)
	r.look()
	for _, day := range []string{first, "2026-11-23", "2026-11-24"} {
		d := r.diary(day)
		if d.Closed == "" || len(d.Incidents) != 1 || d.Incidents[0].Code != "controller-stopped" || d.Incidents[0].VI == "" {
			t.Errorf("%s: %+v", day, d)
		}
	}
	if _, err := r.records.Diary(t.Context(), "xa-dong-tam", first); err != nil && !errors.Is(err, records.ErrRecord) {
		t.Error(err)
	}
	if v := r.verdict(); v.Pages != 3 {
		t.Errorf("%+v", v)
	}
}

func TestAWithdrawnSoundingThatNeverBeganIsNoLine(t *testing.T) {
	r := newRig(t)
	r.Node("n1", village)
	by := r.Named("duyet-1")
	a := r.published(by, desk.Draft{Title: "Họp", Areas: []broadcast.ID{commune}, Versions: []desk.DraftVersion{{Content: r.Content(time.Minute)}},
		Timing: broadcast.Timing{Start: r.Now().Add(4 * time.Hour)}})
	if d := r.diary(first); len(d.Lines) != 1 {
		t.Fatalf("%+v", d.Lines)
	}
	if _, err := r.Desk.Withdraw(t.Context(), by.Person, by.Credential, a.ID, "hoãn họp"); err != nil {
		t.Fatal(err)
	}
	if d := r.diary(first); len(d.Lines) != 0 {
		t.Errorf("%+v", d.Lines)
	}
}

// TestLateReceiptsOfARevisionAreFound has a published announcement edited, and the
// node tell of the new one after the day was closed.
func TestLateReceiptsOfARevisionAreFound(t *testing.T) {
	r := newRig(t)
	r.Node("n1", village)
	by := r.Named("duyet-1")
	draft := desk.Draft{Title: "Họp", Areas: []broadcast.ID{commune}, Versions: []desk.DraftVersion{{Content: r.Content(time.Minute)}}, Timing: broadcast.Timing{Start: r.Now().Add(4 * time.Hour)}}
	old := r.published(by, draft)
	r.Clock.Add(time.Minute)
	draft.Title = "Họp thôn"
	a, err := r.Desk.Revise(t.Context(), by.Person, old.ID, draft, nil)
	if err == nil {
		a, err = r.Desk.Submit(t.Context(), by.Person, by.Credential, a.ID, "")
	}
	for _, who := range []desktest.Somebody{by, r.Named("duyet-2")} {
		if err == nil && a.State == store.Submitted {
			a, err = r.Desk.Approve(t.Context(), who.Person, who.Credential, a.ID, a.Digest)
		}
	}
	if err != nil || a.State != store.Published {
		t.Fatalf("%s %v", a.State, err)
	}
	r.nextDay()
	if d := r.diary(first); len(d.Lines) != 1 || d.Lines[0].Title != "Họp thôn" || d.Lines[0].Proof.Unproved != 1 {
		t.Fatalf("%+v", d.Lines)
	}
	r.Prove("n1", desktest.Sounded(a.Document)...)
	r.look()
	if d := r.diary(first); len(d.Addenda) != 1 || d.Addenda[0].Lines[0].Proof.Sounded != 1 {
		t.Errorf("%+v", d.Addenda)
	}
}
