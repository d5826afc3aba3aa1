package wire

import (
	"errors"

	"github.com/loaxa/loaxa/broadcast"
)

// Health lists what a node knows to be wrong with itself.
type Health struct {
	Boot   broadcast.ID `json:"boot"`
	Faults []Fault      `json:"faults"`
}

// Fault is one declared failure that is present now. The code may be one that
// only later versions know. Part says which one of several: a kind of record,
// an announcement, a sensor.
type Fault struct {
	Code  broadcast.FaultCode `json:"code"`
	Part  string              `json:"part,omitempty"`
	Since broadcast.Instant   `json:"since,omitzero"`
	Cause string              `json:"cause,omitempty"`
}

// Validate says whether the hint is complete and bounded.
func (h Health) Validate() error {
	if len(h.Faults) > 64 {
		return errors.New("faults: more than 64")
	}
	for _, f := range h.Faults {
		if err := errors.Join(broadcast.ID(f.Code).Validate(), bounded("part", f.Part, 64), bounded("cause", f.Cause, 200)); err != nil {
			return err
		}
	}
	return h.Boot.Validate()
}

// DecodeHealth reads a health.
func DecodeHealth(raw []byte) (Health, error) { return decodeHint[Health](raw, 16<<10) }
