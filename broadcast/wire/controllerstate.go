package wire

import "github.com/loaxa/loaxa/broadcast"

// ControllerState says that the controller is online. It is never a source of
// time, and nothing sounds or stops because of it.
type ControllerState struct {
	Online bool `json:"online"`
	// Run is another whenever the controller comes to the broker: what nodes said
	// before may not have been heard, and they say again how they are.
	Run broadcast.ID `json:"run"`
}

// Validate says whether the hint is complete.
func (c ControllerState) Validate() error { return c.Run.Validate() }

// DecodeControllerState reads a controller's state.
func DecodeControllerState(raw []byte) (ControllerState, error) {
	return decodeHint[ControllerState](raw, 1<<10)
}
