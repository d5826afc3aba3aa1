package broadcast

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Key is an Ed25519 public key (RFC 8032) as 43 characters of base64url.
type Key string

// KeyOf returns the text of a public key.
func KeyOf(k ed25519.PublicKey) Key { return Key(base64.RawURLEncoding.EncodeToString(k)) }

// ParseKey returns the public key of its text. Other lengths, padding and
// non-canonical base64url are errors.
func ParseKey(s string) (ed25519.PublicKey, error) {
	b, err := base64URL(s)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("key %q is not an Ed25519 public key in base64url", s)
	}
	return b, nil
}

// base64URL reads base64url (RFC 4648 section 5) without padding in its one
// form. The library's strict decoder still skips line breaks, which would give
// one key, nonce or signature many texts.
func base64URL(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("line break inside base64url")
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
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
