package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func programmes() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a programme is changed only by who read it last": staleProgramme,
		"a station is changed only by who read it last":   staleStation,
	}
}

func staleProgramme(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for id, start := range map[broadcast.ID]broadcast.Instant{"a": 30, "b": 20, "c": 10} {
		update(t, db, func(tx store.Tx) error {
			return tx.AddProgramme(ctx, store.Programme{ID: id, Area: "x", Start: start, Body: "{}"})
		})
	}
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddProgramme(ctx, store.Programme{ID: "a"}) })
	first := need[store.Programme](t)(db.Programme(ctx, "a"))
	second := first
	first.Announcement, first.Before = "n", "{}"
	update(t, db, func(tx store.Tx) error { return tx.SaveProgramme(ctx, first) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveProgramme(ctx, second) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.DropProgramme(ctx, "a", 1) })
	in := func(from, to broadcast.Instant, limit int, areas ...broadcast.ID) []broadcast.ID {
		var out []broadcast.ID
		for _, p := range need[[]store.Programme](t)(db.ProgrammesIn(ctx, areas, from, to, limit)) {
			out = append(out, p.ID)
		}
		return out
	}
	for name, c := range map[string]struct{ got, want []broadcast.ID }{
		"all":        {in(0, 99, 9, "x", "y"), []broadcast.ID{"c", "b", "a"}},
		"a stretch":  {in(10, 30, 9, "x"), []broadcast.ID{"c", "b"}},
		"a few":      {in(0, 99, 1, "x"), []broadcast.ID{"c"}},
		"elsewhere":  {in(0, 99, 9, "y"), nil},
		"of no area": {in(0, 99, 9), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	update(t, db, func(tx store.Tx) error {
		p, err := tx.Programme(ctx, "a")
		return errors.Join(err, tx.DropProgramme(ctx, "a", p.Version))
	})
	if _, err := db.Programme(ctx, "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("dropped: %v", err)
	}
}

func staleStation(t *testing.T, db *store.DB) {
	ctx := context.Background()
	s := need[store.Station](t)(db.Station(ctx, "x"))
	if s.Version != 0 || s.Area != "x" {
		t.Errorf("%+v", s)
	}
	s.Name, s.Opening = "Đài xã", broadcast.Sum(nil)
	never := s
	never.Version = 7
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveStation(ctx, never) })
	update(t, db, func(tx store.Tx) error { return tx.SaveStation(ctx, s) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveStation(ctx, s) })
	next := need[store.Station](t)(db.Station(ctx, "x"))
	next.Name = "Đài khác"
	update(t, db, func(tx store.Tx) error { return tx.SaveStation(ctx, next) })
	if got := need[store.Station](t)(db.Station(ctx, "x")); got.Version != 2 || got.Name != "Đài khác" || got.Opening != broadcast.Sum(nil) {
		t.Errorf("%+v", got)
	}
}
