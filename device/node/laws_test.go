package node_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

func TestReplayedAnnouncementSoundsOnce(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 4*time.Second)
		raw := r.Announce(a)
		manifest := r.Centre.Manifest(nodetest.Top)
		for range 60 {
			pass(time.Second)
			r.Send(wire.Area(nodetest.Top, "announcement"), raw)
			r.Send(wire.Node(nodetest.NodeID, "document"), raw)
			r.Send(wire.Area(nodetest.Top, "manifest"), manifest)
		}
		r.Stop()
		r.Boot()
		for range 60 {
			pass(time.Second)
			r.Send(wire.Area(nodetest.Top, "announcement"), raw)
		}
		sounded(t, r, 1)
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestEmergencyCutsWhatSoundsWithinASecond(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("market", broadcast.Priority, 5*time.Second, 10*time.Minute))
		pass(30 * time.Second)
		a := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 5*time.Second)
		r.Announce(a)
		pass(6 * time.Second)
		heard := sounded(t, r, 2)
		start := a.Timing.Start.Time()
		if late := heard[1].First.Sub(start); late < 0 || late > time.Second {
			t.Errorf("the emergency began %v after its start", late)
		}
		if over := heard[0].Evidence.Last; over.After(start.Add(time.Second)) || start.Sub(over) > time.Second {
			t.Errorf("the priority item ended at %v, the emergency starts at %v", over, start)
		}
		pass(20 * time.Minute)
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		got := r.Centre.Rungs(nodetest.NodeID, "market")
		if !slices.Contains(got, "interrupted pre-empted") {
			t.Errorf("receipts of the item that gave way: %q", got)
		}
		// It still fitted before its deadline of five minutes, so it began anew.
		if last := got[len(got)-1]; last != "ended pre-empted 2" {
			t.Errorf("it ended as %q, want a second attempt that names its reason", last)
		}
	})
}

func TestWithdrawalStopsInMidWord(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 3*time.Second, time.Minute)
		r.Announce(a)
		pass(10 * time.Second)
		at := time.Now()
		r.Withdraw(a)
		pass(time.Second)
		heard := sounded(t, r, 1)[0]
		if !heard.Over || heard.Evidence.Last.Sub(at) > 500*time.Millisecond {
			t.Errorf("it sounded until %v, withdrawn at %v", heard.Evidence.Last, at)
		}
		pass(time.Hour)
		sounded(t, r, 1)
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "withdrawn withdrawn")
	})
}

func TestRelayIsLetGoWhenWhatItWaitedForIsWithdrawn(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("one", broadcast.Emergency, 10*time.Second, 2*time.Second))
		b := r.Announcement("two", broadcast.Emergency, 15800*time.Millisecond, 2*time.Second)
		r.Announce(b)
		pass(14 * time.Second)
		if opens := r.Player.Opens(); time.Until(opens) < time.Hour {
			t.Fatalf("the relay opens at %v, before the second", opens)
		}
		r.Withdraw(b)
		pass(10 * time.Second)
		sounded(t, r, 1)
		if opens := r.Player.Opens(); time.Now().Before(opens) {
			t.Errorf("the relay stays closed until %v", opens)
		}
	})
}

func TestEmergencyIsOnTimeThoughWhatItWouldCutAtOnceIsNotBegun(t *testing.T) {
	for _, gap := range []time.Duration{280 * time.Millisecond, 1400 * time.Millisecond, 2 * time.Second} {
		world(t, func(t *testing.T, r *nodetest.Rig) {
			r.Announce(r.Announcement("market", broadcast.Priority, time.Minute, 10*time.Second))
			flood := r.Announcement("flood", broadcast.Emergency, time.Minute+gap, 5*time.Second)
			r.Announce(flood)
			pass(time.Hour)
			if late := sounded(t, r, 2)[0].First.Sub(flood.Timing.Start.Time()); late.Abs() > 20*time.Millisecond {
				t.Errorf("%v after what it cuts, it began %v off", gap, late)
			}
		})
	}
}

