package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Chain is how far one receipt chain of a node was stored.
type Chain struct {
	bun.BaseModel `bun:"table:chains"`

	Node  broadcast.ID     `bun:"node,pk"`
	Chain broadcast.ID     `bun:"chain,pk"`
	Seq   int64            `bun:"seq"`
	Head  broadcast.Digest `bun:"head"`
}

// ReceiptRow is one stored receipt; Raw is its canonical encoding.
type ReceiptRow struct {
	bun.BaseModel `bun:"table:receipts"`

	Node         broadcast.ID       `bun:"node,pk"`
	Chain        broadcast.ID       `bun:"chain,pk"`
	Seq          int64              `bun:"seq,pk"`
	Announcement broadcast.ID       `bun:"announcement"`
	Of           broadcast.Revision `bun:"of_revision"`
	Stored       broadcast.Instant  `bun:"stored_ms"`
	Raw          []byte             `bun:"raw"`
	// Doubtful says that it is not clear which box gave it.
	Doubtful bool `bun:"doubtful"`
	// Firing says that it tells of a key switch in the box.
	Firing bool `bun:"firing"`
}

// ChainName names a receipt chain: the node, and the journal that it kept.
type ChainName struct{ Node, Chain broadcast.ID }

// Name names the chain.
func (c Chain) Name() ChainName { return ChainName{c.Node, c.Chain} }

// Chains returns how far each of the named chains was stored; an unknown one is
// at 0. Asking for many at once costs about as much as for one.
func (t Tx) Chains(ctx context.Context, names []ChainName) (map[ChainName]Chain, error) {
	return chains(ctx, t.tx, names)
}

// Chains returns how far each of the named chains was stored, as it does inside
// a transaction.
func (db *DB) Chains(ctx context.Context, names []ChainName) (map[ChainName]Chain, error) {
	return chains(ctx, db.read, names)
}

func chains(ctx context.Context, from bun.IDB, names []ChainName) (map[ChainName]Chain, error) {
	out := make(map[ChainName]Chain, len(names))
	var nodes, chains []broadcast.ID
	for _, n := range names {
		out[n] = Chain{Node: n.Node, Chain: n.Chain, Head: broadcast.Sum(nil)}
		nodes, chains = append(nodes, n.Node), append(chains, n.Chain)
	}
	if len(names) == 0 {
		return out, nil
	}
	var rows []Chain
	err := from.NewSelect().Model(&rows).Where("node IN (?)", bun.List(nodes)).Where("chain IN (?)", bun.List(chains)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("chains of %d nodes: %w", len(nodes), err)
	}
	for _, c := range rows {
		if _, asked := out[c.Name()]; asked {
			out[c.Name()] = c
		}
	}
	return out, nil
}

// ChainsOf returns how far the chains of one node were stored, at most limit.
func (db *DB) ChainsOf(ctx context.Context, node broadcast.ID, limit int64) ([]Chain, error) {
	var out []Chain
	err := db.read.NewSelect().Model(&out).Where("node = ?", node).Order("chain DESC").Limit(limit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("chains of %s: %w", node, err)
	}
	return out, nil
}

// ReceiptsAfter returns how far a chain was stored, and its newest receipts that
// follow a sequence number, the newest first, at most limit.
func (db *DB) ReceiptsAfter(ctx context.Context, name ChainName, seq, limit int64) (Chain, []ReceiptRow, error) {
	end := Chain{Node: name.Node, Chain: name.Chain, Head: broadcast.Sum(nil)}
	err := db.read.NewSelect().Model(&end).WherePK().Scan(ctx)
	if err = notFound(err); errors.Is(err, ErrNotFound) || err == nil && end.Seq <= seq {
		return end, nil, nil
	}
	if err != nil {
		return end, nil, fmt.Errorf("chain of %s: %w", name.Node, err)
	}
	var out []ReceiptRow
	err = db.read.NewSelect().Model(&out).Where("node = ? AND chain = ? AND seq > ?", name.Node, name.Chain, seq).
		Order("seq DESC").Limit(limit).Scan(ctx)
	if err != nil {
		return end, nil, fmt.Errorf("receipts of %s after %d: %w", name.Node, seq, err)
	}
	return end, out, nil
}

// rowsAtOnce bounds one statement: a receipt has up to a kilobyte.
const rowsAtOnce = 500

