package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

const day = 24 * time.Hour

// planner is one computation: the input, indexed, and what came out so far.
type planner struct {
	in *Input
	// now is before all time for a plan without history: the node then acts on
	// everything at its moment.
	now broadcast.Instant
	// lower is where the plan begins to look: a whole local day before the
	// window's first, so that the day's minutes and a busy amplifier are known.
	lower     broadcast.Instant
	silences  []Silence
	placed    map[broadcast.ID]placing
	past      map[occurrence][]Past
	aired     []aired
	bulletins []*bulletin
	revisions map[document][]*bulletin // under revision 0

	entries []*Entry
	jobs    []*job
	over    bool // more occurrences than a plan may hold

	// What the arrangement keeps as it goes.
	waiting []*job
	line    line
	spent   map[allowance]int64
}

// bulletin is an item with everything about it that does not depend on time.
type bulletin struct {
	*Item
	a     *broadcast.Announcement
	rank  int             // of its class; a drill stands below all
	level broadcast.Level // the highest among its signers: the issuing level
	offer bool            // from above the commune, for the commune to place
	place placing
	body  body
	// sufficient says that enough people signed it, at a time the node trusts.
	sufficient bool
	// heard says that it sounded before, at any of its starts.
	heard bool
	// verdict is the standing reason why it stays silent; empty if none.
	verdict broadcast.Reason
}

func newPlanner(in *Input) *planner {
	p := &planner{in: in, now: in.Now, lower: midnight(in.Window.From).Add(-day),
		silences: inForce(in.Silences), placed: placings(in.Placements, in.Assignment),
		revisions: map[document][]*bulletin{}, past: map[occurrence][]Past{},
		spent: map[allowance]int64{}, line: line{board: in.Board}}
	if in.WithoutHistory {
		p.now = 0
	}
	for i := range in.Items {
		if in.Assignment.Within(in.Items[i].Announcement.Areas) {
			p.bulletins = append(p.bulletins, newBulletin(p, &in.Items[i]))
		}
	}
	p.remember()
	p.findRevisions()
	return p
}

func newBulletin(p *planner, item *Item) *bulletin {
	a := &item.Announcement
	b := &bulletin{Item: item, a: a, rank: a.Class.Rank(), level: issuing(item.Signers)}
	if item.Drill {
		b.rank = 0
	}
	b.offer = b.rank == broadcast.Normal.Rank() && b.level.Rank() != 0 && b.fromAbove()
	b.place = p.placed[a.ID]
	return b
}

// issuing is the highest level among the signers.
func issuing(signers []Signer) broadcast.Level {
	var highest broadcast.Level
	for _, s := range signers {
		if s.Level.Rank() > 0 && (highest == "" || s.Level.Rank() < highest.Rank()) {
			highest = s.Level
		}
	}
	return highest
}

// fromAbove says that nobody of the commune or below signed it.
func (b *bulletin) fromAbove() bool {
	return !slices.ContainsFunc(b.Signers, func(s Signer) bool { return s.Level.Rank() >= broadcast.Commune.Rank() })
}

// emergency says that it is a real one; a drill never is.
func (b *bulletin) emergency() bool { return b.rank == broadcast.Emergency.Rank() }

// lawClass is the class whose quiet hours, minutes and windows bind it.
func (b *bulletin) lawClass() broadcast.Class {
	if b.Drill {
		return broadcast.Normal
	}
	return b.a.Class
}

// name is the document without its revision and body.
func (b *bulletin) name() document { return document{drill: b.Drill, id: b.a.ID} }

// exactly is the document with its revision and body.
func (b *bulletin) exactly() document {
	return document{b.Drill, b.a.ID, b.a.Revision, b.Payload}
}

// ready is from when the node could have acted on it.
func (p *planner) ready(b *bulletin) broadcast.Instant {
	return max(cmp.Or(b.Ready, b.FirstHeld), p.in.Since)
}

// lead is what a late joiner needs before its first sample.
func (p *planner) lead() time.Duration { return p.in.Board.WarmUp + time.Second }

// compareBulletins is the order inside a class: the commune's placement, then
// the higher issuing level. Start and id follow where occurrences are compared.
func compareBulletins(a, b *bulletin) int {
	return cmp.Or(cmp.Compare(a.place.order(), b.place.order()), cmp.Compare(a.level.Rank(), b.level.Rank()))
}

const zone = 7 * time.Hour // +07:00, without daylight saving

// dayOf counts local days; midnight is the beginning of a moment's local day.
func dayOf(i broadcast.Instant) int64 {
	return i.Add(zone).Sub(0).Milliseconds() / day.Milliseconds()
}

func midnight(i broadcast.Instant) broadcast.Instant {
	return broadcast.Instant(dayOf(i)*day.Milliseconds()) - broadcast.Instant(zone.Milliseconds())
}
