package calendar_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/calendar"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/store"
)

// rig is a house with a calendar.
type rig struct {
	*desktest.House
	*calendar.Calendar
	t *testing.T
}

func newRig(t *testing.T) *rig {
	t.Helper()
	h := desktest.New(t)
	return &rig{House: h, t: t, Calendar: calendar.New(calendar.Config{DB: h.DB, Keys: h.Office, Fleet: h.Fleet, Tree: h.Tree, Now: h.Clock.Now})}
}

// draft keeps a priority announcement for areas.
func (r *rig) draft(title string, t broadcast.Timing, areas ...broadcast.ID) desk.Announcement {
	r.t.Helper()
	a, err := r.Desk.Create(context.Background(), r.Named("duyet-1").Person, desk.Draft{Title: title, Class: broadcast.Priority, Areas: areas, Reason: "thử",
		Versions: []desk.DraftVersion{{Content: r.Content(10 * time.Second)}}, Timing: t}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) publish(a desk.Announcement) desk.Announcement {
	r.t.Helper()
	by := r.Named("duyet-1")
	_, err := r.Desk.Submit(r.t.Context(), by.Person, by.Credential, a.Document.ID, "")
	if err == nil {
		a, err = r.Desk.Approve(r.t.Context(), by.Person, by.Credential, a.Document.ID, a.Digest)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) in(d time.Duration) broadcast.Timing {
	return broadcast.Timing{Start: r.Now().Add(d)}
}

func (r *rig) daily(d time.Duration, except ...string) broadcast.Timing {
	t := r.in(d)
	t.Recurrence, t.Until = &broadcast.Recurrence{Rule: "FREQ=DAILY", Except: except}, t.Start.Add(60*24*time.Hour)
	return t
}

// ask returns the titles of a query of the coming week, with their starts.
func (r *rig) ask(change func(*calendar.Query)) []string {
	r.t.Helper()
	q := calendar.Query{Area: "tan-lap", From: r.Now(), To: r.Now().Add(7 * 24 * time.Hour), Limit: 50}
	if change != nil {
		change(&q)
	}
	var out []string
	for {
		page, err := r.Days(r.t.Context(), q)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, item := range page.Items {
			a, err := r.Desk.Announcement(r.t.Context(), item.ID)
			if err != nil {
				r.t.Fatal(err)
			}
			line := a.Document.Title
			for _, s := range item.Starts {
				line += s.Time().In(broadcast.Local()).Format(" 02/15:04")
			}
			out = append(out, line)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return out
		}
	}
}

func TestACalendarHasWhatIsOnInItsDays(t *testing.T) {
	r := newRig(t)
	r.draft("huyện", r.in(time.Hour), broadcast.BacQuang)
	r.draft("thôn", r.daily(2*time.Hour, "2026-11-24"), "tan-lap")
	r.draft("nơi khác", r.in(4*time.Hour), "dong-tam")
	r.draft("sau này", r.in(8*24*time.Hour), "tan-lap")
	r.draft("chưa có giờ", broadcast.Timing{}, "tan-lap")
	told := r.publish(r.draft("đã duyệt", r.in(3*time.Hour), "xa-tan-quang"))
	want := []string{"chưa có giờ", "huyện 22/09:00", "thôn 22/10:00 23/10:00 25/10:00 26/10:00 27/10:00 28/10:00", "đã duyệt 22/11:00"}
	for name, limit := range map[string]int{"in one page": 50, "page by page": 1, "by two": 2} {
		if got := r.ask(func(q *calendar.Query) { q.Limit = limit }); !slices.Equal(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := r.ask(func(q *calendar.Query) { q.State = store.Published }); !slices.Equal(got, []string{"đã duyệt 22/11:00"}) {
		t.Errorf("published: %q", got)
	}
	if got := r.ask(func(q *calendar.Query) { q.Class = broadcast.Emergency }); len(got) != 0 {
		t.Errorf("emergencies: %q", got)
	}
	if got := r.ask(func(q *calendar.Query) { q.From, q.To = q.To, q.To.Add(35*24*time.Hour) }); len(got) != 2 || !strings.HasPrefix(got[1], "sau này 30/08:00") {
		t.Errorf("later: %q", got)
	}
	if got := r.ask(func(q *calendar.Query) { q.Area = "dong-tam" }); !slices.Equal(got, []string{"huyện 22/09:00", "nơi khác 22/12:00"}) {
		t.Errorf("elsewhere: %q", got)
	}
	if list, err := r.Desk.Named(t.Context(), []broadcast.ID{"gone", told.Document.ID}); err != nil || len(list) != 1 || len(list[0].Signatures) != 1 {
		t.Errorf("%v %+v", err, list)
	}
}

func TestWhatIsAheadOfAnAreaHasItsReasons(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("dong-tam-1", "dong-tam")
	r.publish(r.draft("huyện", r.daily(time.Hour), broadcast.BacQuang))
	r.publish(r.draft("thôn", r.in(90*time.Minute), "tan-lap"))
	for area, want := range map[broadcast.ID]int{"tan-lap": 4, "dong-tam": 3, broadcast.BacQuang: 4} {
		if a, err := r.Ahead(t.Context(), area, 0, 3); err != nil || len(a.Prospects) != want || a.Trouble != "" || !a.Prospects[0].Fate.Sounds {
			t.Errorf("%s: %v %+v", area, err, a)
		}
	}
	one, err := r.AheadOf(t.Context(), "tan-lap-1", r.Now().Add(24*time.Hour), 1)
	if err != nil || len(one.Prospects) != 1 || one.Prospects[0].Nodes != 1 || one.Window.From != r.Now().Add(24*time.Hour) {
		t.Errorf("%v %+v", err, one)
	}
	if a, err := r.Ahead(t.Context(), "xa-vinh-tuy", 0, 3); err == nil && a.Nodes != 0 {
		t.Errorf("an area without nodes: %+v", a)
	}
}

func TestAQuestionThatCannotBeAnsweredSaysWhy(t *testing.T) {
	r := newRig(t)
	for name, q := range map[string]calendar.Query{
		"no such area":  {Area: "nowhere", To: 1},
		"no time":       {Area: "tan-lap", From: 1, To: 1},
		"too long":      {Area: "tan-lap", From: 1, To: 1 + 36*24*3600_000},
		"a cursor":      {Area: "tan-lap", To: 1, Cursor: "nonsense"},
		"half a cursor": {Area: "tan-lap", To: 1, Cursor: "12-"},
	} {
		if _, err := r.Days(t.Context(), q); !errors.Is(err, calendar.ErrQuestion) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, days := range []int{0, -1, 36} {
		if _, err := r.Ahead(t.Context(), "tan-lap", 0, days); !errors.Is(err, calendar.ErrQuestion) {
			t.Errorf("%d days: %v", days, err)
		}
	}
	if _, err := r.Ahead(t.Context(), "nowhere", 0, 1); !errors.Is(err, calendar.ErrQuestion) {
		t.Errorf("%v", err)
	}
	if _, err := r.AheadOf(t.Context(), "nothing", 0, 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
