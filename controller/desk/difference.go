package desk

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// Seen is what somebody who approves was shown of what else becomes of it.
type Seen struct {
	// Difference is the digest that was shown.
	Difference broadcast.Digest
	// Anything accepts whatever becomes of other announcements.
	Anything bool
}

// lookAhead is how long a stretch a difference covers.
const lookAhead = 7 * 24 * time.Hour

// Difference says what publishing an announcement would change of everything
// that its nodes sound in the seven days from its first start, as far as that
// can be told in a second. It is empty for what is published already.
func (d *Desk) Difference(ctx context.Context, id broadcast.ID) (preview.Difference, error) {
	a, err := d.Announcement(ctx, id)
	if err != nil || a.SHA256 != "" {
		return preview.Difference{}, err
	}
	return d.differ(ctx, a), nil
}

// differ never fails: what was not looked at it says.
func (d *Desk) differ(ctx context.Context, a Announcement) preview.Difference {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := d.tryDiffer(ctx, a)
	if err != nil {
		out.Trouble = err.Error()
	}
	if out.Trouble != "" {
		d.cfg.Log.Warn("difference is not complete", "announcement", a.ID, "unseen", out.Unseen, "error", out.Trouble)
	}
	return out
}

func (d *Desk) tryDiffer(ctx context.Context, a Announcement) (preview.Difference, error) {
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return preview.Difference{}, err
	}
	nodes, err := d.standing(ctx, a.Document.Areas)
	if err != nil {
		return preview.Difference{}, err
	}
	s, err := d.subject(ctx, ring, a, nil)
	if err != nil {
		return preview.Difference{}, err
	}
	from := max(d.now(), s.Announcement.Timing.Start.Add(-plannedBefore))
	src := preview.Source{DB: d.cfg.DB, Ring: ring, Now: d.now(), Places: d.places()}
	return preview.Differ(ctx, src, nodes, plan.Window{From: from, To: from.Add(lookAhead)}, preview.Change{Announcement: &s}), nil
}

// plannedBefore is how long before its first start something can sound that is
// cut by it.
const plannedBefore = broadcast.MaxDuration

// standing are the nodes of some areas that have a place.
func (d *Desk) standing(ctx context.Context, areas []broadcast.ID) ([]store.Node, error) {
	ids, err := d.cfg.Fleet.Within(ctx, areas)
	if err != nil {
		return nil, err
	}
	known, err := d.cfg.DB.NodesNamed(ctx, ids)
	if err != nil {
		return nil, err
	}
	var nodes []store.Node
	for _, id := range ids {
		if n, ok := known[id]; ok && n.Assignment != "" {
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// wasSeen refuses a signature of somebody who was not shown what would become
// of other announcements. An emergency waits for nobody, and what cannot be told
// keeps nobody from speaking.
func (d *Desk) wasSeen(ctx context.Context, by people.Person, a Announcement, seen []Seen) error {
	mine := func(s store.Approval) bool { return s.Person == by.ID }
	if a.State != store.Submitted || a.Document.Class == broadcast.Emergency || slices.ContainsFunc(a.Signatures, mine) {
		return nil
	}
	diff := d.differ(ctx, a)
	others := diff.Others()
	if len(others) == 0 {
		return nil
	}
	for _, s := range seen {
		if s.Anything || s.Difference == diff.Digest {
			return d.accepted(ctx, by, a, diff)
		}
	}
	var english, vietnamese []string
	for _, o := range others[:min(len(others), maxNamed)] {
		w := o.Words()
		english, vietnamese = append(english, w.English), append(vietnamese, w.Vietnamese)
	}
	r := refuse(OthersChange, "difference", len(others), word{strings.Join(english, "; "), strings.Join(vietnamese, "; ")})
	r.Errors, r.Current = english, diff
	for _, o := range others {
		r.About = append(r.About, o.Announcement)
	}
	slices.Sort(r.About)
	r.About = slices.Compact(r.About)
	return r
}

// maxNamed is how many changes a refusal names.
const maxNamed = 5

// accepted notes who let others be changed.
func (d *Desk) accepted(ctx context.Context, by people.Person, a Announcement, diff preview.Difference) error {
	return d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		return tx.Audit(ctx, store.Deed{At: d.now(), Person: by.ID, Act: "announcement.accept-difference", Subject: string(a.ID),
			Detail: trace{Digest: a.Digest, Difference: diff.Digest}})
	})
}
