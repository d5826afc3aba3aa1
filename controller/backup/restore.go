package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Target is where a house is restored.
type Target struct {
	// Dir is the data folder to make; it must be empty or absent.
	Dir    string
	People people.Config
	// RootFiles are the root keys that certify a service key of the next epoch;
	// without them the one of the backup stays. Ask is called with the path of one
	// that has a passphrase.
	RootFiles []string
	Ask       func(path string) (string, error)
}

// Restored is what was restored; Epoch is 0 if the service key stayed.
type Restored struct {
	Report
	Epoch int64
}

// Restore makes a data folder out of a backup. Until it has returned without an
// error the folder holds no house that could be served.
func Restore(ctx context.Context, r io.Reader, passphrase string, to Target) (out Restored, err error) {
	if err := people.EmptyFolder(to.Dir); err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	b, err := open(r, passphrase)
	if err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	if err := os.MkdirAll(to.Dir, 0o700); err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	unlock, err := store.Lock(to.Dir)
	if err != nil {
		return out, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	err = b.unpack(ctx, func(name string) string { return filepath.Join(to.Dir, filepath.FromSlash(name)) })
	if err == nil && len(b.key) == 0 {
		err = fmt.Errorf("%w: it lacks the service key", ErrFormat)
	}
	if err == nil {
		out, err = b.settle(ctx, to)
	}
	if err != nil {
		return out, fmt.Errorf("restore: %w; what is in %s now is no house: delete it before you try again", err, to.Dir)
	}
	return out, nil
}

// settle makes the restored house silent and, last of all, one that can be served.
func (b *reading) settle(ctx context.Context, to Target) (out Restored, err error) {
	db, err := store.Open(ctx, to.Dir)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if out.Report, err = b.report(ctx, db); err != nil {
		return out, err
	}
	now := broadcast.InstantOf(to.People.Now())
	err = db.Update(ctx, func(tx store.Tx) error {
		if err := tx.Restored(ctx, store.Restoration{Made: b.about.Made, At: now}); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: now, Act: "house.restore", Subject: string(b.about.Fingerprint),
			Detail: map[string]any{"made": b.about.Made, "rows": out.Rows}})
	})
	if err != nil {
		return out, err
	}
	tree, err := organisation.Read(ctx, db, to.People.Tree())
	if err != nil {
		return out, err
	}
	to.People.Tree = organisation.Fixed(tree)
	office, err := people.Open(ctx, to.Dir, db, to.People)
	if err != nil {
		return out, err
	}
	if office.Fingerprint() != b.about.Fingerprint {
		return out, fmt.Errorf("%w: it says that it is of another house", ErrFormat)
	}
	if len(to.RootFiles) > 0 {
		out.Epoch, err = office.Succeed(ctx, to.RootFiles, to.Ask)
		return out, err
	}
	return out, people.KeepServiceKey(to.Dir, b.key)
}
