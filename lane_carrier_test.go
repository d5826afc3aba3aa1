package loaxa

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/controller/store"
	"github.com/loaxa/loaxa/device/link/stick"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// road is a stick that goes between a controller and a node that share no line.
type road struct {
	*pair
	stick  *storetest.Disk
	sounds string
}

const mount = "media"

// newRoad gives the controller everything that a node needs, and the node a slot.
func newRoad(t *testing.T) *road {
	t.Helper()
	w := &road{pair: newPair(t), stick: storetest.New(), sounds: t.TempDir()}
	for kind, raw := range map[broadcast.Kind][]byte{broadcast.KindAuthority: w.Centre.Authority(),
		broadcast.KindPolicy: w.Centre.Policy(func(p *broadcast.Policy) { p.OfflineDays = 30 })} {
		err := w.db.Update(t.Context(), func(tx store.Tx) error {
			sum, err := tx.PutDocument(t.Context(), store.Document{Kind: kind, ID: nodetest.Top, Revision: 1, Raw: raw})
			return errors.Join(err, tx.List(t.Context(), store.Listing{Area: nodetest.Top, Kind: kind, ID: nodetest.Top, Revision: 1, SHA256: sum,
				Until: w.Centre.Instant().Add(365 * 24 * time.Hour)}))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("no line") })
	w.BootAlone()
	slot := stick.New(stick.Config{Name: nodetest.NodeID, Folder: mount, FS: w.stick.FS(), Node: w.Node, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = slot.Serve(ctx) // the context's error
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return w
}

// Open finds a recording at the centre.
func (w *road) Open(sum string) (*os.File, error) {
	path := filepath.Join(w.sounds, sum)
	if err := os.WriteFile(path, w.Centre.Document(broadcast.Digest(sum)), 0o600); err != nil {
		return nil, err
	}
	return os.Open(path)
}

// bring packs what the node needs and plugs the stick in.
func (w *road) bring(t *testing.T) {
	t.Helper()
	var out bytes.Buffer
	made, err := w.dispatch.Pack(t.Context(), nodetest.NodeID, 30, w, &out)
	if err != nil || len(made.Absent) > 0 || made.Alone != 30*24*time.Hour {
		t.Fatalf("%+v %v", made, err)
	}
	f, err := w.stick.FS().OpenFile(filepath.Join(mount, string(nodetest.NodeID)+pack.Suffix), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(out.Bytes(), 0)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// takeHome gives the controller what stands on the stick, and clears it.
func (w *road) takeHome(t *testing.T) {
	t.Helper()
	list, err := w.stick.FS().ReadDir(mount)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		path := filepath.Join(mount, e.Name)
		if node, ok := pack.ReceiptsOf(e.Name); ok {
			f, err := w.stick.FS().OpenFile(path, os.O_RDONLY)
			if err != nil {
				t.Fatal(err)
			}
			raw := make([]byte, e.Size)
			_, err = f.ReadAt(raw, 0)
			if err = errors.Join(err, f.Close()); err != nil {
				t.Fatal(err)
			}
			if got, err := w.dispatch.Carry(t.Context(), node, bytes.NewReader(raw)); err != nil || got.Believed != got.Batches {
				t.Fatalf("%+v %v", got, err)
			}
		}
		if err := w.stick.FS().Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// pull takes the stick out.
func (w *road) pull(t *testing.T) {
	t.Helper()
	if err := w.stick.FS().Remove(filepath.Join(mount, string(nodetest.NodeID)+pack.Suffix)); err != nil {
		t.Fatal(err)
	}
}

func TestWithoutALineAStickBringsWhatIsHeardAndTakesTheProofHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newRoad(t)
		var all []broadcast.Announcement
		for _, in := range []time.Duration{time.Hour, 3 * time.Hour, 9 * time.Hour} {
			a := w.Announcement(broadcast.ID("tin-"+string(rune('a'+len(all)))), broadcast.Priority, in, 2*time.Second)
			w.publish(t, a)
			all = append(all, a)
		}
		<-time.After(10 * time.Second)
		w.halt() // whoever packs needs no controller that runs
		w.bring(t)
		<-time.After(time.Minute)
		w.pull(t)
		<-time.After(10 * time.Hour)
		if n := len(w.Player.Sounded()); n != 3 {
			t.Fatalf("%d soundings, want 3", n)
		}
		w.bring(t)
		<-time.After(time.Minute)
		if sure, _ := w.proved(t, all[0]); len(sure) != 0 {
			t.Fatalf("the controller knows %v already", sure)
		}
		w.takeHome(t)
		for _, a := range all {
			if sure, doubtful := w.proved(t, a); len(sure) != 7 || !slices.Contains(sure, broadcast.Ended) || len(doubtful) > 0 {
				t.Errorf("%s: %v, doubtful %v", a.ID, sure, doubtful)
			}
		}
		<-time.After(time.Minute)
		w.bring(t) // the next stick says how far it is stored
		<-time.After(time.Minute)
		if told, err := w.Node.Receipts(t.Context()); err != nil || told.Upto != 0 {
			t.Errorf("the node still repeats up to %d, %v", told.Upto, err)
		}
		if n := len(w.Wire.Published()); n != 0 {
			t.Errorf("%d messages went to a broker", n)
		}
	})
}
