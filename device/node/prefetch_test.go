package node_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

const day = 24 * time.Hour

// large is an announcement with a recording of a megabyte; a rig's card takes
// eight of them.
func large(r *nodetest.Rig, id broadcast.ID, class broadcast.Class, in time.Duration) broadcast.Announcement {
	a := r.Announcement(id, class, in, 2*time.Second)
	raw := []byte(strings.Repeat(string(id)+" ", (1<<20)/(len(id)+1)))
	a.Versions[0].Content = &broadcast.Content{SHA256: r.Centre.PutContent(raw), Millis: 2000, Bytes: int64(len(raw))}
	return a
}

// standing publishes a template with the recording of an announcement.
func standing(r *nodetest.Rig, id broadcast.ID, a broadcast.Announcement) {
	t := broadcast.Template{ID: id, Revision: r.Centre.Revision(string(id)), Class: a.Class, Title: "Mẫu " + string(id), Areas: a.Areas,
		Versions: a.Versions, Expires: r.Centre.Instant().Add(300 * day)}
	r.Centre.Sealed(broadcast.KindTemplate, t, nodetest.Top, r.Centre.Editor, r.Centre.Approver)
	r.List()
}

// watch notes when each recording is first asked for, by the name of its announcement.
type watch struct {
	r     *nodetest.Rig
	names map[broadcast.Digest]broadcast.ID

	mu    sync.Mutex
	order []broadcast.ID
	at    map[broadcast.ID]time.Time
}

func watching(r *nodetest.Rig, list ...broadcast.Announcement) *watch {
	w := &watch{r: r, names: map[broadcast.Digest]broadcast.ID{}, at: map[broadcast.ID]time.Time{}}
	for _, a := range list {
		w.names[a.Versions[0].Content.SHA256] = a.ID
	}
	r.Fetcher.Refuse(func(d broadcast.Digest) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if id, ok := w.names[d]; ok && w.at[id].IsZero() {
			w.order = append(w.order, id)
			w.at[id] = time.Now()
		}
		return nil
	})
	return w
}

// asked is the order in which recordings were asked for.
func (w *watch) asked() []broadcast.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.order)
}

// when is when each was.
func (w *watch) when() map[broadcast.ID]time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.at)
}

// onBoard says which of these have their recording on the card.
func onBoard(t *testing.T, r *nodetest.Rig, list ...broadcast.Announcement) []broadcast.ID {
	t.Helper()
	var out []broadcast.ID
	for _, a := range list {
		if slices.ContainsFunc(r.Disk.Files(), func(f string) bool {
			return strings.HasPrefix(f, "contents/") && strings.HasSuffix(f, string(a.Versions[0].Content.SHA256))
		}) {
			out = append(out, a.ID)
		}
	}
	return out
}

func named(prefix string, n int) []broadcast.ID {
	var out []broadcast.ID
	for i := range n {
		out = append(out, broadcast.ID(fmt.Sprintf("%s-%02d", prefix, i)))
	}
	return out
}

func TestTemplatesComeFirstAndThenWhatSoundsFirst(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		list := []broadcast.Announcement{large(r, "noon", broadcast.Priority, 5*time.Hour), large(r, "ten", broadcast.Normal, 3*time.Hour),
			large(r, "tomorrow", broadcast.Priority, 26*time.Hour), large(r, "mau", broadcast.Emergency, 0)}
		w := watching(r, list...)
		r.Wire.Down() // it learns of all at once
		for _, a := range list[:3] {
			r.Announce(a)
		}
		standing(r, "mau-lu", list[3])
		r.Wire.Up()
		pass(5 * time.Minute)
		if diff := cmp.Diff([]broadcast.ID{"mau", "ten", "noon", "tomorrow"}, w.asked()); diff != "" {
			t.Errorf("the order (-want +got):\n%s", diff)
		}
		if got := onBoard(t, r, list...); len(got) != 4 {
			t.Errorf("on board %q", got)
		}
		if f := r.Centre.Faults(nodetest.NodeID); len(f) > 0 {
			t.Errorf("faults %q", f)
		}
	})
}

func TestWhatIsDueLaterThanTomorrowWaitsForTheNight(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) { // at seven in the morning
		later := large(r, "later", broadcast.Priority, 3*day)
		far := large(r, "far", broadcast.Priority, 13*day)
		beyond := large(r, "beyond", broadcast.Priority, 20*day)
		again := large(r, "again", broadcast.Normal, time.Hour)
		again.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=WEEKLY"}
		again.Timing.Until = again.Timing.Start.Add(60 * day)
		list := []broadcast.Announcement{later, far, beyond, again, large(r, "tonight", broadcast.Priority, 12*time.Hour)}
		w := watching(r, list...)
		for _, a := range list {
			r.Announce(a)
		}
		pass(time.Hour)
		if diff := cmp.Diff([]broadcast.ID{"again", "tonight"}, w.asked()); diff != "" {
			t.Errorf("within the hour (-want +got):\n%s", diff)
		}
		pass(day)
		for _, id := range []broadcast.ID{"later", "far"} {
			at, ok := w.when()[id]
			if local := at.In(broadcast.Local()); !ok || local.Hour()*60+local.Minute() > 4*60+30 {
				t.Errorf("%s was asked for at %v, want between 00:00 and 04:30", id, local)
			}
		}
		if _, early := w.when()["beyond"]; early {
			t.Error("what is due in twenty days came already")
		}
		pass(7 * day)
		if got := onBoard(t, r, beyond); len(got) != 1 {
			t.Error("what is due in twelve days is not on board")
		}
	})
}

