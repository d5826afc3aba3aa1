package broadcast

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
)

// Key is an Ed25519 public key (RFC 8032) as 43 characters of base64url.
type Key string

// KeyOf returns the text of a public key.
func KeyOf(k ed25519.PublicKey) Key { return Key(base64.RawURLEncoding.EncodeToString(k)) }

// ParseKey returns the public key of its text. Other lengths, padding and
// non-canonical base64url are errors.
func ParseKey(s string) (ed25519.PublicKey, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("key %q is not an Ed25519 public key in base64url", s)
	}
	return b, nil
}

// Validate refuses anything that ParseKey refuses.
func (k Key) Validate() error {
	_, err := ParseKey(string(k))
	return err
}

// ID names a key that has no certificate, such as a root key or a node's own,
// by the SHA-256 of its 32 bytes.
func (k Key) ID() (Digest, error) {
	b, err := ParseKey(string(k))
	if err != nil {
		return "", err
	}
	return Sum(b), nil
}
