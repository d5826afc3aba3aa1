package seal_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

var at = broadcast.InstantOf(time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC))

// chain is where the node of these tests stands.
func chain() broadcast.Assignment {
	return broadcast.Assignment{Chain: []broadcast.Place{{Area: "tuyen-quang", Level: broadcast.Province}, {Area: "bac-quang", Level: broadcast.District},
		{Area: "xa-tan-quang", Level: broadcast.Commune}, {Area: "tan-lap", Level: broadcast.Village}}}
}

func TestOfficerOfAnUpperAreaSpeaksBelow(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan := h.Officer("lan", broadcast.District, "bac-quang")
	raw := sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", at, "tan-lap"), lan)
	a, proof, err := seal.Open[broadcast.Announcement](h.Keyring(chain()), broadcast.KindAnnouncement, raw, seal.Context{Places: chain()})
	if err != nil {
		t.Fatal(err)
	}
	if a.ID != "a1" || len(proof.Signers) != 1 || proof.Level() != broadcast.District || proof.Digest != broadcast.Sum(raw) {
		t.Errorf("%v %+v", a.ID, proof)
	}
	t.Logf("envelope of one signer: %d bytes", len(raw))
}
