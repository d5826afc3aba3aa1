package amplifier

import (
	"context"
	"errors"
	"time"

	"github.com/loaxa/loaxa/device/guard/lease"
)

// errServeEnded is why an amplifier is off after Serve.
var errServeEnded = errors.New("amplifier service has ended")

// Serve renews leases until ctx ends and then opens the relay. It returns nil,
// or the error of that last release. While the relay is open it sleeps without
// a timer.
func (a *Amplifier) Serve(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			a.turn <- struct{}{}
			defer a.give()
			return a.end(errServeEnded)
		case <-a.wake:
		case <-timer.C:
		}
		timer.Stop()
		if next := a.step(ctx); next > 0 {
			timer.Reset(next)
		}
	}
}

// step renews once, or releases when the hold time is over. It tells when the
// next step is due; 0 when the relay is open.
func (a *Amplifier) step(ctx context.Context) time.Duration {
	if !a.take(ctx) {
		return 0
	}
	defer a.give()
	l, rest := a.current(time.Now())
	if l.Phase == "" {
		return 0
	}
	if l.Phase == lease.Hold && rest <= 0 {
		if err := a.end(errOpen); err != nil {
			a.log.Warn("amplifier not released; its lease expires", "err", err)
		}
		return 0
	}
	if err := a.lessor.Renew(context.WithoutCancel(ctx), l); err != nil {
		a.lose(err)
		return 0
	}
	if l.Phase == lease.Hold {
		return min(rest, a.timings.Renew)
	}
	return a.timings.Renew
}

// current is the lease to renew and, in hold, what is left of the hold time.
func (a *Amplifier) current(now time.Time) (lease.Lease, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lease, a.restEnds.Sub(now)
}
