package dispatch

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
)

// Carried is what a file of receipts brought.
type Carried struct {
	// Batches stood in the file, Believed of them were sealed by the node.
	Batches, Believed int
	// New are receipts that were not stored before.
	New int
}

// Carry stores a file of receipts that came by hand, exactly as if the broker
// had brought them. They are acknowledged by the next pack, and by the broker
// when the node sends them again. An error leaves what was stored before it.
func (d *Dispatch) Carry(ctx context.Context, node broadcast.ID, r io.Reader) (Carried, error) {
	var out Carried
	var list []incoming
	_, err := pack.ReadReceipts(r, func(raw []byte) error {
		list = append(list, incoming{node: node, raw: raw})
		if len(list) < batchSize {
			return nil
		}
		err := d.carry(ctx, list, &out)
		list = nil
		return err
	})
	if err == nil {
		err = d.carry(ctx, list, &out)
	}
	if err != nil {
		return out, fmt.Errorf("receipts of %s: %w", node, err)
	}
	return out, nil
}

func (d *Dispatch) carry(ctx context.Context, list []incoming, out *Carried) error {
	out.Batches += len(list)
	opened := d.openAll(ctx, slices.Clone(list))
	out.Believed += len(opened)
	if len(opened) == 0 {
		return nil
	}
	k, err := d.store(ctx, opened)
	if err != nil {
		return err
	}
	out.New += len(k.rows)
	return nil
}
