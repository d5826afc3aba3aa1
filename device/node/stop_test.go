package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// stops are the three ways in which people end what sounds, and what becomes of
// it.
var stops = []struct {
	name, end string
	do        func(r *nodetest.Rig, a broadcast.Announcement)
}{
	{"silence", "interrupted silence", func(r *nodetest.Rig, a broadcast.Announcement) {
		push(r, r.Centre.Sealed(broadcast.KindSilence, broadcast.Silence{ID: "s-1", Revision: r.Centre.Revision("s-1"), Areas: []broadcast.ID{nodetest.Top},
			Classes: []broadcast.Class{a.Class}, Until: r.Centre.Instant().Add(time.Hour)}, nodetest.Top, r.Centre.Editor, r.Centre.Approver))
	}},
	{"withdrawal", "withdrawn withdrawn", func(r *nodetest.Rig, a broadcast.Announcement) { r.Withdraw(a, r.Centre.Editor, r.Centre.Approver) }},
	{"button", "interrupted button", func(r *nodetest.Rig, _ broadcast.Announcement) { r.Node.OnStop() }},
}

// states are where a sounding of 05:00 can be when somebody stops it.
var states = []struct {
	name  string
	at    time.Duration // before its first sample, or after it
	began bool          // it is journalled as playing
}{
	{"waiting", -20 * time.Second, false},
	{"prepared", -5 * time.Second, false},
	{"handed over", -2 * time.Second, false},
	{"warming up", -time.Second, false},
	{"journalled", -200 * time.Millisecond, true},
	{"first word", 50 * time.Millisecond, true},
	{"mid-word", 20*time.Second + 333*time.Millisecond, true},
	{"last word", 59*time.Second + 800*time.Millisecond, true},
}

// TestEveryStopEndsEveryStateWithinASecond is each of the three ways at each
// state of the stage, for emergencies and for the rest: no sample leaves later
// than a second after it, the relay is let go, and the receipt says who it was.
func TestEveryStopEndsEveryStateWithinASecond(t *testing.T) {
	for _, class := range []broadcast.Class{broadcast.Priority, broadcast.Emergency} {
		for _, way := range stops {
			for _, state := range states {
				t.Run(strings.Join([]string{string(class), way.name, state.name}, " "), func(t *testing.T) {
					world(t, func(t *testing.T, r *nodetest.Rig) {
						a := r.Announcement("tin", class, 30*time.Second, time.Minute)
						r.Announce(a)
						pass(30*time.Second + state.at)
						way.do(r, a)
						stopped := time.Now()
						pass(3 * time.Minute)
						if way.name == "button" && class == broadcast.Emergency && !state.began {
							sounded(t, r, 1) // what has not begun is not what the button stops
							return
						}
						judgeStop(t, r, stopped, state.at)
						if got := r.Centre.Rungs(nodetest.NodeID, "tin"); state.at >= 0 && got[len(got)-1] != way.end {
							t.Errorf("receipts %q, want %q at the end", got, way.end)
						}
					})
				})
			}
		}
	}
}

// judgeStop fails if a sample left too late, or the relay stayed closed.
func judgeStop(t *testing.T, r *nodetest.Rig, stopped time.Time, at time.Duration) {
	t.Helper()
	heard := r.Player.Sounded()
	if len(heard) > 1 || at >= 0 && len(heard) == 0 {
		t.Fatalf("heard %+v", heard)
	}
	for _, one := range heard {
		if last := one.First.Add(time.Duration(one.Evidence.Samples) * time.Second / 48000); !one.Over || last.Sub(stopped) > time.Second {
			t.Errorf("it sounded until %v after it was stopped", last.Sub(stopped))
		}
	}
	if opens := r.Player.Opens(); opens.Sub(stopped) > 4*time.Second {
		t.Errorf("the relay opens %v after the stop", opens.Sub(stopped))
	}
	if got := r.Centre.Rungs(nodetest.NodeID, "tin"); slices.Contains(got, "ended") {
		t.Errorf("receipts %q", got)
	}
}

func TestTheButtonBarsForHalfAnHourAndNoEmergency(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		speak(r, "normal", broadcast.Normal, 10*time.Minute, time.Second, nil)
		r.Announce(r.Announcement("soon", broadcast.Priority, 29*time.Minute, time.Second))
		r.Announce(r.Announcement("flood", broadcast.Emergency, 15*time.Minute, time.Second))
		r.Announce(r.Announcement("later", broadcast.Priority, 31*time.Minute, time.Second))
		pass(30 * time.Second)
		r.Node.OnStop()
		pass(time.Hour)
		rungs(t, r, "normal", "received", "verified", "cached", "refused button")
		rungs(t, r, "soon", "received", "verified", "cached", "refused button")
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		rungs(t, r, "later", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestTheButtonEndsOneSoundingOfAnEmergencyAndNotItsRepeats(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 5*time.Second, 30*time.Second)
		a.Timing.Repeat, a.Timing.Window = 300, 900
		r.Announce(a)
		pass(15 * time.Second)
		r.Node.OnStop()
		pass(30 * time.Minute)
		heard := sounded(t, r, 4)
		if heard[0].Evidence.Samples > 11*48000 {
			t.Errorf("the first went on for %d samples", heard[0].Evidence.Samples)
		}
		for _, one := range heard[1:] {
			if one.Evidence.Samples != 30*48000 {
				t.Errorf("a repeat ended after %d samples", one.Evidence.Samples)
			}
		}
	})
}

func TestTheBarIsNoLongerWhenTheClockIsSet(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Node.OnStop()
		pass(time.Minute)
		r.Ticks.Set(-24*time.Hour, false)
		pass(29*time.Minute + 30*time.Second)
		r.Announce(r.Announcement("later", broadcast.Priority, 30*time.Second, time.Second))
		pass(2 * time.Minute)
		sounded(t, r, 1)
	})
}

func TestAStuckInputIsAFaultUntilItIsFree(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Node.OnStuck("red", true, "pressed for more than 1m0s")
		pass(time.Minute)
		if got := r.Centre.Faults(nodetest.NodeID); !slices.Equal(got, []broadcast.FaultCode{broadcast.FaultButton}) {
			t.Errorf("faults %q", got)
		}
		r.Node.OnStuck("red", false, "")
		pass(2 * time.Minute)
		if got := r.Centre.Faults(nodetest.NodeID); len(got) > 0 {
			t.Errorf("faults %q", got)
		}
	})
}
