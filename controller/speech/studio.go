package speech

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/speech/paper"
	"github.com/loaxa/loaxa/controller/store"
)

// Contents takes recordings in.
type Contents interface {
	Take(ctx context.Context, name string, r io.Reader, progress func(intake.Progress)) (intake.Content, error)
}

// Rights says who may do what in which areas.
type Rights interface {
	Authorise(p people.Person, need people.Permission, areas ...broadcast.ID) error
}

// Config is what a studio works with. Every field is needed.
type Config struct {
	// Dir is where sentences that were spoken are kept.
	Dir      string
	DB       *store.DB
	Contents Contents
	Rights   Rights
	// Tree is the organisation tree as it is known now.
	Tree   func() broadcast.Tree
	Events *events.Hub
	// Engines are the voices, by the names under which they are asked for.
	Engines map[string]Engine
	// Row makes the record of content that every upload gets.
	Row func(intake.Content) (store.Content, error)
	Now func() time.Time
	Log *slog.Logger
}

// Studio is where texts become recordings. It is safe for concurrent use and
// keeps nothing outside of the database but sentences that can be spoken again.
type Studio struct {
	cfg    Config
	cache  cache
	papers *paper.Reader
	pace   pace
	wake   chan struct{}
}

// New returns a studio over a database.
func New(cfg Config) (*Studio, error) {
	kept, err := openCache(filepath.Join(cfg.Dir, "sentences"), mostCached)
	if err != nil {
		return nil, err
	}
	homes := filepath.Join(cfg.Dir, "homes")
	if err := os.MkdirAll(homes, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for readers of papers: %w", err)
	}
	papers, err := paper.NewReader(homes, cfg.Log)
	if err != nil {
		return nil, err
	}
	return &Studio{cfg: cfg, cache: kept, papers: papers, wake: make(chan struct{}, 1)}, nil
}

func (s *Studio) now() broadcast.Instant { return broadcast.InstantOf(s.cfg.Now()) }

// changed tells everybody who watches, and the one who speaks.
func (s *Studio) changed(id broadcast.ID) {
	s.cfg.Events.Publish(events.Event{Kind: events.Speech, ID: id})
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Studio) newID() (broadcast.ID, error) {
	id, err := ulid.New(ulid.Timestamp(s.cfg.Now()), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("new id: %w", err)
	}
	return broadcast.ID(strings.ToLower(id.String())), nil
}

// EngineState is an engine as it is now.
type EngineState struct {
	Name   string
	Voices []Voice
	// Down is why it does not speak; nil if it does.
	Down error
}

// Engines asks every engine whether it is there.
func (s *Studio) Engines(ctx context.Context) []EngineState {
	var out []EngineState
	for _, name := range slices.Sorted(maps.Keys(s.cfg.Engines)) {
		voices, err := s.cfg.Engines[name].Voices(ctx)
		out = append(out, EngineState{Name: name, Voices: voices, Down: err})
	}
	return out
}
