package node

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/device/store"
)

// The names of the node's registers.
const (
	shelfDocuments = "doc/"
	shelfFloors    = "floors"
	shelfRevoked   = "revoked"
	shelfClock     = "clock"
	shelfChain     = "chain"
	shelfSettled   = "settled"
	shelfOrders    = "order/"
	shelfSpent     = "spent"
	shelfTrial     = "trial"
	shelfTries     = "tries"
)

// maxFloors bounds the floors of documents that are gone.
const maxFloors = 2000

// label is what stands before the bytes of a document on the shelf.
type label struct {
	Kind     broadcast.Kind     `json:"kind"`
	ID       broadcast.ID       `json:"id"`
	Revision broadcast.Revision `json:"revision"`
	Epoch    int64              `json:"epoch,omitempty"`
	Digest   broadcast.Digest   `json:"digest"`
	// Class and Level are the standing of those who sealed it.
	Class broadcast.Class `json:"class,omitempty"`
	Level broadcast.Level `json:"level,omitempty"`
	// Held is when this node first verified it, by trusted time.
	Held broadcast.Instant `json:"held,omitzero"`
}

func (l label) subject() seal.Subject { return seal.Subject{Kind: l.Kind, ID: l.ID} }

func (l label) floor() seal.Floor {
	return seal.Floor{Epoch: l.Epoch, Revision: l.Revision, Digest: l.Digest, Standing: seal.Standing{Class: l.Class, Level: l.Level}}
}

// place is the register of a document. What may sound keeps every revision
// apart, because an emergency goes on until its successor begins; withdrawals
// each hold by themselves.
func (l label) place() string {
	name := shelfDocuments + string(l.Kind) + "/"
	switch {
	case l.Kind == broadcast.KindWithdrawal:
		return name + string(l.Digest)
	case sounds(l.Kind):
		return name + string(l.ID) + "/" + strconv.FormatInt(int64(l.Revision), 10)
	}
	return name + string(l.ID)
}

// sounds says whether documents of a kind are heard.
func sounds(k broadcast.Kind) bool {
	return k == broadcast.KindAnnouncement || k == broadcast.KindDrill
}

// kept is one document on the shelf.
type kept struct {
	label
	raw []byte
}

// shelf keeps documents and small facts on the card. A document is its own
// floor; the floors of what was taken off the shelf are kept in one register.
type shelf struct {
	registers *store.Registers
	gone      []label
	// unread are the facts that the card did not give since this boot, silent
	// says that it did not give all documents when they were read last, since is
	// from when it was asked for them again.
	unread map[string]fact
	silent error
	since  time.Duration
}

func newShelf(r *store.Registers) *shelf {
	return &shelf{registers: r, unread: map[string]fact{}}
}

// put keeps a fact, unless the card did not give yet what it has of it.
func (s *shelf) put(name string, v any) error {
	if _, waits := s.unread[name]; waits {
		return fmt.Errorf("register %s: %w", name, errUnread)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	return s.registers.Put(name, b)
}

// keep puts a document on the shelf; nil means that it is on the medium.
func (s *shelf) keep(k kept) error {
	head, err := json.Marshal(k.label)
	if err != nil {
		return err
	}
	return s.registers.Put(k.place(), slices.Concat(head, []byte{'\n'}, k.raw))
}

// drop takes a document off the shelf and keeps its floor.
func (s *shelf) drop(l label) error {
	if err := s.keepFloor(l); err != nil {
		return err
	}
	return s.registers.Delete(l.place())
}

// release takes a document off the shelf and returns the floor that it keeps,
// just below it: nothing older comes under its name, and it may come again.
func (s *shelf) release(l label) (label, error) {
	floor := l
	floor.Revision, floor.Digest = l.Revision-1, broadcast.Sum([]byte("before "+string(l.Digest)))
	if err := s.keepFloor(floor); err != nil {
		return floor, err
	}
	return floor, s.registers.Delete(l.place())
}

func (s *shelf) keepFloor(l label) error {
	s.gone = slices.DeleteFunc(s.gone, func(g label) bool { return g.Digest == l.Digest })
	s.gone = append(s.gone, l)
	if len(s.gone) > maxFloors {
		s.gone = slices.Delete(s.gone, 0, len(s.gone)-maxFloors)
	}
	return s.put(shelfFloors, s.gone)
}

// gave says whether a document was taken off the shelf for good.
func (s *shelf) gave(l label) bool {
	return slices.ContainsFunc(s.gone, func(g label) bool { return g.Digest == l.Digest })
}

// forget takes a document off the shelf as if it had never come.
func (s *shelf) forget(l label) error { return s.registers.Delete(l.place()) }

// all returns every document that can be read, and how many are spoiled; silent
// says whether the card gave no answer for some.
func (s *shelf) all() (documents []kept, spoiled int, err error) {
	s.silent = nil
	names, err := s.registers.List(shelfDocuments)
	if err != nil {
		return nil, 0, err
	}
	for _, name := range names {
		k, err := s.read(name)
		switch {
		case err == nil:
			documents = append(documents, k)
		case unanswers(err):
			s.silent = err
		default:
			spoiled++
		}
	}
	return documents, spoiled, nil
}

func (s *shelf) read(name string) (kept, error) {
	b, err := s.registers.Get(name)
	if err != nil {
		return kept{}, err
	}
	head, raw, found := bytes.Cut(b, []byte{'\n'})
	var k kept
	if err := json.Unmarshal(head, &k.label); err != nil || !found || broadcast.Sum(raw) != k.Digest {
		return kept{}, fmt.Errorf("register %s: %w", name, store.ErrCorrupt)
	}
	k.raw = raw
	return k, nil
}

// raise lifts floors to everything that the shelf holds or ever held: the node
// may never fall behind it again.
func (s *shelf) raise(f seal.Floors, documents []kept) {
	for _, l := range s.gone {
		f.Raise(l.subject(), l.floor())
	}
	for _, k := range documents {
		f.Raise(k.subject(), k.floor())
	}
}

// keepOrder keeps a running order under its digest.
func (s *shelf) keepOrder(sum broadcast.Digest, raw []byte) error {
	return s.registers.Put(shelfOrders+string(sum), raw)
}

// orders returns the running orders on the shelf.
func (s *shelf) orders() (map[broadcast.Digest]broadcast.RunningOrder, error) {
	names, err := s.registers.List(shelfOrders)
	if err != nil {
		return nil, err
	}
	out := map[broadcast.Digest]broadcast.RunningOrder{}
	for _, name := range names {
		sum := broadcast.Digest(strings.TrimPrefix(name, shelfOrders))
		b, err := s.registers.Get(name)
		if unanswers(err) {
			s.silent = err
		}
		if err != nil || broadcast.Sum(b) != sum {
			continue
		}
		if order, err := broadcast.Decode[broadcast.RunningOrder](b); err == nil {
			out[sum] = order
		}
	}
	return out, nil
}
