package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// Move is a confirmed node whose signed place is not the one that the
// organisation tree gives it now.
type Move struct {
	Node store.Node
	// From is the chain that was signed last, To that of the tree.
	From, To []broadcast.Place
	place    broadcast.Assignment
}

// Moved is what came of one move; Err is nil if it was signed.
type Moved struct {
	Move
	Err error
}

// Behind returns the nodes that still stand where the tree had them before, in
// order of id. A node whose area is gone from the tree stays where it was signed.
func (f *Fleet) Behind(ctx context.Context) ([]Move, error) {
	nodes, err := f.cfg.DB.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	var out []Move
	for _, n := range nodes {
		if n.Status != store.Confirmed || n.Assignment == "" {
			continue
		}
		to, err := f.Chain(n.Area)
		if errors.Is(err, ErrArea) {
			continue
		}
		if err != nil {
			return nil, err
		}
		at, err := f.placed(ctx, n)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(at.Chain, to) {
			out = append(out, Move{Node: n, From: at.Chain, To: to, place: at})
		}
	}
	return out, nil
}

// Follow signs the places of nodes as the tree has them now, each by itself: what
// one node would not believe keeps no other from following. Of a place nothing
// but the chain of areas changes. A node goes on with the old place until it has
// the new one.
func (f *Fleet) Follow(ctx context.Context, by broadcast.ID, signer seal.Signer, moves []Move) []Moved {
	var out []Moved
	for _, m := range moves {
		doc := m.place
		doc.Chain = m.To
		err := f.mayMove(ctx, m, doc, signer)
		if err == nil {
			err = f.replace(ctx, m.Node, m.place, doc, signer, store.Deed{Person: by, Act: "node.move", Detail: moving{From: m.From, To: m.To}})
		}
		out = append(out, Moved{Move: m, Err: err})
	}
	return out
}

// moving is what the audit log keeps of a move.
type moving struct {
	From []broadcast.Place `json:"from"`
	To   []broadcast.Place `json:"to"`
}

// mayMove refuses a signer who acts too low: a node takes no place from somebody
// above whose areas something changes.
func (f *Fleet) mayMove(ctx context.Context, m Move, doc broadcast.Assignment, signer seal.Signer) error {
	ring, err := f.cfg.Office.Ring(ctx)
	if err != nil {
		return err
	}
	cert, _ := ring.Certificate(signer.KID)
	if !doc.Keeps(m.place, cert.Areas) {
		return fmt.Errorf("node %s: %w", m.Node.ID, ErrBelief)
	}
	return nil
}
