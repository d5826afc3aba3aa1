package node_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// payload names what an announcement says.
func payload(t *testing.T, a broadcast.Announcement) broadcast.Digest {
	t.Helper()
	b, err := broadcast.Encode(a)
	if err != nil {
		t.Fatal(err)
	}
	return broadcast.Sum(b)
}

// said is what the node proved of one body.
func said(t *testing.T, r *nodetest.Rig, a broadcast.Announcement) []string {
	t.Helper()
	var out []string
	for _, got := range r.Centre.Receipts(nodetest.NodeID) {
		if got.Payload == payload(t, a) {
			out = append(out, fmt.Sprintf("%d %s %s", got.Attempt, got.Rung, got.Reason))
		}
	}
	return out
}

// burn has an officer speak alone under the name, revision and start of a
// warning that he knows of, before the office publishes it.
func burn(r *nodetest.Rig, warning broadcast.Announcement, by seal.Signer, length time.Duration) broadcast.Announcement {
	r.Send(wire.Area(nodetest.Top, "policy"), r.Centre.Policy(func(p *broadcast.Policy) { p.OneOfficer = []broadcast.Class{broadcast.Emergency} }))
	forged := warning
	forged.Areas, forged.Reason = []broadcast.ID{nodetest.Area}, "một mình"
	forged.Versions = r.Announcement("chatter", broadcast.Emergency, 0, length).Versions
	push(r, sealtest.Sealed(broadcast.KindAnnouncement, forged, by))
	return forged
}

var wholeWay = []string{"0 received ", "0 verified ", "0 cached ", "1 powered ", "1 playing ", "1 sounded ", "1 ended "}

// TestPreBurnedNameTakesNothingFromTheWarning has the body under the warning's
// name sound first, or still sound when the warning comes from a higher level.
func TestPreBurnedNameTakesNothingFromTheWarning(t *testing.T) {
	for name, c := range map[string]struct {
		length time.Duration
		forged []string
		heard  int
	}{
		"it was heard to its end": {4 * time.Second, wholeWay, 2},
		"it still sounds":         {10 * time.Minute, append(slices.Clone(wholeWay[:5]), "1 interrupted other-body"), 2},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				key := thief(r)
				flood := r.Announcement("flood", broadcast.Emergency, 20*time.Second, 2*time.Second)
				forged := burn(r, flood, key, c.length)
				pass(time.Minute)
				r.Announce(flood)
				pass(30 * time.Second)
				r.Stop() // what the journal tells after a boot is the same
				r.Boot()
				pass(30 * time.Minute)
				heard := sounded(t, r, c.heard)
				if late := heard[1].First.Sub(flood.Timing.Start.Time()); late > time.Minute {
					t.Errorf("the warning was heard %v after its start", late)
				}
				if diff := cmp.Diff(wholeWay, said(t, r, flood)); diff != "" {
					t.Errorf("receipts of the warning (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.forged, said(t, r, forged)); diff != "" {
					t.Errorf("receipts of the other body (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestNodeThatHoldsAnotherBodySaysSo has a forger of the same level: nobody can
// say which body is meant, so the first stays, and the office hears of it.
func TestNodeThatHoldsAnotherBodySaysSo(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		flood := r.Announcement("flood", broadcast.Emergency, 20*time.Second, 2*time.Second)
		forged := burn(r, flood, r.Centre.Editor, 2*time.Second)
		pass(time.Second)
		r.Announce(flood)
		pass(10 * time.Minute)
		if diff := cmp.Diff([]string{"0 refused other-body"}, said(t, r, flood)); diff != "" {
			t.Errorf("receipts of the warning (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wholeWay, said(t, r, forged)); diff != "" {
			t.Errorf("receipts of the other body (-want +got):\n%s", diff)
		}
	})
}
