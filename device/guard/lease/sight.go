package lease

import "time"

// Witness is a Line that also sees, by a wire of its own, whether the amplifier
// really has power. Reading the output back would prove nothing: a contact that
// is welded together does not show there.
type Witness interface {
	// Powered says what the witness sees now.
	Powered() (bool, error)
}

// Fault is what is wrong with the relay; empty for nothing that the guard knows.
type Fault string

// The faults of a relay.
const (
	StuckOn    Fault = "stuck-on"   // told to open, and the amplifier has power
	NotMoving  Fault = "not-moving" // told to close, and the amplifier has none
	Disobeying Fault = "disobeying" // the output itself takes no orders
)

// Sight is what a guard sees of its relay. Without a Witness it never says
// StuckOn or NotMoving.
type Sight struct {
	Closed bool  // as it was told
	Fault  Fault // as it really is
}

// settle is how long contacts, and the supply behind them, may take to follow.
const settle = 3 * time.Second

// sight compares what the line was told with what a witness sees.
type sight struct {
	witness Witness
	closed  bool
	differs time.Time // since when both differ; zero while they agree
	fault   Fault
}

// look asks the witness. One that cannot be read proves nothing either way.
func (s *sight) look(now time.Time, closed bool) {
	if s.witness == nil {
		return
	}
	powered, err := s.witness.Powered()
	if err != nil || powered == closed {
		s.differs, s.fault = time.Time{}, ""
		return
	}
	if s.differs.IsZero() || s.closed != closed {
		s.differs, s.closed, s.fault = now, closed, ""
	}
	if now.Sub(s.differs) < settle {
		return
	}
	s.fault = StuckOn
	if closed {
		s.fault = NotMoving
	}
}

// Sight looks at the relay now. A fault of the witness shows once it has lasted
// for three seconds, so look every second or so.
func (k *Keeper) Sight() Sight {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.look()
}

// look is Sight for a caller that has the lock.
func (k *Keeper) look() Sight {
	if k.done {
		return Sight{}
	}
	before := k.sight.fault
	k.sight.look(time.Now(), k.term.closed)
	if k.sight.fault != before {
		k.log.Warn("relay against its witness", "closed", k.term.closed, "fault", k.sight.fault)
	}
	if k.fault != nil {
		return Sight{Closed: k.term.closed, Fault: Disobeying}
	}
	return Sight{Closed: k.term.closed, Fault: k.sight.fault}
}
