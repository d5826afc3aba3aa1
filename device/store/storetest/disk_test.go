package storetest_test

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// writer is one way to replace a file; the lane must tell the good from the bad.
type writer func(fs store.FS, file string, data []byte) error

func inPlace(fs store.FS, file string, data []byte) error {
	f, err := fs.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Close()
}

func inPlaceSynced(fs store.FS, file string, data []byte) error {
	f, err := fs.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return fs.SyncDir(path.Dir(file))
}

// steps of the careful way, each of which can be left out.
func careful(syncs, syncFile, syncDir bool) writer {
	return func(fs store.FS, file string, data []byte) error {
		_ = fs.Remove(file + ".tmp")
		f, err := fs.OpenFile(file+".tmp", os.O_RDWR|os.O_CREATE|os.O_EXCL)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(data, 0); err != nil {
			return err
		}
		if syncs && syncFile {
			if err := f.Sync(); err != nil {
				return err
			}
		}
		if err := fs.Rename(file+".tmp", file); err != nil {
			return err
		}
		if syncs && syncDir {
			return fs.SyncDir(path.Dir(file))
		}
		return nil
	}
}

func value(i int) string { return strings.Repeat(fmt.Sprintf("value %d;", i), 150) }

// lane replaces one file five times with the writer and cuts everywhere.
func lane(w writer) (int, error) {
	scenario := func(d *storetest.Disk) error {
		for i := range 5 {
			d.Note("%d begun", i)
			if err := w(d.FS(), "d/f", []byte(value(i))); err != nil {
				return err
			}
			d.Note("%d kept", i)
		}
		return nil
	}
	return storetest.EveryCut(scenario, checkValue, 10)
}

func checkValue(after *storetest.Disk, notes []string) error {
	floor, ceiling := -1, -1
	for _, n := range notes {
		var i int
		var what string
		if _, err := fmt.Sscan(n, &i, &what); err != nil {
			return err
		}
		if what == "kept" {
			floor = i
		}
		ceiling = i
	}
	got, err := read(after.FS(), "d/f")
	if err != nil {
		if floor < 0 {
			return nil
		}
		return fmt.Errorf("value %d was promised: %w", floor, err)
	}
	for i := max(0, floor); i <= ceiling; i++ {
		if got == value(i) {
			return nil
		}
	}
	return fmt.Errorf("neither old nor new (%d to %d): %d bytes", floor, ceiling, len(got))
}

func read(fs store.FS, file string) (string, error) {
	e, err := fs.Stat(file)
	if err != nil {
		return "", err
	}
	f, err := fs.OpenFile(file, os.O_RDONLY)
	if err != nil {
		return "", err
	}
	data := make([]byte, e.Size)
	n, _ := f.ReadAt(data, 0)
	return string(data[:n]), nil
}

func TestTheLaneTellsCarefulWritersFromCareless(t *testing.T) {
	for _, c := range []struct {
		name string
		w    writer
		good bool
	}{
		{"tmp, sync, rename, sync dir", careful(true, true, true), true},
		{"written in place", inPlace, false},
		{"written in place and synced", inPlaceSynced, false},
		{"renamed before the file was synced", careful(true, false, true), false},
		{"folder not synced", careful(true, true, false), false},
		{"nothing synced", careful(false, false, false), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cards, err := lane(c.w)
			if c.good && err != nil {
				t.Errorf("a careful writer failed: %v", err)
			}
			if !c.good && err == nil {
				t.Errorf("a careless writer passed %d cards", cards)
			}
		})
	}
}

// A program that answers a failed fsync by calling it again believes a lie.
func TestTheLaneCatchesASyncThatIsTriedAgain(t *testing.T) {
	stubborn := func(d *storetest.Disk) error {
		failures := 1
		d.Fail(func(op storetest.Op) error {
			if op.Kind == storetest.Sync && failures > 0 {
				failures--
				return syscall.EIO
			}
			return nil
		})
		f, err := d.FS().OpenFile("d/f", os.O_RDWR|os.O_CREATE)
		if err != nil {
			return err
		}
		if _, err := f.WriteAt([]byte(value(0)), 0); err != nil {
			return err
		}
		if f.Sync() != nil {
			if err := f.Sync(); err != nil {
				return err
			}
		}
		if err := d.FS().SyncDir("d"); err != nil {
			return err
		}
		d.Note("0 kept")
		return nil
	}
	if _, err := storetest.EveryCut(stubborn, checkPromised, 5); err == nil {
		t.Fatal("the lane believed the second sync")
	}
}

// checkPromised complains only when a promised value is not there.
func checkPromised(after *storetest.Disk, notes []string) error {
	if len(notes) == 0 {
		return nil
	}
	return checkValue(after, notes)
}

func TestAFullCardCutsAWriteShort(t *testing.T) {
	d := storetest.New()
	d.Limit(10)
	f, err := d.FS().OpenFile("d/f", os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.WriteAt(make([]byte, 16), 0)
	if n != 10 || !strings.Contains(fmt.Sprint(err), syscall.ENOSPC.Error()) {
		t.Fatalf("wrote %d bytes, %v; want 10 and no space left", n, err)
	}
}

func TestARemovedFileStaysReadableThroughItsHandle(t *testing.T) {
	d := storetest.New()
	f, err := d.FS().OpenFile("d/f", os.O_RDWR|os.O_CREATE)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("still here"), 0); err != nil {
		t.Fatal(err)
	}
	if err := d.FS().Remove("d/f"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	if _, err := f.ReadAt(got, 0); err != nil || string(got) != "still here" {
		t.Fatalf("read %q, %v", got, err)
	}
	if len(d.Files()) != 0 {
		t.Fatalf("names left: %v", d.Files())
	}
}

func TestACutIsTheSameForTheSameSeed(t *testing.T) {
	d := storetest.New()
	for i := range 5 {
		if err := careful(true, false, false)(d.FS(), "d/f", []byte(value(i))); err != nil {
			t.Fatal(err)
		}
	}
	look := func(seed uint64) []string {
		var all []string
		for ops := range d.Ops() + 1 {
			after, _ := d.Cut(ops, seed)
			for _, file := range after.Files() {
				data, err := read(after.FS(), file)
				all = append(all, fmt.Sprintf("%d %s %q %v", ops, file, data, err))
			}
		}
		return all
	}
	if !slices.Equal(look(7), look(7)) {
		t.Error("seed 7 gave two different cards")
	}
	if slices.Equal(look(7), look(8)) {
		t.Error("seeds 7 and 8 lost exactly the same: nothing is random here")
	}
}
