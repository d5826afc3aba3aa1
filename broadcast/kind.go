package broadcast

import (
	"fmt"
	"strings"
)

// Kind is what a sealed document is. A verifier always asks for exactly one.
type Kind string

// The kinds of sealed documents.
const (
	KindAnnouncement Kind = "announcement"
	KindDrill        Kind = "drill"
	KindTemplate     Kind = "template"
	KindWithdrawal   Kind = "withdrawal"
	KindSilence      Kind = "silence"
	KindPolicy       Kind = "policy"
	KindPlacement    Kind = "placement"
	KindSlot         Kind = "slot"
	KindAssignment   Kind = "assignment"
	KindCommand      Kind = "command"
	KindManifest     Kind = "manifest"
	KindAuthority    Kind = "authority"
	KindCertificate  Kind = "certificate"
	KindRoot         Kind = "root"
	KindRebase       Kind = "rebase"
	KindTime         Kind = "time"
	KindReceipts     Kind = "receipts"
	KindAck          Kind = "ack"
	KindSession      Kind = "session"
)

// Kinds returns every kind.
func Kinds() []Kind {
	return []Kind{KindAnnouncement, KindDrill, KindTemplate, KindWithdrawal, KindSilence,
		KindPolicy, KindPlacement, KindSlot, KindAssignment, KindCommand, KindManifest,
		KindAuthority, KindCertificate, KindRoot, KindRebase, KindTime, KindReceipts, KindAck, KindSession}
}

// Limit is the largest envelope of the kind in bytes, checked before parsing.
func (k Kind) Limit() int {
	switch k {
	case KindAnnouncement, KindDrill:
		return 2 << 10
	case KindManifest, KindAuthority:
		return 256 << 10
	case KindReceipts:
		return 64 << 10
	case KindPolicy, KindTemplate, KindPlacement, KindAssignment, KindRoot:
		return 16 << 10
	}
	return 4 << 10
}

// Typ is the value of the protected header that names the kind and its version.
func (k Kind) Typ() string { return "loaxa/" + string(k) + ".v1" }

// Validate refuses kinds that do not exist.
func (k Kind) Validate() error {
	for _, known := range Kinds() {
		if k == known {
			return nil
		}
	}
	return fmt.Errorf("kind %q does not exist", string(k))
}

// KindOfTyp returns the kind of a protected header's typ. A later version of a
// kind is an error that says so.
func KindOfTyp(typ string) (Kind, error) {
	for _, k := range Kinds() {
		if typ == k.Typ() {
			return k, nil
		}
		if strings.HasPrefix(typ, "loaxa/"+string(k)+".v") {
			return "", fmt.Errorf("%q is a later version of %s than this program knows; update it", typ, k)
		}
	}
	return "", fmt.Errorf("%q is no kind of sealed document", typ)
}
