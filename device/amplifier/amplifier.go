// Package amplifier switches one amplifier on for a sounding and off again.
//
// What always holds: the amplifier itself has no relay; it asks a guard for
// leases, and whatever becomes of this process the guard opens the relay when
// they stop coming. Only On asks for the relay to be closed; a renewal never
// does, so a relay that the guard opened in mid-sounding stays open until On
// is called again, and the player is told by the next Moving. After Off,
// Serve's end or a lost lease nothing here renews anything.
//
// How: On -> renewals as warm-up -> Moving, called while samples leave ->
// Rest -> renewals as hold for the hold time -> release. Serve renews; while
// the relay is open it waits without a timer.
package amplifier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/loaxa/loaxa/device/guard/lease"
)

// Lessor grants leases on the amplifier's power: a guard behind its socket
// (lease.Client) or one in this process (lease.Tenant). A refusal is a
// *lease.Refusal; after any error the caller has no power.
type Lessor interface {
	Renew(ctx context.Context, l lease.Lease) error
	Release(ctx context.Context) error
}

// Timings of one amplifier. The zero value of a field stands for its default.
type Timings struct {
	Hold  time.Duration // how long Rest keeps the power on for a next sounding; 0: not at all
	Renew time.Duration // between renewals; default 500 ms
	Reach time.Duration // how long On tries to reach a guard that does not answer; default 5 s
}

const (
	defaultRenew = 500 * time.Millisecond
	defaultReach = 5 * time.Second
	// maxAttempts bounds On, whatever the guard answers.
	maxAttempts = 100
	// reachPause lies between two attempts to reach the guard.
	reachPause = 100 * time.Millisecond
	// releaseWithin bounds a release that nobody waits for.
	releaseWithin = time.Second
)

// ErrOff is what On and Moving return when Off was called meanwhile.
var ErrOff = errors.New("amplifier switched off")

// errOpen is the state of an amplifier that nobody switched on.
var errOpen = errors.New("amplifier is not on")

// Amplifier is the power of one node's amplifier. Its methods may be called
// from several goroutines.
type Amplifier struct {
	lessor  Lessor
	timings Timings
	log     *slog.Logger
	wake    chan struct{} // a change that Serve must see now
	turn    chan struct{} // one exchange with the lessor at a time, state read and applied within it

	mu       sync.Mutex
	lease    lease.Lease // the next renewal; no phase: the relay is open
	closedAt time.Time
	restEnds time.Time
	gone     error  // why the relay is open
	offs     uint64 // calls of Off
}

// New makes an amplifier that is off. Without Serve running, what On obtains
// ends with the lease's expiry.
func New(lessor Lessor, timings Timings, log *slog.Logger) *Amplifier {
	if timings.Renew <= 0 {
		timings.Renew = defaultRenew
	}
	if timings.Reach <= 0 {
		timings.Reach = defaultReach
	}
	return &Amplifier{
		lessor: lessor, timings: timings, log: log, gone: errOpen,
		wake: make(chan struct{}, 1), turn: make(chan struct{}, 1),
	}
}

// On gives the amplifier power and returns once the relay has closed, not
// after the warm-up. closedAt is never earlier than the true moment, and is
// that of the first closing while the power is still held from before. On
// waits out the minimum off-time and tries for Timings.Reach to reach a guard
// that does not answer. An error means that the relay is open.
func (a *Amplifier) On(ctx context.Context) (closedAt time.Time, err error) {
	offs := a.offCount()
	var unreached time.Duration
	for range maxAttempts {
		if closedAt, err = a.attempt(ctx, offs); err == nil {
			return closedAt, nil
		}
		pause := retryAfter(err)
		if !refused(err) {
			unreached += pause
		}
		if pause == 0 || unreached > a.timings.Reach || !wait(ctx, pause) {
			break
		}
	}
	return time.Time{}, fmt.Errorf("amplifier on: %w", errors.Join(err, ctx.Err()))
}

