// Package guess makes guessing slow for whoever guesses, and for nobody else.
//
// It promises: guesses are counted under a key that the caller chooses, such as
// one person from one network. The first few are free, each further one waits
// twice as long as the one before it, up to a bound, and a quiet time or a right
// answer ends it all. What is counted under one key never delays another. A
// guess is counted before it is judged, so that many at once gain nothing.
package guess

import (
	"sync"
	"time"
)

// maxKeys bounds how many keys are remembered; beyond it the one that was quiet
// longest is forgotten.
const maxKeys = 4096

// Limit counts guesses. It is safe for concurrent use.
type Limit struct {
	rule Rule
	mu   sync.Mutex
	by   map[string]count
}

// Rule says how slow guessing gets.
type Rule struct {
	// Free is how many guesses need not wait.
	Free int
	// First is the wait after those, Most the longest one. What was quiet for
	// twice as long as Most is forgotten.
	First, Most time.Duration
}

type count struct {
	guesses    int
	last, next time.Time
}

// New returns a limit that has counted nothing.
func New(r Rule) *Limit { return &Limit{rule: r, by: map[string]count{}} }

// Try counts a guess that may be made now and returns 0, or counts nothing and
// returns how long to wait.
func (l *Limit) Try(now time.Time, key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.of(now, key)
	if wait := c.next.Sub(now); wait > 0 {
		return wait
	}
	c.guesses++
	c.last, c.next = now, now.Add(l.pause(c.guesses))
	if _, known := l.by[key]; !known && len(l.by) >= maxKeys {
		l.forgetOne()
	}
	l.by[key] = c
	return 0
}

// Guesses returns how many are counted under a key.
func (l *Limit) Guesses(now time.Time, key string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(now, key).guesses
}

// Right forgets what is counted under a key: the answer was right.
func (l *Limit) Right(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.by, key)
}

// of returns the count of a key, none if it was quiet for long.
func (l *Limit) of(now time.Time, key string) count {
	c := l.by[key]
	if now.Sub(c.last) > 2*l.rule.Most {
		return count{}
	}
	return c
}

// pause is how long the guess after n others waits.
func (l *Limit) pause(n int) time.Duration {
	if n < l.rule.Free {
		return 0
	}
	wait := l.rule.First
	for range n - l.rule.Free {
		if wait >= l.rule.Most {
			break
		}
		wait *= 2
	}
	return min(wait, l.rule.Most)
}

func (l *Limit) forgetOne() {
	oldest := ""
	for key, c := range l.by {
		if oldest == "" || c.last.Before(l.by[oldest].last) {
			oldest = key
		}
	}
	delete(l.by, oldest)
}
