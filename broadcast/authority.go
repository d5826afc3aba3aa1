package broadcast

import (
	"errors"
	"fmt"
	"time"
)

// Act is what a certificate allows its key to do.
type Act string

// The acts.
const (
	ActAnnounce Act = "announce"
	ActApprove  Act = "approve"
	ActSilence  Act = "silence"
	ActWithdraw Act = "withdraw"
	ActPolicy   Act = "policy"
	ActAssign   Act = "assign"
	ActCommand  Act = "command"
	ActDelegate Act = "delegate"
	ActManifest Act = "manifest"
	ActTime     Act = "time"
	ActRelay    Act = "relay"
)

// Acts returns every act.
func Acts() []Act {
	return []Act{ActAnnounce, ActApprove, ActSilence, ActWithdraw, ActPolicy, ActAssign,
		ActCommand, ActDelegate, ActManifest, ActTime, ActRelay}
}

// ServiceActs returns the only acts that the controller's online key may have.
func ServiceActs() []Act { return []Act{ActManifest, ActTime, ActRelay} }

// Validate refuses unknown acts.
func (a Act) Validate() error {
	for _, known := range Acts() {
		if a == known {
			return nil
		}
	}
	return fmt.Errorf("act %q does not exist", string(a))
}

// Limits of certificates.
const (
	MaxCertificateLife = 396 * 24 * time.Hour // 13 months
	MaxEmergencyLife   = 90 * 24 * time.Hour  // for rights to emergencies
	MaxCertificates    = 400
	MaxRevocations     = 400
)

// Root lists the keys that all authority comes from. The fingerprint of
// version 1 is the digest of its payload; cards pin it, nothing fetches it.
type Root struct {
	Version int64 `json:"version"`
	// Threshold is how many of Keys must sign what the root signs.
	Threshold int64 `json:"threshold"`
	Keys      []Key `json:"keys"`
	// Demo marks a root for training; a real node refuses it.
	Demo bool `json:"demo,omitempty"`
}

// Validate refuses repeated keys and thresholds that cannot be met.
func (r Root) Validate() error {
	return firstOf(check{"version", within(r.Version, 1, 1<<31)}, check{"keys", distinct(r.Keys, 1, MaxSignatures)},
		check{"threshold", within(r.Threshold, 1, int64(len(r.Keys)))})
}

// Certificate gives a person's key its rights. Only a key with the act
// delegate, or the root, signs one; a child's rights lie inside its parent's.
type Certificate struct {
	Person ID  `json:"person"`
	Key    Key `json:"key"`
	// Level decides between items of one class; it is not below the areas'.
	Level   Level   `json:"level"`
	Areas   []ID    `json:"areas"`
	Classes []Class `json:"classes,omitempty"`
	Acts    []Act   `json:"acts"`
	From    Instant `json:"from"`
	Until   Instant `json:"until"`
	Custody Custody `json:"custody"`
	// Epoch is for service keys only: a higher one resets the floor of
	// revisions that nodes hold the service to.
	Epoch int64 `json:"epoch,omitempty"`
}

// Service says whether the certificate is that of a controller's online key.
func (c Certificate) Service() bool { return c.Epoch > 0 }

// Life is the longest that a certificate with such rights may last.
func (c Certificate) Life() time.Duration {
	for _, class := range c.Classes {
		if class == Emergency && !c.Service() {
			return MaxEmergencyLife
		}
	}
	return MaxCertificateLife
}

// Validate says whether the certificate is complete and inside its limits.
func (c Certificate) Validate() error {
	if c.Until <= c.From || c.Until.Sub(c.From) > c.Life() {
		return errors.New("until: rights to emergencies last at most 90 days, others 13 months")
	}
	if err := firstOf(check{"person", c.Person.Validate()}, check{"key", c.Key.Validate()},
		check{"level", c.Level.Validate()}, check{"areas", distinct(c.Areas, 1, MaxAreas)},
		check{"classes", distinct(c.Classes, 0, 3)}, check{"acts", distinct(c.Acts, 1, len(Acts()))},
		check{"custody", c.Custody.Validate()}, check{"epoch", within(c.Epoch, 0, 1<<31)}); err != nil {
		return err
	}
	for _, a := range c.Acts {
		service := a == ActManifest || a == ActTime || a == ActRelay
		if service != c.Service() {
			return fmt.Errorf("acts: %s belongs to %s keys", a, map[bool]string{true: "service", false: "people's"}[service])
		}
	}
	return nil
}

// Authority is what the nodes of an area need to judge signatures: every
// certificate as its own envelope, and the revocations.
type Authority struct {
	Area     ID       `json:"area"`
	Revision Revision `json:"revision"`
	// Roots holds every version of the root document, from 1 on.
	Roots        []Envelope   `json:"roots"`
	Certificates []Envelope   `json:"certificates,omitempty"`
	Revocations  []Revocation `json:"revocations,omitempty"`
}

// RevocationMode says what a revocation does to earlier signatures.
type RevocationMode string

// The modes of revocation.
const (
	Retired     RevocationMode = "retired"     // from At on; earlier signatures stay good
	Compromised RevocationMode = "compromised" // everything since At is void at once
)

// Revocation ends the rights of one certificate.
type Revocation struct {
	KID  Digest         `json:"kid"`
	Mode RevocationMode `json:"mode"`
	At   Instant        `json:"at"`
}

// Validate says whether the bundle is complete and bounded; whether its parts
// may be believed is for package seal to say.
func (a Authority) Validate() error {
	if len(a.Roots) == 0 || len(a.Roots) > 32 || len(a.Certificates) > MaxCertificates || len(a.Revocations) > MaxRevocations {
		return errors.New("roots, certificates or revocations: too many or none")
	}
	for _, list := range [][]Envelope{a.Roots, a.Certificates} {
		for _, e := range list {
			if err := e.Validate(); err != nil {
				return err
			}
		}
	}
	for _, r := range a.Revocations {
		if r.Mode != Retired && r.Mode != Compromised {
			return fmt.Errorf("revocations: mode %q: use retired or compromised", string(r.Mode))
		}
		if err := firstOf(check{"revocations", r.KID.Validate()}, check{"revocations", within(int64(r.At), 1, int64(maxInstant))}); err != nil {
			return err
		}
	}
	return firstOf(check{"area", a.Area.Validate()}, check{"revision", a.Revision.Validate()})
}
