package accounts

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// maxPasskeys is how many one person may have.
const maxPasskeys = 10

// maxPasskeyName bounds what somebody calls a device, in bytes.
const maxPasskeyName = 100

// Passkey is a device that lets its owner in.
type Passkey struct {
	ID            string
	Name          string
	Created, Used broadcast.Instant
}

// Challenge is what a browser gives to its device.
type Challenge struct {
	// State comes back with the device's answer.
	State string
	// Options are those of the browser's own call (JSON, W3C Web Authentication 3).
	Options json.RawMessage
}

// owner is a person as the library sees one.
type owner struct {
	id, name string
	keys     []webauthn.Credential
}

// WebAuthnID tells nobody who it is: devices keep it, also lost ones.
func (o owner) WebAuthnID() []byte {
	return []byte(broadcast.Sum([]byte("loaxa/passkey.v1 " + o.id)))
}
func (o owner) WebAuthnName() string                       { return o.id }
func (o owner) WebAuthnDisplayName() string                { return o.name }
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.keys }

// owned reads somebody's passkeys.
func (a *Accounts) owned(ctx context.Context, p people.Person) (owner, error) {
	out := owner{id: string(p.ID), name: p.Name}
	rows, err := a.cfg.DB.Passkeys(ctx, p.ID)
	if err != nil {
		return out, err
	}
	for _, row := range rows {
		var key webauthn.Credential
		if err := json.Unmarshal([]byte(row.Record), &key); err != nil {
			return out, fmt.Errorf("passkey %s: %w", row.ID, err)
		}
		out.keys = append(out.keys, key)
	}
	return out, nil
}

// Passkeys returns one's own, the oldest first.
func (a *Accounts) Passkeys(ctx context.Context, person broadcast.ID) ([]Passkey, error) {
	rows, err := a.cfg.DB.Passkeys(ctx, person)
	out := []Passkey{}
	for _, row := range rows {
		out = append(out, Passkey{ID: row.ID, Name: row.Name, Created: row.Created, Used: row.Used})
	}
	return out, err
}

// OfferPasskey asks a device for a new passkey of whoever is signed in and knows
// the password.
func (a *Accounts) OfferPasskey(ctx context.Context, s Session, password string) (Challenge, error) {
	if a.keys == nil {
		return Challenge{}, ErrNoSite
	}
	if err := a.oneself(ctx, s, password); err != nil {
		return Challenge{}, err
	}
	p, err := a.cfg.Office.Person(ctx, s.Person)
	if err != nil {
		return Challenge{}, err
	}
	who, err := a.owned(ctx, p)
	if err != nil {
		return Challenge{}, err
	}
	if len(who.keys) >= maxPasskeys {
		return Challenge{}, fmt.Errorf("%w: there are %d already; remove one first", ErrPasskey, len(who.keys))
	}
	asked, data, err := a.keys.web.BeginRegistration(who, webauthn.WithExclusions(webauthn.Credentials(who.keys).CredentialDescriptors()))
	if err != nil {
		return Challenge{}, fmt.Errorf("passkey: %w", err)
	}
	return a.challenge(question{For: s.ID, At: a.instant(), Data: *data}, asked.Response)
}

// challenge seals a question and writes down what the browser needs.
func (a *Accounts) challenge(q question, options any) (out Challenge, err error) {
	if out.State, err = a.keys.ask(q); err != nil {
		return out, err
	}
	if out.Options, err = json.Marshal(options); err != nil {
		return out, fmt.Errorf("passkey: %w", err)
	}
	return out, nil
}

// AddPasskey keeps the passkey that a device made.
func (a *Accounts) AddPasskey(ctx context.Context, s Session, name, state string, answer []byte) (Passkey, error) {
	if a.keys == nil {
		return Passkey{}, ErrNoSite
	}
	name, err := passkeyName(name)
	if err != nil {
		return Passkey{}, err
	}
	data, err := a.keys.asked(state, s.ID, a.cfg.Now())
	if err != nil {
		return Passkey{}, err
	}
	p, err := a.cfg.Office.Person(ctx, s.Person)
	if err != nil {
		return Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Passkey{}, refusal(err)
	}
	key, err := a.keys.web.CreateCredential(owner{id: string(p.ID), name: p.Name}, data, parsed)
	if err != nil {
		return Passkey{}, refusal(err)
	}
	record, err := json.Marshal(key)
	if err != nil {
		return Passkey{}, fmt.Errorf("passkey: %w", err)
	}
	if err := a.keys.spend(data.Challenge, a.cfg.Now()); err != nil {
		return Passkey{}, err
	}
	row := store.Passkey{ID: base64.RawURLEncoding.EncodeToString(key.ID), Person: p.ID, Name: name, Record: string(record), Created: a.instant()}
	err = a.noted(ctx, p.ID, "passkey.add", row.ID, func(tx store.Tx) error { return tx.AddPasskey(ctx, row) })
	if errors.Is(err, store.ErrConflict) {
		err = fmt.Errorf("%w: it is in use already", ErrPasskey)
	}
	return Passkey{ID: row.ID, Name: row.Name, Created: row.Created}, err
}

