package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/device/link"
)

// What comes by hand, on a stick or from somebody's phone, meets the same judge
// as what comes from the broker. Here is the counter over which it is handed.

// Errors that tell whoever hands something over what became of it.
var (
	// ErrWaits means that the document cannot be judged before another one, as
	// that of its authority, has come. It is kept for a while.
	ErrWaits = errors.New("waits for the authority that it needs")
	// ErrUnwanted means that no document held here names these bytes.
	ErrUnwanted = errors.New("nothing on this node needs it")
)

// maxRunningOrder is the largest running order in bytes.
const maxRunningOrder = 64 << 10

// MaxTold is how many batches of receipts are given at a time.
const MaxTold = 256

// Told are receipts that no controller acknowledged, as this node seals them.
type Told struct {
	Chain broadcast.ID
	// Upto is the last receipt in Batches, 0 if there is none.
	Upto    int64
	Batches [][]byte
}

// asked has the loop answer a question.
func asked[T any](ctx context.Context, n *Node, f func() T) (T, error) {
	var none T
	answer := make(chan T, 1)
	if !n.post(func() { answer <- f() }) {
		return none, errStopped
	}
	select {
	case got := <-answer:
		return got, nil
	case <-n.over:
		return none, errStopped
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// Offer judges a sealed document exactly as if the broker had brought it. nil
// means that the node holds it now, or held it before; ErrWaits that it cannot be
// judged yet; any other error says why it is not believed.
func (n *Node) Offer(ctx context.Context, raw []byte) error {
	kind, err := seal.Peek(raw)
	if err == nil && len(raw) > kind.Limit() {
		err = seal.ErrTooLarge
	}
	if err != nil {
		return fmt.Errorf("offered: %w", err)
	}
	verdict, err := asked(ctx, n, func() error { return n.accept(kind, raw) })
	switch err = errors.Join(err, verdict); {
	case errors.Is(err, seal.ErrHeld):
		return nil
	case n.unjudgedEver(err):
		return fmt.Errorf("%w: %w", ErrWaits, err)
	}
	return err
}

// unjudgedEver is unjudged for whoever does not stand inside the loop.
func (n *Node) unjudgedEver(err error) bool {
	return errors.Is(err, seal.ErrUnknownSigner) || errors.Is(err, errNoKeyring)
}

// Take keeps a recording or a running order that a document held here names;
// ErrUnwanted if none does, or if it is here already. The bytes are checked
// before the first is written: what a stranger brings must spoil no download.
func (n *Node) Take(ctx context.Context, sum broadcast.Digest, size int64, r io.ReadSeeker) error {
	w, err := asked(ctx, n, func() *wanted { return n.wanting(sum) })
	if err != nil {
		return err
	}
	if w == nil || w.bytes > 0 && w.bytes != size || w.order && size > maxRunningOrder {
		return fmt.Errorf("%s: %w", sum.Short(), ErrUnwanted)
	}
	if err := matches(sum, size, r); err != nil {
		return err
	}
	if w.order {
		raw := make([]byte, size)
		if _, err := io.ReadFull(r, raw); err != nil {
			return fmt.Errorf("running order %s: %w", sum.Short(), err)
		}
		if broadcast.Sum(raw) != sum {
			return errChanged
		}
		_, err := asked(ctx, n, func() error { n.came(sum, raw); return nil })
		return err
	}
	back, err := n.lend(ctx, sum)
	if err != nil {
		return err
	}
	defer back()
	if err := n.keepContent(*w, r); err != nil {
		return err
	}
	_, err = asked(ctx, n, func() error { n.came(sum, nil); return nil })
	return err
}

// wanting is what the node wants under a name, or nil.
func (n *Node) wanting(sum broadcast.Digest) *wanted {
	if n.docDirty {
		n.survey()
	}
	i := slices.IndexFunc(n.want, func(w wanted) bool { return w.digest == sum && (w.order || w.bytes > 0) })
	if i < 0 {
		return nil
	}
	w := n.want[i]
	return &w
}

// errChanged means that bytes were others when they were read again.
var errChanged = errors.New("the bytes changed between two readings, or are not those of their name")

// matches reads all bytes once and goes back to the first.
func matches(sum broadcast.Digest, size int64, r io.ReadSeeker) error {
	began, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("%s: %w", sum.Short(), err)
	}
	hash := sha256.New()
	if _, err := io.CopyN(hash, r, size); err != nil {
		return fmt.Errorf("%s: %w", sum.Short(), err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != string(sum) {
		return fmt.Errorf("%s: %w", sum.Short(), errChanged)
	}
	_, err = r.Seek(began, io.SeekStart)
	return err
}

// lend keeps the network from a recording until back is called, and waits until
// a download of it has let go: one that hangs on a dead line must not keep out
// what somebody brought by hand. Of several carriers one is served after another.
func (n *Node) lend(ctx context.Context, sum broadcast.Digest) (back func(), err error) {
	loop := context.WithoutCancel(ctx) // what was counted must be counted back
	f, err := asked(loop, n, func() *fetch {
		f := n.fetches.get(sum)
		if f != nil {
			f.lent++
		}
		return f
	})
	if err != nil || f == nil { // too many, and this is none of them
		return func() {}, err
	}
	for {
		busy, err := asked(loop, n, f.borrow)
		if err == nil && busy != nil {
			err = n.await(ctx, busy)
		}
		if err != nil {
			n.post(func() { n.unlend(f) })
			return nil, err
		}
		if busy == nil {
			break
		}
	}
	return func() {
		n.post(func() {
			f.taking = false
			f.free()
			n.unlend(f)
		})
	}, nil
}

// borrow takes it for a carrier, or returns what is closed when to try again.
func (f *fetch) borrow() <-chan struct{} {
	if f.busy && !f.broken {
		f.stop()
	}
	busy := f.gone()
	f.taking = f.taking || busy == nil
	return busy
}

// unlend lets the network have it again when no carrier is left.
func (n *Node) unlend(f *fetch) {
	f.lent--
	n.docDirty = n.docDirty || f.lent == 0
}

// await returns when a channel is closed.
func (n *Node) await(ctx context.Context, closed <-chan struct{}) error {
	select {
	case <-closed:
		return nil
	case <-n.over:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keepContent writes a recording into the store; that of an emergency into
// memory, if the card does not take it.
func (n *Node) keepContent(w wanted, r io.ReadSeeker) error {
	sum, err := sumOf(w.digest)
	if err != nil {
		return err
	}
	began, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("%s: %w", w.digest.Short(), err)
	}
	shelter := false
	for range 3 {
		var p link.Partial
		if p, err = n.recordings.partial(sum, w.bytes, shelter); err == nil {
			err = pour(p, r, w.bytes)
		}
		if w.tier != tierEmergency || shelter || !full(err) && !unwritable(err) {
			break
		}
		shelter = n.recordings.shelter(sum, w.bytes, err)
		if _, serr := r.Seek(began, io.SeekStart); serr != nil {
			return errors.Join(err, serr)
		}
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s: %w", w.digest.Short(), err)
	}
	return nil
}

// came takes note of what was handed over.
func (n *Node) came(sum broadcast.Digest, order []byte) {
	if f := n.fetches.known[sum]; f != nil && !f.busy && f.lent == 0 {
		delete(n.fetches.known, sum)
	}
	n.docDirty, n.watch.dirty = true, true
	if order != nil {
		n.takeOrder(sum, order)
	}
	n.completed()
}

// Receipts gives what no controller acknowledged, the oldest first, at most
// MaxTold batches. Giving them changes nothing: they are sent until a sealed
// acknowledgement comes, by whatever way.
func (n *Node) Receipts(ctx context.Context) (Told, error) {
	type step struct {
		chain broadcast.ID
		from  mark
		raw   []byte
		err   error
	}
	var told Told
	var at *mark
	for len(told.Batches) < MaxTold {
		s, err := asked(ctx, n, func() (s step) {
			if s.from = (mark{n.ledger.acked, n.ledger.upto}); at != nil {
				s.from = *at
			} else if len(n.ledger.unwritten) > 0 {
				n.journalled(n.ledger.flush())
			}
			s.chain = n.ledger.chain
			s.raw, s.from, s.err = n.batchAfter(s.from, broadcast.MaxReceiptBatch)
			return s
		})
		if err = errors.Join(err, s.err); err != nil {
			return Told{}, err
		}
		if at != nil && s.chain != told.Chain {
			return Told{}, errors.New("the chain of receipts got another name; ask again")
		}
		told.Chain, at = s.chain, &s.from
		if s.raw == nil {
			break
		}
		told.Batches, told.Upto = append(told.Batches, s.raw), s.from.seq
	}
	return told, nil
}
