package panel

import (
	"cmp"
	"time"
)

// What a contact does with the time.
const (
	bounce = 50 * time.Millisecond // a contact that stands still for so long stands
	stuck  = time.Minute           // pressed for longer than anybody presses
	talks  = 15 * time.Minute      // turned for longer than anybody may speak
)

// turn is what came of a contact.
type turn int

const (
	nothing turn = iota
	pressed
	sticks
	freed
	released
)

// contact is the model of one button or key switch: pure. A press counts once,
// when the contact has stood still and was seen open before; one that lasts longer than anybody presses
// is a fault, and nothing comes of that contact until it was released.
type contact struct {
	found   bool // it was seen once
	raw     bool // as it was seen last
	changed time.Duration
	down    bool // as it stands, bounces left out
	since   time.Duration
	stuck   bool
	patient time.Duration // how long it may be pressed; 0 for stuck
}

// see learns how the contact stands now, and returns what came of it and when it
// wants to be looked at again; 0 for not before it moves.
func (c *contact) see(active bool, now time.Duration) (turn, time.Duration) {
	if !c.found {
		c.found, c.raw, c.down, c.since = true, active, active, now
	}
	if active != c.raw {
		c.raw, c.changed = active, now
	}
	if c.raw != c.down {
		if calm := c.changed + bounce; now < calm {
			return nothing, calm - now
		}
		return c.settle(now)
	}
	if !c.down || c.stuck {
		return nothing, 0
	}
	if left := c.since + c.patience() - now; left > 0 {
		return nothing, left
	}
	c.stuck = true
	return sticks, 0
}

func (c *contact) settle(now time.Duration) (turn, time.Duration) {
	c.down, c.since = c.raw, now
	if c.down {
		return pressed, c.patience()
	}
	if c.stuck {
		c.stuck = false
		return freed, 0
	}
	return released, 0
}

func (c *contact) patience() time.Duration { return cmp.Or(c.patient, stuck) }
