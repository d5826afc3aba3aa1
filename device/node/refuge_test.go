package node_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// refuse has the card refuse everything that would change a folder.
func refuse(r *nodetest.Rig, why error, folders ...string) {
	r.Disk.Fail(func(op storetest.Op) error {
		changes := op.Kind != storetest.Read && op.Kind != storetest.Remove
		if changes && slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(op.Path, f) }) {
			return why
		}
		return nil
	})
}

// An emergency whose recording is not on board, and which the card does not take,
// is held in memory and sounds on time.
func TestEmergencySoundsFromMemoryWhenTheCardTakesNoRecording(t *testing.T) {
	for _, c := range []struct {
		why     error
		folders []string
		code    broadcast.FaultCode
		ends    string
	}{
		{syscall.ENOSPC, []string{"contents"}, broadcast.FaultStoreFull, "ended"},
		{syscall.EROFS, []string{"contents"}, broadcast.FaultStoreReadOnly, "ended"},
		{syscall.EIO, []string{"contents"}, broadcast.FaultStoreFailing, "ended"},
		{syscall.ENOSPC, []string{""}, broadcast.FaultStoreFull, "ended unjournalled"},
		{syscall.EROFS, []string{""}, broadcast.FaultStoreReadOnly, "ended unjournalled"},
		{syscall.EIO, []string{""}, broadcast.FaultStoreFailing, "ended unjournalled"},
	} {
		t.Run(fmt.Sprintf("%v in %q", c.why, c.folders), func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				refuse(r, c.why, c.folders...)
				flood := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 4*time.Second)
				r.Announce(flood)
				pass(20 * time.Second)
				heard := sounded(t, r, 1)[0]
				if late := heard.First.Sub(flood.Timing.Start.Time()); late > 12*time.Second || !strings.HasPrefix(heard.Sounding.Content.Path, nodetest.InMemory) {
					t.Errorf("it began %v late from %s", late, heard.Sounding.Content.Path)
				}
				pass(time.Minute)
				if shown := r.Centre.Faults(nodetest.NodeID); !slices.Contains(shown, c.code) {
					t.Errorf("shown is %q, want %s", shown, c.code)
				}
				r.Disk.Fail(nil)
				pass(10 * time.Minute)
				if shown := r.Centre.Faults(nodetest.NodeID); len(shown) > 0 {
					t.Errorf("still shown: %q", shown)
				}
				rungs := r.Centre.Rungs(nodetest.NodeID, "flood")
				if rungs[len(rungs)-1] != c.ends {
					t.Errorf("receipts %q, want the last to be %q", rungs, c.ends)
				}
				if left := r.Memory.Files(); len(left) > 0 {
					t.Errorf("memory is not given back: %q", left)
				}
			})
		})
	}
}

// What is held in memory goes to the card as soon as that takes it, so that a
// repeat sounds after a power cut without the line.
func TestWhatIsHeldInMemoryGoesToTheCardWhenThereIsRoom(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		refuse(r, syscall.ENOSPC, "contents")
		flood := r.Announcement("flood", broadcast.Emergency, 3*time.Second, 4*time.Second)
		flood.Timing.Repeat, flood.Timing.Window = 3600, 7200
		r.Announce(flood)
		pass(time.Minute)
		sounded(t, r, 1)
		r.Disk.Fail(nil)
		pass(5 * time.Minute)
		r.Stop()
		r.Fetcher.Refuse(func(broadcast.Digest) error { return syscall.ENETUNREACH })
		r.Boot()
		pass(time.Hour)
		if heard := sounded(t, r, 2)[1]; strings.HasPrefix(heard.Sounding.Content.Path, nodetest.InMemory) {
			t.Error("the repeat sounded from memory")
		}
	})
}

// Before memory is used, what matters less makes room on a card that others
// filled, and nothing that matters as much.
func TestWhatMattersLeastMakesRoomOnAFullCard(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		soon := large(r, "soon", broadcast.Normal, 2*time.Hour)
		later := large(r, "later", broadcast.Normal, 20*time.Hour)
		other := large(r, "other", broadcast.Emergency, 30*time.Minute)
		for _, a := range []broadcast.Announcement{soon, later, other} {
			r.Announce(a)
		}
		pass(2 * time.Minute)
		if got := onBoard(t, r, soon, later, other); len(got) != 3 {
			t.Fatalf("on board: %q", got)
		}
		r.Disk.Limit(used(t, r) + 64<<10)
		flood := large(r, "flood", broadcast.Emergency, 3*time.Second)
		flood.Versions[0].Content.Millis = 4000
		r.Announce(flood)
		pass(30 * time.Second)
		if heard := sounded(t, r, 1)[0]; strings.HasPrefix(heard.Sounding.Content.Path, nodetest.InMemory) {
			t.Error("it sounded from memory although the card had room to give")
		}
		if got := onBoard(t, r, soon, later, other); !slices.Equal(got, []broadcast.ID{"soon", "other"}) {
			t.Errorf("on board: %q, want all but what sounds last", got)
		}
	})
}

