package seal

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
)

// Errors that callers tell apart.
var (
	// ErrTooLarge: the input is above the limit of its kind and was not parsed.
	ErrTooLarge = errors.New("larger than its kind allows")
	// ErrForm: the input is not an envelope in its one encoding.
	ErrForm = errors.New("not a sealed document")
	// ErrKind: the envelope was sealed as another kind.
	ErrKind = errors.New("sealed as another kind")
	// ErrSignature: at least one signature is not valid.
	ErrSignature = errors.New("a signature is not valid")
	// ErrUnknownSigner: a signature names a key that is not held here.
	ErrUnknownSigner = errors.New("signed by a key that is not known here")
	// ErrRight: a signer had no right to the area, class, act or time.
	ErrRight = errors.New("a signer had no right to this")
	// ErrThreshold: too few different people signed.
	ErrThreshold = errors.New("too few different people signed")
	// ErrRevoked: a signer's certificate was revoked.
	ErrRevoked = errors.New("signed with a revoked certificate")
	// ErrElsewhere: the document names no area that is known here.
	ErrElsewhere = errors.New("meant for another area")
)

// Signer is a private key under the name that verifiers know it by: the kid of
// its certificate, or the id of a bare key.
type Signer struct {
	KID broadcast.Digest
	Key ed25519.PrivateKey
}

// Seal encodes a document and signs the bytes once for every signer.
func Seal(kind broadcast.Kind, doc broadcast.Validator, signers ...Signer) (broadcast.Envelope, error) {
	if err := doc.Validate(); err != nil {
		return broadcast.Envelope{}, fmt.Errorf("seal %s: %w", kind, err)
	}
	payload, err := broadcast.Encode(doc)
	if err != nil {
		return broadcast.Envelope{}, fmt.Errorf("seal %s: %w", kind, err)
	}
	env := broadcast.Envelope{Payload: base64.RawURLEncoding.EncodeToString(payload)}
	for _, s := range signers {
		if env, err = Cosign(kind, env, s); err != nil {
			return broadcast.Envelope{}, err
		}
	}
	return env, nil
}

// Cosign adds one more signature over the same payload bytes.
func Cosign(kind broadcast.Kind, env broadcast.Envelope, s Signer) (broadcast.Envelope, error) {
	if len(env.Signatures) >= broadcast.MaxSignatures {
		return env, fmt.Errorf("cosign %s: already %d signatures", kind, len(env.Signatures))
	}
	header, err := broadcast.Encode(broadcast.Protected{Alg: "EdDSA", KID: s.KID, Typ: kind.Typ()})
	if err != nil {
		return env, fmt.Errorf("cosign %s: %w", kind, err)
	}
	protected := base64.RawURLEncoding.EncodeToString(header)
	sig := ed25519.Sign(s.Key, []byte(protected+"."+env.Payload))
	list := append([]broadcast.Signature{}, env.Signatures...)
	env.Signatures = append(list, broadcast.Signature{Protected: protected, Signature: base64.RawURLEncoding.EncodeToString(sig)})
	return env, nil
}

// Bytes returns an envelope as it travels, refusing one above its kind's limit.
func Bytes(kind broadcast.Kind, env broadcast.Envelope) ([]byte, error) {
	b, err := broadcast.Encode(env)
	if err != nil {
		return nil, err
	}
	if len(b) > kind.Limit() {
		return nil, fmt.Errorf("%s of %d bytes, at most %d: %w", kind, len(b), kind.Limit(), ErrTooLarge)
	}
	return b, nil
}

// Parse reads an envelope of one kind. It believes nothing yet: it only says
// that the input has one reading and claims to be that kind throughout.
func Parse(kind broadcast.Kind, raw []byte) (broadcast.Envelope, error) {
	if len(raw) > kind.Limit() {
		return broadcast.Envelope{}, fmt.Errorf("%d bytes, at most %d: %w", len(raw), kind.Limit(), ErrTooLarge)
	}
	env, err := broadcast.Decode[broadcast.Envelope](raw)
	if err != nil {
		return env, fmt.Errorf("%w: %w", ErrForm, err)
	}
	_, err = headers(kind, env)
	return env, err
}

func headers(kind broadcast.Kind, env broadcast.Envelope) ([]broadcast.Protected, error) {
	var out []broadcast.Protected
	for _, s := range env.Signatures {
		b, err := base64.RawURLEncoding.Strict().DecodeString(s.Protected)
		if err != nil {
			return nil, fmt.Errorf("%w: protected header is not base64url", ErrForm)
		}
		h, err := broadcast.Decode[broadcast.Protected](b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrForm, err)
		}
		if h.Typ != kind.Typ() {
			return nil, fmt.Errorf("%w: asked for %s, found %s", ErrKind, kind.Typ(), h.Typ)
		}
		out = append(out, h)
	}
	return out, nil
}

// checkSignature says whether signature i of the envelope was made with a key.
func checkSignature(env broadcast.Envelope, i int, key broadcast.Key) error {
	public, err := broadcast.ParseKey(string(key))
	if err != nil {
		return err
	}
	s := env.Signatures[i]
	sig, err := base64.RawURLEncoding.Strict().DecodeString(s.Signature)
	if err != nil {
		return fmt.Errorf("%w: not base64url", ErrForm)
	}
	if !ed25519.Verify(public, []byte(s.Protected+"."+env.Payload), sig) {
		return fmt.Errorf("signature %d: %w", i+1, ErrSignature)
	}
	return nil
}

// OpenWithKey opens a document that one bare key must have signed alone: a
// node's receipts, with the key confirmed on site.
func OpenWithKey[T broadcast.Validator](kind broadcast.Kind, raw []byte, key broadcast.Key) (T, error) {
	var none T
	env, err := Parse(kind, raw)
	if err != nil {
		return none, err
	}
	hs, err := headers(kind, env)
	if err != nil {
		return none, err
	}
	id, err := key.ID()
	if err != nil {
		return none, err
	}
	if len(hs) != 1 || hs[0].KID != id {
		return none, fmt.Errorf("open %s: %w", kind, ErrUnknownSigner)
	}
	if err := checkSignature(env, 0, key); err != nil {
		return none, fmt.Errorf("open %s: %w", kind, err)
	}
	return decodePayload[T](kind, env)
}

func decodePayload[T broadcast.Validator](kind broadcast.Kind, env broadcast.Envelope) (T, error) {
	var none T
	payload, err := env.PayloadBytes()
	if err != nil {
		return none, fmt.Errorf("open %s: %w: %w", kind, ErrForm, err)
	}
	doc, err := broadcast.Decode[T](payload)
	if err != nil {
		return none, fmt.Errorf("open %s: %w: %w", kind, ErrForm, err)
	}
	return doc, nil
}

// Peek returns the kind that an envelope claims, without believing it, so that
// a reader of mixed documents knows as what to open it.
func Peek(raw []byte) (broadcast.Kind, error) {
	if len(raw) > maxLimit {
		return "", fmt.Errorf("%d bytes: %w", len(raw), ErrTooLarge)
	}
	env, err := broadcast.Decode[broadcast.Envelope](raw)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrForm, err)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(env.Signatures[0].Protected)
	if err != nil {
		return "", fmt.Errorf("%w: protected header is not base64url", ErrForm)
	}
	h, err := broadcast.Decode[broadcast.Protected](b)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrForm, err)
	}
	return broadcast.KindOfTyp(h.Typ)
}

// maxLimit is the largest limit of any kind.
const maxLimit = 256 << 10
