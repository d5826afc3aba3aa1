package broker

import (
	"sync"
	"time"
)

// ration lets a bounded number of log lines through per period and counts the
// rest, so that a hostile peer cannot fill a disk with complaints about itself.
type ration struct {
	now    func() time.Time
	period time.Duration
	limit  int

	mu         sync.Mutex
	began      time.Time
	used       int
	suppressed int
}

// take says whether one more line fits, and how many did not since the last
// line that did.
func (r *ration) take() (fits bool, suppressed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); now.Sub(r.began) >= r.period {
		r.began, r.used = now, 0
	}
	if r.used >= r.limit {
		r.suppressed++
		return false, 0
	}
	r.used++
	suppressed, r.suppressed = r.suppressed, 0
	return true, suppressed
}
