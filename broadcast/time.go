package broadcast

import (
	"errors"
	"fmt"
	"time"
)

// Quality says what a node's clock rests on.
type Quality string

// The qualities, from the best to the worst.
const (
	// ClockProved: a sealed answer to this boot's nonce, carried on by the boot clock.
	ClockProved Quality = "proved"
	// ClockPlausible: no answer yet; the RTC lies between the floor and 30 days after it.
	ClockPlausible Quality = "plausible"
	// ClockUnverified: proved, but NTP and RTC disagree with it by more than ClockTolerance.
	ClockUnverified Quality = "unverified"
	// ClockUnset: nothing to go by.
	ClockUnset Quality = "unset"
)

// Limits of trusted time.
const (
	ClockTolerance = 2 * time.Minute
	MaxUnproved    = 30 * 24 * time.Hour
	MaxAhead       = 10 * time.Minute
)

// Validate refuses unknown qualities.
func (q Quality) Validate() error {
	switch q {
	case ClockProved, ClockPlausible, ClockUnverified, ClockUnset:
		return nil
	}
	return fmt.Errorf("clock quality %q does not exist", string(q))
}

// Answered says whether a sealed answer of this boot stands behind the clock.
func (q Quality) Answered() bool { return q == ClockProved || q == ClockUnverified }

// TimeAnswer is the controller's sealed answer to one boot's nonce.
type TimeAnswer struct {
	Node  ID      `json:"node"`
	Boot  ID      `json:"boot"`
	Nonce string  `json:"nonce"`
	At    Instant `json:"at"`
}

// Validate says whether the answer is complete.
func (t TimeAnswer) Validate() error {
	return firstOf(check{"node", t.Node.Validate()}, check{"boot", t.Boot.Validate()},
		check{"nonce", checkNonce(t.Nonce)}, check{"at", within(int64(t.At), 1, int64(maxInstant))})
}

// Rebase is the root's order that lowers the floor of trusted time on a node
// whose floor was poisoned.
type Rebase struct {
	Node     ID       `json:"node"`
	Revision Revision `json:"revision"`
	Floor    Instant  `json:"floor"`
}

// Validate says whether the order is complete.
func (r Rebase) Validate() error {
	return firstOf(check{"node", r.Node.Validate()}, check{"revision", r.Revision.Validate()},
		check{"floor", within(int64(r.Floor), 1, int64(maxInstant))})
}

// NonceBytes is the length of a boot's nonce before encoding.
const NonceBytes = 16

func checkNonce(s string) error {
	b, err := base64URL(s)
	if err != nil || len(b) != NonceBytes {
		return errors.New("16 random bytes in base64url are needed")
	}
	return nil
}
