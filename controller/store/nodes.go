package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// NodeStatus is how far a node is on its way into the fleet.
type NodeStatus string

// The statuses of a node.
const (
	Invited   NodeStatus = "invited"   // has a one-time token
	Pending   NodeStatus = "pending"   // enrolled with its own key, not confirmed on site
	Confirmed NodeStatus = "confirmed" // its receipts count
	Revoked   NodeStatus = "revoked"
)

// Node is one speaker site as the controller knows it.
type Node struct {
	bun.BaseModel `bun:"table:nodes"`

	ID     broadcast.ID `bun:"id,pk"`
	Area   broadcast.ID `bun:"area"`
	Status NodeStatus   `bun:"status"`
	// TokenHash is the digest of the one-time token.
	TokenHash  broadcast.Digest  `bun:"token_hash"`
	TokenUntil broadcast.Instant `bun:"token_until_ms"`
	Key        broadcast.Key     `bun:"public"`
	// SecretHash is the digest of the credential for broker and fetching.
	SecretHash  broadcast.Digest  `bun:"secret_hash"`
	Board       string            `bun:"board"`
	Enrolled    broadcast.Instant `bun:"enrolled_ms"`
	Confirmed   broadcast.Instant `bun:"confirmed_ms"`
	ConfirmedBy broadcast.ID      `bun:"confirmed_by"`
	// Assignment is the digest of the sealed assignment, empty before one.
	Assignment broadcast.Digest `bun:"assignment"`
}

// Hints is what a node last said of itself, unproved.
type Hints struct {
	bun.BaseModel `bun:"table:node_hints"`

	Node       broadcast.ID      `bun:"node,pk"`
	Connection broadcast.ID      `bun:"connection"`
	Present    bool              `bun:"present"`
	PresenceAt broadcast.Instant `bun:"presence_ms"`
	// State and Health are the messages as they came, or empty.
	State    string            `bun:"state"`
	StateAt  broadcast.Instant `bun:"state_ms"`
	Health   string            `bun:"health"`
	HealthAt broadcast.Instant `bun:"health_ms"`
	// AuditLength and AuditHead are the longest audit log that it was told of; 0
	// before any.
	AuditLength int64            `bun:"audit_length"`
	AuditHead   broadcast.Digest `bun:"audit_head"`
}

// AddNode stores a new node; one with that id is ErrConflict.
func (t Tx) AddNode(ctx context.Context, n Node) error {
	res, err := t.tx.NewInsert().Model(&n).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("node "+string(n.ID), ErrConflict, res, err)
}

// SaveNode replaces what is known of a node; an unknown one is ErrNotFound.
func (t Tx) SaveNode(ctx context.Context, n Node) error {
	res, err := t.tx.NewUpdate().Model(&n).WherePK().Exec(ctx)
	return changed("node "+string(n.ID), ErrNotFound, res, err)
}

// Node returns one node inside the transaction, or ErrNotFound.
func (t Tx) Node(ctx context.Context, id broadcast.ID) (Node, error) { return node(ctx, t.tx, id) }

// Node returns one node, or ErrNotFound.
func (db *DB) Node(ctx context.Context, id broadcast.ID) (Node, error) { return node(ctx, db.read, id) }

func node(ctx context.Context, db bun.IDB, id broadcast.ID) (Node, error) {
	var n Node
	if err := db.NewSelect().Model(&n).Where("id = ?", id).Scan(ctx); err != nil {
		return n, fmt.Errorf("node %s: %w", id, notFound(err))
	}
	return n, nil
}

// CountNodes returns how many nodes there are, in every status.
func (t Tx) CountNodes(ctx context.Context) (int64, error) {
	n, err := t.tx.NewSelect().Model((*Node)(nil)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count nodes: %w", err)
	}
	return n, nil
}

// Nodes returns every node in order of id.
func (db *DB) Nodes(ctx context.Context) ([]Node, error) {
	var out []Node
	if err := db.read.NewSelect().Model(&out).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("nodes: %w", err)
	}
	return out, nil
}

// NodesNamed returns those of some nodes that are known, by id.
func (db *DB) NodesNamed(ctx context.Context, ids []broadcast.ID) (map[broadcast.ID]Node, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []Node
	if err := db.read.NewSelect().Model(&rows).Where("id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("%d nodes: %w", len(ids), err)
	}
	out := make(map[broadcast.ID]Node, len(rows))
	for _, n := range rows {
		out[n.ID] = n
	}
	return out, nil
}

// Hints returns the last hints of every node that ever gave one.
func (db *DB) Hints(ctx context.Context) (map[broadcast.ID]Hints, error) {
	var rows []Hints
	if err := db.read.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, fmt.Errorf("hints: %w", err)
	}
	out := make(map[broadcast.ID]Hints, len(rows))
	for _, h := range rows {
		out[h.Node] = h
	}
	return out, nil
}

// SaveHints replaces the hints of some nodes.
func (t Tx) SaveHints(ctx context.Context, hints []Hints) error {
	if len(hints) == 0 {
		return nil
	}
	_, err := t.tx.NewInsert().Model(&hints).On("CONFLICT (node) DO UPDATE").
		Set("connection = EXCLUDED.connection, present = EXCLUDED.present, presence_ms = EXCLUDED.presence_ms, " +
			"state = EXCLUDED.state, state_ms = EXCLUDED.state_ms, health = EXCLUDED.health, health_ms = EXCLUDED.health_ms, " +
			"audit_length = EXCLUDED.audit_length, audit_head = EXCLUDED.audit_head").Exec(ctx)
	if err != nil {
		return fmt.Errorf("hints: %w", err)
	}
	return nil
}
