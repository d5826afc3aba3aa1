package node_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// crashed runs one announcement of four seconds that starts after five, cuts the
// power at a moment after it was announced, and boots again after a while.
func crashed(t *testing.T, class broadcast.Class, at, off time.Duration, seed uint64, judge func(t *testing.T, r *nodetest.Rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		r.Announce(r.Announcement("tin", class, 5*time.Second, 4*time.Second))
		pass(at)
		r.Crash(seed)
		pass(off)
		r.Boot()
		r.Settle()
		pass(time.Hour)
		judge(t, r)
		if err := r.Centre.Err(); err != nil {
			t.Errorf("the node said what no controller accepts: %v", err)
		}
	})
}

// eachCrash cuts the power all along the way of an announcement, with only the
// synced, and with some of the other writes on the medium.
func eachCrash(t *testing.T, class broadcast.Class, judge func(t *testing.T, r *nodetest.Rig)) {
	t.Helper()
	for at := time.Duration(0); at < 10*time.Second; at += 470 * time.Millisecond {
		for _, seed := range []uint64{storetest.KeepSynced, 7 + uint64(at)} {
			t.Run(fmt.Sprintf("%v seed %d", at, seed), func(t *testing.T) {
				crashed(t, class, at, 2*time.Second, seed, judge)
			})
		}
	}
}

// ends are the terminal receipts of a document's occurrences.
func ends(r *nodetest.Rig, id broadcast.ID) []broadcast.Receipt {
	return slices.DeleteFunc(r.Centre.Receipts(nodetest.NodeID), func(got broadcast.Receipt) bool {
		return got.Announcement != id || !got.Rung.Terminal() || got.Start == 0
	})
}

func TestCrashNeverSoundsAPriorityItemTwiceAndNeverLosesItsEnd(t *testing.T) {
	eachCrash(t, broadcast.Priority, func(t *testing.T, r *nodetest.Rig) {
		heard := r.Player.Sounded()
		got := ends(r, "tin")
		if len(heard) > 1 {
			t.Errorf("it was heard %d times", len(heard))
		}
		if len(got) != 1 {
			t.Fatalf("%d ends: %q", len(got), r.Centre.Rungs(nodetest.NodeID, "tin"))
		}
		whole := len(heard) == 1 && heard[0].Err == nil
		if ended := got[0].Rung == broadcast.Ended; ended && !whole {
			t.Errorf("it is said to have ended and did not: %+v", heard)
		}
		if len(heard) == 1 && got[0].Rung == broadcast.Skipped {
			t.Error("it was heard and is said to have been skipped")
		}
	})
}

func TestCrashSoundsAnEmergencyAgainWithItsReason(t *testing.T) {
	eachCrash(t, broadcast.Emergency, func(t *testing.T, r *nodetest.Rig) {
		got := ends(r, "tin")
		if len(got) == 0 || got[len(got)-1].Rung != broadcast.Ended {
			t.Fatalf("the last end is not ended: %q", r.Centre.Rungs(nodetest.NodeID, "tin"))
		}
		for i, e := range got {
			if e.Attempt != int64(i+1) {
				t.Errorf("attempt %d ends %dth", e.Attempt, i+1)
			}
			if i > 0 && e.Reason == "" {
				t.Error("an attempt above the first without its reason")
			}
		}
		heard := r.Player.Sounded()
		if len(heard) > 2 || len(heard) > len(got) {
			t.Errorf("heard %d times with %d ends", len(heard), len(got))
		}
		if last := heard[len(heard)-1]; last.Err != nil {
			t.Errorf("the last sounding ended with %v", last.Err)
		}
	})
}

func TestCrashAfterTheDeadlineEndsWithoutASound(t *testing.T) {
	crashed(t, broadcast.Priority, time.Second, 10*time.Minute, storetest.KeepSynced, func(t *testing.T, r *nodetest.Rig) {
		sounded(t, r, 0)
		if got := ends(r, "tin"); len(got) != 1 || got[0].Rung != broadcast.Skipped || got[0].Reason != broadcast.WhyLate {
			t.Errorf("ends %+v, want skipped, late", got)
		}
	})
}

func TestEmergencyStopsBeingRepeatedAfterThreeSoundings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		r.Announce(r.Announcement("tin", broadcast.Emergency, 5*time.Second, time.Minute))
		for range 6 {
			pass(40 * time.Second)
			r.Crash(storetest.KeepSynced)
			r.Boot()
		}
		pass(time.Hour)
		if heard := r.Player.Sounded(); len(heard) != 3 {
			t.Errorf("heard %d times, want once and two repetitions", len(heard))
		}
		got := ends(r, "tin")
		if last := got[len(got)-1]; last.Rung != broadcast.Interrupted {
			t.Errorf("the last end is %s", last.Rung)
		}
	})
}

func TestStopInMidSoundingIsToldAndRepeatedOnlyForEmergencies(t *testing.T) {
	for class, want := range map[broadcast.Class]int{broadcast.Priority: 1, broadcast.Emergency: 2} {
		t.Run(string(class), func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				r.Announce(r.Announcement("tin", class, 5*time.Second, time.Minute))
				pass(20 * time.Second)
				r.Stop()
				r.Boot()
				pass(time.Hour)
				sounded(t, r, want)
				got := r.Centre.Rungs(nodetest.NodeID, "tin")
				if !slices.Contains(got, "interrupted stopped") {
					t.Errorf("receipts %q", got)
				}
			})
		})
	}
}
