package desk_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// ruled has the policy of the district ask for two officers, for keys no better
// than there are, and list some recordings as corrections.
func (r *rig) ruled(corrections ...broadcast.Digest) {
	r.t.Helper()
	p := broadcast.Policy{Area: broadcast.BacQuang, Revision: broadcast.Revision(r.Now()) + 1, Corrections: corrections}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	r.keep(p)
}

func (r *rig) correct(a desk.Announcement, content broadcast.Digest, digest broadcast.Digest) (desk.Announcement, error) {
	return r.Desk.Correct(r.t.Context(), r.first.Person, r.first.Credential, a.ID, "phát nhầm",
		desk.Correction{Digest: digest, Versions: []desk.DraftVersion{{Content: content}}})
}

func TestWithdrawingAndCorrectingIsOneAction(t *testing.T) {
	for _, class := range []broadcast.Class{broadcast.Normal, broadcast.Emergency} {
		t.Run(string(class), func(t *testing.T) {
			r := newRig(t)
			sorry := r.Content(4 * time.Second)
			r.ruled(sorry)
			d := r.notice()
			d.Class = class
			a := r.settled(d)
			r.Clock.Add(time.Minute)
			done, err := r.correct(a, sorry, a.Digest)
			if err != nil || done.State != store.Withdrawn || done.CorrectedBy == "" {
				t.Fatalf("%v %+v", err, done)
			}
			said, err := r.Desk.Announcement(t.Context(), done.CorrectedBy)
			if err != nil || said.State != store.Published || said.Document.Class != class || len(said.Signatures) != 1 ||
				said.Document.Title != "Đính chính: "+a.Document.Title || !cmp.Equal(said.Document.Areas, a.Document.Areas) {
				t.Errorf("%v %+v", err, said)
			}
			if c := said.Document.Corrects; c == nil || c.ID != a.Document.ID || c.Revision != a.Document.Revision {
				t.Errorf("it corrects %+v", c)
			}
			tomb := r.listings(broadcast.KindWithdrawal)
			if len(tomb) != 1 || tomb[0].Until < said.Until {
				t.Errorf("the withdrawal, by which it is believed, is listed until %s, it may sound until %s", tomb[0].Until, said.Until)
			}
			if again, err := r.correct(a, sorry, a.Digest); err != nil || again.CorrectedBy != done.CorrectedBy || len(r.listings(broadcast.KindAnnouncement)) != 1 {
				t.Errorf("again: %v %+v", err, again)
			}
		})
	}
}

func TestACorrectionThatIsRefusedLeavesTheAnnouncement(t *testing.T) {
	r := newRig(t)
	sorry, other := r.Content(4*time.Second), r.Content(5*time.Second)
	r.ruled(sorry)
	a := r.settled(r.notice())
	_, err := r.correct(a, other, a.Digest)
	refused(t, err, desk.NoCorrection)
	_, err = r.correct(a, sorry, broadcast.Sum(nil))
	refused(t, err, desk.DigestChanged)
	var no *desk.Refusal
	if !errors.As(err, &no) {
		t.Fatal(err)
	}
	if shown, ok := no.Current.(desk.Announcement); !ok || shown.ID != a.ID {
		t.Errorf("it does not show what is there: %+v", no.Current)
	}
	_, err = r.Desk.Correct(t.Context(), r.editor.Person, r.editor.Credential, a.ID, "phát nhầm",
		desk.Correction{Digest: a.Digest, Versions: []desk.DraftVersion{{Content: sorry}}})
	if !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an editor: %v", err)
	}
	if now, err := r.Desk.Announcement(t.Context(), a.ID); err != nil || now.State != store.Published || len(r.listings(broadcast.KindWithdrawal)) != 0 {
		t.Errorf("%v %s", err, now.State)
	}
	draft := r.create(r.editor, r.notice())
	_, err = r.correct(draft, sorry, draft.Digest)
	refused(t, err, desk.WrongState)
}
