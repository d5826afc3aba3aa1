package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// withDispatch lends what carries documents and receipts, without a broker.
func withDispatch(ctx context.Context, dir string, log *slog.Logger, f func(*dispatch.Dispatch) error) error {
	return withOffice(ctx, dir, func(db *store.DB, office *people.Office) error {
		tree, err := broadcast.BacQuangTree()
		if err != nil {
			return err
		}
		hub := &events.Hub{}
		all := fleet.New(fleet.Config{DB: db, Tree: tree, Events: hub, Office: office, Now: time.Now, Log: log})
		return f(dispatch.New(dispatch.Config{DB: db, Fleet: all, Events: hub, Office: office, Now: time.Now, Log: log}))
	})
}

type exportCmd struct {
	Data string `help:"The data folder." required:"" type:"existingdir" placeholder:"DIR"`
	Node string `help:"For which node." required:"" placeholder:"ID"`
	Days int    `help:"Recordings for how many days ahead (${default})." default:"30" placeholder:"N"`
	Out  string `help:"The pack, or a folder such as a stick's, where it is named after the node." required:"" type:"path" placeholder:"FILE"`
}

// Run prints where the pack is.
func (c *exportCmd) Run(ctx context.Context, s Streams, log *slog.Logger) error {
	return withDispatch(ctx, c.Data, log, func(d *dispatch.Dispatch) error {
		path := c.Out
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			path = filepath.Join(path, c.Node+pack.Suffix)
		}
		var made dispatch.Packed
		err := whole(path, func(f *os.File) (err error) {
			made, err = d.Pack(ctx, broadcast.ID(c.Node), c.Days, intake.Stored(filepath.Join(c.Data, "content")), f)
			return err
		})
		if err != nil {
			return err
		}
		for _, sum := range made.Absent {
			_, _ = fmt.Fprintf(s.Err, "Left out, because it is not here: %s\n", sum)
		}
		if alone := int(made.Alone.Hours() / 24); alone < c.Days {
			_, _ = fmt.Fprintf(s.Err, "By its policy the node acts alone for %d days after the lists in this pack were sealed, not %d; then only new emergencies sound.\n", alone, c.Days)
		}
		_, _ = fmt.Fprintf(s.Err, "%d documents, %d recordings and running orders.\n", made.Documents, made.Objects)
		_, err = fmt.Fprintln(s.Out, path)
		return err
	})
}

// whole writes a file that is there complete or not at all.
func whole(path string, write func(*os.File) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".pack-*")
	if err != nil {
		return fmt.Errorf("%w; choose a folder that can be written", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

type importCmd struct {
	Data string   `help:"The data folder." required:"" type:"existingdir" placeholder:"DIR"`
	File []string `arg:"" help:"Files of receipts that nodes left on a stick (NODE.CHAIN.loaxa.receipts)." type:"existingfile" placeholder:"FILE"`
}

// Run prints a line for each file, and fails if one was not believed whole.
func (c *importCmd) Run(ctx context.Context, s Streams, log *slog.Logger) error {
	return withDispatch(ctx, c.Data, log, func(d *dispatch.Dispatch) error {
		var all []error
		for _, path := range c.File {
			all = append(all, carryFile(ctx, s, d, path))
		}
		return errors.Join(all...)
	})
}

func carryFile(ctx context.Context, s Streams, d *dispatch.Dispatch, path string) error {
	name := filepath.Base(path)
	node, ok := pack.ReceiptsOf(name)
	if !ok {
		return fmt.Errorf("%s: not a file of receipts; they are called NODE.CHAIN%s", name, pack.ReceiptsSuffix)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // opened for reading
	got, err := d.Carry(ctx, node, f)
	_, _ = fmt.Fprintf(s.Out, "%s: %d new receipts of %s\n", name, got.New, node)
	if err == nil && got.Believed < got.Batches {
		err = fmt.Errorf("%s: %d of %d batches were not sealed by the confirmed node %s", name, got.Batches-got.Believed, got.Batches, node)
	}
	return err
}
