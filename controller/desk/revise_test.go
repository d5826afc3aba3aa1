package desk_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// settled is a normal announcement of tomorrow that two officers published.
func (r *rig) settled(d desk.Draft) desk.Announcement {
	r.t.Helper()
	return r.approve(r.second, r.approve(r.first, r.submit(r.editor, r.create(r.editor, d))))
}

func (r *rig) revise(by desktest.Somebody, id broadcast.ID, d desk.Draft) desk.Announcement {
	r.t.Helper()
	a, err := r.Desk.Revise(r.t.Context(), by.Person, id, d, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// later is the notice with other words, an hour later.
func (r *rig) later(title string) desk.Draft {
	d := r.notice()
	d.Title, d.Timing.Start = title, d.Timing.Start.Add(time.Hour)
	return d
}

// sounding are the documents that are listed, by area.
func (r *rig) sounding() map[broadcast.ID]broadcast.Revision {
	out := map[broadcast.ID]broadcast.Revision{}
	for _, l := range r.listings(broadcast.KindAnnouncement) {
		out[l.Area] = l.Revision
	}
	return out
}

func TestTheOldRevisionHoldsUntilTheNewOneHasAllSignatures(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	old := r.settled(r.notice())
	was := r.sounding()
	r.Clock.Add(time.Minute)
	next := r.later("Lịch tiêm chủng, giờ mới")
	next.Areas = []broadcast.ID{"tan-lap"}
	a := r.revise(r.editor, old.ID, next)
	if a.ID == old.ID || a.Document.ID != old.ID || a.Replaces != old.ID || a.Digest == old.Digest {
		t.Fatalf("%+v", a)
	}
	if f := a.Forecast; len(f.Outcomes) != 1 || f.Outcomes[0].Nodes != 1 || !f.Outcomes[0].Sounds {
		t.Errorf("its forecast is not about itself: %+v", f)
	}
	for _, step := range []func() desk.Announcement{func() desk.Announcement { return r.submit(r.editor, a) }, func() desk.Announcement { return r.approve(r.first, a) }} {
		if step(); !cmp.Equal(r.sounding(), was) {
			t.Fatalf("listed %v before the last signature, was %v", r.sounding(), was)
		}
	}
	done := r.approve(r.second, a)
	if done.State != store.Published || done.Document.Revision <= old.Document.Revision {
		t.Fatalf("%+v", done)
	}
	if want := map[broadcast.ID]broadcast.Revision{"tan-lap": done.Document.Revision}; !cmp.Equal(r.sounding(), want) {
		t.Errorf("listed %v, want %v", r.sounding(), want)
	}
	gone, err := r.Desk.Announcement(t.Context(), old.ID)
	if err != nil || gone.State != store.Withdrawn || gone.ReplacedBy != a.ID || gone.Document.Revision != old.Document.Revision {
		t.Errorf("what it replaced: %v %+v", err, gone)
	}
	if len(r.listings(broadcast.KindWithdrawal)) != 0 {
		t.Error("a withdrawal was sealed, which would take the new revision's name away")
	}
	now, err := r.Desk.Current(t.Context(), old.ID)
	if err != nil || now.ID != a.ID {
		t.Errorf("current: %v %s", err, now.ID)
	}
	if d := r.deliveries(done); len(d.Nodes) != 1 || !d.Nodes[0].Expected {
		t.Errorf("expected of the new revision: %+v", d.Nodes)
	}
	_, err = r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, old.ID, "đổi ý")
	refused(t, err, desk.Revised)
	if back, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, a.ID, "đổi ý"); err != nil || back.State != store.Withdrawn || len(r.sounding()) != 0 {
		t.Errorf("the revision is withdrawn like anything else: %v %+v, %v", err, back.State, r.sounding())
	}
}

func TestOfTwoEditorsAtOnceTheSecondIsShownTheFirst(t *testing.T) {
	r := newRig(t)
	old := r.settled(r.notice())
	mine := r.revise(r.editor, old.ID, r.later("bản của tôi"))
	_, err := r.Desk.Revise(t.Context(), r.first.Person, old.ID, r.later("bản của người khác"), nil)
	refused(t, err, desk.Revised)
	var no *desk.Refusal
	if !errors.As(err, &no) {
		t.Fatal(err)
	}
	if shown, ok := no.Current.(desk.Announcement); !ok || shown.ID != mine.ID || shown.Document.Title != "bản của tôi" || no.About[0] != mine.ID {
		t.Errorf("shown %+v", no.Current)
	}
	theirs := r.revise(r.first, mine.ID, r.later("bản sau khi xem cả hai")) // having seen the first
	if was, err := r.Desk.Announcement(t.Context(), mine.ID); err != nil || was.State != store.Closed || theirs.Replaces != old.ID {
		t.Errorf("%v, the draft that gave way is %s; %+v", err, was.State, theirs)
	}
	_, err = r.Desk.Submit(t.Context(), r.editor.Person, r.editor.Credential, mine.ID, "")
	refused(t, err, desk.WrongState)
	r.Clock.Add(time.Minute)
	r.approve(r.second, r.approve(r.first, r.submit(r.first, theirs)))
	for _, id := range []broadcast.ID{old.ID, mine.ID} {
		_, err := r.Desk.Revise(t.Context(), r.editor.Person, id, r.later("quá muộn"), nil)
		if id == old.ID {
			refused(t, err, desk.Revised)
		} else if err == nil {
			t.Error("a draft that was given up is edited")
		}
	}
}

