package node_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
)

// world runs a test in virtual time with a node that has its place, its policy
// and its time.
func world(t *testing.T, test func(t *testing.T, r *nodetest.Rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer r.Stop()
		r.Settle()
		pass(2 * time.Second)
		test(t, r)
		if err := r.Centre.Err(); err != nil {
			t.Errorf("the node said what no controller accepts: %v", err)
		}
	})
}

// pass lets virtual time pass.
func pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// rungs fails unless the node proved exactly these rungs of a document.
func rungs(t *testing.T, r *nodetest.Rig, id broadcast.ID, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, r.Centre.Rungs(nodetest.NodeID, id)); diff != "" {
		t.Errorf("receipts of %s (-want +got):\n%s", id, diff)
	}
}

// sounded fails unless so many soundings were heard.
func sounded(t *testing.T, r *nodetest.Rig, want int) []nodetest.Played {
	t.Helper()
	got := r.Player.Sounded()
	if len(got) != want {
		t.Fatalf("%d soundings were heard, want %d: %+v", len(got), want, got)
	}
	return got
}

func TestEmergencySoundsOnTimeWithEveryRungProved(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 4*time.Second)
		r.Announce(a)
		pass(20 * time.Second)
		heard := sounded(t, r, 1)[0]
		if !heard.First.Equal(a.Timing.Start.Time()) || !heard.Powered.Equal(heard.First.Add(-nodetest.WarmUp)) {
			t.Errorf("first sample at %v, relay closed at %v; want %v and a warm-up before", heard.First, heard.Powered, a.Timing.Start)
		}
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		receipts := r.Centre.Receipts(nodetest.NodeID)
		i := slices.IndexFunc(receipts, func(r broadcast.Receipt) bool { return r.Rung == broadcast.Sounded })
		e := receipts[i].Evidence
		if e == nil || e.Samples != 4*48000 || e.Of != 4*48000 || e.First != a.Timing.Start || e.Closed != a.Timing.Start.Add(-nodetest.WarmUp) {
			t.Errorf("evidence %+v", e)
		}
		if s := r.Centre.State(nodetest.NodeID); s.Clock != broadcast.ClockProved {
			t.Errorf("clock %s, want proved", s.Clock)
		}
	})
}

func TestNodeHoldsWhatTheManifestsList(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("flood", broadcast.Emergency, time.Minute, 4*time.Second))
		r.Sealed(r.Announcement("tin-1", broadcast.Normal, time.Hour, 4*time.Second)) // never pushed: it must be fetched
		r.List()
		pass(time.Minute)
		listed := r.Centre.Listed(nodetest.Top)
		want, err := wire.Holding(listed)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Centre.State(nodetest.NodeID); got.Holding != want {
			t.Errorf("the node says that it holds %s, want %s of %d documents", got.Holding.Short(), want.Short(), len(listed))
		}
		rungs(t, r, "tin-1", "received", "verified", "cached")
	})
}

// Soundings may follow each other at any distance: so near that the relay stays
// closed, so far that it opens, and, which is the trap, just so that it would
// open and could not be closed again in time.
func TestNextSoundingIsOnTimeAtAnyDistance(t *testing.T) {
	for gap := time.Duration(0); gap <= 8*time.Second; gap += 130 * time.Millisecond {
		t.Run(gap.String(), func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				if gap > 4*time.Second { // a relay that must rest for long
					r.Stop()
					r.Board.Hold, r.Board.MinOff = 3*time.Second, 4*time.Second
					r.Player.Hold, r.Player.MinOff = r.Board.Hold, r.Board.MinOff
					r.Boot()
					pass(time.Second)
				}
				const length = 3 * time.Second
				a := r.Announcement("one", broadcast.Priority, 30*time.Second, length)
				b := r.Announcement("two", broadcast.Priority, 30*time.Second+length+gap, length)
				r.Announce(a)
				r.Announce(b)
				pass(2 * time.Minute)
				heard := sounded(t, r, 2)
				if len(heard) != 2 {
					return
				}
				if late := heard[1].First.Sub(b.Timing.Start.Time()); late < 0 || late > 20*time.Millisecond {
					t.Errorf("the second began %v late", late)
				}
				warm := heard[1].First.Sub(heard[1].Powered)
				if warm < nodetest.WarmUp-20*time.Millisecond {
					t.Errorf("the relay closed only %v before", warm)
				}
			})
		})
	}
}

func TestRecordingThatCannotBeDecodedIsTriedTwiceAndNoMore(t *testing.T) {
	spoiled := fmt.Errorf("%w: decoder exceeded its limits", player.ErrContent)
	for name, c := range map[string]struct {
		class broadcast.Class
		spoil func(p *nodetest.Player, tries *int)
		tries int
		want  []string
	}{
		"emergency, before a sound": {broadcast.Emergency, func(p *nodetest.Player, tries *int) {
			p.RefusePrepare(func(player.Sounding) error { *tries++; return spoiled })
		}, 2, []string{"received", "verified", "cached", "failed decoder", "failed decoder 2"}},
		"emergency, in mid-word": {broadcast.Emergency, func(p *nodetest.Player, tries *int) {
			p.FailPlay(func(player.Sounding) error { *tries++; return spoiled })
		}, 2, []string{"received", "verified", "cached", "powered", "playing", "failed decoder", "powered repeat 2", "playing repeat 2", "failed decoder 2"}},
		"emergency, decoders that hang": {broadcast.Emergency, func(p *nodetest.Player, tries *int) {
			p.RefusePrepare(func(player.Sounding) error { *tries++; <-time.After(10 * time.Second); return spoiled })
		}, 2, []string{"received", "verified", "cached", "failed decoder", "failed decoder 2"}},
		"priority": {broadcast.Priority, func(p *nodetest.Player, tries *int) {
			p.RefusePrepare(func(player.Sounding) error { *tries++; return spoiled })
		}, 1, []string{"received", "verified", "cached", "failed decoder"}},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				tries := 0
				c.spoil(r.Player, &tries)
				r.Announce(r.Announcement("flood", c.class, 3*time.Second, 4*time.Second))
				pass(time.Hour)
				if tries != c.tries {
					t.Errorf("tried %d times, want %d", tries, c.tries)
				}
				rungs(t, r, "flood", c.want...)
				r.Player.RefusePrepare(nil)
				r.Player.FailPlay(nil)
				before := len(r.Player.Sounded())
				r.Announce(r.Announcement("clear", broadcast.Emergency, 5*time.Second, 5*time.Second))
				pass(time.Minute)
				sounded(t, r, before+1)
			})
		})
	}
}
