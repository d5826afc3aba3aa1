package node

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
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
	mostDocuments = 6
	mostFirst     = 9 // documents and recordings of emergencies together
	firstRetry    = 5 * time.Second
	maxRetry      = 10 * time.Minute
	offlineRetry  = 30 * time.Minute // of what is not urgent, while no broker is reached
	maxFetches    = 4096
	spread        = 30 * time.Second // over which neighbours spread what is not urgent
	lookAgain     = 10 * time.Minute // as days and nights go by
)

// fetches are the fetches under way and those that failed.
type fetches struct {
	known map[broadcast.Digest]*fetch
	// first counts those that never wait, behind is the one download of the others.
	first  int
	behind *fetch
	// cramped says that the recording of an emergency found no room: nothing
	// else has any until it is here.
	cramped bool
	// look is when to find out anew what is wanted, gate from when this node
	// fetches what is not urgent; 0 while there is nothing of the kind.
	look, gate time.Duration
}

// fetch is one thing that is wanted.
type fetch struct {
	busy   bool
	tier   tier // when it was last tried
	cancel context.CancelFunc
	broken bool // something more urgent took its turn
	tries  int
	after  time.Duration // not before
	since  time.Duration // wanted, and nothing to wait for
	why    string        // it is not here yet
	noRoom bool          // the card does not take it
	lent   int           // carriers that hand it over just now, or wait to
	taking bool          // one of them has it
	freed  chan struct{} // closed when a fetch of it is over, or its carrier; nil if nobody waits
	// shelter says that it goes to memory, because the card does not take it.
	shelter bool
}

// stop breaks a fetch off. What came of it stays for another time.
func (f *fetch) stop() {
	f.broken = true
	f.cancel()
}

// gone is closed as soon as neither the network nor a carrier has it; nil if that
// is so now.
func (f *fetch) gone() <-chan struct{} {
	if !f.busy && !f.taking {
		return nil
	}
	if f.freed == nil {
		f.freed = make(chan struct{})
	}
	return f.freed
}

// free wakes who waits for it.
func (f *fetch) free() {
	if f.freed != nil {
		close(f.freed)
		f.freed = nil
	}
}

