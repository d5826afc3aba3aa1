package node_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
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
