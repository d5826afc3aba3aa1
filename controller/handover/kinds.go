package handover

import (
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
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
	opens     func(*seal.Keyring, []byte, seal.Context) error
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
	r.opens = func(ring *seal.Keyring, raw []byte, ctx seal.Context) error {
		_, _, err := seal.Open[T](ring, r.kind, raw, ctx)
		return err
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
		row(kindRow{kind: broadcast.KindWithdrawal, officers: 1, otherwise: Falls}, func(w broadcast.Withdrawal, r *reading) { r.title = w.Reason }),
		row(kindRow{kind: broadcast.KindSilence, officers: 1, otherwise: Falls}, func(s broadcast.Silence, r *reading) { r.title, r.until = s.Reason, s.Until }),
		row(kindRow{kind: broadcast.KindPolicy, officers: 2, endless: true, otherwise: Falls}, func(broadcast.Policy, *reading) {}),
		row(kindRow{kind: broadcast.KindSlot, officers: 1, otherwise: Falls}, func(s broadcast.Slot, r *reading) { r.until = s.Until }),
		row(kindRow{kind: broadcast.KindPlacement, officers: 1, otherwise: Falls}, func(p broadcast.Placement, r *reading) { r.until = p.Until }),
		row(kindRow{kind: broadcast.KindAssignment, officers: 1, endless: true, otherwise: Faulty}, func(broadcast.Assignment, *reading) {}),
	}
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
