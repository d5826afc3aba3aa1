package wire

import (
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
)

// State is what a node says of itself every five minutes and on change.
type State struct {
	Boot broadcast.ID `json:"boot"`
	// Version is that of the program, Board the name of its profile.
	Version string            `json:"version"`
	Board   string            `json:"board"`
	Clock   broadcast.Quality `json:"clock"`
	// Holding is the digest of the documents held (see Holding); the controller
	// compares it with what the node should hold, and shows drift.
	Holding broadcast.Digest `json:"holding"`
	// Manifests has the revision of the manifest held for each area.
	Manifests map[broadcast.ID]broadcast.Revision `json:"manifests,omitempty"`
	// Plan is the digest of the node's plan.
	Plan broadcast.Digest `json:"plan,omitempty"`
	// Chain, Seq and Head say how far the receipts go; Acked how far they are
	// acknowledged.
	Chain broadcast.ID     `json:"chain"`
	Seq   int64            `json:"seq"`
	Head  broadcast.Digest `json:"head,omitempty"`
	Acked int64            `json:"acked"`
	// Resync asks for everything that the node should hold.
	Resync bool `json:"resync,omitempty"`
	// Missing is content wanted but not yet on board, in bytes.
	Missing int64 `json:"missing_bytes,omitempty"`
	// Free is what the store may still take, in bytes.
	Free int64 `json:"free_bytes"`
	// Sent and Received count the data used since the boot, in bytes.
	Sent     int64 `json:"sent_bytes"`
	Received int64 `json:"received_bytes"`
	// Supply is what feeds the node, where it can tell.
	Supply *Supply `json:"supply,omitempty"`
	// Audit is the longest audit log that a manifest told the node of: a controller
	// whose log is shorter, or another, has lost or changed something.
	Audit *broadcast.AuditHead `json:"audit,omitempty"`
}

// Supply is what a node knows of its power and its heat.
type Supply struct {
	// Mains says that they feed; Battery is nil on a board without one.
	Mains   bool     `json:"mains"`
	Battery *Battery `json:"battery,omitempty"`
	// Celsius is the hottest temperature in the box.
	Celsius *int64 `json:"celsius,omitempty"`
}

// Battery is what a node estimates of its battery.
type Battery struct {
	// Charge is in percent. Hours are left, if nothing sounds and the mains stay
	// away, until only the reserve of emergencies remains.
	Charge int64 `json:"charge_percent"`
	Hours  int64 `json:"hours_left"`
	// Millivolts are missing where no sensor measures them.
	Millivolts *int64 `json:"millivolts,omitempty"`
}

func (s *Supply) validate() error {
	if s == nil {
		return nil
	}
	if s.Celsius != nil && (*s.Celsius < -mostCelsius || *s.Celsius > mostCelsius) {
		return fmt.Errorf("supply: %d °C is impossible", *s.Celsius)
	}
	b := s.Battery
	if b == nil {
		return nil
	}
	if b.Charge < 0 || b.Charge > 100 || b.Hours < 0 || b.Hours > mostHours || b.Millivolts != nil && (*b.Millivolts < -mostMillivolts || *b.Millivolts > mostMillivolts) {
		return fmt.Errorf("supply: a battery with %d %% and %d hours is impossible", b.Charge, b.Hours)
	}
	return nil
}

const (
	mostHours      = 1_000_000
	mostMillivolts = 10_000_000
	mostCelsius    = 10_000
)

// Validate says whether the hint is complete and bounded.
func (s State) Validate() error {
	if len(s.Manifests) > 16 {
		return errors.New("manifests: more than 16")
	}
	return errors.Join(s.Boot.Validate(), s.Holding.Validate(), s.Chain.Validate(), s.Clock.Validate(),
		bounded("version", s.Version, 64), bounded("board", s.Board, 64), s.Supply.validate(), auditOf(s.Audit))
}

// auditOf says what is wrong with a head, if there is one.
func auditOf(head *broadcast.AuditHead) error {
	if head == nil {
		return nil
	}
	if head.Length < 1 {
		return errors.New("audit: a log of no length")
	}
	return head.Head.Validate()
}

// DecodeState reads a state.
func DecodeState(raw []byte) (State, error) { return decodeHint[State](raw, 8<<10) }

// Holding names a set of documents by one digest, whatever their order, so
// that a node and the controller can tell whether they agree.
func Holding(entries []broadcast.Entry) (broadcast.Digest, error) {
	sorted := sortEntries(entries)
	b, err := broadcast.Encode(sorted)
	if err != nil {
		return "", err
	}
	return broadcast.Sum(b), nil
}
