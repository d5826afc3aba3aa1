package node

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/store"
)

// How a boot deals with facts that the card does not give: it asks a few times,
// goes on without them, and takes them in when they come. After givenUp the card
// is believed to have spoiled them.
const (
	factTries = 3
	factPause = time.Second
	givenUp   = time.Hour
)

// errUnread means that a register is not written because nobody knows yet what
// is in it.
var errUnread = errors.New("the card did not give it yet")

// recall reads a fact at boot. What the card does not give is taken in later,
// and is not written before.
func (n *Node) recall(f fact) error {
	tries := factTries
	if len(n.shelf.unread) > 0 {
		tries = 1 // it had its time
	}
	raw, err := n.shelf.fact(f.name)
	for range tries - 1 {
		if unanswers(err) {
			timer := time.NewTimer(factPause)
			<-timer.C
			raw, err = n.shelf.fact(f.name)
		}
	}
	switch {
	case unanswers(err):
		n.log.Error("the card does not give a register", "register", f.name, "err", err)
		n.shelf.unread[f.name] = f
		n.card(partDocuments, err)
		return nil
	case err != nil || raw == nil:
		return err
	}
	return f.take(raw)
}

// fact is the value of a register, nil if it was never kept or is spoiled.
func (s *shelf) fact(name string) ([]byte, error) {
	raw, err := s.registers.Get(name)
	if errors.Is(err, store.ErrAbsent) || errors.Is(err, store.ErrCorrupt) {
		return nil, nil
	}
	return raw, err
}

// waits says that the card did not give all yet.
func (s *shelf) waits() bool { return len(s.unread) > 0 || s.silent != nil }

// recallAll takes in what the card gives by now. The error says that it still
// does not give all.
func (n *Node) recallAll() error {
	if !n.shelf.waits() {
		n.shelf.since = 0
		return nil
	}
	if n.shelf.since == 0 {
		n.shelf.since = n.mono()
	}
	var all []error
	for _, f := range n.shelf.unread {
		raw, err := n.shelf.fact(f.name)
		if unanswers(err) && !n.gaveUp() {
			all = append(all, fmt.Errorf("register %s: %w", f.name, err))
			continue
		}
		delete(n.shelf.unread, f.name)
		if err == nil && raw != nil {
			err = f.take(raw)
			n.planDirty = true
		}
		if err != nil {
			n.log.Error("a register is given up", "register", f.name, "err", err)
			n.note(broadcast.FaultStoreCorrupt, partDocuments, err.Error())
		}
	}
	n.reload = n.reload || n.shelf.silent != nil
	return errors.Join(append(all, n.shelf.silent)...)
}

// gaveUp says that what the card does not give is believed to be spoiled.
func (n *Node) gaveUp() bool { return n.shelf.since != 0 && n.mono() >= n.shelf.since+givenUp }

// facts are what a node knows beside its documents, each with how it is taken in
// at whatever time.
func (n *Node) facts() []fact {
	return []fact{
		{shelfFloors, into(func(gone []label) {
			n.shelf.gone = append(gone, n.shelf.gone...)
			n.shelf.raise(n.floors, nil)
		})},
		{shelfClock, into(func(floor broadcast.Instant) {
			n.clock.floor = max(n.clock.floor, floor)
			n.clock.tune(n.reading)
		})},
		{shelfRevoked, into(func(list []broadcast.Revocation) {
			if n.keyring == nil { // at boot
				n.revoked = list
			} else if n.remember(list) {
				n.reload = true // it may void what was believed meanwhile
			}
		})},
		{shelfSettled, into(func(at broadcast.Instant) {
			if n.settled == 0 || at < n.settled {
				n.settled = at
			}
		})},
		{shelfSpent, into(n.allowance.also)},
		{shelfTries, into(n.recallTries)},
	}
}

// fact is a register that is read at boot.
type fact struct {
	name string
	take func(raw []byte) error
}

// into reads a fact for whoever takes it.
func into[T any](take func(T)) func([]byte) error {
	return func(raw []byte) error {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		take(v)
		return nil
	}
}

// lastChain is the chain of the newest receipt in the journal, "" if there is
// none: the name of the chain when its register has none to give.
func lastChain(j *store.Journal) (chain broadcast.ID, err error) {
	err = j.Read(0, maxRecords, func(_ uint64, raw []byte) error {
		var p page
		if json.Unmarshal(raw, &p) != nil {
			return nil
		}
		for _, r := range p.Lines {
			chain = cmp.Or(r.Chain, chain)
		}
		return nil
	})
	return chain, err
}
