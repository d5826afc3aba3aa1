package people

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/loaxa/loaxa/broadcast"
)

// Cost is what one guess at a passphrase costs (argon2id, RFC 9106).
type Cost struct {
	MemoryKiB uint32 `json:"memory_kib"`
	Passes    uint32 `json:"passes"`
	Lanes     uint8  `json:"lanes"`
}

// DefaultCost is 64 MiB of memory and three passes in one lane.
func DefaultCost() Cost { return Cost{MemoryKiB: 64 << 10, Passes: 3, Lanes: 1} }

// check bounds what stored parameters may ask of this machine.
func (c Cost) check() error {
	if c.MemoryKiB < 8 || c.MemoryKiB > 1<<20 || c.Passes < 1 || c.Passes > 64 || c.Lanes < 1 || c.Lanes > 16 {
		return fmt.Errorf("argon2id with %d KiB, %d passes, %d lanes is outside what this program computes", c.MemoryKiB, c.Passes, c.Lanes)
	}
	return nil
}

// Key makes 32 bytes from a passphrase, however its letters were composed. The
// parameters may come from a stranger: what would ask too much of this machine is
// an error.
func (c Cost) Key(passphrase string, salt []byte) ([]byte, error) {
	return c.key(phrase(passphrase), salt)
}

func (c Cost) key(secret, salt []byte) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return argon2.IDKey(secret, salt, c.Passes, c.MemoryKiB, c.Lanes, chacha20poly1305.KeySize), nil
}

// errWrongSecret: the secret opens nothing, or the wrapping was altered; the
// two cannot be told apart.
var errWrongSecret = errors.New("the secret does not open the key")

// The ways to make a wrapping key.
const (
	fromPassphrase = "argon2id"
	fromToken      = "hkdf-sha256"
)

// wrapping is the 32-byte seed of a private key, sealed with XChaCha20-Poly1305
// under a key made from a secret that is not stored.
type wrapping struct {
	KDF   string `json:"kdf"`
	Cost  *Cost  `json:"cost,omitempty"`
	Salt  []byte `json:"salt"`
	Nonce []byte `json:"nonce"`
	Box   []byte `json:"box"`
}

// bound is what a wrapping belongs to: moved to another key or person, it
// does not open.
func bound(key broadcast.Key, person string) []byte {
	return []byte("loaxa/officer-key.v1 " + string(key) + " " + person)
}

// wrap seals a key's seed. cost is nil for a secret of 256 random bits, which
// needs no slowing down.
func wrap(key ed25519.PrivateKey, secret []byte, cost *Cost, person string) (string, error) {
	w := wrapping{KDF: fromToken, Cost: cost, Salt: random(16), Nonce: random(chacha20poly1305.NonceSizeX)}
	if cost != nil {
		w.KDF = fromPassphrase
	}
	public := broadcast.KeyOf(key.Public().(ed25519.PublicKey))
	under, err := w.under(secret, public)
	if err != nil {
		return "", err
	}
	defer clear(under)
	box, err := chacha20poly1305.NewX(under)
	if err != nil {
		return "", err
	}
	seed := key.Seed()
	defer clear(seed)
	w.Box = box.Seal(nil, w.Nonce, seed, bound(public, person))
	text, err := json.Marshal(w)
	return string(text), err
}

// unwrap returns the private key, or errWrongSecret. Whoever calls it zeroes
// the key.
func unwrap(text string, secret []byte, public broadcast.Key, person string) (ed25519.PrivateKey, error) {
	var w wrapping
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		return nil, fmt.Errorf("wrapped key: %w", err)
	}
	under, err := w.under(secret, public)
	if err != nil {
		return nil, err
	}
	defer clear(under)
	box, err := chacha20poly1305.NewX(under)
	if err != nil {
		return nil, err
	}
	if len(w.Nonce) != box.NonceSize() {
		return nil, errors.New("wrapped key: nonce of another length")
	}
	seed, err := box.Open(nil, w.Nonce, w.Box, bound(public, person))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errWrongSecret
	}
	defer clear(seed)
	key := ed25519.NewKeyFromSeed(seed)
	if broadcast.KeyOf(key.Public().(ed25519.PublicKey)) != public {
		clear(key)
		return nil, errWrongSecret
	}
	return key, nil
}

// awaits says whether a key is wrapped under the code that it was made with.
func awaits(text string) bool {
	var w wrapping
	return json.Unmarshal([]byte(text), &w) == nil && w.KDF == fromToken
}

// under makes the wrapping key from a secret.
func (w wrapping) under(secret []byte, public broadcast.Key) ([]byte, error) {
	switch {
	case w.KDF == fromPassphrase && w.Cost != nil:
		under, err := w.Cost.key(secret, w.Salt)
		if err != nil {
			return nil, fmt.Errorf("wrapped key: %w", err)
		}
		return under, nil
	case w.KDF == fromToken && w.Cost == nil:
		return hkdf.Key(sha256.New, secret, w.Salt, "loaxa/token.v1 "+string(public), chacha20poly1305.KeySize)
	}
	return nil, fmt.Errorf("wrapped key: %q is no way to make a key that this program knows", w.KDF)
}

// phrase is a passphrase as bytes; NFC, because keyboards differ in how they
// compose Vietnamese letters.
func phrase(s string) []byte { return []byte(broadcast.NormalText(s)) }

// random returns n random bytes. The source never fails (it would stop the program).
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
