package node

import (
	"errors"
	"sync"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/link"
)

// errAllowance means that the day's data is used up.
var errAllowance = errors.New("the day's data allowance is used up")

// leastReserve is what emergencies may use at least when the day's data is used
// up: the longest recording that a card takes.
const leastReserve = 64 << 20

// allowance is what recordings may cost of a day's data. Emergencies may use as
// much again, and then it is over for them too: whoever can make nodes fetch
// could otherwise empty every card of a province. Safe for several goroutines.
type allowance struct {
	limit int64 // bytes a day; 0 for no bound

	mu sync.Mutex
	spent
}

// spent is what was used on a day, as kept on the card.
type spent struct {
	Day   broadcast.Instant `json:"day"` // its local midnight
	Bytes int64             `json:"bytes"`
}

// on turns to the day of a moment. A clock that went back begins no new day.
func (a *allowance) on(now broadcast.Instant) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if today := midnight(now); today > a.Day {
		a.spent = spent{Day: today}
	}
}

// also adds what was used of the same day before.
func (a *allowance) also(before spent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if before.Day > a.Day {
		a.spent = before
	} else if before.Day == a.Day {
		a.Bytes += before.Bytes
	}
}

// take uses some bytes and says whether that was allowed.
func (a *allowance) take(bytes int64, emergency bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.room(emergency) {
		return false
	}
	a.Bytes += bytes
	return true
}

// open says whether anything more may be fetched today.
func (a *allowance) open(emergency bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.room(emergency)
}

// spare uses some bytes for what nobody waits for, and says whether that was
// allowed: until all that was used is more than one of so many shares of the day's data.
func (a *allowance) spare(bytes, shares int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limit > 0 && a.Bytes+bytes > a.limit/shares {
		return false
	}
	a.Bytes += bytes
	return true
}

// room is for those who hold mu.
func (a *allowance) room(emergency bool) bool {
	limit := a.limit
	if emergency {
		limit += max(limit, leastReserve)
	}
	return a.limit == 0 || a.Bytes < limit
}

// now returns what was used so far.
func (a *allowance) now() spent {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.spent
}

// metered is a download that costs the allowance. When that is used up, the
// download ends; another day goes on where it stopped.
type metered struct {
	link.Partial
	of        *allowance
	emergency bool
}

// Write appends to the download.
func (m metered) Write(b []byte) (int, error) {
	if !m.of.take(int64(len(b)), m.emergency) {
		return 0, errAllowance
	}
	return m.Partial.Write(b)
}
