package feedback_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/feedback"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/records"
	"github.com/loaxa/loaxa/controller/store"
)

// rig is a house with its register.
type rig struct {
	*desktest.House
	t        *testing.T
	register *feedback.Register
}

func newRig(t *testing.T) *rig {
	t.Helper()
	h := desktest.New(t)
	return &rig{House: h, t: t, register: feedback.New(feedback.Config{DB: h.DB, Sites: h.Fleet, Persons: h.Office, Tree: h.Tree, Now: h.Clock.Now})}
}

// loud is what most tests report.
func loud() feedback.Report {
	return feedback.Report{Area: "tan-lap", Kind: feedback.TooLoud, Text: "Loa đầu thôn quá to lúc 5 giờ.", Contact: "0912 345 678"}
}

func (r *rig) taken() store.Feedback {
	r.t.Helper()
	row, err := r.register.Take(r.t.Context(), "can-bo-xa", loud(), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return row
}

// trim signs another trim of a node.
func (r *rig) trim(node broadcast.ID, before, trim int64) {
	r.t.Helper()
	technician := r.Named("ky-thuat")
	err := r.Office.With(r.t.Context(), technician.Credential, func(s seal.Signer) error {
		return r.Fleet.Trim(r.t.Context(), technician.Person.ID, node, before, trim, s)
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestHowLoudANodeWasBeforeAndAfterComesFromItsSignedPlace(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.Node("n1", "tan-lap")
	r.Clock.Add(time.Second)
	r.trim("n1", 0, -100)
	row := r.taken()
	row, err := r.register.Assign(ctx, "can-bo-xa", row.ID, row.Version, "n1")
	if err != nil || row.TrimBefore != -100 || row.Node != "n1" || row.AssignedBy != "can-bo-xa" {
		t.Fatalf("%+v %v", row, err)
	}
	r.Clock.Add(time.Hour)
	r.trim("n1", -100, -400)
	row, err = r.register.Close(ctx, "ky-thuat", row.ID, row.Version, " Đã giảm 3 dB. ")
	if err != nil || row.TrimAfter != -400 || row.Answer != "Đã giảm 3 dB." || row.ClosedBy != "ky-thuat" || row.Closed != r.Now() {
		t.Fatalf("%+v %v", row, err)
	}
	kept, err := r.register.Entry(ctx, row.ID)
	if err != nil || kept != row {
		t.Errorf("kept %+v, answered %+v: %v", kept, row, err)
	}
	for _, act := range []string{"feedback.take", "feedback.assign", "feedback.close"} {
		rows, err := r.DB.AuditPage(ctx, store.AuditQuery{Act: act, Subject: string(row.ID), Limit: 2})
		if err != nil || len(rows) != 1 || strings.Contains(rows[0].Detail, "0912") || strings.Contains(rows[0].Detail, "Loa đầu") {
			t.Errorf("%s: %+v %v", act, rows, err)
		}
	}
}

func TestWhoeverWorksOnAnOlderVersionGetsTheNewerOne(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.Node("n1", "tan-lap")
	r.Node("n2", "tan-lap")
	row := r.taken()
	if _, err := r.register.Assign(ctx, "can-bo-xa", row.ID, 1, "n1"); err != nil {
		t.Fatal(err)
	}
	_, err := r.register.Assign(ctx, "duyet-1", row.ID, 1, "n2")
	var no *feedback.Refusal
	if !errors.As(err, &no) || no.Code != feedback.Edited || no.Current == nil || no.Current.Node != "n1" || no.Current.Version != 2 {
		t.Fatalf("%v %+v", err, no)
	}
	if _, err := r.register.Close(ctx, "duyet-1", row.ID, 1, "Xong"); !errors.As(err, &no) || no.Code != feedback.Edited {
		t.Errorf("%v", err)
	}
	if _, err := r.register.Close(ctx, "duyet-1", row.ID, 2, "Xong"); err != nil {
		t.Fatal(err)
	}
	for name, again := range map[string]func() error{
		"closed again":   func() error { _, err := r.register.Close(ctx, "duyet-2", row.ID, 3, "Khác"); return err },
		"assigned again": func() error { _, err := r.register.Assign(ctx, "duyet-2", row.ID, 3, "n2"); return err },
	} {
		if err := again(); !errors.As(err, &no) || no.Code != feedback.Answered || no.Current.Answer != "Xong" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatCannotBeKeptSaysWhatToChange(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for name, c := range map[string]struct {
		change func(*feedback.Report)
		field  string
		code   feedback.Code
	}{
		"no such area":       {func(in *feedback.Report) { in.Area = "nowhere" }, "area", feedback.AreaUnknown},
		"a district":         {func(in *feedback.Report) { in.Area = broadcast.BacQuang }, "area", feedback.AreaLevel},
		"no such kind":       {func(in *feedback.Report) { in.Kind = "boring" }, "kind", feedback.Invalid},
		"no kind":            {func(in *feedback.Report) { in.Kind = "" }, "kind", feedback.Invalid},
		"too long":           {func(in *feedback.Report) { in.Text = strings.Repeat("ă", 1001) }, "text", feedback.Invalid},
		"a control sign":     {func(in *feedback.Report) { in.Text = "a\x07b" }, "text", feedback.Invalid},
		"a long contact":     {func(in *feedback.Report) { in.Contact = strings.Repeat("1", 101) }, "contact", feedback.Invalid},
		"other than nothing": {func(in *feedback.Report) { in.Kind, in.Text = feedback.Other, " \n" }, "text", feedback.Invalid},
	} {
		in := loud()
		c.change(&in)
		_, taken := r.register.Take(ctx, "can-bo-xa", in, nil)
		_, heard := r.register.Hear(ctx, "10.0.0.1", in)
		for _, err := range []error{taken, heard} {
			var no *feedback.Refusal
			if !errors.As(err, &no) || no.Code != c.code || no.Field != c.field || no.English == "" || no.Vietnamese == "" || strings.Contains(no.Error(), "%!") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	in := loud()
	in.Text = "" // too loud is a word in itself
	if _, err := r.register.Take(ctx, "can-bo-xa", in, nil); err != nil {
		t.Error(err)
	}
	r.Node("n1", "tan-lap")
	row := r.taken()
	var no *feedback.Refusal
	if _, err := r.register.Assign(ctx, "can-bo-xa", row.ID, 1, "n9"); !errors.As(err, &no) || no.Code != feedback.NodeStatus {
		t.Errorf("a node that nobody knows: %v", err)
	}
	for _, answer := range []string{" ", strings.Repeat("ă", 1001)} {
		if _, err := r.register.Close(ctx, "can-bo-xa", row.ID, 1, answer); !errors.As(err, &no) || no.Field != "answer" {
			t.Errorf("%.10q: %v", answer, err)
		}
	}
	if _, err := r.register.Close(ctx, "can-bo-xa", "nothing", 1, "x"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// hear reports as a stranger, with words of its own.
func (r *rig) hear(address, text string, area broadcast.ID) (store.Feedback, error) {
	in := loud()
	in.Text, in.Area = text, area
	return r.register.Hear(r.t.Context(), address, in)
}

func TestAStrangerIsSlowedDownAndNobodyElse(t *testing.T) {
	r := newRig(t)
	var slow *people.Patience
	for i := range 4 {
		_, err := r.hear("2001:db8::1", fmt.Sprint("to quá ", i), "tan-lap")
		if i < 3 != (err == nil) && !errors.As(err, &slow) {
			t.Fatalf("report %d: %v", i, err)
		}
	}
	if _, err := r.hear("2001:db8::2", "to quá 9", "tan-lap"); !errors.As(err, &slow) {
		t.Errorf("the same household from another address: %v", err)
	}
	if _, err := r.hear("2001:db8:9999::1", "to quá 9", "tan-lap"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	r.Clock.Add(2 * time.Minute)
	if _, err := r.hear("2001:db8::1", "to quá 8", "tan-lap"); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestTheSameWordsOfStrangersAreKeptOnce(t *testing.T) {
	r := newRig(t)
	first, err := r.hear("10.0.0.1", "to quá", "tan-lap")
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.hear("10.0.0.2", "to quá ", "tan-lap")
	if err != nil || second.ID != first.ID {
		t.Errorf("%+v %v", second, err)
	}
	r.Clock.Add(61 * time.Minute)
	if third, err := r.hear("10.0.0.3", "to quá", "tan-lap"); err != nil || third.ID == first.ID {
		t.Errorf("an hour later: %+v %v", third, err)
	}
	if a, b := r.taken(), r.taken(); a.ID == b.ID {
		t.Error("what staff write down twice is kept once")
	}
}

func TestStrangersCannotFillTheRegister(t *testing.T) {
	r := newRig(t)
	crowd := func(n int, area broadcast.ID) error {
		for i := range n {
			if _, err := r.hear(fmt.Sprintf("10.%s.%d", map[broadcast.ID]string{"tan-lap": "0.0", "dong-tam": "0.1"}[area], i), fmt.Sprint("to quá ", i), area); err != nil {
				return err
			}
		}
		return nil
	}
	if err := crowd(50, "tan-lap"); err != nil {
		t.Fatal(err)
	}
	var no *feedback.Refusal
	if _, err := r.hear("10.9.9.9", "to quá", "tan-lap"); !errors.As(err, &no) || no.Code != feedback.TooMany {
		t.Errorf("one more: %v", err)
	}
	if err := crowd(1, "dong-tam"); err != nil {
		t.Errorf("another village: %v", err)
	}
	r.taken() // staff are not strangers
	r.Clock.Add(24*time.Hour + time.Second)
	if _, err := r.hear("10.9.9.9", "to quá", "tan-lap"); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

func TestFeedbackIsAChapterOfTheReportWithoutContacts(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.Node("n1", "tan-lap")
	r.Clock.Add(time.Second)
	row := r.taken()
	if _, err := r.register.Assign(ctx, "can-bo-xa", row.ID, 1, "n1"); err != nil {
		t.Fatal(err)
	}
	r.trim("n1", 0, -350)
	if _, err := r.register.Close(ctx, "ky-thuat", row.ID, 2, "Đã giảm."); err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(time.Minute)
	if _, err := r.hear("10.0.0.1", "=1+1", "tan-lap"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.hear("10.0.0.2", "nơi khác", "dong-tam"); err != nil {
		t.Fatal(err)
	}
	office := records.New(records.Config{DB: r.DB, Desk: r.Desk, Fleet: r.Fleet, Persons: r.Office, Tree: r.Tree, Now: r.Clock.Now, Chapters: []records.Chapter{r.register}})
	report, err := office.Report(ctx, "xa-tan-quang", "2026-11")
	if err != nil || len(report.Chapters) != 1 {
		t.Fatalf("%+v %v", report.Chapters, err)
	}
	rows := report.Chapters[0].Rows
	if len(rows) != 2 || rows[0][5] != "từ / from 0,0 dB đến / to −3,5 dB" || rows[0][4] != "n1" || rows[0][6] != "Đã giảm." || rows[0][8] == "ky-thuat" || rows[1][3] != "=1+1" {
		t.Errorf("%q", rows)
	}
	sheet, err := records.CSV(report.Tables())
	if err != nil || strings.Contains(string(sheet), "0912") || strings.Contains(string(sheet), "nơi khác") || strings.Contains(string(sheet), ",=1") {
		t.Errorf("%s %v", sheet, err)
	}
	r.Clock.Add(10 * 24 * time.Hour)
	next, err := office.Report(ctx, "xa-tan-quang", "2026-12")
	if err != nil || len(next.Chapters[0].Rows) != 1 || next.Chapters[0].Rows[0][3] != "=1+1" {
		t.Errorf("what nobody answered is not in the month after: %+v %v", next.Chapters, err)
	}
}

func TestEntriesAreListedByTheirPlaceAndState(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	var ids []broadcast.ID
	for range 3 {
		ids = append(ids, r.taken().ID)
		r.Clock.Add(time.Second)
	}
	if _, err := r.register.Close(ctx, "duyet-1", ids[1], 1, "Xong"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		q    feedback.Query
		want []broadcast.ID
	}{
		"all":           {feedback.Query{}, []broadcast.ID{ids[2], ids[1], ids[0]}},
		"open":          {feedback.Query{Open: true}, []broadcast.ID{ids[2], ids[0]}},
		"closed":        {feedback.Query{Closed: true}, []broadcast.ID{ids[1]}},
		"the next page": {feedback.Query{Before: ids[1]}, []broadcast.ID{ids[0]}},
	} {
		c.q.Areas, c.q.Limit = []broadcast.ID{"tan-lap"}, 10
		rows, err := r.register.List(ctx, c.q)
		var got []broadcast.ID
		for _, row := range rows {
			got = append(got, row.ID)
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}
