package desk_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/store"
)

// rows counts everything that an approval may leave behind.
func (r *rig) rows(id broadcast.ID) string {
	r.t.Helper()
	ctx := r.t.Context()
	a, err := r.DB.Announcement(ctx, id)
	if err != nil {
		r.t.Fatal(err)
	}
	signed, err := r.DB.Approvals(ctx, id)
	if err != nil {
		r.t.Fatal(err)
	}
	head, err := r.DB.AuditHead(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	_, sealed := r.DB.NewestDocument(ctx, broadcast.KindAnnouncement, id)
	_, blob := r.DB.NewestDocument(ctx, store.Blob, id)
	return fmt.Sprintf("%s v%d, %d signatures, audit %d, %d listed, document %v, metadata %v", a.State, a.Version, len(signed), head.Length,
		len(r.listings(broadcast.KindAnnouncement)), !errors.Is(sealed, store.ErrNotFound), !errors.Is(blob, store.ErrNotFound))
}

// TestPublishingIsAllOrNothing: the last writes of the transaction fail, and
// nothing of it is left.
func TestPublishingIsAllOrNothing(t *testing.T) {
	r := newRig(t)
	a := r.submit(r.first, r.create(r.first, r.flood()))
	// A newer listing under the same name makes the listing step a conflict.
	block := store.Listing{Area: broadcast.BacQuang, Kind: broadcast.KindAnnouncement, ID: a.Document.ID, Revision: broadcast.Revision(r.Now().Add(time.Hour))}
	r.Update(func(tx store.Tx) error {
		sha, err := tx.PutDocument(t.Context(), store.Document{Kind: store.Blob, ID: "block", Revision: 1, Raw: []byte("block")})
		block.SHA256 = sha
		return errors.Join(err, tx.List(t.Context(), block))
	})
	before := r.rows(a.Document.ID)
	if _, err := r.Desk.Approve(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, a.Digest); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("%v", err)
	}
	if after := r.rows(a.Document.ID); after != before {
		t.Errorf("left behind:\n%s\nbefore it was\n%s", after, before)
	}
	r.Update(func(tx store.Tx) error { return tx.Unlist(t.Context(), broadcast.KindAnnouncement, a.Document.ID) })
	if a = r.approve(r.first, a); a.State != store.Published {
		t.Errorf("the retry: %s", a.State)
	}
}

// TestEveryStepMayBeRepeatedAfterARestart kills the desk after each step and
// does the step again.
func TestEveryStepMayBeRepeatedAfterARestart(t *testing.T) {
	r := newRig(t)
	a := r.create(r.first, r.notice())
	steps := []func() (desk.Announcement, error){
		func() (desk.Announcement, error) {
			return r.Desk.Submit(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, a.Digest)
		},
		func() (desk.Announcement, error) {
			return r.Desk.Approve(t.Context(), r.second.Person, r.second.Credential, a.Document.ID, a.Digest)
		},
		func() (desk.Announcement, error) {
			return r.Desk.Withdraw(t.Context(), r.second.Person, r.second.Credential, a.Document.ID, "đổi lịch")
		},
	}
	for i, step := range steps {
		if _, err := step(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		before := r.rows(a.Document.ID)
		r.Assemble()
		r.Clock.Add(time.Second)
		if _, err := step(); err != nil {
			t.Errorf("step %d again: %v", i, err)
		}
		if after := r.rows(a.Document.ID); after != before {
			t.Errorf("step %d again changed\n%s into\n%s", i, before, after)
		}
	}
	if err := r.DB.VerifyAudit(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOfficersAtTheSameTimePublishOnce lets several officers approve at once.
func TestOfficersAtTheSameTimePublishOnce(t *testing.T) {
	r := newRig(t)
	a := r.submit(r.editor, r.create(r.editor, r.notice()))
	var wait sync.WaitGroup
	for range 4 {
		for _, by := range []desktest.Somebody{r.first, r.second} {
			wait.Go(func() {
				_, err := r.Desk.Approve(context.Background(), by.Person, by.Credential, a.Document.ID, a.Digest)
				if err != nil {
					t.Errorf("%s: %v", by.Person.ID, err)
				}
			})
		}
	}
	wait.Wait()
	got, err := r.Desk.Announcement(t.Context(), a.Document.ID)
	if err != nil || got.State != store.Published || len(got.Signatures) != 2 {
		t.Errorf("%v %s with %d signatures", err, got.State, len(got.Signatures))
	}
	if n := len(r.listings(broadcast.KindAnnouncement)); n != 1 {
		t.Errorf("%d listings", n)
	}
}

func TestWhatIsNotedWithADraftExistsExactlyIfTheDraftDoes(t *testing.T) {
	r := newRig(t)
	broken := errors.New("broken off")
	_, err := r.Desk.Create(t.Context(), r.first.Person, r.flood(), func(tx store.Tx, a desk.Announcement) error {
		return errors.Join(tx.AddAnswer(t.Context(), store.Answer{Person: "duyet-1", Name: "k"}), broken)
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if _, err := r.DB.Answer(t.Context(), "duyet-1", "k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("answer: %v", err)
	}
	if kept, err := r.Desk.Announcements(t.Context(), "", "", 10); err != nil || len(kept) != 0 {
		t.Errorf("%v %v", err, kept)
	}
}

func TestAProgrammeIsPublishedWithItsRunningOrder(t *testing.T) {
	r := newRig(t)
	d := r.flood()
	d.Versions = []desk.DraftVersion{{Programme: &desk.DraftProgramme{Station: "Đài Bắc Quang", Segments: []desk.DraftSegment{
		{Title: "Mở đầu", Content: r.sound}, {Title: "Thời sự", Content: r.Content(20 * time.Second), Hard: 15 * time.Second}}}}}
	a := r.published(d)
	p := a.Document.Versions[0].Programme
	if p == nil || p.Millis != 35000 {
		t.Fatalf("%+v", p)
	}
	doc, err := r.DB.Document(t.Context(), p.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	order, err := broadcast.Decode[broadcast.RunningOrder](doc.Raw)
	if err != nil || len(order.Segments) != 2 || order.Station != "Đài Bắc Quang" || int64(len(doc.Raw)) != p.Bytes {
		t.Errorf("%v %+v", err, order)
	}
}

func TestPagesOfAnnouncementsGoBackInTime(t *testing.T) {
	r := newRig(t)
	var want []broadcast.ID
	for range 5 {
		want = append([]broadcast.ID{r.create(r.first, r.flood()).Document.ID}, want...)
		r.Clock.Add(time.Second)
	}
	var got []broadcast.ID
	before := broadcast.ID("")
	for {
		page, err := r.Desk.Announcements(t.Context(), before, store.Draft, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page {
			got = append(got, a.Document.ID)
		}
		if len(page) < 2 {
			break
		}
		before = page[1].Document.ID
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if none, err := r.Desk.Announcements(t.Context(), "", store.Published, 2); err != nil || len(none) != 0 {
		t.Errorf("%v %v", err, none)
	}
}
