package desk

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Leads of mode now: how long after the first signature it sounds, so that
// every node has it by then.
const (
	emergencyLead = 3 * time.Second
	otherLead     = 5 * time.Second
)

// Keys lends officers their keys and knows what the house believes.
type Keys interface {
	With(ctx context.Context, c people.Credential, f func(seal.Signer) error) error
	Ring(ctx context.Context) (*seal.Keyring, error)
}

// Rights says who may do what in which areas.
type Rights interface {
	Authorise(p people.Person, need people.Permission, areas ...broadcast.ID) error
}

// Fleet knows the nodes.
type Fleet interface {
	Within(ctx context.Context, areas []broadcast.ID) ([]broadcast.ID, error)
	Overview(ctx context.Context) ([]fleet.Standing, error)
}

// Wake is told that the listings changed, so that nobody waits for the next
// look at the database.
type Wake interface{ Changed() }

// Config is what a desk works with. Every field but Rand is needed.
type Config struct {
	DB     *store.DB
	Keys   Keys
	Rights Rights
	Fleet  Fleet
	// Tree is the organisation tree as it is known now.
	Tree   func() broadcast.Tree
	Events *events.Hub
	Wake   Wake
	Now    func() time.Time
	Log    *slog.Logger
	// Relays may be nil: nothing is relayed then.
	Relays Relays
	// Rand defaults to crypto/rand.
	Rand io.Reader
}

// Desk is where announcements are worked on. It is safe for concurrent use and
// keeps nothing outside of the database.
type Desk struct{ cfg Config }

// New returns a desk over a database.
func New(cfg Config) *Desk {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Desk{cfg: cfg}
}

func (d *Desk) now() broadcast.Instant { return broadcast.InstantOf(d.cfg.Now()) }

// newID returns a ULID in lower case: later ids sort after earlier ones.
func (d *Desk) newID() (broadcast.ID, error) {
	id, err := ulid.New(ulid.Timestamp(d.cfg.Now()), d.cfg.Rand)
	if err != nil {
		return "", fmt.Errorf("new id: %w", err)
	}
	return broadcast.ID(strings.ToLower(id.String())), nil
}

// Changed has everybody look again who watches, after a document that is not the
// desk's own took the place of another.
func (d *Desk) Changed(id broadcast.ID) { d.changed(id) }

// changed tells everybody who watches, after the transaction.
func (d *Desk) changed(id broadcast.ID) {
	d.cfg.Wake.Changed()
	d.cfg.Events.Publish(events.Event{Kind: events.Announcement, ID: id})
}

// placesNow answers how areas lie to one another at a moment.
type placesAt struct {
	tree broadcast.Tree
	at   broadcast.Instant
}

// Knows says whether the area exists at the moment.
func (p placesAt) Knows(area broadcast.ID) bool {
	_, err := p.tree.Chain(area, p.at)
	return err == nil
}

// Covers says whether area is upper or lies below it at the moment.
func (p placesAt) Covers(upper, area broadcast.ID) bool { return p.tree.Covers(upper, area, p.at) }

func (d *Desk) places() placesAt { return placesAt{tree: d.cfg.Tree(), at: d.now()} }
