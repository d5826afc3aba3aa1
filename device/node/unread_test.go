package node

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// A journal that the card does not give at some boots costs no receipt: what
// the controller lacks is in the chain again as soon as the card gives it.
func TestReceiptsThatTheCardDidNotGiveForAWhileAreStatedAnew(t *testing.T) {
	for _, boots := range []int{1, 2} {
		for _, acked := range []int{0, 7} {
			t.Run(fmt.Sprintf("%d boots, %d acknowledged", boots, acked), func(t *testing.T) { giveAgain(t, boots, acked) })
		}
	}
}

func giveAgain(t *testing.T, boots, acked int) {
	d := storetest.New()
	l := openedLedger(t, d, acknowledged{})
	for i := range 20 {
		if err := l.must(at(int64(i)), says(broadcast.ID(fmt.Sprintf("a-%d", i)), broadcast.Verified)); err != nil {
			t.Fatal(err)
		}
	}
	if acked > 0 {
		if err := l.acknowledge(ackOf(t, whole(t, l, 20)[acked-1])); err != nil {
			t.Fatal(err)
		}
	}
	kept := acknowledged{Chain: "chain-1", Seq: l.acked, Upto: l.upto}
	reopen := func() {
		t.Helper()
		l = openedLedger(t, d, kept)
	}
	for i := range boots {
		d.Fail(func(op storetest.Op) error {
			if op.Kind == storetest.Read && strings.HasPrefix(op.Path, "journal") {
				return syscall.EIO
			}
			return nil
		})
		reopen()
		if !l.broken {
			t.Fatal("a chain goes on over what was not read")
		}
		kept = acknowledged{Chain: broadcast.ID(fmt.Sprintf("chain-%d", i+2)), Upto: l.upto}
		if err := l.renew(kept.Chain); err != nil {
			t.Fatal(err)
		}
		if err := l.must(at(100), says(broadcast.ID(fmt.Sprintf("new-%d", i)), broadcast.Verified)); err != nil {
			t.Fatal(err)
		}
	}
	d.Fail(nil)
	for range 2 {
		reopen()
		if l.broken {
			t.Fatal("the new chain is taken for broken")
		}
		if err := l.restate(); err != nil {
			t.Fatal(err)
		}
		seen := map[broadcast.ID]int{}
		list, _, err := l.after(mark{}, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			seen[r.Announcement]++
		}
		for i := range 20 {
			id := broadcast.ID(fmt.Sprintf("a-%d", i))
			if want := i >= acked; want && seen[id] != 1 || !want && seen[id] > 1 {
				t.Errorf("%s is %d times in the chain", id, seen[id])
			}
		}
		for i := range boots {
			if id := broadcast.ID(fmt.Sprintf("new-%d", i)); seen[id] != 1 {
				t.Errorf("%s is %d times in the chain", id, seen[id])
			}
		}
	}
}
