package people

import (
	"context"
	"crypto/ed25519"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Limits of tokens.
const (
	tokenPrefix = "lx_"
	tokenBytes  = 32
	// DefaultTokenLife is how long a token lasts if nobody says otherwise.
	DefaultTokenLife = 90 * 24 * time.Hour
	maxTokenLife     = 366 * 24 * time.Hour
	maxTokenLabel    = 100
)

// Bearer is who a token belongs to and what it can do.
type Bearer struct {
	Person Person
	// Token names the token in lists and in the audit log; it is not the secret.
	Token   broadcast.Digest
	Expires broadcast.Instant
	// Signs says whether the token opens its person's key.
	Signs bool
}

// Bearer returns whose token this is. Anything but a good token is
// ErrCredential, with the reason if the token was once good.
func (o *Office) Bearer(ctx context.Context, text string) (Bearer, error) {
	row, secret, p, err := o.token(ctx, text)
	clear(secret)
	if err != nil {
		return Bearer{}, err
	}
	return Bearer{Person: p, Token: row.Hash, Expires: row.Expires, Signs: row.Wrapped != ""}, nil
}

// token finds a good token, its secret bytes and its person. It is looked up
// by the digest of 256 random bits: what the database's index gives away in
// time is of no use to somebody who cannot choose the digest.
func (o *Office) token(ctx context.Context, text string) (store.Token, []byte, Person, error) {
	encoded, ok := strings.CutPrefix(text, tokenPrefix)
	secret, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(secret) != tokenBytes {
		return store.Token{}, nil, Person{}, fmt.Errorf("token: %w: it begins with %s and has %d characters", ErrCredential, tokenPrefix, len(tokenPrefix)+43)
	}
	hash := broadcast.Sum([]byte(text))
	row, err := o.db.Token(ctx, hash)
	if errors.Is(err, store.ErrNotFound) || err == nil && subtle.ConstantTimeCompare([]byte(row.Hash), []byte(hash)) != 1 {
		return row, nil, Person{}, fmt.Errorf("token: %w: it is not known here", ErrCredential)
	}
	if err != nil {
		return row, nil, Person{}, err
	}
	if row.Revoked != 0 {
		return row, nil, Person{}, fmt.Errorf("token: %w: it was revoked on %s", ErrCredential, row.Revoked)
	}
	if o.instant() >= row.Expires {
		return row, nil, Person{}, fmt.Errorf("token: %w: it expired on %s; get a new one with admin token", ErrCredential, row.Expires)
	}
	p, err := o.present(ctx, row.Person)
	return row, secret, p, err
}

// Mint makes a token of the person whose passphrase is given, and returns its
// text, which is shown once. A life of 0 stands for DefaultTokenLife. A token
// does not beget tokens: one that leaked would never end.
func (o *Office) Mint(ctx context.Context, c Credential, life time.Duration, label string) (string, error) {
	if c.Token != "" {
		return "", fmt.Errorf("%w: a token makes no tokens; give the passphrase", ErrForbidden)
	}
	p, key, err := o.unlockPassphrase(ctx, c)
	if err != nil {
		return "", err
	}
	defer clear(key)
	return o.mint(ctx, p, key, life, label)
}

// mint makes a token; without a key it cannot sign.
func (o *Office) mint(ctx context.Context, p Person, key ed25519.PrivateKey, life time.Duration, label string) (string, error) {
	if life == 0 {
		life = DefaultTokenLife
	}
	if life < time.Minute || life > maxTokenLife || len(label) > maxTokenLabel {
		return "", fmt.Errorf("token: a life of 1 minute to 366 days and a label of at most %d bytes are possible", maxTokenLabel)
	}
	secret := random(tokenBytes)
	defer clear(secret)
	text := tokenPrefix + base64.RawURLEncoding.EncodeToString(secret)
	now := o.instant()
	row := store.Token{Hash: broadcast.Sum([]byte(text)), Person: p.ID, Label: label, Created: now, Expires: now.Add(life)}
	if key != nil {
		var err error
		if row.Wrapped, err = wrap(key, secret, nil, string(p.ID)); err != nil {
			return "", fmt.Errorf("token: %w", err)
		}
		if row.Key, err = publicOf(key).ID(); err != nil {
			return "", err
		}
	}
	err := o.db.Update(ctx, func(tx store.Tx) error {
		if err := tx.AddToken(ctx, row); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: now, Person: p.ID, Act: "token.mint", Subject: string(row.Hash), Detail: struct {
			Label   string            `json:"label,omitempty"`
			Expires broadcast.Instant `json:"expires"`
			Signs   bool              `json:"signs"`
		}{label, row.Expires, key != nil}})
	})
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return text, nil
}

// Revoke ends a token, named by its digest: one's own, or anybody's inside the
// areas that one manages people of.
func (o *Office) Revoke(ctx context.Context, by Person, token broadcast.Digest) error {
	row, err := o.db.Token(ctx, token)
	if err != nil {
		return err
	}
	if row.Person != by.ID {
		owner, err := o.Person(ctx, row.Person)
		if err != nil {
			return err
		}
		if err := o.Authorise(by, PersonManage, owner.Areas...); err != nil {
			return err
		}
	}
	now := o.instant()
	return o.db.Update(ctx, func(tx store.Tx) error {
		if err := tx.RevokeToken(ctx, token, now); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: now, Person: by.ID, Act: "token.revoke", Subject: string(token)})
	})
}
