package store_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/controller/store"
)

func TestTheLockIsFreeAfterwards(t *testing.T) {
	dir := t.TempDir()
	unlock, err := store.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Lock(dir); err == nil || !strings.Contains(err.Error(), "stop that one first") {
		t.Errorf("locked twice: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := store.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
	if _, err := store.Lock(filepath.Join(dir, "absent")); err == nil {
		t.Error("nothing was locked")
	}
}
