package preview

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/store"
)

// horizon is how far a forecast looks beyond the first start; farther one that
// finds nothing so far, since a rule may come true once a month.
const (
	horizon = 7 * 24 * time.Hour
	farther = plan.MaxWindow
)

// Subject is an announcement to foresee, published or not.
type Subject struct {
	// Announcement has the revision, and in mode now the start, that it gets if
	// it is signed at this moment.
	Announcement broadcast.Announcement
	// Signers are those who signed, and those who have yet to.
	Signers []plan.Signer
	// Orders are its running orders by their digest.
	Orders map[broadcast.Digest]broadcast.RunningOrder
	// Published ones are taken from what the areas list, as nodes do.
	Published bool
}

// Forecast is what an announcement would do on the nodes that it names, as far
// as it was looked at. It assumes what every preview assumes, and that nodes
// were on duty all day.
type Forecast struct {
	At broadcast.Instant
	// Window is the stretch of time that was looked at.
	Window plan.Window
	// Later says that it recurs beyond the window.
	Later bool
	// Nodes were looked at; Unseen were not, and Trouble says why.
	Nodes, Unseen int
	Trouble       string
	// Occurrences is how many different starts were looked at.
	Occurrences int
	// Outcomes cover every node and occurrence that was looked at: what stays
	// silent first.
	Outcomes []Outcome
}

// Nowhere says that nodes were looked at, all of them, and nothing sounds on
// any. What waits for the commune to place it is not silent yet.
func (f Forecast) Nowhere() bool {
	return f.Nodes > 0 && f.Unseen == 0 && len(f.Outcomes) > 0 && !slices.ContainsFunc(f.Outcomes, func(o Outcome) bool {
		return o.Sounds || o.Reason == broadcast.WhyOffer
	})
}

// Accepts says whether the reasons cover everything that stays silent.
func (f Forecast) Accepts(reasons []broadcast.Reason) bool {
	return !slices.ContainsFunc(f.Outcomes, func(o Outcome) bool { return !o.Sounds && !slices.Contains(reasons, o.Reason) })
}

// Foresee asks the plan of every place in which confirmed nodes stand; places
// that hold the same are planned once. It ends with ctx, and says what it did
// not look at: there is no error that should keep an announcement from its way.
func Foresee(ctx context.Context, src Source, s Subject, nodes []store.Node) Forecast {
	from := max(src.Now, s.Announcement.Timing.Start)
	o := &outlook{subject: s, f: Forecast{At: src.Now, Window: plan.Window{From: from, To: from.Add(horizon)}}}
	if err := o.gather(ctx, src, nodes); err != nil {
		o.f.Unseen, o.f.Trouble = len(nodes), err.Error()
		return o.f
	}
	f := o.look(ctx, horizon)
	if f.Occurrences == 0 && f.Later {
		f = o.look(ctx, farther)
	}
	return f
}

// outlook is the work on one forecast.
type outlook struct {
	subject Subject
	reader  *reader
	places  []*place
	// f is the forecast before anything was planned.
	f Forecast
}

// place is where nodes stand that are planned alike.
type place struct {
	assignment broadcast.Assignment
	nodes      int
}

// gather reads where the nodes stand, and what is listed there.
func (o *outlook) gather(ctx context.Context, src Source, nodes []store.Node) error {
	r, err := newReader(src, o.f.Window)
	if err != nil {
		return err
	}
	o.reader = r
	r.places, r.since, r.in.WithoutHistory, r.in.Now = src.Places, midnight(src.Now), true, 0
	areas, err := o.stand(ctx, nodes)
	if err != nil {
		return err
	}
	if err := r.documents(ctx, areas); err != nil {
		return err
	}
	if !o.subject.Published {
		r.in.Items = append(r.in.Items, plan.Item{Announcement: o.subject.Announcement, Signers: o.subject.Signers})
		maps.Copy(r.in.Orders, o.subject.Orders)
	}
	return nil
}

// stand reads where nodes stand, and returns all areas that they belong to.
func (o *outlook) stand(ctx context.Context, nodes []store.Node) ([]broadcast.ID, error) {
	names := make([]broadcast.Digest, len(nodes))
	for i, n := range nodes {
		names[i] = n.Assignment
	}
	docs, err := o.reader.src.DB.DocumentsNamed(ctx, names)
	if err != nil {
		return nil, err
	}
	var areas []broadcast.ID
	known := map[string]*place{}
	for _, n := range nodes {
		a, err := placeOf(docs[n.Assignment])
		if err != nil {
			o.f.Unseen, o.f.Trouble = o.f.Unseen+1, fmt.Sprintf("the place of %s: %v", n.ID, err)
			continue
		}
		key := fmt.Sprint(a.Chain, a.Languages, a.Ceiling)
		if known[key] == nil {
			known[key] = &place{assignment: a}
			o.places, areas = append(o.places, known[key]), append(areas, areasOf(a)...)
		}
		known[key].nodes++
	}
	slices.Sort(areas)
	return slices.Compact(areas), nil
}

// look plans every place for a span.
func (o *outlook) look(ctx context.Context, span time.Duration) Forecast {
	f, t := o.f, o.subject.Announcement.Timing
	f.Window.To = f.Window.From.Add(span)
	f.Later = t.Recurrence != nil && t.Until >= f.Window.To
	o.reader.in.Window, o.reader.in.Fresh = f.Window, f.Window.To
	sum, plans := tally{map[ending]*gathered{}, map[broadcast.Instant]bool{}}, map[string]*planned{}
	for _, p := range o.places {
		made := o.planOf(ctx, o.reader.at(p.assignment), plans)
		if made.err != nil {
			f.Unseen, f.Trouble = f.Unseen+p.nodes, made.err.Error()
			continue
		}
		f.Nodes += p.nodes
		sum.add(made, p)
	}
	f.Outcomes, f.Occurrences = sum.outcomes(), len(sum.starts)
	return f
}

// planned is the plan of the places that hold the same.
type planned struct {
	*outlook
	in      plan.Input
	entries []plan.Entry
	err     error
}

func (o *outlook) compute(ctx context.Context, in plan.Input) *planned {
	out := &planned{outlook: o, in: in}
	if err := ctx.Err(); err != nil {
		out.err = fmt.Errorf("not everything was looked at in time: %w", err)
		return out
	}
	p, err := plan.ComputeFrom(in, o.f.At)
	out.entries, out.err = p.Entries, err
	return out
}

// holding names what the plan of a place follows from, beside the window.
func (o *outlook) holding(in plan.Input) string {
	var b strings.Builder
	fmt.Fprintln(&b, in.Assignment.Languages, in.Assignment.Ceiling)
	for _, p := range o.reader.policiesOf(in.Assignment) {
		fmt.Fprintln(&b, p.Area, p.Revision)
	}
	for _, i := range in.Items {
		fmt.Fprintln(&b, i.Announcement.ID, i.Announcement.Revision, i.Drill)
	}
	for _, w := range in.Withdrawals {
		fmt.Fprintln(&b, w.ID, w.Revision)
	}
	for _, s := range in.Silences {
		fmt.Fprintln(&b, s.ID, s.Revision, s.Emergency)
	}
	for _, p := range in.Placements {
		fmt.Fprintln(&b, p.ID, p.Revision)
	}
	for _, s := range in.Slots {
		fmt.Fprintln(&b, s.ID, s.Revision)
	}
	return b.String()
}

// midnight is when the local day of a moment began.
func midnight(i broadcast.Instant) broadcast.Instant {
	t := i.Time().In(broadcast.Local())
	return broadcast.InstantOf(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()))
}
