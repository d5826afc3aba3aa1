package broadcast_test

import (
	"bytes"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

// FuzzDocuments: whatever decodes as a document of any kind has this one
// encoding and keeps its own rules.
func FuzzDocuments(f *testing.F) {
	all := documents()
	for i, d := range all {
		b, err := broadcast.Encode(d.value)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(i, b)
	}
	f.Fuzz(func(t *testing.T, kind int, b []byte) {
		if kind < 0 || kind >= len(all) {
			return
		}
		v, err := all[kind].decode(b)
		if err != nil {
			return
		}
		if err := v.Validate(); err != nil {
			t.Errorf("%s: read something that is not valid: %v", all[kind].name, err)
		}
		if again, err := broadcast.Encode(v); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: two encodings of one value:\n%s\n%s", all[kind].name, b, again)
		}
	})
}

// FuzzTexts: a key, an instant, a time of day that is read is written the same.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"2026-11-21T08:00:00.000Z", "2026-11-21T08:00:00+07:00", "05:30", "24:00", "",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "FREQ=WEEKLY;BYDAY=MO,FR"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if key, err := broadcast.ParseKey(s); err == nil && string(broadcast.KeyOf(key)) != s {
			t.Errorf("key %q is written %q", s, broadcast.KeyOf(key))
		}
		if i, err := broadcast.ParseInstant(s); err == nil {
			if back, err := broadcast.ParseInstant(i.String()); err != nil || back != i {
				t.Errorf("instant %q is %v, read again %v, %v", s, i, back, err)
			}
		}
		if l, err := broadcast.ParseLocalTime(s); err == nil && l.String() != s {
			t.Errorf("time of day %q is written %q", s, l)
		}
	})
}
