package accounts

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/loaxa/loaxa/broadcast"
)

// ceremonyLife is how long somebody may take to touch a device.
const ceremonyLife = 5 * time.Minute

// ceremonies asks devices and checks their answers. What was asked travels with
// the browser, sealed under a key that only this process knows: strangers who ask
// and never answer cost no memory.
type ceremonies struct {
	web  *webauthn.WebAuthn
	seal cipher.AEAD

	mu sync.Mutex
	// spent are the questions that were answered rightly, until they are too old.
	spent map[string]time.Time
}

// question is what a device was asked.
type question struct {
	// For is the session that adds a passkey; empty for somebody at the door.
	For  broadcast.Digest     `json:"for"`
	At   broadcast.Instant    `json:"at"`
	Data webauthn.SessionData `json:"data"`
}

// newCeremonies returns those of a site, or why it can have none.
func newCeremonies(site string) (*ceremonies, error) {
	origin, err := originOf(site)
	if err != nil {
		return nil, err
	}
	web, err := webauthn.New(&webauthn.Config{RPID: origin.Hostname(), RPDisplayName: "Loaxa", RPOrigins: []string{origin.String()},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil, fmt.Errorf("passkeys at %s: %w", site, err)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // the source never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	box, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &ceremonies{web: web, seal: box, spent: map[string]time.Time{}}, nil
}

// originOf is the origin that browsers name. They offer passkeys only over TLS, or
// on the machine itself, and to names, not to numbers.
func originOf(site string) (*url.URL, error) {
	if site == "" {
		return nil, ErrNoSite
	}
	u, err := url.Parse(site)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoSite, err)
	}
	name := strings.ToLower(u.Hostname())
	local := name == "localhost" || strings.HasSuffix(name, ".localhost")
	switch {
	case name == "" || net.ParseIP(name) != nil:
		return nil, fmt.Errorf("%w: %q is no name", ErrNoSite, u.Hostname())
	case u.Scheme != "https" && (u.Scheme != "http" || !local):
		return nil, fmt.Errorf("%w: %s is not encrypted", ErrNoSite, site)
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}, nil
}

// ask seals a question for the browser.
func (c *ceremonies) ask(q question) (string, error) {
	b, err := json.Marshal(q)
	if err != nil {
		return "", fmt.Errorf("passkey: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(c.seal.Seal(nil, nil, b, nil)), nil
}

// asked opens a question that comes back, unless it is too old or was for
// somebody else.
func (c *ceremonies) asked(state string, of broadcast.Digest, now time.Time) (webauthn.SessionData, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(state)
	if err != nil {
		return webauthn.SessionData{}, errors.Join(ErrPasskey, err)
	}
	b, err := c.seal.Open(nil, nil, sealed, nil)
	if err != nil {
		return webauthn.SessionData{}, fmt.Errorf("%w: it answers a question that was not asked here; begin again", ErrPasskey)
	}
	var q question
	if err := json.Unmarshal(b, &q); err != nil {
		return webauthn.SessionData{}, errors.Join(ErrPasskey, err)
	}
	if age := now.Sub(q.At.Time()); age < 0 || age > ceremonyLife || q.For != of {
		return webauthn.SessionData{}, fmt.Errorf("%w: more than five minutes passed, or another session asked; begin again", ErrPasskey)
	}
	return q.Data, nil
}

// spend uses a question up, and forgets those that are too old to be asked again.
func (c *ceremonies) spend(challenge string, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for old, at := range c.spent {
		if now.Sub(at) > 2*ceremonyLife {
			delete(c.spent, old)
		}
	}
	if _, used := c.spent[challenge]; used {
		return fmt.Errorf("%w: this answer was used already; begin again", ErrPasskey)
	}
	c.spent[challenge] = now
	return nil
}
