package node

import "github.com/loaxa/loaxa/broadcast"

// doubts are the verdicts that no attempt stands behind and that were given by a
// clock which nothing had proved. They stand, so that nobody has them played by
// setting that clock back. Only a proved time that has not come as far refutes
// them: the clock was ahead, and what it gave up as missed is still to come.
type doubts struct {
	given   map[occurrence]broadcast.Instant
	refuted map[occurrence]bool
}

func newDoubts() doubts {
	return doubts{given: map[occurrence]broadcast.Instant{}, refuted: map[occurrence]bool{}}
}

// note takes a statement in its place in the journal.
func (d *doubts) note(s statement, now moment) {
	switch {
	case now.clock != broadcast.ClockPlausible && now.clock != broadcast.ClockUnset:
		d.refute(now.at)
	case s.attempt == 0 && s.start != 0 && s.rung.Terminal():
		d.given[occurrence{s.document, s.start}] = now.at
	}
}

// refute takes a proved time.
func (d *doubts) refute(now broadcast.Instant) {
	for name, at := range d.given {
		if at > now {
			delete(d.given, name)
			d.refuted[name] = true
		}
	}
}

// forget drops an occurrence that no plan will look at again.
func (d *doubts) forget(name occurrence) {
	delete(d.given, name)
	delete(d.refuted, name)
}
