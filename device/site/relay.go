package site

import (
	"context"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/guard/lease"
)

// Relay tells what a guard sees of its relay.
type Relay interface {
	// Look moves nothing; an error means that no guard answers.
	Look(ctx context.Context) (lease.Sight, error)
}

// complaints takes faults and takes them back.
type complaints interface {
	Raise(code broadcast.FaultCode, part, cause string)
	Clear(code broadcast.FaultCode, part string)
}

const (
	// lookEvery is how often the guard is asked. A relay that is stuck shows to
	// its guard within five seconds.
	lookEvery = 5 * time.Second
	// reachedEvery is after how many looks a guard that answers is said to do
	// so: a sounding may have found it silent in between.
	reachedEvery = 12
)

// relayFaults is what each sight means. What the guard cannot see it says
// nothing of, so a relay without a witness never clears what a sounding found.
func relayFaults() map[lease.Fault]broadcast.FaultCode {
	return map[lease.Fault]broadcast.FaultCode{
		lease.StuckOn: broadcast.FaultRelayStuck, lease.NotMoving: broadcast.FaultRelayOpen, lease.Disobeying: broadcast.FaultRelayStuck,
	}
}

// observe looks at the relay until ctx ends and says what is wrong with it.
func observe(ctx context.Context, relay Relay, to complaints) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var shown broadcast.FaultCode
	for looks := 1; ; looks++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		seen, err := relay.Look(ctx)
		if ctx.Err() != nil {
			return
		}
		code, cause := relayFaults()[seen.Fault], string(seen.Fault)
		if err != nil {
			code, cause = broadcast.FaultGuard, err.Error()
		}
		if shown != "" && shown != code {
			to.Clear(shown, "")
		}
		if code != "" {
			to.Raise(code, "", cause)
		}
		if err == nil && looks%reachedEvery == 0 {
			to.Clear(broadcast.FaultGuard, "")
		}
		shown = code
	}
}
