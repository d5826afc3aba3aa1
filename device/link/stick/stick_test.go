package stick_test

import (
	"bytes"
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
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/device/link/stick"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

const folder = "stick"

// plugged runs a test in virtual time with a node that never had a line, and a
// slot for sticks.
func plugged(t *testing.T, test func(t *testing.T, r *nodetest.Rig, disk *storetest.Disk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("no line") })
		r.BootAlone()
		defer func() { r.Stop() }()
		disk := storetest.New()
		slot := stick.New(stick.Config{Name: nodetest.NodeID, Folder: folder, FS: disk.FS(), Node: r.Node, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = slot.Serve(t.Context()) // until the test is over
		}()
		test(t, r, disk)
	})
}

func pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// packed is a pack for the rig's node with some announcements.
func packed(t *testing.T, r *nodetest.Rig, more ...[]byte) []byte {
	t.Helper()
	documents := [][]byte{r.Centre.Authority(), r.Centre.Assignment(nodetest.NodeID, r.Public(), nodetest.Area), r.Centre.Policy(nil)}
	var sounds [][]byte
	for _, raw := range more {
		env, err := seal.Parse(broadcast.KindAnnouncement, raw)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := env.PayloadBytes()
		if err != nil {
			t.Fatal(err)
		}
		a, err := broadcast.Decode[broadcast.Announcement](payload)
		if err != nil {
			t.Fatal(err)
		}
		sounds = append(sounds, r.Centre.Document(a.Versions[0].Content.SHA256))
	}
	documents = append(append(documents, more...), r.Centre.Manifest(nodetest.Top), r.Centre.Manifest(nodetest.Area))
	var out bytes.Buffer
	w := pack.NewWriter(&out)
	for _, d := range documents {
		if err := w.Document(d); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range sounds {
		if err := w.Object(broadcast.Sum(s), int64(len(s)), bytes.NewReader(s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// put writes a file onto a stick.
func put(t *testing.T, disk *storetest.Disk, name string, raw []byte) {
	t.Helper()
	f, err := disk.FS().OpenFile(filepath.Join(folder, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(raw, 0)
	if err = errors.Join(err, f.Sync(), f.Close(), disk.FS().SyncDir(folder)); err != nil {
		t.Fatal(err)
	}
}

// proofs opens the receipts on a stick, which must be the node's.
func proofs(t *testing.T, r *nodetest.Rig, disk *storetest.Disk) (rungs []broadcast.Rung, files int) {
	t.Helper()
	list, err := disk.FS().ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if node, ok := pack.ReceiptsOf(e.Name); !ok || node != nodetest.NodeID {
			continue
		}
		files++
		f, err := disk.FS().OpenFile(filepath.Join(folder, e.Name), os.O_RDONLY)
		if err != nil {
			t.Fatal(err)
		}
		raw := make([]byte, e.Size)
		if _, err := f.ReadAt(raw, 0); err != nil {
			t.Fatal(err)
		}
		_ = f.Close() // opened for reading
		_, err = pack.ReadReceipts(bytes.NewReader(raw), func(line []byte) error {
			b, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, line, r.Public())
			for _, one := range b.Receipts {
				rungs = append(rungs, one.Rung)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
	}
	return rungs, files
}

func TestAPackOnAStickIsHeardAndAnsweredWithReceipts(t *testing.T) {
	plugged(t, func(t *testing.T, r *nodetest.Rig, disk *storetest.Disk) {
		a := r.Announcement("flood", broadcast.Emergency, time.Minute, 3*time.Second)
		put(t, disk, "thang-12.loaxa.tar", packed(t, r, r.Sealed(a)))
		put(t, disk, "readme.txt", []byte("not ours"))
		pass(3 * time.Second)
		if rungs, _ := proofs(t, r, disk); !slices.Equal(rungs, []broadcast.Rung{broadcast.Received, broadcast.Verified, broadcast.Cached}) {
			t.Errorf("while the stick is in: %v", rungs)
		}
		pass(3 * time.Minute)
		if got := r.Player.Sounded(); len(got) != 1 {
			t.Fatalf("%d soundings", len(got))
		}
		want := []broadcast.Rung{broadcast.Received, broadcast.Verified, broadcast.Cached, broadcast.Powered, broadcast.Playing, broadcast.Sounded, broadcast.Ended}
		rungs, files := proofs(t, r, disk)
		if !slices.Equal(rungs, want) || files != 1 {
			t.Errorf("%d files with %v, want %v", files, rungs, want)
		}
		if len(r.Wire.Published()) != 0 {
			t.Error("it spoke to a broker")
		}
		ops := disk.Ops()
		pass(10 * time.Minute)
		if disk.Ops() != ops {
			t.Error("the stick is written although nothing is new")
		}
	})
}

func TestAStickFullOfLiesChangesNothing(t *testing.T) {
	plugged(t, func(t *testing.T, r *nodetest.Rig, disk *storetest.Disk) {
		a := r.Announcement("flood", broadcast.Emergency, time.Minute, 3*time.Second)
		forged := sealtest.Sealed(broadcast.KindAnnouncement, a, sealtest.Bare("lan"), sealtest.Bare("minh"))
		good := packed(t, r, r.Sealed(a))
		put(t, disk, "forged.loaxa.tar", packed(t, r, forged))
		put(t, disk, "altered.loaxa.tar", bytes.ReplaceAll(good, []byte(`"payload":"`), []byte(`"payload":"A`)))
		put(t, disk, "torn.loaxa.tar", good[:700])
		put(t, disk, "noise.loaxa.tar", bytes.Repeat([]byte("flood!"), 10_000))
		put(t, disk, "empty.loaxa.tar", nil)
		put(t, disk, "other.chain"+pack.ReceiptsSuffix, []byte("{}\n"))
		pass(10 * time.Minute)
		if got := r.Player.Sounded(); len(got) != 0 {
			t.Errorf("heard: %+v", got)
		}
		if _, files := proofs(t, r, disk); files != 0 {
			t.Errorf("%d files of receipts, and nothing was proved", files)
		}
		// The truth is believed although the lies came first.
		put(t, disk, "good.loaxa.tar", packed(t, r, r.Sealed(again(r, a))))
		pass(5 * time.Minute)
		if got := r.Player.Sounded(); len(got) != 1 {
			t.Errorf("%d soundings", len(got))
		}
	})
}

// again is an announcement a minute from now.
func again(r *nodetest.Rig, a broadcast.Announcement) broadcast.Announcement {
	a.Revision = r.Centre.Revision("announcement " + string(a.ID))
	a.Timing.Start = r.Centre.Instant().Add(time.Minute)
	return a
}

func TestThePackWithTheNodesNameIsEnough(t *testing.T) {
	plugged(t, func(t *testing.T, r *nodetest.Rig, disk *storetest.Disk) {
		mine := r.Announcement("mine", broadcast.Emergency, time.Minute, time.Second)
		other := r.Announcement("other", broadcast.Emergency, 10*time.Minute, time.Second)
		a, b := packed(t, r, r.Sealed(mine)), packed(t, r, r.Sealed(other))
		put(t, disk, string(nodetest.NodeID)+pack.Suffix, a)
		put(t, disk, "tan-lap-2"+pack.Suffix, b)
		pass(time.Hour)
		if got := r.Player.Sounded(); len(got) != 1 {
			t.Errorf("%d soundings, want only its own", len(got))
		}
	})
}

func TestAStickPulledAtAnyWriteHoldsOldReceiptsOrNewOnesAndNoOthers(t *testing.T) {
	plugged(t, func(t *testing.T, r *nodetest.Rig, disk *storetest.Disk) {
		a := r.Announcement("flood", broadcast.Emergency, time.Minute, 3*time.Second)
		put(t, disk, "p.loaxa.tar", packed(t, r, r.Sealed(a)))
		began := disk.Ops()
		pass(5 * time.Minute)
		whole, _ := proofs(t, r, disk)
		if len(whole) != 7 {
			t.Fatalf("%v", whole)
		}
		for ops := began; ops <= disk.Ops(); ops++ {
			for _, seed := range []uint64{storetest.KeepAll, storetest.KeepSynced, 7, 8} {
				after, _ := disk.Cut(ops, seed)
				if rungs, _ := proofs(t, r, after); len(rungs) > 0 && !slices.Equal(rungs, whole[:len(rungs)]) {
					t.Errorf("pulled at %d of %d: %v", ops, disk.Ops(), rungs)
				}
			}
		}
	})
}

func TestAStickThatFailsIsTakenWhenItIsPluggedInAnew(t *testing.T) {
	plugged(t, func(t *testing.T, r *nodetest.Rig, disk *storetest.Disk) {
		a := r.Announcement("flood", broadcast.Emergency, 10*time.Minute, 3*time.Second)
		raw := packed(t, r, r.Sealed(a))
		put(t, disk, "p.loaxa.tar", raw)
		reads := 0
		disk.Fail(func(storetest.Op) error {
			if reads++; reads > 12 {
				return errors.New("no such device")
			}
			return nil
		})
		pass(10 * time.Second)
		disk.Fail(nil)
		if err := disk.FS().Remove(filepath.Join(folder, "p.loaxa.tar")); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		put(t, disk, "p.loaxa.tar", raw)
		pass(15 * time.Minute)
		if got := r.Player.Sounded(); len(got) != 1 {
			t.Errorf("%d soundings", len(got))
		}
	})
}
