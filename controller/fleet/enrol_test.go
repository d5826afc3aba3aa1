package fleet

import (
	"errors"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/store"
)

func TestConfirmingIsForTheKeyWhoseCodeWasCompared(t *testing.T) {
	r := newRig(t)
	got, err := r.enrol("n1", r.invite("n1", "tan-lap"), "n1")
	if err != nil {
		t.Fatal(err)
	}
	// While the technician signs, the node is revoked, invited anew, and another
	// box enrols under its name.
	swapped := false
	r.cfg.Now = func() time.Time {
		if !swapped {
			swapped = true
			if err := r.Revoke(t.Context(), "quan-tri", "n1"); err != nil {
				t.Error(err)
			}
			if _, err := r.enrol("n1", r.invite("n1", "tan-lap"), "thief"); err != nil {
				t.Error(err)
			}
		}
		return r.clock
	}
	err = r.Confirm(t.Context(), "ky-thuat", "n1", got.ShortCode, r.house.Officer("ky-thuat", broadcast.District, "bac-quang"))
	if !errors.Is(err, ErrStatus) || !swapped {
		t.Errorf("another key was confirmed in its place: %v", err)
	}
	n, err := r.db.Node(t.Context(), "n1")
	if err != nil || n.Status != store.Pending || n.Key != sealtest.Public("thief") || n.Assignment != "" {
		t.Errorf("%+v %v", n, err)
	}
}

func TestPlaceIsSignedOnlyByWhomTheNodeBelieves(t *testing.T) {
	r := newRig(t)
	got, err := r.enrol("n1", r.invite("n1", "tan-lap"), "n1")
	if err != nil {
		t.Fatal(err)
	}
	over := broadcast.InstantOf(r.clock).Add(-24 * time.Hour)
	signers := map[string]seal.Signer{
		"of another area": r.house.Officer("tuan", broadcast.Commune, "xa-bang-hanh"),
		"with another act": r.house.Certify(broadcast.Certificate{Person: "lan", Level: broadcast.District, Areas: []broadcast.ID{"bac-quang"},
			Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActAnnounce}}),
		"whose certificate is over": r.house.Certify(broadcast.Certificate{Person: "cu", Level: broadcast.District, Areas: []broadcast.ID{"bac-quang"},
			Acts: []broadcast.Act{broadcast.ActAssign}, From: over.Add(-24 * time.Hour), Until: over}),
		"without a certificate": sealtest.Bare("x"),
	}
	for name, signer := range signers {
		if err := r.Confirm(t.Context(), "ky-thuat", "n1", got.ShortCode, signer); !errors.Is(err, ErrBelief) {
			t.Errorf("somebody %s: %v", name, err)
		}
		if n, err := r.db.Node(t.Context(), "n1"); err != nil || n.Status != store.Pending || n.Assignment != "" {
			t.Errorf("somebody %s: the node is %s with %q, %v", name, n.Status, n.Assignment, err)
		}
	}
	if err := r.Confirm(t.Context(), "ky-thuat", "n1", got.ShortCode, r.house.Officer("ky-thuat", broadcast.District, "bac-quang")); err != nil {
		t.Error(err)
	}
}

func TestRefusedTokensWriteNothing(t *testing.T) {
	r := newRig(t)
	token := r.invite("n1", "tan-lap")
	before, err := r.db.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := r.enrol("n1", "guess", "thief"); !errors.Is(err, ErrToken) {
			t.Fatal(err)
		}
		if _, err := r.enrol("unknown", token, "thief"); !errors.Is(err, ErrToken) {
			t.Fatal(err)
		}
	}
	if after, err := r.db.AuditHead(t.Context()); err != nil || after != before {
		t.Errorf("the log went from %d to %d: %v", before.Length, after.Length, err)
	}
}

func TestControllerTakesABoundedNumberOfNodes(t *testing.T) {
	r := newRig(t)
	r.most = 2
	r.invite("n1", "tan-lap")
	if err := r.Revoke(t.Context(), "ky-thuat", "n1"); err != nil {
		t.Fatal(err)
	}
	r.invite("n2", "tan-lap")
	if _, err := r.Invite(t.Context(), "ky-thuat", Invitation{Node: "n3", Area: "tan-lap"}); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	r.invite("n2", "tan-lap")
	r.invite("n1", "tan-lap") // a revoked node's name may be used again
}

func TestEveryStepOfANodeIsInTheAuditLog(t *testing.T) {
	r := newRig(t)
	got, err := r.enrol("n1", r.invite("n1", "tan-lap"), "n1")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Confirm(t.Context(), "ky-thuat", "n1", got.ShortCode, r.house.Officer("ky-thuat", broadcast.District, "bac-quang")); err != nil {
		t.Fatal(err)
	}
	if err := r.Revoke(t.Context(), "quan-tri", "n1"); err != nil {
		t.Fatal(err)
	}
	rows, err := r.db.AuditRows(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		act string
		by  broadcast.ID
	}{{"node.invite", "ky-thuat"}, {"node.enrol", ""}, {"node.confirm", "ky-thuat"}, {"node.revoke", "quan-tri"}}
	if len(rows) != len(want) {
		t.Fatalf("%d rows", len(rows))
	}
	for i, w := range want {
		if rows[i].Act != w.act || rows[i].Person != w.by || rows[i].Subject != "n1" {
			t.Errorf("row %d: %+v", i, rows[i])
		}
	}
}

func TestUnknownNodesAreNeitherConfirmedNorRevoked(t *testing.T) {
	r := newRig(t)
	if err := r.Confirm(t.Context(), "ky-thuat", "nobody", "0000-0000", sealtest.Bare("x")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("confirm: %v", err)
	}
	if err := r.Revoke(t.Context(), "ky-thuat", "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("revoke: %v", err)
	}
	r.invite("n1", "tan-lap")
	if err := r.Confirm(t.Context(), "ky-thuat", "n1", "0000-0000", sealtest.Bare("x")); !errors.Is(err, ErrStatus) {
		t.Errorf("confirm before it enrolled: %v", err)
	}
}
