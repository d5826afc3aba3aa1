package calendar

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// Bounds of a question.
const (
	// MaxDays is the longest stretch, MaxPage the longest page.
	MaxDays  = 35
	MaxPage  = 100
	patience = 5 * time.Second
	day      = 24 * time.Hour
)

// ErrQuestion means that a question cannot be answered as it stands; the error
// says what to change.
var ErrQuestion = errors.New("the calendar cannot answer this")

// Keys knows what the house believes.
type Keys interface {
	Ring(ctx context.Context) (*seal.Keyring, error)
}

// Fleet knows which nodes stand where.
type Fleet interface {
	Within(ctx context.Context, areas []broadcast.ID) ([]broadcast.ID, error)
}

// Config is what a calendar works with; every field is needed.
type Config struct {
	DB    *store.DB
	Keys  Keys
	Fleet Fleet
	// Tree is the organisation tree as it is known now.
	Tree func() broadcast.Tree
	Now  func() time.Time
}

// Calendar is safe for concurrent use and keeps nothing.
type Calendar struct{ cfg Config }

// New returns a calendar over a database.
func New(cfg Config) *Calendar { return &Calendar{cfg: cfg} }

func (c *Calendar) now() broadcast.Instant { return broadcast.InstantOf(c.cfg.Now()) }

// Ahead says what the nodes of an area will sound in the days from a moment on,
// and what they will not, and why. From may be 0 for now; an area without nodes
// has an empty answer, an unknown one is ErrQuestion.
func (c *Calendar) Ahead(ctx context.Context, area broadcast.ID, from broadcast.Instant, days int) (preview.Ahead, error) {
	if err := c.knows(area); err != nil {
		return preview.Ahead{}, err
	}
	ids, err := c.cfg.Fleet.Within(ctx, []broadcast.ID{area})
	if err != nil {
		return preview.Ahead{}, err
	}
	return c.look(ctx, ids, from, days)
}

// AheadOf is Ahead for one node.
func (c *Calendar) AheadOf(ctx context.Context, node broadcast.ID, from broadcast.Instant, days int) (preview.Ahead, error) {
	if _, err := c.cfg.DB.Node(ctx, node); err != nil {
		return preview.Ahead{}, err
	}
	return c.look(ctx, []broadcast.ID{node}, from, days)
}

func (c *Calendar) look(ctx context.Context, ids []broadcast.ID, from broadcast.Instant, days int) (preview.Ahead, error) {
	window, err := c.window(from, days)
	if err != nil {
		return preview.Ahead{}, err
	}
	ring, err := c.cfg.Keys.Ring(ctx)
	if err != nil {
		return preview.Ahead{}, err
	}
	known, err := c.cfg.DB.NodesNamed(ctx, ids)
	if err != nil {
		return preview.Ahead{}, err
	}
	var nodes []store.Node
	for _, id := range ids {
		if n := known[id]; n.Status == store.Confirmed && n.Assignment != "" {
			nodes = append(nodes, n)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src := preview.Source{DB: c.cfg.DB, Ring: ring, Now: c.now(), Places: placesAt{c.cfg.Tree(), c.now()}}
	return preview.Look(ctx, src, nodes, window), nil
}

func (c *Calendar) window(from broadcast.Instant, days int) (plan.Window, error) {
	if from == 0 {
		from = c.now()
	}
	if days < 1 || days > MaxDays {
		return plan.Window{}, fmt.Errorf("%w: ask for 1 to %d days, not %d", ErrQuestion, MaxDays, days)
	}
	return plan.Window{From: from, To: from.Add(time.Duration(days) * day)}, nil
}

func (c *Calendar) knows(area broadcast.ID) error {
	if _, err := c.cfg.Tree().Chain(area, c.now()); err != nil {
		return fmt.Errorf("%w: area %q is not in today's organisation tree", ErrQuestion, string(area))
	}
	return nil
}

// placesAt answers how areas lie to one another at a moment.
type placesAt struct {
	tree broadcast.Tree
	at   broadcast.Instant
}

// Knows says whether the area exists at the moment.
func (p placesAt) Knows(area broadcast.ID) bool { return p.Covers(area, area) }

// Covers says whether area is upper or lies below it at the moment.
func (p placesAt) Covers(upper, area broadcast.ID) bool { return p.tree.Covers(upper, area, p.at) }