// passkeyName is what somebody calls a device, in one line.
func passkeyName(name string) (string, error) {
	name = strings.Join(strings.Fields(broadcast.NormalText(name)), " ")
	if name == "" || len(name) > maxPasskeyName {
		return "", fmt.Errorf("%w: give it a name of at most %d bytes", ErrPasskey, maxPasskeyName)
	}
	return name, nil
}

// NamePasskey gives one of one's own another name.
func (a *Accounts) NamePasskey(ctx context.Context, s Session, id, name string) error {
	name, err := passkeyName(name)
	if err != nil {
		return err
	}
	return a.noted(ctx, s.Person, "passkey.name", id, func(tx store.Tx) error { return tx.NamePasskey(ctx, s.Person, id, name) })
}

// DropPasskey removes one of one's own: it lets nobody in any more.
func (a *Accounts) DropPasskey(ctx context.Context, s Session, id string) error {
	return a.noted(ctx, s.Person, "passkey.drop", id, func(tx store.Tx) error { return tx.DropPasskey(ctx, s.Person, id) })
}

// noted changes something together with its row in the audit log.
func (a *Accounts) noted(ctx context.Context, by broadcast.ID, act, subject string, change func(store.Tx) error) error {
	return a.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: a.instant(), Person: by, Act: act, Subject: subject})
	})
}

// AskPasskey asks whatever device is at the door who it is. Nothing of the answer
// tells who has passkeys here.
func (a *Accounts) AskPasskey() (Challenge, error) {
	if a.keys == nil {
		return Challenge{}, ErrNoSite
	}
	asked, data, err := a.keys.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Challenge{}, fmt.Errorf("passkey: %w", err)
	}
	return a.challenge(question{At: a.instant(), Data: *data}, asked.Response)
}

// EnterPasskey begins a session of whoever's device answered. Anything but a right
// answer is ErrPasskey.
func (a *Accounts) EnterPasskey(ctx context.Context, state string, answer []byte, v Visit) (Entry, error) {
	if a.keys == nil {
		return Entry{}, ErrNoSite
	}
	data, err := a.keys.asked(state, "", a.cfg.Now())
	if err != nil {
		return Entry{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Entry{}, refusal(err)
	}
	row, p, err := a.held(ctx, base64.RawURLEncoding.EncodeToString(parsed.RawID))
	if err != nil {
		return Entry{}, err
	}
	record, err := a.answered(ctx, p, data, parsed)
	if err != nil {
		return Entry{}, err
	}
	var out Entry
	err = a.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.UsePasskey(ctx, row, string(record), a.instant()); err != nil {
			return err
		}
		out, err = a.begin(ctx, tx, p, v, "passkey")
		return err
	})
	if errors.Is(err, store.ErrConflict) {
		err = fmt.Errorf("%w: it was used elsewhere at this moment; begin again", ErrPasskey)
	}
	return out, err
}

// held returns a passkey and its owner, who must still be here.
func (a *Accounts) held(ctx context.Context, id string) (store.Passkey, people.Person, error) {
	row, err := a.cfg.DB.Passkey(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return row, people.Person{}, fmt.Errorf("%w: it is not known here; sign in with your password", ErrPasskey)
	}
	if err != nil {
		return row, people.Person{}, err
	}
	p, err := a.cfg.Office.Person(ctx, row.Person)
	if err == nil && p.Left != 0 {
		err = fmt.Errorf("%w: its owner left", ErrPasskey)
	}
	return row, p, err
}

// answered checks a device's answer and returns what is to be kept of it. A device
// whose counter went back has a double somewhere.
func (a *Accounts) answered(ctx context.Context, p people.Person, data webauthn.SessionData, parsed *protocol.ParsedCredentialAssertionData) ([]byte, error) {
	who, err := a.owned(ctx, p)
	if err != nil {
		return nil, err
	}
	find := func(_, handle []byte) (webauthn.User, error) {
		if string(handle) != string(who.WebAuthnID()) {
			return nil, ErrPasskey
		}
		return who, nil
	}
	key, err := a.keys.web.ValidateDiscoverableLogin(find, data, parsed)
	if err != nil {
		return nil, refusal(err)
	}
	if key.Authenticator.CloneWarning {
		a.cfg.Log.WarnContext(ctx, "a passkey counts backwards: there may be a copy of it", "person", p.ID)
		return nil, fmt.Errorf("%w: there may be a copy of it; sign in with your password and remove it", ErrPasskey)
	}
	if err := a.keys.spend(data.Challenge, a.cfg.Now()); err != nil {
		return nil, err
	}
	record, err := json.Marshal(key)
	if err != nil {
		return nil, fmt.Errorf("passkey: %w", err)
	}
	return record, nil
}

// refusal keeps what the library says for the log, and tells the person one thing.
func refusal(err error) error {
	var said *protocol.Error
	if errors.As(err, &said) {
		err = fmt.Errorf("%s %s", said.Details, said.DevInfo)
	}
	return fmt.Errorf("%w: %w", ErrPasskey, err)
}