func TestANightThatPassedWithoutALineIsMadeGoodInTime(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		later := large(r, "later", broadcast.Priority, 3*day)
		r.Announce(later)
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("no line at night") })
		pass(day + 22*time.Hour) // at five in the morning two nights later, and due tomorrow
		r.Fetcher.Refuse(nil)
		pass(time.Hour)
		if got := onBoard(t, r, later); len(got) != 1 {
			t.Error("it waits for yet another night")
		}
	})
}

func TestFullCardKeepsTemplatesAndWhatSoundsFirst(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		var list []broadcast.Announcement
		for i, id := range named("tin", 12) {
			list = append(list, large(r, id, broadcast.Priority, time.Duration(12-i)*day+time.Hour)) // the last is due first
			r.Announce(list[i])
		}
		mau := []broadcast.Announcement{large(r, "mau-1", broadcast.Emergency, 0), large(r, "mau-2", broadcast.Priority, 0)}
		pass(day - 2*time.Hour)
		for i, a := range mau {
			standing(r, broadcast.ID(fmt.Sprintf("t-%d", i)), a)
		}
		pass(time.Hour)
		want := append([]broadcast.ID{"mau-1", "mau-2"}, "tin-11", "tin-10", "tin-09", "tin-08", "tin-07", "tin-06")
		slices.Sort(want)
		got := append(onBoard(t, r, mau...), onBoard(t, r, list...)...)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("on board (-want +got):\n%s", diff)
		}
		if f := r.Centre.Faults(nodetest.NodeID); !slices.Contains(f, "contents-full") {
			t.Errorf("faults %q: the card is too small and nobody is told", f)
		}
		for range 13 { // as days go by there is room for the others, and nothing is missed
			pass(day)
			r.List()
		}
		if n := len(r.Player.Sounded()); n != 12 {
			t.Errorf("%d of 12 were heard", n)
		}
		if got := onBoard(t, r, mau...); len(got) != 2 {
			t.Errorf("of the templates only %q stayed", got)
		}
	})
}

func TestEmergencyOvertakesARunningDownload(t *testing.T) {
	for _, class := range []broadcast.Class{broadcast.Emergency, broadcast.Priority} {
		t.Run(string(class), func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				r.Fetcher.Pace(8 << 10) // 64 kbit/s
				slow := large(r, "slow", broadcast.Normal, 10*time.Hour)
				r.Announce(slow)
				pass(80 * time.Second)
				if got := r.Fetcher.Got(); got < 100<<10 || got > 900<<10 {
					t.Fatalf("%d bytes of the long download came", got)
				}
				a := r.Announcement("now", class, 6*time.Second, 2*time.Second)
				r.Announce(a)
				pass(20 * time.Second)
				if heard := sounded(t, r, 1)[0]; !heard.First.Equal(a.Timing.Start.Time()) {
					t.Errorf("it began at %v, want %v", heard.First, a.Timing.Start)
				}
				pass(3 * time.Minute)
				if len(onBoard(t, r, slow)) != 1 {
					t.Fatal("the long download never came to its end")
				}
				if waste := r.Fetcher.Got() - slow.Versions[0].Content.Bytes; waste > 192<<10 {
					t.Errorf("%d bytes came twice", waste)
				}
			})
		})
	}
}

func TestTheDaysDataIsNotExceededButForEmergencies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Change = func(c *node.Config) { c.Daily = 3 << 20 }
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		var list []broadcast.Announcement
		for i, id := range named("tin", 5) {
			list = append(list, large(r, id, broadcast.Priority, 20*time.Hour+time.Duration(i)*time.Hour))
			r.Announce(list[i])
		}
		pass(time.Hour)
		if got := r.Fetcher.Got(); got > 3<<20+48<<10 || len(onBoard(t, r, list...)) < 2 {
			t.Errorf("%d bytes came, %q on board; the day has 3 MB", got, onBoard(t, r, list...))
		}
		r.Stop()
		r.Boot() // a restart gives nothing back
		pass(time.Hour)
		if got := r.Fetcher.Got(); got > 3<<20+64<<10 {
			t.Errorf("after a restart %d bytes came", got)
		}
		flood := large(r, "flood", broadcast.Emergency, 30*time.Second)
		r.Announce(flood)
		pass(time.Minute)
		sounded(t, r, 1)
		pass(17 * time.Hour) // past midnight
		if got := onBoard(t, r, list...); len(got) != 5 {
			t.Errorf("the next day only %q are on board", got)
		}
	})
}

