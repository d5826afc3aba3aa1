package board

import (
	"bytes"
	"path"
	"testing"
)

// FuzzProfile: a profile that is read is inside its limits, and so are the
// limits that its guard would enforce.
func FuzzProfile(f *testing.F) {
	for _, name := range Names() {
		b, err := profiles.ReadFile(path.Join("profiles", name+".toml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add([]byte("base = \"" + name + "\"\n[relay]\nline = 4\n"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := read(bytes.NewReader(b))
		if err != nil {
			return
		}
		if err := p.Validate(); err != nil {
			t.Errorf("read something that is not valid: %v", err)
		}
		l := p.Limits()
		if l.MaximumOn <= 0 || l.WarmUp <= 0 || l.Hold <= 0 || l.MinimumOff < 0 {
			t.Errorf("a guard without limits: %+v", l)
		}
	})
}
