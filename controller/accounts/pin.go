package accounts

import (
	"context"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// EnterPIN begins a session of an officer on a phone that several share. It lasts
// a shift, and ends with the phone. Five wrong PINs in a row are the last of this
// officer on this phone; others go on.
func (a *Accounts) EnterPIN(ctx context.Context, person broadcast.ID, pin string, v Visit) (Entry, error) {
	if pin == "" {
		return Entry{}, people.ErrPIN
	}
	phone, p, err := a.cfg.Office.OpensPIN(ctx, people.Credential{Person: person, Phone: v.Phone, PIN: pin})
	if err != nil {
		return Entry{}, err
	}
	var out Entry
	err = a.cfg.DB.Update(ctx, func(tx store.Tx) error {
		out, err = a.beginOn(ctx, tx, p, v, "pin", phone.ID)
		return err
	})
	return out, err
}

// SetPIN has the phone that officers share open the key of whoever is signed in,
// by a PIN, from now on.
func (a *Accounts) SetPIN(ctx context.Context, s Session, passphrase, pin string, v Visit) error {
	if passphrase == "" {
		return people.ErrPassphrase
	}
	return a.cfg.Office.SetPIN(ctx, people.Credential{Person: s.Person, Passphrase: passphrase, Session: s.ID}, v.Phone, pin)
}
