package programme

import (
	"cmp"
	"context"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
)

// Answer is what a commune did with an offer.
type Answer string

// The answers.
const (
	Unanswered Answer = "unanswered"
	Placed     Answer = "placed"    // at a time of its own
	Slotted    Answer = "slotted"   // a standing slot holds it
	Inside     Answer = "programme" // in a programme of the commune
	Declined   Answer = "declined"
)

// Offer is a normal announcement of a higher level, which sounds in a commune
// only if the commune places it.
type Offer struct {
	Announcement broadcast.Announcement
	// Level is that of whoever signed it, and Signers who did.
	Level   broadcast.Level
	Signers []broadcast.ID
	// Until is the last moment at which it may begin.
	Until broadcast.Instant
	// Answers are those of the communes that were asked for, by area.
	Answers []OfferAnswer
}

// OfferAnswer is the answer of one commune.
type OfferAnswer struct {
	Area   broadcast.ID
	Answer Answer
	// Start is where it was placed; 0 at its own. Reason is why it was declined.
	Start  broadcast.Instant
	Reason string
	// In is the announcement of the programme, or the slot, that has it.
	In broadcast.ID
}

// Offers returns what higher levels offer to a commune, what ends first before
// the others, with the commune's answer.
func (p *Programmes) Offers(ctx context.Context, area broadcast.ID) ([]Offer, error) {
	above, err := p.above(area)
	if err != nil {
		return nil, err
	}
	found, err := held[broadcast.Announcement](ctx, p, broadcast.KindAnnouncement, append(above, p.below(area)...))
	if err != nil {
		return nil, err
	}
	say, err := p.answers(ctx, area, found)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for _, a := range found {
		if offered(a) && p.reaches(a.doc, area) {
			o := offerOf(a)
			o.Answers = []OfferAnswer{say(o)}
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b Offer) int {
		return cmp.Or(cmp.Compare(a.Until, b.Until), cmp.Compare(a.Announcement.ID, b.Announcement.ID))
	})
	return out, nil
}

// Answers says what every commune did with an offer; NoOffer if it is none, or is
// over.
func (p *Programmes) Answers(ctx context.Context, id broadcast.ID, areas []broadcast.ID) (Offer, error) {
	var out Offer
	for _, commune := range p.communes(areas) {
		list, err := p.Offers(ctx, commune)
		if err != nil {
			return out, err
		}
		for _, o := range list {
			if o.Announcement.ID == id {
				o.Answers = append(out.Answers, o.Answers...)
				out = o
			}
		}
	}
	if out.Announcement.ID == "" {
		return out, refuse(NoOffer, "", string(id), "any commune")
	}
	return out, nil
}

// communes are those that some areas are, or have below them.
func (p *Programmes) communes(areas []broadcast.ID) []broadcast.ID {
	var out []broadcast.ID
	at := p.places()
	for _, a := range p.cfg.Tree().Areas() {
		fact, ok := a.At(at.at)
		if ok && fact.Level == broadcast.Commune && slices.ContainsFunc(areas, func(up broadcast.ID) bool { return at.Covers(up, a.ID) || at.Covers(a.ID, up) }) {
			out = append(out, a.ID)
		}
	}
	return out
}

// below are the areas under one.
func (p *Programmes) below(area broadcast.ID) []broadcast.ID {
	return slices.DeleteFunc(p.around(area), func(a broadcast.ID) bool { return a == area || !p.places().Covers(area, a) })
}

// reaches says whether an announcement is meant for an area, or for something in
// it.
func (p *Programmes) reaches(a broadcast.Announcement, area broadcast.ID) bool {
	at := p.places()
	return slices.ContainsFunc(a.Areas, func(target broadcast.ID) bool { return at.Covers(target, area) || at.Covers(area, target) })
}

// offered says that nobody of a commune or below signed it, and that its class
// leaves it to the commune.
func offered(a believed[broadcast.Announcement]) bool {
	return a.doc.Class == broadcast.Normal && !slices.ContainsFunc(a.proof.Signers, func(s seal.Signatory) bool { return s.Level.Rank() >= broadcast.Commune.Rank() })
}

func offerOf(a believed[broadcast.Announcement]) Offer {
	o := Offer{Announcement: a.doc, Level: a.proof.Level(), Until: a.doc.Timing.Deadline(a.doc.Class)}
	for _, s := range a.proof.Signers {
		o.Signers = append(o.Signers, s.Person)
	}
	return o
}

// answers returns what says the answer of a commune to an offer: its newest word,
// as on the nodes.
func (p *Programmes) answers(ctx context.Context, area broadcast.ID, published []believed[broadcast.Announcement]) (func(Offer) OfferAnswer, error) {
	around := p.around(area)
	placements, err := held[broadcast.Placement](ctx, p, broadcast.KindPlacement, around)
	if err != nil {
		return nil, err
	}
	slots, err := held[broadcast.Slot](ctx, p, broadcast.KindSlot, around)
	if err != nil {
		return nil, err
	}
	inside, err := p.inside(ctx, published)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(placements, func(a, b believed[broadcast.Placement]) int { return cmp.Compare(b.doc.Revision, a.doc.Revision) })
	return func(o Offer) OfferAnswer {
		for _, place := range placements {
			for _, item := range place.doc.Items {
				switch {
				case item.Announcement != o.Announcement.ID || item.Revision != o.Announcement.Revision:
				case item.Decline:
					return OfferAnswer{Area: area, Answer: Declined, Reason: item.Reason}
				default:
					return OfferAnswer{Area: area, Answer: Placed, Start: item.Start}
				}
			}
		}
		if in, ok := inside[broadcast.OfferRef{Announcement: o.Announcement.ID, Revision: o.Announcement.Revision}]; ok {
			return OfferAnswer{Area: area, Answer: Inside, In: in}
		}
		for _, s := range slots {
			if slotHolds(s.doc, o) {
				return OfferAnswer{Area: area, Answer: Slotted, In: s.doc.ID}
			}
		}
		return OfferAnswer{Area: area, Answer: Unanswered}
	}, nil
}

// slotHolds says that the first sounding of an offer lies in a slot that is open
// to its level.
func slotHolds(s broadcast.Slot, o Offer) bool {
	start := o.Announcement.Timing.Start
	var longest broadcast.Instant
	for _, v := range o.Announcement.Versions {
		longest = max(longest, broadcast.Instant(v.Duration().Milliseconds()))
	}
	return o.Level.Rank() >= s.Level.Rank() && s.From <= start && start+longest <= s.Until &&
		slices.ContainsFunc(s.Spans, func(span broadcast.Span) bool { return span.Holds(start) && span.Holds(start+longest-1) })
}

// inside are the offers that published programmes have, by name and revision,
// with the announcement that has them.
func (p *Programmes) inside(ctx context.Context, published []believed[broadcast.Announcement]) (map[broadcast.OfferRef]broadcast.ID, error) {
	out := map[broadcast.OfferRef]broadcast.ID{}
	for _, a := range published {
		for _, v := range a.doc.Versions {
			if v.Programme == nil {
				continue
			}
			doc, err := p.cfg.DB.Document(ctx, v.Programme.SHA256)
			if err != nil {
				return nil, err
			}
			order, err := broadcast.Decode[broadcast.RunningOrder](doc.Raw)
			if err != nil {
				return nil, err
			}
			for _, s := range order.Segments {
				if s.Offer != nil {
					out[broadcast.OfferRef{Announcement: s.Offer.Announcement, Revision: s.Offer.Revision}] = a.doc.ID
				}
			}
		}
	}
	return out, nil
}
