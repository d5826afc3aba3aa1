package node_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

func TestReceiptsAreToldAgainUntilTheyAreAcknowledged(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Centre.Silence(true, false)
		for i := range 30 {
			r.Announce(r.Announcement(broadcast.ID(fmt.Sprintf("tin-%d", i)), broadcast.Priority, time.Duration(i+1)*time.Minute, time.Second))
		}
		pass(2 * time.Hour)
		if got := len(r.Centre.Receipts(nodetest.NodeID)); got != 0 {
			t.Fatalf("a deaf centre has %d receipts", got)
		}
		before := len(r.Wire.Published())
		r.Centre.Silence(false, false)
		pass(10 * time.Minute)
		if got := len(r.Centre.Receipts(nodetest.NodeID)); got != 30*7 {
			t.Errorf("%d receipts arrived of %d", got, 30*7)
		}
		if sent := len(r.Wire.Published()) - before; sent > 60 {
			t.Errorf("it took %d messages", sent)
		}
	})
}

func TestControllerThatLostEverythingIsToldFromTheBeginning(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("one", broadcast.Priority, time.Minute, time.Second))
		pass(5 * time.Minute)
		want := len(r.Centre.Receipts(nodetest.NodeID))
		r.Centre.Forget(nodetest.NodeID)
		r.Announce(r.Announcement("two", broadcast.Priority, time.Minute, time.Second))
		pass(2 * time.Hour)
		if got := len(r.Centre.Receipts(nodetest.NodeID)); got != 2*want {
			t.Errorf("%d receipts after the loss, want %d", got, 2*want)
		}
	})
}

func TestRestoredControllerIsToldWhatItLacks(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("one", broadcast.Priority, time.Minute, time.Second))
		pass(5 * time.Minute)
		r.Centre.Restore(nodetest.NodeID, 3)
		r.Announce(r.Announcement("two", broadcast.Priority, time.Minute, time.Second))
		pass(10 * time.Minute)
		if got := len(r.Centre.Receipts(nodetest.NodeID)); got != 14 {
			t.Errorf("%d receipts after the restoring, want 14", got)
		}
	})
}

func TestCardThatFellBehindItsControllerSaysSoAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		image := r.Disk.Ops()
		r.Announce(r.Announcement("one", broadcast.Priority, time.Minute, time.Second))
		pass(5 * time.Minute)
		r.Stop()
		r.Disk, _ = r.Disk.Cut(image, 0) // somebody put yesterday's card in
		r.Boot()
		r.Announce(r.Announcement("two", broadcast.Priority, time.Minute, time.Second))
		pass(10 * time.Minute)
		rungs(t, r, "two", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		for _, one := range r.Player.Sounded() {
			if one.Sounding.Name[:3] == "one" && one.First.After(time.Now().Add(-11*time.Minute)) {
				t.Error("the restored card sounded again what was long over")
			}
		}
		found := false
		for _, code := range r.Centre.Faults(nodetest.NodeID) {
			found = found || code == broadcast.FaultRolledBack
		}
		if !found {
			t.Errorf("faults %q, want rolled-back", r.Centre.Faults(nodetest.NodeID))
		}
	})
}

// idleMonth is what a node may use in a month with nothing to do, and packet
// what TCP and IP add to each message (RFC 9293, RFC 791).
const (
	idleMonth = 30 << 20
	packet    = 2 * 52
)

func TestIdleNodeKeepsItsDataLow(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		pass(time.Minute)
		before := len(r.Wire.Published())
		pass(24 * time.Hour)
		var bytes int
		for _, m := range r.Wire.Published()[before:] {
			bytes += len(m.Topic) + len(m.Payload) + packet
		}
		const pings = 24 * 3600 / 30 * (4 + packet) // the link's keepalive, both ways
		month := 30 * (bytes + pings)
		t.Logf("%d messages a day of %d bytes, with keepalive %.1f MB a month", len(r.Wire.Published())-before, bytes, float64(month)/1e6)
		if month > idleMonth {
			t.Errorf("%d bytes a month, more than %d", month, idleMonth)
		}
	})
}

// TestOldAcknowledgementsSaidAgainHideNothing has a broker keep back what the
// node proves, and answer by the last true acknowledgement.
func TestOldAcknowledgementsSaidAgainHideNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{Rig: nodetest.NewRig(t), t: t}
		var last atomic.Pointer[nodetest.Outgoing]
		s.BootAlone()
		defer func() { s.Stop() }()
		s.Wire.Take = func(topic string, payload []byte) []nodetest.Outgoing {
			out := s.Centre.Take(topic, payload)
			for _, o := range out {
				if o.Topic == wire.Node(nodetest.NodeID, "receipt/ack") {
					last.Store(&o)
				}
			}
			return out
		}
		s.Wire.Up()
		s.Settle()
		s.speak("one", time.Hour, time.Second)
		pass(time.Minute)
		s.Centre.Silence(true, false)
		s.speak("two", time.Hour, time.Second)
		for range 60 {
			pass(time.Second)
			s.Send(last.Load().Topic, last.Load().Payload)
		}
		if len(s.shown(broadcast.FaultUnanswered)) == 0 {
			t.Errorf("shown is %+v", s.Centre.Unwell(nodetest.NodeID))
		}
	})
}
