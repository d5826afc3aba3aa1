package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/health"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// How the vigil goes about it.
const (
	lookEvery = 5 * time.Second
	// What is kept of the past, for a node and for how long.
	historyEach  = 200
	historyAge   = 400 * 24 * time.Hour
	pruneEvery   = time.Hour
	complainEach = time.Minute
	// A node may come with so many new faults at once, and with one a minute
	// from then on.
	atOnce  = 64
	oneMore = time.Minute
)

// VigilConfig is what a vigil watches; every field is needed.
type VigilConfig struct {
	Fleet    *Fleet
	Line     Line
	Holdings Holdings
	Stations Stations
}

// Vigil watches over all nodes: it keeps what they say to be wrong with them,
// finds out by itself what they cannot say, and knows since when and until when.
// Make one with NewVigil.
type Vigil struct {
	cfg   VigilConfig
	fleet *Fleet
	began time.Time
	// up is since when the line is up, 0 while it is down.
	up         broadcast.Instant
	centre     health.Chart
	sites      map[broadcast.ID]*site
	rows       map[broadcast.FaultCode]broadcast.Fault // the table, at hand
	open       map[faultName]store.Fault               // nil before the first look
	pruned     time.Time
	complained time.Time
}

// faultName tells open faults apart.
type faultName struct {
	node broadcast.ID
	code broadcast.FaultCode
	part string
}

// site is what the controller finds out about one node.
type site struct {
	chart health.Chart
	// left is how many new faults the node may still come with.
	left   int
	filled time.Duration
	// stored is how far the chain of its receipts was, when last asked for.
	stored store.Chain
}

// NewVigil returns a vigil that has not looked yet.
func NewVigil(cfg VigilConfig) *Vigil {
	rows := map[broadcast.FaultCode]broadcast.Fault{}
	for _, row := range broadcast.Faults() {
		rows[row.Code] = row
	}
	return &Vigil{rows: rows, cfg: cfg, fleet: cfg.Fleet, began: cfg.Fleet.cfg.Now(), sites: map[broadcast.ID]*site{},
		centre: health.Chart{Most: broadcast.MaxCertificates}}
}

// Serve looks every few seconds until ctx ends. What cannot be stored is tried
// again at the next look.
func (v *Vigil) Serve(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		err := v.Look(ctx)
		if now := v.fleet.cfg.Now(); err != nil && ctx.Err() == nil && now.Sub(v.complained) >= complainEach {
			v.complained = now
			v.fleet.cfg.Log.ErrorContext(ctx, "faults could not be looked after", "err", err)
		}
	}
}

// Look compares what is wrong now with what was before, and stores what changed.
func (v *Vigil) Look(ctx context.Context) error {
	if err := v.recall(ctx); err != nil {
		return err
	}
	standings, err := v.fleet.Overview(ctx)
	if err != nil {
		return err
	}
	now := v.moment()
	if err := v.watchCentre(ctx, now); err != nil {
		return err
	}
	centre, _ := v.centre.Shown(now)
	present := map[faultName]store.Fault{}
	for _, f := range centre {
		present[faultName{"", f.Code, f.Part}] = faultOf("", f)
	}
	if err := v.learnStored(ctx, standings); err != nil {
		return err
	}
	wanted := areaHoldings{of: v.cfg.Holdings, by: map[broadcast.ID]broadcast.Digest{}}
	for _, s := range standings {
		if err := v.watchSite(ctx, s, &wanted, now); err != nil {
			return err
		}
		for _, f := range v.shown(s, codesOf(centre), now) {
			present[faultName{f.Node, f.Code, f.Part}] = f
		}
	}
	return errors.Join(v.keep(ctx, present, now.At), v.prune(ctx))
}

// moment is now, by a clock that does not jump and by the one that people read.
func (v *Vigil) moment() health.Moment {
	now := v.fleet.cfg.Now()
	return health.Moment{Mono: now.Sub(v.began), At: broadcast.InstantOf(now)}
}

// recall reads what was open when the controller stopped. What it had found out
// by itself stays open until it is found to be over.
func (v *Vigil) recall(ctx context.Context) error {
	if v.open != nil {
		return nil
	}
	open := map[faultName]store.Fault{}
	q := store.FaultQuery{Open: true, Limit: 1000}
	for {
		page, err := v.fleet.cfg.DB.Faults(ctx, q)
		if err != nil {
			return err
		}
		for _, f := range page {
			open[faultName{f.Node, f.Code, f.Part}] = f
			if row := v.rows[f.Code]; row.By == broadcast.ByController {
				v.chartOf(f.Node).Raise(f.Code, f.Part, f.Cause, health.Moment{Mono: -row.Lasts, At: f.Since})
			}
		}
		if len(page) < q.Limit {
			v.open = open
			v.fleet.ills.set(open)
			return nil
		}
		q.Before = page[len(page)-1].ID
	}
}

func (v *Vigil) chartOf(node broadcast.ID) *health.Chart {
	if node == "" {
		return &v.centre
	}
	return &v.site(node).chart
}

