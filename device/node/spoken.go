package node

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/speech"
)

// Tapes are the recordings of what was spoken at the box.
type Tapes interface {
	// Waiting names what the centre is still to hear of, the oldest first.
	Waiting() ([]string, error)
	// Take opens what was recorded under a name; see speech.Booth.
	Take(name string) (speech.Recording, error)
	// Sent notes that the centre has it, or knows that it is gone.
	Sent(name string) error
}

// Sender brings recordings to the controllers.
type Sender interface {
	Send(ctx context.Context, p link.Parcel) error
}

// What was spoken takes a day's data only while all that was used is no more than
// a tenth of it, by night a half: the rest is for what is to sound.
const (
	sharesByDay   = 10
	sharesByNight = 2
)

// sending is the bringing of recordings to the centre: what matters least of all
// that the line is there for.
type sending struct {
	busy   bool
	cancel context.CancelFunc
	idle   bool          // nothing waits
	tries  int           // that failed in a row
	after  time.Duration // not before
}

// again has it looked at what waits, and forgets what failed.
func (s *sending) again() { s.idle, s.tries, s.after = false, 0, 0 }

// stop breaks it off for something that matters more.
func (s *sending) stop() {
	if s.busy {
		s.cancel()
	}
}

// sendSpoken brings what was spoken to the centre once nothing else is to be told
// or fetched, and returns when it may be tried; 0 for not before something happens.
func (n *Node) sendSpoken() time.Duration {
	s := &n.sending
	switch {
	case n.cfg.Tapes == nil || n.cfg.Sender == nil || s.busy || s.idle || !n.presence.up:
		return 0
	case n.fetches.first > 0 || n.fetches.behind != nil || n.ledger.seq > n.ledger.acked:
		return 0
	case n.mono() < s.after:
		return s.after
	}
	shares := int64(sharesByDay)
	if night := n.night(n.now()); night <= n.now() && n.clock.quality != broadcast.ClockUnset {
		shares = sharesByNight
	}
	if !n.allowance.spare(0, shares) {
		s.after = n.mono() + lookAgain
		return s.after
	}
	ctx, cancel := context.WithCancel(n.ctx)
	s.busy, s.cancel = true, cancel
	n.work.Go(func() {
		defer cancel()
		err := n.bring(ctx, shares)
		broken := ctx.Err() != nil
		n.post(func() { n.brought(broken, err) })
	})
	return 0
}

// brought takes how it ended.
func (n *Node) brought(broken bool, err error) {
	s := &n.sending
	s.busy = false
	n.keepSpent()
	switch {
	case err == nil:
		s.idle, s.tries = true, 0
		return
	case broken:
		s.after = n.mono() + firstRetry
		return
	case errors.Is(err, errAllowance), errors.Is(err, link.ErrNotFound), errors.Is(err, link.ErrNoRoom):
		s.after = n.mono() + offlineRetry
	default:
		s.tries++
		s.after = n.mono() + min(firstRetry<<min(s.tries-1, 7)+n.jitter(firstRetry), maxRetry)
	}
	n.log.Warn("what was spoken is not at the centre yet", "tries", s.tries, "err", err)
}

// bring sends all that waits, the oldest first. What is wrong with one recording
// does not keep the others.
func (n *Node) bring(ctx context.Context, shares int64) error {
	names, err := n.cfg.Tapes.Waiting()
	all := []error{err}
	for _, name := range names {
		err := n.bringOne(ctx, name, shares)
		all = append(all, err)
		its := err == nil || errors.Is(err, link.ErrNotFound) || errors.Is(err, link.ErrWrongBytes) || unanswers(err)
		if !its || ctx.Err() != nil {
			break
		}
	}
	return errors.Join(all...)
}

func (n *Node) bringOne(ctx context.Context, name string, shares int64) error {
	r, err := n.cfg.Tapes.Take(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil // it went meanwhile, or holds no sound
	}
	if err != nil {
		return err
	}
	p := link.Parcel{Size: r.Bytes, Spend: func(bytes int64) error {
		if !n.allowance.spare(bytes, shares) {
			return errAllowance
		}
		return nil
	}}
	if r.File != nil {
		defer func() { _ = r.File.Close() }() // opened for reading
		p.Open = func() (io.ReadSeekCloser, error) { return lent{r.File}, nil }
	}
	if p.Sum, err = sumOf(r.SHA256); err != nil {
		return err
	}
	if err := n.cfg.Sender.Send(ctx, p); err != nil {
		return err
	}
	n.log.Info("what was spoken is at the centre", "announcement", name, "recording", r.SHA256.Short(), "gone", r.File == nil)
	return n.cfg.Tapes.Sent(name)
}

// lent is a file that whoever lent it closes.
type lent struct{ io.ReadSeeker }

// Close leaves it open.
func (lent) Close() error { return nil }
