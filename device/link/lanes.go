package link

import (
	"context"
	"errors"
	"sync"
)

// lanes let urgent fetches pass. At most four urgent ones and one in the
// background run; while any urgent one is there, the one in the background is
// broken off, waits, and goes on where it stopped. Leaving its connection open
// would not do: on a slow line the data under way fills the line for minutes.
type lanes struct {
	slots chan struct{} // urgent ones running
	turn  chan struct{} // the one in the background

	mu      sync.Mutex
	waiting int                     // urgent ones running or queued
	clear   chan struct{}           // closed when waiting falls to 0
	stop    context.CancelCauseFunc // breaks off the one in the background
}

var errPreempted = errors.New("an urgent fetch goes first")

func newLanes() *lanes {
	l := &lanes{slots: make(chan struct{}, urgentSlots), turn: make(chan struct{}, 1), clear: make(chan struct{})}
	close(l.clear)
	return l
}

func (l *lanes) urgent(ctx context.Context, run func(context.Context) error) error {
	l.enter()
	defer l.leave()
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-l.slots }()
	return run(ctx)
}

func (l *lanes) enter() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting++; l.waiting == 1 {
		l.clear = make(chan struct{})
	}
	if l.stop != nil {
		l.stop(errPreempted)
	}
}

func (l *lanes) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting--; l.waiting == 0 {
		close(l.clear)
	}
}

func (l *lanes) background(ctx context.Context, run func(context.Context) error) error {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-l.turn }()
	for {
		mine, err := l.whenClear(ctx)
		if err != nil {
			return err
		}
		err = run(mine)
		preempted := l.release(mine)
		if err == nil || !preempted || ctx.Err() != nil {
			return err
		}
	}
}

// whenClear waits until nothing urgent is there and returns a context that an
// urgent fetch cancels.
func (l *lanes) whenClear(ctx context.Context) (context.Context, error) {
	for {
		l.mu.Lock()
		if l.waiting == 0 {
			mine, stop := context.WithCancelCause(ctx)
			l.stop = stop
			l.mu.Unlock()
			return mine, nil
		}
		clear := l.clear
		l.mu.Unlock()
		select {
		case <-clear:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// release ends the context of a run and tells whether an urgent fetch did so
// before.
func (l *lanes) release(mine context.Context) (preempted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	preempted = errors.Is(context.Cause(mine), errPreempted)
	l.stop(nil)
	l.stop = nil
	return preempted
}
