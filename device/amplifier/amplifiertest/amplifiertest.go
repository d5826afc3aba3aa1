// Package amplifiertest has stand-ins for an amplifier and for the guard
// behind it. They keep state as the real ones do, write down every edge, and
// can be poked to fail.
package amplifiertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/loaxa/loaxa/device/guard/lease"
)

// Edge is one movement of the relay.
type Edge struct {
	At     time.Time
	Closed bool
}

// ErrOpen is what Moving returns while the relay is open.
var ErrOpen = errors.New("amplifiertest: the relay is open")

// Amplifier is an amplifier without a guard. Hold its lock while reading or
// poking its fields.
type Amplifier struct {
	sync.Mutex
	OnError     error         // On fails with it and leaves the relay open
	OnDelay     time.Duration // On takes this long, like a minimum off-time
	MovingError error         // Moving fails with it; the relay opens
	RestError   error         // Rest fails with it after opening the relay

	Closed bool
	Edges  []Edge
	Frames []uint64 // what Moving was told
}

// On closes the relay, or answers when it was closed.
func (a *Amplifier) On(ctx context.Context) (time.Time, error) {
	a.Lock()
	delay := a.OnDelay
	a.Unlock()
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	a.Lock()
	defer a.Unlock()
	if err := errors.Join(a.OnError, ctx.Err()); err != nil {
		return time.Time{}, err
	}
	a.move(true)
	return a.Edges[len(a.Edges)-1].At, nil
}

// Moving notes frames; it fails while the relay is open.
func (a *Amplifier) Moving(frames uint64) error {
	a.Lock()
	defer a.Unlock()
	if a.MovingError != nil {
		a.move(false)
		return a.MovingError
	}
	if !a.Closed {
		return ErrOpen
	}
	a.Frames = append(a.Frames, frames)
	return nil
}

// Rest opens the relay, without a hold time.
func (a *Amplifier) Rest() error {
	a.Lock()
	defer a.Unlock()
	a.move(false)
	return a.RestError
}

func (a *Amplifier) move(closed bool) {
	if a.Closed != closed {
		a.Closed = closed
		a.Edges = append(a.Edges, Edge{At: time.Now(), Closed: closed})
	}
}

// Lessor is a guard without limits: it grants everything, closes on a Close
// lease, opens on Release, and never expires. Hold its lock while reading or
// poking its fields.
type Lessor struct {
	sync.Mutex
	Error  error                   // every call fails with it
	Opens  bool                    // a failing Renew also opens the relay, as a refusal does
	Answer func(lease.Phase) error // if set, called after a lease took effect; its error is the answer

	Closed bool
	Edges  []Edge
	Leases []lease.Lease
}

// Renew grants l, or fails as poked.
func (g *Lessor) Renew(_ context.Context, l lease.Lease) error {
	g.Lock()
	defer g.Unlock()
	g.Leases = append(g.Leases, l)
	if g.Error != nil {
		g.move(g.Closed && !g.Opens)
		return g.Error
	}
	if l.Phase == lease.Close {
		g.move(true)
	}
	if !g.Closed {
		return &lease.Refusal{Reason: "the relay is open"}
	}
	if g.Answer != nil {
		return g.Answer(l.Phase)
	}
	return nil
}

// Release opens the relay, unless it is poked to fail.
func (g *Lessor) Release(context.Context) error {
	g.Lock()
	defer g.Unlock()
	if g.Error != nil {
		return g.Error
	}
	g.move(false)
	return nil
}

func (g *Lessor) move(closed bool) {
	if g.Closed != closed {
		g.Closed = closed
		g.Edges = append(g.Edges, Edge{At: time.Now(), Closed: closed})
	}
}
