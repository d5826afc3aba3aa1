// Package pin makes the PINs that people type at a keypad, and the locks that
// they open.
//
// What always holds: a PIN is drawn, never chosen, so that no year of birth
// opens anything; a lock gives its PIN to nobody who does not try them one by
// one, each try costing 16 MiB of memory and the time of six passes over it; and
// a PIN opens no lock but its own. A PIN is shown once, to whoever shall know it,
// and is kept nowhere.
//
// How: argon2id (RFC 9106) over the digits and a salt of the lock's own. The
// cost is fixed, because a lock that names its cost could name any. Eight digits
// at this cost keep a thief with one processor of 2026 busy for a month, and
// with a rack of them for an hour: a stolen card is a reason for new PINs.
package pin

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"regexp"

	"golang.org/x/crypto/argon2"

	"github.com/loaxa/loaxa/broadcast"
)

// Digits is how many digits a new PIN has.
const Digits = 8

// MaxDigits is the longest that a keypad takes.
const MaxDigits = 12

// The cost of one try.
const (
	passes  = 6
	memory  = 16 << 10 // KiB
	threads = 1
	saltLen = 16
	sumLen  = 32
)

var pattern = regexp.MustCompile(fmt.Sprintf("^[0-9]{%d,%d}$", Digits, MaxDigits))

// New draws a PIN and makes its lock.
func New(entropy io.Reader) (digits string, lock broadcast.Lock, err error) {
	drawn := make([]byte, 16) // far more than the digits need, so that none is likelier
	salt := make([]byte, saltLen)
	for _, b := range [][]byte{drawn, salt} {
		if _, err := io.ReadFull(entropy, b); err != nil {
			return "", "", fmt.Errorf("pin: %w", err)
		}
	}
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(Digits), nil)
	digits = fmt.Sprintf("%0*d", Digits, new(big.Int).Mod(new(big.Int).SetBytes(drawn), most))
	return digits, broadcast.Lock(base64.RawURLEncoding.EncodeToString(append(salt, sum(digits, salt)...))), nil
}

// Opens says whether the digits are the PIN of a lock. It takes as long for the
// wrong ones as for the right ones.
func Opens(lock broadcast.Lock, digits string) bool {
	b, err := base64.RawURLEncoding.DecodeString(string(lock))
	if err != nil || len(b) != saltLen+sumLen || !pattern.MatchString(digits) {
		return false
	}
	return subtle.ConstantTimeCompare(sum(digits, b[:saltLen]), b[saltLen:]) == 1
}

func sum(digits string, salt []byte) []byte {
	return argon2.IDKey([]byte(digits), salt, passes, memory, threads, sumLen)
}
