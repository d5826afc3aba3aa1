package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// year is near enough for a clock that is wrong by one.
const year = 365 * day

// The moments of a day at which its clocks go wrong. Bulletins of four minutes
// begin in the 8th, 10th, 12th and 14th hour, a warning sounds four times in the
// 11th, and there is a daily item.
const (
	working      = 16 * time.Hour
	betweenTwo   = 10*time.Hour + 20*time.Minute
	inMid        = 10*time.Hour + 90*time.Second
	beforeTheOne = 10*time.Hour - 4*time.Second // it is being prepared
)

// heard is one sounding by the clock of the world, counted from the day's beginning.
type heard struct {
	Name string
	At   time.Duration
	Last time.Duration
}

// daily runs a day's programme: bulletins, a daily item, and an emergency with
// its repeats. Disturb is called at a moment of it. Everything that was ever
// published is sent again a minute and three hours later, and at the end. It returns what was
// heard, and fails if anything has no end or two.
func daily(t *testing.T, at time.Duration, disturb func(r *nodetest.Rig)) []heard {
	t.Helper()
	var out []heard
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		began := time.Now()
		raws := programme(r)
		pass(at)
		disturb(r)
		replay := func() {
			for _, raw := range raws {
				r.Send(wire.Area(nodetest.Top, "announcement"), raw)
			}
		}
		for _, wait := range []time.Duration{time.Minute, 3 * time.Hour} {
			pass(wait)
			replay()
			r.List()
		}
		pass(working - time.Since(began))
		replay()
		pass(time.Hour)
		for _, one := range r.Player.Sounded() {
			name, _, _ := strings.Cut(one.Sounding.Name, "-946")
			out = append(out, heard{name, one.At.Sub(began).Round(100 * time.Millisecond),
				one.Evidence.Last.Sub(one.Evidence.First).Round(time.Second)})
		}
		eachEndsOnce(t, r, len(raws))
		if err := r.Centre.Err(); err != nil {
			t.Errorf("the node said what no controller accepts: %v", err)
		}
	})
	return out
}

func programme(r *nodetest.Rig) (raws [][]byte) {
	for hour := 8; hour <= 14; hour += 2 {
		a := r.Announcement(broadcast.ID(fmt.Sprintf("tin%d", hour)), broadcast.Priority, time.Duration(hour)*time.Hour, 4*time.Minute)
		raws = append(raws, r.Announce(a))
	}
	morning := r.Announcement("morning", broadcast.Priority, 9*time.Hour+30*time.Minute, time.Minute)
	morning.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
	morning.Timing.Until = morning.Timing.Start.Add(5 * day)
	flood := r.Announcement("flood", broadcast.Emergency, 11*time.Hour, time.Minute)
	flood.Timing.Window, flood.Timing.Repeat = 1800, 600
	return append(raws, r.Announce(morning), r.Announce(flood))
}

// eachEndsOnce fails unless every occurrence has exactly one end for each of its
// attempts, and the last word on it is one.
func eachEndsOnce(t *testing.T, r *nodetest.Rig, documents int) {
	t.Helper()
	type attempt struct {
		id    broadcast.ID
		start broadcast.Instant
		n     int64
	}
	ended, named := map[attempt]int{}, map[broadcast.ID]bool{}
	for _, got := range r.Centre.Receipts(nodetest.NodeID) {
		if got.Start != 0 && got.Rung.Terminal() {
			ended[attempt{got.Announcement, got.Start, got.Attempt}]++
			named[got.Announcement] = true
		}
	}
	for a, n := range ended {
		if n != 1 {
			t.Errorf("%+v has %d ends", a, n)
		}
	}
	if len(named) != documents {
		t.Errorf("%d of %d documents have an end", len(named), documents)
	}
}

// wall puts the wall clock wrong by a span, with or without NTP standing behind it.
func wall(off time.Duration, ntp bool) func(*nodetest.Rig) {
	return func(r *nodetest.Rig) { r.Ticks.Set(off, ntp) }
}

// reboot cuts the power and starts the node with another clock.
func reboot(r *nodetest.Rig, off time.Duration) {
	r.Crash(storetest.KeepSynced)
	r.Ticks = nodetest.NewTicks()
	r.Ticks.Set(off, false)
}

