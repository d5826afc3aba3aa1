package node_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// A boot without a line goes by its own clock. Once the time is proved, nothing
// that clock said may stand between an emergency and the horn.
func TestWhatSoundedByAClockThatWasAheadKeepsNoEmergencyWaiting(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("morning", broadcast.Priority, time.Hour, time.Minute)
		a.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
		a.Timing.Until = a.Timing.Start.Add(5 * day)
		r.Announce(a)
		pass(10 * time.Minute)
		reboot(r, day)
		r.BootAlone()
		pass(2 * time.Hour)
		sounded(t, r, 1) // tomorrow's
		r.Wire.Up()
		pass(time.Minute)
		flood := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 5*time.Second)
		r.Announce(flood)
		pass(time.Minute)
		if late := sounded(t, r, 2)[1].First.Sub(flood.Timing.Start.Time()); late.Abs() > time.Second {
			t.Errorf("the emergency began %v after its start", late)
		}
	})
}

func TestWhatCameByAClockThatWasAheadIsReadyWhenTheTimeIsProved(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		reboot(r, 6*time.Hour)
		r.Centre.Silence(false, true)
		r.Boot()
		flood := r.Announcement("flood", broadcast.Emergency, 2*time.Minute, 5*time.Second)
		r.Announce(flood)
		pass(30 * time.Second)
		sounded(t, r, 0)
		r.Centre.Silence(false, false)
		pass(3 * time.Minute)
		if late := sounded(t, r, 1)[0].First.Sub(flood.Timing.Start.Time()); late.Abs() > time.Second {
			t.Errorf("the emergency began %v after its start", late)
		}
	})
}

// What a clock a day ahead gave up as missed sounds at its time: after the time
// was proved, and at a further boot alone that knows of it by the journal only.
func TestWhatAClockThatWasAheadGaveUpAsMissedSoundsOnce(t *testing.T) {
	for _, alone := range []bool{false, true} {
		world(t, func(t *testing.T, r *nodetest.Rig) {
			a := r.Announcement("evening", broadcast.Priority, 6*time.Hour, time.Minute)
			r.Announce(a)
			pass(10 * time.Minute)
			reboot(r, day)
			r.BootAlone()
			pass(time.Hour)
			r.Wire.Up()
			pass(time.Minute)
			r.Announce(r.Announcement("after", broadcast.Priority, 2*day, time.Minute))
			pass(time.Hour)
			if alone {
				reboot(r, 0)
				r.BootAlone()
			}
			pass(12 * time.Hour)
			r.Wire.Up()
			pass(time.Hour)
			if heard := sounded(t, r, 1); len(heard) == 1 && heard[0].First.Sub(a.Timing.Start.Time()).Abs() > time.Second {
				t.Errorf("it began at %v, not at %v", heard[0].First, a.Timing.Start)
			}
			rungs(t, r, "evening", "received", "verified", "cached", "skipped late", "verified ahead", "powered", "playing", "sounded", "ended")
			if err := r.Centre.Err(); err != nil {
				t.Errorf("the node said what no controller accepts: %v", err)
			}
		})
	}
}

// Whoever sets the clock of a box back that nobody proves the time to has nothing
// played that was over.
func TestAClockThatIsSetBackPlaysNothingThatWasGivenUpAsMissed(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("market", broadcast.Priority, 6*time.Hour, time.Minute))
		r.Announce(r.Announcement("flood", broadcast.Emergency, 6*time.Hour, time.Minute))
		pass(10 * time.Minute)
		r.Crash(storetest.KeepSynced)
		pass(day)
		for _, off := range []time.Duration{0, -day} {
			r.Ticks = nodetest.NewTicks()
			r.Ticks.Set(off, false)
			r.BootAlone()
			pass(time.Hour)
			r.Crash(storetest.KeepSynced)
		}
		r.Ticks = nodetest.NewTicks()
		r.Ticks.Set(-day, false)
		r.BootAlone()
		pass(10 * time.Hour)
		sounded(t, r, 0)
	})
}

// What was given up by such a clock and then stays silent for another reason
// has that one for its verdict. What was missed indeed is not asked for again.
func TestWhatAClockThatWasAheadGaveUpAndIsThenSilencedSaysSo(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("missed", broadcast.Priority, time.Hour, time.Minute))
		a := r.Announcement("evening", broadcast.Priority, 6*time.Hour, time.Minute)
		r.Announce(a)
		pass(10 * time.Minute)
		reboot(r, day)
		pass(2 * time.Hour)
		r.BootAlone()
		pass(time.Hour)
		r.Wire.Up()
		pass(time.Minute)
		r.Withdraw(a)
		pass(6 * time.Hour)
		sounded(t, r, 0)
		rungs(t, r, "missed", "received", "verified", "cached", "skipped late")
		rungs(t, r, "evening", "received", "verified", "cached", "skipped late", "verified ahead", "withdrawn withdrawn")
	})
}

// A sounding by the wrong clock keeps the dial from being set for its length.
// What is said meanwhile is said by the wrong clock, and can be taken back.
func TestWhatIsSaidWhileTheDialWaitsIsNoProvedVerdict(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		morning := r.Announcement("morning", broadcast.Priority, time.Hour, 5*time.Minute)
		morning.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
		morning.Timing.Until = morning.Timing.Start.Add(5 * day)
		r.Announce(morning)
		evening := r.Announcement("evening", broadcast.Priority, 6*time.Hour, time.Minute)
		r.Announce(evening)
		pass(10 * time.Minute)
		pass(48 * time.Minute)
		reboot(r, day)
		r.BootAlone()
		pass(4 * time.Minute) // tomorrow's sounds
		r.Wire.Up()
		pass(8 * time.Hour)
		if heard := sounded(t, r, 2); heard[1].First.Sub(evening.Timing.Start.Time()).Abs() > time.Second {
			t.Errorf("heard %+v", heard)
		}
	})
}

// An item whose start passed while the clock was wrong is joined like any that
// a node comes to late: an emergency on the common grid, everything else where
// the others are by then.
func TestWhatBeganWhileTheClockWasWrongIsJoinedWhereTheOthersAre(t *testing.T) {
	for _, off := range []time.Duration{-2 * time.Hour, 2 * time.Hour} {
		for class, grid := range map[broadcast.Class]time.Duration{broadcast.Emergency: 10 * time.Second, broadcast.Priority: 0} {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				a := r.Announcement("flood", class, time.Hour, 5*time.Minute)
				r.Announce(a)
				pass(50 * time.Minute)
				reboot(r, off)
				r.BootAlone()
				pass(10*time.Minute + 33*time.Second)
				r.Wire.Up()
				pass(time.Hour)
				heard := sounded(t, r, 1)[0]
				late := heard.First.Sub(a.Timing.Start.Time())
				if late < 30*time.Second || late > 45*time.Second {
					t.Errorf("%s, %v off: it began %v after its start", class, off, late)
				}
				if into := heard.Sounding.Offset; grid == 0 && into != late || grid != 0 && (into != 0 || late%grid != 0) {
					t.Errorf("%s, %v off: it began %v after its start, %v into it", class, off, late, into)
				}
			})
		}
	}
}
