package programme

import (
	"context"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/preview"
)

// Seen is what somebody who signs was shown of what becomes of other items.
type Seen struct {
	// Difference is the digest that was shown.
	Difference broadcast.Digest
	// Anything accepts whatever becomes of them.
	Anything bool
}

// Decision is what a commune says of some announcements: those named earlier come
// first where two of one class meet.
type Decision struct{ Items []Choice }

// Choice is what a commune says of one announcement.
type Choice struct {
	Announcement broadcast.ID
	// Start moves an offer; 0 keeps its own.
	Start broadcast.Instant
	// Decline does not take an offer, for a reason.
	Decline bool
	Reason  string
}

// maxChoices is how many announcements one placement orders.
const maxChoices = 100

// Weigh says what a decision would change, without signing anything.
func (p *Programmes) Weigh(ctx context.Context, by people.Person, area broadcast.ID, d Decision) (preview.Difference, error) {
	doc, err := p.placement(ctx, by, area, d)
	if err != nil {
		return preview.Difference{}, err
	}
	return p.weigh(ctx, []broadcast.ID{area}, preview.Change{Placement: &doc}), nil
}

// Decide signs a decision for a commune, or for a village of it. What was decided
// before stands behind it unless it is named again. If something else would be
// silent, late or cut by it, that has to be seen first.
func (p *Programmes) Decide(ctx context.Context, by people.Person, cred people.Credential, area broadcast.ID, d Decision, seen Seen) error {
	doc, err := p.placement(ctx, by, area, d)
	if err != nil {
		return err
	}
	if err := p.seen(p.weigh(ctx, []broadcast.ID{area}, preview.Change{Placement: &doc}), seen, declined(d)...); err != nil {
		return err
	}
	return publish(ctx, p, by, cred, sealed[broadcast.Placement]{doc, broadcast.KindPlacement, doc.ID, doc.Revision, doc.Areas, doc.Until, "placement.sign"})
}

// declined are the offers that are meant to be silent.
func declined(d Decision) []broadcast.ID {
	var out []broadcast.ID
	for _, c := range d.Items {
		if c.Decline {
			out = append(out, c.Announcement)
		}
	}
	return out
}

// seen refuses what would spoil a sounding that was not meant, unless somebody
// was shown it. What cannot be told keeps nobody from deciding.
func (p *Programmes) seen(diff preview.Difference, seen Seen, meant ...broadcast.ID) error {
	spoilt := slices.DeleteFunc(slices.Clone(diff.Shifts), func(s preview.Shift) bool { return !s.Spoils() || slices.Contains(meant, s.Announcement) })
	if len(spoilt) == 0 || seen.Anything || seen.Difference != "" && seen.Difference == diff.Digest {
		return nil
	}
	var english, vietnamese []string
	for _, s := range spoilt[:min(len(spoilt), 5)] {
		w := s.Words()
		english, vietnamese = append(english, w.English), append(vietnamese, w.Vietnamese)
	}
	r := refuse(OthersChange, "difference", len(spoilt), word{strings.Join(english, "; "), strings.Join(vietnamese, "; ")})
	r.Errors, r.Difference = english, &diff
	for _, s := range spoilt {
		r.About = append(r.About, s.Announcement)
	}
	slices.Sort(r.About)
	r.About = slices.Compact(r.About)
	return r
}

// placementID names the one placement of an area.
func placementID(area broadcast.ID) broadcast.ID {
	return "xep-" + broadcast.ID(broadcast.Sum([]byte(area))[:24])
}

// placement is the newest placement of an area with a decision put before it.
func (p *Programmes) placement(ctx context.Context, by people.Person, area broadcast.ID, d Decision) (broadcast.Placement, error) {
	now := p.now()
	out := broadcast.Placement{ID: placementID(area), Revision: broadcast.Revision(now), Areas: []broadcast.ID{area}, Until: now.Add(broadcast.MaxUntil)}
	if err := p.own(by, out.Areas); err != nil {
		return out, err
	}
	above, err := p.above(area)
	if err != nil {
		return out, err
	}
	found, err := held[broadcast.Announcement](ctx, p, broadcast.KindAnnouncement, append(above, p.below(area)...))
	if err != nil {
		return out, err
	}
	known := map[broadcast.ID]believed[broadcast.Announcement]{}
	for _, a := range found {
		known[a.doc.ID] = a
	}
	for i, c := range d.Items {
		item, err := p.placed(c, known, area)
		if err != nil {
			return out, err
		}
		if slices.ContainsFunc(d.Items[:i], func(o Choice) bool { return o.Announcement == c.Announcement }) {
			return out, refuse(Invalid, "items", word{string(c.Announcement) + " is named twice", string(c.Announcement) + " bị nêu hai lần"})
		}
		out.Items = append(out.Items, item)
	}
	before, err := p.decided(ctx, area, out.ID)
	if err != nil {
		return out, err
	}
	for _, old := range before {
		named := func(i broadcast.Placed) bool { return i.Announcement == old.Announcement }
		if a, on := known[old.Announcement]; on && a.doc.Revision == old.Revision && !slices.ContainsFunc(out.Items, named) {
			out.Items = append(out.Items, old)
		}
	}
	if len(out.Items) > maxChoices {
		return out, refuse(TooMany, "items", len(out.Items), maxChoices)
	}
	return out, nil
}

// decided are the items of an earlier placement that still stands.
func (p *Programmes) decided(ctx context.Context, area, id broadcast.ID) ([]broadcast.Placed, error) {
	found, err := held[broadcast.Placement](ctx, p, broadcast.KindPlacement, []broadcast.ID{area})
	for _, f := range found {
		if f.doc.ID == id {
			return f.doc.Items, nil
		}
	}
	return nil, err
}

// placed checks what is said of one announcement.
func (p *Programmes) placed(c Choice, known map[broadcast.ID]believed[broadcast.Announcement], area broadcast.ID) (broadcast.Placed, error) {
	a, on := known[c.Announcement]
	out := broadcast.Placed{Announcement: c.Announcement, Revision: a.doc.Revision, Start: c.Start, Decline: c.Decline, Reason: strings.TrimSpace(broadcast.NormalText(c.Reason))}
	if !on || !p.reaches(a.doc, area) {
		return out, refuse(NotListed, "items", string(c.Announcement), string(area))
	}
	if (c.Decline || c.Start != 0) && !offered(a) {
		return out, refuse(NoOffer, "items", string(c.Announcement), string(area))
	}
	until := a.doc.Timing.Deadline(a.doc.Class)
	switch {
	case c.Decline && out.Reason == "":
		return out, refuse(ReasonNeeded, "items")
	case c.Start != 0 && c.Start < p.now():
		return out, refuse(StartPast, "items", local(c.Start))
	case c.Start > until:
		return out, refuse(OfferEnds, "items", local(until))
	}
	return out, nil
}
