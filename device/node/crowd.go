package node

import (
	"cmp"
	"errors"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// uncrowded are the verdicts of what was over before now and had no room in the
// plan: nothing of it can sound any more, so it needs no plan in which all
// documents stand together. It is asked for before the mark moves on, up to which
// everything has its verdict.
func (n *Node) uncrowded(now broadcast.Instant) []statement {
	in := n.input(now)
	in.Window.To = now + 1
	slices.SortFunc(in.Items, func(a, b plan.Item) int { // the revisions of one stay together
		return cmp.Compare(a.Announcement.ID, b.Announcement.ID)
	})
	past := in.Past
	var list []statement
	for items := [][]plan.Item{in.Items}; len(items) > 0; {
		in.Items = items[0]
		items = items[1:]
		in.Past = slices.DeleteFunc(slices.Clone(past), func(p plan.Past) bool {
			return !slices.ContainsFunc(in.Items, func(i plan.Item) bool { return i.Announcement.ID == p.Announcement })
		})
		computed, err := plan.Compute(in)
		if half := len(in.Items) / 2; errors.Is(err, plan.ErrTooMany) && half > 0 {
			items = append(items, in.Items[:half], in.Items[half:])
			continue
		}
		list = append(list, n.verdicts(computed.Entries, now)...)
	}
	return list
}
