package stick_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/device/link/stick"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/speech"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// spoken are recordings by their names; an empty one is gone.
type spoken map[string]string

func (k spoken) Waiting() (names []string, err error) {
	for name := range k {
		names = append(names, name)
	}
	return names, nil
}

func (k spoken) Take(name string) (speech.Recording, error) {
	text, found := k[name]
	if !found {
		return speech.Recording{}, os.ErrNotExist
	}
	r := speech.Recording{Content: broadcast.Content{SHA256: broadcast.Sum([]byte(text)), Bytes: int64(len(text))}}
	if text != "" {
		r.File = file{bytes.NewReader([]byte(text))}
	}
	return r, nil
}

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

// on says what a stick holds under the name of a recording; empty for nothing.
func on(t *testing.T, disk *storetest.Disk, text string) string {
	t.Helper()
	path := filepath.Join(folder, pack.RecordingName(nodetest.NodeID, broadcast.Sum([]byte(text))))
	f, err := disk.FS().OpenFile(path, os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := disk.FS().Stat(path)
	raw := make([]byte, e.Size)
	if err == nil && e.Size > 0 {
		_, err = f.ReadAt(raw, 0)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWhatWasSpokenGoesHomeOnTheStick(t *testing.T) {
	first, second := strings.Repeat("first ", 10_000), "second"
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.BootAlone()
		defer func() { r.Stop() }()
		disk := storetest.New()
		slot := stick.New(stick.Config{Name: nodetest.NodeID, Folder: folder, FS: disk.FS(), Node: r.Node, Tapes: spoken{"a1": first, "a2": second, "a3": ""},
			Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = slot.Serve(ctx) // until the test is over
		}()
		pass(time.Minute)
		if disk.Ops() != 0 {
			t.Error("a folder without a pack is written")
		}
		began := disk.Ops()
		put(t, disk, "p.loaxa.tar", packed(t, r))
		pass(time.Minute)
		if on(t, disk, first) != first || on(t, disk, second) != second || on(t, disk, "") != "" {
			t.Error("what was spoken is not on the stick, or what is gone is")
		}
		ops := disk.Ops()
		pass(10 * time.Minute)
		if disk.Ops() != ops {
			t.Error("the stick is written although nothing is new")
		}
		cancel()
		<-done
		for at := began; at <= ops; at++ {
			for _, seed := range []uint64{storetest.KeepAll, storetest.KeepSynced, 7} {
				after, _ := disk.Cut(at, seed)
				if got := on(t, after, first); got != "" && got != first {
					t.Errorf("pulled at %d of %d: %d bytes", at, ops, len(got))
				}
			}
		}
	})
}

func TestAStickThatIsFullCostsNothingElse(t *testing.T) {
	disk := storetest.New()
	disk.Fail(func(storetest.Op) error { return errors.New("no space left on device") })
	got, err := stick.Bring(disk.FS(), folder, nodetest.NodeID, spoken{"a1": "text"}, "a1")
	if err == nil || got != "" || on(t, disk, "text") != "" {
		t.Errorf("%q, %v", got, err)
	}
	disk.Fail(nil)
	for range 2 { // what stands there is not written again
		if got, err := stick.Bring(disk.FS(), folder, nodetest.NodeID, spoken{"a1": "text"}, "a1"); err != nil || on(t, disk, "text") != "text" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if got, err := stick.Bring(disk.FS(), folder, nodetest.NodeID, spoken{}, "a1"); got != "" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
