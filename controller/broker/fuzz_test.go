package broker

import (
	"slices"
	"strings"
	"testing"
)

// FuzzPackets: however a broker's bytes are cut, the meter judges them alike,
// and never lets more than its limit be announced.
func FuzzPackets(f *testing.F) {
	f.Add([]byte{0x20, 2, 0, 0, 0x90, 3, 0, 1, 0}, byte(3))
	f.Add([]byte{0x90, 4, 0, 1, 0, 0}, byte(1))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 1}, byte(2))
	f.Add([]byte{0xd0, 0, 0x30, 0x81, 1}, byte(1))
	f.Fuzz(func(t *testing.T, b []byte, cut byte) {
		whole, parts := packetMeter{limit: 64, granted: 1}, packetMeter{limit: 64, granted: 1}
		want := whole.feed(b)
		var got error
		for part := range slices.Chunk(b, int(cut)+1) {
			if got = parts.feed(part); got != nil {
				break
			}
		}
		if (got == nil) != (want == nil) || want == nil && whole != parts {
			t.Errorf("whole: %+v, %v; in parts of %d: %+v, %v", whole, want, int(cut)+1, parts, got)
		}
		if want == nil && whole.body > 64 {
			t.Errorf("%d bytes are awaited", whole.body)
		}
	})
}

// FuzzAddress: an address that is refused is not repeated with its password.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"mqtt://u:secret@host", "mqtts://host:8883/", "http://u:secret@host", "mqtt://u:secret@host:x", "mqtt://u:secret@[::1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := parseAddress(raw)
		if err != nil {
			if strings.Contains(err.Error(), ":secret@") {
				t.Errorf("the password is told: %v", err)
			}
			return
		}
		if a.host == "" {
			t.Errorf("%q has no host", raw)
		}
	})
}
