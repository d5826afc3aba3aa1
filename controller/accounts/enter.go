package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/guess"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Enter begins a session of somebody who knows the password. A wrong name or
// password is ErrSignIn, the same and after the same work; too many of them are
// a *people.Patience.
func (a *Accounts) Enter(ctx context.Context, person broadcast.ID, password string, v Visit) (Entry, error) {
	known, err := a.knows(ctx, person, v)
	if err != nil {
		return Entry{}, err
	}
	var p people.Person
	err = a.guessed(ctx, person, v, known, func() error {
		p, err = a.compare(ctx, person, password)
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	return a.let(ctx, p, v, "password")
}

// let begins a session in a transaction of its own.
func (a *Accounts) let(ctx context.Context, p people.Person, v Visit, how string) (out Entry, err error) {
	err = a.cfg.DB.Update(ctx, func(tx store.Tx) error {
		out, err = a.begin(ctx, tx, p, v, how)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("sign in: %w", err)
	}
	return out, nil
}

// knows says whether the person has signed in with this browser before.
func (a *Accounts) knows(ctx context.Context, person broadcast.ID, v Visit) (bool, error) {
	if v.Browser == "" {
		return false, nil
	}
	_, err := a.cfg.DB.Browser(ctx, browserDigest(person, v.Browser))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// guessed has f judge a secret, if it is time for another guess.
func (a *Accounts) guessed(ctx context.Context, person broadcast.ID, v Visit, known bool, f func() error) error {
	network := guess.Network(v.Address)
	key, line := string(person)+"@"+network, a.strangers
	if known {
		key, line = "browser "+string(browserDigest(person, v.Browser)), a.known
	}
	return line.take(ctx, network, func() error {
		if wait := a.wait(key, network, known); wait > 0 {
			return &people.Patience{Wait: wait}
		}
		if err := f(); err != nil {
			return err
		}
		a.names.Right(key)
		return nil
	})
}

// wait counts a guess, or says how long to wait. A network from which many
// guessed waits too, but only with names that it has guessed at before: the
// first try at one's own name is looked at wherever it comes from.
func (a *Accounts) wait(key, network string, known bool) time.Duration {
	now := a.cfg.Now()
	if !known && a.names.Guesses(now, key) > 0 {
		if wait := a.networks.Try(now, network); wait > 0 {
			return wait
		}
	}
	return a.names.Try(now, key)
}

// compare returns the person whose password it is. Where there is nobody, a
// password that nobody knows is compared instead.
func (a *Accounts) compare(ctx context.Context, person broadcast.ID, password string) (people.Person, error) {
	stored, err := a.cfg.DB.Password(ctx, person)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return people.Person{}, err
	}
	hash := stored.Hash
	if hash == "" {
		hash = a.nobody
	}
	right, err := people.IsPassword(hash, password)
	if err != nil {
		return people.Person{}, err
	}
	p, err := a.cfg.Office.Person(ctx, person)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return p, err
	}
	if err != nil || !right || stored.Hash == "" || p.Left != 0 {
		return p, ErrSignIn
	}
	return p, nil
}

// First is a first sign-in, or the first after a password was forgotten.
type First struct {
	Person broadcast.ID
	// Code is the text of the one-time code.
	Code, Password string
	// Passphrase is for a key that opens with the code until now.
	Passphrase string
}

// EnterFirst uses a one-time code up: it sets the password, wraps a new key under
// its owner's passphrase, and begins a session. The two must differ, so that who
// learns the password that is typed every week cannot sign.
func (a *Accounts) EnterFirst(ctx context.Context, f First, v Visit) (Entry, error) {
	if err := checkPassword(f.Password); err != nil {
		return Entry{}, err
	}
	var p people.Person
	err := a.guessed(ctx, f.Person, v, false, func() (err error) {
		p, err = a.holder(ctx, f)
		return err
	})
	if err != nil {
		return Entry{}, err
	}
	rewrap, err := a.firstPassphrase(ctx, f)
	if err != nil {
		return Entry{}, err
	}
	hash, err := a.hash(ctx, f.Person, f.Password)
	if err != nil {
		return Entry{}, err
	}
	var out Entry
	err = a.cfg.DB.Update(ctx, func(tx store.Tx) error {
		now := a.instant()
		err := errors.Join(tx.UseCode(ctx, people.CodeDigest(f.Person, f.Code), now), tx.SetPassword(ctx, store.Password{Person: p.ID, Hash: hash, Changed: now}), rewrap(tx))
		if err != nil {
			return err
		}
		out, err = a.begin(ctx, tx, p, v, "code")
		return err
	})
	if errors.Is(err, store.ErrConflict) { // somebody else was quicker with it
		return Entry{}, ErrSignIn
	}
	return out, err
}

// holder returns whose code it is, if it is good.
func (a *Accounts) holder(ctx context.Context, f First) (people.Person, error) {
	code, err := a.cfg.DB.Code(ctx, people.CodeDigest(f.Person, f.Code))
	if errors.Is(err, store.ErrNotFound) {
		return people.Person{}, ErrSignIn
	}
	if err != nil {
		return people.Person{}, err
	}
	p, err := a.cfg.Office.Person(ctx, f.Person)
	if err == nil && (code.Used != 0 || code.Expires <= a.instant() || p.Left != 0) {
		err = fmt.Errorf("%w: the code was used, replaced, or is older than three days; ask for another", ErrSignIn)
	}
	return p, err
}

// firstPassphrase returns the step that wraps a key which awaits its owner, and
// makes sure that password and passphrase differ.
func (a *Accounts) firstPassphrase(ctx context.Context, f First) (func(store.Tx) error, error) {
	waits, err := a.cfg.Office.Awaits(ctx, f.Person)
	if err != nil {
		return nil, err
	}
	if !waits {
		return func(store.Tx) error { return nil }, a.apart(ctx, f.Person, f.Password)
	}
	if broadcast.NormalText(f.Passphrase) == broadcast.NormalText(f.Password) {
		return nil, errSame()
	}
	return a.cfg.Office.Rewrap(ctx, people.Credential{Person: f.Person}, f.Code, f.Passphrase)
}

// apart refuses a password that opens the person's key.
func (a *Accounts) apart(ctx context.Context, person broadcast.ID, password string) error {
	same, err := a.cfg.Office.Opens(ctx, person, password)
	if err == nil && same {
		err = errSame()
	}
	return err
}

func errSame() error {
	return fmt.Errorf("%w: it must not be the passphrase of your key", ErrPassword)
}

// hash hashes a password when its turn comes.
func (a *Accounts) hash(ctx context.Context, person broadcast.ID, password string) (hash string, err error) {
	err = a.known.take(ctx, "hash "+string(person), func() error {
		hash, err = people.HashPassword(a.cfg.Cost, password)
		return err
	})
	return hash, err
}
