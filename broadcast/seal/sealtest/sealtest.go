// Package sealtest makes whole authorities for tests: a root, a service key and
// officers with certificates, all from names, so that every run signs the same
// bytes. Nothing in it may guard a real loudspeaker: the keys are known to all.
package sealtest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
)

// House is an authority over one top area.
type House struct {
	Root    broadcast.Envelope
	Pin     broadcast.Digest
	RootKey seal.Signer
	// Service is the controller's online key.
	Service seal.Signer
	// Certs has the envelope of every certificate made so far.
	Certs []broadcast.Envelope
	Top   broadcast.ID
	From  broadcast.Instant
}

// Key returns the private key that belongs to a name.
func Key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("loaxa test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Public returns the public key that belongs to a name.
func Public(name string) broadcast.Key {
	return broadcast.KeyOf(Key(name).Public().(ed25519.PublicKey))
}

// Bare returns a signer without certificate: a root's or a node's own key.
func Bare(name string) seal.Signer {
	id, err := Public(name).ID()
	if err != nil {
		panic(err)
	}
	return seal.Signer{KID: id, Key: Key(name)}
}

// NewHouse makes an authority over a top area, valid around a moment.
func NewHouse(top broadcast.ID, now broadcast.Instant, demo bool) *House {
	h := &House{RootKey: Bare("root"), Top: top, From: now.Add(-time.Hour)}
	root := broadcast.Root{Version: 1, Threshold: 1, Keys: []broadcast.Key{Public("root")}, Demo: demo}
	h.Root = must(seal.Seal(broadcast.KindRoot, root, h.RootKey))
	payload, err := h.Root.PayloadBytes()
	if err != nil {
		panic(err)
	}
	h.Pin = broadcast.Sum(payload)
	h.Service = h.Certify(broadcast.Certificate{Person: "service", Level: broadcast.Province,
		Areas: []broadcast.ID{top}, Acts: broadcast.ServiceActs(), Epoch: 1})
	return h
}

// Certify has the root sign a certificate. Key, dates and custody are filled in
// from the person's name where they are missing.
func (h *House) Certify(c broadcast.Certificate) seal.Signer { return h.CertifyBy(h.RootKey, c) }

// CertifyBy has somebody sign a certificate, whether he may or not.
func (h *House) CertifyBy(by seal.Signer, c broadcast.Certificate) seal.Signer {
	if c.Key == "" {
		c.Key = Public(string(c.Person))
	}
	if c.From == 0 {
		c.From = h.From
	}
	if c.Until == 0 {
		c.Until = h.From.Add(min(c.Life(), 80*24*time.Hour))
	}
	if c.Custody == "" {
		c.Custody = broadcast.CustodyController
	}
	h.Certs = append(h.Certs, must(seal.Seal(broadcast.KindCertificate, c, by)))
	kid, err := seal.KID(c)
	if err != nil {
		panic(err)
	}
	return seal.Signer{KID: kid, Key: Key(string(c.Person))}
}

// Officer has the root certify a person with every act of people, in every
// class, over the given areas.
func (h *House) Officer(person broadcast.ID, level broadcast.Level, areas ...broadcast.ID) seal.Signer {
	return h.Certify(broadcast.Certificate{Person: person, Level: level, Areas: areas, Classes: broadcast.Classes(),
		Acts: []broadcast.Act{broadcast.ActAnnounce, broadcast.ActApprove, broadcast.ActSilence, broadcast.ActWithdraw,
			broadcast.ActPolicy, broadcast.ActAssign, broadcast.ActCommand, broadcast.ActDelegate}})
}

// Keyring returns a keyring that believes the house, with all certificates made
// so far as seen from a place.
func (h *House) Keyring(places seal.Places) *seal.Keyring {
	k, err := seal.NewKeyring(h.Pin, []broadcast.Envelope{h.Root}, true)
	if err != nil {
		panic(err)
	}
	if err := k.Learn(h.Certs, nil, places); err != nil {
		panic(err)
	}
	return k
}

// Belief is a keyring to be lent: what the house's certificates are believed
// to say when it is asked for, as seen from a place.
type Belief struct {
	House  *House
	Places seal.Places
}

// Ring returns a new keyring.
func (b Belief) Ring(context.Context) (*seal.Keyring, error) { return b.House.Keyring(b.Places), nil }

// Sealed returns a document as it travels, sealed by the signers.
func Sealed(kind broadcast.Kind, doc broadcast.Validator, signers ...seal.Signer) []byte {
	b, err := seal.Bytes(kind, must(seal.Seal(kind, doc, signers...)))
	if err != nil {
		panic(err)
	}
	return b
}

// Announcement returns a complete emergency that starts at a moment.
func Announcement(id broadcast.ID, at broadcast.Instant, areas ...broadcast.ID) broadcast.Announcement {
	return broadcast.Announcement{ID: id, Revision: broadcast.Revision(at), Class: broadcast.Emergency,
		Title: "Lũ quét trên sông Lô", Areas: areas,
		Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: broadcast.Sum([]byte(id)), Millis: 4000, Bytes: 30000}}},
		Timing:   broadcast.Timing{Mode: broadcast.ModeNow, Start: at.Add(3 * time.Second)},
		Meta:     broadcast.Sum([]byte("{}"))}
}

func must(env broadcast.Envelope, err error) broadcast.Envelope {
	if err != nil {
		panic(fmt.Sprintf("sealtest: %v", err))
	}
	return env
}
