package store_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

var few = store.RegisterLimits{Value: 2000, Count: 5, Total: 5000}

func openRegisters(t *testing.T, d *storetest.Disk) *store.Registers {
	t.Helper()
	r, err := store.OpenRegisters(d.FS(), "r", few)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func put(t *testing.T, r *store.Registers, name, value string) {
	t.Helper()
	if err := r.Put(name, []byte(value)); err != nil {
		t.Fatal(err)
	}
}

// rewriting puts and deletes two registers over and over. Notes: "begun NAME N"
// before and "kept NAME N" after each step; N is 0 for a deletion.
func rewriting(d *storetest.Disk) error {
	r, err := store.OpenRegisters(d.FS(), "r", few)
	if err != nil {
		return err
	}
	for i := 1; i <= 12; i++ {
		name, n := []string{"time/floor", "chain"}[i%2], i
		if i%5 == 0 {
			n = 0
		}
		d.Note("begun %s %d", name, n)
		if n == 0 {
			err = r.Delete(name)
		} else {
			err = r.Put(name, long(n))
		}
		if err == nil {
			d.Note("kept %s %d", name, n)
		} else if !errors.Is(err, syscall.EIO) {
			return err
		}
	}
	return nil
}

func long(n int) []byte { return []byte(strings.Repeat(fmt.Sprintf("%d,", n), 300)) }

// oldOrNew accepts the last kept value of each register and every one begun since.
func oldOrNew(d *storetest.Disk, notes []string) error {
	allowed := map[string][]int{"time/floor": {0}, "chain": {0}}
	for _, note := range notes {
		var what, name string
		var n int
		if _, err := fmt.Sscan(note, &what, &name, &n); err != nil {
			return err
		}
		if what == "kept" {
			allowed[name] = []int{n}
		} else {
			allowed[name] = append(allowed[name], n)
		}
	}
	r, err := store.OpenRegisters(d.FS(), "r", few)
	if err != nil {
		return err
	}
	for name, values := range allowed {
		got, err := r.Get(name)
		if err != nil && !errors.Is(err, store.ErrAbsent) {
			return err
		}
		if !slices.ContainsFunc(values, func(n int) bool { return n == 0 && err != nil || n > 0 && string(got) == string(long(n)) }) {
			return fmt.Errorf("%s holds %.12q (%v), want one of %v", name, got, err, values)
		}
		if err := r.Put(name, []byte("after")); err != nil {
			return err
		}
	}
	if left := slices.ContainsFunc(d.Files(), func(f string) bool { return strings.HasSuffix(f, ".tmp") }); left {
		return fmt.Errorf("scratch files stay: %v", d.Files())
	}
	return nil
}

func TestARegisterIsOldOrNewAfterACutAtEveryWrite(t *testing.T) {
	if _, err := storetest.EveryCut(rewriting, oldOrNew, 20); err != nil {
		t.Fatal(err)
	}
}

// inPlace is a writer without care: it opens the file, cuts it and writes it, as
// os.WriteFile does. synced has it sync before it says that all is kept.
func inPlace(fs store.FS, file string, data []byte, synced bool) error {
	f, err := fs.OpenFile(file, os.O_RDWR|os.O_CREATE)
	if err == nil {
		err = errors.Join(f.Truncate(0), writeAll(f, data, synced), f.Close())
	}
	return errors.Join(err, fs.SyncDir(filepath.Dir(file)))
}

func writeAll(f store.File, data []byte, synced bool) error {
	_, err := f.WriteAt(data, 0)
	if err == nil && synced {
		err = f.Sync()
	}
	return err
}

// The lane is worth something only if it catches a careless writer in the very
// place of the careful one.
func TestTheRegistersLaneCatchesAWriterInPlace(t *testing.T) {
	for _, synced := range []bool{false, true} {
		careless := func(d *storetest.Disk) error {
			var files [][]byte // as the registers would write them
			for i := 1; i <= 4; i++ {
				other := storetest.New()
				if err := openRegisters(t, other).Put("chain", long(i)); err != nil {
					return err
				}
				f, err := other.FS().OpenFile(other.Files()[0], os.O_RDONLY)
				if err != nil {
					return err
				}
				data, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
				if err = errors.Join(err, f.Close()); err != nil {
					return err
				}
				files = append(files, data)
			}
			for i, data := range files {
				d.Note("begun chain %d", i+1)
				if err := inPlace(d.FS(), "r/chain.reg", data, synced); err != nil {
					return err
				}
				d.Note("kept chain %d", i+1)
			}
			return nil
		}
		if _, err := storetest.EveryCut(careless, oldOrNew, 20); err == nil {
			t.Errorf("a register written in place (synced: %t) was not caught", synced)
		}
	}
}

func TestARegisterIsOldOrNewWhenAnyStepFails(t *testing.T) {
	for _, kind := range []storetest.Kind{storetest.Create, storetest.Write, storetest.Sync, storetest.Rename, storetest.SyncDir, storetest.Remove} {
		for nth := 1; nth <= 8; nth++ {
			faulty := func(d *storetest.Disk) error {
				count := 0
				d.Fail(func(op storetest.Op) error {
					if op.Kind == kind {
						if count++; count == nth {
							return syscall.EIO
						}
					}
					return nil
				})
				err := rewriting(d)
				d.Fail(nil)
				return err
			}
			if _, err := storetest.EveryCut(faulty, oldOrNew, 2); err != nil {
				t.Fatalf("%s number %d fails: %v", kind, nth, err)
			}
		}
	}
}

func TestAFailedSyncLeavesTheOldValue(t *testing.T) {
	d := storetest.New()
	r := openRegisters(t, d)
	put(t, r, "key", "old")
	d.Fail(func(op storetest.Op) error {
		if op.Kind == storetest.Sync {
			return syscall.EIO
		}
		return nil
	})
	for range 3 {
		if err := r.Put("key", []byte("new")); !errors.Is(err, syscall.EIO) {
			t.Fatalf("put on a card whose sync fails: %v", err)
		}
	}
	if got, err := r.Get("key"); err != nil || string(got) != "old" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestARottenRegisterIsNeverBelievedAndCanBePutAgain(t *testing.T) {
	d := storetest.New()
	r := openRegisters(t, d)
	put(t, r, "document/abc", "the value")
	e, err := d.FS().Stat(d.Files()[0])
	if err != nil {
		t.Fatal(err)
	}
	for off := range e.Size {
		if err := d.Rot(d.Files()[0], off); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Get("document/abc"); !errors.Is(err, store.ErrCorrupt) {
			t.Fatalf("bit at byte %d: got %q, %v", off, got, err)
		}
		put(t, r, "document/abc", "the value")
	}
}

func TestARegisterThatTheCardDoesNotGiveIsNotCalledDamaged(t *testing.T) {
	d := storetest.New()
	r := openRegisters(t, d)
	put(t, r, "key", "the value")
	unread(d, 0)
	if _, err := r.Get("key"); !errors.Is(err, syscall.EIO) || errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrAbsent) {
		t.Errorf("get: %v", err)
	}
	d.Fail(nil)
	if got, err := r.Get("key"); err != nil || string(got) != "the value" {
		t.Errorf("get when the card answers again: %q, %v", got, err)
	}
}

func TestARegisterUnderAnotherNameIsNotBelieved(t *testing.T) {
	d := storetest.New()
	r := openRegisters(t, d)
	put(t, r, "one", "1")
	if err := d.FS().Rename("r/one.reg", "r/two.reg"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Get("two"); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("get: %v", err)
	}
}

func TestRegistersAreListedByPrefix(t *testing.T) {
	r := openRegisters(t, storetest.New())
	for _, name := range []string{"document/b", "chain", "document/a"} {
		put(t, r, name, name)
	}
	got, err := r.List("document/")
	if err != nil || !slices.Equal(got, []string{"document/a", "document/b"}) {
		t.Errorf("list: %v, %v", got, err)
	}
	if all, err := r.List(""); err != nil || len(all) != 3 {
		t.Errorf("list all: %v, %v", all, err)
	}
	if v, err := r.Get("document/a"); err != nil || string(v) != "document/a" {
		t.Errorf("get: %q, %v", v, err)
	}
}

func TestRegistersKeepTheirLimits(t *testing.T) {
	d := storetest.New()
	r := openRegisters(t, d)
	if err := r.Put("big", make([]byte, 2001)); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("a value above the limit: %v", err)
	}
	for i := range 5 {
		put(t, r, fmt.Sprint("n", i), "x")
	}
	for _, rr := range []*store.Registers{r, openRegisters(t, d)} {
		if err := rr.Put("n5", []byte("x")); !errors.Is(err, store.ErrFull) {
			t.Errorf("a sixth register: %v", err)
		}
		put(t, rr, "n0", "replaced")
		if err := rr.Delete("n1"); err != nil {
			t.Fatal(err)
		}
		put(t, rr, "n1", "again")
	}
	put(t, r, "n1", strings.Repeat("a", 2000))
	put(t, r, "n2", strings.Repeat("a", 2000))
	if err := r.Put("n3", make([]byte, 1500)); !errors.Is(err, store.ErrFull) {
		t.Errorf("above the total: %v", err)
	}
}

func TestRegisterNamesCannotLeaveTheFolder(t *testing.T) {
	r := openRegisters(t, storetest.New())
	for _, name := range []string{"", "..", "../x", "a/../b", "/a", "a/", "a//b", ".a", "A", "a b", "a,b", "đ", strings.Repeat("a", 121)} {
		if err := r.Put(name, nil); !errors.Is(err, store.ErrName) {
			t.Errorf("put %q: %v", name, err)
		}
		if _, err := r.Get(name); !errors.Is(err, store.ErrName) {
			t.Errorf("get %q: %v", name, err)
		}
		if err := r.Delete(name); !errors.Is(err, store.ErrName) {
			t.Errorf("delete %q: %v", name, err)
		}
	}
	if err := r.Delete("never-put"); err != nil {
		t.Errorf("deleting an absent register: %v", err)
	}
}
