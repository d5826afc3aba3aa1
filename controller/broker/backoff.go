package broker

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	backoffFirst = 500 * time.Millisecond
	backoffCap   = 60 * time.Second
	// backoffProof is how long a link must live before the next failure counts
	// as the first again. A broker that accepts and drops is not hammered.
	backoffProof = 30 * time.Second
)

// backoff spreads the attempts to reconnect: full jitter under a ceiling that
// doubles up to backoffCap, so that a crowd which lost its broker together does
// not come back together.
type backoff struct {
	random  func() float64 // in [0, 1)
	failure int
}

func newBackoff() *backoff { return &backoff{random: rand.Float64} }

// next returns how long to wait now and raises the ceiling.
func (b *backoff) next() time.Duration {
	ceiling := backoffCap
	if b.failure < 16 { // beyond that the shift alone exceeds the cap
		ceiling = min(backoffCap, backoffFirst<<b.failure)
		b.failure++
	}
	return time.Duration(b.random() * float64(ceiling))
}

// lived takes note of how long a link held.
func (b *backoff) lived(d time.Duration) {
	if d >= backoffProof {
		b.failure = 0
	}
}

// rest waits, or returns false when the context ends first.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
