package store_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// mute has the card give no answer where it is asked for one of these files.
func mute(d *storetest.Disk, files ...string) {
	d.Fail(func(op storetest.Op) error {
		for _, f := range files {
			if op.Kind == storetest.Read && strings.HasPrefix(op.Path, f) {
				return syscall.EIO
			}
		}
		return nil
	})
}

// What the card does not give for a while is neither void nor cut: it is there
// again when the card answers, and no number is given twice.
func TestWhatCannotBeReadForAWhileIsNotGivenUp(t *testing.T) {
	for _, boots := range []int{1, 2, 3} {
		for _, n := range []int{1, 5, 30} {
			t.Run(fmt.Sprintf("%d records, %d boots", n, boots), func(t *testing.T) { unreadFor(t, n, boots) })
		}
	}
}

func unreadFor(t *testing.T, n, boots int) {
	d := storetest.New()
	j := openJournal(t, d, small)
	fill(t, j, 1, n)
	want, top := map[uint64]string{}, uint64(n)
	for i := 1; i <= n; i++ {
		want[uint64(i)] = record(i)
	}
	for range boots {
		mute(d, "j/")
		j = openJournal(t, d, small)
		dm := j.Damage()
		if len(dm) == 0 {
			t.Fatal("it was not said that the journal cannot be read")
		}
		for _, one := range dm {
			if one.Torn || !one.Unread {
				t.Errorf("damage %v, want what cannot be read", one)
			}
		}
		for range 2 {
			seq, err := j.Append([]byte("new"))
			if err != nil || seq <= top {
				t.Fatalf("record %d, %v after %d", seq, err, top)
			}
			want[seq], top = "new", seq
		}
		if err := j.DropThrough(0); err != nil {
			t.Fatal(err)
		}
	}
	d.Fail(nil)
	for range 2 {
		j = openJournal(t, d, small)
		if got := readAll(t, j, 0); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("read %v, want %v", got, want)
		}
		if dm := j.Damage(); len(dm) > 0 {
			t.Errorf("something is said to be lost: %v", dm)
		}
		seq, err := j.Append([]byte("later"))
		if err != nil || seq <= top {
			t.Fatalf("record %d, %v after %d", seq, err, top)
		}
		want[seq], top = "later", seq
	}
}

// A file that was not read is dropped only with all the numbers it may hold.
func TestWhatWasNotReadIsNotDroppedBeforeItsNumber(t *testing.T) {
	d := storetest.New()
	fill(t, openJournal(t, d, small), 1, 30)
	mute(d, d.Files()[0])
	j := openJournal(t, d, small)
	if err := j.DropThrough(2); err != nil {
		t.Fatal(err)
	}
	d.Fail(nil)
	if got := readAll(t, openJournal(t, d, small), 0); len(got) != 30 {
		t.Errorf("%d of 30 records left", len(got))
	}
}

// A card that does not answer and then loses its power has nothing given up either.
func TestACutWhileTheJournalCannotBeReadLosesNothing(t *testing.T) {
	unread := func(d *storetest.Disk) error {
		if err := scenario(d); err != nil {
			return err
		}
		mute(d, "j/")
		defer d.Fail(nil)
		j, err := store.OpenJournal(d.FS(), "j", small)
		if err != nil {
			return err
		}
		for i := 101; i <= 104; i++ {
			d.Note("try %s", record(i))
			seq, err := j.Append([]byte(record(i)))
			if err != nil {
				return err
			}
			d.Note("kept %d %s", seq, record(i))
		}
		return j.Close()
	}
	if _, err := storetest.EveryCut(unread, audit, 6); err != nil {
		t.Fatal(err)
	}
}
