package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// mostForks is how many continuations of its chains are kept for one node. What
// comes after them comes again in a chain of its own, and is kept there.
const mostForks = 64

// receiptName names one stored receipt.
type receiptName struct {
	chain store.ChainName
	seq   int64
}

// recall looks up what is stored of the receipts of a batch that came before.
func (k *keeping) recall(ctx context.Context, name store.ChainName, list []broadcast.Receipt, at store.Chain) error {
	first, last := list[0].Seq, min(list[len(list)-1].Seq, at.Seq)
	if first > last {
		return nil
	}
	stored, err := k.tx.ReceiptDigests(ctx, name, first, last)
	for seq, digest := range stored {
		k.known[receiptName{name, seq}] = digest
	}
	return err
}

// fork keeps the continuation of a chain that begins with the i-th receipt of a
// batch beside the one that was stored up to ended, under a name that follows
// from both, so that neither is lost and sending it again adds nothing. The node
// is in doubt from now on.
func (k *keeping) fork(ctx context.Context, b broadcast.ReceiptBatch, i int, ended int64) error {
	first := b.Receipts[i]
	digest, err := first.Digest()
	if err != nil {
		return err
	}
	branch := store.ChainName{Node: b.Node, Chain: branchName(b.Chain, digest)}
	ends, err := k.tx.Chains(ctx, []store.ChainName{branch})
	if err != nil {
		return err
	}
	if _, kept := k.ends[branch]; !kept {
		k.ends[branch] = ends[branch]
	}
	fresh := k.ends[branch].Seq == 0
	d, doubted := k.doubts[b.Node]
	if fresh && d.Forks < mostForks {
		code := broadcast.FaultRolledBack
		if first.Seq > ended || d.Code == broadcast.FaultDuplicate {
			code = broadcast.FaultDuplicate
		}
		if !doubted {
			d.Since = k.now
		}
		k.doubt(store.Doubt{Node: b.Node, Code: code, Since: d.Since, Chain: b.Chain, Seq: first.Seq, Ended: ended, Forks: d.Forks + 1})
	} else if fresh {
		return nil
	}
	return k.add(ctx, broadcast.ReceiptBatch{Node: b.Node, Chain: branch.Chain, Receipts: b.Receipts[i:]})
}

// branchName names the continuation of a chain that begins with a receipt. It
// is no name that a node gives to a chain of its own.
func branchName(chain broadcast.ID, first broadcast.Digest) broadcast.ID {
	return "fork-" + broadcast.ID(broadcast.Sum([]byte(string(chain) + " " + string(first)))[:32])
}

func (k *keeping) doubt(d store.Doubt) {
	k.doubts[d.Node], k.forked[d.Node] = d, true
}

// noteDoubts stores the doubts that are new and marks what was given meanwhile.
// A chain that went on although a fork of it is known has two boxes behind it.
func (k *keeping) noteDoubts(ctx context.Context) error {
	for name := range k.grown {
		d, doubted := k.doubts[name.Node]
		if doubted && d.Chain == name.Chain && d.Code == broadcast.FaultRolledBack && k.ends[name].Seq > d.Ended {
			d.Code, d.Ended = broadcast.FaultDuplicate, k.ends[name].Seq
			k.doubt(d)
		}
	}
	var errs []error
	for id := range k.forked {
		errs = append(errs, note(ctx, k.tx, k.doubts[id], k.now))
	}
	return errors.Join(errs...)
}

func note(ctx context.Context, tx store.Tx, d store.Doubt, now broadcast.Instant) error {
	return errors.Join(tx.Doubt(ctx, d), tx.Audit(ctx, store.Deed{At: now, Act: "node.doubt", Subject: string(d.Node),
		Detail: map[string]string{"is": string(d.Code), "chain": string(d.Chain), "at": fmt.Sprint(d.Seq)}}))
}

// compareLast is how many stored receipts are looked at for the boot of a state.
const compareLast = 256

// compare asks again for receipts that are here no more, as after a restore: an
// acknowledgement of how far they are has the node go on from there. And it sees a card that was put back before it has written anything: its
// chain is shorter than what is stored, and the boot that says so gave none of
// the rest. A state is only a hint, but all that follows from it is a doubt. One
// that was delayed, or is said again by somebody, is of a boot that is known.
func (d *Dispatch) compare(ctx context.Context, node broadcast.ID, s wire.State) error {
	end, rest, err := d.cfg.DB.ReceiptsAfter(ctx, store.ChainName{Node: node, Chain: s.Chain}, s.Seq, compareLast)
	if err != nil {
		return err
	}
	if end.Seq > 0 && end.Seq < min(s.Seq, s.Acked) { // it thinks that more is here
		d.acknowledge(ctx, []broadcast.ReceiptAck{{Node: node, Chain: s.Chain, Seq: end.Seq, Hash: end.Head, At: d.now()}})
	}
	if len(rest) == 0 {
		return nil
	}
	for _, row := range rest {
		r, err := broadcast.Decode[broadcast.Receipt](row.Raw)
		if err != nil || r.Boot == s.Boot {
			return err
		}
	}
	noted := false
	err = d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		known, err := tx.Doubts(ctx, []broadcast.ID{node})
		if _, doubted := known[node]; err != nil || doubted {
			return err
		}
		noted = true
		return note(ctx, tx, store.Doubt{Node: node, Code: broadcast.FaultRolledBack, Since: d.now(), Chain: s.Chain,
			Seq: s.Seq + 1, Ended: end.Seq}, d.now())
	})
	if err == nil && noted {
		d.complain(ctx, "a node has less of its chain than is stored", "node", node, "has", s.Seq, "stored", end.Seq)
		d.cfg.Events.Publish(events.Event{Kind: events.Node, ID: node})
	}
	return err
}
