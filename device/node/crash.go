package node

import (
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// open everything that a boot needs from the card, in the order in which one
// depends on the other.
func (n *Node) wakeUp() error {
	n.look()
	n.shelf = newShelf(n.cfg.Registers)
	n.clock = newClock(n.cfg.Built, n.reading)
	for _, f := range n.facts() {
		if err := n.recall(f); err != nil {
			return fmt.Errorf("register %s: %w", f.name, err)
		}
	}
	n.setDial()
	if err := n.openChain(); err != nil {
		return err
	}
	if err := n.load(); err != nil {
		return err
	}
	n.interrupted()
	n.askForPlace()
	n.cfg.Link.SetTopics(n.topics())
	return nil
}

// askForPlace says what somebody on site compares, at every start until the node has
// a place.
func (n *Node) askForPlace() {
	if n.holdings.assignment != nil {
		return
	}
	code, err := wire.ShortCode(n.public)
	if err != nil {
		n.log.Error("no short code", "err", err)
		return
	}
	n.log.Info("waits to be confirmed; compare the short code on site", "code", code)
}

// openChain opens the chain of receipts, or begins one.
func (n *Node) openChain() error {
	var mark acknowledged
	if err := n.recall(fact{shelfChain, into(func(kept acknowledged) { mark = kept })}); err != nil {
		return err
	}
	delete(n.shelf.unread, shelfChain) // the journal knows as well
	var err error
	if mark.Chain == "" {
		if mark.Chain, err = lastChain(n.cfg.Journal); err != nil {
			return err
		}
	}
	if mark.Chain == "" {
		mark.Chain = n.newID()
		n.unnamed(n.shelf.put(shelfChain, mark))
	}
	var documents []kept
	if n.ledger, documents, err = openLedger(n.cfg.Journal, mark.Chain, mark); err != nil {
		return err
	}
	n.unshelved = documents
	for _, d := range n.cfg.Journal.Damage() {
		n.log.Warn("journal", "damage", d.String())
		if !d.Torn {
			n.note(broadcast.FaultStoreCorrupt, partJournal, d.String())
		}
	}
	if n.ledger.broken {
		n.log.Error("receipts were lost on the card", "chain", n.ledger.chain)
		n.unnamed(n.renewChain())
	}
	if err := n.ledger.restate(); err != nil { // at the next boot, then
		n.log.Error("receipts that the card gives again are not stated", "err", err)
	}
	return nil
}

// unnamed takes it that the name of a new chain is not on the card. A node that
// would not wake up for that could not sound an emergency either; the next boot
// begins another chain.
func (n *Node) unnamed(err error) {
	if err != nil {
		n.log.Error("the name of the chain of receipts is not kept", "err", err)
		n.card(partDocuments, err)
	}
}

// interrupted ends what power or program was lost in: it began to sound and
// nothing says that it ended (law 5). Whether it sounds again is for the plan
// to say.
func (n *Node) interrupted() {
	var list []statement
	for _, p := range n.ledger.history.open() {
		one := statement{document: toldOf(p).document, class: p.Class, start: p.Start,
			attempt: p.Attempt, rung: broadcast.Interrupted, reason: broadcast.WhyCrash, offset: p.Offset}
		if spoken := n.recorded(one.document); spoken != nil {
			one.evidence = &broadcast.Evidence{Recording: spoken}
		}
		list = append(list, one)
	}
	for chunk := range slices.Chunk(list, broadcast.MaxReceiptBatch) {
		n.state(chunk...)
	}
}
