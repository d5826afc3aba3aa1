package accounts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/guess"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// How long a session lives without being used, and at most.
const (
	idleLife  = 3 * 24 * time.Hour
	wholeLife = 30 * 24 * time.Hour
	// phoneLife is that of a session on a phone that others use too: a shift.
	phoneLife = 12 * time.Hour
)

// maxBrowsers is how many browsers of one person are known.
const maxBrowsers = 20

// Errors of signing in.
var (
	// ErrSignIn: name, password or code is wrong; which, nobody is told.
	ErrSignIn = errors.New("name and password, or code, do not belong together")
	// ErrPassword: this password cannot be chosen.
	ErrPassword = errors.New("choose another password")
	// ErrBusy: others are being let in.
	ErrBusy = errors.New("many people are signing in: try again in a moment")
	// ErrPasskey: this passkey, or this answer of it, is not accepted.
	ErrPasskey = errors.New("this passkey was not accepted")
	// ErrNoSite: passkeys belong to an address, and the controller knows none of its own.
	ErrNoSite = errors.New("passkeys need the address at which people open the console: start the controller with --public-http https://…")
)

// Config is what Accounts works with. Every field but Site and Cost is needed.
type Config struct {
	DB     *store.DB
	Office *people.Office
	Now    func() time.Time
	// Site is the address at which people open the console, such as
	// https://loa.example.vn; without it there are no passkeys.
	Site string
	// Cost is that of a password; the zero Cost stands for people.DefaultCost.
	Cost people.Cost
	Log  *slog.Logger
}

// Accounts knows who has signed in.
type Accounts struct {
	cfg Config
	// names are guesses at one person from one network or known browser, networks
	// all guesses of strangers from one network.
	names, networks *guess.Limit
	// strangers and known take their turns apart: no crowd at the gate keeps out
	// who was here before.
	strangers, known *turns
	// nobody is what the password of a name that does not exist is compared with.
	nobody string
	// keys is nil without a site.
	keys *ceremonies
}

// New returns accounts over a database. A site that cannot have passkeys, such as
// one without TLS or by a number, has none, and its log says so.
func New(cfg Config) (*Accounts, error) {
	nobody, err := people.HashPassword(cfg.Cost, secret())
	if err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	keys, err := newCeremonies(cfg.Site)
	if err != nil {
		cfg.Log.Info("people sign in with passwords alone", "why", err)
	}
	return &Accounts{cfg: cfg, nobody: nobody, keys: keys, strangers: newTurns(), known: newTurns(),
		names:    guess.New(guess.Rule{Free: 5, First: 2 * time.Second, Most: 15 * time.Minute}),
		networks: guess.New(guess.Rule{Free: 30, First: time.Second, Most: time.Minute})}, nil
}

// Visit is where somebody comes from.
type Visit struct {
	// Address is that of the other end of the connection, without its port.
	Address string
	// Device is what the program calls itself.
	Device string
	// Browser is the secret that the browser was given at an earlier sign-in; empty
	// for a stranger.
	Browser string
	// Phone is the secret of a phone that officers share; empty for another device.
	Phone string
}

// Entry is a session that has just begun.
type Entry struct {
	Session Session
	Person  people.Person
	// Cookie opens the session, Browser makes the browser a known one. Both are
	// shown once.
	Cookie, Browser string
}

// Session is one sign-in of one person.
type Session struct {
	// ID names the session; it is not the secret.
	ID                     broadcast.Digest
	Person                 broadcast.ID
	Device                 string
	Address                string
	Created, Seen, Expires broadcast.Instant
}

// Lasts is how long the session may live in all.
func (Session) Lasts() time.Duration { return wholeLife }

func sessionOf(row store.Session) Session {
	return Session{ID: row.Hash, Person: row.Person, Device: row.Device, Address: row.Address, Created: row.Created,
		Seen: row.Seen, Expires: min(row.Expires, row.Seen.Add(idleLife))}
}

func (a *Accounts) instant() broadcast.Instant { return broadcast.InstantOf(a.cfg.Now()) }

// secret returns 256 random bits as text.
func secret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // the source never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// checkPassword refuses a password that is too short.
func checkPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < people.MinPassphrase {
		return fmt.Errorf("%w: it needs at least %d characters and has %d", ErrPassword, people.MinPassphrase, n)
	}
	return nil
}

// begin stores a new session with its browser in a running transaction.
func (a *Accounts) begin(ctx context.Context, tx store.Tx, p people.Person, v Visit, how string) (Entry, error) {
	return a.beginOn(ctx, tx, p, v, how, "")
}

// beginOn is begin on a shared phone, if its id is not empty.
func (a *Accounts) beginOn(ctx context.Context, tx store.Tx, p people.Person, v Visit, how string, phone broadcast.ID) (Entry, error) {
	now := a.instant()
	out := Entry{Person: p, Cookie: secret(), Browser: v.Browser}
	if out.Browser == "" {
		out.Browser = secret()
	}
	row := store.Session{Hash: broadcast.Sum([]byte(out.Cookie)), Person: p.ID, Browser: browserDigest(p.ID, out.Browser),
		Device: v.Device, Address: v.Address, Created: now, Seen: now, Expires: now.Add(wholeLife), Phone: phone}
	if phone != "" {
		row.Expires = now.Add(phoneLife)
	}
	err := errors.Join(tx.MeetBrowser(ctx, store.Browser{Hash: row.Browser, Person: p.ID, Seen: now}, maxBrowsers), tx.AddSession(ctx, row))
	if err != nil {
		return out, err
	}
	out.Session = sessionOf(row)
	return out, tx.Audit(ctx, store.Deed{At: now, Person: p.ID, Act: "session.begin", Subject: string(row.Hash), Detail: struct {
		How     string `json:"how"`
		Device  string `json:"device"`
		Address string `json:"address"`
	}{how, broadcast.NormalText(v.Device), v.Address}})
}

// browserDigest is what a known browser is stored under: one cookie of a browser
// that several people use makes it known to each of them apart.
func browserDigest(person broadcast.ID, text string) broadcast.Digest {
	return broadcast.Sum([]byte("loaxa/browser.v1 " + string(person) + " " + text))
}
