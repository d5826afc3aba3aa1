package announce

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// TestAStartIsReadAsPeopleWriteIt asks at eight in the morning in Vietnam, on
// a machine that stands in another zone.
func TestAStartIsReadAsPeopleWriteIt(t *testing.T) {
	now := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"08:30": "2026-11-22T08:30:00", "8:30": "2026-11-22T08:30:00", "08:00": "2026-11-23T08:00:00", "7:59": "2026-11-23T07:59:00",
		"5:30": "2026-11-23T05:30:00", "17h30": "2026-11-22T17:30:00", "17h": "2026-11-22T17:00:00", "5h05": "2026-11-23T05:05:00",
		"17H30": "2026-11-22T17:30:00", " 17:30 ": "2026-11-22T17:30:00", "00:00": "2026-11-23T00:00:00", "8:00:01": "2026-11-22T08:00:01",
		"22/11/2026 17:30": "2026-11-22T17:30:00", "22/11/2026  17h30": "2026-11-22T17:30:00", "1/12/2026 5:30": "2026-12-01T05:30:00",
		"17:30 22/11/2026": "2026-11-22T17:30:00", "2026-12-01 05:30": "2026-12-01T05:30:00", "2026-12-01T05:30": "2026-12-01T05:30:00",
		"2026-12-01T05:00:00+07:00": "2026-12-01T05:00:00", "2026-12-01T05:00:00Z": "2026-12-01T12:00:00",
	} {
		got, err := start(text, now)
		if err != nil || got.In(broadcast.Local()).Format("2006-01-02T15:04:05") != want {
			t.Errorf("%q: %s %v, want %s", text, got, err, want)
		}
	}
}

// TestAStartThatIsNoMomentIsRefused: nothing is guessed, and the month is never
// first.
func TestAStartThatIsNoMomentIsRefused(t *testing.T) {
	for _, text := range []string{"25:00", "24:00", "5:60", "h", "h30", "17h3", "tomorrow", "2026-12-01", "11/22/2026 17:30", "31/02/2026 05:00",
		"22/11/26 17:30", "17h30m", "5.30", "-1:00", "5:30 pm"} {
		if got, err := start(text, time.Now()); err == nil {
			t.Errorf("%q gave %s", text, got)
		} else if !strings.Contains(err.Error(), "17h30") || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
