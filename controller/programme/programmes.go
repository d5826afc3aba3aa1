package programme

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
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

// Fleet knows which nodes stand where.
type Fleet interface {
	Within(ctx context.Context, areas []broadcast.ID) ([]broadcast.ID, error)
}

// Wake is told that the listings changed.
type Wake interface{ Changed() }

// Config is what it works with. Every field but Rand is needed.
type Config struct {
	DB     *store.DB
	Keys   Keys
	Rights Rights
	Fleet  Fleet
	Desk   Desk
	// Tree is the organisation tree as it is known now.
	Tree func() broadcast.Tree
	Wake Wake
	Now  func() time.Time
	// Rand defaults to crypto/rand.
	Rand io.Reader
}

// Programmes is safe for concurrent use and keeps nothing outside of the
// database.
type Programmes struct{ cfg Config }

// New returns it over a database.
func New(cfg Config) *Programmes {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Programmes{cfg: cfg}
}

const (
	day = 24 * time.Hour
	// ahead is how far decisions are weighed, and patience how long that takes at
	// most.
	ahead    = 7 * day
	patience = time.Second
)

func (p *Programmes) now() broadcast.Instant { return broadcast.InstantOf(p.cfg.Now()) }

// newID returns a ULID in lower case.
func (p *Programmes) newID() (broadcast.ID, error) {
	id, err := ulid.New(ulid.Timestamp(p.cfg.Now()), p.cfg.Rand)
	if err != nil {
		return "", fmt.Errorf("new id: %w", err)
	}
	return broadcast.ID(strings.ToLower(id.String())), nil
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

func (p *Programmes) places() placesAt { return placesAt{p.cfg.Tree(), p.now()} }

// above are an area and all above it, the highest first; an unknown area is
// refused.
func (p *Programmes) above(area broadcast.ID) ([]broadcast.ID, error) {
	chain, err := p.cfg.Tree().Chain(area, p.now())
	if err != nil {
		return nil, refuse(AreaUnknown, "area", string(area))
	}
	var out []broadcast.ID
	for _, place := range chain {
		out = append(out, place.Area)
	}
	return out, nil
}

// source is what previews read from.
func (p *Programmes) source(ctx context.Context) (preview.Source, error) {
	ring, err := p.cfg.Keys.Ring(ctx)
	return preview.Source{DB: p.cfg.DB, Ring: ring, Now: p.now(), Places: p.places()}, err
}

// nodes are those of some areas that have a place.
func (p *Programmes) nodes(ctx context.Context, areas []broadcast.ID) ([]store.Node, error) {
	ids, err := p.cfg.Fleet.Within(ctx, areas)
	if err != nil {
		return nil, err
	}
	known, err := p.cfg.DB.NodesNamed(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []store.Node
	for _, id := range ids {
		if n := known[id]; n.Assignment != "" {
			out = append(out, n)
		}
	}
	return out, nil
}

// weigh says what a change would do in some areas in the coming days. It never
// fails: what was not looked at it says.
func (p *Programmes) weigh(ctx context.Context, areas []broadcast.ID, change preview.Change) preview.Difference {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src, err := p.source(ctx)
	if err != nil {
		return preview.Difference{Trouble: err.Error()}
	}
	nodes, err := p.nodes(ctx, areas)
	if err != nil {
		return preview.Difference{Trouble: err.Error()}
	}
	return preview.Differ(ctx, src, nodes, plan.Window{From: p.now(), To: p.now().Add(ahead)}, change)
}

// document is what a commune signs.
type document interface {
	broadcast.Slot | broadcast.Placement
	broadcast.Validator
}

// sealed is a document with what its listing needs.
type sealed[T document] struct {
	doc      T
	kind     broadcast.Kind
	id       broadcast.ID
	revision broadcast.Revision
	areas    []broadcast.ID
	until    broadcast.Instant
	act      string
}

// publish seals a document with a person's key and lists it in its areas, if a
// node there would believe it.
func publish[T document](ctx context.Context, p *Programmes, by people.Person, cred people.Credential, s sealed[T]) error {
	if err := s.doc.Validate(); err != nil {
		field, _, _ := strings.Cut(err.Error(), ":")
		return refuse(Invalid, field, err.Error())
	}
	err := p.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error {
		ring, err := p.cfg.Keys.Ring(ctx)
		if err != nil {
			return err
		}
		env, err := seal.Seal(s.kind, s.doc, signer)
		if err != nil {
			return err
		}
		raw, err := seal.Bytes(s.kind, env)
		if err != nil {
			return refuse(TooLarge, "", err.Error())
		}
		if _, _, err := seal.Open[T](ring, s.kind, raw, seal.Context{Places: p.places()}); err != nil {
			return refuse(SignRight, "", by.ID, err)
		}
		return p.cfg.DB.Update(ctx, func(tx store.Tx) error { return s.keep(ctx, tx, p.now(), by, raw) })
	})
	if err == nil {
		p.cfg.Wake.Changed()
	}
	return err
}

// signed is what the audit log keeps of a document.
type signed struct {
	SHA256 broadcast.Digest `json:"sha256"`
	Areas  []broadcast.ID   `json:"areas"`
}

func (s sealed[T]) keep(ctx context.Context, tx store.Tx, now broadcast.Instant, by people.Person, raw []byte) error {
	sha, err := tx.PutDocument(ctx, store.Document{Kind: s.kind, ID: s.id, Revision: s.revision, Raw: raw})
	if err != nil {
		return err
	}
	for _, area := range s.areas {
		l := store.Listing{Area: area, Kind: s.kind, ID: s.id, Revision: s.revision, SHA256: sha, Until: s.until}
		if err := tx.List(ctx, l); err != nil {
			return err
		}
	}
	return tx.Audit(ctx, store.Deed{At: now, Person: by.ID, Act: s.act, Subject: string(s.id), Detail: signed{sha, s.areas}})
}

// held opens everything of a kind that some areas list now. What nodes would not
// believe is left out, as they leave it out.
func held[T broadcast.Validator](ctx context.Context, p *Programmes, kind broadcast.Kind, areas []broadcast.ID) ([]believed[T], error) {
	ring, err := p.cfg.Keys.Ring(ctx)
	if err != nil {
		return nil, err
	}
	listed, err := p.cfg.DB.Listings(ctx, areas, p.now())
	if err != nil {
		return nil, err
	}
	seen := map[broadcast.Digest]bool{}
	var names []broadcast.Digest
	for _, l := range listed {
		if l.Kind == kind && !seen[l.SHA256] {
			seen[l.SHA256], names = true, append(names, l.SHA256)
		}
	}
	docs, err := p.cfg.DB.DocumentsNamed(ctx, names)
	if err != nil {
		return nil, err
	}
	var out []believed[T]
	for _, name := range names {
		doc, proof, err := seal.Open[T](ring, kind, docs[name].Raw, seal.Context{Places: p.places(), Listed: true})
		if err == nil {
			out = append(out, believed[T]{doc, proof})
		}
	}
	return out, nil
}

// believed is a document that nodes believe, and who signed it.
type believed[T any] struct {
	doc   T
	proof seal.Proof
}
