package panel

import (
	"context"
	"time"
)

// What a keypad takes.
const (
	pause     = 15 * time.Second // whoever waits longer begins anew
	mostTyped = 12               // digits of a number or a PIN
)

// The keys beside the digits: one ends what is typed, the other takes it back.
const (
	hash = '#'
	star = '*'
)

// typing is what was struck on one keypad so far: pure. A code is a number, a
// hash, a PIN and a hash. What does not fit, or is taken back, or waits for too
// long, is forgotten as a whole.
type typing struct {
	number string // ended by its hash
	second bool   // the PIN is being typed
	digits []byte
	spoilt bool // nothing counts before a star or a pause
	last   time.Duration
}

// strike takes one key, and returns a number and a PIN when they are complete.
func (t *typing) strike(key byte, now time.Duration) (number, digits string, complete bool) {
	if now-t.last > pause || key == star {
		t.forget()
	}
	t.last = now
	switch {
	case key == star || t.spoilt:
	case key >= '0' && key <= '9' && len(t.digits) < mostTyped:
		t.digits = append(t.digits, key)
	case key != hash || len(t.digits) == 0:
		t.forget()
		t.spoilt = true
	case !t.second:
		t.number, t.second, t.digits = string(t.digits), true, t.digits[:0]
	default:
		number, digits = t.number, string(t.digits)
		t.forget()
		return number, digits, true
	}
	return "", "", false
}

// forget leaves nothing of a PIN behind.
func (t *typing) forget() {
	clear(t.digits[:cap(t.digits)])
	*t = typing{digits: t.digits[:0], last: t.last}
}

// typed listens to one keypad until ctx ends.
func (p *Panel) typed(ctx context.Context, name string, struck <-chan byte) {
	began := time.Now()
	t := typing{digits: make([]byte, 0, mostTyped)}
	for {
		select {
		case <-ctx.Done():
			return
		case key := <-struck:
			if number, digits, complete := t.strike(key, time.Since(began)); complete {
				p.listener.OnCode(name, number, digits)
			}
		}
	}
}
