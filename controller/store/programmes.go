package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Programme is what a commune puts on for one day.
type Programme struct {
	bun.BaseModel `bun:"table:programmes"`

	ID broadcast.ID `bun:"id,pk"`
	// Version counts the changes of the row; a stale writer is refused.
	Version int64             `bun:"version"`
	Area    broadcast.ID      `bun:"area"`
	Start   broadcast.Instant `bun:"start_ms"`
	Author  broadcast.ID      `bun:"author"`
	// Body is what it is now, and Before what it was before the last edit; empty
	// for none.
	Body      string            `bun:"body"`
	Before    string            `bun:"before"`
	Changed   broadcast.Instant `bun:"changed_ms"`
	ChangedBy broadcast.ID      `bun:"changed_by"`
	// Announcement is what it became last; empty if it did not.
	Announcement broadcast.ID `bun:"announcement"`
}

// Station is how a place names its station.
type Station struct {
	bun.BaseModel `bun:"table:stations"`

	Area broadcast.ID `bun:"area,pk"`
	// Version counts the changes of the row, from 1.
	Version int64  `bun:"version"`
	Name    string `bun:"name"`
	// Opening and Closing are contents; empty for none.
	Opening   broadcast.Digest `bun:"opening"`
	Closing   broadcast.Digest `bun:"closing"`
	ChangedBy broadcast.ID     `bun:"changed_by"`
}

// AddProgramme stores a new row; one with that id is ErrConflict.
func (t Tx) AddProgramme(ctx context.Context, p Programme) error {
	p.Version = 1
	res, err := t.tx.NewInsert().Model(&p).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("programme "+string(p.ID), ErrConflict, res, err)
}

// SaveProgramme replaces a row as it was read; one that changed since, or is
// unknown, is ErrConflict.
func (t Tx) SaveProgramme(ctx context.Context, p Programme) error {
	read := p.Version
	p.Version++
	res, err := t.tx.NewUpdate().Model(&p).WherePK().Where("version = ?", read).Exec(ctx)
	return changed("programme "+string(p.ID), ErrConflict, res, err)
}

// DropProgramme forgets a row as it was read; one that changed since, or is
// unknown, is ErrConflict.
func (t Tx) DropProgramme(ctx context.Context, id broadcast.ID, version int64) error {
	res, err := t.tx.NewDelete().Model((*Programme)(nil)).Where("id = ? AND version = ?", id, version).Exec(ctx)
	return changed("programme "+string(id), ErrConflict, res, err)
}

// Programme returns one row inside the transaction, or ErrNotFound.
func (t Tx) Programme(ctx context.Context, id broadcast.ID) (Programme, error) {
	return programme(ctx, t.tx, id)
}

// Programme returns one row, or ErrNotFound.
func (db *DB) Programme(ctx context.Context, id broadcast.ID) (Programme, error) {
	return programme(ctx, db.read, id)
}

func programme(ctx context.Context, from bun.IDB, id broadcast.ID) (Programme, error) {
	var p Programme
	if err := from.NewSelect().Model(&p).Where("id = ?", id).Scan(ctx); err != nil {
		return p, fmt.Errorf("programme %s: %w", id, notFound(err))
	}
	return p, nil
}

// ProgrammesIn returns the rows of some areas that start in a stretch of time, to
// exclusive, in order of start and id, at most limit.
func (db *DB) ProgrammesIn(ctx context.Context, areas []broadcast.ID, from, to broadcast.Instant, limit int) ([]Programme, error) {
	var out []Programme
	err := db.read.NewSelect().Model(&out).Where("area IN (?)", bun.List(areas)).Where("start_ms >= ? AND start_ms < ?", from, to).
		Order("start_ms", "id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("programmes: %w", err)
	}
	return out, nil
}

// Station returns the row of an area; one that has none has version 0.
func (db *DB) Station(ctx context.Context, area broadcast.ID) (Station, error) {
	var s Station
	err := db.read.NewSelect().Model(&s).Where("area = ?", area).Scan(ctx)
	if err = notFound(err); errors.Is(err, ErrNotFound) {
		return Station{Area: area}, nil
	}
	if err != nil {
		return s, fmt.Errorf("station of %s: %w", area, err)
	}
	return s, nil
}

// SaveStation replaces the row of an area as it was read; one that changed since,
// or that never had that version, is ErrConflict.
func (t Tx) SaveStation(ctx context.Context, s Station) error {
	read := s.Version
	s.Version++
	if read == 0 {
		res, err := t.tx.NewInsert().Model(&s).On("CONFLICT (area) DO NOTHING").Exec(ctx)
		return changed("station of "+string(s.Area), ErrConflict, res, err)
	}
	res, err := t.tx.NewUpdate().Model(&s).WherePK().Where("version = ?", read).Exec(ctx)
	return changed("station of "+string(s.Area), ErrConflict, res, err)
}
