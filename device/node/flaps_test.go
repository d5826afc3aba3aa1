package node_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// flap cuts the power fifty times at random moments, with whatever the card had
// written by then, and starts the node again, with its line or without.
func flap(r *nodetest.Rig, draw *rand.Rand) {
	for range 50 {
		pass(time.Duration(draw.Int64N(int64(40 * time.Second))))
		r.Crash(draw.Uint64())
		pass(time.Duration(draw.Int64N(int64(5 * time.Second))))
		if draw.IntN(3) == 0 {
			r.BootAlone()
			continue
		}
		r.Boot()
	}
}

// judgeFlaps goes by what the relay and the samples say: an occurrence is never
// heard more often than it may be, no attempt twice, nothing before the relay
// was closed for a whole warm-up, and what was heard has its receipt.
func judgeFlaps(t *testing.T, r *nodetest.Rig, most int) {
	t.Helper()
	journalled := map[string]bool{}
	for _, got := range r.Centre.Receipts(nodetest.NodeID) {
		if got.Rung == broadcast.Playing {
			journalled[fmt.Sprintf("%s-%d-%d", got.Announcement, int64(got.Start), got.Attempt)] = true
		}
	}
	attempts, occurrences := map[string]int{}, map[string]int{}
	for _, one := range r.Player.Sounded() {
		name := one.Sounding.Name
		occurrence := name[:len(name)-2] // attempts have one figure
		attempts[name]++
		occurrences[occurrence]++
		switch {
		case attempts[name] > 1:
			t.Errorf("attempt %s was heard twice", name)
		case occurrences[occurrence] > most:
			t.Errorf("%s was heard %d times", occurrence, occurrences[occurrence])
		case one.Powered.IsZero() || one.First.Sub(one.Powered) < nodetest.WarmUp:
			t.Errorf("%s: relay closed at %v, first sample at %v", name, one.Powered, one.First)
		case !journalled[name]:
			t.Errorf("%s was heard and no receipt says that it played", name)
		}
	}
	if len(journalled) == 0 {
		t.Error("nothing ever began to sound")
	}
	if closed := len(slices.DeleteFunc(r.Player.Played(), func(p nodetest.Played) bool { return p.Powered.IsZero() })); closed > 51+len(journalled) {
		t.Errorf("the relay closed %d times in 51 boots", closed)
	}
}

func TestFiftyPowerFlapsGiveAtMostThreeSoundings(t *testing.T) {
	for _, c := range []struct {
		name   string
		class  broadcast.Class
		length time.Duration
		timing func(*broadcast.Timing)
		most   int
	}{
		{"an emergency of a minute", broadcast.Emergency, time.Minute, func(timing *broadcast.Timing) { timing.Window = 2 * 3600 }, 3},
		{"an emergency of eight seconds", broadcast.Emergency, 8 * time.Second, func(timing *broadcast.Timing) { timing.Window = 2 * 3600 }, 3},
		{"an emergency with repeats", broadcast.Emergency, 45 * time.Second, func(timing *broadcast.Timing) { timing.Window, timing.Repeat = 2*3600, 180 }, 3},
		{"a priority item", broadcast.Priority, time.Minute, func(timing *broadcast.Timing) { timing.LateLimit = 3600 }, 1},
	} {
		for _, seed := range []uint64{1, rand.Uint64()} {
			t.Run(fmt.Sprintf("%s seed %d", c.name, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					draw := rand.New(rand.NewPCG(seed, 50))
					r := nodetest.NewRig(t)
					r.Boot()
					defer func() { r.Stop() }()
					r.Settle()
					pass(2 * time.Second)
					a := r.Announcement("tin", c.class, 20*time.Second, c.length)
					c.timing(&a.Timing)
					r.Announce(a)
					pass(10 * time.Second) // it is on the card
					flap(r, draw)
					r.Wire.Up()
					pass(3 * time.Hour)
					judgeFlaps(t, r, c.most)
					if err := r.Centre.Err(); err != nil {
						t.Errorf("the node said what no controller accepts: %v", err)
					}
				})
			})
		}
	}
}