// What is planned to share a closing with an emergency whose recording is still
// to come closes no relay: the emergency will.
func TestRelayStaysOpenUntilWhatIsToSoundFirst(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("before", broadcast.Priority, 10*time.Second, 2*time.Second))
		r.Announce(r.Announcement("after", broadcast.Priority, time.Hour, 2*time.Second))
		pass(time.Hour - 15*time.Second)
		moved := len(r.Player.Edges())
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("no line") })
		r.Announce(r.Announcement("flood", broadcast.Emergency, 7*time.Second, 5*time.Second))
		pass(5 * time.Second)
		if edges := r.Player.Edges(); len(edges) != moved {
			t.Errorf("the relay moved: %v", edges[moved:])
		}
	})
}

// What is planned to share the closing of an item whose recording is still to
// come keeps no relay closed from the sounding before that.
func TestRelayOpensAfterItsSoundWhateverSharesALaterOne(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		after := r.Announcement("after", broadcast.Priority, 62*time.Second, 2*time.Second)
		r.Announce(after)
		r.Announce(r.Announcement("before", broadcast.Priority, 10*time.Second, 2*time.Second))
		pass(5 * time.Second)
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("no line") })
		r.Announce(r.Announcement("missing", broadcast.Priority, 50*time.Second, 5*time.Second))
		pass(25 * time.Second)
		if edges := r.Player.Edges(); len(edges) != 2 || edges[1].Closed {
			t.Errorf("18 s after its sound the relay moved: %v", edges)
		}
	})
}

func TestWithdrawnBeforeItsStartStaysSilent(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, time.Minute, time.Minute)
		r.Announce(a)
		pass(10 * time.Second)
		r.Withdraw(a)
		pass(time.Hour)
		sounded(t, r, 0)
		rungs(t, r, "flood", "received", "verified", "cached", "withdrawn withdrawn")
	})
}

func TestWithdrawalThatComesFirstHolds(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 10*time.Second, time.Minute)
		raw := r.Sealed(a)
		r.Withdraw(a)
		pass(time.Second)
		r.Send(wire.Area(nodetest.Top, "announcement"), raw)
		pass(time.Minute)
		sounded(t, r, 0)
	})
}

func TestNothingSoundsWithoutAPolicyButEmergenciesOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer r.Stop()
		r.Send(wire.Node(nodetest.NodeID, "document"), r.Centre.Authority())
		r.Send(wire.Node(nodetest.NodeID, "assignment"), r.Centre.Assignment(nodetest.NodeID, r.Public(), nodetest.Area))
		pass(2 * time.Second)
		r.Announce(r.Announcement("market", broadcast.Priority, 5*time.Second, time.Second))
		one := r.Announcement("alone", broadcast.Emergency, 20*time.Second, time.Second)
		one.Reason = "nobody else is awake"
		r.Send(wire.Area(nodetest.Top, "announcement"), r.Centre.Sealed(broadcast.KindAnnouncement, one, nodetest.Top, r.Centre.Approver))
		r.Announce(r.Announcement("flood", broadcast.Emergency, 40*time.Second, time.Second))
		pass(time.Hour)
		if heard := sounded(t, r, 1); len(heard) == 1 && !strings.HasPrefix(heard[0].Sounding.Name, "flood") {
			t.Errorf("%s sounded", heard[0].Sounding.Name)
		}
		rungs(t, r, "market", "received", "verified", "cached", "refused no-policy")
		rungs(t, r, "alone", "received", "verified", "cached", "refused threshold")
	})
}

