package store_test

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

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
