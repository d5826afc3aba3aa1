package records_test

import (
	"database/sql"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/records"
	"github.com/loaxa/loaxa/controller/store"
)

// commune is where the nodes of most tests stand, in the village of Tân Lập.
const commune, village = "xa-tan-quang", "tan-lap"

// rig is a house with its records.
type rig struct {
	*desktest.House
	t       *testing.T
	config  records.Config
	records *records.Records
}

// newRig has the keeper look once, so that the day it begins on is known.
func newRig(t *testing.T) *rig {
	t.Helper()
	h := desktest.New(t)
	r := &rig{House: h, t: t, config: records.Config{DB: h.DB, Desk: h.Desk, Fleet: h.Fleet, Persons: h.Office, Tree: h.Tree,
		Now: h.Clock.Now, Log: slog.New(slog.DiscardHandler)}}
	r.records = records.New(r.config)
	r.look()
	return r
}

func (r *rig) look() {
	r.t.Helper()
	if err := r.records.Look(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// nextDay moves on to the moment at which the day is closed, with a look every
// five minutes as if the controller had run all the time.
func (r *rig) nextDay() {
	r.t.Helper()
	now := r.Clock.Now()
	to := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 30, 0, 0, broadcast.Local())
	for r.Clock.Now().Before(to) {
		r.Clock.Add(min(5*time.Minute, to.Sub(r.Clock.Now())))
		if to.Sub(r.Clock.Now()) > 5*time.Minute {
			r.Update(func(tx store.Tx) error { return tx.MarkDiary(r.t.Context(), "seen", r.Now()) })
		}
	}
	r.look()
}

// flood is an emergency that one officer published for the whole district.
func (r *rig) flood(title string) broadcast.Announcement {
	r.t.Helper()
	first := r.Named("duyet-1")
	return r.published(first, desk.Draft{Title: title, Class: broadcast.Emergency, Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "lũ lên nhanh",
		Versions: []desk.DraftVersion{{Content: r.Content(90 * time.Second)}}, Meta: broadcast.Metadata{Author: "Ban chỉ huy"}})
}

// published takes a draft all the way, with the second officer if it needs one.
func (r *rig) published(by desktest.Somebody, d desk.Draft) broadcast.Announcement {
	r.t.Helper()
	ctx := r.t.Context()
	a, err := r.Desk.Create(ctx, by.Person, d, nil)
	if err == nil {
		a, err = r.Desk.Submit(ctx, by.Person, by.Credential, a.Document.ID, "")
	}
	for _, who := range []desktest.Somebody{by, r.Named("duyet-2")} {
		if err == nil && a.State == store.Submitted {
			a, err = r.Desk.Approve(ctx, who.Person, who.Credential, a.Document.ID, a.Digest)
		}
	}
	if err != nil || a.State != store.Published {
		r.t.Fatalf("%s: %v", a.State, err)
	}
	return a.Document
}

// refused is what a node gives that does not take an announcement.
func refused(a broadcast.Announcement, why broadcast.Reason) broadcast.Receipt {
	return desktest.Of(a, broadcast.Receipt{At: a.Timing.Start, Rung: broadcast.Refused, Reason: why})
}

func (r *rig) diary(day string) records.Diary {
	r.t.Helper()
	d, err := r.records.Diary(r.t.Context(), commune, day)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) report() records.Report {
	r.t.Helper()
	out, err := r.records.Report(r.t.Context(), commune, "2026-11")
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *rig) verdict() records.DiaryVerdict {
	r.t.Helper()
	v, err := r.records.Verify(r.t.Context(), commune)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// tamper changes the database behind the controller's back.
func (r *rig) tamper(statement string) {
	r.t.Helper()
	raw, err := sql.Open("sqlite", filepath.Join(r.Dir, "loaxa.db"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if _, err := raw.Exec(statement); err != nil {
		r.t.Fatal(err)
	}
}
