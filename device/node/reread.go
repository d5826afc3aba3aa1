package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/store"
)

// Once a night what matters most is read again, so slowly that nobody notices,
// while there is time to fetch what the card spoiled.
const (
	rereadAhead  = 24 * time.Hour // what is due by then, and all templates
	rereadRate   = 256 << 10      // bytes a second
	rereadMargin = time.Minute    // before and after anything that sounds
)

// reread is the reading of one night.
type reread struct {
	night  broadcast.Instant // the midnight of the last one that began
	left   []store.Sum
	cancel context.CancelFunc // of the recording that is being read; nil for none
	loud   time.Duration      // when something was on the stage last
}

// readAgain goes on with the night's reading and returns when to look again. It
// reads nothing while anything sounds or within a minute of that, nor without
// mains.
func (n *Node) readAgain() time.Duration {
	r, now := &n.reread, n.now()
	if !n.stage.idle() {
		r.loud = n.mono()
	}
	if n.clock.quality == broadcast.ClockUnset || n.night(now) != 0 {
		r.left = nil
	} else if tonight := midnight(now); r.night != tonight {
		r.night, r.left = tonight, n.worthReading(now)
	}
	if r.cancel == nil && len(r.left) == 0 {
		return 0
	}
	quiet := n.quiet(now)
	if r.cancel != nil && (!quiet || r.left == nil) {
		r.cancel() // it comes back when it is quiet
	}
	switch {
	case r.cancel != nil, len(r.left) == 0:
		return 0 // its end is an event
	case !quiet:
		return n.mono() + rereadMargin/4
	}
	n.readOne(r.left[0])
	return 0
}

// quiet says that nothing sounds, did or will within the margin, and that the
// board has mains.
func (n *Node) quiet(now broadcast.Instant) bool {
	r := &n.reread
	if !n.stage.idle() || r.loud != 0 && n.mono() < r.loud+rereadMargin || n.supply.told && !n.supply.Mains {
		return false
	}
	next, ok := n.upcoming(now)
	return !ok || next.sounding.On > now.Add(rereadMargin+prepareLead)
}

// worthReading are the recordings on board of templates, emergencies and what is
// due soon, in the order in which they are kept.
func (n *Node) worthReading(now broadcast.Instant) []store.Sum {
	list := []store.Sum{} // none is a night as well
	for _, need := range n.needs(now) {
		if need.tier != tierStanding && need.tier != tierEmergency && need.due > now.Add(rereadAhead) {
			continue
		}
		for _, c := range need.contents {
			if sum, err := sumOf(c.SHA256); err == nil && n.recordings.here(sum) && !slices.Contains(list, sum) {
				list = append(list, sum)
			}
		}
	}
	return list
}

// readOne reads one recording beside the loop.
func (n *Node) readOne(sum store.Sum) {
	ctx, cancel := context.WithCancel(n.ctx)
	n.reread.cancel = cancel
	n.work.Go(func() {
		defer cancel()
		err := n.recordings.verify(sum, func(bytes int64) error {
			timer := time.NewTimer(time.Duration(bytes) * time.Second / rereadRate)
			defer timer.Stop()
			select {
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		n.post(func() { n.wasRead(sum, err) })
	})
}

// wasRead takes what came of it. What the card spoiled, or does not give, is
// fetched again in time.
func (n *Node) wasRead(sum store.Sum, err error) {
	r := &n.reread
	r.cancel = nil
	if errors.Is(err, context.Canceled) {
		return
	}
	r.left = slices.DeleteFunc(r.left, func(s store.Sum) bool { return s == sum })
	switch {
	case errors.Is(err, store.ErrBadHash):
		n.note(broadcast.FaultStoreCorrupt, partContents, err.Error())
	case unanswers(err):
		n.card(partContents, err)
	case err == nil, errors.Is(err, store.ErrMissing):
		return
	}
	n.log.Warn("a recording did not stand the night's reading", "err", err)
	n.docDirty, n.planDirty = true, true
}