func TestEditorsInTheSameMomentKeepOneDraft(t *testing.T) {
	r := newRig(t)
	old := r.settled(r.notice())
	var wait sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wait.Go(func() {
			_, errs[i] = r.Desk.Revise(context.Background(), r.editor.Person, old.ID, r.later("Giờ mới"), nil)
		})
	}
	wait.Wait()
	kept := 0
	for _, err := range errs {
		if err == nil {
			kept++
			continue
		}
		refused(t, err, desk.Revised)
	}
	if kept != 1 {
		t.Errorf("%d drafts wait", kept)
	}
}

func TestNoRevisionIsPublishedIntoASoundingOrAgain(t *testing.T) {
	daily := broadcast.Timing{Start: 0, Recurrence: &broadcast.Recurrence{Rule: "FREQ=DAILY"}}
	for name, c := range map[string]struct {
		is    func(start broadcast.Instant) broadcast.Timing
		after time.Duration
		want  desk.Code
	}{
		"while the old one sounds":   {func(s broadcast.Instant) broadcast.Timing { return broadcast.Timing{Start: s.Add(time.Hour)} }, 5 * time.Second, desk.Underway},
		"after it has sounded":       {func(s broadcast.Instant) broadcast.Timing { return broadcast.Timing{Start: s.Add(time.Hour)} }, 2 * time.Minute, ""},
		"whose own start has passed": {func(s broadcast.Instant) broadcast.Timing { return broadcast.Timing{Start: s.Add(2 * time.Minute)} }, 150 * time.Second, desk.StartPast},
		"whose first day began already": {func(s broadcast.Instant) broadcast.Timing {
			d := daily
			d.Start, d.Until = s.Add(2*time.Minute), s.Add(72*time.Hour)
			return d
		}, 150 * time.Second, desk.Underway},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			d := r.notice()
			old := r.settled(d)
			r.Clock.Add(time.Minute)
			next := r.notice()
			next.Timing = c.is(d.Timing.Start)
			a := r.approve(r.first, r.submit(r.editor, r.revise(r.editor, old.ID, next)))
			r.Clock.Add(d.Timing.Start.Sub(r.Now()) + c.after)
			_, err := r.Desk.Approve(t.Context(), r.second.Person, r.second.Credential, a.ID, a.Digest, desk.Seen{Anything: true})
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, c.want)
			if is, err := r.Desk.Announcement(t.Context(), old.ID); err != nil || is.State != store.Published {
				t.Errorf("%v, the old one is %s", err, is.State)
			}
		})
	}
}

func TestSomeThingsAreNotEdited(t *testing.T) {
	r := newRig(t)
	flood := r.published(r.flood())
	_, err := r.Desk.Revise(t.Context(), r.editor.Person, flood.ID, r.flood(), nil)
	refused(t, err, desk.NotRevised)
	old := r.settled(r.notice())
	other := r.later("Ưu tiên")
	other.Class = broadcast.Priority
	_, err = r.Desk.Revise(t.Context(), r.editor.Person, old.ID, other, nil)
	refused(t, err, desk.Invalid)
	draft := r.create(r.editor, r.notice())
	_, err = r.Desk.Revise(t.Context(), r.editor.Person, draft.ID, r.notice(), nil)
	refused(t, err, desk.WrongState)
	_, err = r.Desk.Revise(t.Context(), r.official.Person, old.ID, r.later("không phải việc của tôi"), nil)
	if !errors.Is(err, people.ErrForbidden) {
		t.Errorf("somebody of a commune edits what the district said: %v", err)
	}
}

func TestARevisionDecidesAlsoWhereItTakesSomethingAway(t *testing.T) {
	r := newRig(t)
	old := r.settled(r.notice()) // of the district
	next := r.later("chỉ còn một xã")
	next.Areas = []broadcast.ID{"tan-lap"}
	a := r.submit(r.editor, r.revise(r.editor, old.ID, next))
	if _, err := r.Desk.Approve(t.Context(), r.official.Person, r.official.Credential, a.ID, a.Digest); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an officer of one commune silences the others: %v", err)
	}
}

func TestWhatIsWithdrawnIsEditedNoMore(t *testing.T) {
	r := newRig(t)
	old := r.settled(r.notice())
	a := r.approve(r.first, r.submit(r.editor, r.revise(r.editor, old.ID, r.later("Giờ mới"))))
	if _, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, old.ID, "hoãn"); err != nil {
		t.Fatal(err)
	}
	got, err := r.Desk.Announcement(t.Context(), a.ID)
	if err != nil || got.State != store.Closed || got.WithdrawnWhy != "hoãn" {
		t.Errorf("%v %+v", err, got)
	}
	_, err = r.Desk.Approve(t.Context(), r.second.Person, r.second.Credential, a.ID, a.Digest)
	refused(t, err, desk.WrongState)
	if len(r.sounding()) != 0 {
		t.Errorf("sounds all the same: %v", r.sounding())
	}
}
