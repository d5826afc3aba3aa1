package people

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// hashed is a password as it is stored: its argon2id sum (RFC 9106) with what
// made it, so that later ones may cost more.
type hashed struct {
	Cost Cost   `json:"cost"`
	Salt []byte `json:"salt"`
	Sum  []byte `json:"sum"`
}

// HashPassword returns a password as it is stored. A zero cost stands for
// DefaultCost.
func HashPassword(cost Cost, password string) (string, error) {
	if cost == (Cost{}) {
		cost = DefaultCost()
	}
	h := hashed{Cost: cost, Salt: random(16)}
	h.Sum = h.sum(password)
	b, err := json.Marshal(h)
	return string(b), err
}

// IsPassword says whether a password is the one that was stored. Its time
// depends on the cost alone.
func IsPassword(stored, password string) (bool, error) {
	var h hashed
	if err := json.Unmarshal([]byte(stored), &h); err != nil {
		return false, fmt.Errorf("stored password: %w", err)
	}
	if err := h.Cost.check(); err != nil {
		return false, fmt.Errorf("stored password: %w", err)
	}
	return subtle.ConstantTimeCompare(h.Sum, h.sum(password)) == 1, nil
}

func (h hashed) sum(password string) []byte {
	return argon2.IDKey(phrase(password), h.Salt, h.Cost.Passes, h.Cost.MemoryKiB, h.Cost.Lanes, 32)
}
