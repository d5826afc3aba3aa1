package node

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/device/store"
)

// fetched takes what came.
func (n *Node) fetched(w wanted, f *fetch, raw []byte, err error) {
	broken := n.release(f)
	n.docDirty, n.watch.dirty = true, true
	switch {
	case err == nil:
		n.arrived(w, f, raw)
	case broken, errors.Is(err, errAllowance):
		n.log.Info("a download is put off", "digest", w.digest.Short(), "reason", err)
	default:
		n.missed(w, f, err)
	}
}

// release ends a fetch and says whether something more urgent broke it off.
func (n *Node) release(f *fetch) (broken bool) {
	if f.tier.first() {
		n.fetches.first--
	} else {
		n.fetches.behind = nil
	}
	f.busy, broken = false, f.broken
	f.broken = false
	f.free()
	return broken
}

// missed notes that something did not come.
func (n *Node) missed(w wanted, f *fetch, err error) {
	f.tries++
	f.why = err.Error()
	f.after = n.mono() + firstRetry<<min(f.tries-1, 7) + n.jitter(firstRetry)
	f.after = min(f.after, n.mono()+maxRetry)
	n.log.Warn("not fetched", "digest", w.digest.Short(), "of", w.of, "tries", f.tries, "err", err)
	if !n.presence.up && w.tier > tierSoon {
		n.fetches.gate = n.mono() + offlineRetry // the others would fail alike
	}
	if errors.Is(err, syscall.ENOSPC) || unwritable(err) {
		n.card(partContents, err)
	}
	f.noRoom = errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrTooLarge)
	if w.tier == tierEmergency && w.bytes > 0 && !f.shelter && (full(err) || unwritable(err)) {
		n.makeWay(w, f, err)
	}
}

// full says that there was no room for a recording.
func full(err error) bool { return errors.Is(err, store.ErrFull) || errors.Is(err, syscall.ENOSPC) }

// unwritable says that a card takes nothing at all, for whatever reason.
func unwritable(err error) bool { return errors.Is(err, syscall.EROFS) || unanswers(err) }

// makeWay has the recording of an emergency tried again at once, which found the
// card full or failing: what else is under way is broken off, what matters less
// goes, and if that does not help it is held in memory.
func (n *Node) makeWay(w wanted, f *fetch, err error) {
	f.after = n.mono() + time.Second
	if full(err) {
		again := n.fetches.cramped
		n.cramp()
		if errors.Is(err, store.ErrFull) && !again {
			return // what was under way gives its room back
		}
		if errors.Is(err, syscall.ENOSPC) {
			n.tidySpeech(n.now(), true)
		}
	}
	sum, serr := sumOf(w.digest)
	if serr == nil && n.recordings.shelter(sum, w.bytes, err) {
		f.shelter, f.after = true, 0
	}
}

// arrived takes a recording, a running order or a document.
func (n *Node) arrived(w wanted, f *fetch, raw []byte) {
	switch {
	case w.bytes > 0:
		delete(n.fetches.known, w.digest)
		if sum, err := sumOf(w.digest); err == nil && !n.recordings.sheltered(sum) {
			n.card(partContents, nil)
		}
		clear(n.stage.unanswered) // another copy may be what they waited for
		n.keepSpent()
	case w.order:
		delete(n.fetches.known, w.digest)
		n.takeOrder(w.digest, raw)
	default:
		f.tries++
		f.after = n.mono() + min(firstRetry<<min(f.tries-1, 7), maxRetry)
		n.unpack(raw)
	}
	n.completed()
}

// keepSpent notes on the card what of the day's data is used, so that a restart
// does not give it back.
func (n *Node) keepSpent() {
	if n.allowance.limit == 0 {
		return
	}
	if err := n.shelf.put(shelfSpent, n.allowance.now()); err != nil {
		n.log.Warn("the data used today is not noted", "err", err)
	}
}

// unpack judges a document that was fetched by its hash.
func (n *Node) unpack(raw []byte) {
	kind, err := seal.Peek(raw)
	if err != nil || !fetchable(kind) {
		n.noise++
		return
	}
	_ = n.accept(kind, raw) // a refused one is noted by its digest
}

// takeOrder keeps a running order. Its digest, which the fetcher has checked,
// stands in a sealed announcement.
func (n *Node) takeOrder(sum broadcast.Digest, raw []byte) {
	order, err := broadcast.Decode[broadcast.RunningOrder](raw)
	if err != nil {
		n.log.Warn("running order not understood", "digest", sum.Short(), "err", err)
		n.noise++
		return
	}
	if err := n.shelf.keepOrder(sum, raw); err != nil {
		n.card(partDocuments, err)
	}
	n.holdings.orders[sum] = order
	n.planDirty = true
}

// complete says whether everything that an item needs is here.
func (n *Node) complete(i *item) bool {
	list, orders := n.holdings.contents(i.doc.Versions, i.emergency())
	if len(orders) > 0 {
		return false
	}
	return !slices.ContainsFunc(list, func(c broadcast.Content) bool {
		sum, err := sumOf(c.SHA256)
		return err != nil || !n.recordings.here(sum)
	})
}

// completed states which items now have everything they need.
func (n *Node) completed() {
	for _, i := range n.holdings.items {
		if i.complete != 0 || !n.complete(i) {
			continue
		}
		i.complete = max(1, n.now())
		n.planDirty = true
		if !n.ledger.history.climbed[i.document()][broadcast.Cached] {
			n.hold(statement{document: i.document(), class: i.doc.Class, rung: broadcast.Cached})
		}
	}
}

// recheck looks again at the recordings of an item after one could not be used,
// and says whether it will be fetched again.
func (n *Node) recheck(d document) bool {
	n.docDirty, n.planDirty = true, true
	i := n.holdings.item(d)
	if i == nil || n.complete(i) {
		return false
	}
	i.complete = 0
	return true
}
