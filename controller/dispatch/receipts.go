package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	opened := d.openAll(ctx, batch)
	if len(opened) == 0 {
		return
	}
	k, err := d.store(ctx, opened)
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "receipts not stored; nodes send them again", "err", err)
		return
	}
	d.acknowledge(ctx, k.acks)
}

// store commits what is new in a batch, and tells who watches.
func (d *Dispatch) store(ctx context.Context, opened []broadcast.ReceiptBatch) (*keeping, error) {
	var k *keeping
	err := d.cfg.DB.Update(ctx, func(tx store.Tx) (err error) {
		if k, err = d.keep(ctx, tx, opened); err != nil {
			return err
		}
		return errors.Join(tx.AddReceipts(ctx, k.to(), k.rows), tx.AddRecordings(ctx, k.recordings), k.noteDoubts(ctx))
	})
	if err != nil {
		return nil, err
	}
	for id := range k.changed {
		d.tell(ctx, id)
	}
	for id := range k.forked {
		d.complain(ctx, "a chain of receipts has two continuations", "node", id, "is", k.doubts[id].Code)
		d.cfg.Events.Publish(events.Event{Kind: events.Node, ID: id})
	}
	return k, nil
}

// tell says that more is known of an announcement, by every name that it has at
// the desk.
func (d *Dispatch) tell(ctx context.Context, document broadcast.ID) {
	names, err := d.cfg.DB.Revisions(ctx, document)
	if err != nil {
		d.cfg.Log.WarnContext(ctx, "revisions", "announcement", document, "err", err)
	}
	if !slices.Contains(names, document) {
		names = append(names, document)
	}
	for _, id := range names {
		d.cfg.Events.Publish(events.Event{Kind: events.Delivery, ID: id})
	}
}

// keep sorts a batch into what is new, what is known, and what forks.
func (d *Dispatch) keep(ctx context.Context, tx store.Tx, opened []broadcast.ReceiptBatch) (*keeping, error) {
	var names []store.ChainName
	var nodes []broadcast.ID
	for _, b := range opened {
		names, nodes = append(names, store.ChainName{Node: b.Node, Chain: b.Chain}), append(nodes, b.Node)
	}
	ends, err := tx.Chains(ctx, names)
	if err != nil {
		return nil, err
	}
	doubts, err := tx.Doubts(ctx, nodes)
	if err != nil {
		return nil, err
	}
	k := &keeping{tx: tx, now: d.now(), ends: ends, doubts: doubts, grown: map[store.ChainName]bool{},
		known: map[receiptName]broadcast.Digest{}, forked: map[broadcast.ID]bool{}, changed: map[broadcast.ID]bool{}}
	for _, b := range opened {
		if err := k.take(ctx, b); err != nil {
			return nil, err
		}
	}
	for i, r := range k.rows {
		_, k.rows[i].Doubtful = k.doubts[r.Node]
	}
	return k, nil
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
	service, err := d.cfg.Office.Service(ctx)
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "acknowledgements not sealed; nodes send again", "err", err)
		return
	}
	for _, a := range newest {
		raw, err := sealedBy(broadcast.KindAck, a, service)
		if err == nil {
			err = d.cfg.Bus.Publish(wire.Node(a.Node, "receipt/ack"), raw, false)
		}
		if err != nil {
			d.cfg.Log.WarnContext(ctx, "acknowledgement not sent", "node", a.Node, "err", err)
		}
	}
}

// openAll returns the batches that are believed.
func (d *Dispatch) openAll(ctx context.Context, batch []incoming) []broadcast.ReceiptBatch {
	var ids []broadcast.ID
	for _, in := range batch {
		ids = append(ids, in.node)
	}
	nodes, err := d.cfg.DB.NodesNamed(ctx, ids)
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "receipts not opened; nodes send them again", "err", err)
		return nil
	}
	var opened []broadcast.ReceiptBatch
	for _, in := range batch {
		b, err := open(in, nodes[in.node])
		if err != nil {
			d.complain(ctx, "receipts refused", "node", in.node, "err", err)
			continue
		}
		opened = append(opened, b)
	}
	return opened
}

