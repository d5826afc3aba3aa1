package handover

import (
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
)

// kindRow is how one kind of sealed document is read.
type kindRow struct {
	kind broadcast.Kind
	// officers is how many people have to sign it; 0 for as many as did.
	officers int
	// endless documents stand until another takes their place.
	endless bool
	// otherwise is what becomes of one whose signatures are believed no more.
	otherwise Fate
	read      func(broadcast.Envelope) (reading, error)
	opens     func(*seal.Keyring, []byte, seal.Context) (seal.Proof, error)
	// need is what somebody has to be allowed to who signs it anew alone, and anew
	// seals the same words under a later revision; both are empty for what the desk
	// has two people sign.
	need people.Permission
	anew func(broadcast.Envelope, broadcast.Revision, seal.Signer) ([]byte, error)
	// anyLevel kinds mean the same whoever signs them.
	anyLevel bool
}

// reading is what a document says, whether it is believed or not.
type reading struct {
	seal.Claim
	title string
	until broadcast.Instant
	// template and activates are for templates and for what they have sound.
	template  *broadcast.Template
	activates *broadcast.TemplateRef
}

// row makes a row of a kind; tell adds what a claim does not say.
func row[T broadcast.Validator](r kindRow, tell func(T, *reading)) kindRow {
	r.read = func(env broadcast.Envelope) (reading, error) {
		payload, err := env.PayloadBytes()
		if err != nil {
			return reading{}, err
		}
		doc, err := broadcast.Decode[T](payload)
		if err != nil {
			return reading{}, err
		}
		out := reading{}
		out.Claim, _ = seal.ClaimOf(doc)
		tell(doc, &out)
		return out, nil
	}
	r.opens = func(ring *seal.Keyring, raw []byte, ctx seal.Context) (seal.Proof, error) {
		_, proof, err := seal.Open[T](ring, r.kind, raw, ctx)
		return proof, err
	}
	return r
}

// alone is the same for a kind that one person signs; date gives a document its
// later revision, or says why it cannot have one.
func alone[T broadcast.Validator](r kindRow, tell func(T, *reading), date func(*T, broadcast.Revision) error) kindRow {
	r.officers = 1
	r = row(r, tell)
	r.anew = func(env broadcast.Envelope, at broadcast.Revision, signer seal.Signer) ([]byte, error) {
		payload, err := env.PayloadBytes()
		if err != nil {
			return nil, err
		}
		doc, err := broadcast.Decode[T](payload)
		if err != nil {
			return nil, err
		}
		if err := date(&doc, at); err != nil {
			return nil, err
		}
		next, err := seal.Seal(r.kind, doc, signer)
		if err != nil {
			return nil, err
		}
		return seal.Bytes(r.kind, next)
	}
	return r
}

// kinds is the one table of documents that may depend on somebody: templates
// before what they have sound. A place is kept by the node that has it, whoever
// signed it: it gives nobody a right.
func kinds() []kindRow {
	spoken := func(a broadcast.Announcement, r *reading) {
		r.title, r.until, r.activates = a.Title, a.Timing.Deadline(a.Class), a.Template
	}
	return []kindRow{
		row(kindRow{kind: broadcast.KindTemplate, officers: 2, otherwise: Falls}, func(t broadcast.Template, r *reading) {
			r.title, r.until, r.template = t.Title, t.Expires, &t
		}),
		row(kindRow{kind: broadcast.KindAnnouncement, otherwise: Falls}, spoken),
		row(kindRow{kind: broadcast.KindDrill, otherwise: Falls}, spoken),
		alone(kindRow{kind: broadcast.KindWithdrawal, need: people.AnnouncementWithdraw, otherwise: Falls},
			func(w broadcast.Withdrawal, r *reading) { r.title = w.Reason },
			func(w *broadcast.Withdrawal, at broadcast.Revision) error {
				w.Revision = max(at, w.Revision+1)
				return nil
			}),
		alone(kindRow{kind: broadcast.KindSilence, need: people.AnnouncementWithdraw, otherwise: Falls},
			func(s broadcast.Silence, r *reading) { r.title, r.until = s.Reason, s.Until }, later),
		row(kindRow{kind: broadcast.KindPolicy, officers: 2, endless: true, otherwise: Falls}, func(broadcast.Policy, *reading) {}),
		alone(kindRow{kind: broadcast.KindSlot, need: people.AnnouncementApprove, otherwise: Falls},
			func(s broadcast.Slot, r *reading) { r.until = s.Until },
			func(s *broadcast.Slot, at broadcast.Revision) error { s.Revision = max(at, s.Revision+1); return nil }),
		alone(kindRow{kind: broadcast.KindPlacement, need: people.AnnouncementApprove, otherwise: Falls},
			func(p broadcast.Placement, r *reading) { r.until = p.Until },
			func(p *broadcast.Placement, at broadcast.Revision) error {
				p.Revision = max(at, p.Revision+1)
				return nil
			}),
		alone(kindRow{kind: broadcast.KindAssignment, need: people.NodeConfirm, endless: true, anyLevel: true, otherwise: Faulty},
			func(broadcast.Assignment, *reading) {},
			func(a *broadcast.Assignment, at broadcast.Revision) error {
				a.Revision = max(at, a.Revision+1)
				return nil
			}),
	}
}

// later dates a silence anew. One that bars emergencies bars those that came before
// it: signed anew it would silence a warning of the time in between.
func later(s *broadcast.Silence, at broadcast.Revision) error {
	if slices.Contains(s.Classes, broadcast.Emergency) {
		return fmt.Errorf("%w: a silence that bars emergencies would also bar a warning that came since; sign a new one", ErrByHand)
	}
	s.Revision = max(at, s.Revision+1)
	return nil
}

func rowOf(kind broadcast.Kind) (kindRow, bool) {
	all := kinds()
	i := slices.IndexFunc(all, func(r kindRow) bool { return r.kind == kind })
	if i < 0 {
		return kindRow{}, false
	}
	return all[i], true
}

// rank is where a kind stands in a list; sealed documents come first.
func rank(kind Kind) int {
	all := kinds()
	if i := slices.IndexFunc(all, func(r kindRow) bool { return Kind(r.kind) == kind }); i >= 0 {
		return i
	}
	return len(all) + slices.Index([]Kind{Rights, Waiting, BoxPIN, Phone}, kind)
}
