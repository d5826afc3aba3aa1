package seal

import (
	"errors"
	"fmt"

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

// Floor is the newest accepted revision of one subject.
type Floor struct {
	Epoch    int64
	Revision broadcast.Revision
	Digest   broadcast.Digest
}

// Floors remembers the newest accepted revision of every subject, so that
// nothing old is believed again. The zero value is not usable; make one. Its
// holder stores it before acting on what was admitted.
type Floors map[Subject]Floor

// Admit says whether a proved document is newer than what was accepted before,
// and remembers it. A higher service epoch starts the series anew, so that a
// controller restored from yesterday's backup can go on. now is trusted time,
// or 0 if there is none, which leaves the future unchecked.
func (f Floors) Admit(p Proof, now broadcast.Instant) error {
	issued := p.Claim.Revision.IssuedAt()
	if now != 0 && issued > now.Add(broadcast.MaxAhead) {
		return fmt.Errorf("%w: %s, here it is %s", ErrAhead, issued, now)
	}
	subject := Subject{Kind: p.Kind, ID: p.Claim.ID}
	next := Floor{Epoch: p.Epoch(), Revision: p.Claim.Revision, Digest: p.Digest}
	have, known := f[subject]
	switch {
	case !known || next.Epoch > have.Epoch:
	case next.Epoch < have.Epoch || next.Revision < have.Revision:
		return fmt.Errorf("%s %s revision %d, held is %d: %w", p.Kind, p.Claim.ID, next.Revision, have.Revision, ErrStale)
	case next.Revision == have.Revision && next.Digest == have.Digest:
		return ErrHeld
	case next.Revision == have.Revision:
		return fmt.Errorf("%s %s revision %d: %w", p.Kind, p.Claim.ID, next.Revision, ErrEquivocation)
	}
	f[subject] = next
	return nil
}
