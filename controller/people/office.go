package people

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/guess"
	"github.com/loaxa/loaxa/controller/store"
)

// Names of what stands in the data folder and in its settings.
const (
	serviceKeyName = "service.key"
	settingPin     = "house.pin"
	settingTop     = "house.top"
)

// forever is a listing without an end: the last moment that has a text.
const forever = broadcast.Instant(253402300799999)

// wrapsAtOnce bounds how many passphrases are tried at a time: each takes
// Cost.MemoryKiB, and strangers may ask.
const wrapsAtOnce = 2

// Config is what an Office takes from outside.
type Config struct {
	// Tree is the organisation tree as it is known now.
	Tree func() broadcast.Tree
	// Now is the clock.
	Now func() time.Time
	// Cost is for new wrappings; the zero Cost stands for DefaultCost.
	Cost Cost
}

// Office (văn phòng) is where persons, keys and authority are kept.
type Office struct {
	dir  string
	db   *store.DB
	tree func() broadcast.Tree
	now  func() time.Time
	cost Cost
	// gate holds a place for every passphrase that is being tried.
	gate chan struct{}
	// guesses are wrong passphrases, by session.
	guesses *guess.Limit

	pin   broadcast.Digest
	top   broadcast.ID
	roots []broadcast.Envelope

	mu   sync.Mutex
	last *authority
}

// ErrNoHouse means that the data folder was not set up yet.
var ErrNoHouse = errors.New("nothing is set up here yet; run init, or demo for a trial")

// HasHouse returns ErrNoHouse for a folder in which none was set up, also for
// one that is not there. It writes nothing: a folder that was named by mistake
// stays as it is, and init still finds it empty.
func HasHouse(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, serviceKeyName)); err != nil {
		return fmt.Errorf("data folder %s: %w", dir, ErrNoHouse)
	}
	return nil
}

func newOffice(dir string, db *store.DB, cfg Config) *Office {
	o := &Office{dir: dir, db: db, tree: cfg.Tree, now: cfg.Now, cost: cfg.Cost, gate: make(chan struct{}, wrapsAtOnce),
		guesses: guess.New(passphraseRule())}
	if o.cost == (Cost{}) {
		o.cost = DefaultCost()
	}
	return o
}

// Open returns the office of a data folder whose database is open. It believes
// the authority in it only as far as the pinned root leads; a folder without a
// house is ErrNoHouse.
func Open(ctx context.Context, dir string, db *store.DB, cfg Config) (*Office, error) {
	o := newOffice(dir, db, cfg)
	pin, err := db.Setting(ctx, settingPin)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("data folder %s: %w", dir, ErrNoHouse)
	}
	if err != nil {
		return nil, err
	}
	top, err := db.Setting(ctx, settingTop)
	if err != nil {
		return nil, err
	}
	o.pin, o.top = broadcast.Digest(pin), broadcast.ID(top)
	a, err := o.authority(ctx)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", dir, err)
	}
	o.roots = a.roots
	return o, nil
}

// Fingerprint is what cards pin: the digest of version 1 of the root document.
func (o *Office) Fingerprint() broadcast.Digest { return o.pin }

// Top is the area that the service key speaks for.
func (o *Office) Top() broadcast.ID { return o.top }

// Roots returns every version of the root document that was read last, from 1 on.
func (o *Office) Roots() []broadcast.Envelope {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last != nil {
		return o.last.roots
	}
	return o.roots
}

// Places answers how areas lie to one another now.
func (o *Office) Places() seal.Places { return o.placesAt(o.instant()) }

func (o *Office) placesAt(at broadcast.Instant) treeAt { return treeAt{tree: o.tree(), at: at} }

func (o *Office) instant() broadcast.Instant { return broadcast.InstantOf(o.now()) }

// Ring returns what the controller believes now: everything that the listed
// authority documents hold. It is shared; nobody may teach it more.
func (o *Office) Ring(ctx context.Context) (*seal.Keyring, error) {
	a, err := o.authority(ctx)
	if err != nil {
		return nil, err
	}
	return a.ring, nil
}

// Demo says whether the root is marked demo: for training, and obeyed by no
// real node.
func (o *Office) Demo(ctx context.Context) (bool, error) {
	ring, err := o.Ring(ctx)
	if err != nil {
		return false, err
	}
	return ring.Root().Demo, nil
}

// Service returns the controller's own signer, from the file beside the
// database and the newest certificate that is good now. Certificates are
// renewed while the controller runs: ask again before each use.
func (o *Office) Service(ctx context.Context) (seal.Signer, error) {
	s, err := readKey(filepath.Join(o.dir, serviceKeyName), holdsService, nil)
	if err != nil {
		return seal.Signer{}, err
	}
	a, err := o.authority(ctx)
	if err != nil {
		return seal.Signer{}, err
	}
	cert, err := a.current(publicOf(s.Key), o.instant())
	if err != nil {
		return seal.Signer{}, fmt.Errorf("service key: %w; renew it with the root key", err)
	}
	s.KID = cert.kid
	return s, nil
}

// Person returns one person, or store.ErrNotFound.
func (o *Office) Person(ctx context.Context, id broadcast.ID) (Person, error) {
	row, err := o.db.Person(ctx, id)
	return personOf(row), err
}

// SignsUntil returns when a person's certificate ends: 0 for somebody who cannot
// sign now.
func (o *Office) SignsUntil(ctx context.Context, p Person) (broadcast.Instant, error) {
	if p.Left != 0 || len(p.Role.Acts()) == 0 {
		return 0, nil
	}
	k, err := o.db.KeyOf(ctx, p.ID)
	if err != nil {
		return 0, err
	}
	a, err := o.authority(ctx)
	if err != nil {
		return 0, err
	}
	cert, err := a.current(k.Public, o.instant())
	if errors.Is(err, ErrNoCertificate) {
		return 0, nil
	}
	return cert.Until, err
}

// Persons returns everybody, also those who left, oldest first.
func (o *Office) Persons(ctx context.Context) ([]Person, error) {
	rows, err := o.db.Persons(ctx)
	var out []Person
	for _, row := range rows {
		out = append(out, personOf(row))
	}
	return out, err
}
