package desktest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

// morning is when every house of a test begins.
func morning() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, broadcast.Local()) }

// staff are the people of the demo with their roles.
func staff() map[broadcast.ID]string {
	return map[broadcast.ID]string{"bien-tap": "editor", "duyet-1": "approver", "duyet-2": "approver", "can-bo-xa": "commune-official",
		"ky-thuat": "technician", "quan-tri": "administrator", "kiem-tra": "auditor"}
}

// furnished is a house as it was set up once: its files, and the tokens of its
// people. Setting one up for every test would take most of the tests' time.
type furnished struct {
	files  map[string][]byte
	tokens map[broadcast.ID]string
}

var once = sync.OnceValues(furnish)

func furnish() (furnished, error) {
	f := furnished{files: map[string][]byte{}, tokens: map[broadcast.ID]string{}}
	root, err := os.MkdirTemp("", "loaxa-desktest-")
	if err != nil {
		return f, err
	}
	defer func() { _ = os.RemoveAll(root) }()
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		return f, err
	}
	ctx, dir, cfg := context.Background(), filepath.Join(root, "data"), config(tree, morning)
	if _, err := people.InitDemo(ctx, dir, cfg); err != nil {
		return f, err
	}
	for id, role := range staff() {
		if f.tokens[id], err = people.AdminToken(ctx, dir, people.TokenRequest{Role: role, Person: id, New: true}, cfg); err != nil {
			return f, err
		}
	}
	return f, filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err == nil {
			f.files[name], err = os.ReadFile(path)
		}
		return err
	})
}

func config(tree broadcast.Tree, now func() time.Time) people.Config {
	return people.Config{Tree: organisation.Fixed(tree), Now: now, Cost: people.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}}
}

// open returns a house of its own with everything in it.
func open(t testing.TB, now func() time.Time) (peopletest.House, map[broadcast.ID]string) {
	t.Helper()
	f, err := once()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for name, b := range f.files {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	h := peopletest.House{Dir: filepath.Join(root, "data"), Config: peopletest.Config(t, now)}
	h.DB, h.Office = peopletest.Open(t, h.Dir, h.Config)
	return h, f.tokens
}
