package broadcast

import (
	"errors"
	"fmt"
	"regexp"
)

// Code lets one person fire a template at a keypad in the box of a node: who
// types the number and then the right PIN. A number belongs to one person and one
// thing to say, so whoever tries many PINs wears out that number and no other.
type Code struct {
	// Number is what is typed before the PIN; it is no secret.
	Number Number `json:"number"`
	// Person is whose PIN it is; the firing names them.
	Person ID `json:"person"`
	// Lock is what the PIN is compared with.
	Lock Lock `json:"lock"`
}

// Number is one to four digits, the first of them not 0.
type Number string

var numberPattern = regexp.MustCompile(`^[1-9][0-9]{0,3}$`)

// Validate refuses what cannot be typed as a number.
func (s Number) Validate() error {
	if !numberPattern.MatchString(string(s)) {
		return fmt.Errorf("number %q: one to four digits, the first of them not 0", string(s))
	}
	return nil
}

// Lock is a salt of 16 bytes and what a slow hash makes of it and a PIN, 32
// bytes, together base64url without padding. Package pin makes and opens locks.
type Lock string

var lockPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{64}$`)

// Validate refuses what no PIN could open.
func (l Lock) Validate() error {
	if !lockPattern.MatchString(string(l)) {
		return errors.New("a lock is 64 characters, as made together with its PIN")
	}
	return nil
}

// maxCodes is how many people one template may name.
const maxCodes = 24

func validateCodes(codes []Code) error {
	if len(codes) > maxCodes {
		return fmt.Errorf("%d entries, allowed are 0 to %d", len(codes), maxCodes)
	}
	numbers := map[Number]bool{}
	for _, c := range codes {
		if err := firstOf(check{"number", c.Number.Validate()}, check{"person", c.Person.Validate()}, check{"lock", c.Lock.Validate()}); err != nil {
			return err
		}
		if numbers[c.Number] {
			return fmt.Errorf("number %s is given twice", c.Number)
		}
		numbers[c.Number] = true
	}
	return nil
}
