package node_test

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// TestACardThatIsGoneForAMinuteCostsNoAttempt: the window is open when the card
// is back, so the emergency sounds without a line, and nothing was held against its recording.
func TestACardThatIsGoneForAMinuteCostsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := ailment{name: "gone", strikes: append([]storetest.Kind{storetest.Read}, writing...), why: syscall.ENODEV}
		s := ailing{&site{Rig: nodetest.NewRig(t), t: t}, gone, broadcast.Emergency}
		s.Boot()
		defer func() { s.Stop() }()
		s.Settle()
		s.reads()
		pass(2 * time.Second)
		flood := s.Announcement("flood", broadcast.Emergency, time.Minute, 4*time.Second)
		s.Announce(flood)
		pass(30 * time.Second)
		s.Fetcher.Refuse(func(broadcast.Digest) error { return syscall.ENETUNREACH }) // else it sounds from memory
		s.strike()
		pass(90 * time.Second)
		s.judge(fate{0, "cached"})
		s.Disk.Fail(nil)
		pass(time.Minute)
		s.judge(fate{1, "ended"})
	})
}