func TestDelistedItemStaysSilentAndAnEmergencyDoesNot(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("market", broadcast.Priority, time.Minute, time.Second))
		r.Announce(r.Announcement("flood", broadcast.Emergency, 2*time.Minute, time.Second))
		pass(10 * time.Second)
		r.Centre.Delist(nodetest.Top, broadcast.KindAnnouncement, "market")
		r.Centre.Delist(nodetest.Top, broadcast.KindAnnouncement, "flood")
		r.List()
		pass(time.Hour)
		sounded(t, r, 1)
		rungs(t, r, "market", "received", "verified", "cached", "withdrawn delisted")
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestRecurrenceSoundsEveryDayAndOnlyThen(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("morning", broadcast.Priority, time.Hour, 3*time.Second)
		a.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
		a.Timing.Until = a.Timing.Start.Add(5 * 24 * time.Hour)
		r.Announce(a)
		for day := range 8 {
			pass(24 * time.Hour)
			r.List() // the controller refreshes its lists
			if day == 2 {
				r.Stop()
				r.Boot()
			}
		}
		heard := sounded(t, r, 6)
		for i, one := range heard {
			want := a.Timing.Start.Add(time.Duration(i) * 24 * time.Hour).Time()
			if !one.First.Equal(want) {
				t.Errorf("sounding %d at %v, want %v", i+1, one.First, want)
			}
		}
		if got := r.Centre.Rungs(nodetest.NodeID, "morning"); len(got) != 3+6*4 {
			t.Errorf("%d receipts: %q", len(got), got)
		}
	})
}

func TestOfflineNodeKeepsItsWordAndTellsLater(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		for i := range 5 {
			r.Announce(r.Announcement(broadcast.ID(fmt.Sprintf("tin-%d", i)), broadcast.Priority, time.Duration(i+1)*24*time.Hour, time.Second))
		}
		pass(time.Minute)
		r.Wire.Down()
		pass(3*24*time.Hour + time.Hour)
		sounded(t, r, 3)
		r.Wire.Up()
		pass(time.Minute)
		for i := range 3 {
			rungs(t, r, broadcast.ID(fmt.Sprintf("tin-%d", i)), "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		}
		rungs(t, r, "tin-4", "received", "verified", "cached")
	})
}

func TestStaleNodeFallsSilentAndSaysSo(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("far", broadcast.Priority, 20*24*time.Hour, time.Second))
		pass(time.Minute)
		r.Wire.Down()
		pass(21 * 24 * time.Hour)
		sounded(t, r, 0)
		r.Wire.Up()
		pass(time.Minute)
		rungs(t, r, "far", "received", "verified", "cached", "refused stale")
		if faults := r.Centre.Faults(nodetest.NodeID); !slices.Contains(faults, broadcast.FaultStale) {
			t.Errorf("faults %q, want manifest-stale", faults)
		}
	})
}

func TestSilenceBarsPriorityAndStopsIt(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("market", broadcast.Priority, 5*time.Second, time.Minute))
		pass(10 * time.Second)
		now := r.Centre.Instant()
		s := broadcast.Silence{ID: "s-1", Revision: r.Centre.Revision("s-1"), Areas: []broadcast.ID{nodetest.Top},
			Classes: []broadcast.Class{broadcast.Priority}, Until: now.Add(time.Hour)}
		r.Send(wire.Area(nodetest.Top, "silence"), r.Centre.Sealed(broadcast.KindSilence, s, nodetest.Top, r.Centre.Approver))
		pass(time.Second)
		r.Announce(r.Announcement("second", broadcast.Priority, 5*time.Second, time.Second))
		r.Announce(r.Announcement("flood", broadcast.Emergency, 10*time.Second, time.Second))
		pass(time.Minute)
		rungs(t, r, "market", "received", "verified", "cached", "powered", "playing", "interrupted silence")
		rungs(t, r, "second", "received", "verified", "cached", "refused silence")
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestNewerRevisionTakesThePlaceOfAnEmergencyWithoutAGap(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 3*time.Second, time.Minute)
		r.Announce(a)
		pass(20 * time.Second)
		b := r.Announcement("flood", broadcast.Emergency, 10*time.Second, 5*time.Second)
		r.Announce(b)
		pass(5 * time.Second)
		if r.Player.Played()[0].Over {
			t.Error("the old revision stopped before the new one began")
		}
		pass(time.Minute)
		heard := sounded(t, r, 2)
		if gap := heard[1].First.Sub(heard[0].Evidence.Last); gap < 0 || gap > time.Second {
			t.Errorf("a gap of %v between the revisions", gap)
		}
	})
}

