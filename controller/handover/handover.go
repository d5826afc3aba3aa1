package handover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Kind is what depends on somebody: a kind of sealed document, or one of those
// below.
type Kind string

// What depends on somebody beside sealed documents.
const (
	Rights  Kind = "rights"  // of somebody else, given by this person's key
	Waiting Kind = "waiting" // a signature on what others have to sign yet
	BoxPIN  Kind = "box-pin" // at the keypad of a box, in a template
	Phone   Kind = "phone"   // a PIN on a shared phone
)

// Fate is what a dismissal does to something.
type Fate string

// The fates.
const (
	Stays  Fate = "stays"  // until its own end
	Falls  Fate = "falls"  // nodes obey it no more
	Faulty Fate = "faulty" // it stays, but nodes report a fault until it is signed anew
)

// Item is one thing that depends on somebody.
type Item struct {
	Kind Kind
	// ID is that of the document, the person, or the phone.
	ID    broadcast.ID
	Title string
	Class broadcast.Class
	Areas []broadcast.ID
	// Until is when it ends by itself; 0 for no end of its own.
	Until broadcast.Instant
	// Signers is whose signatures it has, and Officers how many it takes.
	Signers  []broadcast.ID
	Officers int
	// Retired and Compromised are what either kind of dismissal does to it.
	Retired, Compromised Fate
	// SHA256 names the sealed document; empty for what is none.
	SHA256 broadcast.Digest
}

// Office knows what the house believes, and would believe without somebody.
type Office interface {
	Ring(ctx context.Context) (*seal.Keyring, error)
	Fall(ctx context.Context, id broadcast.ID, since broadcast.Instant) (people.Fall, error)
	Places() seal.Places
}

// Keys lends officers their keys, and says who may do what in which areas.
type Keys interface {
	With(ctx context.Context, c people.Credential, f func(seal.Signer) error) error
	Authorise(p people.Person, need people.Permission, areas ...broadcast.ID) error
}

// Desk has two people sign what stands once more, and tells of changes.
type Desk interface {
	ResignTemplate(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID) (desk.Template, error)
	ResignPolicy(ctx context.Context, by people.Person, cred people.Credential, area broadcast.ID) (desk.Regulation, error)
	Changed(id broadcast.ID)
}

// Config is what a Book works with. Keys and Desk, by which it signs, may be nil for
// one that is only read.
type Config struct {
	DB     *store.DB
	Office Office
	Keys   Keys
	Desk   Desk
	Now    func() time.Time
}

// Book is where it is looked up; it keeps nothing.
type Book struct{ cfg Config }

// New returns a book over a database.
func New(cfg Config) *Book { return &Book{cfg: cfg} }

func (b *Book) now() broadcast.Instant { return broadcast.InstantOf(b.cfg.Now()) }

// Of lists what depends on a person: what comes first sounds in an emergency.
// since is for a key that may have been in other hands, 0 for now.
func (b *Book) Of(ctx context.Context, id broadcast.ID, since broadcast.Instant) ([]Item, error) {
	l := look{book: b, person: id, templates: map[broadcast.ID]standing{}}
	var err, also error
	l.ring, err = b.cfg.Office.Ring(ctx)
	l.fall, also = b.cfg.Office.Fall(ctx, id, since)
	if err := errors.Join(err, also); err != nil {
		return nil, fmt.Errorf("handover of %s: %w", id, err)
	}
	for _, part := range []func(context.Context) error{l.documents, l.assignments, l.rights, l.waiting, l.phones} {
		if err := part(ctx); err != nil {
			return nil, fmt.Errorf("handover of %s: %w", id, err)
		}
	}
	slices.SortStableFunc(l.items, func(x, y Item) int {
		return cmp.Or(-cmp.Compare(urgency(x), urgency(y)), cmp.Compare(rank(x.Kind), rank(y.Kind)), cmp.Compare(x.ID, y.ID))
	})
	return l.items, nil
}

// urgency puts emergencies before everything else.
func urgency(i Item) int {
	if i.Class == broadcast.Emergency {
		return 1
	}
	return 0
}

