package broadcast

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
)

// ID names an area, node, person or document. It matches [a-z0-9-]{1,40}, so
// it is safe in topics, file names and addresses.
type ID string

var idPattern = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// Validate refuses anything that does not match the pattern.
func (id ID) Validate() error {
	if !idPattern.MatchString(string(id)) {
		return fmt.Errorf("id %q: use 1 to 40 of a-z, 0-9 and -", string(id))
	}
	return nil
}

// Digest is a SHA-256 in 64 lower-case hexadecimal digits.
type Digest string

var digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Sum returns the digest of b.
func Sum(b []byte) Digest {
	h := sha256.Sum256(b)
	return Digest(hex.EncodeToString(h[:]))
}

// Validate refuses anything but 64 lower-case hexadecimal digits.
func (d Digest) Validate() error {
	if !digestPattern.MatchString(string(d)) {
		return fmt.Errorf("digest %q is not 64 lower-case hexadecimal digits", string(d))
	}
	return nil
}

// Short returns the first eight digits, for logs and tables.
func (d Digest) Short() string {
	if len(d) < 8 {
		return string(d)
	}
	return string(d[:8])
}

// Language is a lower-case ISO 639 code of two or three letters: vi, tyz
// (Tày), nut (Nùng), ium (Dao), hmn (Mông).
type Language string

var languagePattern = regexp.MustCompile(`^[a-z]{2,3}$`)

// Validate refuses anything but two or three lower-case letters.
func (l Language) Validate() error {
	if !languagePattern.MatchString(string(l)) {
		return fmt.Errorf("language %q: use an ISO 639 code such as vi or tyz", string(l))
	}
	return nil
}
