package plan

import (
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// line is the amplifier's power as the plan foresees it.
type line struct {
	board Board
	// closed says that the relay closed at since for the sounding that ended last.
	closed      bool
	since, last broadcast.Instant
}

// turn is what the amplifier offers to a sounding.
type turn struct {
	on, from, since broadcast.Instant
}

// bearable is how many milliseconds may sound under one closing of the relay;
// 0 means without end.
func (b Board) bearable() int64 {
	if b.MaxOn == 0 {
		return 0
	}
	return (b.MaxOn - b.WarmUp - b.Tail).Milliseconds()
}

// reopening is how long the amplifier needs from one sounding to the next when
// the relay has to open between them.
func (b Board) reopening() time.Duration { return b.Tail + b.MinOff + b.WarmUp }

// offer says when a sounding of a length can begin, not before at. Soundings
// that lie too close for the relay to open and close again share one closing,
// as long as the amplifier bears it.
func (l *line) offer(at broadcast.Instant, length int64, now broadcast.Instant) turn {
	b := l.board
	if l.closed && at.Add(-b.WarmUp) < l.last.Add(b.Tail+b.Hold+b.MinOff) && l.bears(max(at, l.last, now), length, l.since) {
		from := max(at, l.last, now)
		return turn{on: min(from, l.last.Add(b.Tail)), from: from, since: l.since}
	}
	from := max(at, now.Add(b.WarmUp))
	switch {
	case l.closed:
		from = max(from, l.last.Add(b.reopening()))
	case l.last != 0:
		from = max(from, l.last.Add(b.Hold+b.reopening()))
	}
	return turn{on: from.Add(-b.WarmUp), from: from, since: from.Add(-b.WarmUp)}
}

// bears says whether the relay may stay closed from since until a sounding ends.
func (l *line) bears(from broadcast.Instant, length int64, since broadcast.Instant) bool {
	return l.board.MaxOn == 0 || from.Sub(since)+time.Duration(length)*time.Millisecond+l.board.Tail <= l.board.MaxOn
}