// get returns the note of one fetch, or nil when there are too many.
func (f *fetches) get(d broadcast.Digest) *fetch {
	if f.known == nil {
		f.known = map[broadcast.Digest]*fetch{}
	}
	have := f.known[d]
	if have == nil && len(f.known) < maxFetches {
		have = &fetch{tier: tierNight}
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
	f.gate = 0
	for _, one := range f.known {
		if !one.busy {
			one.tries, one.after = 0, 0
		}
	}
}

// fetch starts what is wanted and not under way, and returns when the next one
// may be tried; 0 for none.
func (n *Node) fetch() time.Duration {
	if n.docDirty || n.mono() >= n.fetches.look {
		n.survey()
	}
	wake := n.fetches.look
	for _, w := range n.want {
		if f := n.fetches.get(w.digest); f != nil {
			wake = sooner(wake, n.attend(w, f))
		}
	}
	return sooner(wake, n.warnOfMissing())
}

// survey finds out anew what is wanted and what is to be kept.
func (n *Node) survey() {
	if n.docDirty {
		n.docDirty, n.presence.holding = false, ""
	}
	f, now := &n.fetches, n.now()
	n.allowance.on(now)
	needs := n.needs(now)
	n.recount()
	n.want = n.wants(needs, now)
	n.want = n.want[:min(len(n.want), maxFetches-3*mostFirst)] // what goes first is first in the list
	f.look = n.mono() + lookAgain
	f.cramped = f.cramped && slices.ContainsFunc(n.want, func(w wanted) bool { return w.tier == tierEmergency })
	f.keepOnly(n.want)
	if !slices.ContainsFunc(n.want, func(w wanted) bool { return w.tier > tierSoon && w.from == 0 }) {
		f.gate = 0
	}
	n.prefer(needs)
}

// attend begins one fetch if it is its turn, and returns when it may be tried
// if that is only a matter of time; 0 otherwise.
func (n *Node) attend(w wanted, f *fetch) time.Duration {
	now := n.now()
	if w.from > now && !f.busy {
		f.since, f.why = 0, "waits for the night"
		return n.mono() + w.from.Sub(now)
	}
	if f.since == 0 {
		f.since, f.why = max(1, n.mono()), ""
	}
	switch {
	case f.lent > 0:
	case f.busy && w.tier.first() && !f.tier.first():
		f.stop() // it comes back as one that goes first
	case f.busy, n.fetches.cramped && !w.tier.first():
	case w.bytes > 0 && !n.allowance.open(w.tier == tierEmergency):
		f.tries, f.after, f.why, n.fetches.gate = 0, 0, errAllowance.Error(), 0
	case n.mono() < f.after && (w.tier > tierSoon || w.tier >= f.tier): // what waited as something less urgent waits no more
		return f.after
	case w.tier > tierSoon && n.mono() < n.passGate():
		return n.fetches.gate
	case n.turn(w):
		n.begin(w, f)
	}
	return 0
}

// passGate is from when what is not urgent may be fetched: neighbours who hear
// of it at the same moment do not begin together.
func (n *Node) passGate() time.Duration {
	if n.fetches.gate == 0 {
		n.fetches.gate = n.mono() + n.jitter(spread)
	}
	return n.fetches.gate
}

// turn says whether a fetch may begin. One that is behind a less urgent download
// breaks that off; it goes on where it stopped.
func (n *Node) turn(w wanted) bool {
	f := &n.fetches
	switch {
	case w.tier == tierDocument:
		return f.first < mostDocuments
	case w.tier.first():
		return f.first < mostFirst
	case f.behind != nil && f.behind.tier > w.tier:
		f.behind.stop()
	}
	return f.behind == nil
}

// keepOnly forgets what nobody wants any more, and breaks off what is under way
// of it.
func (f *fetches) keepOnly(want []wanted) {
	wanted := map[broadcast.Digest]bool{}
	for _, w := range want {
		wanted[w.digest] = true
	}
	for d, one := range f.known {
		switch {
		case wanted[d], one.lent > 0:
		case one.busy:
			one.stop()
		default:
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

// cramp makes room for the recording of an emergency: what else is under way is
// broken off.
func (n *Node) cramp() {
	n.fetches.cramped = true
	if f := n.fetches.behind; f != nil {
		f.stop()
	}
}

// begin fetches one thing in the background.
func (n *Node) begin(w wanted, f *fetch) {
	sum, err := sumOf(w.digest)
	if err != nil {
		return
	}
	n.sending.stop()
	ctx, cancel := context.WithCancel(n.ctx)
	f.busy, f.tier, f.cancel = true, w.tier, cancel
	if w.tier.first() {
		n.fetches.first++
	} else {
		n.fetches.behind = f
	}
	shelter := f.shelter
	n.work.Go(func() {
		defer cancel()
		var raw []byte
		var err error
		if w.bytes > 0 {
			err = n.content(ctx, sum, w, shelter)
		} else {
			raw, err = n.cfg.Fetcher.Document(ctx, sum)
		}
		n.post(func() { n.fetched(w, f, raw, err) })
	})
}

// content fetches a recording into the store. One that is held already is none
// to fetch.
func (n *Node) content(ctx context.Context, sum store.Sum, w wanted, shelter bool) error {
	err := n.cfg.Fetcher.Content(ctx, link.Order{Sum: sum, Size: w.bytes, Urgent: w.tier.first(),
		Open: func() (link.Partial, error) {
			p, err := n.recordings.partial(sum, w.bytes, shelter)
			if err != nil {
				return nil, err
			}
			return metered{p, &n.allowance, w.tier == tierEmergency}, nil
		}})
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}
