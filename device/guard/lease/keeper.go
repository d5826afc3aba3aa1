package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// retryOpen is how often a line that refused to open is told again.
const retryOpen = 250 * time.Millisecond

// Keeper holds one line to one term. It opens the line before NewKeeper
// returns and in Stop; while the line is open it owns no timer and no
// goroutine, so hundreds of keepers at rest cost nothing.
//
// Time is the monotonic clock of the process: a wall clock that jumps neither
// shortens nor lengthens anything.
type Keeper struct {
	line Line
	log  *slog.Logger

	mu      sync.Mutex
	term    term
	timer   *time.Timer
	tenants uint64
	fault   error // the line did not open; it is told again until it does
	sight   sight
	done    bool
}

// NewKeeper takes the line and opens it. It fails when the limits are not
// sound or when the line does not obey; the line is then closed to use.
// The minimum off-time counts from here: what came before is unknown.
func NewKeeper(line Line, limits Limits, log *slog.Logger) (*Keeper, error) {
	errSet := line.Set(false)
	if err := errors.Join(errSet, limits.Validate()); err != nil {
		return nil, fmt.Errorf("keeper: %w", errors.Join(err, line.Close()))
	}
	k := &Keeper{line: line, log: log, term: term{limits: limits}}
	k.sight.witness, _ = line.(Witness)
	k.term.open(time.Now(), atStart)
	return k, nil
}

// Tenant registers a new holder of leases.
func (k *Keeper) Tenant() *Tenant {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tenants++
	return &Tenant{keeper: k, id: k.tenants}
}

// Stop opens the line for good and gives it back. Every later lease is
// refused. Stop may be called more than once.
func (k *Keeper) Stop() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done {
		return nil
	}
	k.done = true
	k.stopTimer()
	errSet := k.line.Set(false)
	k.term.open(time.Now(), stopped)
	if err := errors.Join(errSet, k.line.Close()); err != nil {
		return fmt.Errorf("keeper: stop: %w", err)
	}
	return nil
}

// Alive returns once it has seen that the keeper still judges: it waits for
// ever when a line or a bound hangs, so whoever feeds a watchdog asks it first.
// It opens a line that its own timer failed to open, and tells what it sees.
func (k *Keeper) Alive() Sight {
	k.onTimer()
	return k.Sight()
}

// renew judges one lease of one holder.
func (k *Keeper) renew(holder uint64, l Lease) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done {
		return &Refusal{Reason: stopped}
	}
	k.enforce()
	if k.fault != nil {
		return &Refusal{Reason: lineFault + ": " + k.fault.Error(), RetryAfter: retryOpen}
	}
	closing, no := k.term.renew(time.Now(), holder, l)
	if no != nil {
		return no
	}
	if closing {
		if err := k.close(holder); err != nil {
			return err
		}
	}
	k.arm(time.Until(k.term.next().at))
	return nil
}

// close energises the relay. The on-time counts from before the attempt.
func (k *Keeper) close(holder uint64) error {
	k.term.close(time.Now(), holder)
	if err := k.line.Set(true); err != nil {
		k.open(lineFault)
		return &Refusal{Reason: fmt.Sprintf("%s: %v", lineFault, err), RetryAfter: k.term.limits.MinimumOff}
	}
	k.log.Info("relay closed", "holder", holder)
	return nil
}

// release opens the line if holder has it.
func (k *Keeper) release(holder uint64, cause string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done || !k.term.closed || k.term.holder != holder {
		return nil
	}
	k.open(cause)
	return k.fault
}

// onTimer runs when the earliest bound of a closed line has come.
func (k *Keeper) onTimer() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.done {
		return
	}
	k.enforce()
	if k.term.closed && k.fault == nil {
		k.arm(time.Until(k.term.next().at))
	}
}

// enforce opens a line that is overdue, or that refused to open before.
func (k *Keeper) enforce() {
	if k.fault != nil {
		k.open(lineFault)
		return
	}
	if cause, due := k.term.overdue(time.Now()); due {
		k.open(cause)
	}
}

// open de-energises the relay; a line that does not obey is told again every
// retryOpen, and nothing closes it meanwhile.
func (k *Keeper) open(cause string) {
	k.stopTimer()
	if err := k.line.Set(false); err != nil {
		if k.fault == nil {
			k.log.Error("relay does not open", "cause", cause, "err", err)
		}
		k.fault = fmt.Errorf("open the line: %w", err)
		k.arm(retryOpen)
		return
	}
	k.fault = nil
	k.term.open(time.Now(), cause)
	k.log.Info("relay opened", "cause", cause)
}

func (k *Keeper) arm(d time.Duration) {
	if k.timer == nil {
		k.timer = time.AfterFunc(d, k.onTimer)
		return
	}
	k.timer.Reset(d)
}

func (k *Keeper) stopTimer() {
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
}

// Tenant is one holder of leases: one connection, or one simulated node.
type Tenant struct {
	keeper *Keeper
	id     uint64
}

// Renew asks to begin (phase Close) or to continue. It answers nil when the
// line is closed for this tenant, and otherwise a *Refusal.
func (t *Tenant) Renew(_ context.Context, l Lease) error { return t.keeper.renew(t.id, l) }

// Release opens the line if this tenant holds it, and does nothing otherwise.
func (t *Tenant) Release(context.Context) error { return t.keeper.release(t.id, released) }

// Look tells what the guard sees of the relay, whoever holds it.
func (t *Tenant) Look(context.Context) (Sight, error) { return t.keeper.Sight(), nil }

// leave is Release for a holder that disappeared.
func (t *Tenant) leave() error { return t.keeper.release(t.id, left) }
