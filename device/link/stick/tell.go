package stick

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/device/node"
)

const readOnly = os.O_RDONLY

// tell writes what the node proved and no controller acknowledged, if that is
// more than what stands on the stick.
func (s *Slot) tell(ctx context.Context) {
	told, err := s.cfg.Node.Receipts(ctx)
	if err != nil {
		s.cfg.Log.Warn("no receipts for the stick", "err", err)
		return
	}
	if told.Upto == 0 || told.Chain == s.told.Chain && told.Upto == s.told.Upto {
		return
	}
	if err := s.write(told); err != nil {
		s.cfg.Log.Warn("receipts are not on the stick", "err", err)
		return
	}
	s.told = node.Told{Chain: told.Chain, Upto: told.Upto}
	s.cfg.Log.Info("receipts are on the stick", "upto", told.Upto, "batches", len(told.Batches))
	if len(told.Batches) == node.MaxTold {
		s.cfg.Log.Warn("more receipts wait than one stick takes; the rest follows when these are acknowledged")
	}
}

// write puts the whole file beside the old one and then in its place.
func (s *Slot) write(told node.Told) error {
	var out bytes.Buffer
	if err := pack.WriteReceipts(&out, told.Batches); err != nil {
		return err
	}
	fs, name := s.cfg.FS, filepath.Join(s.cfg.Folder, pack.ReceiptsName(s.cfg.Name, told.Chain))
	beside := name + ".new"
	f, err := fs.OpenFile(beside, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(out.Bytes(), 0)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = fs.Rename(beside, name)
	}
	if err == nil {
		err = fs.SyncDir(s.cfg.Folder)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return nil
}
