package seal_test

import (
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

// FuzzOpen: whatever opens was sealed by the house in exactly these bytes.
func FuzzOpen(f *testing.F) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan, minh := h.Officer("lan", broadcast.Commune, "xa-tan-quang"), h.Officer("minh", broadcast.Commune, "xa-tan-quang")
	ring := h.Keyring(chain())
	made := map[string]bool{}
	for _, s := range samples() {
		raw := sealtest.Sealed(s.kind, s.doc, lan, minh)
		made[string(raw)] = true
		f.Add(raw)
		for _, odd := range confusions(string(raw)) {
			f.Add([]byte(odd))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, s := range samples() {
			if s.open(ring, s.kind, raw) == nil && !made[string(raw)] {
				t.Errorf("%s: believed bytes that nobody sealed", s.kind)
			}
		}
	})
}
