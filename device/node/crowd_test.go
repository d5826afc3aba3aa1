package node_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// Emergencies that repeat every minute make more occurrences than a plan holds.
// What it drops stays silent, and each has its verdict all the same.
func TestWhatAPlanCannotHoldHasItsVerdict(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		daily := r.Announcement("daily", broadcast.Normal, 30*time.Hour, time.Minute)
		daily.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
		daily.Timing.Until = daily.Timing.Start.Add(5 * day)
		r.Announce(daily)
		pass(time.Minute)
		for n := range plan.MaxEntries/360 + 1 {
			flood := r.Announcement(broadcast.ID(fmt.Sprintf("flood-%d", n)), broadcast.Emergency, 25*time.Hour, time.Second)
			flood.Timing.Repeat, flood.Timing.Window = 60, 6*3600
			r.Announce(flood)
		}
		pass(10 * time.Minute)
		r.Crash(storetest.KeepSynced)
		pass(3 * day)
		r.Boot()
		pass(2 * time.Hour)
		ends := map[broadcast.ID]int{}
		for _, receipt := range r.Centre.Receipts(nodetest.NodeID) {
			if receipt.Start != 0 && receipt.Rung.Terminal() {
				ends[receipt.Announcement]++
			}
		}
		if ends["daily"] != 2 || ends["flood-0"] < 360 || len(ends) != plan.MaxEntries/360+2 {
			t.Errorf("verdicts: %v", ends)
		}
	})
}
