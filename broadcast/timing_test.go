package broadcast_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// timed is a timing as an announcement of a class would have it, so that the
// tables can ask it to validate itself.
type timed struct {
	broadcast.Timing
	class broadcast.Class
}

func (t timed) Validate() error { return t.ValidateFor(t.class) }

func once(c broadcast.Class) func() timed {
	return func() timed { return timed{broadcast.Timing{Mode: broadcast.ModeStart, Start: at}, c} }
}

func weekly(c broadcast.Class) func() timed {
	return func() timed {
		t := once(c)()
		t.Recurrence, t.Until = &broadcast.Recurrence{Rule: "FREQ=WEEKLY"}, at+30*day
		return t
	}
}

func TestRecurringAnnouncementsEndWithinAYear(t *testing.T) {
	for _, class := range []broadcast.Class{broadcast.Normal, broadcast.Priority} {
		holdTiming(t, weekly(class), []edge[timed]{
			{"mode/recurrence", nil, func(t *timed) { t.Mode = broadcast.ModeNow }},
			{"mode", nil, func(t *timed) { t.Mode = "later" }},
			{"start", func(t *timed) { t.Start = t.Until - 1 }, func(t *timed) { t.Start = 0 }},
			{"recurrence/until", nil, func(t *timed) { t.Recurrence = nil }},
			{"recurrence/rule", nil, func(t *timed) { t.Recurrence = &broadcast.Recurrence{Rule: "FREQ=HOURLY"} }},
			{"recurrence/except", nil, func(t *timed) { t.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY", Except: []string{""}} }},
			{"until", func(t *timed) { t.Until = at + 1 }, func(t *timed) { t.Until = at }},
			{"until", func(t *timed) { t.Until = at + 366*day }, func(t *timed) { t.Until = at + 366*day + 1 }},
			{"until", nil, func(t *timed) { t.Until = 0 }},
			{"until", nil, func(t *timed) { t.Until = wrapped(at) }},
			{"late_limit_s", func(t *timed) { t.LateLimit = 12 * 3600 }, func(t *timed) { t.LateLimit = 12*3600 + 1 }},
			{"window_s", nil, func(t *timed) { t.Window = 1 }},
			{"repeat_s", nil, func(t *timed) { t.Repeat = 60 }},
		})
	}
}

func TestSingleAnnouncementsHaveNoUntilAndNoWindow(t *testing.T) {
	for _, class := range []broadcast.Class{broadcast.Normal, broadcast.Priority} {
		holdTiming(t, once(class), []edge[timed]{
			{"mode", func(t *timed) { t.Mode = broadcast.ModeNow }, func(t *timed) { t.Mode = "" }},
			{"start", func(t *timed) { t.Start = 1 }, func(t *timed) { t.Start = 0 }},
			{"start", nil, func(t *timed) { t.Start = -1 }},
			{"until", nil, func(t *timed) { t.Until = at + day }},
			{"late_limit_s", func(t *timed) { t.LateLimit = 0 }, func(t *timed) { t.LateLimit = -1 }},
			{"window_s", nil, func(t *timed) { t.Window = 1800 }},
			{"repeat_s", nil, func(t *timed) { t.Repeat = 300 }},
		})
	}
}

func TestEmergenciesLiveAtMostSixHoursAndNeverRecur(t *testing.T) {
	holdTiming(t, once(broadcast.Emergency), []edge[timed]{
		{"mode", func(t *timed) { t.Mode = broadcast.ModeNow }, func(t *timed) { t.Mode = "NOW" }},
		{"start", nil, func(t *timed) { t.Start = 0 }},
		{"recurrence", nil, func(t *timed) { t.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"} }},
		{"until", nil, func(t *timed) { t.Until = at + minute }},
		{"late_limit_s", nil, func(t *timed) { t.LateLimit = 12*3600 + 1 }},
		{"window_s", func(t *timed) { t.Window = 6 * 3600 }, func(t *timed) { t.Window = 6*3600 + 1 }},
		{"window_s", func(t *timed) { t.Window = 0 }, func(t *timed) { t.Window = -1 }},
		{"repeat_s", func(t *timed) { t.Repeat = 60 }, func(t *timed) { t.Repeat = 59 }},
		{"repeat_s", func(t *timed) { t.Repeat = 6 * 3600 }, func(t *timed) { t.Repeat = 6*3600 + 1 }},
		{"repeat_s", func(t *timed) { t.Repeat = 0 }, func(t *timed) { t.Repeat = -60 }},
	})
}

// holdTiming is holdEdges for the embedded timing.
func holdTiming(t *testing.T, fresh func() timed, edges []edge[timed]) {
	t.Helper()
	holdEdges(t, fresh, edges, "", "recurrence")
}

func TestLateLimitFollowsTheClassUnlessSigned(t *testing.T) {
	for _, c := range []struct {
		class        broadcast.Class
		late, window int64
		want         time.Duration
	}{
		{broadcast.Normal, 0, 0, time.Minute},
		{broadcast.Priority, 0, 0, 5 * time.Minute},
		{broadcast.Normal, 1, 0, time.Second},
		{broadcast.Priority, 1, 0, time.Second},
		{broadcast.Normal, 43200, 0, 12 * time.Hour},
		{broadcast.Emergency, 0, 0, 30 * time.Minute},
		{broadcast.Emergency, 5, 0, 30 * time.Minute},
		{broadcast.Emergency, 0, 60, time.Minute},
		{broadcast.Emergency, 0, 21600, 6 * time.Hour},
	} {
		timing := broadcast.Timing{Start: at, LateLimit: c.late, Window: c.window}
		if got := timing.Late(c.class); got != c.want {
			t.Errorf("%s with %d s and a window of %d s: %v, want %v", c.class, c.late, c.window, got, c.want)
		}
	}
}

func TestNothingBeginsAfterTheDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		timing timed
		want   broadcast.Instant
	}{
		"normal":                {once(broadcast.Normal)(), at + minute},
		"priority":              {once(broadcast.Priority)(), at + 5*minute},
		"emergency":             {once(broadcast.Emergency)(), at + 30*minute},
		"recurring normal":      {weekly(broadcast.Normal)(), at + 30*day + minute},
		"recurring priority":    {weekly(broadcast.Priority)(), at + 30*day + 5*minute},
		"start before the year": {timed{broadcast.Timing{Start: 1}, broadcast.Normal}, 1 + minute},
	} {
		if got := c.timing.Deadline(c.timing.class); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestEveryAcceptedTimingEnds draws timings at and around the limits.
func TestEveryAcceptedTimingEnds(t *testing.T) {
	number := rapid.SampledFrom([]int64{0, -1, 1, 59, 60, 1800, 21600, 21601, 43200, 43201, math.MaxInt64, math.MinInt64})
	moment := rapid.SampledFrom([]broadcast.Instant{0, 1, at, at + day, at + 366*day, at + 367*day, last, wrapped(at), wrapped(wrapped(at))})
	rapid.Check(t, func(t *rapid.T) {
		timing := broadcast.Timing{Mode: broadcast.ModeStart, Start: moment.Draw(t, "start"), Until: moment.Draw(t, "until"),
			LateLimit: number.Draw(t, "late"), Window: number.Draw(t, "window"), Repeat: number.Draw(t, "repeat")}
		if rapid.Bool().Draw(t, "recurs") {
			timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
		}
		class := rapid.SampledFrom(broadcast.Classes()).Draw(t, "class")
		if timing.ValidateFor(class) != nil {
			return
		}
		life := timing.Deadline(class) - timing.Start
		bound := 366*day + 12*60*minute
		if class == broadcast.Emergency {
			bound = 6 * 60 * minute
		}
		if life <= 0 || life > bound {
			t.Fatalf("%s lives %d ms: %+v", class, life, timing)
		}
	})
}
