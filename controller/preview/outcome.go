package preview

import (
	"cmp"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// Outcome is where some nodes and occurrences end together, and why.
type Outcome struct {
	// Sounds says that it is heard, if perhaps late, cut or not in every language.
	Sounds bool
	// Reason says why not, or not as it should; empty if all is well.
	Reason broadcast.Reason
	// Limit is what the rule allows, such as its hours; empty if that has no
	// short form.
	Limit string
	// Other is what stands in its way, and OtherTitle its title; empty if nothing.
	Other      broadcast.ID
	OtherTitle string
	// Nodes and Occurrences are those that end so at least once.
	Nodes, Occurrences int
	// First and Last are the starts of the first and last such occurrence.
	First, Last broadcast.Instant
	// Areas are where the nodes stand, by id.
	Areas []AreaNodes
}

// AreaNodes are some nodes of one area.
type AreaNodes struct {
	Area  broadcast.ID
	Nodes int
}

// ending is what outcomes have in common.
type ending struct {
	sounds bool
	reason broadcast.Reason
	limit  string
	other  broadcast.ID
}

// tally gathers outcomes.
type tally struct {
	found  map[ending]*gathered
	starts map[broadcast.Instant]bool
}

type gathered struct {
	Outcome
	starts map[broadcast.Instant]bool
}

// add counts the entries of the subject in the plan of a place.
func (t *tally) add(p *planned, at *place) {
	here := map[*gathered]bool{}
	for _, e := range p.entries {
		if e.Announcement != p.subject.Announcement.ID || e.Revision != p.subject.Announcement.Revision || e.Drill {
			continue
		}
		g := t.at(p, e)
		here[g] = true
		g.starts[e.Start], t.starts[e.Start] = true, true
	}
	for g := range here {
		g.Nodes += at.nodes
		g.Areas = countedIn(g.Areas, at)
	}
}

// at finds the outcome to which an entry belongs.
func (t *tally) at(p *planned, e plan.Entry) *gathered {
	end := ending{sounds: len(e.Soundings) > 0 || e.Inside != "" && e.Rung == broadcast.Ended, reason: reasonOf(e)}
	end.limit, end.other = p.limit(end.reason, e), p.inTheWay(end.reason, e)
	if t.found[end] == nil {
		t.found[end] = &gathered{starts: map[broadcast.Instant]bool{}, Outcome: Outcome{Sounds: end.sounds, Reason: end.reason,
			Limit: end.limit, Other: end.other, OtherTitle: p.title(end.other)}}
	}
	return t.found[end]
}

// outcomes are what was gathered: silence first, then what concerns more nodes.
func (t *tally) outcomes() []Outcome {
	var out []Outcome
	for _, g := range t.found {
		starts := make([]broadcast.Instant, 0, len(g.starts))
		for s := range g.starts {
			starts = append(starts, s)
		}
		g.Occurrences, g.First, g.Last = len(starts), slices.Min(starts), slices.Max(starts)
		sortAreas(g.Areas)
		out = append(out, g.Outcome)
	}
	slices.SortFunc(out, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(worth(a), worth(b)), cmp.Compare(b.Nodes, a.Nodes), cmp.Compare(a.First, b.First),
			cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Limit, b.Limit), cmp.Compare(a.Other, b.Other))
	})
	return out
}

// worth orders outcomes from silence to sound without fault.
func worth(o Outcome) int {
	switch {
	case !o.Sounds:
		return 0
	case o.Reason != "":
		return 1
	}
	return 2
}

// lateBy is from when on a sounding that waits for another is worth a word.
const lateBy = time.Second

// reasonOf is the reason of an entry: of its verdict, of what is missing from
// it, or of its waiting.
func reasonOf(e plan.Entry) broadcast.Reason {
	switch {
	case e.Reason != "":
		return e.Reason
	case len(e.Notes) > 0:
		return e.Notes[0].Reason
	case len(e.Soundings) > 0 && e.Soundings[0].From.Sub(e.Start) >= lateBy:
		return broadcast.WhyOverlap
	}
	return ""
}

// inTheWay is what sounds when an entry should but cannot, for the reasons that
// have to do with others.
func (p *planned) inTheWay(why broadcast.Reason, e plan.Entry) broadcast.ID {
	if why != broadcast.WhyLate && why != broadcast.WhyOverlap && why != broadcast.WhyPreempted {
		return ""
	}
	at := e.Start
	if why == broadcast.WhyPreempted {
		at = e.At
	}
	for _, other := range p.entries {
		for _, s := range other.Soundings {
			if other.Announcement != e.Announcement && s.On <= at && at <= s.To {
				return other.Announcement
			}
		}
	}
	return ""
}

// title is that of an item of the plan.
func (p *planned) title(id broadcast.ID) string {
	for _, item := range p.in.Items {
		if item.Announcement.ID == id && id != "" {
			return item.Announcement.Title
		}
	}
	return ""
}
