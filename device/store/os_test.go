package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/loaxa/loaxa/device/store"
)

type keeping struct {
	j *store.Journal
	r *store.Registers
	c *store.Contents
}

func openReal(t *testing.T, dir string) keeping {
	t.Helper()
	j, err := store.OpenJournal(store.OS(), filepath.Join(dir, "journal"), store.JournalLimits{Record: 16 << 10, Segment: 128 << 10, Total: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	r, err := store.OpenRegisters(store.OS(), filepath.Join(dir, "registers"), store.RegisterLimits{Value: 256 << 10, Count: 1000, Total: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	c, err := store.OpenContents(store.OS(), filepath.Join(dir, "contents"), store.ContentLimits{File: 64 << 20, Quota: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	return keeping{j, r, c}
}

func TestTheStoreWorksOnTheFileSystemOfTheMachine(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node", "deep")
	k := openReal(t, dir)
	if _, err := k.j.Append([]byte("first")); err != nil {
		t.Fatal(err)
	}
	put(t, k.r, "time/floor", "noon")
	sum := mustDownload(t, k.c, 1, 200*kb)
	if err := k.j.Close(); err != nil {
		t.Fatal(err)
	}
	k = openReal(t, dir)
	if got := readAll(t, k.j, 0); got[1] != "first" {
		t.Errorf("journal: %v", got)
	}
	if v, err := k.r.Get("time/floor"); err != nil || string(v) != "noon" {
		t.Errorf("register: %q, %v", v, err)
	}
	if err := k.c.Verify(sum); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(filepath.Join(dir, "contents", "nothing"), 0); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("truncate: %v", err)
	}
	for _, sub := range []string{"journal", "registers", "contents"} {
		entries, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s is open to others: %v, %v", e.Name(), info.Mode(), err)
			}
		}
	}
	if err := k.r.Delete("time/floor"); err != nil {
		t.Error(err)
	}
}

// Hundreds of nodes are simulated in one process: each may cost 200 kB here.
func TestAnOpenStoreAtRestCostsLessThan200KB(t *testing.T) {
	const stores = 50
	dir := t.TempDir()
	record := make([]byte, 300)
	open := make([]keeping, 0, stores)
	before := heap()
	for i := range stores {
		k := openReal(t, filepath.Join(dir, string(rune('a'+i/26)), string(rune('a'+i%26))))
		batch := make([][]byte, 1000)
		for n := range batch {
			batch[n] = record
		}
		if _, err := k.j.AppendBatch(batch); err != nil {
			t.Fatal(err)
		}
		put(t, k.r, "chain", "id")
		open = append(open, k)
	}
	each := (heap() - before) / stores
	t.Logf("%d bytes each with 1,000 records held", each)
	if each > 200<<10 {
		t.Errorf("an open store costs %d bytes", each)
	}
	for _, k := range open {
		if err := k.j.Close(); err != nil {
			t.Error(err)
		}
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) + int64(m.StackInuse)
}
