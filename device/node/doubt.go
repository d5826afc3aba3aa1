package node

import (
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// takeBack states, once the dial shows a proved time in this boot, that verdicts
// do not hold which a clock that was ahead gave: those that no attempt stands
// behind, that fell later than it is by now, and whose occurrence is still to
// come. They are taken back by nothing else, or somebody could have last week's
// warning played by setting a clock.
func (n *Node) takeBack() {
	if n.tookBack || !n.shown.Answered() || n.holdings.assignment == nil {
		return
	}
	n.tookBack = true
	now := n.now()
	doubtful := n.ledger.history.doubtful(now)
	if len(doubtful) == 0 {
		return
	}
	in := n.input(now)
	in.Past = slices.DeleteFunc(in.Past, func(p plan.Past) bool { return p.Attempt == 0 && doubtful[toldOf(p)] })
	computed, _ := plan.ComputeFrom(in, now) // what it could not hold keeps its verdict
	var list []statement
	for _, e := range computed.Entries {
		if name := nameOf(e); doubtful[name] && (e.At > now || pending(e, now)) {
			list = append(list, statement{document: name.document, class: e.Class, start: e.Start, rung: broadcast.Verified, reason: broadcast.WhyAhead})
		}
	}
	n.log.Info("the clock was ahead", "verdicts", len(doubtful), "taken back", len(list))
	n.state(list...)
}
