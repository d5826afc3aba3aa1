package fleet

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/store"
)

func TestANodeHearsItsOldPlaceUntilItFollows(t *testing.T) {
	r := newRig(t)
	officer := r.house.Officer("ky-thuat", broadcast.District, "bac-quang")
	got, err := r.enrol("n1", r.invite("n1", "tan-lap"), "n1")
	if err == nil {
		err = r.Confirm(t.Context(), "ky-thuat", "n1", got.ShortCode, officer)
	}
	if err != nil {
		t.Fatal(err)
	}
	hears := func(area string) bool {
		t.Helper()
		rights, ok := r.Authorise("n1", got.Secret)
		if !ok {
			t.Fatal("not let in")
		}
		return slices.ContainsFunc(rights.Read, func(topic string) bool { return strings.Contains(topic, "/"+area+"/") })
	}
	r.apply(organisation.Change{Do: organisation.Move, Area: "tan-lap", Parent: "xa-vinh-tuy"})
	r.clock = r.clock.AddDate(0, 0, 1)
	if !hears("xa-tan-quang") || !hears("xa-vinh-tuy") {
		t.Errorf("before it follows: old place %v, new one %v", hears("xa-tan-quang"), hears("xa-vinh-tuy"))
	}
	if got := r.Follow(t.Context(), "lan", officer, r.behind(1)); got[0].Err != nil {
		t.Fatal(got[0].Err)
	}
	if hears("xa-tan-quang") || !hears("xa-vinh-tuy") || !hears("tan-lap") {
		t.Error("it does not hear what it ought to, or more")
	}
}

// apply has changes take effect tomorrow.
func (r *rig) apply(changes ...organisation.Change) {
	r.t.Helper()
	chart, err := organisation.Open(r.t.Context(), r.db, r.cfg.Tree(), func() time.Time { return r.clock })
	if err != nil {
		r.t.Fatal(err)
	}
	p := organisation.Plan{Name: "Nghị quyết 12", Day: "2026-11-23", Changes: changes}
	e, err := chart.Weigh(r.t.Context(), p)
	if err != nil {
		r.t.Fatal(err)
	}
	if !cmp.Equal(e.Nodes, []broadcast.ID{"n1"}) {
		r.t.Fatalf("shown were %v", e.Nodes)
	}
	if _, err := chart.Apply(r.t.Context(), "lan", p, e.Digest); err != nil {
		r.t.Fatal(err)
	}
	r.cfg.Tree = chart.Tree
}

// merged has the communes Tân Quang and Đồng Tâm be one from tomorrow on.
func (r *rig) merged() {
	r.t.Helper()
	r.apply(organisation.Change{Do: organisation.Create, Area: "xa-moi", Name: "Xã Mới", Level: broadcast.Commune, Parent: "bac-quang"},
		organisation.Change{Do: organisation.Merge, Area: "xa-moi", Parts: []broadcast.ID{"xa-tan-quang", "xa-dong-tam"}})
}

func (r *rig) behind(want int) []Move {
	r.t.Helper()
	got, err := r.Behind(r.t.Context())
	if err != nil || len(got) != want {
		r.t.Fatalf("%d nodes are behind, want %d: %v", len(got), want, err)
	}
	return got
}

func TestNodesFollowAMergerBySignatureAndNotBefore(t *testing.T) {
	r := newRig(t)
	officer := r.confirmed("n1")
	if err := r.Trim(t.Context(), "ky-thuat", "n1", 0, -300, officer); err != nil {
		t.Fatal(err)
	}
	r.merged()
	r.behind(0) // its day has not come
	r.clock = r.clock.AddDate(0, 0, 1)
	before := r.placeOf("n1")
	moves := r.behind(1)
	for name, signer := range map[string]seal.Signer{
		"somebody below what changed": r.house.Officer("xa", broadcast.Commune, "xa-tan-quang"),
		"somebody from elsewhere":     r.house.Officer("khac", broadcast.Commune, "xa-vinh-tuy"),
	} {
		if got := r.Follow(t.Context(), "lan", signer, moves); len(got) != 1 || !errors.Is(got[0].Err, ErrBelief) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := r.Follow(t.Context(), "lan", officer, moves); len(got) != 1 || got[0].Err != nil {
		t.Fatalf("%+v", got)
	}
	after := r.placeOf("n1")
	want := []broadcast.Place{{Area: "tuyen-quang", Level: broadcast.Province}, {Area: "bac-quang", Level: broadcast.District},
		{Area: "xa-moi", Level: broadcast.Commune}, {Area: "xa-tan-quang", Level: broadcast.Village}, {Area: "tan-lap", Level: broadcast.Village}}
	if diff := cmp.Diff(want, after.Chain); diff != "" {
		t.Error(diff)
	}
	after.Chain, after.Revision = before.Chain, before.Revision
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("something else changed: %s", diff)
	}
	r.behind(0)
	if got := r.Follow(t.Context(), "lan", officer, moves); !errors.Is(got[0].Err, store.ErrConflict) {
		t.Errorf("twice from one list: %v", got[0].Err)
	}
	rows, err := r.db.AuditPage(t.Context(), store.AuditQuery{Act: "node.move", Limit: 9})
	if err != nil || len(rows) != 1 || rows[0].Person != "lan" || rows[0].Subject != "n1" {
		t.Errorf("%+v %v", rows, err)
	}
}
