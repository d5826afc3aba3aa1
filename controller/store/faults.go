package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Fault is one failure from its coming to its end.
type Fault struct {
	bun.BaseModel `bun:"table:faults"`

	// ID is a lower-case ULID: ids are in the order in which faults were shown.
	ID broadcast.ID `bun:"id,pk"`
	// Node is empty for the controller itself.
	Node  broadcast.ID        `bun:"node"`
	Code  broadcast.FaultCode `bun:"code"`
	Part  string              `bun:"part"`
	Cause string              `bun:"cause"`
	// Since is when it came, by the clock of whoever declared it; Shown and
	// Cleared are by the controller's, Cleared is 0 while it is open.
	Since   broadcast.Instant `bun:"since_ms"`
	Shown   broadcast.Instant `bun:"shown_ms"`
	Cleared broadcast.Instant `bun:"cleared_ms"`
	// LastKnown says that nobody can tell any more, because the node is gone.
	LastKnown bool `bun:"last_known"`
}

// FaultQuery chooses faults. Zero fields choose all.
type FaultQuery struct {
	// Nodes are those asked for; nil for all, and for the controller.
	Nodes []broadcast.ID
	Code  broadcast.FaultCode
	// Open leaves out what is cleared.
	Open bool
	// From and To choose what the controller knew to be wrong at some moment
	// between them, To not included; 0 stands for no such bound.
	From, To broadcast.Instant
	// Before is the id of the last one on the page before.
	Before broadcast.ID
	// Limit must be positive.
	Limit int
}

// Faults returns what was asked for, the newest first.
func (db *DB) Faults(ctx context.Context, q FaultQuery) ([]Fault, error) {
	if q.Nodes != nil && len(q.Nodes) == 0 {
		return nil, nil
	}
	var out []Fault
	rows := db.read.NewSelect().Model(&out).Order("id DESC").Limit(int64(q.Limit))
	if q.Nodes != nil {
		rows.Where("node IN (?)", bun.List(q.Nodes))
	}
	if q.Code != "" {
		rows.Where("code = ?", q.Code)
	}
	if q.Open {
		rows.Where("cleared_ms = 0")
	}
	if q.From != 0 {
		rows.Where("(cleared_ms = 0 OR cleared_ms >= ?)", q.From)
	}
	if q.To != 0 {
		rows.Where("shown_ms < ?", q.To)
	}
	if q.Before != "" {
		rows.Where("id < ?", q.Before)
	}
	if err := rows.Scan(ctx); err != nil {
		return nil, fmt.Errorf("faults: %w", err)
	}
	return out, nil
}

// SaveFaults adds faults, or replaces those that have their ids.
func (t Tx) SaveFaults(ctx context.Context, faults []Fault) error {
	for len(faults) > 0 {
		some := faults[:min(len(faults), rowsAtOnce)]
		faults = faults[len(some):]
		_, err := t.tx.NewInsert().Model(&some).On("CONFLICT (id) DO UPDATE").
			Set("cause = EXCLUDED.cause, since_ms = EXCLUDED.since_ms, cleared_ms = EXCLUDED.cleared_ms, last_known = EXCLUDED.last_known").Exec(ctx)
		if err != nil {
			return fmt.Errorf("%d faults: %w", len(some), err)
		}
	}
	return nil
}

// PruneFaults forgets what was cleared before a moment, and of each node all
// but the newest ones that are cleared.
func (t Tx) PruneFaults(ctx context.Context, before broadcast.Instant, newest int) error {
	_, err := t.tx.NewRaw(`DELETE FROM faults WHERE cleared_ms > 0 AND (cleared_ms < ? OR id IN (
		SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY node ORDER BY id DESC) AS place FROM faults WHERE cleared_ms > 0) AS ranked
		WHERE place > ?))`, before, newest).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune faults: %w", err)
	}
	return nil
}
