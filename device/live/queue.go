package live

import (
	"sync"
	"time"
)

const (
	// ahead is how much may be decoded before it is due.
	ahead = 20 * rate
	// patience in samples.
	patience = int64(Patience/time.Second) * rate
	// edge is over how many samples sound begins after a gap and ends before one.
	edge = rate / 100
)

// chunk is sound with the sample of the relay at which it begins.
type chunk struct {
	first int64
	pcm   []int16
}

func (c chunk) end() int64 { return c.first + int64(len(c.pcm)) }

// queue holds decoded sound in the order of its time. It is safe for one who puts
// and one who takes.
type queue struct {
	mu      sync.Mutex
	chunks  []chunk
	at      int64 // the next sample to be taken
	end     int64 // of what was put last
	missing int64 // samples in a row for which there was nothing
	rising  int   // how far the sound has come after a gap
	fatal   error // ends the relay
	trouble error // why nothing comes
	taken   chan struct{}
}

func newQueue(from int64) *queue {
	return &queue{at: from, end: from, trouble: ErrLine, taken: make(chan struct{}, 1)}
}

// late says that everything before a sample of the relay is past.
func (q *queue) late(end int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return end <= max(q.at, q.end)
}

// room says whether sound that begins there may be put now.
func (q *queue) room(first int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return first < q.at+ahead
}

// put adds sound behind what was put before; what lies before that is left out.
func (q *queue) put(c chunk) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if over := max(q.at, q.end) - c.first; over > 0 {
		if over >= int64(len(c.pcm)) {
			return
		}
		c.first, c.pcm = c.first+over, c.pcm[over:]
	}
	q.chunks, q.end = append(q.chunks, c), c.end()
}

// fail ends the relay.
func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fatal, q.chunks = err, nil
}

// troubled notes why nothing comes.
func (q *queue) troubled(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.trouble = err
}

// take fills pcm with what is due, silence where there is nothing. It ends the
// relay when nothing came for too long.
func (q *queue) take(pcm []int16) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for rest := pcm; len(rest) > 0 && q.fatal == nil; {
		n := q.some(rest)
		q.at += int64(n)
		rest = rest[n:]
		if q.missing > patience {
			q.fatal = q.trouble
		}
	}
	select {
	case q.taken <- struct{}{}:
	default:
	}
	return q.fatal
}

// some fills the beginning of pcm from one chunk, or with the silence before it.
func (q *queue) some(pcm []int16) int {
	for len(q.chunks) > 0 && q.chunks[0].end() <= q.at {
		q.chunks = q.chunks[1:]
	}
	if len(q.chunks) == 0 || q.chunks[0].first > q.at {
		n := len(pcm)
		if len(q.chunks) > 0 {
			n = int(min(int64(n), q.chunks[0].first-q.at))
		}
		clear(pcm[:n])
		q.missing, q.rising = q.missing+int64(n), 0
		return n
	}
	c := q.chunks[0]
	n := copy(pcm, c.pcm[q.at-c.first:])
	q.missing = 0
	q.soften(pcm[:n], c)
	return n
}

// soften fades sound in after a gap, and out before one.
func (q *queue) soften(pcm []int16, c chunk) {
	last := len(q.chunks) < 2 || q.chunks[1].first > c.end()
	for i := range pcm {
		gain := edge
		if q.rising < edge {
			q.rising++
			gain = q.rising
		}
		if left := c.end() - q.at - int64(i); last && left <= edge {
			gain = min(gain, int(left-1))
		}
		if gain < edge {
			pcm[i] = int16(int(pcm[i]) * gain / edge)
		}
	}
}
