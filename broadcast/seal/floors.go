package seal

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// Errors of Floors.Admit.
var (
	// ErrStale: an older revision than the one held; a replay or a late copy.
	ErrStale = errors.New("an older revision than the one held")
	// ErrHeld: exactly what is already held; nothing to do.
	ErrHeld = errors.New("already held")
	// ErrAhead: issued further in the future than clocks may differ.
	ErrAhead = errors.New("issued in the future")
	// ErrEquivocation: the revision held, with other bytes; the first is kept
	// and somebody has a key that he should not have.
	ErrEquivocation = errors.New("two documents with one revision")
)

// Subject names a series of revisions.
type Subject struct {
	Kind broadcast.Kind
	ID   broadcast.ID
}

// Floor is the newest accepted revision of one subject at one standing.
type Floor struct {
	Epoch    int64
	Revision broadcast.Revision
	Digest   broadcast.Digest
	Standing Standing
}

// Standing is what a document's signers may outdate. Ids are free for all, so
// whoever may sign anything at all could otherwise bar a flood warning with a
// later revision, or the same one, of a market notice under the warning's id.
type Standing struct {
	// Class of an announcement or drill: a lower one never outdates a higher.
	Class broadcast.Class
	// Level of the signers: what a lower one signed never outdates a higher's.
	Level broadcast.Level
}

// reaches says whether a document of this standing can outdate one of another.
func (s Standing) reaches(o Standing) bool {
	return s.Class.Rank() >= o.Class.Rank() && height(s.Level) >= height(o.Level)
}

// beats decides between two documents of one name and revision, of which only
// one can be held.
func (s Standing) beats(o Standing) bool {
	return cmp.Or(cmp.Compare(s.Class.Rank(), o.Class.Rank()), cmp.Compare(height(s.Level), height(o.Level))) > 0
}

// height is greater for a higher level, and least for none.
func height(l broadcast.Level) int {
	if l.Rank() == 0 {
		return 0
	}
	return broadcast.Village.Rank() + 1 - l.Rank()
}

// Standing returns what the document's signers may outdate. Kinds that are
// named after a place or node have none: who may sign them is judged by that.
func (p Proof) Standing() Standing {
	switch p.Kind {
	case broadcast.KindAnnouncement, broadcast.KindDrill:
		return Standing{Class: p.Claim.Class, Level: p.Level()}
	case broadcast.KindTemplate, broadcast.KindSilence, broadcast.KindPlacement, broadcast.KindSlot:
		return Standing{Level: p.Level()}
	}
	return Standing{}
}

// Floors remembers the newest accepted revisions of every subject, so that
// nothing old is believed again. The zero value is not usable; make one. Its
// holder stores it before acting on what was admitted.
type Floors map[Subject][]Floor

// Admit says whether a proved document is newer than what was accepted before,
// and remembers it. A higher service epoch starts the series anew, so that a
// controller restored from yesterday's backup can go on. now is trusted time,
// or 0 if there is none, which leaves the future unchecked.
//
// Revisions of announcements stand side by side, and the plan says which one
// counts; of everything else the newest takes the place of the others, so a
// name that a higher level uses is not for a lower one (ErrRight). Withdrawals
// take the place of nothing: each one holds by itself.
func (f Floors) Admit(p Proof, now broadcast.Instant) error {
	issued := p.Claim.Revision.IssuedAt()
	if now != 0 && issued > now.Add(broadcast.MaxAhead) {
		return fmt.Errorf("%w: %s, here it is %s", ErrAhead, issued, now)
	}
	if p.Kind == broadcast.KindWithdrawal {
		return nil
	}
	next := p.Floor()
	subject := Subject{Kind: p.Kind, ID: p.Claim.ID}
	for _, have := range f[subject] {
		if err := next.follows(have, p.Kind); err != nil {
			return fmt.Errorf("%s %s revision %d, held is %d: %w", p.Kind, p.Claim.ID, next.Revision, have.Revision, err)
		}
	}
	f.Raise(subject, next)
	return nil
}

// Floor is the floor that a document sets.
func (p Proof) Floor() Floor {
	return Floor{Epoch: p.Epoch(), Revision: p.Claim.Revision, Digest: p.Digest, Standing: p.Standing()}
}

// follows says why a document may not come after one that was accepted.
func (n Floor) follows(have Floor, kind broadcast.Kind) error {
	stands := kind == broadcast.KindAnnouncement || kind == broadcast.KindDrill
	switch {
	case n.Digest == have.Digest:
		return ErrHeld
	case n.Epoch > have.Epoch:
		return nil
	case !stands && !n.Standing.reaches(have.Standing):
		return fmt.Errorf("%w: a higher level uses this name", ErrRight)
	case n.Epoch == have.Epoch && n.Revision == have.Revision:
		if n.Standing.beats(have.Standing) {
			return nil
		}
		return ErrEquivocation
	case !have.Standing.reaches(n.Standing):
		return nil
	case n.Epoch < have.Epoch || n.Revision < have.Revision:
		return ErrStale
	}
	return nil
}

// Raise remembers a floor and forgets those that say less.
func (f Floors) Raise(subject Subject, next Floor) {
	kept := slices.DeleteFunc(slices.Clone(f[subject]), next.covers)
	if !slices.ContainsFunc(kept, func(have Floor) bool { return have.covers(next) }) {
		kept = append(kept, next)
	}
	f[subject] = kept
}

// covers says that whatever the other floor bars, this one bars too.
func (n Floor) covers(o Floor) bool {
	return n.Standing.reaches(o.Standing) && (n.Epoch > o.Epoch || n.Epoch == o.Epoch && n.Revision >= o.Revision)
}

// Outdates says whether a revision is too old for this subject, whoever signed it.
func (f Floors) Outdates(subject Subject, revision broadcast.Revision) bool {
	top := Proof{Kind: subject.Kind, Claim: Claim{Class: broadcast.Emergency}}.Standing()
	return slices.ContainsFunc(f[subject], func(have Floor) bool { return have.Revision > revision && have.Standing.reaches(top) })
}

// Forget takes back the floor that one document set: it is no longer held, and
// may come again.
func (f Floors) Forget(subject Subject, digest broadcast.Digest) {
	f[subject] = slices.DeleteFunc(f[subject], func(have Floor) bool { return have.Digest == digest })
	if len(f[subject]) == 0 {
		delete(f, subject)
	}
}
