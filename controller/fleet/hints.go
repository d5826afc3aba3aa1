package fleet

import (
	"context"
	"fmt"
	"sync"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// hints gathers what nodes say until Flush stores it in one transaction, so
// that a storm of nodes coming back is one write.
type hints struct {
	mu      sync.Mutex
	waiting map[broadcast.ID]store.Hints
	loaded  bool
	last    map[broadcast.ID]store.Hints
}

// load reads the stored hints once, so that a restart forgets nothing.
func (f *Fleet) load(ctx context.Context) error {
	if f.hints.loaded {
		return nil
	}
	last, err := f.cfg.DB.Hints(ctx)
	if err != nil {
		return err
	}
	f.hints.last, f.hints.loaded = last, true
	return nil
}

// change applies f to the last hints of a node.
func (f *Fleet) change(ctx context.Context, node broadcast.ID, apply func(*store.Hints) bool) error {
	f.hints.mu.Lock()
	defer f.hints.mu.Unlock()
	if err := f.load(ctx); err != nil {
		return err
	}
	h, known := f.hints.last[node]
	if !known {
		if _, err := f.cfg.DB.Node(ctx, node); err != nil {
			return err
		}
		h = store.Hints{Node: node}
	}
	if !apply(&h) {
		return nil
	}
	f.hints.last[node], f.hints.waiting[node] = h, h
	f.cfg.Events.Publish(events.Event{Kind: events.Node, ID: node})
	return nil
}

// Presence notes that a node came or went. The last will of an older
// connection than the one that came last is ignored.
func (f *Fleet) Presence(ctx context.Context, node broadcast.ID, p wire.Presence) error {
	return f.change(ctx, node, func(h *store.Hints) bool {
		if p.State == wire.Gone && h.Connection != p.Connection {
			return false
		}
		h.Connection, h.Present, h.PresenceAt = p.Connection, p.State == wire.Ready, f.now()
		return true
	})
}

// State notes what a node said of itself.
func (f *Fleet) State(ctx context.Context, node broadcast.ID, raw []byte) (wire.State, error) {
	s, err := wire.DecodeState(raw)
	if err != nil {
		return s, fmt.Errorf("state of %s: %w", node, err)
	}
	return s, f.change(ctx, node, func(h *store.Hints) bool {
		h.State, h.StateAt = string(raw), f.now()
		return true
	})
}

// Health notes what a node knows to be wrong with itself.
func (f *Fleet) Health(ctx context.Context, node broadcast.ID, raw []byte) error {
	if _, err := wire.DecodeHealth(raw); err != nil {
		return fmt.Errorf("health of %s: %w", node, err)
	}
	return f.change(ctx, node, func(h *store.Hints) bool {
		h.Health, h.HealthAt = string(raw), f.now()
		return true
	})
}

// Flush stores the hints gathered since the last call.
func (f *Fleet) Flush(ctx context.Context) error {
	f.hints.mu.Lock()
	waiting := f.hints.waiting
	f.hints.waiting = map[broadcast.ID]store.Hints{}
	f.hints.mu.Unlock()
	if len(waiting) == 0 {
		return nil
	}
	rows := make([]store.Hints, 0, len(waiting))
	for _, h := range waiting {
		rows = append(rows, h)
	}
	err := f.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.SaveHints(ctx, rows) })
	if err == nil {
		return nil
	}
	f.hints.mu.Lock()
	defer f.hints.mu.Unlock()
	for id, h := range waiting {
		if _, newer := f.hints.waiting[id]; !newer {
			f.hints.waiting[id] = h
		}
	}
	return err
}

// Standing is one node with what it last said.
type Standing struct {
	Node  store.Node
	Hints store.Hints
	// State and Health are nil if the node never gave one.
	State  *wire.State
	Health *wire.Health
	Chain  []broadcast.Place
}

// Overview returns every node with its last hints, in order of id.
func (f *Fleet) Overview(ctx context.Context) ([]Standing, error) {
	nodes, err := f.cfg.DB.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	f.hints.mu.Lock()
	defer f.hints.mu.Unlock()
	if err := f.load(ctx); err != nil {
		return nil, err
	}
	out := make([]Standing, 0, len(nodes))
	for _, n := range nodes {
		s := Standing{Node: n, Hints: f.hints.last[n.ID]}
		s.Chain, _ = f.Chain(n.Area)
		if st, err := wire.DecodeState([]byte(s.Hints.State)); err == nil {
			s.State = &st
		}
		if h, err := wire.DecodeHealth([]byte(s.Hints.Health)); err == nil {
			s.Health = &h
		}
		out = append(out, s)
	}
	return out, nil
}