// attempt is one try of On: continue what is held, else close the relay.
func (a *Amplifier) attempt(ctx context.Context, offs uint64) (time.Time, error) {
	if !a.take(ctx) {
		return time.Time{}, ctx.Err()
	}
	defer a.give()
	if a.offCount() != offs {
		return time.Time{}, ErrOff
	}
	if at, ok := a.resume(ctx); ok {
		return at, nil
	}
	err := a.lessor.Renew(ctx, lease.Lease{Phase: lease.Close})
	at := time.Now()
	if err == nil && !a.begin(at, offs) {
		return time.Time{}, errors.Join(ErrOff, a.release())
	}
	if err != nil && !refused(err) {
		return time.Time{}, errors.Join(err, a.release()) // an answer not heard leaves nothing closed
	}
	return at, err
}

// resume turns a held relay back to warm-up, if it really is still closed.
func (a *Amplifier) resume(ctx context.Context) (time.Time, bool) {
	a.mu.Lock()
	held, at := a.lease.Phase != "", a.closedAt
	a.mu.Unlock()
	if !held {
		return at, false
	}
	if err := a.lessor.Renew(ctx, lease.Lease{Phase: lease.WarmUp}); err != nil {
		a.lose(err)
		return at, false
	}
	a.mu.Lock()
	a.lease.Phase = lease.WarmUp
	a.mu.Unlock()
	a.nudge()
	return at, true
}

// begin notes a relay that was just closed; false if Off came meanwhile.
func (a *Amplifier) begin(at time.Time, offs uint64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.offs != offs {
		return false
	}
	a.lease, a.closedAt, a.gone = lease.Lease{Phase: lease.WarmUp}, at, nil
	a.nudge()
	return true
}

// Moving tells that samples are leaving and how many frames the hardware has
// played. The player calls it at least every 200 ms; when frames stands still,
// the guard opens the relay. An error says why the relay is open: stop playing.
func (a *Amplifier) Moving(frames uint64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone != nil {
		return fmt.Errorf("amplifier: %w", a.gone)
	}
	a.lease = lease.Lease{Phase: lease.Moving, Frames: frames}
	return nil
}

// Rest tells that the sound is over. The relay opens after the hold time
// unless On comes first. Rest of an amplifier that is off does nothing.
func (a *Amplifier) Rest() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lease.Phase == "" {
		return nil
	}
	a.lease.Phase = lease.Hold
	a.restEnds = time.Now().Add(a.timings.Hold)
	a.nudge()
	return nil
}

// Off opens the relay now and ends an On that is still waiting. An error means
// that the guard could not be told; it opens the relay by itself within the
// expiry, because nothing renews the lease any more.
func (a *Amplifier) Off() error {
	a.mu.Lock()
	a.offs++
	a.mu.Unlock()
	a.turn <- struct{}{} // every exchange is bounded by the lessor
	defer a.give()
	return a.end(ErrOff)
}

// Closed says whether the relay is closed, as far as is known here.
func (a *Amplifier) Closed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lease.Phase != ""
}

// end releases the lease and remembers why. The caller has the turn.
func (a *Amplifier) end(why error) error {
	a.mu.Lock()
	held := a.lease.Phase != ""
	a.lease = lease.Lease{}
	if held || errors.Is(why, ErrOff) {
		a.gone = why
	}
	a.mu.Unlock()
	if !held {
		return nil
	}
	return a.release()
}

func (a *Amplifier) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), releaseWithin)
	defer cancel()
	if err := a.lessor.Release(ctx); err != nil {
		return fmt.Errorf("amplifier: release: %w", err)
	}
	return nil
}

// lose notes that the guard has opened the relay, or that its answer is unknown.
func (a *Amplifier) lose(err error) {
	a.log.Warn("amplifier lost its power", "err", err)
	if !refused(err) {
		_ = a.release() // best effort: unrenewed, the lease expires anyway
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lease, a.gone = lease.Lease{}, err
}

// take gets the turn; false if ctx has ended.
func (a *Amplifier) take(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	select {
	case a.turn <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (a *Amplifier) give() { <-a.turn }

func (a *Amplifier) nudge() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *Amplifier) offCount() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.offs
}

// refused says that the guard was reached and said no.
func refused(err error) bool {
	var no *lease.Refusal
	return errors.As(err, &no)
}

// retryAfter is how long On waits before it asks again; 0: asking again is useless.
func retryAfter(err error) time.Duration {
	var no *lease.Refusal
	switch {
	case errors.As(err, &no):
		return no.RetryAfter
	case errors.Is(err, ErrOff):
		return 0
	}
	return reachPause
}

// wait lets d pass; false if ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