func TestADaySoundsTheSameThroughEveryStepOfTheClock(t *testing.T) {
	want := daily(t, time.Hour, func(*nodetest.Rig) {})
	if len(want) != 4+1+4 {
		t.Fatalf("an ordinary day has %d soundings: %v", len(want), want)
	}
	for _, c := range []struct {
		name string
		do   func(*nodetest.Rig)
	}{
		{"an hour ahead", wall(time.Hour, false)},
		{"an hour back", wall(-time.Hour, false)},
		{"a day ahead", wall(day, false)},
		{"a day back", wall(-day, false)},
		{"to 1970", wall(-30*year, false)},
		{"to 2038", wall(38*year, false)},
		{"NTP lies by an hour", wall(time.Hour, true)},
		{"NTP lies by three minutes", wall(-3*time.Minute, true)},
		{"to 2038 for a minute and then an hour back", func(r *nodetest.Rig) {
			r.Ticks.Set(38*year, false)
			pass(time.Minute)
			r.Ticks.Set(-time.Hour, false)
		}},
	} {
		for _, at := range []time.Duration{betweenTwo, inMid, beforeTheOne} {
			t.Run(fmt.Sprintf("%s at %v", c.name, at), func(t *testing.T) {
				if diff := cmp.Diff(want, daily(t, at, c.do)); diff != "" {
					t.Errorf("heard (-without a step +with it):\n%s", diff)
				}
			})
		}
	}
}

func TestADaySoundsTheSameThoughTheBootHadNoTime(t *testing.T) {
	want := daily(t, time.Hour, func(*nodetest.Rig) {})
	for _, c := range []struct {
		name string
		off  time.Duration
	}{
		{"the RTC is right", 0}, {"the RTC was lost, and says 1970", -30 * year}, {"the RTC is a year behind", -year},
		{"the RTC is a year ahead", year}, {"the RTC is an hour ahead", time.Hour}, {"the RTC is an hour behind", -time.Hour},
		{"the RTC is a day ahead", day}, {"the RTC says 2038", 38 * year},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := daily(t, betweenTwo, func(r *nodetest.Rig) {
				reboot(r, c.off)
				r.Boot()
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("heard (-without a boot +with it):\n%s", diff)
			}
		})
	}
}

// Without a line a boot has nothing but its own clock. What it sounds then may
// be at a wrong time, or missing; but once the time is proved everything is as
// it was, and nothing is heard twice.
func TestALonelyBootWithAWrongClockDoublesNothing(t *testing.T) {
	want := daily(t, time.Hour, func(*nodetest.Rig) {})
	const alone = 2*time.Hour + 5*time.Minute // over a bulletin and the warning
	for _, c := range []struct {
		name    string
		off     time.Duration
		missing []string // while it was alone
		early   bool     // what it sounded alone came at a wrong time
	}{
		{"the RTC is right", 0, nil, false},
		{"the RTC was lost, and says 1970", -30 * year, []string{"tin12", "flood"}, false},
		{"the RTC is a year ahead", year, []string{"tin12", "flood"}, false},
		{"the RTC is a year behind", -year, []string{"tin12", "flood"}, false},
		{"the RTC is an hour ahead", time.Hour, nil, true},
		{"the RTC is an hour behind", -time.Hour, nil, true},
		// After ten minutes it says what it believes to have missed. What that was
		// said of too early sounds all the same.
		{"the RTC is a day ahead", day, []string{"tin12", "flood"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := daily(t, betweenTwo, func(r *nodetest.Rig) {
				reboot(r, c.off)
				r.BootAlone()
				pass(alone)
				r.Wire.Up()
			})
			var left []heard
			for _, one := range want {
				if len(c.missing) > 0 && one.At > betweenTwo && slices.Contains(c.missing, one.Name) {
					continue
				}
				left = append(left, one)
			}
			if !c.early {
				if diff := cmp.Diff(left, got); diff != "" {
					t.Errorf("heard (-want +got):\n%s", diff)
				}
				return
			}
			twice := map[string]int{}
			for _, one := range got {
				twice[one.Name]++
				if limit := map[bool]int{true: 4, false: 1}[one.Name == "flood"]; twice[one.Name] > limit {
					t.Errorf("%s was heard %d times: %v", one.Name, twice[one.Name], got)
				}
			}
			after := func(list []heard) []heard {
				return slices.DeleteFunc(slices.Clone(list), func(h heard) bool { return h.At < betweenTwo+alone })
			}
			if diff := cmp.Diff(after(left), after(got)); diff != "" {
				t.Errorf("after the time was proved (-want +got):\n%s", diff)
			}
		})
	}
}

// NTP may tune the clock by two minutes, and no more than that is lost.
func TestNTPThatLiesWithinItsBoundMovesTheDayAndLosesNothing(t *testing.T) {
	want := daily(t, time.Hour, func(*nodetest.Rig) {})
	for _, off := range []time.Duration{90 * time.Second, -90 * time.Second} {
		for _, at := range []time.Duration{betweenTwo, inMid, beforeTheOne} {
			t.Run(fmt.Sprintf("%v at %v", off, at), func(t *testing.T) {
				got := daily(t, at, wall(off, true))
				if len(got) != len(want) {
					t.Fatalf("%d soundings, want %d: %v", len(got), len(want), got)
				}
				for i := range got {
					if moved := (got[i].At - want[i].At).Abs(); got[i].Name != want[i].Name || got[i].Last != want[i].Last || moved > 92*time.Second {
						t.Errorf("%v, want %v", got[i], want[i])
					}
				}
			})
		}
	}
}