// open believes a batch if the node's confirmed key sealed it.
func open(in incoming, n store.Node) (broadcast.ReceiptBatch, error) {
	if n.Status != store.Confirmed {
		return broadcast.ReceiptBatch{}, fmt.Errorf("the node is %s, not confirmed", cmp.Or(n.Status, "unknown"))
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

// keeping is what one transaction will keep, and where every chain then ends.
type keeping struct {
	tx      store.Tx
	now     broadcast.Instant
	ends    map[store.ChainName]store.Chain
	grown   map[store.ChainName]bool
	rows    []store.ReceiptRow
	acks    []broadcast.ReceiptAck
	changed map[broadcast.ID]bool // announcements
	// recordings are what rows name of what was spoken at boxes.
	recordings []store.Recording
	// known are digests of stored receipts, as far as they were looked at, and
	// of those in rows.
	known  map[receiptName]broadcast.Digest
	doubts map[broadcast.ID]store.Doubt
	forked map[broadcast.ID]bool // nodes with a new doubt
}

// to are the new ends of the chains that grew.
func (k *keeping) to() []store.Chain {
	var out []store.Chain
	for name := range k.grown {
		out = append(out, k.ends[name])
	}
	return out
}

// take keeps the part of a batch that is new, and acknowledges how far its chain
// is stored. A node whose chain is another one from there on learns it by the
// hash, gives its own a new name, and goes on with that.
func (k *keeping) take(ctx context.Context, b broadcast.ReceiptBatch) error {
	if err := k.add(ctx, b); err != nil {
		return err
	}
	at := k.ends[store.ChainName{Node: b.Node, Chain: b.Chain}]
	k.acks = append(k.acks, broadcast.ReceiptAck{Node: b.Node, Chain: b.Chain, Seq: at.Seq, Hash: at.Head, At: k.now})
	return nil
}

// add keeps the part of a batch that is new. Of a batch that begins after the
// stored end nothing is kept, and the acknowledgement says where to go on. Of a
// chain that was never seen there is no such place to name: it is taken up
// where it begins. A node sends only what no controller acknowledged, so what
// came before was stored in a database that is not this one.
func (k *keeping) add(ctx context.Context, b broadcast.ReceiptBatch) error {
	name := store.ChainName{Node: b.Node, Chain: b.Chain}
	at := k.ends[name]
	if first := b.Receipts[0]; at.Seq == 0 && first.Seq > 1 {
		at.Seq, at.Head = first.Seq-1, first.Prev
	}
	if err := k.recall(ctx, name, b.Receipts, at); err != nil {
		return err
	}
	before := at.Seq
	for i, r := range b.Receipts {
		raw, err := broadcast.Encode(r)
		if err != nil {
			return err
		}
		digest := broadcast.Sum(raw) // as Receipt.Digest has it
		if known, ok := k.known[receiptName{name, r.Seq}]; ok && known != digest || r.Seq == at.Seq+1 && r.Prev != at.Head {
			k.end(name, at, before)
			return k.fork(ctx, b, i, at.Seq)
		}
		if r.Seq != at.Seq+1 {
			continue
		}
		k.rows = append(k.rows, store.ReceiptRow{Node: b.Node, Chain: b.Chain, Seq: r.Seq, Announcement: r.Announcement,
			Of: r.Of, Stored: k.now, Raw: raw, Firing: r.Firing != nil})
		k.known[receiptName{name, r.Seq}] = digest
		k.changed[r.Announcement] = true
		if err := k.spoken(ctx, b.Node, r); err != nil {
			return err
		}
		at.Seq, at.Head = r.Seq, digest
	}
	k.end(name, at, before)
	return nil
}

// end notes how far a chain is kept now.
func (k *keeping) end(name store.ChainName, at store.Chain, before int64) {
	if at.Seq > before {
		k.ends[name], k.grown[name] = at, true
	}
}

// spoken notes the recording that a receipt names: from then on it may come.
func (k *keeping) spoken(ctx context.Context, node broadcast.ID, r broadcast.Receipt) error {
	if r.Evidence == nil || r.Evidence.Recording == nil {
		return nil
	}
	n, err := k.tx.Node(ctx, node)
	if err != nil {
		return err
	}
	c := r.Evidence.Recording
	k.recordings = append(k.recordings, store.Recording{Node: node, SHA256: c.SHA256, Area: n.Area, Announcement: r.Announcement,
		Bytes: c.Bytes, Millis: c.Millis, Told: k.now})
	return nil
}
