package node

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pin"
)

// How wrong PINs are met. Each number waits for itself: whoever tries out one
// takes nothing from anybody else, and nothing from its owner for longer than
// longestLock.
const (
	freeTries   = 5
	firstLock   = time.Minute
	longestLock = 15 * time.Minute
	forgotten   = 24 * time.Hour // after the last wrong one
	mostLocks   = 4              // that one number may open
)

// tries are the wrong PINs of one number since the last right one.
type tries struct {
	wrong int
	last  time.Duration // by a clock that nobody sets
}

// locked is how long a number still waits.
func (t tries) locked(now time.Duration) time.Duration {
	if t.wrong < freeTries {
		return 0
	}
	return max(0, t.last+min(firstLock<<min(t.wrong-freeTries, 8), longestLock)-now)
}

// keypad is what the node remembers of what was typed: never a PIN.
type keypad struct {
	tries map[broadcast.Number]tries
	busy  bool // a PIN is being compared
}

// OnCode is told by the panel that somebody typed a number and a PIN. If the PIN
// opens what two officers sealed for that number, its words sound here as if a
// key switch had been turned; otherwise nothing changes but the count of wrong
// tries.
func (n *Node) OnCode(keypad, number, digits string) {
	n.post(func() { n.typedCode(broadcast.Switch(keypad), broadcast.Number(number), digits) })
}

func (n *Node) typedCode(keypad broadcast.Switch, number broadcast.Number, digits string) {
	locks := n.locks(number)
	switch wait := n.keypad.tries[number].locked(n.mono()); {
	case len(locks) == 0:
		n.log.Warn("a number was typed that belongs to nobody", "keypad", keypad) // which may be a PIN by mistake
		return
	case wait > 0:
		n.log.Warn("too many wrong PINs: this number waits", "keypad", keypad, "number", number, "wait", wait.Round(time.Second))
		return
	case n.keypad.busy:
		return // nobody types a PIN in the second that comparing one takes
	}
	n.keypad.busy = true
	n.work.Go(func() {
		locks = slices.DeleteFunc(locks, func(l broadcast.Lock) bool { return !pin.Opens(l, digits) })
		n.post(func() { n.compared(keypad, number, locks) })
	})
}

// locks are what PINs typed after the number are compared with.
func (n *Node) locks(number broadcast.Number) []broadcast.Lock {
	var out []broadcast.Lock
	for _, id := range slices.Sorted(maps.Keys(n.holdings.templates)) {
		for _, c := range n.holdings.templates[id].doc.Local.People() {
			if c.Number == number && !slices.Contains(out, c.Lock) && len(out) < mostLocks {
				out = append(out, c.Lock)
			}
		}
	}
	return out
}

// compared fires what the opened locks allow, or counts a wrong try.
func (n *Node) compared(keypad broadcast.Switch, number broadcast.Number, opened []broadcast.Lock) {
	n.keypad.busy = false
	if len(opened) == 0 {
		n.wrongPIN(keypad, number)
		return
	}
	n.forgetTries(func(other broadcast.Number, _ tries) bool { return other == number })
	code := func(t held[broadcast.Template]) (broadcast.Code, bool) {
		people := t.doc.Local.People()
		i := slices.IndexFunc(people, func(c broadcast.Code) bool { return c.Number == number && slices.Contains(opened, c.Lock) })
		if i < 0 {
			return broadcast.Code{}, false
		}
		return people[i], true
	}
	t, err := n.fireable(func(t held[broadcast.Template]) bool { _, ok := code(t); return ok })
	if err != nil {
		n.log.Warn("a right PIN fires nothing", "keypad", keypad, "number", number, "err", err)
		return
	}
	whose, _ := code(t)
	by := origin{keypad, whose.Person}
	if speaks(t) {
		by.key = n.talkKey(t)
	}
	if err := n.fire(by, t); err != nil {
		n.log.Error("a template was not fired", "keypad", keypad, "template", t.doc.ID, "err", err)
	}
}

// wrongPIN counts, on the card too: who takes the plug out in between tries on
// where he was.
func (n *Node) wrongPIN(keypad broadcast.Switch, number broadcast.Number) {
	t := n.keypad.tries[number]
	t.wrong, t.last = t.wrong+1, n.mono()
	n.keypad.tries[number] = t
	n.log.Warn("a wrong PIN was typed", "keypad", keypad, "number", number, "in_a_row", t.wrong)
	n.sayTries(number, t)
	n.keepTries()
}

func (n *Node) sayTries(number broadcast.Number, t tries) {
	if t.wrong >= freeTries {
		n.raise(broadcast.FaultPINs, string(number), fmt.Sprintf("%d wrong PINs in a row", t.wrong))
	}
}

// forgetTries forgets the wrong tries of some numbers.
func (n *Node) forgetTries(over func(broadcast.Number, tries) bool) {
	before := len(n.keypad.tries)
	for number, t := range n.keypad.tries {
		if over(number, t) {
			n.clear(broadcast.FaultPINs, string(number))
			delete(n.keypad.tries, number)
		}
	}
	if len(n.keypad.tries) < before {
		n.keepTries()
	}
}

// oldTries are those that nobody repeats, and those of numbers that are gone: as
// long as the card has not given all that it holds, nobody knows which are.
func (n *Node) oldTries(number broadcast.Number, t tries) bool {
	return n.mono()-t.last > forgotten || !n.shelf.waits() && len(n.locks(number)) == 0
}

func (n *Node) keepTries() {
	counts := map[broadcast.Number]int{}
	for number, t := range n.keypad.tries {
		counts[number] = t.wrong
	}
	if err := n.shelf.put(shelfTries, counts); err != nil {
		n.log.Warn("wrong PINs are not noted on the card", "err", err)
	}
}

// recallTries begins every wait anew: how long the power was gone nobody knows.
func (n *Node) recallTries(counts map[broadcast.Number]int) {
	for number, wrong := range counts {
		t := tries{wrong: wrong + n.keypad.tries[number].wrong, last: n.mono()}
		n.keypad.tries[number] = t
		n.sayTries(number, t)
	}
}
