package wire

import (
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
)

// Presence says that a node is there, or is its last will. The connection id
// lets a reader ignore the late will of an old connection.
type Presence struct {
	State      PresenceState `json:"state"`
	Connection broadcast.ID  `json:"connection"`
	Boot       broadcast.ID  `json:"boot"`
	// Nonce asks for a time answer: 16 random bytes of this boot in base64url.
	Nonce string `json:"nonce,omitempty"`
}

// PresenceState is ready or gone.
type PresenceState string

// The two states of presence.
const (
	Ready PresenceState = "ready"
	Gone  PresenceState = "gone"
)

// Validate says whether the hint is complete.
func (p Presence) Validate() error {
	if p.State != Ready && p.State != Gone {
		return fmt.Errorf("state %q: ready or gone", string(p.State))
	}
	return errors.Join(p.Connection.Validate(), p.Boot.Validate(), bounded("nonce", p.Nonce, 32))
}

// DecodePresence reads a presence.
func DecodePresence(raw []byte) (Presence, error) { return decodeHint[Presence](raw, 1<<10) }