// AddReceipts adds receipts of one or more chains and notes how far those go
// now. Without receipts nothing changes.
func (t Tx) AddReceipts(ctx context.Context, to []Chain, rows []ReceiptRow) error {
	if len(rows) == 0 {
		return nil
	}
	for some := range slices.Chunk(rows, rowsAtOnce) {
		if _, err := t.tx.NewInsert().Model(&some).Exec(ctx); err != nil {
			return fmt.Errorf("receipts of %s and others: %w", some[0].Node, err)
		}
	}
	_, err := t.tx.NewInsert().Model(&to).On("CONFLICT (node, chain) DO UPDATE").
		Set("seq = EXCLUDED.seq, head = EXCLUDED.head").Exec(ctx)
	if err != nil {
		return fmt.Errorf("chains of %d nodes: %w", len(to), err)
	}
	return nil
}

// ReceiptsOf returns every receipt of one revision of an announcement, in
// order of node, chain and sequence.
func (db *DB) ReceiptsOf(ctx context.Context, announcement broadcast.ID, of broadcast.Revision) ([]ReceiptRow, error) {
	var out []ReceiptRow
	err := db.read.NewSelect().Model(&out).Where("announcement = ? AND of_revision = ?", announcement, of).
		Order("node", "chain", "seq").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("receipts of %s: %w", announcement, err)
	}
	return out, nil
}

// TellingReceipts returns the receipts under an announcement's name and revision as
// ReceiptsOf does, without those that only say that the announcement with this
// payload arrived. Of each it has the node, the chain, the raw text and the doubt.
func (db *DB) TellingReceipts(ctx context.Context, announcement broadcast.ID, of broadcast.Revision, payload broadcast.Digest) (out []ReceiptRow, err error) {
	rows, err := db.read.QueryContext(ctx, `SELECT node, chain, raw, doubtful FROM receipts WHERE announcement = ? AND of_revision = ? AND
		NOT (instr(raw, '"start":') = 0 AND instr(raw, '"reason":') = 0 AND instr(raw, ?) > 0) ORDER BY node, chain, seq`, announcement, of, payload)
	if err != nil {
		return nil, fmt.Errorf("receipts of %s: %w", announcement, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var r ReceiptRow
		if err := rows.Scan(&r.Node, &r.Chain, &r.Raw, &r.Doubtful); err != nil {
			return nil, fmt.Errorf("receipts of %s: %w", announcement, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// ReceiptsBy returns the receipts that one node gave since a moment, as far as
// they were stored then, oldest first, at most limit.
func (db *DB) ReceiptsBy(ctx context.Context, node broadcast.ID, since broadcast.Instant, limit int64) ([]ReceiptRow, error) {
	var out []ReceiptRow
	err := db.read.NewSelect().Model(&out).Where("node = ? AND stored_ms >= ?", node, since).
		Order("stored_ms", "chain", "seq").Limit(limit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("receipts by %s: %w", node, err)
	}
	return out, nil
}

// Firings returns the receipts that tell of key switches, the last that came
// first, at most limit; of one node, or of all for "".
func (db *DB) Firings(ctx context.Context, node broadcast.ID, limit int64) ([]ReceiptRow, error) {
	var out []ReceiptRow
	q := db.read.NewSelect().Model(&out).Where("firing")
	if node != "" {
		q = q.Where("node = ?", node)
	}
	if err := q.Order("stored_ms DESC", "node", "chain", "seq DESC").Limit(limit).Scan(ctx); err != nil {
		return nil, fmt.Errorf("firings: %w", err)
	}
	return out, nil
}

type expectation struct {
	bun.BaseModel `bun:"table:expectations"`

	Announcement broadcast.ID       `bun:"announcement,pk"`
	Of           broadcast.Revision `bun:"of_revision,pk"`
	Node         broadcast.ID       `bun:"node,pk"`
}

// Expect notes which nodes should sound an announcement. Naming one again
// changes nothing.
func (t Tx) Expect(ctx context.Context, announcement broadcast.ID, of broadcast.Revision, nodes []broadcast.ID) error {
	if len(nodes) == 0 {
		return nil
	}
	rows := make([]expectation, 0, len(nodes))
	for _, n := range nodes {
		rows = append(rows, expectation{Announcement: announcement, Of: of, Node: n})
	}
	_, err := t.tx.NewInsert().Model(&rows).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return fmt.Errorf("expectations of %s: %w", announcement, err)
	}
	return nil
}

// Expected returns the nodes that should sound an announcement, in order.
func (db *DB) Expected(ctx context.Context, announcement broadcast.ID, of broadcast.Revision) ([]broadcast.ID, error) {
	var out []broadcast.ID
	err := db.read.NewSelect().Model((*expectation)(nil)).Column("node").
		Where("announcement = ? AND of_revision = ?", announcement, of).Order("node").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("expectations of %s: %w", announcement, err)
	}
	return out, nil
}