// A recording that did not come for one emergency is asked for again at once
// when another needs it.
func TestAnEmergencyDoesNotWaitForWhatAnotherFailedToFetch(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("the controller is gone") })
		a := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 4*time.Second)
		r.Announce(a)
		pass(20 * time.Second)
		r.Withdraw(a, r.Centre.Editor, r.Centre.Approver)
		r.List()
		r.Fetcher.Refuse(nil)
		b := r.Announcement("dam", broadcast.Emergency, 3*time.Second, 4*time.Second)
		b.Versions = a.Versions
		r.Announce(b)
		pass(20 * time.Second)
		if late := sounded(t, r, 1)[0].First.Sub(b.Timing.Start.Time()); late.Abs() > 20*time.Millisecond {
			t.Errorf("it began %v off", late)
		}
	})
}

func TestMissingRecordingJoinsOnTheGridWhenItComes(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("the line is down") })
		a := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 4*time.Second)
		r.Announce(a)
		pass(40 * time.Second)
		sounded(t, r, 0)
		r.Fetcher.Refuse(nil)
		r.Wire.Down()
		r.Wire.Up()
		pass(40 * time.Second)
		heard := sounded(t, r, 1)[0]
		if since := heard.First.Sub(a.Timing.Start.Time()); since%(10*time.Second) != 0 || since < 30*time.Second {
			t.Errorf("it began %v after the start, want a multiple of 10 s", since)
		}
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestEmergencyThatMissedItsStartByLittleIsCaughtUpWith(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("the line is down") })
		a := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 6*time.Second)
		r.Announce(a)
		pass(2 * time.Second)
		r.Fetcher.Refuse(nil)
		r.Wire.Down()
		r.Wire.Up()
		pass(20 * time.Second)
		heard := sounded(t, r, 1)[0]
		late := heard.First.Sub(a.Timing.Start.Time())
		if !heard.Sounding.Start.Equal(a.Timing.Start.Time()) || heard.Sounding.Whole || late <= 0 || late > 1500*time.Millisecond {
			t.Errorf("it began %v late with its first sample at %v; want it where the neighbours are", late, heard.Sounding.Start)
		}
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestEmergencyThatTakesThePlaceOfAWithdrawnOneIsHeardToItsEnd(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		first := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 20*time.Second)
		r.Announce(first)
		pass(6 * time.Second)
		second := r.Announcement("clear", broadcast.Emergency, 3*time.Second, 6*time.Second)
		r.Announce(second)
		pass(3*time.Second + 200*time.Millisecond)
		r.Withdraw(first)
		pass(20 * time.Second)
		heard := sounded(t, r, 2)[1]
		if short := heard.Evidence.Expected - heard.Evidence.Samples; short > 0 {
			t.Errorf("%d samples of its end were cut off", short)
		}
		rungs(t, r, "clear", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestRecordingThatNeverComesIsAFailureAndNothingElse(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("the line is down") })
		r.Announce(r.Announcement("flood", broadcast.Emergency, 3*time.Second, 4*time.Second))
		r.Announce(r.Announcement("market", broadcast.Priority, 3*time.Second, 4*time.Second))
		pass(2 * time.Hour)
		sounded(t, r, 0)
		rungs(t, r, "flood", "received", "verified", "failed content")
		rungs(t, r, "market", "received", "verified", "failed content")
	})
}

func TestFullCardRefusesAllButEmergencies(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("market", broadcast.Priority, time.Minute, 4*time.Second))
		r.Announce(r.Announcement("flood", broadcast.Emergency, 2*time.Minute, 4*time.Second))
		pass(30 * time.Second)
		r.Disk.Fail(func(op storetest.Op) error {
			if strings.HasPrefix(op.Path, "journal") && op.Kind != storetest.Read {
				return syscall.ENOSPC
			}
			return nil
		})
		pass(5 * time.Minute)
		heard := sounded(t, r, 1)
		if len(heard) == 1 && !strings.HasPrefix(heard[0].Sounding.Name, "flood") {
			t.Errorf("%s sounded without its journal", heard[0].Sounding.Name)
		}
		if faults := r.Centre.Faults(nodetest.NodeID); !slices.Contains(faults, broadcast.FaultStoreFull) {
			t.Errorf("faults %q, want %s", faults, broadcast.FaultStoreFull)
		}
		r.Disk.Fail(nil)
		pass(2 * time.Hour)
		rungs(t, r, "market", "received", "verified", "cached", "powered", "failed journal")
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing unjournalled", "sounded unjournalled", "ended unjournalled")
	})
}

