package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// TestACardOfSixDaysAgoOnAnHonestLineReplaysNothing puts a card back that saw
// none of six days, on a line that says everything of them again and gives the
// true time.
func TestACardOfSixDaysAgoOnAnHonestLineReplaysNothing(t *testing.T) {
	for name, off := range map[string]time.Duration{"a clock that is right": 0, "a clock of six days ago": -6 * 24 * time.Hour, "a clock of 1970": -30 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				var said []nodetest.Outgoing
				say := func(a broadcast.Announcement) {
					said = append(said, nodetest.Outgoing{Topic: wire.Area(nodetest.Top, "announcement"), Payload: r.Announce(a)})
				}
				daily := speak(r, "daily", broadcast.Normal, time.Hour, time.Minute, func(a *broadcast.Announcement) {
					everyDay(a)
					a.Timing.Until = a.Timing.Start.Add(10 * 24 * time.Hour)
				})
				coming := r.Announcement("coming", broadcast.Emergency, 6*24*time.Hour+2*time.Hour, 5*time.Second)
				say(coming)
				pass(10 * time.Minute)
				image := r.Disk.Ops()
				for day := range 6 {
					say(r.Announcement(broadcast.ID(fmt.Sprint("news-", day)), broadcast.Priority, time.Minute, time.Second))
					flood := r.Announcement(broadcast.ID(fmt.Sprint("flood-", day)), broadcast.Emergency, 2*time.Hour, time.Second)
					flood.Timing.Repeat, flood.Timing.Window = 600, 3600
					say(flood)
					pass(23*time.Hour + 58*time.Minute)
				}
				sounded(t, r, 6*(1+1+7))
				r.Stop()
				r.Disk, _ = r.Disk.Cut(image, storetest.KeepAll)
				r.Ticks.Set(off, false)
				r.Boot()
				for _, m := range said {
					r.Send(m.Topic, m.Payload)
				}
				r.List()
				pass(20 * time.Minute)
				sounded(t, r, 6*(1+1+7))
				if got := r.Centre.Faults(nodetest.NodeID); !slices.Contains(got, broadcast.FaultRolledBack) {
					t.Errorf("faults %q, want rolled-back", got)
				}
				r.Announce(r.Announcement("after", broadcast.Priority, time.Minute, time.Second))
				pass(24 * time.Hour)
				var names []string
				for _, one := range r.Player.Sounded()[6*(1+1+7):] {
					names = append(names, one.Sounding.Name[:strings.Index(one.Sounding.Name, "-")])
				}
				if want := []string{"after", string(daily.ID), string(coming.ID)}; !slices.Equal(names, want) {
					t.Errorf("then it sounded %q, want %q", names, want)
				}
			})
		})
	}
}
