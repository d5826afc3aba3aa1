package node

import (
	"errors"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// How receipts are sent: one batch at a time, again until its acknowledgement.
const (
	firstPatience = 3 * time.Second
	maxPatience   = 5 * time.Minute
	// rewindAfter so many batches without an answer the controller may be one
	// that was restored and lacks what came before.
	rewindAfter = 6
)

// delivery is the sending of receipts.
type delivery struct {
	waiting bool          // a batch is on its way
	began   time.Duration // when it was sent first
	until   time.Duration // when it is sent again
	tries   int
	last    broadcast.Instant // of the newest acknowledgement
	// unheard is since when nothing of what is sent was acknowledged on this
	// connection, 0 while nothing waits.
	unheard time.Duration
}

// soon makes the next step send at once.
func (d *delivery) soon() { *d = delivery{last: d.last, unheard: d.unheard} }

// deliver sends the next batch when it is time to, and returns when it wants to
// be called again; 0 for not before something happens.
func (n *Node) deliver() time.Duration {
	d := &n.delivery
	switch {
	case !n.presence.up || n.ledger.seq <= n.ledger.acked:
		return 0
	case d.waiting && n.mono() < d.until:
		return d.until
	}
	if d.tries > 0 && d.tries%rewindAfter == 0 && n.holdings.assignment != nil {
		n.rewind()
	}
	batch, err := n.batch(broadcast.MaxReceiptBatch)
	if err != nil {
		n.log.Error("receipts cannot be read", "err", err)
		n.card(partJournal, err)
	}
	if !d.waiting {
		d.began = n.mono()
	}
	if d.unheard == 0 {
		d.unheard, n.watch.dirty = max(1, n.mono()), true
	}
	d.waiting, d.tries = true, d.tries+1
	d.until = n.mono() + n.jitter(min(firstPatience<<min(d.tries-1, 10), maxPatience))
	if len(batch) > 0 {
		n.send(wire.Node(n.cfg.Node, "receipt"), batch, false)
	}
	return d.until
}

// rewind begins again with the first receipt that is here. A chain whose
// beginning is gone goes on under another name, because nobody could check it.
func (n *Node) rewind() {
	whole, err := n.ledger.rewind()
	if err == nil && !whole {
		err = n.renewChain()
	}
	if err != nil {
		n.log.Error("receipts cannot be told from their beginning", "err", err)
	}
}

// batch seals the next receipts that the controller lacks.
func (n *Node) batch(most int) ([]byte, error) {
	raw, _, err := n.batchAfter(mark{n.ledger.acked, n.ledger.upto}, most)
	return raw, err
}

// batchAfter seals the receipts that follow a place, fewer if they are too large
// together, and returns the place of the last; nil if none follows.
func (n *Node) batchAfter(from mark, most int) ([]byte, mark, error) {
	list, to, err := n.ledger.after(from, most)
	if err != nil || len(list) == 0 {
		return nil, from, err
	}
	doc := broadcast.ReceiptBatch{Node: n.cfg.Node, Chain: n.ledger.chain, Receipts: list}
	env, err := seal.Seal(broadcast.KindReceipts, doc, n.signer)
	if err != nil {
		return nil, from, err
	}
	raw, err := seal.Bytes(broadcast.KindReceipts, env)
	if errors.Is(err, seal.ErrTooLarge) && len(list) > 1 {
		return n.batchAfter(from, len(list)/2)
	}
	return raw, to, err
}

// acknowledged takes a sealed acknowledgement.
func (n *Node) acknowledged(a broadcast.ReceiptAck, _ seal.Proof) error {
	if a.Node != n.cfg.Node || a.At < n.delivery.last {
		return seal.ErrStale
	}
	n.delivery.last = a.At
	before := n.ledger.acked
	err := n.ledger.acknowledge(a)
	if n.ledger.acked > before { // and not one that is said again
		n.delivery.unheard, n.watch.dirty = 0, true
	}
	if n.delivery.waiting && n.ledger.acked > before { // and not the answer to a repetition
		n.answeredIn(n.mono() - n.delivery.began)
	}
	if errors.Is(err, errRolledBack) {
		n.note(broadcast.FaultRolledBack, "", err.Error())
		if err := n.renewChain(); err != nil {
			return err
		}
		n.delivery.soon()
	}
	if err != nil {
		return err
	}
	n.delivery.soon()
	n.ackDirty = true
	return nil
}

// renewChain begins a new chain. Its name is kept when all that the controller
// may lack is in it: a cut in between begins another one.
func (n *Node) renewChain() error {
	old := n.ledger.chain
	if err := n.ledger.renew(n.newID()); err != nil {
		return err
	}
	n.log.Warn("a new chain of receipts begins", "old", old, "new", n.ledger.chain)
	return n.shelf.put(shelfChain, acknowledged{Chain: n.ledger.chain, Upto: n.ledger.upto})
}

// keepAcknowledged notes on the card how far the controller is. Losing it costs
// a repetition, so it is not written for every acknowledgement.
func (n *Node) keepAcknowledged() {
	if !n.ackDirty {
		return
	}
	n.ackDirty = false
	mark := acknowledged{Chain: n.ledger.chain, Seq: n.ledger.acked, Upto: n.ledger.upto}
	if err := n.shelf.put(shelfChain, mark); err != nil {
		n.log.Warn("acknowledgement not noted", "err", err)
	}
}

// soonEnough is how long statements that nobody waits for may wait for others
// to be written with them: every writing costs the card the same.
const soonEnough = time.Second

// state makes statements; the card takes them now or later.
func (n *Node) state(list ...statement) {
	if len(list) == 0 {
		return
	}
	n.hold(list...)
	n.writeAt = n.mono()
}

// hold makes statements that are written soon.
func (n *Node) hold(list ...statement) {
	n.ledger.hold(n.moment(), list...)
	n.told(list)
	if n.writeAt == 0 {
		n.writeAt = n.mono() + soonEnough
	}
}

// told notes in the log what was stated.
func (n *Node) told(list []statement) {
	for _, s := range list {
		n.log.Info("receipt", s.words()...)
	}
	n.planDirty = true
}

// words are what a log line says of a statement. One about the document as a
// whole belongs to no occurrence, so it has neither start nor attempt.
func (s statement) words() []any {
	out := []any{"announcement", s.id, "rung", s.rung}
	if s.start != 0 {
		out = append(out, "start", s.start, "attempt", s.attempt)
	}
	if s.reason != "" {
		out = append(out, "reason", s.reason)
	}
	return out
}

// write writes what was stated when it is time to, and returns when it is.
func (n *Node) write() time.Duration {
	switch {
	case len(n.ledger.unwritten) == 0:
		n.writeAt = 0
	case n.mono() >= n.writeAt:
		err := n.ledger.flush()
		n.journalled(err)
		n.writeAt = 0
		if err != nil {
			n.writeAt = n.mono() + writeAgain
		}
	}
	return n.writeAt
}

// writeAgain is how long a card that takes no more is left alone.
const writeAgain = 20 * time.Second

func (n *Node) journalled(err error) {
	if err != nil {
		n.log.Error("receipts cannot be written", "err", err)
	}
	n.card(partJournal, err)
}

func (n *Node) moment() moment {
	return moment{at: n.now(), clock: n.shown, boot: n.boot}
}