func TestEmergencyIsBelievedThoughTheCardTakesNoDocuments(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Disk.Fail(func(op storetest.Op) error {
			if !strings.HasPrefix(op.Path, "contents") && op.Kind != storetest.Read {
				return syscall.ENOSPC
			}
			return nil
		})
		r.Announce(r.Announcement("market", broadcast.Priority, time.Minute, 4*time.Second))
		r.Announce(r.Announcement("flood", broadcast.Emergency, 3*time.Second, 4*time.Second))
		pass(2 * time.Minute)
		sounded(t, r, 1)
		if faults := r.Centre.Faults(nodetest.NodeID); !slices.Contains(faults, broadcast.FaultStoreFull) {
			t.Errorf("faults %q, want %s", faults, broadcast.FaultStoreFull)
		}
		r.Disk.Fail(nil)
		pass(2 * time.Hour)
		got := r.Centre.Rungs(nodetest.NodeID, "flood")
		if len(got) != 7 || got[6] != "ended unjournalled" {
			t.Errorf("receipts of the emergency %q", got)
		}
		// What found no room came again from the list, too late.
		rungs(t, r, "market", "received", "verified", "cached", "skipped late")
	})
}

func TestDocumentsReachTheirShelfAndSurviveTheJournal(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("market", broadcast.Priority, 3*time.Hour, time.Second)
		r.Announce(a)
		pass(time.Second)
		shelved := func() bool {
			return slices.ContainsFunc(r.Disk.Files(), func(f string) bool { return strings.Contains(f, "doc,announcement,market") })
		}
		if shelved() {
			t.Error("the document went to the shelf at once: two more writings in the hurry of an arrival")
		}
		r.Crash(storetest.KeepSynced)
		r.BootAlone() // nobody gives it the document again
		pass(time.Minute)
		if !shelved() {
			t.Error("a minute later the document is not on its shelf")
		}
		r.Stop()
		r.BootAlone()
		pass(4 * time.Hour)
		sounded(t, r, 1)
	})
}

func TestRevokedOfficerIsSilencedAtOnce(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("market", broadcast.Priority, time.Minute, time.Second))
		pass(10 * time.Second)
		revoked := broadcast.Revocation{KID: r.Centre.Editor.KID, Mode: broadcast.Compromised, At: r.Centre.House.From}
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority(revoked))
		pass(time.Hour)
		sounded(t, r, 0)
		rungs(t, r, "market", "received", "verified", "cached", "refused unauthenticated")
		// A later bundle cannot take the revocation back, and neither can a boot.
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
		pass(time.Second)
		r.Stop()
		r.Boot()
		r.Announce(r.Announcement("again", broadcast.Emergency, time.Minute, time.Second))
		pass(time.Hour)
		sounded(t, r, 0)
	})
}

func TestTemplateOfTwoLetsOneOfficerSpeak(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 10*time.Second, time.Second)
		standing := broadcast.Template{ID: "t-1", Revision: r.Centre.Revision("t-1"), Class: a.Class, Title: "Lũ", Areas: a.Areas,
			Versions: a.Versions, Expires: r.Centre.Instant().Add(24 * time.Hour)}
		r.Centre.Sealed(broadcast.KindTemplate, standing, nodetest.Top, r.Centre.Editor, r.Centre.Approver)
		a.Template = &broadcast.TemplateRef{ID: standing.ID, Revision: standing.Revision}
		a.Revision = r.Centre.Revision("announcement flood")
		r.Send(wire.Area(nodetest.Top, "announcement"), r.Centre.Sealed(broadcast.KindAnnouncement, a, nodetest.Top, r.Centre.Approver))
		r.List() // the node learns of the template from the list, after what activates it
		pass(time.Minute)
		sounded(t, r, 1)
	})
}