// used is how much lies on the card.
func used(t *testing.T, r *nodetest.Rig) (total int64) {
	t.Helper()
	for _, path := range r.Disk.Files() {
		e, err := r.Disk.FS().Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		total += e.Size
	}
	return total
}

// silent has the card give no recording.
func silent(r *nodetest.Rig) {
	r.Disk.Fail(func(op storetest.Op) error {
		if op.Kind == storetest.Read && strings.HasPrefix(op.Path, "contents") {
			return syscall.EIO
		}
		return nil
	})
}

// A card that does not give a recording for a while costs no recording, no
// attempt and no fetching when there is no line.
func TestARecordingThatTheCardDoesNotGiveForAWhileIsNotLost(t *testing.T) {
	for _, class := range []broadcast.Class{broadcast.Priority, broadcast.Emergency} {
		t.Run(string(class), func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				r.Announce(r.Announcement("flood", class, 2*time.Minute, 4*time.Second))
				pass(time.Minute)
				r.Wire.Down()
				r.Fetcher.Refuse(func(broadcast.Digest) error { return syscall.ENETUNREACH })
				silent(r)
				pass(80 * time.Second)
				sounded(t, r, 0)
				r.Disk.Fail(nil)
				pass(time.Minute)
				sounded(t, r, 1)
				r.Wire.Up()
				pass(5 * time.Minute)
				rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
				if shown := r.Centre.Faults(nodetest.NodeID); len(shown) > 0 {
					t.Errorf("still shown: %q", shown)
				}
			})
		})
	}
}

// A sector that is gone for good is found out by another copy: that sounds, and
// takes the place of the first when the card takes it.
func TestARecordingThatTheCardNeverGivesIsReplacedByAnotherCopy(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		flood := r.Announcement("flood", broadcast.Emergency, 2*time.Minute, 4*time.Second)
		flood.Timing.Repeat, flood.Timing.Window = 3600, 7200
		r.Announce(flood)
		pass(time.Minute)
		rewritten := false
		r.Disk.Fail(func(op storetest.Op) error {
			rewritten = rewritten || op.Kind == storetest.Remove && strings.HasPrefix(op.Path, "contents")
			if op.Kind == storetest.Read && strings.HasPrefix(op.Path, "contents") && !rewritten {
				return syscall.EIO
			}
			return nil
		})
		pass(70 * time.Second)
		if heard := sounded(t, r, 1)[0]; !strings.HasPrefix(heard.Sounding.Content.Path, nodetest.InMemory) {
			t.Error("it sounded from a card that gives nothing")
		}
		pass(time.Hour)
		if heard := sounded(t, r, 2)[1]; strings.HasPrefix(heard.Sounding.Content.Path, nodetest.InMemory) {
			t.Error("the repeat sounded from memory")
		}
	})
}

// In mid-word the listener has heard a part, so that is a sounding of its own,
// with its reason; it does not count against the recording, and never more than
// three soundings come of it.
func TestAReadErrorInMidWordIsNotHeldAgainstTheRecording(t *testing.T) {
	unread := fmt.Errorf("%w: %w", player.ErrContent, syscall.EIO)
	for name, c := range map[string]struct {
		class broadcast.Class
		fails int // soundings
		want  []string
	}{
		"emergency, twice": {broadcast.Emergency, 2, []string{"failed card", "powered repeat 2", "playing repeat 2", "failed card 2",
			"powered repeat 3", "playing repeat 3", "sounded repeat 3", "ended repeat 3"}},
		"emergency, always": {broadcast.Emergency, 100, []string{"failed card", "powered repeat 2", "playing repeat 2", "failed card 2",
			"powered repeat 3", "playing repeat 3", "failed card 3"}},
		"priority": {broadcast.Priority, 1, []string{"failed card"}},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				tries := 0
				r.Player.FailPlay(func(player.Sounding) error {
					if tries++; tries <= c.fails {
						return unread
					}
					return nil
				})
				r.Announce(r.Announcement("flood", c.class, 3*time.Second, 4*time.Second))
				pass(5 * time.Second)
				pass(30 * time.Second)
				if shown := r.Centre.Faults(nodetest.NodeID); !slices.Contains(shown, broadcast.FaultStoreFailing) || slices.Contains(shown, broadcast.FaultDecoder) {
					t.Errorf("shown is %q, want %s", shown, broadcast.FaultStoreFailing)
				}
				pass(time.Hour)
				rungs(t, r, "flood", append([]string{"received", "verified", "cached", "powered", "playing"}, c.want...)...)
			})
		})
	}
}
