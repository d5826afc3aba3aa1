package seal_test

import (
	"bytes"
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

// FuzzDecode: whatever decodes has this one encoding.
func FuzzDecode(f *testing.F) {
	for _, s := range samples() {
		b, err := broadcast.Encode(s.doc)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		again := func(v any, err error) {
			if err != nil {
				return
			}
			if got, _ := broadcast.Encode(v); !bytes.Equal(got, b) {
				t.Errorf("two encodings of one value:\n%s\n%s", b, got)
			}
		}
		a, err := broadcast.Decode[broadcast.Announcement](b)
		again(a, err)
		p, err := broadcast.Decode[broadcast.Policy](b)
		again(p, err)
		m, err := broadcast.Decode[broadcast.Manifest](b)
		again(m, err)
		c, err := broadcast.Decode[broadcast.Certificate](b)
		again(c, err)
	})
}
