package desk_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/store"
)

func TestOneAnnouncementThatCannotBeJudgedKeepsNoOtherOpen(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	damaged, sound := r.published(r.flood()), r.published(r.flood())
	for _, a := range []desk.Announcement{damaged, sound} {
		if _, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, "báo nhầm"); err != nil {
			t.Fatal(err)
		}
	}
	r.Prove("tan-lap-1", desktest.Of(sound.Document, broadcast.Receipt{Start: sound.Document.Timing.Start, At: r.Now(),
		Rung: broadcast.Withdrawn, Reason: broadcast.WhyWithdrawn}))
	r.Update(func(tx store.Tx) error {
		row := store.ReceiptRow{Node: "tan-lap-1", Chain: "other", Seq: 1, Announcement: damaged.Document.ID, Of: damaged.Document.Revision, Stored: r.Now(), Raw: []byte("{")}
		return tx.AddReceipts(t.Context(), []store.Chain{{Node: "tan-lap-1", Chain: "other", Seq: 1, Head: broadcast.Sum(row.Raw)}}, []store.ReceiptRow{row})
	})
	if err := r.Desk.Close(t.Context()); err == nil {
		t.Error("nobody heard of the damaged receipt")
	}
	for a, want := range map[broadcast.ID]store.AnnouncementState{damaged.Document.ID: store.Withdrawn, sound.Document.ID: store.Closed} {
		if got, err := r.Desk.Announcement(t.Context(), a); err != nil || got.State != want {
			t.Errorf("%s: %v, state %s, want %s", a, err, got.State, want)
		}
	}
}

func TestOldAnswersAreForgottenWhileTheDeskRuns(t *testing.T) {
	r := newRig(t)
	keep := func(name string, age time.Duration) {
		r.Update(func(tx store.Tx) error {
			return tx.AddAnswer(context.Background(), store.Answer{Person: "lan", Name: name, Request: broadcast.Sum(nil), Body: []byte("{}"), Created: r.Now().Add(-age)})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Desk.Serve(ctx) }()
		synctest.Wait()
		keep("old", 8*24*time.Hour)
		keep("young", 6*24*time.Hour)
		<-time.After(2 * time.Hour)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	if _, err := r.DB.Answer(t.Context(), "lan", "old"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an old answer: %v", err)
	}
	if _, err := r.DB.Answer(t.Context(), "lan", "young"); err != nil {
		t.Errorf("a young answer: %v", err)
	}
}
