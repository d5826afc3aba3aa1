package node

import (
	"context"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// Amplifier is asked to stay on between soundings that follow each other soon.
type Amplifier interface {
	// On closes the relay or keeps it closed.
	On(ctx context.Context) (time.Time, error)
	// Rest lets it open after its hold.
	Rest() error
}

// keepLead is how long before the end of its hold a relay is asked to stay closed.
const keepLead = 150 * time.Millisecond

// keepClosed has the amplifier stay on when the next sounding comes so soon
// after the last one that the relay could not open and close again in between,
// and lets it go if that sounding is no longer planned. It returns when to look
// again.
func (n *Node) keepClosed(now broadcast.Instant, next plan.Sounding) broadcast.Instant {
	s := &n.stage
	if s.run != nil { // handed over, and waiting for its moment
		next = s.run.sounding
	}
	if n.cfg.Amplifier == nil || s.rested == 0 || s.run != nil && s.run.closed != 0 {
		return 0
	}
	// A sounding may share its closing with another that comes before it.
	shared := next.On < next.From.Add(-n.cfg.Board.WarmUp) && next.On <= s.rested.Add(n.cfg.Board.Tail)
	at := s.rested.Add(n.cfg.Board.Hold - keepLead)
	switch {
	case s.kept != 0 && !shared:
		s.kept, s.rested = 0, now
		n.letGo()
	case s.kept != 0 || !shared:
	case now >= s.rested.Add(n.cfg.Board.Hold): // open since long: what it will share is still to sound
	case now < at:
		return at
	default:
		s.kept = next.From
		n.work.Go(n.keepOn)
	}
	return 0
}

// keepOn asks the amplifier to stay on, and lets it go if by then nobody wants
// that any more.
func (n *Node) keepOn() {
	if _, err := n.cfg.Amplifier.On(n.ctx); err != nil {
		n.log.Warn("the relay did not stay closed", "err", err) // the player closes it anew
	}
	n.post(func() {
		if s := &n.stage; s.kept == 0 && (s.run == nil || s.run.closed == 0) {
			n.letGo()
		}
	})
}

// letGo lets the relay open after its hold.
func (n *Node) letGo() {
	if err := n.cfg.Amplifier.Rest(); err != nil {
		n.log.Warn("the relay was not let go", "err", err) // its lease ends all the same
	}
}
