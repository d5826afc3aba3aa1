package fleet

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// silentAfter is how long a node that said ready may give no sign of its own
// before it no longer counts as present. Nodes speak every five minutes at the
// latest; a broker that broke off together with the node tells nobody.
const silentAfter = 12 * time.Minute

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

// known says whether there is such a node. The database is asked without the
// mutex: strangers at a foreign broker must not hold up those who belong here.
func (f *Fleet) known(ctx context.Context, node broadcast.ID) error {
	f.hints.mu.Lock()
	err := f.load(ctx)
	_, known := f.hints.last[node]
	f.hints.mu.Unlock()
	if err != nil || known {
		return err
	}
	_, err = f.cfg.DB.Node(ctx, node)
	return err
}

// change applies f to the last hints of a node.
func (f *Fleet) change(ctx context.Context, node broadcast.ID, apply func(*store.Hints) bool) error {
	if err := f.known(ctx, node); err != nil {
		return err
	}
	f.hints.mu.Lock()
	defer f.hints.mu.Unlock()
	h := f.hints.last[node]
	h.Node = node
	if !apply(&h) {
		return nil
	}
	f.hints.last[node], f.hints.waiting[node] = h, h
	f.cfg.Events.Publish(events.Event{Kind: events.Node, ID: node})
	return nil
}

// Presence notes that a node came or went. The last will of an older
// connection than the one that came last is ignored. What is not live was
// retained by the broker: nobody knows since when, so it is no sign of life.
func (f *Fleet) Presence(ctx context.Context, node broadcast.ID, p wire.Presence, live bool) error {
	return f.change(ctx, node, func(h *store.Hints) bool {
		if p.State == wire.Gone && h.Connection != p.Connection {
			return false
		}
		again := h.Present && h.Connection == p.Connection && p.State == wire.Ready
		switch {
		case live && !again: // asked once more on one connection, a node need say nothing else
			h.PresenceAt = f.now()
		case h.Connection != p.Connection:
			h.PresenceAt = 0
		}
		h.Connection, h.Present = p.Connection, p.State == wire.Ready
		return true
	})
}

// State notes what a node said of itself. A retained state, which is not live,
// counts only as long as the node has said nothing since, and has no age.
func (f *Fleet) State(ctx context.Context, node broadcast.ID, raw []byte, live bool) (wire.State, error) {
	s, err := wire.DecodeState(raw)
	if err != nil {
		return s, fmt.Errorf("state of %s: %w", node, err)
	}
	return s, f.change(ctx, node, func(h *store.Hints) bool {
		if !live && h.StateAt != 0 {
			return false
		}
		h.State = string(raw)
		if s.Audit != nil && s.Audit.Length > h.AuditLength { // a shorter one later takes nothing back
			h.AuditLength, h.AuditHead = s.Audit.Length, s.Audit.Head
		}
		if live {
			h.StateAt = f.now()
		}
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
	// LastSign is when the node last gave a sign of its own, 0 if never: what
	// the broker says for it, its last will, is none.
	LastSign broadcast.Instant
	// Doubt is nil unless the node may not be the one box that was confirmed.
	// Its verified announcements still sound, so that whoever copies a card
	// mutes nobody; what it proves is doubtful, and nothing else is for it.
	Doubt *store.Doubt
	// Faults are what is wrong with it as the vigil last saw it: its own word and
	// the controller's. Of a node that is gone its word is what was last known.
	Faults []store.Fault
	// Present says that the node called itself ready, nobody reported it gone
	// since, its last sign is recent, and it was not found to be gone.
	Present bool
}

// Overview returns every node with its last hints, in order of id.
func (f *Fleet) Overview(ctx context.Context) ([]Standing, error) {
	nodes, err := f.cfg.DB.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	out, err := f.snapshot(ctx, nodes)
	if err != nil {
		return nil, err
	}
	doubts, err := f.cfg.DB.Doubts(ctx)
	if err != nil {
		return nil, err
	}
	now := f.now()
	for i := range out { // without the mutex, since reading thousands of states takes a while
		out[i].Chain, _ = f.Chain(out[i].Node.Area)
		out[i].Faults = f.ills.of(out[i].Node.ID)
		out[i].read(now)
		if d, doubted := doubts[out[i].Node.ID]; doubted {
			out[i].Doubt = &d
		}
	}
	return out, nil
}

func (f *Fleet) snapshot(ctx context.Context, nodes []store.Node) ([]Standing, error) {
	f.hints.mu.Lock()
	defer f.hints.mu.Unlock()
	if err := f.load(ctx); err != nil {
		return nil, err
	}
	out := make([]Standing, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, Standing{Node: n, Hints: f.hints.last[n.ID]})
	}
	return out, nil
}

// read fills in what the hints say.
func (s *Standing) read(now broadcast.Instant) {
	if st, err := wire.DecodeState([]byte(s.Hints.State)); err == nil {
		s.State = &st
	}
	if h, err := wire.DecodeHealth([]byte(s.Hints.Health)); err == nil {
		s.Health = &h
	}
	s.LastSign = max(s.Hints.StateAt, s.Hints.HealthAt)
	if s.Hints.Present {
		s.LastSign = max(s.LastSign, s.Hints.PresenceAt)
	}
	s.Present = s.Hints.Present && s.LastSign != 0 && now.Sub(s.LastSign) <= silentAfter &&
		!slices.ContainsFunc(s.Faults, func(ill store.Fault) bool { return ill.Code == broadcast.FaultNodeGone && ill.Shown > s.LastSign })
}
