package link

import (
	"context"
	"io"
	"sync"
	"time"
)

// TCP sends again what was lost, but waits twice as long each time: over a line
// that loses a third, one connection in twenty stands still for half a minute while
// the next one gets through at once. What is urgent does not wait for it.
const (
	firstPatience = 1500 * time.Millisecond // with silence, while nobody knows how quick the line is
	leastPatience = 500 * time.Millisecond
	mostPatience  = 6 * time.Second
	mostBeside    = 4 // requests for the same bytes in all
)

// pace is how quickly the requests of one fetch are answered at best. A line that
// is slow, or that is filled by the fetch itself, is not asked twice for it.
type pace struct {
	mu       sync.Mutex
	quickest time.Duration
}

func (p *pace) answered(after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quickest == 0 || after < p.quickest {
		p.quickest = max(after, 1)
	}
}

// patience is how long a silence is nothing unusual.
func (p *pace) patience() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.quickest == 0 {
		return firstPatience
	}
	return min(max(4*p.quickest, leastPatience), mostPatience)
}

// hedge is hedge at this pace, which it learns from.
func (p *pace) hedge(ctx context.Context, try func(ctx context.Context, beside int, heard func()) error) error {
	return hedge(ctx, p.patience, func(ctx context.Context, beside int, heard func()) error {
		began := time.Now()
		answered := sync.OnceFunc(func() { p.answered(time.Since(began)) })
		return try(ctx, beside, func() {
			answered()
			heard()
		})
	})
}

// hedge runs try, and again beside it whenever nothing was heard for a while.
// The first that succeeds ends the others; when all have failed, the last error
// is returned. No try runs any more when hedge returns. A try tells by heard
// that something came, and learns how many were begun before it: at most three.
func hedge(ctx context.Context, patience func() time.Duration, try func(ctx context.Context, beside int, heard func()) error) error {
	ctx, cancel := context.WithCancel(ctx)
	sign, ended := make(chan struct{}, 1), make(chan error)
	begun, running := 0, 0
	begin := func() {
		beside := begun
		heard := func() {
			select {
			case sign <- struct{}{}:
			default:
			}
		}
		go func() { ended <- try(ctx, beside, heard) }()
		begun, running = begun+1, running+1
	}
	defer func() {
		cancel()
		for range running {
			<-ended
		}
	}()
	silence := patience()
	timer := time.NewTimer(silence)
	defer timer.Stop()
	begin()
	for {
		select {
		case err := <-ended:
			running--
			if err == nil || running == 0 {
				return err
			}
		case <-sign:
			silence = patience()
			timer.Reset(silence)
		case <-timer.C:
			if begun < mostBeside {
				begin()
			}
			silence = min(2*silence, mostPatience)
			timer.Reset(silence)
		}
	}
}

// listener tells whenever something was read.
type listener struct {
	io.Reader
	heard func()
}

func (l listener) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if n > 0 {
		l.heard()
	}
	return n, err
}
