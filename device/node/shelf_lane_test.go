package node_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// TestANodesShelfIsOldOrNewAfterAPowerCutAtEveryWrite lets the power fail at each
// write, sync, rename and removal of a node's morning, with nothing on the card
// but what was synced, or with some of the rest, and has it live on.
func TestANodesShelfIsOldOrNewAfterAPowerCutAtEveryWrite(t *testing.T) {
	t.Parallel()
	ops, _ := live(t, 1<<30, 0, nil)
	if ops < 150 {
		t.Errorf("only %d operations: is everything stored?", ops)
	}
	for at := range ops {
		if err := liveOn(t, at, nil); err != nil {
			t.Errorf("after %d of %d operations: %v", at, ops, err)
		}
	}
}

// liveOn is a life with its power cut there, and a seed of its own.
func liveOn(t *testing.T, at int, through func(store.FS) store.FS) error {
	seed := storetest.KeepSynced
	if at%2 == 1 {
		seed = 100 + uint64(at)
	}
	if _, err := live(t, at, seed, through); err != nil {
		return fmt.Errorf("loss seed %d: %w", seed, err)
	}
	return nil
}

// TestWhatANodeReadsAtABootIsOldOrNewAtEveryCut looks at many more cards of one
// morning, as a boot reads them.
func TestWhatANodeReadsAtABootIsOldOrNewAtEveryCut(t *testing.T) {
	cards, err := eachCard(t, nil, 8)
	if err != nil {
		t.Error(err)
	}
	if cards < 1000 {
		t.Errorf("only %d cards were looked at", cards)
	}
}

// TestTheShelfLaneCatchesCarelessWriters has the same stores write through
// something that leaves out one step: each must be seen by what is read at a
// boot, and those that lose what was promised by the life after it.
func TestTheShelfLaneCatchesCarelessWriters(t *testing.T) {
	for _, c := range []struct {
		name    string
		through func(store.FS) store.FS
		lives   bool
	}{
		{"in place", inPlace, false}, // the journal has what the shelf lost
		{"without syncing files", withoutSync, true},
		{"without syncing folders", withoutSyncDir, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := eachCard(t, c.through, 8); err == nil {
				t.Error("no card shows it")
			}
			if !c.lives {
				return
			}
			ops, _ := live(t, 1<<30, 0, c.through)
			for at := ops - 1; at > 0; at -= 2 {
				if err := liveOn(t, at, c.through); err != nil {
					return
				}
			}
			t.Error("no life shows it")
		})
	}
}

// inPlace replaces a file by writing over it, as os.WriteFile does.
func inPlace(fs store.FS) store.FS {
	open, rename := fs.OpenFile, fs.Rename
	register := func(file string) (string, bool) {
		stem, ok := strings.CutSuffix(file, ".tmp")
		return stem + ".reg", ok
	}
	fs.OpenFile = func(file string, flag int) (store.File, error) {
		if to, ok := register(file); ok {
			return open(to, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
		}
		return open(file, flag)
	}
	fs.Rename = func(from, to string) error {
		if _, ok := register(from); ok {
			return nil
		}
		return rename(from, to)
	}
	return fs
}

// forgetful is a file whose sync does nothing.
type forgetful struct{ store.File }

func (forgetful) Sync() error { return nil }

func withoutSync(fs store.FS) store.FS {
	open := fs.OpenFile
	fs.OpenFile = func(file string, flag int) (store.File, error) {
		f, err := open(file, flag)
		if err != nil {
			return nil, err
		}
		return forgetful{f}, nil
	}
	return fs
}

func withoutSyncDir(fs store.FS) store.FS {
	fs.SyncDir = func(string) error { return nil }
	return fs
}

// eachCard cuts one whole morning at every operation, with losses of each seed,
// and reads what is found as a boot does.
func eachCard(t *testing.T, through func(store.FS) store.FS, seeds uint64) (cards int, wrong error) {
	synctest.Test(t, func(t *testing.T) {
		l := &cutLife{Rig: nodetest.NewRig(t)}
		l.Through, l.Rig.Change = through, quietly(nil)
		disk := l.Disk
		l.Centre.Stored = func(_, _ broadcast.ID, r broadcast.Receipt) { disk.Note("%d %s", r.Seq, r.Prev) }
		l.Boot()
		l.morning(nil)
		l.Stop()
		for ops := range disk.Ops() + 1 {
			for seed := range seeds {
				cards++
				after, notes := disk.Cut(ops, seed)
				if err := errors.Join(wholeChain(after, notes), wholeRegisters(after), wholeContents(after)); err != nil {
					wrong = fmt.Errorf("after %d operations, loss seed %d: %w", ops, seed, err)
					return
				}
			}
		}
	})
	return cards, wrong
}

// wholeChain reads the receipts of a card: none is missing of those that were
// told.
func wholeChain(card *storetest.Disk, told []string) error {
	j, err := store.OpenJournal(card.FS(), "journal", nodetest.JournalLimits)
	if err != nil {
		return err
	}
	list, err := nodetest.Receipts(j)
	if err != nil {
		return err
	}
	prev := broadcast.Sum(nil)
	for i, r := range list {
		if r.Seq != int64(i+1) || r.Prev != prev {
			return fmt.Errorf("receipt %d stands at place %d", r.Seq, i+1)
		}
		if i < len(told) && told[i] != fmt.Sprintf("%d %s", r.Seq, r.Prev) {
			return fmt.Errorf("receipt %d is not the one that was told", r.Seq)
		}
		if prev, err = r.Digest(); err != nil {
			return err
		}
	}
	if len(list) < len(told) {
		return fmt.Errorf("%d receipts, %d were told", len(list), len(told))
	}
	return nil
}

// wholeRegisters reads every register of a card.
func wholeRegisters(card *storetest.Disk) error {
	r, err := store.OpenRegisters(card.FS(), "registers", nodetest.RegisterLimits)
	if err != nil {
		return err
	}
	names, err := r.List("")
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := r.Get(name); err != nil {
			return err
		}
	}
	return nil
}

// wholeContents reads every recording that a card shows.
func wholeContents(card *storetest.Disk) error {
	c, err := store.OpenContents(card.FS(), "contents", nodetest.ContentLimits)
	if err != nil {
		return err
	}
	for _, sum := range c.Held() {
		if err := c.Verify(sum); err != nil {
			return fmt.Errorf("%s: %w", path.Join("contents", hex.EncodeToString(sum[:])), err)
		}
	}
	return nil
}
