package people

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Limits of phones and PINs.
const (
	phonePrefix  = "lp_"
	phoneBytes   = 32
	maxPhoneName = 100
	// MinPIN and MaxPIN are how many digits a PIN has.
	MinPIN, MaxPIN = 6, 12
	// wrongPINs is how many wrong ones in a row are looked at.
	wrongPINs = 5
)

// Errors of phones and PINs.
var (
	// ErrPhone: there is no such phone, its code was used, or it was revoked.
	ErrPhone = errors.New("this phone is not enrolled, or no longer")
	// ErrPIN: the PIN opens nothing here.
	ErrPIN = errors.New("name and PIN do not belong together on this phone")
	// ErrPINSpent: too many wrong ones; the passphrase sets a new one.
	ErrPINSpent = errors.New("five wrong PINs in a row: sign in with your password and choose a new PIN with your passphrase")
	// ErrPINWeak: this PIN cannot be chosen.
	ErrPINWeak = errors.New("choose another PIN: 6 to 12 digits, neither all alike nor counting up or down")
)

// Phone is one that several officers share.
type Phone struct {
	ID                         broadcast.ID
	Name                       string
	Area                       broadcast.ID
	Created, Enrolled, Revoked broadcast.Instant
}

func phoneOf(row store.Phone) Phone {
	return Phone{ID: row.ID, Name: row.Name, Area: row.Area, Created: row.Created, Enrolled: row.Enrolled, Revoked: row.Revoked}
}

// InvitePhone makes a one-time code with which a phone of an area is enrolled.
func (o *Office) InvitePhone(ctx context.Context, by Person, name string, area broadcast.ID) (Phone, Code, error) {
	name = strings.Join(strings.Fields(broadcast.NormalText(name)), " ")
	if name == "" || len(name) > maxPhoneName {
		return Phone{}, Code{}, fmt.Errorf("%w: give it a name of at most %d bytes", ErrPhone, maxPhoneName)
	}
	if err := o.Authorise(by, PersonManage, area); err != nil {
		return Phone{}, Code{}, err
	}
	now := o.instant()
	c := Code{Text: NewCode(), Expires: now.Add(CodeLife)}
	row := store.Phone{ID: broadcast.ID(strings.ToLower(ulid.Make().String())), Name: name, Area: area, Code: phoneCode(c.Text), Created: now, Expires: c.Expires}
	return phoneOf(row), c, o.noted(ctx, by.ID, "phone.invite", string(row.ID), func(tx store.Tx) error { return tx.AddPhone(ctx, row) })
}

// phoneCode is what the code of a phone is stored under.
func phoneCode(text string) broadcast.Digest {
	return broadcast.Sum(append([]byte("loaxa/phone-code.v1 "), plainCode(text)...))
}

// noted changes something together with its row in the audit log.
func (o *Office) noted(ctx context.Context, by broadcast.ID, act, subject string, change func(store.Tx) error) error {
	return o.db.Update(ctx, func(tx store.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: o.instant(), Person: by, Act: act, Subject: subject})
	})
}

// EnrolPhone uses a code up. The secret that it returns is shown once and stored
// nowhere but on the phone.
func (o *Office) EnrolPhone(ctx context.Context, code string) (Phone, string, error) {
	row, err := o.db.PhoneByCode(ctx, phoneCode(code))
	if errors.Is(err, store.ErrNotFound) {
		return Phone{}, "", ErrPhone
	}
	if err != nil {
		return Phone{}, "", err
	}
	raw := random(phoneBytes)
	defer clear(raw)
	secret := phonePrefix + base64.RawURLEncoding.EncodeToString(raw)
	err = o.noted(ctx, "", "phone.enrol", string(row.ID), func(tx store.Tx) error {
		return tx.EnrolPhone(ctx, row.Code, broadcast.Sum([]byte(secret)), o.instant())
	})
	if errors.Is(err, store.ErrConflict) {
		return Phone{}, "", fmt.Errorf("%w: the code was used or is older than three days; ask for another", ErrPhone)
	}
	if err != nil {
		return Phone{}, "", err
	}
	row, err = o.db.Phone(ctx, row.ID)
	return phoneOf(row), secret, err
}

// PhoneWith returns the phone that holds a secret; anything but one that is
// enrolled and was not revoked is ErrPhone.
func (o *Office) PhoneWith(ctx context.Context, secret string) (Phone, error) {
	if !strings.HasPrefix(secret, phonePrefix) {
		return Phone{}, ErrPhone
	}
	row, err := o.db.PhoneOf(ctx, broadcast.Sum([]byte(secret)))
	if errors.Is(err, store.ErrNotFound) || err == nil && row.Revoked != 0 {
		return Phone{}, ErrPhone
	}
	return phoneOf(row), err
}

// Phones returns those of the areas that by manages people of, the oldest first.
func (o *Office) Phones(ctx context.Context, by Person) ([]Phone, error) {
	rows, err := o.db.Phones(ctx)
	out := []Phone{}
	for _, row := range rows {
		if o.Authorise(by, PersonManage, row.Area) == nil {
			out = append(out, phoneOf(row))
		}
	}
	return out, err
}

// RevokePhone ends a phone: its PINs and its sessions with it.
func (o *Office) RevokePhone(ctx context.Context, by Person, id broadcast.ID) (Phone, error) {
	row, err := o.db.Phone(ctx, id)
	if err == nil {
		err = o.Authorise(by, PersonManage, row.Area)
	}
	if err != nil {
		return Phone{}, err
	}
	if row.Revoked == 0 {
		now := o.instant()
		if err := o.noted(ctx, by.ID, "phone.revoke", string(id), func(tx store.Tx) error { return tx.RevokePhone(ctx, id, now) }); err != nil {
			return Phone{}, err
		}
		row.Revoked = now
	}
	return phoneOf(row), nil
}

