package notify

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/loaxa/loaxa/controller/store"
)

// How messages are sent.
const (
	atOnce = 20
	// each is how long one may take.
	each = 40 * time.Second
	// First pause after a failure; it doubles up to the longest.
	firstPause   = 30 * time.Second
	longestPause = time.Hour
	// giveUp is when a message is too old to be of use.
	giveUp = 24 * time.Hour
)

// Deliver sends what is due by one way, a message after the other. What could
// not be sent stays with its reason; only the database makes it fail.
func (p *Post) Deliver(ctx context.Context, way Way) error {
	for range atOnce {
		// Asked anew each time: what became urgent meanwhile waits for one that
		// hangs, not for all of them.
		due, err := p.cfg.DB.MessagesDue(ctx, string(way), p.now(), 1)
		if err != nil || len(due) == 0 {
			return err
		}
		m := due[0]
		bounded, cancel := context.WithTimeout(ctx, each)
		err = p.ways[way].Send(bounded, m)
		cancel()
		if ctx.Err() != nil && err != nil {
			return ctx.Err()
		}
		after := p.after(m, err)
		if err := p.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.SaveMessage(ctx, after) }); err != nil {
			return err
		}
	}
	return nil
}

// after is a message after it was tried.
func (p *Post) after(m store.Message, err error) store.Message {
	now := p.now()
	m.Tries++
	switch {
	case err == nil:
		m.State, m.Sent, m.Reason = store.MessageSent, now, ""
	case errors.Is(err, errRefused) || now.Sub(m.Created) > giveUp:
		m.State, m.Reason = store.MessageFailed, reasonOf(err)
	default:
		m.Next, m.Reason = now.Add(pause(m.Tries)), reasonOf(err)
	}
	return m
}

// pause grows with every attempt, and is never quite the same for two messages.
func pause(tries int64) time.Duration {
	d := longestPause
	if tries < 8 {
		d = min(d, firstPause<<(tries-1))
	}
	return d + rand.N(d/4)
}

// reasonOf is an error as it is kept: short, and in one line.
func reasonOf(err error) string {
	runes := []rune(oneLine(err.Error()))
	return string(runes[:min(len(runes), 300)])
}
