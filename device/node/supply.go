package node

import (
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/power"
)

// supply is what feeds the board, as a gauge told last.
type supply struct {
	power.State
	told bool
	// fit is since when the voltage is good again after it was not.
	fit time.Duration
}

// OnPower is told by a gauge what feeds the board, whenever that changes.
func (n *Node) OnPower(s power.State) {
	n.post(func() { n.powered(s) })
}

func (n *Node) powered(s power.State) {
	was := n.supply
	n.supply.State, n.supply.told = s, true
	if was.Unfit && !s.Unfit {
		n.supply.fit = n.mono()
	}
	if was.Unfit != s.Unfit || was.Level != s.Level {
		n.planDirty = true
		n.log.Info("power", "mains", s.Mains, "level", s.Level, "charge", s.Charge, "unfit", s.Unfit)
	}
	for _, t := range was.Troubles {
		if !slices.ContainsFunc(s.Troubles, func(o power.Trouble) bool { return o.Code == t.Code && o.Part == t.Part }) {
			n.clear(t.Code, t.Part)
		}
	}
	for _, t := range s.Troubles {
		n.raise(t.Code, t.Part, t.Cause)
	}
}

// feeds says which classes begin and go on at the levels of the battery.
var feeds = map[power.Level]plan.Power{
	power.First:    {Begins: broadcast.Priority},
	power.Second:   {Begins: broadcast.Emergency, GoesOn: broadcast.Priority},
	power.Reserved: {Begins: broadcast.Emergency, GoesOn: broadcast.Emergency},
}

// plan is what a plan needs to know of it.
func (s *supply) plan() plan.Power {
	p := feeds[s.Level]
	p.Unfit = s.Unfit
	return p
}

// wire is what the office is told; nil where nothing is measured.
func (s *supply) wire() *wire.Supply {
	if !s.told {
		return nil
	}
	out := &wire.Supply{Mains: s.Mains, Celsius: s.Celsius}
	if s.Battery {
		out.Battery = &wire.Battery{Charge: s.Charge, Hours: s.Hours, Millivolts: s.Millivolts}
	}
	return out
}

// suppliesDiffer says whether the office should know before its time. The charge
// waits for the next state: levels that are reached are faults, and those do not.
func suppliesDiffer(a, b *wire.Supply) bool {
	if a == nil || b == nil {
		return a != b
	}
	return a.Mains != b.Mains
}
