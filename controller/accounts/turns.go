package accounts

import (
	"context"
	"sync"
)

// Bounds of those who wait for their password to be looked at.
const (
	maxWaiting     = 32
	maxWaitingEach = 2
)

// turns lets one password be looked at at a time: each takes much memory and a
// processor. Of one network only few may wait, so that a crowd from there does
// not fill the queue for others.
type turns struct {
	place   chan struct{}
	mu      sync.Mutex
	all     int
	waiting map[string]int
}

func newTurns() *turns {
	return &turns{place: make(chan struct{}, 1), waiting: map[string]int{}}
}

// take runs f when its turn comes; a full queue is ErrBusy.
func (t *turns) take(ctx context.Context, network string, f func() error) error {
	if !t.join(network) {
		return ErrBusy
	}
	defer t.leave(network)
	select {
	case t.place <- struct{}{}:
		defer func() { <-t.place }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *turns) join(network string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all >= maxWaiting || t.waiting[network] >= maxWaitingEach {
		return false
	}
	t.all++
	t.waiting[network]++
	return true
}

func (t *turns) leave(network string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all--
	if t.waiting[network]--; t.waiting[network] == 0 {
		delete(t.waiting, network)
	}
}
