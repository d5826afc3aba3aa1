package node_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// Six emergencies that repeat each minute are more than one plan holds: each
// minute is heard all the same, and the node has time for everything else.
func TestEmergenciesThatFillAPlanAreHeardEachMinute(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		for n := range 6 {
			flood := r.Announcement(broadcast.ID(fmt.Sprintf("flood-%d", n)), broadcast.Emergency, time.Minute, 5*time.Second)
			flood.Timing.Repeat, flood.Timing.Window = 60, 6*3600
			r.Announce(flood)
		}
		pass(5 * time.Minute)
		if heard := len(r.Player.Sounded()); heard < 6*4-1 {
			t.Errorf("%d soundings", heard)
		}
	})
}