func (v *Vigil) site(node broadcast.ID) *site {
	s := v.sites[node]
	if s == nil {
		s = &site{left: atOnce}
		v.sites[node] = s
	}
	return s
}

// shown is what is wrong with a node: its own word and what was found out, less
// what only follows from something else.
func (v *Vigil) shown(s Standing, centre []broadcast.FaultCode, now health.Moment) []store.Fault {
	found, _ := v.site(s.Node.ID).chart.Shown(now)
	lost := slices.Contains(codesOf(found), broadcast.FaultNodeGone) || slices.Contains(centre, broadcast.FaultBrokerGone)
	var said []wire.Fault
	if s.Health != nil && s.Node.Status != store.Revoked {
		said = v.credible(s.Node.ID, s.Health.Faults, now)
	}
	causes := slices.Concat(centre, codesOf(said))
	var out []store.Fault
	for _, f := range said {
		one := faultOf(s.Node.ID, f)
		one.LastKnown = lost
		out = append(out, one)
	}
	for _, f := range found {
		row := v.rows[f.Code]
		if !slices.ContainsFunc(row.Behind, func(c broadcast.FaultCode) bool { return slices.Contains(causes, c) }) {
			out = append(out, faultOf(s.Node.ID, f))
		}
	}
	return out
}

// credible leaves out what is not a node's to say, and new faults of a node
// that comes with ever more of them: it could wash out the history of others.
func (v *Vigil) credible(node broadcast.ID, said []wire.Fault, now health.Moment) []wire.Fault {
	s := v.site(node)
	if more := int((now.Mono - s.filled) / oneMore); more > 0 {
		s.left, s.filled = min(atOnce, s.left+more), s.filled+time.Duration(more)*oneMore
	}
	var out []wire.Fault
	for _, f := range said {
		if v.rows[f.Code].By == broadcast.ByController {
			continue
		}
		if _, there := v.open[faultName{node, f.Code, f.Part}]; !there {
			if s.left == 0 {
				continue
			}
			s.left--
		}
		out = append(out, f)
	}
	return out
}

func faultOf(node broadcast.ID, f wire.Fault) store.Fault {
	return store.Fault{Node: node, Code: f.Code, Part: f.Part, Cause: f.Cause, Since: f.Since}
}

func codesOf(list []wire.Fault) []broadcast.FaultCode {
	var out []broadcast.FaultCode
	for _, f := range list {
		out = append(out, f.Code)
	}
	return out
}

// keep stores what came, changed or went, and tells those who watch.
func (v *Vigil) keep(ctx context.Context, present map[faultName]store.Fault, now broadcast.Instant) error {
	var changes []store.Fault
	open := map[faultName]store.Fault{}
	for name, f := range present {
		old, there := v.open[name]
		switch {
		case !there:
			id, err := v.newID()
			if err != nil {
				return err
			}
			f.ID, f.Shown, f.Since = id, now, min(now, f.Since)
			changes = append(changes, f)
		case old.LastKnown != f.LastKnown:
			old.LastKnown = f.LastKnown
			f = old
			changes = append(changes, f)
		default:
			f = old
		}
		open[name] = f
	}
	for name, f := range v.open {
		if _, still := present[name]; !still {
			f.Cleared = now
			changes = append(changes, f)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := v.fleet.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.SaveFaults(ctx, changes) }); err != nil {
		return err
	}
	v.open = open
	v.fleet.ills.set(open)
	v.tell(ctx, changes)
	return nil
}

// tell names the nodes whose faults changed, and logs one line for all.
func (v *Vigil) tell(ctx context.Context, changes []store.Fault) {
	came, went := 0, 0
	nodes := map[broadcast.ID]bool{}
	for _, f := range changes {
		nodes[f.Node] = true
		switch {
		case f.Cleared != 0:
			went++
		case !f.LastKnown:
			came++
		}
	}
	for node := range nodes {
		v.fleet.cfg.Events.Publish(events.Event{Kind: events.Fault, ID: node})
	}
	first := changes[0]
	v.fleet.cfg.Log.InfoContext(ctx, "faults changed", "came", came, "went", went, "open", len(v.open),
		"such_as", first.Code, "node", first.Node, "part", first.Part)
}

func (v *Vigil) newID() (broadcast.ID, error) {
	id, err := ulid.New(ulid.Timestamp(v.fleet.cfg.Now()), v.fleet.cfg.Rand)
	if err != nil {
		return "", fmt.Errorf("fault: %w", err)
	}
	return broadcast.ID(strings.ToLower(id.String())), nil
}

// prune forgets the distant past once an hour.
func (v *Vigil) prune(ctx context.Context) error {
	now := v.fleet.cfg.Now()
	if now.Sub(v.pruned) < pruneEvery {
		return nil
	}
	v.pruned = now
	return v.fleet.cfg.DB.Update(ctx, func(tx store.Tx) error {
		return tx.PruneFaults(ctx, broadcast.InstantOf(now.Add(-historyAge)), historyEach)
	})
}
