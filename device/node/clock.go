package node

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// Reading is what the machine's own clocks say at one moment.
type Reading struct {
	// Wall is the real-time clock: it may be wrong and it may jump.
	Wall time.Time
	// Mono is the time since the program began: it never jumps.
	Mono time.Duration
	// Synced says that the kernel has the wall clock from NTP.
	Synced bool
}

// nonce is one question for the time.
type nonce struct {
	text  string
	asked time.Duration
}

const (
	// maxNonces is how many questions may be open at once.
	maxNonces = 4
	// maxDrift is how fast the clock of a bad crystal runs away, in parts of a million.
	maxDrift = 100
)

// errAnswer means that an answer is not for a question that this boot asked
// and still waits for.
var errAnswer = errors.New("answers no open question of this boot")

// clock reckons trusted time. It reads no clock itself: every method
// is told what the machine's clocks say. The wall clock alone never proves
// anything; it may fill in for a missing answer inside a bounded span after the
// floor, and it may tune an answer by two minutes at most.
type clock struct {
	// floor is the last trusted answer of any boot, or the date of the program.
	floor broadcast.Instant

	open []nonce
	// carried is trusted time minus Mono as the best answer of this boot gives
	// it, off by at most doubt when it came.
	answered bool
	carried  time.Duration
	doubt    time.Duration
	came     time.Duration
	// seen is the same for a fresh manifest that a node without time was shown.
	seen time.Duration

	offset  time.Duration
	quality broadcast.Quality
}

func newClock(floor broadcast.Instant, r Reading) *clock {
	c := &clock{floor: floor}
	c.tune(r)
	return c
}

// sinceEpoch is a moment as a duration, which holds until the year 2262.
func sinceEpoch(i broadcast.Instant) time.Duration { return time.Duration(i) * time.Millisecond }

// ask opens a question. Every question has a nonce of its own, so that an
// answer held back by somebody is as old as its question and no older.
func (c *clock) ask(entropy io.Reader, r Reading) (string, error) {
	b := make([]byte, broadcast.NonceBytes)
	if _, err := io.ReadFull(orSystem(entropy), b); err != nil {
		return "", fmt.Errorf("nonce: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(b)
	c.open = append(c.open, nonce{text, r.Mono})
	if len(c.open) > maxNonces {
		c.open = slices.Delete(c.open, 0, 1)
	}
	return text, nil
}

func orSystem(entropy io.Reader) io.Reader {
	if entropy == nil {
		return rand.Reader
	}
	return entropy
}

// asked says whether this boot asked with the nonce.
func (c *clock) asked(text string) bool {
	return slices.ContainsFunc(c.open, func(n nonce) bool { return n.text == text })
}

// answer takes the sealed answer to an open question. It came half the way
// after it was given. An answer that took longer than clocks may differ is of
// no use, because somebody may have held it back.
func (c *clock) answer(text string, at broadcast.Instant, r Reading) error {
	i := slices.IndexFunc(c.open, func(n nonce) bool { return n.text == text })
	if i < 0 {
		return errAnswer
	}
	way := r.Mono - c.open[i].asked
	if way > broadcast.ClockTolerance {
		return fmt.Errorf("%w: it took %v", errAnswer, way.Round(time.Second))
	}
	carried := sinceEpoch(at) + time.Millisecond/2 + way/2 - r.Mono
	doubt := way/2 + time.Millisecond
	worse := doubt > c.doubt+c.drift(r)
	if !c.answered || !worse || (carried-c.carried).Abs() > doubt+c.doubt+c.drift(r) {
		c.answered, c.carried, c.doubt, c.came = true, carried, doubt, r.Mono
	}
	c.floor = max(c.floor, at)
	c.tune(r)
	return nil
}

// drift is how far this machine may have run away since the best answer came.
func (c *clock) drift(r Reading) time.Duration { return (r.Mono - c.came) / 1e6 * maxDrift }

// show takes the issue of a manifest that carries a nonce of this boot: it was
// made after the question, so it bounds the time of a node that has no other.
func (c *clock) show(issued broadcast.Instant, r Reading) {
	c.seen = max(c.seen, sinceEpoch(issued)-r.Mono)
	c.tune(r)
}

// rebase lowers the floor, or raises it, on the root's word.
func (c *clock) rebase(floor broadcast.Instant, r Reading) {
	c.floor = floor
	c.tune(r)
}

// tune settles what time it is.
func (c *clock) tune(r Reading) {
	wall := time.Duration(r.Wall.UnixNano()) - r.Mono
	if c.answered {
		c.offset, c.quality = c.carried, broadcast.ClockProved
		off := (wall - c.carried).Abs()
		switch {
		case off > broadcast.ClockTolerance:
			c.quality = broadcast.ClockUnverified
		case r.Synced || off <= c.doubt+c.drift(r):
			c.offset = wall
		}
		return
	}
	floor := sinceEpoch(c.floor)
	if at := wall + r.Mono; at >= floor && at <= floor+broadcast.MaxUnproved {
		c.offset, c.quality = wall, broadcast.ClockPlausible
		return
	}
	c.offset, c.quality = max(floor, c.seen), broadcast.ClockUnset
}

// trusted is the time to judge the future by: 0 while nothing proves it.
func (c *clock) trusted(r Reading) broadcast.Instant {
	if !c.answered {
		return 0
	}
	return broadcast.InstantOf(time.Unix(0, int64(c.offset+r.Mono)))
}
