package broadcast_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

func lawful(quiet, windows []broadcast.Span) broadcast.Law {
	return broadcast.LawOf(broadcast.Policy{Quiet: quiet, Windows: windows, Thresholds: officers(1, 1, 2)})
}

// TestMistypedAfternoonIsInsideTheNight is the call at 03:15 that should have
// been at 15:15.
func TestMistypedAfternoonIsInsideTheNight(t *testing.T) {
	night := broadcast.Span{From: 21 * 60, To: 5 * 60}
	law := lawful([]broadcast.Span{night}, nil)
	for dayOfMonth := 16; dayOfMonth <= 30; dayOfMonth++ {
		mistyped, meant := local(dayOfMonth, 3, 15), local(dayOfMonth, 15, 15)
		if got, quiet := law.Quiet(mistyped, mistyped+minute); !quiet || got.From != night.From || got.To != night.To {
			t.Errorf("%s is not inside 21:00-05:00: %+v", mistyped.Time().In(broadcast.Local()), got)
		}
		if got, quiet := law.Quiet(meant, meant+minute); quiet {
			t.Errorf("%s is inside %+v", meant.Time().In(broadcast.Local()), got)
		}
	}
}

func TestQuietHoursTouchFromTheFirstToTheLastMillisecond(t *testing.T) {
	law := lawful([]broadcast.Span{{From: 21 * 60, To: 5 * 60}, {Days: []broadcast.Weekday{"SU"}, From: 11 * 60, To: 14 * 60}}, nil)
	friday := lawful([]broadcast.Span{{Days: []broadcast.Weekday{"FR"}, From: 0, To: 10}}, nil)
	if _, quiet := friday.Quiet(local(26, 23, 59), local(27, 0, 0)+1); !quiet {
		t.Error("an item that runs into quiet hours after midnight was not stopped")
	}
	if span, quiet := friday.Quiet(local(26, 23, 59), local(27, 0, 0)); quiet {
		t.Errorf("an item that ends at midnight touched %+v", span)
	}
	for _, c := range []struct {
		name     string
		from, to broadcast.Instant
		quiet    bool
	}{
		{"ends as the night begins", local(21, 20, 59), local(21, 21, 0), false},
		{"ends one millisecond into the night", local(21, 20, 59), local(21, 21, 0) + 1, true},
		{"last millisecond of the night", local(22, 5, 0) - 1, local(22, 5, 1), true},
		{"begins as the night ends", local(22, 5, 0), local(22, 5, 30), false},
		{"around a whole night", local(21, 20, 0), local(22, 6, 0), true},
		{"around midnight", local(22, 0, 0) - 1, local(22, 0, 0) + 1, true},
		{"Sunday noon", local(22, 12, 0), local(22, 12, 1), true},
		{"Saturday noon", local(21, 12, 0), local(21, 12, 1), false},
		{"Monday noon", local(23, 12, 0), local(23, 12, 1), false},
		{"from Saturday's noon to Sunday's", local(21, 14, 0), local(22, 11, 0) + 1, true},
	} {
		if span, quiet := law.Quiet(c.from, c.to); quiet != c.quiet {
			t.Errorf("%s: %v %+v", c.name, quiet, span)
		}
	}
}

func TestWindowHoldsTheWholeItem(t *testing.T) {
	law := lawful(nil, []broadcast.Span{{From: 5*60 + 30, To: 6*60 + 30}, {Days: []broadcast.Weekday{"SA"}, From: 22 * 60, To: 60}})
	for _, c := range []struct {
		name     string
		from, to broadcast.Instant
		inside   bool
	}{
		{"exactly the window", local(22, 5, 30), local(22, 6, 30), true},
		{"a millisecond early", local(22, 5, 30) - 1, local(22, 6, 0), false},
		{"a millisecond long", local(22, 6, 0), local(22, 6, 30) + 1, false},
		{"around the window", local(22, 5, 0), local(22, 7, 0), false},
		{"between the windows", local(22, 12, 0), local(22, 12, 1), false},
		{"Saturday's night", local(21, 22, 0), local(22, 1, 0), true},
		{"Saturday's night, on Sunday", local(22, 0, 30), local(22, 0, 31), true},
		{"Friday's night, on Saturday", local(21, 0, 30), local(21, 0, 31), false},
		{"Sunday's night", local(22, 22, 0), local(22, 22, 1), false},
		{"in two windows, but not between them", local(22, 0, 59), local(22, 5, 31), false},
	} {
		if got := law.InWindow(c.from, c.to); got != c.inside {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	two := broadcast.LawOf(broadcast.Policy{Windows: []broadcast.Span{{From: 300, To: 420}}}, broadcast.Policy{Windows: []broadcast.Span{{From: 360, To: 480}}},
		broadcast.Policy{})
	for hour, inside := range map[int]bool{5: false, 6: true, 7: false} {
		if got := two.InWindow(local(22, hour, 0), local(22, hour, 30)); got != inside {
			t.Errorf("%d o'clock under two policies with windows and one without: %v", hour, got)
		}
	}
}

// cells returns the local minutes that a stretch touches.
func cells(from, to broadcast.Instant) []broadcast.Instant {
	var out []broadcast.Instant
	for m := from - from%minute; m < to; m += minute {
		out = append(out, m)
	}
	return out
}

// touched is the slow model of quiet hours.
func touched(list []broadcast.Span, minutes []broadcast.Instant) bool {
	for _, s := range list {
		for _, m := range minutes {
			if sounds(s, m) {
				return true
			}
		}
	}
	return false
}

// held is the slow model of windows: one span holds every minute and does not
// begin anew among them.
func held(list []broadcast.Span, minutes []broadcast.Instant) bool {
	for _, s := range list {
		fits := true
		for i, m := range minutes {
			t := m.Time().In(broadcast.Local())
			anew := i > 0 && broadcast.LocalTime(t.Hour()*60+t.Minute()) == s.From
			fits = fits && sounds(s, m) && !anew
		}
		if fits {
			return true
		}
	}
	return len(list) == 0
}

func TestHoursAgreeWithTheMinutesOfTheirModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(spans(), 0, 3).Draw(t, "spans")
		law := lawful(list, list)
		from := local(20, 0, 0) + broadcast.Instant(rapid.Int64Range(0, 9*24*60-1).Draw(t, "minute"))*minute
		if rapid.Bool().Draw(t, "at the beginning of a span") && len(list) > 0 {
			from = from - (from+7*60*minute)%day + broadcast.Instant(list[0].From)*minute
		}
		from += broadcast.Instant(rapid.SampledFrom([]int64{0, -1, 1, 59999}).Draw(t, "ms"))
		length := rapid.OneOf(rapid.Int64Range(1, 3*int64(minute)), rapid.Map(rapid.Int64Range(1, 50*60), func(n int64) int64 { return n * int64(minute) }))
		to := from + broadcast.Instant(length.Draw(t, "length"))
		minutes := cells(from, to)
		if _, got := law.Quiet(from, to); got != touched(list, minutes) {
			t.Fatalf("quiet is %v: %+v from %s to %s", got, list, from, to)
		}
		if got := law.InWindow(from, to); got != held(list, minutes) {
			t.Fatalf("in a window is %v: %+v from %s to %s", got, list, from, to)
		}
	})
}
