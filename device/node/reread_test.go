package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/power"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// nightly is a node with a recording due the next noon, which the card spoiled
// during the day, and the moments at which it was read.
func nightly(t *testing.T, test func(r *nodetest.Rig, a broadcast.Announcement, read *[]time.Time)) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := large(r, "noon", broadcast.Normal, 29*time.Hour) // from 07:00
		r.Announce(a)
		pass(2 * time.Hour)
		i := slices.IndexFunc(r.Disk.Files(), func(f string) bool { return strings.HasPrefix(f, "contents/") })
		if i < 0 || len(onBoard(t, r, a)) != 1 {
			t.Fatalf("it is not on board: %q", r.Disk.Files())
		}
		if err := r.Disk.Rot(r.Disk.Files()[i], 100); err != nil {
			t.Fatal(err)
		}
		var read []time.Time
		r.Disk.Fail(func(op storetest.Op) error {
			if op.Kind == storetest.Read && op.Path == "contents/"+string(a.Versions[0].Content.SHA256) {
				read = append(read, time.Now())
			}
			return nil
		})
		test(r, a, &read)
	})
}

// fetchedTwice says whether a recording was asked for once more.
func fetchedTwice(r *nodetest.Rig, a broadcast.Announcement) bool {
	n := 0
	for _, sum := range r.Fetcher.Asked() {
		if sum == a.Versions[0].Content.SHA256 {
			n++
		}
	}
	return n == 2
}

func TestWhatTheCardSpoiledIsFoundAtNightAndFetchedAgain(t *testing.T) {
	nightly(t, func(r *nodetest.Rig, a broadcast.Announcement, read *[]time.Time) {
		pass(20 * time.Hour) // 05:00
		if !fetchedTwice(r, a) || len(onBoard(t, r, a)) != 1 {
			t.Errorf("%d readings at night, and the spoiled recording was not fetched again", len(*read))
		}
		slowest := time.Duration(a.Versions[0].Content.Bytes) * time.Second / (256 << 10)
		if took := (*read)[len(*read)-1].Sub((*read)[0]); took < slowest/2 {
			t.Errorf("read in %v, want about %v", took, slowest)
		}
	})
}

func TestNothingIsReadAgainOnBatteryOrNearASound(t *testing.T) {
	nightly(t, func(r *nodetest.Rig, a broadcast.Announcement, read *[]time.Time) {
		r.Node.OnPower(power.State{Battery: true, Charge: 90})
		pass(20 * time.Hour)
		if len(*read) > 0 || fetchedTwice(r, a) {
			t.Errorf("read on battery: %v", *read)
		}
	})
	nightly(t, func(r *nodetest.Rig, a broadcast.Announcement, read *[]time.Time) {
		pass(16*time.Hour + 20*time.Minute) // shortly before this node's own part of the night
		for i := range 12 {                 // and an emergency every 100 s
			r.Announce(r.Announcement(broadcast.ID("flood-"+string(rune('a'+i))), broadcast.Emergency, 3*time.Second, 50*time.Second))
			pass(100 * time.Second)
		}
		pass(time.Hour)
		if !fetchedTwice(r, a) || len(r.Player.Sounded()) != 12 {
			t.Errorf("%d sounded, and when it was quiet again nothing was read", len(r.Player.Sounded()))
		}
		for _, p := range r.Player.Sounded() {
			for _, at := range *read {
				if at.After(p.First.Add(-time.Minute)) && at.Before(p.Evidence.Last.Add(time.Minute)) {
					t.Errorf("read at %v, but %s sounded from %v to %v", at, p.Sounding.Name, p.First, p.Evidence.Last)
				}
			}
		}
	})
}