func TestItemOfManyPartsSoundsAsOne(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 5*time.Second, 2*time.Second)
		order := broadcast.RunningOrder{Station: "Đài xã", Segments: []broadcast.Segment{
			{Title: "one", Content: a.Versions[0].Content}, {Title: "two", Content: a.Versions[0].Content, Hard: 5000}}}
		raw, err := broadcast.Encode(order)
		if err != nil {
			t.Fatal(err)
		}
		sum := r.Centre.Put(raw)
		a.Versions[0] = broadcast.Version{Language: "vi", Programme: &broadcast.Programme{SHA256: sum, Millis: 7000, Bytes: 100}}
		r.Announce(a)
		pass(time.Minute)
		heard := sounded(t, r, 1)[0]
		if !strings.HasPrefix(heard.Sounding.Content.Path, "splice:") || strings.Count(heard.Sounding.Content.Path, `"Path"`) != 2 {
			t.Errorf("it was to play %q", heard.Sounding.Content.Path)
		}
	})
}

func TestAssignmentMovesOnlyWithTheRightToBothPlaces(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		stranger := r.Centre.House.Officer("xa-khac", broadcast.Commune, "viet-quang")
		local := r.Centre.House.Officer("xa-nha", broadcast.Commune, nodetest.Area)
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
		away := broadcast.Assignment{Node: nodetest.NodeID, Revision: r.Centre.Revision("assignment tan-lap-1"),
			Chain:     []broadcast.Place{{Area: nodetest.Top, Level: broadcast.District}, {Area: "viet-quang", Level: broadcast.Commune}},
			Languages: []broadcast.Language{"vi"}, Controllers: []broadcast.Controller{{HTTP: "http://c", MQTT: "mqtt://c"}}, Key: r.Public()}
		out := away
		out.Chain = []broadcast.Place{{Area: "elsewhere", Level: broadcast.District}, {Area: "viet-quang", Level: broadcast.Commune}}
		for name, raw := range map[string][]byte{
			"a stranger's":  r.Centre.Sealed(broadcast.KindAssignment, away, "", stranger),
			"the own one's": r.Centre.Sealed(broadcast.KindAssignment, away, "", local),
			"out of the top": r.Centre.Sealed(broadcast.KindAssignment, out, "", r.Centre.House.Officer("rong", broadcast.District,
				nodetest.Top, "elsewhere")),
		} {
			r.Send(wire.Node(nodetest.NodeID, "assignment"), raw)
			pass(time.Second)
			if !slices.Contains(r.Wire.Topics(), wire.Area(nodetest.Area, "+")) {
				t.Errorf("%s assignment moved the node", name)
			}
		}
		r.Send(wire.Node(nodetest.NodeID, "assignment"), r.Centre.Sealed(broadcast.KindAssignment, away, "", r.Centre.Approver))
		pass(time.Second)
		if topics := r.Wire.Topics(); !slices.Contains(topics, wire.Area("viet-quang", "+")) || slices.Contains(topics, wire.Area(nodetest.Area, "+")) {
			t.Errorf("the district's assignment did not move the node: %q", topics)
		}
	})
}

// signedBy are the officers that speak for the commune alone.
func signedBy(r *nodetest.Rig) []seal.Signer {
	return []seal.Signer{r.Centre.House.Officer("xa-1", broadcast.Commune, nodetest.Area), r.Centre.House.Officer("xa-2", broadcast.Commune, nodetest.Area)}
}

func TestCommuneSpeaksAtHomeAndTheDistrictOnlyOffers(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		signers := signedBy(r)
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
		own := r.Announcement("own", broadcast.Normal, 10*time.Second, time.Second)
		own.Areas = []broadcast.ID{nodetest.Area}
		r.Send(wire.Area(nodetest.Area, "announcement"), r.Centre.Sealed(broadcast.KindAnnouncement, own, nodetest.Area, signers...))
		r.Announce(r.Announcement("offer", broadcast.Normal, 30*time.Second, time.Second))
		pass(time.Hour)
		sounded(t, r, 1)
		rungs(t, r, "own", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		rungs(t, r, "offer", "received", "verified", "cached", "skipped offer")
	})
}
