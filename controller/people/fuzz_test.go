package people

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

// FuzzKeyFile: a key file opens to the key that it names, or to none.
func FuzzKeyFile(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	dir := f.TempDir()
	for name, passphrase := range map[string]string{"bare": "", "wrapped": "four plain words here"} {
		path := filepath.Join(dir, name)
		if err := writeKey(path, "root", key, passphrase, Cost{Passes: 1, MemoryKiB: 8, Lanes: 1}); err != nil {
			f.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	path := filepath.Join(dir, "fuzzed")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := parseKeyFile(path, "root")
		if err != nil {
			return
		}
		if k.Wrapped != nil { // its secret is asked for before it is stretched: none here
			if _, err := k.open(func() (string, error) { return "", errors.New("nobody is there") }); err == nil {
				t.Error("it opened without its passphrase")
			}
			return
		}
		if got, err := k.open(nil); err == nil && broadcast.KeyOf(got.Public().(ed25519.PublicKey)) != k.Public {
			t.Error("the key is not the one that the file names")
		}
	})
}
