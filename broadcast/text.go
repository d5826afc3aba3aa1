package broadcast

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// checkText refuses text that is not NFC, holds control characters other than
// a line feed, or U+2028/U+2029 (which encoders escape differently), or is
// longer than max bytes. Two people must never see one text as two byte strings.
func checkText(field, s string, max int) error {
	if len(s) > max {
		return fmt.Errorf("%s: %d bytes, at most %d are allowed", field, len(s), max)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s: not valid UTF-8", field)
	}
	for _, r := range s {
		if (unicode.IsControl(r) && r != '\n') || r == 0x2028 || r == 0x2029 || r == utf8.RuneError {
			return fmt.Errorf("%s: contains the control character %U; remove it", field, r)
		}
	}
	if !norm.NFC.IsNormalString(s) {
		return fmt.Errorf("%s: not in Unicode NFC; normalise the text first", field)
	}
	return nil
}

// NormalText returns s in Unicode NFC, the only form that documents accept.
func NormalText(s string) string { return norm.NFC.String(s) }
