package people

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/guess"
	"github.com/loaxa/loaxa/controller/store"
)

// Errors of credentials.
var (
	// ErrCredential: unknown, wrong, expired or revoked; nobody is shown who asks.
	ErrCredential = errors.New("not accepted")
	// ErrCannotSign: the person is known, but holds no key here.
	ErrCannotSign = errors.New("has no signing key")
	// ErrPassphrase: somebody signed in asks for a signature with a wrong
	// passphrase, or without any.
	ErrPassphrase = errors.New("the passphrase of your key is needed for this, each time")
)

// Patience means that too many wrong secrets came: the next is looked at after a
// while.
type Patience struct{ Wait time.Duration }

// Error says how long to wait.
func (p *Patience) Error() string {
	return fmt.Sprintf("too many wrong attempts: try again in %s", max(p.Wait.Round(time.Second), time.Second))
}

// passphraseRule slows guesses at a passphrase from one session.
func passphraseRule() guess.Rule {
	return guess.Rule{Free: 5, First: 2 * time.Second, Most: 15 * time.Minute}
}

// Credential opens one person's key: a token, a person with a passphrase, or a
// person with a PIN on the phone that holds a secret.
type Credential struct {
	Token      string
	Person     broadcast.ID
	Passphrase string
	// Phone is the secret of the phone on which PIN was typed.
	Phone, PIN string
	// Session names the session in which the passphrase was typed, if it was: wrong
	// ones from there are slowed down, and nobody else's.
	Session broadcast.Digest
}

// With opens the credential's key, gives f its signer under the certificate
// that is good now, and zeroes the key when f returns. f must not keep it.
func (o *Office) With(ctx context.Context, c Credential, f func(seal.Signer) error) error {
	_, key, err := o.unlock(ctx, c)
	if err != nil {
		return err
	}
	defer clear(key)
	a, err := o.authority(ctx)
	if err != nil {
		return err
	}
	cert, err := a.current(publicOf(key), o.instant())
	if err != nil {
		return fmt.Errorf("your key: %w; an administrator renews it with the root key", err)
	}
	return f(seal.Signer{KID: cert.kid, Key: key})
}

// unlock returns who a credential belongs to and their private key.
func (o *Office) unlock(ctx context.Context, c Credential) (Person, ed25519.PrivateKey, error) {
	if c.Token != "" {
		return o.unlockToken(ctx, c.Token)
	}
	if c.PIN != "" {
		return o.unlockPIN(ctx, c)
	}
	return o.unlockPassphrase(ctx, c)
}

func (o *Office) unlockToken(ctx context.Context, text string) (Person, ed25519.PrivateKey, error) {
	row, secret, p, err := o.token(ctx, text)
	if err != nil {
		return p, nil, err
	}
	defer clear(secret)
	if row.Wrapped == "" {
		return p, nil, fmt.Errorf("the token of %s: %w; get one from a person whose role signs", p.ID, ErrCannotSign)
	}
	k, err := o.db.Key(ctx, row.Key)
	if err != nil {
		return p, nil, err
	}
	key, err := unwrap(row.Wrapped, secret, k.Public, string(p.ID))
	if err != nil {
		return p, nil, fmt.Errorf("token of %s: %w", p.ID, err)
	}
	return p, key, nil
}

func (o *Office) unlockPassphrase(ctx context.Context, c Credential) (Person, ed25519.PrivateKey, error) {
	k, err := o.db.KeyOf(ctx, c.Person)
	if errors.Is(err, store.ErrNotFound) || err == nil && awaits(k.Wrapped) {
		return Person{}, nil, c.refused()
	}
	if err != nil {
		return Person{}, nil, err
	}
	if c.Session != "" && c.Passphrase == "" {
		return Person{}, nil, ErrPassphrase
	}
	var key ed25519.PrivateKey
	err = o.atGate(ctx, func() error {
		if c.Session != "" {
			if wait := o.guesses.Try(o.now(), string(c.Session)); wait > 0 {
				return &Patience{Wait: wait}
			}
		}
		key, err = unwrap(k.Wrapped, phrase(c.Passphrase), k.Public, string(c.Person))
		return err
	})
	if errors.Is(err, errWrongSecret) {
		return Person{}, nil, c.refused()
	}
	if err != nil {
		return Person{}, nil, err
	}
	o.guesses.Right(string(c.Session))
	p, err := o.present(ctx, c.Person)
	if err != nil {
		clear(key)
		return Person{}, nil, err
	}
	return p, key, nil
}

// refused is the error of a passphrase that opens nothing.
func (c Credential) refused() error {
	if c.Session != "" {
		return fmt.Errorf("%w; this one does not open it", ErrPassphrase)
	}
	return fmt.Errorf("person or passphrase: %w", ErrCredential)
}

// atGate runs f when its turn comes: every passphrase takes much memory.
func (o *Office) atGate(ctx context.Context, f func() error) error {
	select {
	case o.gate <- struct{}{}:
		defer func() { <-o.gate }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// present returns a person who has not left.
func (o *Office) present(ctx context.Context, id broadcast.ID) (Person, error) {
	p, err := o.Person(ctx, id)
	if err != nil {
		return p, err
	}
	if p.Left != 0 {
		return p, fmt.Errorf("%w: %s left on %s", ErrCredential, p.ID, p.Left)
	}
	return p, nil
}
