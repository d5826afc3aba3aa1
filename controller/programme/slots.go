package programme

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/preview"
)

// Slot is a standing slot as it is signed.
type Slot struct {
	broadcast.Slot
	// SignedBy is who gave it.
	SignedBy broadcast.ID
	// Empty are the spans of today and tomorrow, still to come, in which nothing
	// would sound there.
	Empty []plan.Window
}

// Slots returns the standing slots of an area, of those above it and of those
// below, by id, and says which have nothing to sound today or tomorrow. Looking
// for that ends with a second: a slot that was not looked at is not called empty.
func (p *Programmes) Slots(ctx context.Context, area broadcast.ID) ([]Slot, error) {
	if _, err := p.above(area); err != nil {
		return nil, err
	}
	found, err := held[broadcast.Slot](ctx, p, broadcast.KindSlot, p.around(area))
	if err != nil {
		return nil, err
	}
	var out []Slot
	for _, s := range found {
		if s.doc.Until > p.now() {
			out = append(out, Slot{Slot: s.doc, SignedBy: s.proof.Signers[0].Person})
		}
	}
	slices.SortFunc(out, func(a, b Slot) int { return cmp.Compare(a.ID, b.ID) })
	if len(out) == 0 {
		return out, nil
	}
	look := p.lookAt(ctx, area, p.now(), midnight(p.now()).Add(2*day))
	if look.Unseen == 0 && look.Trouble == "" && look.Nodes > 0 {
		for i := range out {
			out[i].Empty = emptyIn(out[i].Slot, look)
		}
	}
	return out, nil
}

// around are an area, all above it and all below.
func (p *Programmes) around(area broadcast.ID) []broadcast.ID {
	var out []broadcast.ID
	at := p.places()
	for _, a := range p.cfg.Tree().Areas() {
		if at.Covers(a.ID, area) || at.Covers(area, a.ID) {
			out = append(out, a.ID)
		}
	}
	return out
}

// lookAt says what is ahead of an area; it never fails.
func (p *Programmes) lookAt(ctx context.Context, area broadcast.ID, from, to broadcast.Instant) preview.Ahead {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src, err := p.source(ctx)
	if err != nil {
		return preview.Ahead{Trouble: err.Error()}
	}
	nodes, err := p.nodes(ctx, []broadcast.ID{area})
	if err != nil {
		return preview.Ahead{Trouble: err.Error()}
	}
	return preview.Look(ctx, src, nodes, plan.Window{From: from, To: to})
}

// emptyIn are the spans of a slot in a stretch of time in which nothing sounds.
func emptyIn(s broadcast.Slot, look preview.Ahead) []plan.Window {
	var out []plan.Window
	for at := midnight(look.Window.From); at < look.Window.To; at = at.Add(day) {
		for _, span := range s.Spans {
			from, to, ok := span.On(at)
			if !ok || from < max(look.Window.From, s.From) || to > min(look.Window.To, s.Until) {
				continue
			}
			sounds := func(x preview.Prospect) bool { return x.Fate.Sounds && x.Fate.From < to && x.Fate.To > from }
			if !slices.ContainsFunc(look.Prospects, sounds) {
				out = append(out, plan.Window{From: from, To: to})
			}
		}
	}
	return out
}

// midnight is when the local day of a moment began.
func midnight(i broadcast.Instant) broadcast.Instant {
	t := i.Time().In(broadcast.Local())
	return broadcast.InstantOf(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()))
}

// GiveSlot signs a standing slot, or a new version of one. Id, areas, level,
// spans and dates come from the slot; its revision is the moment of signing.
func (p *Programmes) GiveSlot(ctx context.Context, by people.Person, cred people.Credential, s broadcast.Slot, seen Seen) error {
	if err := p.own(by, s.Areas); err != nil {
		return err
	}
	s.Revision = broadcast.Revision(p.now())
	if err := p.mine(ctx, s); err != nil {
		return err
	}
	if err := p.seen(p.weigh(ctx, s.Areas, preview.Change{Slot: &s}), seen); err != nil {
		return err
	}
	return publish(ctx, p, by, cred, sealed[broadcast.Slot]{s, broadcast.KindSlot, s.ID, s.Revision, s.Areas, s.Until, "slot.sign"})
}

// mine refuses the name of a slot that stands elsewhere: a slot of one name has
// one place.
func (p *Programmes) mine(ctx context.Context, s broadcast.Slot) error {
	listed, err := p.cfg.DB.ListingsOf(ctx, broadcast.KindSlot, p.now())
	if err != nil {
		return err
	}
	for _, l := range listed {
		if l.ID == s.ID && !slices.Contains(s.Areas, l.Area) {
			return refuse(SlotTaken, "id", string(s.ID), string(l.Area))
		}
	}
	return nil
}

// EndSlot ends a standing slot at once. One that is not there is ended.
func (p *Programmes) EndSlot(ctx context.Context, by people.Person, cred people.Credential, area, id broadcast.ID, seen Seen) error {
	list, err := p.Slots(ctx, area)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(s Slot) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	s := list[i].Slot
	if err := p.own(by, s.Areas); err != nil {
		return err
	}
	now := p.now()
	s.Revision, s.From, s.Until = broadcast.Revision(now), min(s.From, now-1), now
	if err := p.seen(p.weigh(ctx, s.Areas, preview.Change{Slot: &s}), seen); err != nil {
		return err
	}
	// Nodes that are out of reach are told for as long as they could hold it.
	return publish(ctx, p, by, cred, sealed[broadcast.Slot]{s, broadcast.KindSlot, s.ID, s.Revision, s.Areas, list[i].Until, "slot.end"})
}

// own says whether a person may decide for some areas, which no area above the
// communes is. Whoever may speak for minutes alone decides for nobody else.
func (p *Programmes) own(by people.Person, areas []broadcast.ID) error {
	for _, area := range areas {
		a, known := p.cfg.Tree().Find(area)
		fact, exists := a.At(p.now())
		if !known || !exists {
			return refuse(AreaUnknown, "areas", string(area))
		}
		if fact.Level.Rank() < broadcast.Commune.Rank() {
			return refuse(AreaLevel, "areas", string(area))
		}
	}
	if by.Role.Longest() != 0 {
		return fmt.Errorf("%w: %s is %s; ask an officer of the commune", people.ErrForbidden, by.ID, by.Role)
	}
	return p.cfg.Rights.Authorise(by, people.AnnouncementApprove, areas...)
}
