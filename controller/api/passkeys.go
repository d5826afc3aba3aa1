package api

import (
	"context"
	"encoding/json"

	"github.com/loaxa/loaxa/controller/accounts"
)

// Passkey is a device that lets its owner in.
type Passkey struct {
	ID      string `json:"id"`
	Name    string `json:"name" doc:"What its owner calls it"`
	Created string `json:"created" format:"date-time"`
	Used    string `json:"used,omitempty" format:"date-time" doc:"When it last let its owner in"`
}

// Challenge is what a browser hands to its device.
type Challenge struct {
	State   string          `json:"state" doc:"Send it back with the answer, within five minutes"`
	Options json.RawMessage `json:"options" doc:"For parseCreationOptionsFromJSON or parseRequestOptionsFromJSON of the browser (W3C Web Authentication 3)"`
}

// DeviceAnswer is what a device said to a challenge.
type DeviceAnswer struct {
	State string `json:"state" minLength:"1" maxLength:"8000"`
	// Credential is text, because its names are the browser's and not ours.
	Credential string `json:"credential" minLength:"1" maxLength:"32000" doc:"The browser's PublicKeyCredential as JSON text (toJSON, then stringify)"`
}

// NewPasskey is the answer of a device that made one.
type NewPasskey struct {
	DeviceAnswer
	Name string `json:"name" minLength:"1" maxLength:"100" doc:"What to call the device"`
}

// PasskeyName is what to call a device.
type PasskeyName struct {
	Name string `json:"name" minLength:"1" maxLength:"100"`
}

// Knowing is somebody who is signed in and says the password once more.
type Knowing struct {
	Password string `json:"password" minLength:"1" maxLength:"1000"`
}

type challengeAnswer struct{ Body Challenge }

type knowingInput struct{ Body Knowing }

type deviceInput struct{ Body DeviceAnswer }

type newPasskeyInput struct{ Body NewPasskey }

type passkeyAnswer struct{ Body Passkey }

type passkeysAnswer struct {
	Body struct {
		Passkeys []Passkey `json:"passkeys" nullable:"false" doc:"Oldest first"`
	}
}

type passkeyPath struct {
	ID string `path:"id" pattern:"^[A-Za-z0-9_-]+$" maxLength:"1400"`
}

type passkeyNameInput struct {
	ID   string `path:"id" pattern:"^[A-Za-z0-9_-]+$" maxLength:"1400"`
	Body PasskeyName
}

func (s *server) passkeys(r *registry) {
	on(r, "ask-passkey", s.askPasskey)
	on(r, "sign-in-passkey", s.signInPasskey)
	on(r, "list-passkeys", s.listPasskeys)
	on(r, "offer-passkey", s.offerPasskey)
	on(r, "add-passkey", s.addPasskey)
	on(r, "name-passkey", s.namePasskey)
	on(r, "drop-passkey", s.dropPasskey)
}

func (s *server) askPasskey(context.Context, *struct{}) (*challengeAnswer, error) {
	c, err := s.cfg.Accounts.AskPasskey()
	return &challengeAnswer{Body: Challenge(c)}, err
}

func (s *server) signInPasskey(ctx context.Context, in *deviceInput) (*enteredAnswer, error) {
	from := callerOf(ctx).visit
	e, err := s.cfg.Accounts.EnterPasskey(ctx, in.Body.State, []byte(in.Body.Credential), from.Visit)
	return s.entered(ctx, e, from, err)
}

func (s *server) listPasskeys(ctx context.Context, _ *struct{}) (*passkeysAnswer, error) {
	list, err := s.cfg.Accounts.Passkeys(ctx, callerOf(ctx).Person.ID)
	out := &passkeysAnswer{}
	out.Body.Passkeys = []Passkey{}
	for _, k := range list {
		out.Body.Passkeys = append(out.Body.Passkeys, passkeyOf(k))
	}
	return out, err
}

func passkeyOf(k accounts.Passkey) Passkey {
	return Passkey{ID: k.ID, Name: k.Name, Created: moment(k.Created), Used: moment(k.Used)}
}

func (s *server) offerPasskey(ctx context.Context, in *knowingInput) (*challengeAnswer, error) {
	c, err := inSession(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := s.cfg.Accounts.OfferPasskey(ctx, c.session, in.Body.Password)
	return &challengeAnswer{Body: Challenge(asked)}, err
}

func (s *server) addPasskey(ctx context.Context, in *newPasskeyInput) (*passkeyAnswer, error) {
	c, err := inSession(ctx)
	if err != nil {
		return nil, err
	}
	k, err := s.cfg.Accounts.AddPasskey(ctx, c.session, in.Body.Name, in.Body.State, []byte(in.Body.Credential))
	return &passkeyAnswer{Body: passkeyOf(k)}, err
}

func (s *server) namePasskey(ctx context.Context, in *passkeyNameInput) (*struct{}, error) {
	c, err := inSession(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.cfg.Accounts.NamePasskey(ctx, c.session, in.ID, in.Body.Name)
}

func (s *server) dropPasskey(ctx context.Context, in *passkeyPath) (*struct{}, error) {
	c, err := inSession(ctx)
	if err != nil {
		return nil, err
	}
	return nil, s.cfg.Accounts.DropPasskey(ctx, c.session, in.ID)
}
