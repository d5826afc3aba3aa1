package accounts

import (
	"errors"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/loaxa/loaxa/broadcast"
)

// FuzzAnswers sends what no device said: it is refused, and nothing breaks.
func FuzzAnswers(f *testing.F) {
	keys, err := newCeremonies("https://loa.example.vn")
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	asked, data, err := keys.web.BeginDiscoverableLogin()
	if err != nil {
		f.Fatal(err)
	}
	state, err := keys.ask(question{At: broadcast.InstantOf(now), Data: *data})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state, []byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA","userHandle":"AA"}}`))
	f.Add(asked.Response.Challenge.String(), []byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"o2NmbXQ"}}`))
	f.Add("", []byte(`{`))
	f.Fuzz(func(t *testing.T, said string, answer []byte) {
		if _, err := keys.asked(said, "", now); (err == nil) != (said == state) || err != nil && !errors.Is(err, ErrPasskey) {
			t.Errorf("the state %q: %v", said, err)
		}
		if parsed, err := protocol.ParseCredentialRequestResponseBytes(answer); err == nil {
			nobody := func(_, _ []byte) (webauthn.User, error) { return owner{id: "an"}, nil }
			if _, err := keys.web.ValidateDiscoverableLogin(nobody, *data, parsed); err == nil {
				t.Errorf("an answer that no device gave lets in: %q", answer)
			}
		}
		if parsed, err := protocol.ParseCredentialCreationResponseBytes(answer); err == nil {
			if _, err := keys.web.CreateCredential(owner{id: "an"}, *data, parsed); err == nil {
				t.Errorf("a device that nobody asked is taken: %q", answer)
			}
		}
	})
}
