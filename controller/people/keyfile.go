package people

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
)

// keyFile is a private key on disk: the root's, kept apart, or the service's.
type keyFile struct {
	Holds  string        `json:"holds"`
	Public broadcast.Key `json:"public"`
	// Seed is in the clear; Wrapped is under a passphrase. One of the two is there.
	Seed    []byte          `json:"seed,omitempty"`
	Wrapped json.RawMessage `json:"wrapped,omitempty"`
}

// What key files hold.
const (
	holdsRoot    = "loaxa root key: keep it offline; it can make every other key"
	holdsService = "loaxa service key: signs lists and time, never an announcement"
)

// maxKeyFile bounds a key file in bytes.
const maxKeyFile = 4 << 10

// writeKey writes a key that its owner alone may read, and never over a file
// that is there. An empty passphrase leaves the key in the clear.
func writeKey(path, holds string, key ed25519.PrivateKey, passphrase string, cost Cost) error {
	k := keyFile{Holds: holds, Public: broadcast.KeyOf(key.Public().(ed25519.PublicKey)), Seed: key.Seed()}
	defer clear(k.Seed)
	if passphrase != "" {
		text, err := wrap(key, phrase(passphrase), &cost, holds)
		if err != nil {
			return err
		}
		k.Seed, k.Wrapped = nil, json.RawMessage(text)
	}
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	defer clear(b)
	return writeNew(path, append(b, '\n'))
}

// writeNew makes a file of mode 0600 with its content on the disk.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readKey reads a key file as a bare signer, asking for its passphrase if it
// has one. A file that others may read is refused.
func readKey(path, holds string, ask func() (string, error)) (seal.Signer, error) {
	k, err := parseKeyFile(path, holds)
	if err != nil {
		return seal.Signer{}, fmt.Errorf("key file %s: %w", path, err)
	}
	key, err := k.open(ask)
	if err != nil {
		return seal.Signer{}, fmt.Errorf("key file %s: %w", path, err)
	}
	id, err := k.Public.ID()
	return seal.Signer{KID: id, Key: key}, err
}

func parseKeyFile(path, holds string) (keyFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return keyFile{}, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return keyFile{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return keyFile{}, fmt.Errorf("others may read it (mode %04o); run chmod 600 on it", info.Mode().Perm())
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return keyFile{}, err
	}
	defer clear(b)
	var k keyFile
	if err := json.Unmarshal(b, &k); err != nil || k.Holds != holds {
		return keyFile{}, errors.New("is no such key file")
	}
	return k, k.Public.Validate()
}

func (k keyFile) open(ask func() (string, error)) (ed25519.PrivateKey, error) {
	if k.Wrapped == nil {
		if len(k.Seed) != ed25519.SeedSize {
			return nil, errors.New("holds no whole key")
		}
		key := ed25519.NewKeyFromSeed(k.Seed)
		clear(k.Seed)
		if broadcast.KeyOf(key.Public().(ed25519.PublicKey)) != k.Public {
			return nil, errors.New("its two halves do not belong together")
		}
		return key, nil
	}
	if ask == nil {
		return nil, errors.New("needs its passphrase")
	}
	text, err := ask()
	if err != nil {
		return nil, err
	}
	return unwrap(string(k.Wrapped), phrase(text), k.Public, k.Holds)
}
