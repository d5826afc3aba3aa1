package broadcast

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// checkText refuses text that is not NFC, holds control characters other than
// a line feed, or U+2028/U+2029 (which encoders escape differently), or is
// longer than max bytes. Two people must never see one text as two byte strings.
func checkText(s string, max int) error {
	if len(s) > max {
		return fmt.Errorf("%d bytes, at most %d are allowed", len(s), max)
	}
	if !utf8.ValidString(s) {
		return errors.New("not valid UTF-8")
	}
	for _, r := range s {
		if (unicode.IsControl(r) && r != '\n') || r == 0x2028 || r == 0x2029 || r == utf8.RuneError {
			return fmt.Errorf("contains the control character %U; remove it", r)
		}
	}
	if !norm.NFC.IsNormalString(s) {
		return errors.New("not in Unicode NFC; normalise the text first")
	}
	return nil
}

// NormalText returns s in Unicode NFC, the only form that documents accept.
func NormalText(s string) string { return norm.NFC.String(s) }
