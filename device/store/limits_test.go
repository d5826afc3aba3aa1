package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

func TestNumbersNeverGoBackWhenEverythingWasDropped(t *testing.T) {
	d := storetest.New()
	j := openJournal(t, d, small)
	last := uint64(0)
	for round := range 5 {
		for i := range 9 {
			seq, err := j.Append([]byte(record(i)))
			if err != nil || seq <= last {
				t.Fatalf("round %d: %d after %d, %v", round, seq, last, err)
			}
			last = seq
		}
		if err := j.DropThrough(last); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = openJournal(t, d, small)
		if j.Last() != last {
			t.Fatalf("round %d: last is %d, want %d", round, j.Last(), last)
		}
	}
	if len(j.Damage()) > 0 {
		t.Errorf("dropped records count as lost: %v", j.Damage())
	}
	if n := len(d.Files()); n > 2 {
		t.Errorf("%d files left after everything was dropped", n)
	}
}

func TestDropKeepsWhatWasNotAcknowledged(t *testing.T) {
	d := storetest.New()
	j := openJournal(t, d, small)
	fill(t, j, 1, 30)
	if err := j.DropThrough(17); err != nil {
		t.Fatal(err)
	}
	got := readAll(t, j, 18)
	for i := 18; i <= 30; i++ {
		if got[uint64(i)] != record(i) {
			t.Errorf("record %d: %q", i, got[uint64(i)])
		}
	}
	if first := j.First(); first < 2 || first > 18 {
		t.Errorf("first held is %d: want something dropped, nothing from 18 on", first)
	}
}

func TestAFullJournalSaysSoAndTakesRecordsAgainAfterADrop(t *testing.T) {
	d := storetest.New()
	j := openJournal(t, d, store.JournalLimits{Record: 200, Segment: 400, Total: 2000})
	var err error
	for i := 0; err == nil; i++ {
		_, err = j.Append(bytes.Repeat([]byte("a"), 100))
		if i > 100 {
			t.Fatal("the limit never came")
		}
	}
	if !errors.Is(err, store.ErrFull) || j.Size() > 2000 {
		t.Fatalf("at %d bytes: %v", j.Size(), err)
	}
	if err := j.DropThrough(j.Last()); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append([]byte("room again")); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(make([]byte, 201)); !errors.Is(err, store.ErrTooLarge) {
		t.Fatalf("a record above the limit: %v", err)
	}
}

func TestAFullCardLosesNothingAndDoesNotFillWithNames(t *testing.T) {
	d := storetest.New()
	j := openJournal(t, d, small)
	fill(t, j, 1, 5)
	d.Limit(j.Size() + 30)
	for range 50 {
		if _, err := j.Append([]byte(strings.Repeat("z", 60))); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("append on a full card: %v", err)
		}
	}
	if n := len(d.Files()); n > 3 {
		t.Errorf("%d files after 50 refused records", n)
	}
	d.Limit(0)
	seq, err := j.Append([]byte("room again"))
	if err != nil {
		t.Fatal(err)
	}
	got := readAll(t, openJournal(t, d, small), 0)
	if len(got) != 6 || got[seq] != "room again" || got[5] != record(5) {
		t.Errorf("read %v", got)
	}
}

func TestAReadOnlyCardCanStillBeRead(t *testing.T) {
	d := storetest.New()
	fill(t, openJournal(t, d, small), 1, 12)
	d.Fail(func(op storetest.Op) error {
		if op.Kind != storetest.Read {
			return syscall.EROFS
		}
		return nil
	})
	j := openJournal(t, d, small)
	if got := readAll(t, j, 0); len(got) != 12 {
		t.Errorf("%d of 12 records", len(got))
	}
	if _, err := j.Append([]byte("x")); !errors.Is(err, syscall.EROFS) {
		t.Errorf("append: %v", err)
	}
}

func TestReadStopsAtItsLimitAndAtTheVisitorsError(t *testing.T) {
	j := openJournal(t, storetest.New(), small)
	fill(t, j, 1, 20)
	var got []uint64
	visit := func(seq uint64, _ []byte) error { got = append(got, seq); return nil }
	if err := j.Read(7, 5, visit); err != nil || !slices.Equal(got, []uint64{7, 8, 9, 10, 11}) {
		t.Errorf("read %v, %v", got, err)
	}
	enough := errors.New("enough")
	if err := j.Read(1, 5, func(uint64, []byte) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("read: %v", err)
	}
}

func TestJournalHoldsOneFileOpen(t *testing.T) {
	d := storetest.New()
	j := openJournal(t, d, small)
	fill(t, j, 1, 30)
	readAll(t, j, 0)
	if err := j.DropThrough(20); err != nil {
		t.Fatal(err)
	}
	if d.Open() > 1 {
		t.Errorf("%d files open at rest", d.Open())
	}
	if err := j.Close(); err != nil || d.Open() != 0 {
		t.Errorf("%d files open after Close, %v", d.Open(), err)
	}
	if _, err := j.Append(nil); !errors.Is(err, store.ErrClosed) {
		t.Errorf("append after Close: %v", err)
	}
	if err := j.Read(0, 1, nil); !errors.Is(err, store.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
}

func TestJournalTakesManyHandsAtOnce(t *testing.T) {
	j := openJournal(t, storetest.New(), store.JournalLimits{Record: 100, Segment: 1000, Total: 1 << 20})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 50 {
				if _, err := j.Append(fmt.Appendf(nil, "%d-%d", w, i)); err != nil {
					t.Error(err)
				}
				if i%10 == 0 {
					if err := j.DropThrough(uint64(i)); err != nil {
						t.Error(err)
					}
					if _, err := collect(j, 0); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if j.Last() != 200 {
		t.Errorf("last is %d, want 200", j.Last())
	}
}

func TestJournalRefusesSenselessLimits(t *testing.T) {
	for _, lim := range []store.JournalLimits{{}, {Record: 1, Segment: 10, Total: 5}, {Record: -1, Segment: 1, Total: 1}} {
		if _, err := store.OpenJournal(storetest.New().FS(), "j", lim); err == nil {
			t.Errorf("%+v was accepted", lim)
		}
	}
}
