package node

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/store"
)

// Fetcher gets bytes by their hash from the controllers.
type Fetcher interface {
	// Document returns a sealed document or a running order.
	Document(ctx context.Context, sum link.Sum) ([]byte, error)
	// Content fetches a recording into its destination.
	Content(ctx context.Context, order link.Order) error
}

// Bounds of what is fetched at a time, and how often.
const (
	atOnce     = 3
	firstRetry = 5 * time.Second
	maxRetry   = 10 * time.Minute
	maxFetches = 4096
	spread     = 30 * time.Second // over which neighbours spread what is not urgent
)

// fetches are the fetches under way and those that failed.
type fetches struct {
	known map[broadcast.Digest]*fetch
	busy  int
	// cramped says that the recording of an emergency found no room: nothing
	// else has any until it is here.
	cramped bool
}

// fetch is one thing that is wanted.
type fetch struct {
	busy   bool
	first  bool
	cancel context.CancelFunc
	tries  int
	after  time.Duration // not before
}

// get returns the note of one fetch, or nil when there are too many.
func (f *fetches) get(d broadcast.Digest) *fetch {
	if f.known == nil {
		f.known = map[broadcast.Digest]*fetch{}
	}
	have := f.known[d]
	if have == nil && len(f.known) < maxFetches {
		have = &fetch{}
		f.known[d] = have
	}
	return have
}

// refused makes a document that came and was not believed wait longer.
func (f *fetches) refused(d broadcast.Digest) {
	if have := f.known[d]; have != nil {
		have.tries = max(have.tries, 6)
	}
}

// online forgets all waiting: the way to the controllers is new.
func (f *fetches) online() {
	for _, one := range f.known {
		if !one.busy {
			one.tries, one.after = 0, 0
		}
	}
}

// wanted is one thing to fetch.
type wanted struct {
	digest broadcast.Digest
	bytes  int64 // 0 for a document
	urgent bool
	first  bool // of an emergency, or a document: never behind a download
	order  bool // a running order
	due    broadcast.Instant
}

// fetch starts what is wanted and not under way, and returns when the next one
// may be tried; 0 for none.
func (n *Node) fetch() time.Duration {
	if n.docDirty {
		n.docDirty, n.presence.holding = false, ""
		n.want = n.wants()
		n.want = n.want[:min(len(n.want), maxFetches-3*atOnce)] // what goes first is first in the list
		n.fetches.cramped = n.fetches.cramped && slices.ContainsFunc(n.want, func(w wanted) bool { return w.first && w.bytes > 0 })
		n.fetches.keepOnly(n.want)
		n.pin()
	}
	var wake time.Duration
	for _, w := range n.want {
		f := n.fetches.get(w.digest)
		switch {
		case f == nil:
		case f.busy && w.first && !f.first && f.cancel != nil:
			f.cancel() // it comes back as one that goes first
		case f.busy, n.fetches.cramped && !w.first:
		case n.mono() < f.after && (f.first || !w.first): // what waited as something less urgent waits no more
			wake = sooner(wake, f.after)
		case n.fetches.busy < atOnce || w.urgent && n.fetches.busy < 2*atOnce || w.first && n.fetches.busy < 3*atOnce:
			n.begin(w, f)
			if !f.busy {
				wake = sooner(wake, f.after)
			}
		}
	}
	return wake
}

// keepOnly forgets what nobody wants any more.
func (f *fetches) keepOnly(want []wanted) {
	wanted := map[broadcast.Digest]bool{}
	for _, w := range want {
		wanted[w.digest] = true
	}
	for d, one := range f.known {
		if !one.busy && !wanted[d] {
			delete(f.known, d)
		}
	}
}

// sooner is the earlier of two times, where 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// wants lists what is missing, the most urgent first.
func (n *Node) wants() []wanted {
	var out []wanted
	now := n.now()
	for _, e := range n.holdings.missing(n.outdated) {
		out = append(out, wanted{digest: e.SHA256, urgent: true, first: true})
	}
	var contents []wanted
	for _, i := range n.holdings.items {
		if i.complete != 0 || i.deadline() < now && n.clock.quality == broadcast.ClockProved {
			continue
		}
		due := i.doc.Timing.Start
		urgent := i.emergency() || due < now.Add(soonLimit)
		list, orders := n.holdings.contents(i)
		for _, sum := range orders {
			contents = append(contents, wanted{digest: sum, order: true, urgent: urgent, first: i.emergency(), due: due})
		}
		for _, c := range list {
			if sum, err := sumOf(c.SHA256); err == nil && !n.cfg.Contents.Has(sum) {
				contents = append(contents, wanted{digest: c.SHA256, bytes: c.Bytes, urgent: urgent, first: i.emergency(), due: due})
			}
		}
	}
	slices.SortFunc(contents, func(a, b wanted) int {
		return cmp.Or(falseLast(a.first, b.first), falseLast(a.urgent, b.urgent), cmp.Compare(a.due, b.due))
	})
	seen := map[broadcast.Digest]bool{}
	for _, w := range contents {
		if !seen[w.digest] {
			seen[w.digest] = true
			out = append(out, w)
		}
	}
	return out
}

