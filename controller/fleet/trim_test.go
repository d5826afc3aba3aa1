package fleet

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// confirmed enrols and confirms a node in the village of Tân Lập.
func (r *rig) confirmed(id broadcast.ID) seal.Signer {
	r.t.Helper()
	officer := r.house.Officer("ky-thuat", broadcast.District, "bac-quang")
	got, err := r.enrol(id, r.invite(id, "tan-lap"), string(id))
	if err == nil {
		err = r.Confirm(r.t.Context(), "ky-thuat", id, got.ShortCode, officer)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return officer
}

func (r *rig) placeOf(id broadcast.ID) broadcast.Assignment {
	r.t.Helper()
	n, err := r.db.Node(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	a, err := r.placed(r.t.Context(), n)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func TestATrimChangesNothingElseOfAPlace(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	officer := r.confirmed("n1")
	before := r.placeOf("n1")
	for _, trim := range []int64{-300, -600} { // both within one millisecond
		old, err := r.TrimOf(ctx, "n1")
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Trim(ctx, "ky-thuat", "n1", old, trim, officer); err != nil {
			t.Fatal(err)
		}
	}
	after := r.placeOf("n1")
	if after.Revision <= before.Revision || after.Trim != -600 {
		t.Errorf("%+v", after)
	}
	after.Revision, after.Trim = before.Revision, 0
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	rows, err := r.db.AuditPage(ctx, store.AuditQuery{Act: "node.trim", Limit: 1})
	if err != nil || len(rows) != 1 || rows[0].Person != "ky-thuat" || rows[0].Detail != `{"before_cdb":-300,"after_cdb":-600}` {
		t.Errorf("%+v %v", rows, err)
	}
}

func TestATrimIsRefusedThatNodesOrPeopleWouldNotHave(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	officer := r.confirmed("n1")
	if _, err := r.enrol("n2", r.invite("n2", "tan-lap"), "n2"); err != nil {
		t.Fatal(err)
	}
	r.clock = r.clock.Add(time.Minute)
	for name, c := range map[string]struct {
		node         broadcast.ID
		before, trim int64
		signer       seal.Signer
		want         error
	}{
		"louder than its amplifier":       {"n1", 0, 1, officer, ErrTrim},
		"nobody would hear an emergency":  {"n1", 0, LeastTrim - 1, officer, ErrTrim},
		"somebody else trimmed meanwhile": {"n1", -100, -200, officer, store.ErrConflict},
		"a signer from elsewhere":         {"n1", 0, -200, r.house.Officer("khac", broadcast.Commune, "xa-dong-tam"), ErrBelief},
		"a node without a place":          {"n2", 0, -200, officer, ErrStatus},
		"no such node":                    {"n3", 0, -200, officer, store.ErrNotFound},
	} {
		if err := r.Trim(ctx, "ky-thuat", c.node, c.before, c.trim, c.signer); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if trim, err := r.TrimOf(ctx, "n1"); trim != 0 || err != nil {
		t.Errorf("%d %v", trim, err)
	}
}
