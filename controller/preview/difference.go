package preview

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/store"
)

// Change is what somebody is about to publish.
type Change struct {
	// Announcement comes in, if it is not nil.
	Announcement *Subject
	// Placement takes the place of an earlier revision of its own, and so does
	// Slot.
	Placement *broadcast.Placement
	Slot      *broadcast.Slot
	// Policy takes the place of the one of its area.
	Policy *broadcast.Policy
	// Withdrawn announcements go.
	Withdrawn []broadcast.ID
}

// Shift is an occurrence that ends otherwise than before, on nodes that meet it
// alike.
type Shift struct {
	Prospect
	// Before is how it would have ended; Fate is how it ends now.
	Before Fate
}

// Difference is what a change would do to everything that nodes sound.
type Difference struct {
	Window plan.Window
	// Nodes were looked at; Unseen were not, and Trouble says why.
	Nodes, Unseen int
	Trouble       string
	// Shifts have what falls silent first.
	Shifts []Shift
	// Digest names what is different, in what people decide about: which
	// occurrence ends how. It stays the same while nothing of that changes.
	Digest broadcast.Digest
	// about are the announcements that the change is about.
	about []broadcast.ID
}

// Differ plans every place in which the nodes stand without the change and with
// it. It ends with ctx and says what it did not look at.
func Differ(ctx context.Context, src Source, nodes []store.Node, window plan.Window, change Change) Difference {
	out := Difference{Window: window, about: change.about()}
	o, err := survey(ctx, src, nodes, window)
	out.Unseen, out.Trouble = o.f.Unseen, o.f.Trouble
	if err != nil {
		out.Unseen, out.Trouble = len(nodes), err.Error()
		return out
	}
	with := *o.reader
	with.apply(change)
	found, plans := map[shiftKey]*Shift{}, map[string]*planned{}
	then, afterwards := o, plans
	if change.Policy != nil { // the law is no part of what a place holds
		other := *o
		other.reader = &with
		then, afterwards = &other, map[string]*planned{}
	}
	for _, p := range o.places {
		before, after := o.planOf(ctx, o.reader.at(p.assignment), plans), then.planOf(ctx, with.at(p.assignment), afterwards)
		if err := cmp.Or(before.err, after.err); err != nil {
			out.Unseen, out.Trouble = out.Unseen+p.nodes, err.Error()
			continue
		}
		out.Nodes += p.nodes
		compare(found, p, before, after)
	}
	for _, s := range found {
		sortAreas(s.Areas)
		out.Shifts = append(out.Shifts, *s)
	}
	slices.SortFunc(out.Shifts, func(a, b Shift) int {
		return cmp.Or(cmp.Compare(a.Fate.worth(), b.Fate.worth()), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Announcement, b.Announcement),
			cmp.Compare(a.Revision, b.Revision), compareFates(a.Fate, b.Fate), compareFates(a.Before, b.Before))
	})
	if out.Digest, err = out.digest(); err != nil {
		out.Trouble = err.Error()
	}
	return out
}

// Others are the shifts of everything but the announcements that come or go.
func (d Difference) Others() []Shift {
	return only(d.Shifts, func(s Shift) bool { return !slices.Contains(d.about, s.Announcement) })
}

func (c Change) about() []broadcast.ID {
	if c.Announcement == nil {
		return c.Withdrawn
	}
	return append(slices.Clone(c.Withdrawn), c.Announcement.Announcement.ID)
}

// Spoils says that something which sounds well would be silent, late or cut.
func (s Shift) Spoils() bool { return s.Fate.worth() < s.Before.worth() }

// Words say in one line what becomes of it.
func (s Shift) Words() Words {
	w, was := s.Prospect.Words(), s.Before.Words()
	if !s.Before.Planned {
		return w
	}
	return Words{w.English + "; before: " + was.English, w.Vietnamese + "; trước đó: " + was.Vietnamese}
}

type shiftKey struct {
	occasion
	before, after Fate
}

// compare counts what differs between two plans of a place.
func compare(found map[shiftKey]*Shift, at *place, before, after *planned) {
	was, is := before.fates(), after.fates()
	for name := range is {
		if _, known := was[name]; !known {
			was[name] = told{}
		}
	}
	for name, old := range was {
		now := is[name]
		if alike(old.fate, now.fate) {
			continue
		}
		key := shiftKey{name, old.fate, now.fate}
		if found[key] == nil {
			s := &Shift{Before: old.fate}
			if now.fate.Planned {
				s.Prospect = *after.prospect(now.entry, now.fate)
			} else {
				s.Prospect = *before.prospect(old.entry, Fate{})
			}
			found[key] = s
		}
		found[key].Nodes += at.nodes
		found[key].Areas = countedIn(found[key].Areas, at)
	}
}

// alike says that nobody would hear a difference.
func alike(a, b Fate) bool {
	near := func(x, y broadcast.Instant) bool { return max(x, y).Sub(min(x, y)) < lateBy }
	return a.verdict() == b.verdict() && a.Inside == b.Inside && near(a.From, b.From) && near(a.To, b.To)
}

// told is an entry and how it ends.
type told struct {
	entry plan.Entry
	fate  Fate
}

func (p *planned) fates() map[occasion]told {
	out := make(map[occasion]told, len(p.entries))
	for _, e := range p.entries {
		out[occasionOf(e)] = told{e, p.fate(e)}
	}
	return out
}

// apply puts a change into what nodes hold.
func (r *reader) apply(c Change) {
	gone := func(id broadcast.ID) bool { return slices.Contains(c.Withdrawn, id) }
	r.in.Items = only(r.in.Items, func(i plan.Item) bool { return !gone(i.Announcement.ID) })
	if s := c.Announcement; s != nil {
		r.in.Items = append(r.in.Items, plan.Item{Announcement: s.Announcement, Signers: s.Signers})
		r.in.Orders = maps.Clone(r.in.Orders)
		maps.Copy(r.in.Orders, s.Orders)
	}
	if p := c.Placement; p != nil {
		r.in.Placements = append(only(r.in.Placements, func(o broadcast.Placement) bool { return o.ID != p.ID }), *p)
	}
	if p := c.Policy; p != nil {
		r.policies = append(only(r.policies, func(o broadcast.Policy) bool { return o.Area != p.Area }), *p)
	}
	if s := c.Slot; s != nil {
		r.in.Slots = append(only(r.in.Slots, func(o broadcast.Slot) bool { return o.ID != s.ID }), *s)
	}
}

// verdict is what a digest says of a fate: a sounding that waits a second more
// or less is the same to people.
type verdict struct {
	Planned bool             `json:"planned"`
	Sounds  bool             `json:"sounds"`
	Reason  broadcast.Reason `json:"reason"`
}

func (f Fate) verdict() verdict { return verdict{f.Planned, f.Sounds, f.Reason} }

// digest leaves times out that follow from the moment of asking.
func (d Difference) digest() (broadcast.Digest, error) {
	type line struct {
		Announcement broadcast.ID `json:"announcement"`
		Start        string       `json:"start"`
		Before       verdict      `json:"before"`
		After        verdict      `json:"after"`
		Nodes        int          `json:"nodes"`
	}
	lines := []line{}
	for _, s := range d.Shifts {
		if s.Before.Planned { // what comes new is named by its own digest
			lines = append(lines, line{s.Announcement, s.Start.String(), s.Before.verdict(), s.Fate.verdict(), s.Nodes})
		}
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	raw, err := broadcast.Encode(lines)
	if err != nil {
		return "", fmt.Errorf("difference: %w", err)
	}
	return broadcast.Sum(raw), nil
}
