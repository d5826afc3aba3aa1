// Package accountstest has a device that makes passkeys, as a browser would speak
// for it.
//
// It promises: an Authenticator signs what a right one would sign (W3C Web
// Authentication 3, sections 6.1 and 6.5), and with the fields of a Lie set, what
// a wrong one would.
package accountstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// Flags of authenticator data.
const (
	present  = 1 << 0
	verified = 1 << 2
	attested = 1 << 6
)

// Lie is what a wrong device, or a wrong page, makes different.
type Lie struct {
	// Origin is that of the page that really asked.
	Origin string
	// Unverified leaves out that the owner was recognised.
	Unverified bool
	// Backwards has the counter go back to 1.
	Backwards bool
	// Handle is another owner's.
	Handle []byte
	// Forged spoils the signature.
	Forged bool
}

// Authenticator is a device with one passkey.
type Authenticator struct {
	Origin string

	id, handle []byte
	key        *ecdsa.PrivateKey
	count      uint32
}

// New returns a device whose browser stands at an origin.
func New(origin string) *Authenticator { return &Authenticator{Origin: origin} }

// options are the fields of both kinds of options that a device looks at.
type options struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"`
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
}

// Make makes a passkey and returns the answer of the browser.
func (a *Authenticator) Make(opt json.RawMessage, lie Lie) ([]byte, error) {
	var o options
	if err := json.Unmarshal(opt, &o); err != nil {
		return nil, fmt.Errorf("options: %w", err)
	}
	var err error
	if a.handle, err = base64.RawURLEncoding.DecodeString(o.User.ID); err != nil {
		return nil, fmt.Errorf("handle: %w", err)
	}
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	a.id = make([]byte, 16)
	_, _ = rand.Read(a.id) // the source never fails
	public, err := a.key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	cose, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: public[1:33], -3: public[33:]}) // RFC 9053: EC2, ES256, P-256
	if err != nil {
		return nil, err
	}
	data := a.data(o.RP.ID, lie, attested)
	data = append(data, make([]byte, 16)...) // a maker that does not name itself
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(append(data, a.id...), cose...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		return nil, err
	}
	return a.answer(map[string]any{"clientDataJSON": a.client("webauthn.create", o.Challenge, lie), "attestationObject": text(object)})
}

// Sign answers the question who it is.
func (a *Authenticator) Sign(opt json.RawMessage, lie Lie) ([]byte, error) {
	var o options
	if err := json.Unmarshal(opt, &o); err != nil {
		return nil, fmt.Errorf("options: %w", err)
	}
	data, client := a.data(o.RPID, lie, 0), a.client("webauthn.get", o.Challenge, lie)
	said, err := base64.RawURLEncoding.DecodeString(client)
	if err != nil {
		return nil, err
	}
	of := sha256.Sum256(said)
	sum := sha256.Sum256(append(append([]byte{}, data...), of[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, sum[:])
	if err != nil {
		return nil, err
	}
	if lie.Forged {
		signature[len(signature)-1] ^= 1
	}
	handle := a.handle
	if lie.Handle != nil {
		handle = lie.Handle
	}
	return a.answer(map[string]any{"clientDataJSON": client, "authenticatorData": text(data), "signature": text(signature), "userHandle": text(handle)})
}

// data is authenticator data; the counter goes up each time.
func (a *Authenticator) data(site string, lie Lie, more byte) []byte {
	if a.count++; lie.Backwards {
		a.count = 1
	}
	flags := present | verified | more
	if lie.Unverified {
		flags &^= verified
	}
	of := sha256.Sum256([]byte(site))
	return binary.BigEndian.AppendUint32(append(of[:], flags), a.count)
}

// client is what the browser adds.
func (a *Authenticator) client(kind, challenge string, lie Lie) string {
	origin := a.Origin
	if lie.Origin != "" {
		origin = lie.Origin
	}
	b, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false}) // strings always encode
	return text(b)
}

func (a *Authenticator) answer(response map[string]any) ([]byte, error) {
	return json.Marshal(map[string]any{"id": text(a.id), "rawId": text(a.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
