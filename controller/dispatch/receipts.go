package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// One transaction takes at most batchSize batches, or what came in batchWait.
const (
	batchSize = 200
	batchWait = 10 * time.Millisecond
)

// ErrForked means that a node's chain goes on from something else than what
// was stored: a restored or cloned card, or a lie.
var ErrForked = errors.New("the receipt chain does not continue the stored one")

// incoming is one message on a node's receipt topic.
type incoming struct {
	node broadcast.ID
	raw  []byte
}

// serveReceipts stores receipts in batches and acknowledges what was committed.
func (d *Dispatch) serveReceipts(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case first := <-d.receipts:
			d.take(ctx, d.gather(ctx, first))
		}
	}
}

func (d *Dispatch) gather(ctx context.Context, first incoming) []incoming {
	batch := []incoming{first}
	end := time.NewTimer(batchWait)
	defer end.Stop()
	for len(batch) < batchSize {
		select {
		case <-ctx.Done():
			return batch
		case in := <-d.receipts:
			batch = append(batch, in)
		case <-end.C:
			return batch
		}
	}
	return batch
}

// take opens, stores and acknowledges a batch. A message that is not believed
// costs the others nothing.
func (d *Dispatch) take(ctx context.Context, batch []incoming) {
	var opened []broadcast.ReceiptBatch
	for _, in := range batch {
		b, err := d.open(ctx, in)
		if err != nil {
			d.complain(ctx, "receipts refused", "node", in.node, "err", err)
			continue
		}
		opened = append(opened, b)
	}
	if len(opened) == 0 {
		return
	}
	var acks []broadcast.ReceiptAck
	changed := map[broadcast.ID]bool{}
	err := d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		acks = acks[:0]
		clear(changed)
		for _, b := range opened {
			ack, err := d.append(ctx, tx, b, changed)
			if errors.Is(err, ErrForked) {
				d.complain(ctx, "receipts refused", "node", b.Node, "err", err)
				continue
			}
			if err != nil {
				return err
			}
			acks = append(acks, ack)
		}
		return nil
	})
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "receipts not stored; nodes send them again", "err", err)
		return
	}
	d.acknowledge(ctx, acks)
	for id := range changed {
		d.cfg.Events.Publish(events.Event{Kind: events.Delivery, ID: id})
	}
}

// acknowledge answers every node once. Of two chains in one batch the later is
// answered; the other is sent again.
func (d *Dispatch) acknowledge(ctx context.Context, acks []broadcast.ReceiptAck) {
	newest := map[broadcast.ID]broadcast.ReceiptAck{}
	for _, a := range acks {
		if have, ok := newest[a.Node]; !ok || have.Chain != a.Chain || a.Seq > have.Seq {
			newest[a.Node] = a
		}
	}
	for _, a := range newest {
		if err := d.seal(ctx, broadcast.KindAck, a, wire.Node(a.Node, "receipt/ack"), false); err != nil {
			d.cfg.Log.WarnContext(ctx, "acknowledgement not sent", "node", a.Node, "err", err)
		}
	}
}

// open believes a batch if the node's confirmed key sealed it.
func (d *Dispatch) open(ctx context.Context, in incoming) (broadcast.ReceiptBatch, error) {
	n, err := d.cfg.DB.Node(ctx, in.node)
	if err != nil {
		return broadcast.ReceiptBatch{}, err
	}
	if n.Status != store.Confirmed {
		return broadcast.ReceiptBatch{}, fmt.Errorf("the node is %s, not confirmed", n.Status)
	}
	b, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, in.raw, n.Key)
	if err != nil {
		return b, err
	}
	if b.Node != in.node {
		return b, fmt.Errorf("sealed for node %s", b.Node)
	}
	return b, nil
}

// append stores the part of a batch that is new. A batch that begins after the
// stored end stores nothing, and the acknowledgement says where to go on. Of a
// chain that was never seen there is no such place to name: it is taken up
// where it begins. A node sends only what no controller acknowledged, so what
// came before was stored in a database that is not this one.
func (d *Dispatch) append(ctx context.Context, tx store.Tx, b broadcast.ReceiptBatch, changed map[broadcast.ID]bool) (broadcast.ReceiptAck, error) {
	at, err := tx.Chain(ctx, b.Node, b.Chain)
	if err != nil {
		return broadcast.ReceiptAck{}, err
	}
	if first := b.Receipts[0]; at.Seq == 0 && first.Seq > 1 {
		at.Seq, at.Head = first.Seq-1, first.Prev
	}
	var rows []store.ReceiptRow
	for _, r := range b.Receipts {
		digest, err := r.Digest()
		if err != nil {
			return broadcast.ReceiptAck{}, err
		}
		switch {
		case r.Seq == at.Seq && digest != at.Head, r.Seq == at.Seq+1 && r.Prev != at.Head:
			return broadcast.ReceiptAck{}, fmt.Errorf("node %s chain %s at %d: %w", b.Node, b.Chain, r.Seq, ErrForked)
		case r.Seq != at.Seq+1:
			continue
		}
		raw, err := broadcast.Encode(r)
		if err != nil {
			return broadcast.ReceiptAck{}, err
		}
		rows = append(rows, store.ReceiptRow{Node: b.Node, Chain: b.Chain, Seq: r.Seq, Announcement: r.Announcement,
			Of: r.Of, Stored: d.now(), Raw: raw})
		at.Seq, at.Head = r.Seq, digest
		changed[r.Announcement] = true
	}
	if err := tx.AddReceipts(ctx, at, rows); err != nil {
		return broadcast.ReceiptAck{}, err
	}
	return broadcast.ReceiptAck{Node: b.Node, Chain: b.Chain, Seq: at.Seq, Hash: at.Head, At: d.now()}, nil
}