// late has an announcement published while the node is off, and boots it a span
// after its start. It returns the first sounding, counted from the start.
func late(t *testing.T, after time.Duration, a func(r *nodetest.Rig) broadcast.Announcement) (heard *nodetest.Played, since time.Duration, rungs []string) {
	t.Helper()
	world(t, func(t *testing.T, r *nodetest.Rig) {
		signers := signedBy(r)
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
		pass(time.Second)
		r.Stop()
		item := a(r)
		r.Centre.Sealed(broadcast.KindAnnouncement, item, nodetest.Area, signers...)
		pass(time.Until(item.Timing.Start.Time().Add(after)))
		r.Boot()
		r.List()
		pass(time.Hour)
		if list := r.Player.Sounded(); len(list) > 0 {
			heard, since = &list[0], list[0].First.Sub(item.Timing.Start.Time())
		}
		rungs = r.Centre.Rungs(nodetest.NodeID, item.ID)
	})
	return heard, since, rungs
}

func TestLateNodesJoinAnEmergencyTogetherOnTheGridOrAtItsNextRepeat(t *testing.T) {
	for _, c := range []struct{ after, want time.Duration }{ // of forty seconds, every two minutes
		{3 * time.Second, 10 * time.Second}, {6 * time.Second, 10 * time.Second}, // two neighbours speak together
		{8500 * time.Millisecond, 20 * time.Second}, {41 * time.Second, 50 * time.Second}, {75 * time.Second, 80 * time.Second},
		{79 * time.Second, 120 * time.Second}, // it would run into the repeat
		{110 * time.Second, 120 * time.Second}, {121 * time.Second, 130 * time.Second}, {10 * time.Minute, 610 * time.Second},
	} {
		t.Run(c.after.String(), func(t *testing.T) {
			heard, since, rungs := late(t, c.after, func(r *nodetest.Rig) broadcast.Announcement {
				a := r.Announcement("flood", broadcast.Emergency, time.Minute, 40*time.Second)
				a.Areas, a.Timing.Repeat = []broadcast.ID{nodetest.Area}, 120
				return a
			})
			if heard == nil || since != c.want || heard.Sounding.Offset != 0 || heard.Evidence.Skipped != 0 {
				t.Errorf("it joined %v after the start, want %v from its beginning; %q", since, c.want, rungs)
			}
		})
	}
}

func TestLateNodesJoinOtherItemsWhereTheNeighboursAreWithinTheLateLimit(t *testing.T) {
	for _, c := range []struct {
		class broadcast.Class
		limit int64
		after time.Duration
		joins bool
	}{
		{broadcast.Normal, 0, 20 * time.Second, true}, {broadcast.Normal, 0, 55 * time.Second, true}, {broadcast.Normal, 0, 61 * time.Second, false},
		{broadcast.Normal, 180, 170 * time.Second, true}, {broadcast.Normal, 180, 181 * time.Second, false},
		{broadcast.Priority, 0, 290 * time.Second, true}, {broadcast.Priority, 0, 301 * time.Second, false},
	} {
		t.Run(fmt.Sprintf("%s, limit %d s, %v late", c.class, c.limit, c.after), func(t *testing.T) {
			heard, since, rungs := late(t, c.after, func(r *nodetest.Rig) broadcast.Announcement {
				a := r.Announcement("tin", c.class, time.Minute, 10*time.Minute)
				a.Areas, a.Timing.LateLimit = []broadcast.ID{nodetest.Area}, c.limit
				return a
			})
			if !c.joins {
				if heard != nil || !slices.Contains(rungs, "skipped late") {
					t.Errorf("past its limit: heard %+v, %q", heard, rungs)
				}
				return
			}
			if heard == nil || since-heard.Sounding.Offset != 0 || since < c.after || since > c.after+4*time.Second {
				t.Fatalf("joined %v after the start: %+v, %q", since, heard, rungs)
			}
			if length := heard.Evidence.Last.Sub(heard.First); (length + heard.Sounding.Offset - 10*time.Minute).Abs() > 10*time.Millisecond {
				t.Errorf("it sounded for %v from %v on, not to the end of its neighbours", length, heard.Sounding.Offset)
			}
		})
	}
}
