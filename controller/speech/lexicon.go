package speech

import (
	"context"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/speech/spoken"
	"github.com/loaxa/loaxa/controller/store"
)

// lexicon is that of an area: the names of today's and former places, then what
// the areas above it added, then its own.
func (s *Studio) lexicon(ctx context.Context, area broadcast.ID) (*spoken.Lexicon, error) {
	chain, err := s.cfg.Tree().Chain(area, s.now())
	if err != nil {
		return nil, err
	}
	ids := make([]broadcast.ID, 0, len(chain))
	for _, link := range chain {
		ids = append(ids, link.Area)
	}
	rows, err := s.cfg.DB.Lexemes(ctx, ids...)
	if err != nil {
		return nil, err
	}
	layers := [][]spoken.Entry{spoken.Places(s.names())}
	for _, id := range ids {
		var layer []spoken.Entry
		for _, row := range rows {
			if row.Area == id {
				layer = append(layer, entryOf(row))
			}
		}
		layers = append(layers, layer)
	}
	return spoken.NewLexicon(layers...), nil
}

// names are all that areas are and were called.
func (s *Studio) names() []string {
	var names []string
	for _, a := range s.cfg.Tree().Areas() {
		for _, f := range a.Facts {
			names = append(names, f.Name)
		}
	}
	return names
}

func entryOf(l store.Lexeme) spoken.Entry {
	return spoken.Entry{Written: l.Written, Spoken: l.Spoken, Exact: l.Exact, Check: l.Doubtful}
}

// Lexicon returns the entries of one area alone; how another area says things is
// no secret.
func (s *Studio) Lexicon(ctx context.Context, by people.Person, area broadcast.ID) ([]store.Lexeme, error) {
	if err := s.cfg.Rights.Authorise(by, people.AnnouncementRead); err != nil {
		return nil, err
	}
	if _, ok := s.cfg.Tree().Find(area); !ok {
		return nil, fmt.Errorf("area %q: %w", string(area), store.ErrNotFound)
	}
	return s.cfg.DB.Lexemes(ctx, area)
}

// Keep adds an entry to an area's lexicon, with version 0, or replaces the one
// of that version. Somebody else's change in between is store.ErrConflict.
func (s *Studio) Keep(ctx context.Context, by people.Person, area broadcast.ID, e spoken.Entry, version int64) (store.Lexeme, error) {
	if err := s.cfg.Rights.Authorise(by, people.AnnouncementWrite, area); err != nil {
		return store.Lexeme{}, err
	}
	e, err := e.Verify()
	if err != nil {
		return store.Lexeme{}, refuse(LexiconEntry, "spoken", err.Error())
	}
	have, err := s.cfg.DB.Lexemes(ctx, area)
	if err != nil {
		return store.Lexeme{}, err
	}
	if len(have) >= mostLexemes && version == 0 {
		return store.Lexeme{}, refuse(LexiconFull, "", len(have))
	}
	row := store.Lexeme{Area: area, Written: e.Written, Spoken: e.Spoken, Exact: e.Exact, Doubtful: e.Check, Version: version, Person: by.ID, Changed: s.now()}
	err = s.cfg.DB.Update(ctx, func(tx store.Tx) error {
		write := tx.SaveLexeme
		if version == 0 {
			write = tx.AddLexeme
		}
		if err := write(ctx, row); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: s.now(), Person: by.ID, Act: "lexicon.keep", Subject: string(area),
			Detail: map[string]string{"written": e.Written, "spoken": e.Spoken}})
	})
	row.Version++
	return row, err
}

// Drop removes an entry from an area's lexicon.
func (s *Studio) Drop(ctx context.Context, by people.Person, area broadcast.ID, written string) error {
	if err := s.cfg.Rights.Authorise(by, people.AnnouncementWrite, area); err != nil {
		return err
	}
	return s.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.DropLexeme(ctx, area, written); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: s.now(), Person: by.ID, Act: "lexicon.drop", Subject: string(area),
			Detail: map[string]string{"written": written}})
	})
}

// mostLexemes bounds the lexicon of one area.
const mostLexemes = 1000
