package node_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// ailment is one way in which a card fails.
type ailment struct {
	name string
	// strikes are the operations that fail, with why; code shows it, and boot
	// does if the node wakes up with it.
	strikes    []storetest.Kind
	why        error
	code, boot broadcast.FaultCode
	// ends are what becomes of a priority item and of an emergency that lie on
	// the card, woken what becomes of them if the node wakes up with it, slow if
	// nothing can be fetched in time beside it.
	ends, woken, slow fates
}

// fate is how often something was heard, and the last that is said of it.
type fate struct {
	heard int
	last  string
}

type fates struct{ priority, emergency fate }

func (f fates) of(c broadcast.Class) fate {
	if c == broadcast.Emergency {
		return f.emergency
	}
	return f.priority
}

var writing = []storetest.Kind{storetest.Write, storetest.Truncate, storetest.Sync, storetest.Create, storetest.Rename, storetest.Remove, storetest.SyncDir}

// ailments is the table. An emergency whose recording can be read sounds,
// whatever else the card refuses, and says that it was not journalled; nothing
// else sounds without its journal. What the card does not give costs nothing: a
// recording is fetched into memory meanwhile, documents and registers are read
// again, and what is not too late by then sounds.
func ailments() []ailment {
	heard := fates{fate{1, "ended"}, fate{1, "ended"}}
	refused := fates{fate{0, "failed journal"}, fate{1, "ended unjournalled"}}
	full, readOnly, failing := broadcast.FaultStoreFull, broadcast.FaultStoreReadOnly, broadcast.FaultStoreFailing
	return []ailment{
		{"full", []storetest.Kind{storetest.Write, storetest.Create}, syscall.ENOSPC, full, full, refused, refused, refused},
		{"read-only", writing, syscall.EROFS, readOnly, readOnly, refused, refused, refused},
		{"errors when written", []storetest.Kind{storetest.Write}, syscall.EIO, failing, failing, refused, refused, refused},
		{"errors when synced", []storetest.Kind{storetest.Sync, storetest.SyncDir}, syscall.EIO, failing, failing, refused, refused, refused},
		{"errors when read", []storetest.Kind{storetest.Read}, syscall.EIO, failing, failing, heard, heard, heard},
		{"gone", append([]storetest.Kind{storetest.Read}, writing...), syscall.ENODEV, failing, failing, refused, heard, heard},
	}
}

// ailing is a site whose card fails.
type ailing struct {
	*site
	ailment
	class broadcast.Class
}

func (s ailing) strike() {
	s.Disk.Fail(func(op storetest.Op) error {
		if slices.Contains(s.strikes, op.Kind) {
			return s.why
		}
		return nil
	})
}

// reads has the player read recordings from the card, as a real one does.
func (s ailing) reads() {
	s.Player.RefusePrepare(func(p player.Sounding) error {
		disk, path := s.Disk, filepath.Join("contents", p.Content.Path)
		if strings.HasPrefix(p.Content.Path, nodetest.InMemory) {
			disk, path = s.Memory, p.Content.Path
		}
		f, err := disk.FS().OpenFile(path, 0)
		if err == nil {
			_, err = f.ReadAt(make([]byte, 1), 0)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", player.ErrContent, err)
		}
		return nil
	})
}

// moments are when the card fails; "flood" lies on it by then and starts 5
// minutes later.
var moments = []struct {
	name       string
	boot, slow bool
	strike     func(ailing)
}{
	{"before the boot", true, false, func(s ailing) {
		s.Stop()
		s.strike()
		s.Boot()
	}},
	{"while idle", false, false, ailing.strike},
	{"in mid-sounding", false, false, func(s ailing) {
		length := 10 * time.Minute // cut short by an emergency
		if s.class != broadcast.Emergency {
			length = 4 * time.Minute
		}
		s.speak("market", 5*time.Second, length)
		pass(time.Minute)
		s.strike()
	}},
	{"in mid-download", false, true, func(s ailing) {
		s.Fetcher.Pace(1)
		s.speak("market", 20*time.Minute, time.Second)
		pass(5 * time.Second)
		s.strike()
	}},
}

// runs is one row of the table.
func runs(t *testing.T, a ailment, strike func(ailing), class broadcast.Class, want fate) {
	synctest.Test(t, func(t *testing.T) {
		s := ailing{&site{Rig: nodetest.NewRig(t), t: t}, a, class}
		s.Boot()
		defer func() { s.Stop() }()
		s.Settle()
		s.reads()
		pass(2 * time.Second)
		flood := s.Announcement("flood", class, 7*time.Minute, 4*time.Second)
		s.Announce(flood)
		pass(time.Minute)
		before := s.numbers()
		strike(s)
		pass(time.Until(flood.Timing.Start.Time()) + 10*time.Second)
		s.within(time.Minute, a.code, true)
		s.Disk.Fail(nil)
		if !slices.Contains(a.strikes, storetest.Read) {
			s.within(2*time.Minute, a.code, false)
		}
		pass(time.Hour)
		s.Stop()
		if after := s.numbers(); after < before {
			t.Errorf("the journal's numbers went back from %d to %d", before, after)
		}
		s.Boot()
		pass(10 * time.Minute)
		s.judge(want)
		if left := s.shown(a.code); len(left) > 0 {
			t.Errorf("still shown: %+v", left)
		}
		if err := s.Centre.Err(); err != nil {
			t.Errorf("the node said what no controller accepts: %v", err)
		}
	})
}

// numbers is the number that the journal on the card gives next.
func (s ailing) numbers() uint64 {
	s.t.Helper()
	card, _ := s.Disk.Cut(s.Disk.Ops(), storetest.KeepAll)
	j, err := store.OpenJournal(card.FS(), "journal", store.JournalLimits{Record: 256 << 10, Segment: 64 << 10, Total: 8 << 20})
	if err != nil {
		s.t.Fatal(err)
	}
	if lost := slices.DeleteFunc(j.Damage(), func(d store.Damage) bool { return d.Torn }); len(lost) > 0 {
		s.t.Errorf("the journal lost something: %v", lost)
	}
	next, err := j.Append([]byte("{}"))
	if err != nil {
		s.t.Fatal(err)
	}
	return next
}

// judge compares what was heard of "flood", and what it is said to have become.
func (s ailing) judge(want fate) {
	s.t.Helper()
	heard := 0
	for _, p := range s.Player.Sounded() {
		if strings.HasPrefix(p.Sounding.Name, "flood") {
			heard++
		}
	}
	rungs := s.Centre.Rungs(nodetest.NodeID, "flood")
	if i := slices.Index(rungs, "received"); i > 0 { // stated anew, when the card gave the journal again
		rungs = append(rungs[i:], rungs[:i]...)
	}
	if last := rungs[len(rungs)-1]; heard != want.heard || last != want.last {
		s.t.Errorf("heard %d times and %q, want %d times and %q", heard, rungs, want.heard, want.last)
	}
	if slices.Contains(rungs, "playing") && want.last == "ended unjournalled" {
		s.t.Errorf("it is said to be journalled: %q", rungs)
	}
}

func TestACardThatFailsSilencesNoEmergency(t *testing.T) {
	for _, a := range ailments() {
		for _, when := range moments {
			for _, class := range []broadcast.Class{broadcast.Priority, broadcast.Emergency} {
				one, fates := a, a.ends
				switch {
				case when.boot:
					one.code, fates = a.boot, a.woken
				case when.slow:
					fates = a.slow
				}
				t.Run(fmt.Sprintf("%s, %s, %s", a.name, when.name, class), func(t *testing.T) { runs(t, one, when.strike, class, fates.of(class)) })
			}
		}
	}
}