func TestMissingRecordingIsSaidBeforeItsTime(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		missing := func() bool { return slices.Contains(r.Centre.Faults(nodetest.NodeID), "content-missing") }
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("the recording is gone") })
		r.Announce(r.Announcement("tin", broadcast.Priority, 3*time.Hour, time.Second))
		pass(30 * time.Minute)
		if missing() {
			t.Error("it is a fault two and a half hours before")
		}
		pass(45 * time.Minute)
		if !missing() {
			t.Error("an hour and three quarters before its time nobody is told")
		}
		r.Fetcher.Refuse(nil)
		pass(15 * time.Minute)
		if missing() {
			t.Error("the recording came and the fault stays")
		}
		pass(3 * time.Hour)
		sounded(t, r, 1)
	})
}

func TestNodeMovedToAnotherAreaKeepsWhatItStillNeedsAndNothingElse(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		const other broadcast.ID = "viet-quang"
		signers := signedBy(r)
		there := r.Centre.House.Officer("vq-1", broadcast.Commune, other)
		andThere := r.Centre.House.Officer("vq-2", broadcast.Commune, other)
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
		both := large(r, "district", broadcast.Priority, 6*day)
		home, away := large(r, "home", broadcast.Normal, 6*day+time.Hour), large(r, "away", broadcast.Normal, 6*day+2*time.Hour)
		home.Areas, away.Areas = []broadcast.ID{nodetest.Area}, []broadcast.ID{other}
		r.Announce(both)
		r.Centre.Sealed(broadcast.KindAnnouncement, home, nodetest.Area, signers...)
		r.Centre.Sealed(broadcast.KindAnnouncement, away, other, there, andThere)
		r.List()
		pass(2 * day)
		if diff := cmp.Diff([]broadcast.ID{"district", "home"}, onBoard(t, r, both, home, away)); diff != "" {
			t.Fatalf("before the move (-want +got):\n%s", diff)
		}
		move(r, other)
		pass(time.Minute)
		r.Crash(storetest.KeepSynced)
		r.Boot()
		r.Send(wire.Area(nodetest.Top, "manifest"), r.Centre.Manifest(nodetest.Top))
		r.Send(wire.Area(other, "manifest"), r.Centre.Manifest(other))
		pass(day)
		if got := onBoard(t, r, both, away); len(got) != 2 {
			t.Errorf("after the move only %q are on board", got)
		}
		want, err := wire.Holding(append(r.Centre.Listed(nodetest.Top), r.Centre.Listed(other)...))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Centre.State(nodetest.NodeID).Holding; got != want {
			t.Errorf("it holds %s, want %s of its new place", got.Short(), want.Short())
		}
		pass(5 * day)
		var heard []string
		for _, one := range r.Player.Sounded() {
			heard = append(heard, one.Sounding.Name[:strings.Index(one.Sounding.Name, "-")])
		}
		if diff := cmp.Diff([]string{"district", "away"}, heard); diff != "" {
			t.Errorf("heard (-want +got):\n%s", diff)
		}
	})
}

// move gives the node another commune of the district as its place.
func move(r *nodetest.Rig, area broadcast.ID) {
	r.Send(wire.Node(nodetest.NodeID, "assignment"), r.Centre.Assignment(nodetest.NodeID, r.Public(), area))
}

// What was withdrawn leaves line and card to others at once, even while its
// download is under way; whoever may not withdraw it holds up nothing.
func TestAWithdrawnEmergencyIsNotFetched(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		key := thief(r)
		r.Fetcher.Pace(20_000)
		flood := large(r, "flood", broadcast.Emergency, 10*time.Minute)
		r.Announce(flood)
		pass(5 * time.Second)
		push(r, sealtest.Sealed(broadcast.KindWithdrawal, broadcast.Withdrawal{ID: "w-1", Revision: flood.Revision, Announcement: flood.ID,
			Upto: flood.Revision, Class: broadcast.Emergency, Areas: []broadcast.ID{nodetest.Area}}, key))
		before := r.Fetcher.Got()
		pass(5 * time.Second)
		if got := r.Fetcher.Got(); got <= before {
			t.Fatalf("a lower level stopped a download of an emergency at %d bytes", got)
		}
		r.Withdraw(flood)
		pass(time.Second)
		stopped := r.Fetcher.Got()
		pass(15 * time.Minute)
		if got := r.Fetcher.Got(); got != stopped {
			t.Errorf("%d bytes of a withdrawn emergency came after its withdrawal", got-stopped)
		}
		again := large(r, "again", broadcast.Emergency, 10*time.Minute)
		r.Withdraw(again)
		r.Announce(again)
		pass(15 * time.Minute)
		if slices.Contains(r.Fetcher.Asked(), again.Versions[0].Content.SHA256) {
			t.Error("what was withdrawn before it came is fetched")
		}
		sounded(t, r, 0)
	})
}
