package node

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/store"
)

// recordings are those on the card and, in memory, those of emergencies that the
// card does not take and those that it holds and does not give. It is safe for
// several goroutines.
type recordings struct {
	card, refuge         *store.Contents // refuge may be nil
	cardPath, refugePath func(store.Sum) string

	mu sync.Mutex
	// mute are on the card, which did not give them when they were last asked
	// for. They stay there until another copy is at hand.
	mute map[store.Sum]bool
}

// here says whether a recording is on board, wherever.
func (r *recordings) here(sum store.Sum) bool { return r.card.Has(sum) || r.sheltered(sum) }

// sheltered says whether it is in memory, which then goes first.
func (r *recordings) sheltered(sum store.Sum) bool { return r.refuge != nil && r.refuge.Has(sum) }

// unread says that the card holds it and did not give it.
func (r *recordings) unread(sum store.Sum) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mute[sum] && r.card.Has(sum)
}

// lacks says whether a recording is to be fetched: it is nowhere, or where the
// card does not give it.
func (r *recordings) lacks(sum store.Sum) bool {
	return !r.here(sum) || !r.sheltered(sum) && r.refuge != nil && r.unread(sum)
}

// path is the file that is played.
func (r *recordings) path(sum store.Sum) string {
	if r.sheltered(sum) {
		return r.refugePath(sum)
	}
	return r.cardPath(sum)
}

// verify reads a recording again where it would be played from. One that was
// spoiled is gone then; one that the card does not give stays.
func (r *recordings) verify(sum store.Sum, pace func(int64) error) error {
	if r.sheltered(sum) {
		return r.refuge.VerifyAt(sum, pace)
	}
	err := r.card.VerifyAt(sum, pace)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil, errors.Is(err, store.ErrBadHash):
		delete(r.mute, sum)
	case unanswers(err):
		if r.mute == nil {
			r.mute = map[store.Sum]bool{}
		}
		r.mute[sum] = true
	}
	return err
}

// prefer tells both stores what to keep when room is short.
func (r *recordings) prefer(order []store.Sum) {
	r.card.Prefer(order)
	if r.refuge != nil {
		r.refuge.Prefer(order)
	}
}

// partial opens the destination of a download; in memory if the card does not
// take it, or holds it already and does not give it.
func (r *recordings) partial(sum store.Sum, bytes int64, shelter bool) (link.Partial, error) {
	if shelter || r.refuge != nil && r.unread(sum) {
		return r.refuge.Partial(sum, bytes)
	}
	return r.card.Partial(sum, bytes)
}

// shelter says whether the recording of an emergency, which the card did not
// take, goes to memory. Before it does, the card gives up what matters less, and
// is tried once more.
func (r *recordings) shelter(sum store.Sum, bytes int64, err error) bool {
	if full(err) && !errors.Is(err, store.ErrFull) && r.card.Shrink(sum, bytes) == nil {
		return false
	}
	if r.refuge == nil {
		return false
	}
	if !r.card.Has(sum) {
		_ = r.card.Drop(sum) // what came of it takes the room of receipts
	}
	return true
}

// ashore copies a recording from memory to the card, in place of what the card
// did not give. After nil it is on the card, and may go from memory.
func (r *recordings) ashore(sum store.Sum) error {
	if r.unread(sum) {
		if err := r.card.Verify(sum); unanswers(err) {
			if err := r.card.Drop(sum); err != nil { // another copy is at hand
				return err
			}
		}
		r.mu.Lock()
		delete(r.mute, sum)
		r.mu.Unlock()
	}
	if r.card.Has(sum) {
		return nil
	}
	from, err := r.refuge.Open(sum)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // opened for reading
	p, err := r.card.Partial(sum, from.Size())
	if err != nil {
		return err
	}
	if err := pour(p, from, from.Size()); err != nil {
		_ = r.card.Drop(sum) // it takes the room of receipts
		return err
	}
	return nil
}

// pour completes a download with what is left of its bytes, and closes it. When
// the source goes away half-way, any carrier goes on where it stopped; the hash
// of the whole decides.
func pour(p link.Partial, from io.ReadSeeker, size int64) error {
	_, err := from.Seek(p.Offset(), io.SeekCurrent)
	if err == nil {
		_, err = io.CopyN(p, from, size-p.Offset())
	}
	if err == nil {
		err = p.Commit()
	}
	return errors.Join(err, p.Close())
}

// unloadEvery is how often the card is offered what is held in memory.
const unloadEvery = time.Minute

// unload puts on the card what is held in memory, one recording at a time while
// nothing sounds, and lets go of what nobody needs. It returns when to be called
// again; 0 for not before something comes into memory.
func (n *Node) unload() time.Duration {
	r := &n.recordings
	if r.refuge == nil || n.unloading {
		return 0
	}
	held := r.refuge.Held()
	switch {
	case len(held) == 0:
		n.unloadAt = 0
		return 0
	case n.unloadAt == 0:
		n.unloadAt = n.mono() + unloadEvery
	}
	if n.mono() < n.unloadAt || !n.stage.idle() {
		return max(n.unloadAt, n.mono()+time.Second)
	}
	n.unloadAt = n.mono() + unloadEvery
	sum := held[0]
	if !slices.Contains(n.needed, sum) {
		n.let(sum)
		return n.mono() + time.Second
	}
	n.unloading = true
	n.work.Go(func() {
		err := r.ashore(sum)
		n.post(func() { n.unloaded(sum, err) })
	})
	return 0
}

// unloaded takes what became of a recording on its way to the card.
func (n *Node) unloaded(sum store.Sum, err error) {
	n.unloading, n.watch.dirty = false, true
	n.card(partContents, err)
	switch {
	case err != nil:
		n.log.Warn("a recording stays in memory", "content", fmt.Sprintf("%x", sum[:4]), "err", err)
	case n.stage.idle(): // else next time: it may be what sounds
		n.let(sum)
	}
}

// let gives up the copy in memory.
func (n *Node) let(sum store.Sum) {
	n.docDirty = true
	if err := n.recordings.refuge.Drop(sum); err != nil && !errors.Is(err, os.ErrNotExist) {
		n.log.Warn("memory keeps a recording", "content", fmt.Sprintf("%x", sum[:4]), "err", err)
	}
}
