package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// AreaFact is what one area is called and where it belongs from a moment on.
type AreaFact struct {
	bun.BaseModel `bun:"table:area_facts"`

	Area broadcast.ID      `bun:"area,pk"`
	From broadcast.Instant `bun:"from_ms,pk"`
	// Place orders areas as they were first heard of.
	Place int64 `bun:"place"`
	// Fact is the canonical encoding of a broadcast.Fact.
	Fact string `bun:"fact"`
	// Plan is the digest of the plan that says so; empty for the first tree.
	Plan broadcast.Digest `bun:"plan"`
}

// AreaPlan is a change of the organisation tree as somebody applied it.
type AreaPlan struct {
	bun.BaseModel `bun:"table:area_plans"`

	Digest  broadcast.Digest  `bun:"digest,pk"`
	At      broadcast.Instant `bun:"at_ms"`
	Person  broadcast.ID      `bun:"person"`
	Applied broadcast.Instant `bun:"applied_ms"`
	// Plan is its canonical encoding.
	Plan string `bun:"plan"`
}

// AddAreaFacts adds to what is known of areas. A second fact of one area for one
// moment is ErrConflict: what was said of a day is never said otherwise.
func (t Tx) AddAreaFacts(ctx context.Context, facts []AreaFact) error {
	for _, f := range facts {
		res, err := t.tx.NewInsert().Model(&f).On("CONFLICT (area, from_ms) DO NOTHING").Exec(ctx)
		if err := changed("area "+string(f.Area), ErrConflict, res, err); err != nil {
			return err
		}
	}
	return nil
}

// AreaFacts returns every fact inside the transaction, areas in the order in
// which they were first heard of, the facts of one by time.
func (t Tx) AreaFacts(ctx context.Context) ([]AreaFact, error) { return areaFacts(ctx, t.tx) }

// AreaFacts returns every fact, areas in the order in which they were first heard
// of, the facts of one by time.
func (db *DB) AreaFacts(ctx context.Context) ([]AreaFact, error) { return areaFacts(ctx, db.read) }

func areaFacts(ctx context.Context, from bun.IDB) ([]AreaFact, error) {
	var out []AreaFact
	if err := from.NewSelect().Model(&out).Order("place", "area", "from_ms").Scan(ctx); err != nil {
		return nil, fmt.Errorf("organisation tree: %w", err)
	}
	return out, nil
}

// AddAreaPlan keeps a plan; one that is there already is ErrConflict.
func (t Tx) AddAreaPlan(ctx context.Context, p AreaPlan) error {
	res, err := t.tx.NewInsert().Model(&p).On("CONFLICT (digest) DO NOTHING").Exec(ctx)
	return changed("plan "+p.Digest.Short(), ErrConflict, res, err)
}

// DropAreaPlan forgets a plan whose day has not come, with all that it said; one
// that is not there, or has begun, is ErrNotFound.
func (t Tx) DropAreaPlan(ctx context.Context, digest broadcast.Digest, now broadcast.Instant) error {
	res, err := t.tx.NewDelete().Model((*AreaPlan)(nil)).Where("digest = ? AND at_ms > ?", digest, now).Exec(ctx)
	if err := changed("plan "+digest.Short(), ErrNotFound, res, err); err != nil {
		return err
	}
	if _, err := t.tx.NewDelete().Model((*AreaFact)(nil)).Where("plan = ?", digest).Exec(ctx); err != nil {
		return fmt.Errorf("plan %s: %w", digest.Short(), err)
	}
	return nil
}

// AreaPlans returns every plan, by the day of its effect.
func (db *DB) AreaPlans(ctx context.Context) ([]AreaPlan, error) {
	var out []AreaPlan
	if err := db.read.NewSelect().Model(&out).Order("at_ms", "digest").Scan(ctx); err != nil {
		return nil, fmt.Errorf("plans of the organisation tree: %w", err)
	}
	return out, nil
}
