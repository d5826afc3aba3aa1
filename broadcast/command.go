package broadcast

import (
	"errors"
	"fmt"
	"time"
)

// Verb is what a command asks of one node.
type Verb string

// The verbs.
const (
	VerbTestTone Verb = "test-tone"
	VerbReboot   Verb = "reboot"
	VerbLogTail  Verb = "log-tail"
	VerbUpdate   Verb = "update"
	VerbResync   Verb = "resync"
)

// MaxCommandLife is how long after its issue a command may be obeyed.
const MaxCommandLife = 10 * time.Minute

// Command asks one boot of one node for one thing.
type Command struct {
	ID       ID       `json:"id"`
	Revision Revision `json:"revision"`
	Node     ID       `json:"node"`
	// Boot is the boot that the command is bound to.
	Boot    ID      `json:"boot"`
	Verb    Verb    `json:"verb"`
	Expires Instant `json:"expires"`
}

// Validate says whether the command is complete and expires in time.
func (c Command) Validate() error {
	switch c.Verb {
	case VerbTestTone, VerbReboot, VerbLogTail, VerbUpdate, VerbResync:
	default:
		return fmt.Errorf("verb %q does not exist", string(c.Verb))
	}
	if life := c.Expires.Sub(c.Revision.IssuedAt()); life <= 0 || life > MaxCommandLife {
		return errors.New("expires: at most 10 minutes after the issue")
	}
	return firstOf(check{"id", c.ID.Validate()}, check{"revision", c.Revision.Validate()},
		check{"node", c.Node.Validate()}, check{"boot", c.Boot.Validate()})
}
