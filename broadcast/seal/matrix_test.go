package seal_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

// people are two officers of one level with one act, over the sample's area.
func people(h *sealtest.House, act broadcast.Act, level broadcast.Level) []seal.Signer {
	var out []seal.Signer
	for i := range 2 {
		c := broadcast.Certificate{Person: broadcast.ID(fmt.Sprintf("%s-%s-%d", act, level, i)), Level: level,
			Areas: []broadcast.ID{"bac-quang"}, Acts: []broadcast.Act{act}}
		if slices.Contains(broadcast.ServiceActs(), act) {
			c.Epoch = 1
		} else {
			c.Classes = broadcast.Classes()
		}
		out = append(out, h.Certify(c))
	}
	return out
}

// allowed is the matrix as the rules say it, written apart from the code.
func allowed(kind broadcast.Kind, act broadcast.Act, level broadcast.Level) bool {
	switch kind {
	case broadcast.KindAnnouncement, broadcast.KindDrill, broadcast.KindTemplate:
		return act == broadcast.ActApprove
	case broadcast.KindPlacement, broadcast.KindSlot:
		return act == broadcast.ActApprove && (level == broadcast.Commune || level == broadcast.Village)
	case broadcast.KindWithdrawal:
		return act == broadcast.ActWithdraw
	case broadcast.KindSilence:
		return act == broadcast.ActSilence
	case broadcast.KindPolicy:
		return act == broadcast.ActPolicy
	case broadcast.KindAssignment:
		return act == broadcast.ActAssign
	case broadcast.KindCommand:
		return act == broadcast.ActCommand
	case broadcast.KindManifest, broadcast.KindAck:
		return act == broadcast.ActManifest
	case broadcast.KindTime:
		return act == broadcast.ActTime
	case broadcast.KindSession:
		return act == broadcast.ActRelay
	case broadcast.KindAuthority:
		return act == broadcast.ActDelegate
	}
	return false
}

func TestAuthorityMatrix(t *testing.T) {
	cells := 0
	for _, s := range samples() {
		for _, act := range broadcast.Acts() {
			for _, level := range []broadcast.Level{broadcast.Province, broadcast.District, broadcast.Commune, broadcast.Village} {
				h := sealtest.NewHouse("tuyen-quang", at, true)
				two := people(h, act, level)
				err := s.open(h.Keyring(chain()), s.kind, sealtest.Sealed(s.kind, s.doc, two...))
				if want := allowed(s.kind, act, level); (err == nil) != want {
					t.Errorf("%s sealed by two with %s at level %s: allowed %v, got %v", s.kind, act, level, want, err)
				}
				cells++
			}
		}
	}
	if want := len(samples()) * len(broadcast.Acts()) * 4; cells != want {
		t.Errorf("%d cells judged, want %d", cells, want)
	}
}

func TestKindIsNotInterchangeable(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan, minh := h.Officer("lan", broadcast.Commune, "xa-tan-quang"), h.Officer("minh", broadcast.Commune, "xa-tan-quang")
	ring := h.Keyring(chain())
	for _, s := range samples() {
		signers := []seal.Signer{lan, minh}
		if right, _ := seal.RightFor(s.kind); right.RootOnly {
			signers = []seal.Signer{h.RootKey}
		} else if slices.Contains(broadcast.ServiceActs(), right.Acts[0]) {
			signers = []seal.Signer{h.Service}
		}
		raw := sealtest.Sealed(s.kind, s.doc, signers...)
		for _, verifier := range samples() {
			err := verifier.open(ring, verifier.kind, raw)
			if verifier.kind == s.kind && err != nil {
				t.Errorf("%s does not open as itself: %v", s.kind, err)
			}
			if verifier.kind != s.kind && (err == nil || !errors.Is(err, seal.ErrKind)) && len(raw) <= verifier.kind.Limit() {
				t.Errorf("%s opened as %s: %v", s.kind, verifier.kind, err)
			}
		}
	}
}

func TestSignersNeedTheArea(t *testing.T) {
	for _, s := range samples() {
		right, _ := seal.RightFor(s.kind)
		if right.RootOnly || s.kind == broadcast.KindTime || s.kind == broadcast.KindAck || s.kind == broadcast.KindSession {
			continue
		}
		h := sealtest.NewHouse("tuyen-quang", at, true)
		var two []seal.Signer
		for i := range 2 {
			c := broadcast.Certificate{Person: broadcast.ID(fmt.Sprint("other-", i)), Level: broadcast.Commune,
				Areas: []broadcast.ID{"xa-hung-an"}, Acts: right.Acts}
			if slices.Contains(broadcast.ServiceActs(), right.Acts[0]) {
				c.Epoch = 1
			} else {
				c.Classes = broadcast.Classes()
			}
			two = append(two, h.Certify(c))
		}
		err := s.open(h.Keyring(chain()), s.kind, sealtest.Sealed(s.kind, s.doc, two...))
		if !errors.Is(err, seal.ErrRight) {
			t.Errorf("%s sealed by officers of another commune: %v", s.kind, err)
		}
	}
}
