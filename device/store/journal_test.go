package store_test

import (
	"errors"
	"fmt"
	"strings"
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
	if _, err := storetest.EveryCut(scenario, twice, 1); err != nil {
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
