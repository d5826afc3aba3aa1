package desk_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

func TestAWithdrawalReplacesTheAnnouncementInEveryListing(t *testing.T) {
	r := newRig(t)
	a := r.published(r.flood())
	r.Clock.Add(10 * time.Second)
	done, err := r.Desk.Withdraw(t.Context(), r.second.Person, r.second.Credential, a.Document.ID, "báo nhầm")
	if err != nil || done.State != store.Withdrawn || done.WithdrawnBy != "duyet-2" {
		t.Fatalf("%v %+v", err, done)
	}
	if left := r.listings(broadcast.KindAnnouncement); len(left) != 0 {
		t.Errorf("still listed: %+v", left)
	}
	tombs := r.listings(broadcast.KindWithdrawal)
	if len(tombs) != 1 || tombs[0].Until != a.Until {
		t.Fatalf("%+v", tombs)
	}
	doc, err := r.DB.Document(t.Context(), tombs[0].SHA256)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := r.Office.Ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := seal.Open[broadcast.Withdrawal](ring, broadcast.KindWithdrawal, doc.Raw, seal.Context{Places: r.Office.Places()})
	if err != nil || w.Upto != a.Document.Revision || w.Class != broadcast.Emergency {
		t.Errorf("%v %+v", err, w)
	}
	again, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, "một lần nữa")
	if err != nil || again.WithdrawnWhy != "báo nhầm" {
		t.Errorf("withdrawn twice: %v %q", err, again.WithdrawnWhy)
	}
	_, err = r.Desk.Approve(t.Context(), r.second.Person, r.second.Credential, a.Document.ID, a.Digest)
	refused(t, err, desk.WrongState)
}

func TestWithdrawalsAskForTheirRights(t *testing.T) {
	r := newRig(t)
	a := r.published(r.flood())
	_, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, "  ")
	refused(t, err, desk.ReasonNeeded)
	_, err = r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, strings.Repeat("dài ", 100))
	refused(t, err, desk.Invalid)
	for name, by := range map[string]desktest.Somebody{"editor": r.editor, "official of the communes": r.official, "auditor": r.bystander} {
		if _, err := r.Desk.Withdraw(t.Context(), by.Person, by.Credential, a.Document.ID, "vì sao"); !errors.Is(err, people.ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnEmergencyYieldsToItsOwnLevelOrAHigherOneOnly(t *testing.T) {
	r := newRig(t)
	d := r.flood()
	for _, c := range r.Tree().Children(broadcast.BacQuang, r.Now()) {
		d.Areas = []broadcast.ID{c}
		break
	}
	fromAbove := r.published(d)
	_, err := r.Desk.Withdraw(t.Context(), r.official.Person, r.official.Credential, fromAbove.Document.ID, "không cần")
	refused(t, err, desk.HigherLevel)
	own := r.approve(r.official, r.submit(r.official, r.create(r.official, d)))
	if got, err := r.Desk.Withdraw(t.Context(), r.official.Person, r.official.Credential, own.Document.ID, "hết lũ"); err != nil || got.State != store.Withdrawn {
		t.Errorf("one's own level: %v %s", err, got.State)
	}
	if got, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, fromAbove.Document.ID, "hết lũ"); err != nil || got.State != store.Withdrawn {
		t.Errorf("the higher level: %v %s", err, got.State)
	}
}

func TestAnAuthorDropsADraftThatNobodyHeard(t *testing.T) {
	r := newRig(t)
	a := r.submit(r.editor, r.create(r.editor, r.notice()))
	for range 2 {
		got, err := r.Desk.Withdraw(t.Context(), r.editor.Person, r.editor.Credential, a.Document.ID, "viết lại")
		if err != nil || got.State != store.Closed || got.WithdrawnBy != "bien-tap" {
			t.Fatalf("%v %+v", err, got)
		}
	}
	if len(r.listings(broadcast.KindWithdrawal)) != 0 {
		t.Error("a withdrawal was sealed for what no node heard of")
	}
	other := r.create(r.first, r.notice())
	if _, err := r.Desk.Withdraw(t.Context(), r.editor.Person, r.editor.Credential, other.Document.ID, "không phải của tôi"); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("somebody else's draft: %v", err)
	}
}

func TestAnAnnouncementClosesWhenItsLastSoundingIsOver(t *testing.T) {
	r := newRig(t)
	a := r.published(r.flood())
	r.Clock.Add(a.Until.Sub(r.Now()) - time.Millisecond)
	r.closes(a, store.Published)
	r.Clock.Add(time.Millisecond)
	r.closes(a, store.Closed)
	if len(r.listings(broadcast.KindAnnouncement)) != 0 {
		t.Error("still listed")
	}
}

func TestAWithdrawnAnnouncementClosesWhenEveryNodeSaidSo(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("tan-quang-1", "tan-quang")
	a := r.published(r.flood())
	if _, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, "báo nhầm"); err != nil {
		t.Fatal(err)
	}
	r.closes(a, store.Withdrawn)
	for i, node := range []broadcast.ID{"tan-lap-1", "tan-quang-1"} {
		r.Prove(node, desktest.Of(a.Document, broadcast.Receipt{Start: a.Document.Timing.Start, At: r.Now(),
			Rung: broadcast.Withdrawn, Reason: broadcast.WhyWithdrawn}))
		r.closes(a, []store.AnnouncementState{store.Withdrawn, store.Closed}[i])
	}
}

// closes looks once for what has ended.
func (r *rig) closes(a desk.Announcement, want store.AnnouncementState) {
	r.t.Helper()
	if err := r.Desk.Close(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if got, err := r.Desk.Announcement(r.t.Context(), a.Document.ID); err != nil || got.State != want {
		r.t.Errorf("%v, state %s, want %s", err, got.State, want)
	}
}

func TestServeClosesWhatHasEnded(t *testing.T) {
	r := newRig(t)
	a := r.published(r.flood())
	r.Clock.Add(time.Hour)
	synctest.Test(t, func(t *testing.T) {
		watch := r.Hub.Watch(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Desk.Serve(t.Context()) }()
		if e := <-watch; e.ID != a.Document.ID {
			t.Errorf("%+v", e)
		}
	})
	if got, err := r.Desk.Announcement(t.Context(), a.Document.ID); err != nil || got.State != store.Closed {
		t.Errorf("%v %s", err, got.State)
	}
}
