package node_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// abandoned runs a node for some days, with one item of each day and one that
// recurs, and counts the soundings of each. Each is told of a day when it begins.
func abandoned(t *testing.T, limit int64, days int, each func(r *nodetest.Rig, day int)) (perDay []int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Send(wire.Node(nodetest.NodeID, "document"), r.Centre.Authority())
		r.Send(wire.Node(nodetest.NodeID, "assignment"), r.Centre.Assignment(nodetest.NodeID, r.Public(), nodetest.Area))
		r.Send(wire.Area(nodetest.Top, "policy"), r.Centre.Policy(func(p *broadcast.Policy) { p.OfflineDays = limit }))
		r.List()
		pass(2 * time.Second)
		for i := range days {
			r.Announce(r.Announcement(broadcast.ID(fmt.Sprintf("tin-%d", i)), broadcast.Priority, time.Duration(i)*day+3*time.Hour, time.Second))
		}
		every := r.Announcement("every", broadcast.Priority, 5*time.Hour, time.Second)
		every.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
		every.Timing.Until = every.Timing.Start.Add(100 * day)
		r.Announce(every)
		pass(time.Hour)
		began := time.Now()
		for i := range days {
			before := len(r.Player.Sounded())
			each(r, i)
			pass(time.Duration(i+1)*day - time.Since(began))
			perDay = append(perDay, len(r.Player.Sounded())-before)
		}
		r.Fetcher.Refuse(nil)
		r.Wire.Up()
		pass(time.Hour)
		if err := r.Centre.Err(); err != nil {
			t.Errorf("the node said what no controller accepts: %v", err)
		}
		eachEndsOnce(t, r, days+1)
	})
	return perDay
}

// cutOff takes away the line: nothing is fetched, nothing comes, nothing leaves.
func cutOff(r *nodetest.Rig) {
	r.Wire.Down()
	r.Fetcher.Refuse(func(broadcast.Digest) error { return fmt.Errorf("no line") })
}

// soundsFor fails unless both items were heard on each of the first days, and
// nothing after them.
func soundsFor(t *testing.T, days int, perDay []int) {
	t.Helper()
	for i, n := range perDay {
		if want := map[bool]int{true: 2}[i < days]; n != want {
			t.Errorf("on day %d %d soundings were heard, want %d", i+1, n, want)
		}
	}
}

func TestNodeKeepsItsWordForItsOfflineLimitAndThenFallsSilent(t *testing.T) {
	for _, c := range []struct {
		limit      int64
		keeps, run int
	}{{0, broadcast.DefaultOfflineDays, 18}, {broadcast.MaxOfflineDays, broadcast.MaxOfflineDays, 40}, {3, 3, 6}} {
		t.Run(fmt.Sprintf("limit %d", c.limit), func(t *testing.T) {
			soundsFor(t, c.keeps, abandoned(t, c.limit, c.run, func(r *nodetest.Rig, i int) {
				if i == 0 {
					pass(day - 2*time.Hour) // the first night is enough
					cutOff(r)
				}
			}))
		})
	}
}

// Two limits run at once: how long the policy lets a node act on an old list, and
// how long a clock that nothing proved may fill in for an answer. The one that
// ends first has the last word; a node that was not restarted still knows the
// time. The last list is of the first morning, the last answer of its evening.
func TestTheShorterOfOfflineLimitAndUnprovedClockEndsWhatSounds(t *testing.T) {
	for _, c := range []struct {
		restart, keeps int
	}{{0, broadcast.MaxOfflineDays}, {20, 31}, {32, 32}} {
		t.Run(fmt.Sprintf("restarted on day %d", c.restart), func(t *testing.T) {
			soundsFor(t, c.keeps, abandoned(t, broadcast.MaxOfflineDays, 38, func(r *nodetest.Rig, i int) {
				if i == 0 {
					pass(day - 2*time.Hour)
					cutOff(r)
				}
				if i != 0 && i == c.restart {
					reboot(r, 0)
					r.BootAlone()
				}
			}))
		})
	}
}

func TestRestartsOnTheWayLoseNothingThatTheFortnightNeeds(t *testing.T) {
	soundsFor(t, broadcast.DefaultOfflineDays, abandoned(t, 0, 18, func(r *nodetest.Rig, i int) {
		if i == 0 {
			pass(day - 2*time.Hour)
			cutOff(r)
			return
		}
		// Before, between and after the day's two items the power goes, and once
		// the card keeps what it had not promised to keep.
		for k, wait := range []time.Duration{time.Hour, 3 * time.Hour, 4 * time.Hour} {
			pass(wait)
			r.Crash([]uint64{storetest.KeepSynced, uint64(i), 0}[k])
			r.Ticks = nodetest.NewTicks() // a machine that begins to count anew, and an RTC
			r.BootAlone()
		}
	}))
}

// An emergency that is handed over on site, by whatever carrier, is heard by a
// node that nobody reached for weeks; nothing else is, and no emergency that it
// knew before: somebody may have withdrawn it since.
func TestStaleNodeSoundsAnEmergencyThatIsHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		known := r.Announcement("known", broadcast.Emergency, 20*day, time.Second)
		known.Versions[0].Content.SHA256 = r.Centre.PutContent([]byte("what the template says"))
		known.Versions[0].Content.Bytes = int64(len("what the template says"))
		standing(r, "mau-lu", known)
		r.Announce(known)
		pass(time.Hour)
		cutOff(r)
		pass(20*day - 2*time.Hour)
		hand := func(id broadcast.ID, class broadcast.Class, in time.Duration) {
			a := known
			a.ID, a.Class, a.Revision = id, class, r.Centre.Revision(string(id))
			a.Timing = broadcast.Timing{Mode: broadcast.ModeStart, Start: r.Centre.Instant().Add(in)}
			r.Send(wire.Node(nodetest.NodeID, "document"), r.Sealed(a))
		}
		hand("market", broadcast.Priority, time.Minute)
		hand("flood", broadcast.Emergency, time.Minute)
		pass(10 * time.Minute)
		hand("again", broadcast.Emergency, 3*time.Second)
		pass(day)
		sounded(t, r, 2)
		r.Wire.Up()
		pass(time.Minute)
		rungs(t, r, "known", "received", "verified", "cached", "refused stale")
		rungs(t, r, "market", "received", "verified", "cached", "refused stale")
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		rungs(t, r, "again", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		if faults := r.Centre.Faults(nodetest.NodeID); !slices.Contains(faults, "manifest-stale") {
			t.Errorf("faults %q, want manifest-stale", faults)
		}
	})
}
