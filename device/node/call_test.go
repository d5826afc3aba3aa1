package node_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// TestNodeSaysHowItIsWhenAControllerComes has controllers come, and somebody who
// says so all the time.
func TestNodeSaysHowItIsWhenAControllerComes(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		states := func(within time.Duration) (n int) {
			before := len(r.Wire.Published())
			pass(within)
			for _, m := range r.Wire.Published()[before:] {
				if m.Topic == wire.Node(nodetest.NodeID, "state") {
					n++
				}
			}
			return n
		}
		call := func(run broadcast.ID, online bool) {
			raw, err := broadcast.Encode(wire.ControllerState{Online: online, Run: run})
			if err != nil {
				t.Fatal(err)
			}
			r.Send(wire.ControllerTopic, raw)
		}
		pass(time.Minute)
		for _, step := range []struct {
			run    broadcast.ID
			online bool
			want   int
		}{{"one", true, 1}, {"one", true, 0}, {"one", false, 0}, {"two", false, 0}, {"two", true, 1}, {"", true, 0}} {
			call(step.run, step.online)
			if got := states(20 * time.Second); got != step.want {
				t.Errorf("called by %q, online %v: %d states, want %d", step.run, step.online, got, step.want)
			}
			pass(time.Minute)
		}
		spoke := 0
		for i := range 600 {
			call(broadcast.ID(fmt.Sprint("run-", i)), true)
			spoke += states(time.Second)
		}
		if spoke > 13 {
			t.Errorf("called all the time, it spoke %d times in ten minutes", spoke)
		}
	})
}

// TestReceiptsAreToldToAControllerThatComes has a controller be away while
// something sounds, so that the pauses between two attempts are long.
func TestReceiptsAreToldToAControllerThatComes(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Centre.Silence(true, false)
		r.Announce(r.Announcement("one", broadcast.Priority, time.Minute, time.Second))
		pass(time.Hour)
		r.Centre.Silence(false, false)
		raw, err := broadcast.Encode(wire.ControllerState{Online: true, Run: "two"})
		if err != nil {
			t.Fatal(err)
		}
		r.Send(wire.ControllerTopic, raw)
		pass(20 * time.Second)
		if got := len(r.Centre.Receipts(nodetest.NodeID)); got != 7 {
			t.Errorf("%d receipts", got)
		}
	})
}
