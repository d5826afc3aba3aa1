package link

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// The ways in which an attempt fails decide what comes next.
type (
	// local is an error of this node: no controller can help.
	local struct{ error }
	// progress is an error after enough bytes had come: the line is bad but
	// works, and the count of attempts begins again.
	progress struct{ error }
)

func (e local) Unwrap() error    { return e.error }
func (e progress) Unwrap() error { return e.error }

var errWrong = errors.New("the controller sent something else")

// attempts tries the controllers in turn, with pauses that grow, until one
// attempt succeeds or nothing is left to hope for.
func (f *Fetcher) attempts(ctx context.Context, try func(ctx context.Context, n int) error) error {
	tally := tally{controllers: len(f.bases)}
	for n := 0; ; n++ {
		err := try(ctx, n)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if final := tally.add(err); final != nil {
			return final
		}
		f.cfg.Log.Debug("fetch failed, trying again", "controller", f.base(n).Host, "reason", err)
		if !pause(ctx, f.jitter(tally.idle/len(f.bases))) {
			return context.Cause(ctx)
		}
	}
}

// base is the controller that is asked in the nth place.
func (f *Fetcher) base(n int) *url.URL { return f.bases[n%len(f.bases)] }

func (f *Fetcher) jitter(round int) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return jitter(f.cfg.Rand, round)
}

// tally counts failures and says when it is enough.
type tally struct {
	controllers int
	idle        int // attempts since there was progress
	wrong       int // answers with other bytes
	denied      int // answers "not found" or "not for you" in a row
}

// add returns the final error, nil to go on.
func (t *tally) add(err error) error {
	var mine local
	var moved progress
	if errors.As(err, &mine) {
		return mine.error
	}
	if errors.As(err, &moved) {
		t.idle, t.denied = 0, 0
		return nil
	}
	t.idle++
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrRefused) {
		if t.denied++; t.denied >= t.controllers {
			return err
		}
		return nil
	}
	t.denied = 0
	if errors.Is(err, errWrong) {
		if t.wrong++; t.wrong >= maxWrong*t.controllers {
			return fmt.Errorf("%w: %w", ErrWrongBytes, err)
		}
	}
	if t.idle >= maxAttempts*t.controllers {
		return fmt.Errorf("given up after %d attempts: %w", t.idle, err)
	}
	return nil
}
