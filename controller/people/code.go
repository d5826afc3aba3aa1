package people

import (
	"context"
	"crypto/ed25519"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// CodeLife is how long a one-time code is good.
const CodeLife = 72 * time.Hour

// A code has 100 bits: guessing them against a copy of the data folder is out
// of reach even without a slow derivation.
const codeChars, codeGroup = 20, 5

// codeAlphabet has no letter that is read as another (Crockford's base 32).
func codeAlphabet() *base32.Encoding {
	return base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
}

// Code is a one-time code: whoever has it chooses the person's password.
type Code struct {
	// Text is shown once and stored nowhere.
	Text    string
	Expires broadcast.Instant
	// NewKey says that it also opens a key that was made with it.
	NewKey bool
}

// NewCode returns the text of a new code, in groups that can be read out.
func NewCode() string {
	text := codeAlphabet().EncodeToString(random(13))[:codeChars]
	var groups []string
	for group := range slices.Chunk([]byte(text), codeGroup) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, "-")
}

// plainCode is a code as it was meant, however it was typed.
func plainCode(text string) []byte {
	return []byte(strings.NewReplacer("-", "", " ", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(text)))
}

// CodeDigest is what a code is stored under.
func CodeDigest(person broadcast.ID, text string) broadcast.Digest {
	return broadcast.Sum(append([]byte("loaxa/code.v1 "+string(person)+" "), plainCode(text)...))
}

// IssueCode gives somebody a way to choose a password, within the areas that by
// manages people of: sessions end, and earlier codes are worthless. The code
// opens no key, so that whoever gives it out cannot sign with it; but with
// newKey, for a passphrase that was lost, and where the last code was never
// used, a new key is made and certified, the old one retired, and the code
// opens it until its first use.
func (o *Office) IssueCode(ctx context.Context, by Credential, id broadcast.ID, newKey bool) (Code, error) {
	p, err := o.present(ctx, id)
	if err != nil {
		return Code{}, err
	}
	if waits, err := o.Awaits(ctx, id); err != nil {
		return Code{}, err
	} else if waits {
		newKey = true
	}
	c := Code{Text: NewCode(), Expires: o.instant().Add(CodeLife), NewKey: newKey && len(p.Role.Acts()) > 0}
	return c, o.delegated(ctx, by, p.Areas, func(iss issuer) error {
		if iss.person == id {
			return ErrOneself
		}
		return o.db.Update(ctx, func(tx store.Tx) error {
			if c.NewKey {
				if err := o.rekey(ctx, tx, p, iss, c.Text); err != nil {
					return err
				}
			}
			return o.keepCode(ctx, tx, iss.person, id, c)
		})
	})
}

// AdminCode makes a code from a shell on the controller's machine, for the first
// administrator or the last one who forgot a password. It makes no key.
func AdminCode(ctx context.Context, dir string, id broadcast.ID, cfg Config) (c Code, err error) {
	if err := HasHouse(dir); err != nil {
		return c, err
	}
	db, err := store.OpenBeside(ctx, dir)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	o, err := Open(ctx, dir, db, cfg)
	if err != nil {
		return c, err
	}
	if _, err := o.present(ctx, id); err != nil {
		return c, err
	}
	if waits, err := o.Awaits(ctx, id); err != nil || waits {
		return c, errors.Join(err, fmt.Errorf("the key of %s opens only with the code that it was made with; an administrator gives out a new one", id))
	}
	c = Code{Text: NewCode(), Expires: o.instant().Add(CodeLife)}
	return c, db.Update(ctx, func(tx store.Tx) error { return o.keepCode(ctx, tx, "", id, c) })
}

// keepCode stores a code without its text and ends what was signed in before, also
// by a passkey: the device that holds it may be what was lost.
func (o *Office) keepCode(ctx context.Context, tx store.Tx, by, id broadcast.ID, c Code) error {
	now := o.instant()
	row := store.Code{Hash: CodeDigest(id, c.Text), Person: id, Issuer: by, Created: now, Expires: c.Expires}
	if err := errors.Join(tx.AddCode(ctx, row), tx.EndSessions(ctx, id, "", now), tx.DropPasskeys(ctx, id)); err != nil {
		return err
	}
	return tx.Audit(ctx, store.Deed{At: now, Person: by, Act: "person.code", Subject: string(id), Detail: struct {
		Expires broadcast.Instant `json:"expires"`
		NewKey  bool              `json:"new_key"`
	}{c.Expires, c.NewKey}})
}

// rekey makes a new key for somebody, wrapped under a code, and retires the old
// one with everything that it opened.
func (o *Office) rekey(ctx context.Context, tx store.Tx, p Person, by issuer, code string) error {
	held, err := o.authority(ctx)
	if err != nil {
		return err
	}
	now := o.instant()
	revoked, certs, err := held.ending(p.ID, broadcast.Retired, now)
	if err != nil {
		return err
	}
	e := enlisted{person: p}
	if err := o.equip(ctx, tx, NewPerson{ID: p.ID, Name: p.Name, Role: p.Role, Areas: p.Areas, Code: code}, by, &e); err != nil {
		return err
	}
	defer clear(e.signer.Key)
	if err := tx.RevokeTokens(ctx, p.ID, now); err != nil {
		return err
	}
	_, err = o.revise(ctx, tx, by.area, func(a *broadcast.Authority) {
		merge(a, slices.Concat(by.chain, certs, e.certs)...)
		a.Revocations = append(a.Revocations, revoked...)
	}, by.signers)
	return err
}

// Awaits says whether somebody's key still opens with the code that it was made
// with, because its owner has not chosen a passphrase yet.
func (o *Office) Awaits(ctx context.Context, id broadcast.ID) (bool, error) {
	k, err := o.db.KeyOf(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && awaits(k.Wrapped), err
}

// Rewrap opens somebody's key with the passphrase, or with the code that it was
// made with, and returns the step of a transaction that wraps it under another
// passphrase.
func (o *Office) Rewrap(ctx context.Context, c Credential, code, next string) (func(store.Tx) error, error) {
	if err := CheckPassphrase(string(c.Person), next); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPerson, err)
	}
	k, err := o.db.KeyOf(ctx, c.Person)
	if err != nil {
		return nil, err
	}
	key, err := o.openWith(ctx, k, c, code)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	var wrapped string
	err = o.atGate(ctx, func() error {
		wrapped, err = wrap(key, phrase(next), &o.cost, string(c.Person))
		return err
	})
	return func(tx store.Tx) error { return tx.Rewrap(ctx, k.ID, k.Wrapped, wrapped) }, err
}

// openWith opens a key with whichever of the two wraps it.
func (o *Office) openWith(ctx context.Context, k store.Key, c Credential, code string) (ed25519.PrivateKey, error) {
	if !awaits(k.Wrapped) {
		_, key, err := o.unlockPassphrase(ctx, c)
		return key, err
	}
	key, err := unwrap(k.Wrapped, plainCode(code), k.Public, string(c.Person))
	if err != nil {
		return nil, fmt.Errorf("code: %w", ErrCredential)
	}
	return key, nil
}

// Opens says whether a text is somebody's passphrase.
func (o *Office) Opens(ctx context.Context, person broadcast.ID, text string) (bool, error) {
	_, key, err := o.unlockPassphrase(ctx, Credential{Person: person, Passphrase: text})
	clear(key)
	if errors.Is(err, ErrCredential) {
		return false, nil
	}
	return err == nil, err
}
