package node

import (
	"fmt"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

func nightOf(id broadcast.ID, night broadcast.Span, now broadcast.Instant) broadcast.Instant {
	n := &Node{cfg: Config{Node: id, Night: night}}
	return n.night(now)
}

func TestNodesOfOneMastSpreadOverTheNight(t *testing.T) {
	evening := broadcast.InstantOf(time.Date(2026, 11, 22, 20, 0, 0, 0, broadcast.Local()))
	begin, _, _ := usualNight.On(evening.Add(day))
	const nodes, slice = 300, 5 * time.Minute
	counts := map[time.Duration]int{}
	moved := 0
	for i := range nodes {
		id := broadcast.ID(fmt.Sprintf("tan-lap-%d", i))
		at := nightOf(id, usualNight, evening)
		since := at.Sub(begin)
		if since < 0 || since > 4*time.Hour {
			t.Fatalf("%s begins %v after midnight", id, since)
		}
		if again := nightOf(id, usualNight, evening.Add(time.Hour)); again != at {
			t.Fatalf("%s begins at %s and an hour later at %s", id, at, again)
		}
		if tomorrow := nightOf(id, usualNight, evening.Add(day)); tomorrow.Sub(at) != day {
			moved++
		}
		counts[since.Truncate(slice)]++
	}
	for at, n := range counts { // 300 over 40 slices: 7.5 each
		if n > 24 {
			t.Errorf("%d of %d nodes begin within %v of %v", n, nodes, slice, at)
		}
	}
	if len(counts) < 36 || moved < nodes*9/10 {
		t.Errorf("only %d slices of the night are used, and %d nodes begin elsewhere the next night", len(counts), moved)
	}
}

func TestANightIsNowFromTheNodesOwnMomentToItsEnd(t *testing.T) {
	weekend := broadcast.Span{Days: []broadcast.Weekday{"SU"}, From: 22 * 60, To: 3 * 60}
	at := func(day, hour, minute int) broadcast.Instant {
		return broadcast.InstantOf(time.Date(2026, 11, day, hour, minute, 0, 0, broadcast.Local())) // the 22nd is a Sunday
	}
	for _, c := range []struct {
		name  string
		night broadcast.Span
		now   broadcast.Instant
		open  bool
		next  int // day of the month
	}{
		{"in the afternoon", usualNight, at(22, 15, 0), false, 23},
		{"at its end", usualNight, at(23, 4, 29), true, 0},
		{"after it", usualNight, at(23, 4, 30), false, 24},
		{"over midnight, before", weekend, at(22, 21, 0), false, 22},
		{"over midnight, late", weekend, at(23, 2, 30), true, 0},
		{"a week ahead", weekend, at(23, 3, 0), false, 29},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := nightOf("tan-lap-1", c.night, c.now)
			if c.open != (got == 0) {
				t.Fatalf("got %s", got)
			}
			local := got.Time().In(broadcast.Local())
			if c.open {
				return
			}
			from, _, _ := c.night.On(at(c.next, 12, 0))
			if since := got.Sub(from); since < 0 || since > 4*time.Hour {
				t.Errorf("it begins at %v", local)
			}
		})
	}
}

func TestAllowanceIsOfADayAndBounded(t *testing.T) {
	noon := broadcast.InstantOf(noon)
	a := allowance{limit: 100}
	a.on(noon)
	for i, want := range []bool{true, true, false} {
		if got := a.take(60, false); got != want {
			t.Errorf("taken %d times: %t, %d used of 100", i+1, got, a.now().Bytes)
		}
	}
	if a.open(false) {
		t.Error("a day that is used up is open")
	}
	if !a.open(true) || !a.take(leastReserve, true) || a.take(1, true) {
		t.Errorf("emergencies got %d beyond it", a.now().Bytes-120)
	}
	a.on(noon.Add(-2 * day)) // a clock that was put back
	if a.open(false) {
		t.Error("a day that was before gave it all back")
	}
	a.on(noon.Add(day))
	if !a.open(false) || a.now().Bytes != 0 {
		t.Error("the next day nothing was given")
	}
	free := allowance{}
	free.on(noon)
	if !free.take(1<<40, false) || !free.open(false) {
		t.Error("a card without a bound is bounded")
	}
}
