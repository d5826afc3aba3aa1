package handover

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Outcome is what came of signing one thing anew.
type Outcome string

// The outcomes.
const (
	Signed  Outcome = "signed"  // it stands by the successor's key
	Awaits  Outcome = "awaits"  // a second person has to sign; what stands goes on
	Refused Outcome = "refused" // nothing was changed
)

// Ref names one thing that depends on somebody.
type Ref struct {
	Kind Kind
	ID   broadcast.ID
}

// Answer is what came of one thing.
type Answer struct {
	Item
	Outcome Outcome
	// Err says why it was refused.
	Err error
}

// Errors of what cannot be signed anew in one action.
var (
	// ErrByHand: nobody can sign the same words again without something changing.
	ErrByHand = errors.New("this cannot be signed anew as it is")
	// ErrLevel: by another level it would outrank, or yield to, other things.
	ErrLevel = errors.New("somebody of the same level has to sign this")
)

// Resign signs anew, with one key, what depends on somebody: all of it, or what is
// named. The words, places and dates stay as they are, so that loudspeakers do
// what they did; what stands goes on until its successor does. Each thing is a
// transaction of its own, and what cannot be signed leaves the others as they are.
// What announcements have sound is never signed anew so: a node takes it for a new
// announcement, and would sound it twice.
func (b *Book) Resign(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, since broadcast.Instant, only ...Ref) ([]Answer, error) {
	if by.ID == id || by.Role.Longest() != 0 {
		return nil, fmt.Errorf("%w: an officer of the same areas takes over from %s", people.ErrForbidden, id)
	}
	list, err := b.Of(ctx, id, since)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(i Item) bool {
		return i.SHA256 == "" || len(only) > 0 && !slices.Contains(only, Ref{i.Kind, i.ID})
	})
	out := make([]Answer, 0, len(list))
	err = b.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error {
		ring, err := b.cfg.Office.Ring(ctx)
		if err != nil {
			return err
		}
		s := successor{by: by, cred: cred, signer: signer, ring: ring}
		for _, i := range list {
			a := Answer{Item: i}
			if a.Outcome, a.Err = b.resign(ctx, s, i); a.Err != nil {
				a.Outcome = Refused
			}
			out = append(out, a)
		}
		return ctx.Err()
	})
	for _, a := range out {
		if a.Outcome == Signed {
			b.cfg.Desk.Changed(a.ID)
		}
	}
	return out, err
}

// successor is whoever takes over, with an open key.
type successor struct {
	by     people.Person
	cred   people.Credential
	signer seal.Signer
	ring   *seal.Keyring
}

func (b *Book) resign(ctx context.Context, s successor, i Item) (Outcome, error) {
	switch broadcast.Kind(i.Kind) {
	case broadcast.KindTemplate:
		t, err := b.cfg.Desk.ResignTemplate(ctx, s.by, s.cred, i.ID)
		return awaits(t.Draft != nil), err
	case broadcast.KindPolicy:
		r, err := b.cfg.Desk.ResignPolicy(ctx, s.by, s.cred, i.ID)
		return awaits(r.Draft != nil), err
	}
	row, known := rowOf(broadcast.Kind(i.Kind))
	if !known || row.anew == nil {
		return Refused, fmt.Errorf("%w: what sounds is announced anew, by a template or with its approvals, before this one is given up", ErrByHand)
	}
	if err := b.cfg.Keys.Authorise(s.by, row.need, i.Areas...); err != nil {
		return Refused, err
	}
	return Signed, b.reseal(ctx, s, row, i)
}

func awaits(draft bool) Outcome {
	if draft {
		return Awaits
	}
	return Signed
}

// reseal puts the same words by the successor's key in place of what stands, if a
// node would believe them and take them for the same.
func (b *Book) reseal(ctx context.Context, s successor, row kindRow, i Item) error {
	old, err := b.cfg.DB.Document(ctx, i.SHA256)
	if err != nil {
		return err
	}
	env, err := seal.Parse(row.kind, old.Raw)
	if err != nil {
		return err
	}
	raw, err := row.anew(env, max(broadcast.Revision(b.now()), old.Revision+1), s.signer)
	if err != nil {
		return err
	}
	places := seal.Context{Places: b.cfg.Office.Places(), Listed: true}
	before, err := row.opens(s.ring, old.Raw, places)
	if err != nil {
		return err
	}
	places.Listed = false
	after, err := row.opens(s.ring, raw, places)
	if err != nil {
		return fmt.Errorf("%w: %w", people.ErrForbidden, err)
	}
	if before.Level() != after.Level() && !row.anyLevel {
		return fmt.Errorf("%w: %s, and %s is of the level %s", ErrLevel, before.Level(), s.by.ID, after.Level())
	}
	next := store.Document{Kind: row.kind, ID: i.ID, Revision: after.Claim.Revision, Raw: raw}
	return b.cfg.DB.Update(ctx, func(tx store.Tx) error {
		sha, err := tx.PutDocument(ctx, next)
		if err != nil {
			return err
		}
		if err := b.replace(ctx, tx, i, next, sha); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: b.now(), Person: s.by.ID, Act: "handover.sign", Subject: string(i.ID), Detail: struct {
			Kind   Kind             `json:"kind"`
			Before broadcast.Digest `json:"before"`
			SHA256 broadcast.Digest `json:"sha256"`
		}{i.Kind, i.SHA256, sha}})
	})
}

// replace lists the next document wherever the old one is, for as long; one that
// changed meanwhile is a conflict.
func (b *Book) replace(ctx context.Context, tx store.Tx, i Item, next store.Document, sha broadcast.Digest) error {
	if next.Kind == broadcast.KindAssignment {
		n, err := tx.Node(ctx, i.ID)
		if err == nil && n.Assignment != i.SHA256 {
			err = store.ErrConflict
		}
		if err != nil {
			return err
		}
		n.Assignment = sha
		return tx.SaveNode(ctx, n)
	}
	listed, err := b.cfg.DB.ListingsOf(ctx, next.Kind, b.now())
	if err != nil {
		return err
	}
	found := false
	for _, l := range listed {
		if l.SHA256 != i.SHA256 {
			continue
		}
		held, err := tx.Listed(ctx, l.Area, l.Kind, l.ID)
		if err != nil || held.SHA256 != i.SHA256 {
			return errors.Join(err, store.ErrConflict)
		}
		l.Revision, l.SHA256, found = next.Revision, sha, true
		if err := tx.List(ctx, l); err != nil {
			return err
		}
	}
	if !found {
		return store.ErrConflict
	}
	return nil
}
