package dispatch

import (
	"sync"
	"time"
)

// How much of the log is for what nodes did wrong.
const (
	rationPeriod = time.Minute
	rationLines  = 30
)

// ration lets some lines through in each period and counts the rest, so that a
// hostile or broken node cannot fill the disk with complaints about itself.
type ration struct {
	now func() time.Time

	mu     sync.Mutex
	began  time.Time
	used   int
	unsaid int
}

// take says whether one more line fits, and how many did not since the last
// one that did.
func (r *ration) take() (fits bool, unsaid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.began) >= rationPeriod || now.Before(r.began) {
		r.began, r.used = now, 0
	}
	if r.used >= rationLines {
		r.unsaid++
		return false, 0
	}
	r.used++
	unsaid, r.unsaid = r.unsaid, 0
	return true, unsaid
}
