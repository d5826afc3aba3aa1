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

var small = store.JournalLimits{Record: 200, Segment: 400, Total: 8000}

func openJournal(t *testing.T, d *storetest.Disk, lim store.JournalLimits) *store.Journal {
	t.Helper()
	j, err := store.OpenJournal(d.FS(), "j", lim)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func record(i int) string { return fmt.Sprintf("record-%d-%s", i, strings.Repeat("x", i%7*9)) }

func fill(t *testing.T, j *store.Journal, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		seq, err := j.Append([]byte(record(i)))
		if err != nil || seq != uint64(i) {
			t.Fatalf("append %d: seq %d, %v", i, seq, err)
		}
	}
}

func readAll(t *testing.T, j *store.Journal, from uint64) map[uint64]string {
	t.Helper()
	got, err := collect(j, from)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func collect(j *store.Journal, from uint64) (map[uint64]string, error) {
	got, last := map[uint64]string{}, uint64(0)
	err := j.Read(from, 1<<30, func(seq uint64, rec []byte) error {
		if seq <= last {
			return fmt.Errorf("record %d comes after %d", seq, last)
		}
		last = seq
		got[seq] = string(rec)
		return nil
	})
	return got, err
}

// promise is what the notes of a scenario say was promised before a cut.
type promise struct {
	kept    map[uint64]string
	tried   map[string]bool
	dropped uint64
}

func promised(notes []string) promise {
	p := promise{kept: map[uint64]string{}, tried: map[string]bool{}}
	for _, n := range notes {
		var seq uint64
		var text string
		if _, err := fmt.Sscanf(n, "try %s", &text); err == nil {
			p.tried[text] = true
		} else if _, err := fmt.Sscanf(n, "failed %s", &text); err == nil {
			delete(p.tried, text)
		} else if _, err := fmt.Sscanf(n, "kept %d %s", &seq, &text); err == nil {
			p.kept[seq] = text
		} else if _, err := fmt.Sscanf(n, "drop %d", &seq); err == nil {
			p.dropped = seq
		}
	}
	return p
}

// audit opens the journal on a card and compares it with what was promised.
func audit(d *storetest.Disk, notes []string) error {
	p := promised(notes)
	j, err := store.OpenJournal(d.FS(), "j", small)
	if err != nil {
		return err
	}
	got, err := collect(j, 0)
	if err != nil {
		return err
	}
	var top uint64
	for seq, text := range p.kept {
		top = max(top, seq)
		if seq > p.dropped && got[seq] != text {
			return fmt.Errorf("record %d was kept as %q, found %q", seq, text, got[seq])
		}
	}
	for seq, text := range got {
		top = max(top, seq)
		if want, kept := p.kept[seq]; kept && want != text {
			return fmt.Errorf("record %d changed from %q to %q", seq, want, text)
		}
		if !p.tried[text] {
			return fmt.Errorf("record %d is %q, which was never kept", seq, text)
		}
	}
	for _, dm := range j.Damage() {
		if !dm.Torn {
			return fmt.Errorf("a cut was taken for loss: %v", dm)
		}
	}
	return goesOn(d, j, got, top)
}

// goesOn appends to a journal after a cut and opens it once more.
func goesOn(d *storetest.Disk, j *store.Journal, got map[uint64]string, top uint64) error {
	seq, err := j.Append([]byte("after"))
	if err != nil {
		return fmt.Errorf("append after the cut: %w", err)
	}
	if seq <= top {
		return fmt.Errorf("number %d given again, %d was used", seq, top)
	}
	got[seq] = "after"
	again, err := store.OpenJournal(d.FS(), "j", small)
	if err != nil {
		return err
	}
	second, err := collect(again, 0)
	if err != nil {
		return err
	}
	if fmt.Sprint(got) != fmt.Sprint(second) {
		return fmt.Errorf("second opening reads %v, want %v", second, got)
	}
	return nil
}

// scenario appends singly and in batches over several segments, drops, reopens.
func scenario(d *storetest.Disk) error {
	j, err := store.OpenJournal(d.FS(), "j", small)
	if err != nil {
		return err
	}
	for i := 1; i <= 24; i++ {
		batch := [][]byte{[]byte(record(i))}
		if i%5 == 0 {
			batch = append(batch, []byte(record(i)+"-b"), []byte(record(i)+"-c"))
		}
		for _, r := range batch {
			d.Note("try %s", r)
		}
		first, err := j.AppendBatch(batch)
		for k, r := range batch {
			if err != nil {
				d.Note("failed %s", r)
			} else {
				d.Note("kept %d %s", first+uint64(k), r)
			}
		}
		if i%8 == 0 {
			d.Note("drop %d", j.Last()-3)
			if err := j.DropThrough(j.Last() - 3); err != nil {
				return err
			}
		}
		if i%11 == 0 {
			if err := j.Close(); err != nil {
				return err
			}
			if j, err = store.OpenJournal(d.FS(), "j", small); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestJournalSurvivesACutAtEveryWrite(t *testing.T) {
	cards, err := storetest.EveryCut(scenario, audit, 30)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d cards", cards)
}

func TestJournalSurvivesASecondCutWhileItRecovers(t *testing.T) {
	twice := func(d *storetest.Disk, notes []string) error {
		for _, n := range notes {
			d.Note("%s", n)
		}
		d.Note("try after")
		if err := audit(d, notes); err != nil {
			return err
		}
		notes = append(notes, "try after")
		for ops := range d.Ops() + 1 {
			for seed := range uint64(3) {
				after, _ := d.Cut(ops, seed)
				if err := audit(after, notes); err != nil {
					return fmt.Errorf("second cut after operation %d, seed %d: %w", ops, seed, err)
				}
			}
		}
		return nil
	}
	if _, err := storetest.EveryCut(scenario, twice, 3); err != nil {
		t.Fatal(err)
	}
}

// The lane must catch a journal that skips its syncs, or it proves nothing.
func TestTheLaneCatchesAJournalOnACardThatLiesAboutSync(t *testing.T) {
	lying := func(d *storetest.Disk) error {
		fs := d.FS()
		open := fs.OpenFile
		fs.OpenFile = func(path string, flag int) (store.File, error) {
			f, err := open(path, flag)
			return unsynced{f}, err
		}
		j, err := store.OpenJournal(fs, "j", small)
		if err != nil {
			return err
		}
		for i := 1; i <= 6; i++ {
			d.Note("try %s", record(i))
			seq, err := j.Append([]byte(record(i)))
			if err != nil {
				return err
			}
			d.Note("kept %d %s", seq, record(i))
		}
		return nil
	}
	if _, err := storetest.EveryCut(lying, audit, 5); err == nil {
		t.Fatal("the lane found nothing wrong")
	}
}

type unsynced struct{ store.File }

func (unsynced) Sync() error { return nil }

func TestAFailedAppendIsNeverFoundAfterALaterOne(t *testing.T) {
	for _, kind := range []storetest.Kind{storetest.Write, storetest.Sync, storetest.Truncate, storetest.Create, storetest.SyncDir, storetest.Remove} {
		for _, nth := range []int{1, 2, 3, 5, 8, 13} {
			faulty := func(d *storetest.Disk) error {
				count := 0
				d.Fail(func(op storetest.Op) error {
					if op.Kind == kind {
						count++
					}
					if op.Kind == kind && (count == nth || count == nth+1) {
						return syscall.EIO
					}
					return nil
				})
				if err := scenario(d); err != nil && !errors.Is(err, syscall.EIO) {
					return err
				}
				d.Fail(nil)
				return nil
			}
			// A failed record may be seen until the next one is kept, never after.
			final := func(d *storetest.Disk, notes []string) error {
				p := promised(notes)
				j, err := store.OpenJournal(d.FS(), "j", small)
				if err != nil {
					return err
				}
				got, err := collect(j, 0)
				if err != nil {
					return err
				}
				for seq, text := range p.kept {
					if seq > p.dropped && got[seq] != text {
						return fmt.Errorf("record %d was kept as %q, found %q", seq, text, got[seq])
					}
				}
				top := j.Last()
				for seq, text := range got {
					if !p.tried[text] && seq < top && p.kept[top] != "" {
						return fmt.Errorf("record %d is %q: it was refused and %d was kept since", seq, text, top)
					}
				}
				for _, dm := range j.Damage() {
					if !dm.Torn {
						return fmt.Errorf("a refused record was taken for loss: %v", dm)
					}
				}
				return nil
			}
			if _, err := storetest.EveryCut(faulty, final, 1); err != nil {
				t.Fatalf("%s number %d fails: %v", kind, nth, err)
			}
		}
	}
}

func TestAFailedSyncIsNotRead(t *testing.T) {
	d := storetest.New()
	j := openJournal(t, d, small)
	fill(t, j, 1, 3)
	d.Fail(func(op storetest.Op) error {
		if op.Kind == storetest.Sync || op.Kind == storetest.Truncate {
			return syscall.EIO
		}
		return nil
	})
	if _, err := j.Append([]byte("doomed")); !errors.Is(err, syscall.EIO) {
		t.Fatalf("append on a card whose sync fails: %v", err)
	}
	d.Fail(nil)
	seq, err := j.Append([]byte("later"))
	if err != nil || seq <= 4 {
		t.Fatalf("append after the failure: %d, %v; want a number above the burnt 4", seq, err)
	}
	want := map[uint64]string{1: record(1), 2: record(2), 3: record(3), seq: "later"}
	for _, jj := range []*store.Journal{j, openJournal(t, d, small)} {
		if got := readAll(t, jj, 0); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("read %v, want %v", got, want)
		}
		if dm := jj.Damage(); len(dm) > 0 {
			t.Errorf("a refused record was reported as lost: %v", dm)
		}
	}
}

// Every single bit that rots costs at most the record it is in, is noticed
// unless nobody depended on it, and never makes a number come back.
func TestRotCostsOneRecordAndIsReported(t *testing.T) {
	const n = 30
	fresh := func() *storetest.Disk {
		d := storetest.New()
		j := openJournal(t, d, small)
		fill(t, j, 1, n)
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		return d
	}
	model := fresh()
	files := 0
	for _, file := range model.Files() {
		files++
		e, err := model.FS().Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		for off := int64(0); off < e.Size; off += 3 {
			d := fresh()
			if err := d.Rot(sameFile(d, file), off); err != nil {
				t.Fatal(err)
			}
			j := openJournal(t, d, small)
			got := readAll(t, j, 0)
			if len(got) != n-1 {
				t.Fatalf("%s at %d: %d of %d records left", file, off, len(got), n)
			}
			if len(j.Damage()) != 1 {
				t.Fatalf("%s at %d: damage %v, want one entry", file, off, j.Damage())
			}
			for i := 1; i <= n; i++ {
				dm := j.Damage()[0]
				if _, ok := got[uint64(i)]; !ok && !dm.Torn && (dm.From != uint64(i) || dm.To != uint64(i)) {
					t.Fatalf("%s at %d: record %d is gone, reported %v", file, off, i, dm)
				}
			}
			if seq, err := j.Append([]byte("new")); err != nil || seq <= n {
				t.Fatalf("%s at %d: next record is %d, %v", file, off, seq, err)
			}
		}
	}
	if files < 4 {
		t.Fatalf("only %d segments: the test is too small", files)
	}
}

// sameFile finds a segment by its first number: the salt differs in every run.
func sameFile(d *storetest.Disk, model string) string {
	for _, f := range d.Files() {
		if f[:20] == model[:20] {
			return f
		}
	}
	return ""
}

func TestASectorThatCannotBeReadCostsOnlyItsRecords(t *testing.T) {
	d := storetest.New()
	lim := store.JournalLimits{Record: 4000, Segment: 64 << 10, Total: 1 << 20}
	j := openJournal(t, d, lim)
	for i := range 16 {
		if _, err := j.Append(bytes.Repeat([]byte{byte(i)}, 3000)); err != nil {
			t.Fatal(err)
		}
	}
	d.Fail(func(op storetest.Op) error {
		if op.Kind == storetest.Read && op.Offset <= 17000 && 17000 < op.Offset+op.Length {
			return syscall.EIO
		}
		return nil
	})
	for _, jj := range []*store.Journal{j, openJournal(t, d, lim)} {
		got := readAll(t, jj, 0)
		if len(got) < 13 || len(got) == 16 {
			t.Errorf("%d of 16 records left around one bad block", len(got))
		}
		if got[16] == "" {
			t.Error("the records behind the bad block are gone")
		}
		if len(jj.Damage()) == 0 {
			t.Error("the loss was not reported")
		}
	}
}

func TestAFrameInsideARecordIsNotARecord(t *testing.T) {
	d := storetest.New()
	inner := storetest.New()
	k := openJournal(t, inner, small)
	fill(t, k, 1, 1)
	f, err := inner.FS().OpenFile(inner.Files()[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	forged := make([]byte, 20+len(record(1)))
	if _, err := f.ReadAt(forged, 0); err != nil {
		t.Fatal(err)
	}
	j := openJournal(t, d, small)
	fill(t, j, 1, 1)
	if _, err := j.Append(forged); err != nil {
		t.Fatal(err)
	}
	fill(t, j, 3, 3)
	if err := d.Rot(d.Files()[0], int64(20+len(record(1))+2)); err != nil {
		t.Fatal(err)
	}
	got := readAll(t, openJournal(t, d, small), 0)
	if len(got) != 2 || got[1] != record(1) || got[3] != record(3) {
		t.Fatalf("read %v, want records 1 and 3", got)
	}
}

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
