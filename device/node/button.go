package node

import (
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// barredFor is how long a press of the stop button keeps the site silent. It is
// the most that the rules of playback grant to somebody at the box.
const barredFor = 30 * time.Minute

// OnStop is told by the panel that the stop button in the box was pressed: what
// sounds ends now, and nothing but emergencies sounds for half an hour. Of an
// emergency only the sounding that is heard ends: its repeats and every other
// emergency sound as ever, and one that has not begun does begin.
func (n *Node) OnStop() {
	n.post(n.pressed)
}

func (n *Node) pressed() {
	n.log.Info("the stop button was pressed", "barred_for", barredFor)
	n.barred, n.planDirty = n.mono()+barredFor, true
	if r := n.stage.run; r != nil && r.class == broadcast.Emergency && !r.name.drill && r.began {
		r.cancel(stop{broadcast.Interrupted, broadcast.WhyPressed})
	}
}

// barredUntil is the end of the bar in trusted time, 0 if there never was one.
// It is kept by a clock that nobody sets, so a correction cannot lengthen it.
func (n *Node) barredUntil() broadcast.Instant {
	if n.barred == 0 {
		return 0
	}
	return broadcast.InstantOf(n.cfg.Dial.at(n.barred))
}

// OnStuck is told by the panel that an input of the box is stuck, or free again.
func (n *Node) OnStuck(input string, stuck bool, cause string) {
	n.post(func() { n.set(stuck, broadcast.FaultButton, input, cause) })
}