// SetPIN has a phone open the key of somebody who knows its passphrase. The key is
// wrapped under the PIN together with the phone's secret: neither the controller's
// data nor the phone opens it alone.
func (o *Office) SetPIN(ctx context.Context, c Credential, secret, pin string) error {
	phone, err := o.PhoneWith(ctx, secret)
	if err != nil {
		return err
	}
	if !strong(pin) {
		return ErrPINWeak
	}
	p, key, err := o.unlockPassphrase(ctx, c)
	if err != nil {
		return err
	}
	defer clear(key)
	if !o.about(p, phone.Area) {
		return fmt.Errorf("%w: this phone is for %s", ErrForbidden, phone.Area)
	}
	id, err := publicOf(key).ID()
	if err != nil {
		return err
	}
	row := store.PIN{Phone: phone.ID, Person: p.ID, Key: id, Created: o.instant()}
	err = o.atGate(ctx, func() (err error) {
		row.Wrapped, err = wrap(key, pinned(secret, pin), &o.cost, string(p.ID))
		return err
	})
	if err != nil {
		return fmt.Errorf("PIN: %w", err)
	}
	return o.noted(ctx, p.ID, "pin.set", string(phone.ID), func(tx store.Tx) error { return tx.SetPIN(ctx, row) })
}

// about says whether somebody acts in an area, above or below it.
func (o *Office) about(p Person, area broadcast.ID) bool {
	return slices.ContainsFunc(p.Areas, func(own broadcast.ID) bool {
		return own == area || o.tree().Covers(own, area, o.instant()) || o.tree().Covers(area, own, o.instant())
	})
}

// pinned is what a PIN and a phone make together.
func pinned(secret, pin string) []byte { return []byte("loaxa/pin.v1 " + secret + " " + pin) }

// strong says whether a PIN can be chosen.
func strong(pin string) bool {
	if len(pin) < MinPIN || len(pin) > MaxPIN {
		return false
	}
	steps := map[int]bool{}
	for i := range len(pin) {
		if pin[i] < '0' || pin[i] > '9' {
			return false
		}
		if i > 0 {
			steps[int(pin[i])-int(pin[i-1])] = true
		}
	}
	return len(steps) > 1 || !steps[0] && !steps[1] && !steps[-1]
}

// PINHolders returns who may sign in with a PIN on the phone that holds a secret.
func (o *Office) PINHolders(ctx context.Context, secret string) (Phone, []Person, error) {
	phone, err := o.PhoneWith(ctx, secret)
	if err != nil {
		return phone, nil, err
	}
	rows, err := o.db.PINsOn(ctx, phone.ID)
	out := []Person{}
	for _, row := range rows {
		if p, err := o.present(ctx, row.Person); err == nil {
			out = append(out, p)
		}
	}
	return phone, out, err
}

// unlockPIN opens the key of somebody by the PIN of one phone. Each guess is
// counted in the database before it is looked at.
func (o *Office) unlockPIN(ctx context.Context, c Credential) (Person, ed25519.PrivateKey, error) {
	phone, err := o.PhoneWith(ctx, c.Phone)
	if err != nil {
		return Person{}, nil, err
	}
	p, err := o.Person(ctx, c.Person)
	if errors.Is(err, store.ErrNotFound) || err == nil && p.Left != 0 {
		return Person{}, nil, ErrPIN
	}
	if err != nil {
		return Person{}, nil, err
	}
	current, err := o.db.KeyOf(ctx, c.Person)
	if errors.Is(err, store.ErrNotFound) {
		return Person{}, nil, ErrPIN
	}
	if err != nil {
		return Person{}, nil, err
	}
	var key ed25519.PrivateKey
	err = o.atGate(ctx, func() error {
		row, err := o.tryPIN(ctx, phone.ID, c.Person)
		if err != nil {
			return err
		}
		if row.Key != current.ID {
			return fmt.Errorf("%w: your key was replaced; choose a PIN again", ErrPINSpent)
		}
		if key, err = unwrap(row.Wrapped, pinned(c.Phone, c.PIN), current.Public, string(p.ID)); err != nil {
			return err
		}
		return o.db.Update(ctx, func(tx store.Tx) error { return tx.RightPIN(ctx, row) })
	})
	if errors.Is(err, errWrongSecret) {
		err = ErrPIN
	}
	if err != nil {
		clear(key)
		return Person{}, nil, err
	}
	return p, key, nil
}

// tryPIN counts a guess.
func (o *Office) tryPIN(ctx context.Context, phone, person broadcast.ID) (row store.PIN, err error) {
	err = o.db.Update(ctx, func(tx store.Tx) error {
		row, err = tx.TryPIN(ctx, phone, person, wrongPINs)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return row, ErrPIN
	case errors.Is(err, store.ErrConflict):
		return row, ErrPINSpent
	}
	return row, err
}

// OpensPIN returns whose PIN it is on a phone, for somebody who signs in.
func (o *Office) OpensPIN(ctx context.Context, c Credential) (Phone, Person, error) {
	p, key, err := o.unlockPIN(ctx, c)
	clear(key)
	if err != nil {
		return Phone{}, p, err
	}
	phone, err := o.PhoneWith(ctx, c.Phone)
	return phone, p, err
}
