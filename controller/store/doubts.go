package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Doubt says that a node may not be the one box that was confirmed: a chain of
// its receipts has two continuations, both sealed with its key.
type Doubt struct {
	bun.BaseModel `bun:"table:doubts"`

	Node broadcast.ID `bun:"node,pk"`
	// Code is FaultRolledBack, or FaultDuplicate once both went on.
	Code  broadcast.FaultCode `bun:"code"`
	Since broadcast.Instant   `bun:"since_ms"`
	// Chain forked last at Seq, when Ended of it was stored.
	Chain broadcast.ID `bun:"chain"`
	Seq   int64        `bun:"seq"`
	Ended int64        `bun:"ended"`
	// Forks counts the continuations that are kept beside their chains.
	Forks int64 `bun:"forks"`
}

// Doubts returns the doubts there are about some nodes.
func (t Tx) Doubts(ctx context.Context, nodes []broadcast.ID) (map[broadcast.ID]Doubt, error) {
	if len(nodes) == 0 {
		return map[broadcast.ID]Doubt{}, nil
	}
	var rows []Doubt
	if err := t.tx.NewSelect().Model(&rows).Where("node IN (?)", bun.List(nodes)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("doubts about %d nodes: %w", len(nodes), err)
	}
	return byNode(rows), nil
}

// Doubts returns every doubt there is, by node.
func (db *DB) Doubts(ctx context.Context) (map[broadcast.ID]Doubt, error) {
	var rows []Doubt
	if err := db.read.NewSelect().Model(&rows).Scan(ctx); err != nil {
		return nil, fmt.Errorf("doubts: %w", err)
	}
	return byNode(rows), nil
}

func byNode(rows []Doubt) map[broadcast.ID]Doubt {
	out := make(map[broadcast.ID]Doubt, len(rows))
	for _, d := range rows {
		out[d.Node] = d
	}
	return out
}

// Doubt notes a doubt in place of an earlier one about the node, and marks the
// stored receipts of its chain from Seq on.
func (t Tx) Doubt(ctx context.Context, d Doubt) error {
	_, err := t.tx.NewInsert().Model(&d).On("CONFLICT (node) DO UPDATE").
		Set("code = EXCLUDED.code, chain = EXCLUDED.chain, seq = EXCLUDED.seq, ended = EXCLUDED.ended, forks = EXCLUDED.forks").Exec(ctx)
	if err != nil {
		return fmt.Errorf("doubt about node %s: %w", d.Node, err)
	}
	_, err = t.tx.NewUpdate().Model((*ReceiptRow)(nil)).Set("doubtful = TRUE").
		Where("node = ? AND chain = ? AND seq >= ?", d.Node, d.Chain, d.Seq).Exec(ctx)
	if err != nil {
		return fmt.Errorf("doubt receipts of %s: %w", d.Node, err)
	}
	return nil
}

// EndDoubt forgets the doubt about a node that has another key now. What was
// doubtful stays so.
func (t Tx) EndDoubt(ctx context.Context, node broadcast.ID) error {
	if _, err := t.tx.NewDelete().Model((*Doubt)(nil)).Where("node = ?", node).Exec(ctx); err != nil {
		return fmt.Errorf("end of the doubt about node %s: %w", node, err)
	}
	return nil
}

// ReceiptDigests returns the digests of what is stored of one chain between two
// sequence numbers, both included.
func (t Tx) ReceiptDigests(ctx context.Context, name ChainName, from, to int64) (map[int64]broadcast.Digest, error) {
	var rows []ReceiptRow
	err := t.tx.NewSelect().Model(&rows).Column("seq", "raw").Where("node = ? AND chain = ? AND seq BETWEEN ? AND ?", name.Node, name.Chain, from, to).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("receipts %d to %d of %s: %w", from, to, name.Node, err)
	}
	out := make(map[int64]broadcast.Digest, len(rows))
	for _, r := range rows {
		out[r.Seq] = broadcast.Sum(r.Raw) // as Receipt.Digest has it
	}
	return out, nil
}
