package preview

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/store"
)

// Fate is how one occurrence ends.
type Fate struct {
	// Planned says that there is such an occurrence at all.
	Planned bool
	// Sounds says that it is heard, if perhaps late, cut or not in every language.
	Sounds bool
	// Reason says why not, or not as it should; empty if all is well.
	Reason broadcast.Reason
	// From and To are its first and last moment of sound; 0 in silence.
	From, To broadcast.Instant
	// Inside is the programme in which an offer sounds; empty outside of one.
	Inside broadcast.ID
	// Limit is what the rule allows, such as its hours, and Other what stands in
	// its way; empty if there is no such thing.
	Limit string
	Other broadcast.ID
}

// Prospect is one occurrence that some nodes will meet alike.
type Prospect struct {
	Announcement broadcast.ID
	Revision     broadcast.Revision
	Title        string
	Class        broadcast.Class
	Drill        bool
	Start        broadcast.Instant
	Fate         Fate
	// OtherTitle is that of what stands in its way.
	OtherTitle string
	Nodes      int
	// Areas are where the nodes stand, by id.
	Areas []AreaNodes
}

// Ahead is what nodes will sound, and what they will not, in a stretch of time.
// It assumes what every preview assumes, and that nodes were on duty all day.
type Ahead struct {
	Window plan.Window
	// Nodes were looked at; Unseen were not, and Trouble says why.
	Nodes, Unseen int
	Trouble       string
	// Prospects are in the order in which they are due.
	Prospects []Prospect
}

// Look asks the plan of every place in which the nodes stand; places that hold
// the same are planned once. It ends with ctx and says what it did not look at.
func Look(ctx context.Context, src Source, nodes []store.Node, window plan.Window) Ahead {
	o, err := survey(ctx, src, nodes, window)
	out := Ahead{Window: window, Unseen: o.f.Unseen, Trouble: o.f.Trouble}
	if err != nil {
		out.Unseen, out.Trouble = len(nodes), err.Error()
		return out
	}
	found, plans := map[prospectKey]*Prospect{}, map[string]*planned{}
	for _, p := range o.places {
		made := o.planOf(ctx, o.reader.at(p.assignment), plans)
		if made.err != nil {
			out.Unseen, out.Trouble = out.Unseen+p.nodes, made.err.Error()
			continue
		}
		out.Nodes += p.nodes
		for _, e := range made.entries {
			key := prospectKey{occasionOf(e), made.fate(e)}
			if found[key] == nil {
				found[key] = made.prospect(e, key.fate)
			}
			found[key].Nodes += p.nodes
			found[key].Areas = countedIn(found[key].Areas, p)
		}
	}
	for _, p := range found {
		sortAreas(p.Areas)
		out.Prospects = append(out.Prospects, *p)
	}
	slices.SortFunc(out.Prospects, func(a, b Prospect) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Announcement, b.Announcement), cmp.Compare(a.Revision, b.Revision),
			compareFates(a.Fate, b.Fate))
	})
	return out
}

// occasion names an occurrence across nodes.
type occasion struct {
	announcement broadcast.ID
	revision     broadcast.Revision
	drill        bool
	start        broadcast.Instant
}

func occasionOf(e plan.Entry) occasion {
	return occasion{e.Announcement, e.Revision, e.Drill, e.Start}
}

type prospectKey struct {
	occasion
	fate Fate
}

// survey gathers what some nodes hold, without any subject.
func survey(ctx context.Context, src Source, nodes []store.Node, window plan.Window) (*outlook, error) {
	o := &outlook{subject: Subject{Published: true}, f: Forecast{At: src.Now, Window: window}}
	err := o.gather(ctx, src, nodes)
	if err == nil {
		o.reader.in.Fresh = max(src.Now, window.To)
	}
	return o, err
}

// planOf plans an input, or returns the plan of one that holds the same.
func (o *outlook) planOf(ctx context.Context, in plan.Input, plans map[string]*planned) *planned {
	key := o.holding(in)
	if plans[key] == nil {
		plans[key] = o.compute(ctx, in)
	}
	return plans[key]
}

// fate is how an entry ends.
func (p *planned) fate(e plan.Entry) Fate {
	f := Fate{Planned: true, Sounds: len(e.Soundings) > 0 || e.Inside != "" && e.Rung == broadcast.Ended, Reason: reasonOf(e), Inside: e.Inside}
	f.Limit, f.Other = p.limit(f.Reason, e), p.inTheWay(f.Reason, e)
	if len(e.Soundings) > 0 {
		f.From, f.To = e.Soundings[0].From, e.Soundings[len(e.Soundings)-1].To
	}
	return f
}

func (p *planned) prospect(e plan.Entry, f Fate) *Prospect {
	return &Prospect{Announcement: e.Announcement, Revision: e.Revision, Title: p.title(e.Announcement), Class: e.Class, Drill: e.Drill, Start: e.Start,
		Fate: f, OtherTitle: p.title(f.Other)}
}

// countedIn adds the nodes of a place to those of its area.
func countedIn(areas []AreaNodes, at *place) []AreaNodes {
	area := at.assignment.Chain[len(at.assignment.Chain)-1].Area
	if i := slices.IndexFunc(areas, func(a AreaNodes) bool { return a.Area == area }); i >= 0 {
		areas[i].Nodes += at.nodes
		return areas
	}
	return append(areas, AreaNodes{area, at.nodes})
}

func sortAreas(areas []AreaNodes) {
	slices.SortFunc(areas, func(a, b AreaNodes) int { return cmp.Compare(a.Area, b.Area) })
}

func compareFates(a, b Fate) int {
	return cmp.Or(cmp.Compare(a.worth(), b.worth()), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
		cmp.Compare(a.Inside, b.Inside), cmp.Compare(a.Limit, b.Limit), cmp.Compare(a.Other, b.Other))
}

// worth orders fates from silence to sound without fault.
func (f Fate) worth() int { return worth(Outcome{Sounds: f.Sounds, Reason: f.Reason}) }

// Words say in one line how it ends, and why.
func (f Fate) Words() Words {
	reason, named := f.Reason.Words(), ""
	if f.Limit != "" {
		named = " (" + f.Limit + ")"
	}
	hours := ""
	if f.From != 0 {
		hours = " " + clock(f.From) + "–" + clock(f.To)
	}
	switch {
	case !f.Planned:
		return Words{"is not there", "không có trong lịch"}
	case !f.Sounds:
		return Words{"silent: " + reason.EN + named, "không phát: " + reason.VI + named}
	case f.Reason != "":
		return Words{"sounds" + hours + ", but: " + reason.EN + named, "phát" + hours + ", nhưng: " + reason.VI + named}
	}
	return Words{"sounds" + hours, "phát" + hours}
}

// Words say in one line what happens, when, and where.
func (p Prospect) Words() Words {
	w, named := p.Fate.Words(), ""
	if p.OtherTitle != "" {
		named = " (“" + p.OtherTitle + "”)"
	}
	return Words{
		English: fmt.Sprintf("%s “%s”: %s%s, on %s in %s", moment(p.Start), p.Title, w.English, named,
			counted(p.Nodes, "node"), counted(len(p.Areas), "area")),
		Vietnamese: fmt.Sprintf("%s “%s”: %s%s, tại %d cụm loa thuộc %d địa bàn", moment(p.Start), p.Title, w.Vietnamese, named, p.Nodes, len(p.Areas)),
	}
}

// clock is the time of a moment to the minute; seconds only if there are any.
func clock(i broadcast.Instant) string {
	return strings.TrimSuffix(i.Time().In(broadcast.Local()).Format("15:04:05"), ":00")
}
