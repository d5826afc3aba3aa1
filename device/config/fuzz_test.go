package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/loaxa/loaxa/device/config"
)

// FuzzLoad: a provisioning file is complete and valid, or it is refused.
func FuzzLoad(f *testing.F) {
	example, err := os.ReadFile("testdata/example.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte("[prefetch]\nnight = \"24:00-00:00\"\n[sound]\nkind = \"alsa\"\n"))
	path := filepath.Join(f.TempDir(), "node.toml")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path)
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("read something that is not valid: %v", err)
		}
		if _, err := c.Prefetch.Span(); err != nil {
			t.Errorf("a night that is none: %v", err)
		}
	})
}