// look is one listing in the making.
type look struct {
	book   *Book
	person broadcast.ID
	ring   *seal.Keyring
	fall   people.Fall
	// templates are those that announcements activate.
	templates map[broadcast.ID]standing
	items     []Item
}

// standing is a template under the three keyrings; nil where it is not believed.
type standing struct {
	now, retired, compromised *broadcast.Template
	rests                     bool
}

// batch is how many documents are read at once.
const batch = 500

// documents are what areas list; templates come first, because announcements are
// judged with them.
func (l *look) documents(ctx context.Context) error {
	listed, err := l.book.cfg.DB.AllListings(ctx, l.book.now())
	if err != nil {
		return err
	}
	slices.SortStableFunc(listed, func(x, y store.Listing) int { return cmp.Compare(rank(Kind(x.Kind)), rank(Kind(y.Kind))) })
	until := map[broadcast.Digest]broadcast.Instant{}
	var names []broadcast.Digest
	for _, row := range listed {
		if _, sealed := rowOf(row.Kind); !sealed {
			continue
		}
		if _, known := until[row.SHA256]; !known {
			names = append(names, row.SHA256)
		}
		until[row.SHA256] = row.Until
	}
	for part := range slices.Chunk(names, batch) {
		docs, err := l.book.cfg.DB.DocumentsNamed(ctx, part)
		if err != nil {
			return err
		}
		for _, name := range part {
			if err := l.document(docs[name], until[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// document judges one document under the three keyrings.
func (l *look) document(d store.Document, until broadcast.Instant) error {
	row, sealed := rowOf(d.Kind)
	if !sealed {
		return nil
	}
	env, err := seal.Parse(d.Kind, d.Raw)
	if err != nil {
		return nil // nodes cannot read it either
	}
	signed, err := env.Signers()
	if err != nil {
		return err
	}
	rests := slices.ContainsFunc(signed, func(kid broadcast.Digest) bool { return l.fall.Rests[kid] })
	what, err := row.read(env)
	if err != nil {
		return err
	}
	under := l.judge(row, d, what)
	if what.template != nil {
		l.templates[what.ID] = standing{pick(what.template, under[0]), pick(what.template, under[1]), pick(what.template, under[2]), rests}
		if under[0] {
			l.boxes(*what.template)
		}
	}
	if what.activates != nil {
		rests = rests || l.templates[what.activates.ID].rests
	}
	if !rests || !under[0] {
		return nil
	}
	i := Item{Kind: Kind(d.Kind), ID: d.ID, Title: what.title, Class: what.Class, Areas: what.Areas, Until: what.until, Officers: max(row.officers, 1),
		Retired: fate(row, under[1]), Compromised: fate(row, under[2]), SHA256: d.SHA256}
	if i.Until == 0 && !row.endless {
		i.Until = until
	}
	for _, kid := range signed {
		cert, _ := l.ring.Certificate(kid)
		i.Signers = append(i.Signers, cert.Person)
	}
	if row.officers == 0 {
		i.Officers = len(i.Signers)
	}
	l.items = append(l.items, i)
	return nil
}

// pick is the template where it is believed.
func pick(t *broadcast.Template, believed bool) *broadcast.Template {
	if believed {
		return t
	}
	return nil
}

func fate(row kindRow, believed bool) Fate {
	if believed {
		return Stays
	}
	return row.otherwise
}

// judge says under which of the three keyrings nodes obey a document.
func (l *look) judge(row kindRow, d store.Document, what reading) [3]bool {
	var out [3]bool
	by := standing{}
	if what.activates != nil {
		by = l.templates[what.activates.ID]
	}
	for i, u := range []struct {
		ring     *seal.Keyring
		template *broadcast.Template
	}{{l.ring, by.now}, {l.fall.Retired, by.retired}, {l.fall.Compromised, by.compromised}} {
		if what.activates != nil && u.template == nil {
			continue // its words are approved by nobody then
		}
		_, err := row.opens(u.ring, d.Raw, seal.Context{Places: l.book.cfg.Office.Places(), Listed: true, Template: u.template})
		out[i] = err == nil
	}
	return out
}
