package programme

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/preview"
)

// Collision is a moment at which priority items meet in a commune. It decides the
// order (Circular 39/2020/TT-BTTTT, on priority bulletins).
type Collision struct {
	// Start is when the first of them is due.
	Start broadcast.Instant
	// Items are in the order in which they sound, as things stand; what does not
	// sound is last.
	Items []preview.Prospect
	// Decided says that the commune ordered all of them.
	Decided bool
}

// Clashes are the collisions of some days, with what was not looked at.
type Clashes struct {
	Collisions    []Collision
	Nodes, Unseen int
	Trouble       string
}

// Collisions returns where priority items meet in a commune in the days to come,
// by the plan that its nodes make.
func (p *Programmes) Collisions(ctx context.Context, area broadcast.ID, days int) (Clashes, error) {
	if _, err := p.above(area); err != nil {
		return Clashes{}, err
	}
	if days < 1 || days > maxDays {
		return Clashes{}, refuse(TooMany, "days", days, maxDays)
	}
	look := p.lookAt(ctx, area, p.now(), p.now().Add(time.Duration(days)*day))
	out := Clashes{Nodes: look.Nodes, Unseen: look.Unseen, Trouble: look.Trouble}
	for _, x := range look.Prospects {
		if x.Class == broadcast.Priority && !x.Drill && meets(x.Fate.Reason) {
			out.Collisions = join(out.Collisions, x, look.Prospects)
		}
	}
	placements, err := held[broadcast.Placement](ctx, p, broadcast.KindPlacement, p.around(area))
	if err != nil {
		return Clashes{}, err
	}
	for i := range out.Collisions {
		out.Collisions[i].settle(placements)
	}
	slices.SortFunc(out.Collisions, func(a, b Collision) int { return cmp.Compare(a.Start, b.Start) })
	return out, nil
}

// maxDays is the longest stretch that one question may cover.
const maxDays = 35

// meets says that a reason has to do with another item.
func meets(why broadcast.Reason) bool { return why == broadcast.WhyOverlap || why == broadcast.WhyLate }

// slack is how much earlier than its first sample the relay closes for an item.
const slack = 5 * time.Second

// join puts an item that another stands in the way of to the collision that has
// the other, or to a new one.
func join(all []Collision, x preview.Prospect, prospects []preview.Prospect) []Collision {
	at := slices.IndexFunc(prospects, func(o preview.Prospect) bool {
		return o.Announcement == x.Fate.Other && o.Class == broadcast.Priority && o.Fate.Sounds && o.Fate.From.Add(-slack) <= x.Start && x.Start <= o.Fate.To
	})
	if at < 0 {
		return all // what stands in its way is no equal
	}
	other := prospects[at]
	i := slices.IndexFunc(all, func(c Collision) bool { return c.has(x) || c.has(other) })
	if i < 0 {
		i, all = len(all), append(all, Collision{})
	}
	for _, item := range []preview.Prospect{other, x} {
		if !all[i].has(item) {
			all[i].Items = append(all[i].Items, item)
		}
	}
	return all
}

func (c Collision) has(x preview.Prospect) bool {
	return slices.ContainsFunc(c.Items, func(o preview.Prospect) bool { return o.Announcement == x.Announcement && o.Start == x.Start })
}

// settle orders the items and says whether the commune did.
func (c *Collision) settle(placements []believed[broadcast.Placement]) {
	c.Decided = !slices.ContainsFunc(c.Items, func(x preview.Prospect) bool {
		return !slices.ContainsFunc(placements, func(p believed[broadcast.Placement]) bool {
			return slices.ContainsFunc(p.doc.Items, func(i broadcast.Placed) bool { return i.Announcement == x.Announcement })
		})
	})
	slices.SortStableFunc(c.Items, func(a, b preview.Prospect) int {
		return cmp.Or(cmp.Compare(sounding(a), sounding(b)), cmp.Compare(a.Start, b.Start))
	})
	c.Start = slices.MinFunc(c.Items, func(a, b preview.Prospect) int { return cmp.Compare(a.Start, b.Start) }).Start
}

// sounding orders by the moment of sound, silence last.
func sounding(x preview.Prospect) broadcast.Instant {
	if !x.Fate.Sounds {
		return 1<<53 - 1
	}
	return x.Fate.From
}
