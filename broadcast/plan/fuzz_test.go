package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// FuzzRecurrence: a rule that is believed costs little to expand, gives starts
// in order and inside what was asked for, and at most one a day.
func FuzzRecurrence(f *testing.F) {
	for _, rule := range []string{"FREQ=DAILY", "FREQ=DAILY;INTERVAL=7;BYDAY=TU", "FREQ=WEEKLY;BYDAY=MO,FR", "FREQ=MONTHLY;BYMONTHDAY=31",
		"FREQ=MONTHLY;BYDAY=2SU", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=YEARLY;INTERVAL=100", "FREQ=SECONDLY"} {
		f.Add(rule, int64(1795248000), uint32(400))
	}
	f.Fuzz(func(t *testing.T, rule string, second int64, days uint32) {
		start := broadcast.InstantOf(time.Unix(second%(1<<33), 0))
		timing := broadcast.Timing{Mode: broadcast.ModeStart, Start: start, Recurrence: &broadcast.Recurrence{Rule: rule},
			Until: start.Add(366 * 24 * time.Hour)}
		if timing.ValidateFor(broadcast.Normal) != nil || !readable(timing) {
			return
		}
		from := start.Add(time.Duration(days%400) * 24 * time.Hour)
		to := from.Add(14 * 24 * time.Hour)
		began := time.Now()
		got := expansion(timing, from, to)
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%q took %v", rule, took)
		}
		if len(got) > 15 || !slices.IsSorted(got) {
			t.Errorf("%q: %d starts in a fortnight: %v", rule, len(got), got)
		}
		for _, at := range got {
			if at < from || at > to || at > timing.Until {
				t.Errorf("%q: %v is outside %v to %v", rule, at, from, to)
			}
		}
	})
}
