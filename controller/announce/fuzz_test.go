package announce

import (
	"testing"
	"time"
)

// FuzzStart: a start that is read is one moment, whichever way it is written,
// and a bare time of day lies within the next day.
func FuzzStart(f *testing.F) {
	for _, s := range []string{"05:30", "17h30", "17h", "22/11/2026 17h30", "17:30 22/11/2026", "2026-12-01T05:30", "2026-11-22T17:30:00+07:00", "24:00", "h"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		at, err := start(text, now)
		if err != nil {
			return
		}
		again, err := start(at.Format(time.RFC3339), now)
		if err != nil || !again.Equal(at.Truncate(time.Second)) {
			t.Errorf("%q is %v, written and read again %v, %v", text, at, again, err)
		}
		if len(text) <= len("15:04") && (at.Before(now) || at.Sub(now) > 24*time.Hour) {
			t.Errorf("%q is %v", text, at)
		}
	})
}
