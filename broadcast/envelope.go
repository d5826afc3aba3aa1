package broadcast

import (
	"errors"
	"fmt"
)

// MaxSignatures is how many signatures one envelope may carry.
const MaxSignatures = 4

// Envelope is a sealed document as it travels: a JWS in general JSON
// serialisation (RFC 7515 section 7.2.1) without any unprotected header. All
// parts are base64url without padding.
type Envelope struct {
	Payload    string      `json:"payload"`
	Signatures []Signature `json:"signatures"`
}

// Signature is one signature over the protected header and the payload.
type Signature struct {
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// Protected is the only header: exactly these three fields.
type Protected struct {
	Alg string `json:"alg"`
	KID Digest `json:"kid"`
	Typ string `json:"typ"`
}

// Validate refuses header values that this version does not know. The names
// ES256 and webauthn are reserved for keys that cannot sign with Ed25519.
func (p Protected) Validate() error {
	if p.Alg != "EdDSA" {
		return fmt.Errorf("alg %q: only EdDSA (RFC 8037) is accepted", p.Alg)
	}
	if err := p.KID.Validate(); err != nil {
		return fmt.Errorf("kid: %w", err)
	}
	_, err := KindOfTyp(p.Typ)
	return err
}

// Validate refuses envelopes without payload, without signatures, or with more
// than MaxSignatures of them, and parts with a second spelling: no signature
// covers a signature, so a carrier could otherwise rename what it carries.
func (e Envelope) Validate() error {
	if e.Payload == "" {
		return errors.New("payload: empty")
	}
	if len(e.Signatures) == 0 || len(e.Signatures) > MaxSignatures {
		return fmt.Errorf("signatures: %d, allowed are 1 to %d", len(e.Signatures), MaxSignatures)
	}
	for i, s := range e.Signatures {
		if s.Protected == "" || s.Signature == "" {
			return fmt.Errorf("signature %d: incomplete", i)
		}
		for _, part := range []string{s.Protected, s.Signature} {
			if _, err := base64URL(part); err != nil {
				return fmt.Errorf("signature %d: %w", i, err)
			}
		}
	}
	_, err := e.PayloadBytes()
	return err
}

// PayloadBytes returns the exact bytes that were signed.
func (e Envelope) PayloadBytes() ([]byte, error) {
	b, err := base64URL(e.Payload)
	if err != nil {
		return nil, fmt.Errorf("payload is not base64url: %w", err)
	}
	return b, nil
}

// PayloadDigest names what was signed, whoever signed it: two envelopes of one
// document have it in common, and receipts carry it.
func (e Envelope) PayloadDigest() (Digest, error) {
	b, err := e.PayloadBytes()
	if err != nil {
		return "", err
	}
	return Sum(b), nil
}

// Signers names the certificates, or bare keys, whose signatures the envelope
// claims to carry; only package seal proves it.
func (e Envelope) Signers() ([]Digest, error) {
	var out []Digest
	for i, s := range e.Signatures {
		b, err := base64URL(s.Protected)
		if err != nil {
			return nil, fmt.Errorf("signature %d: %w", i, err)
		}
		p, err := Decode[Protected](b)
		if err != nil {
			return nil, fmt.Errorf("signature %d: %w", i, err)
		}
		out = append(out, p.KID)
	}
	return out, nil
}

// Digest names the envelope by the SHA-256 of its canonical encoding. This is
// the hash that manifests list and that GET /document/<sha256> answers to.
func (e Envelope) Digest() (Digest, error) {
	b, err := Encode(e)
	if err != nil {
		return "", err
	}
	return Sum(b), nil
}
