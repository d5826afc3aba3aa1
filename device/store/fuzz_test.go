package store_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// overwritten puts bytes over a file of the card, from an offset on.
func overwritten(t *testing.T, d *storetest.Disk, path string, at int64, with []byte) {
	t.Helper()
	f, err := d.FS().OpenFile(path, os.O_RDWR)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(with, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// FuzzSegment: whatever stands in a segment, the journal opens, reads back
// nothing that was not kept, and its next number was never given.
func FuzzSegment(f *testing.F) {
	d := storetest.New()
	j, err := store.OpenJournal(d.FS(), "j", small)
	if err != nil {
		f.Fatal(err)
	}
	for i := 1; i <= 4; i++ {
		if _, err := j.Append([]byte(record(i))); err != nil {
			f.Fatal(err)
		}
	}
	path := d.Files()[0]
	whole, err := d.FS().OpenFile(path, os.O_RDONLY)
	if err != nil {
		f.Fatal(err)
	}
	segment := make([]byte, 400)
	n, _ := whole.ReadAt(segment, 0)
	f.Add(segment[:n], uint16(0))
	f.Add(segment[20:n], uint16(0))
	f.Add(segment[:n/2], uint16(n/2))
	f.Add([]byte("1zxL\xff\xff\xff\xff"), uint16(30))
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		card, _ := d.Cut(d.Ops(), storetest.KeepAll)
		overwritten(t, card, path, int64(at)%400, b)
		j, err := store.OpenJournal(card.FS(), "j", small)
		if err != nil {
			t.Fatalf("the journal does not open: %v", err)
		}
		for seq, text := range readAll(t, j, 0) {
			if seq < 1 || seq > 4 || text != record(int(seq)) {
				t.Errorf("record %d reads %q", seq, text)
			}
		}
		last := j.Last()
		if seq, err := j.Append([]byte("after")); err != nil || seq <= last {
			t.Errorf("after %d comes %d, %v", last, seq, err)
		}
	})
}

// FuzzRegister: whatever stands in a register's file, it is the value that was
// put or none.
func FuzzRegister(f *testing.F) {
	d := storetest.New()
	r, err := store.OpenRegisters(d.FS(), "r", few)
	if err != nil {
		f.Fatal(err)
	}
	for i, value := range []string{"", "value", string(long(3))} {
		if err := r.Put(fmt.Sprint("seed/", i), []byte(value)); err != nil {
			f.Fatal(err)
		}
		path := d.Files()[i]
		file, err := d.FS().OpenFile(path, os.O_RDONLY)
		if err != nil {
			f.Fatal(err)
		}
		b := make([]byte, 2000)
		n, _ := file.ReadAt(b, 0)
		f.Add(b[:n], uint16(0))
		f.Add(b[:n/2], uint16(n/3))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		card, _ := d.Cut(d.Ops(), storetest.KeepAll)
		overwritten(t, card, "r/seed,1.reg", int64(at), b)
		r, err := store.OpenRegisters(card.FS(), "r", few)
		if err != nil {
			return // more than all registers may take together
		}
		got, err := r.Get("seed/1")
		if err == nil && string(got) != "value" || err != nil && !errors.Is(err, store.ErrCorrupt) && !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("it reads %q, %v", got, err)
		}
	})
}
