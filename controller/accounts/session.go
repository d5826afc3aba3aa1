package accounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// seenEvery bounds how often the use of a session is written down.
const seenEvery = time.Minute

// Session returns the session of a cookie and its person; anything but one that
// goes on is people.ErrCredential.
func (a *Accounts) Session(ctx context.Context, cookie string, v Visit) (Session, people.Person, error) {
	row, err := a.cfg.DB.Session(ctx, broadcast.Sum([]byte(cookie)))
	if errors.Is(err, store.ErrNotFound) {
		return Session{}, people.Person{}, fmt.Errorf("session: %w: sign in again", people.ErrCredential)
	}
	if err != nil {
		return Session{}, people.Person{}, err
	}
	now := a.instant()
	if row.Ended != 0 || now >= sessionOf(row).Expires {
		return Session{}, people.Person{}, fmt.Errorf("session: %w: it has ended; sign in again", people.ErrCredential)
	}
	p, err := a.cfg.Office.Person(ctx, row.Person)
	if err == nil && p.Left != 0 {
		err = fmt.Errorf("session: %w: %s left on %s", people.ErrCredential, p.ID, p.Left)
	}
	if err != nil {
		return Session{}, p, err
	}
	if now.Sub(row.Seen) >= seenEvery {
		a.see(ctx, row, now, v.Address)
		row.Seen, row.Address = now, v.Address
	}
	return sessionOf(row), p, nil
}

// see notes the use of a session. What cannot be noted keeps nobody out.
func (a *Accounts) see(ctx context.Context, row store.Session, now broadcast.Instant, address string) {
	err := a.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.SeeSession(ctx, row.Hash, now, address) })
	if err != nil {
		a.cfg.Log.WarnContext(ctx, "the use of a session was not noted", "person", row.Person, "error", err)
	}
}

// Sessions returns somebody's sessions that go on, newest first: one's own, or
// those of people whom one manages.
func (a *Accounts) Sessions(ctx context.Context, by people.Person, of broadcast.ID) ([]Session, error) {
	if err := a.may(ctx, by, of); err != nil {
		return nil, err
	}
	now := a.instant()
	rows, err := a.cfg.DB.Sessions(ctx, of, now)
	out := []Session{}
	for _, row := range rows {
		if s := sessionOf(row); s.Expires > now {
			out = append(out, s)
		}
	}
	return out, err
}

// End ends a session and makes its browser a stranger: one's own, or that of
// somebody whom one manages. It returns whose it was.
func (a *Accounts) End(ctx context.Context, by people.Person, id broadcast.Digest) (broadcast.ID, error) {
	row, err := a.cfg.DB.Session(ctx, id)
	if err != nil {
		return "", err
	}
	if err := a.may(ctx, by, row.Person); err != nil {
		return "", err
	}
	now := a.instant()
	return row.Person, a.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := errors.Join(tx.EndSession(ctx, id, now), tx.ForgetBrowser(ctx, row.Browser)); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: now, Person: by.ID, Act: "session.end", Subject: string(id), Detail: row.Person})
	})
}

// Leave ends one's own session. The browser stays a known one.
func (a *Accounts) Leave(ctx context.Context, s Session) error {
	now := a.instant()
	return a.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.EndSession(ctx, s.ID, now); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: now, Person: s.Person, Act: "session.end", Subject: string(s.ID), Detail: s.Person})
	})
}

// may says whether the sessions of one person are another's business.
func (a *Accounts) may(ctx context.Context, by people.Person, of broadcast.ID) error {
	if by.ID == of {
		return nil
	}
	if err := a.cfg.Office.Authorise(by, people.PersonManage); err != nil {
		return err
	}
	p, err := a.cfg.Office.Person(ctx, of)
	if err != nil {
		return err
	}
	return a.cfg.Office.Authorise(by, people.PersonManage, p.Areas...)
}

// SetPassword changes the password of whoever is signed in and knows the old one.
// Every other session ends.
func (a *Accounts) SetPassword(ctx context.Context, s Session, old, next string) error {
	if err := checkPassword(next); err != nil {
		return err
	}
	if err := a.oneself(ctx, s, old); err != nil {
		return err
	}
	if err := a.apart(ctx, s.Person, next); err != nil {
		return err
	}
	hash, err := a.hash(ctx, s.Person, next)
	if err != nil {
		return err
	}
	now := a.instant()
	return a.cfg.DB.Update(ctx, func(tx store.Tx) error {
		err := errors.Join(tx.SetPassword(ctx, store.Password{Person: s.Person, Hash: hash, Changed: now}), tx.EndSessions(ctx, s.Person, s.ID, now))
		if err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: now, Person: s.Person, Act: "password.set", Subject: string(s.Person)})
	})
}

// oneself has the password of the session's person be given once more.
func (a *Accounts) oneself(ctx context.Context, s Session, password string) error {
	key := "session " + string(s.ID)
	return a.known.take(ctx, key, func() error {
		if wait := a.names.Try(a.cfg.Now(), key); wait > 0 {
			return &people.Patience{Wait: wait}
		}
		if _, err := a.compare(ctx, s.Person, password); err != nil {
			if errors.Is(err, ErrSignIn) {
				err = fmt.Errorf("%w: the old one is not this", ErrPassword)
			}
			return err
		}
		a.names.Right(key)
		return nil
	})
}

// SetPassphrase wraps the key of whoever is signed in under another passphrase.
// Tokens that were made before go on signing.
func (a *Accounts) SetPassphrase(ctx context.Context, s Session, old, next string) error {
	stored, err := a.cfg.DB.Password(ctx, s.Person)
	if err != nil {
		return err
	}
	var same bool
	err = a.known.take(ctx, "hash "+string(s.Person), func() error {
		same, err = people.IsPassword(stored.Hash, next)
		return err
	})
	if err == nil && same {
		err = fmt.Errorf("%w: the passphrase of your key must not be your password", ErrPassword)
	}
	if err != nil {
		return err
	}
	rewrap, err := a.cfg.Office.Rewrap(ctx, people.Credential{Person: s.Person, Passphrase: old, Session: s.ID}, "", next)
	if err != nil {
		return err
	}
	return a.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := rewrap(tx); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: a.instant(), Person: s.Person, Act: "passphrase.set", Subject: string(s.Person)})
	})
}
