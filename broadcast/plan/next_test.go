package plan_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

func TestNextIsTheFirstStartThatMayStillBegin(t *testing.T) {
	six := broadcast.InstantOf(time.Date(2026, 11, 2, 6, 0, 0, 0, broadcast.Local()))
	const day = 24 * time.Hour
	once := broadcast.Timing{Mode: broadcast.ModeStart, Start: six}
	daily := broadcast.Timing{Mode: broadcast.ModeStart, Start: six, Until: six.Add(100 * day),
		Recurrence: &broadcast.Recurrence{Rule: "FREQ=DAILY", Except: []string{"2026-11-12"}}}
	for _, c := range []struct {
		name   string
		timing broadcast.Timing
		class  broadcast.Class
		from   time.Duration // after six
		want   time.Duration
		none   bool
	}{
		{"before it", once, broadcast.Normal, -day, 0, false},
		{"while it may begin late", once, broadcast.Normal, time.Minute, 0, false},
		{"too late for a normal item", once, broadcast.Normal, time.Minute + time.Millisecond, 0, true},
		{"not too late for a priority item", once, broadcast.Priority, 4 * time.Minute, 0, false},
		{"inside the window of an emergency", once, broadcast.Emergency, 29 * time.Minute, 0, false},
		{"beyond the end", once, broadcast.Normal, -15 * day, 0, true},
		{"every day", daily, broadcast.Normal, 5*day + time.Hour, 6 * day, false},
		{"the day that is excepted", daily, broadcast.Normal, 9*day + time.Hour, 11 * day, false},
		{"a start that may be joined", daily, broadcast.Priority, 5*day + time.Minute, 5 * day, false},
		{"after the last", daily, broadcast.Normal, 101 * day, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := plan.Next(c.timing, c.class, six.Add(c.from), six.Add(c.from+14*day))
			if ok == c.none || ok && got != six.Add(c.want) {
				t.Errorf("got %s, %t; want %s", got, ok, six.Add(c.want))
			}
		})
	}
}