// outdated says whether a listed document would be refused: it is older than
// what is held, or was given away when it could sound no more.
func (n *Node) outdated(e broadcast.Entry) bool {
	return n.shelf.gave(label{Digest: e.SHA256}) || n.floors.Outdates(seal.Subject{Kind: e.Kind, ID: e.ID}, e.Revision)
}

// missingBytes is how much of the wanted recordings is not here.
func (n *Node) missingBytes() int64 {
	var total int64
	for _, w := range n.want {
		total += w.bytes
	}
	return total
}

// pin keeps what will sound from being evicted.
func (n *Node) pin() {
	var sums []store.Sum
	for _, i := range n.holdings.items {
		if n.fetches.cramped && !i.emergency() {
			continue
		}
		list, _ := n.holdings.contents(i)
		for _, c := range list {
			if sum, err := sumOf(c.SHA256); err == nil {
				sums = append(sums, sum)
			}
		}
	}
	n.cfg.Contents.Pin(sums)
}

// falseLast puts what is true first.
func falseLast(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// cramp makes room for the recording of an emergency: whatever else is under
// way is broken off, and only recordings of emergencies are sure to stay.
func (n *Node) cramp() {
	n.fetches.cramped = true
	for _, f := range n.fetches.known {
		if f.busy && !f.first {
			f.cancel()
		}
	}
	n.pin()
}

// begin fetches one thing in the background.
func (n *Node) begin(w wanted, f *fetch) {
	sum, err := sumOf(w.digest)
	if err != nil {
		return
	}
	if !w.urgent && f.tries == 0 && f.after == 0 {
		f.after = n.mono() + n.jitter(spread)
		return
	}
	ctx, cancel := context.WithCancel(n.ctx)
	f.busy, f.first, f.cancel = true, w.first, cancel
	n.fetches.busy++
	n.work.Go(func() {
		defer cancel()
		var raw []byte
		var err error
		if w.bytes > 0 {
			err = n.content(ctx, sum, w)
		} else {
			raw, err = n.cfg.Fetcher.Document(ctx, sum)
		}
		n.post(func() { n.fetched(w, f, raw, err) })
	})
}

// content fetches a recording into the store. One that is held already is none
// to fetch.
func (n *Node) content(ctx context.Context, sum store.Sum, w wanted) error {
	err := n.cfg.Fetcher.Content(ctx, link.Order{Sum: sum, Size: w.bytes, Urgent: w.first,
		Open: func() (link.Partial, error) {
			p, err := n.cfg.Contents.Partial(sum, w.bytes)
			if err != nil {
				return nil, err
			}
			return p, nil
		}})
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// fetched takes what came.
func (n *Node) fetched(w wanted, f *fetch, raw []byte, err error) {
	n.fetches.busy--
	f.busy, f.cancel = false, nil
	n.docDirty = true
	if err != nil {
		f.tries++
		f.after = n.mono() + firstRetry<<min(f.tries-1, 7) + n.jitter(firstRetry)
		f.after = min(f.after, n.mono()+maxRetry)
		n.log.Warn("not fetched", "digest", w.digest.Short(), "urgent", w.urgent, "tries", f.tries, "err", err)
		if errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrTooLarge) {
			n.card(partContents, err)
		}
		if errors.Is(err, store.ErrFull) && w.first {
			n.cramp()
			f.after = n.mono() + time.Second
		}
		return
	}
	switch {
	case w.bytes > 0:
		delete(n.fetches.known, w.digest)
		n.card(partContents, nil)
		n.clear(broadcast.FaultContentsFull, partContents)
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

// unpack judges a document that was fetched by its hash.
func (n *Node) unpack(raw []byte) {
	kind, err := seal.Peek(raw)
	if err != nil || !fetchable(kind) {
		n.noise++
		return
	}
	n.accept(kind, raw)
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
	list, orders := n.holdings.contents(i)
	if len(orders) > 0 {
		return false
	}
	return !slices.ContainsFunc(list, func(c broadcast.Content) bool {
		sum, err := sumOf(c.SHA256)
		return err != nil || !n.cfg.Contents.Has(sum)
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
		if !n.ledger.history.climbed[i.name()][broadcast.Cached] {
			n.hold(statement{document: i.name(), class: i.doc.Class, rung: broadcast.Cached})
		}
	}
}

// recheck looks again at the recordings of an item after one could not be used,
// and says whether it will be fetched again.
func (n *Node) recheck(d document) bool {
	n.docDirty, n.planDirty = true, true
	i, ok := n.holdings.items[d]
	if !ok || n.complete(i) {
		return false
	}
	i.complete = 0
	return true
}
