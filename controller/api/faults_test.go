package api_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/store"
)

// line is always up.
type line struct{}

func (line) Up() bool { return true }

func (line) Lost() map[broadcast.ID]string { return nil }

// ail has a node say what is wrong with it, and the vigil look.
func (r *rig) ail(v *fleet.Vigil, node broadcast.ID, list ...wire.Fault) {
	r.T.Helper()
	raw, err := broadcast.Encode(wire.Health{Boot: "b", Faults: append([]wire.Fault{}, list...)})
	if err != nil {
		r.T.Fatal(err)
	}
	if err := r.Fleet.Health(r.T.Context(), node, raw); err != nil {
		r.T.Fatal(err)
	}
	if err := v.Look(r.T.Context()); err != nil {
		r.T.Fatal(err)
	}
}

type faultsPage struct {
	Faults []api.Fault
	Next   string
}

func TestFaultsAreListedInWordsByNodeAreaCodeAndState(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("tan-quang-1", "tan-quang")
	v := fleet.NewVigil(fleet.VigilConfig{Fleet: r.Fleet, Line: line{}, Holdings: r.Holdings, Stations: line{}})
	since := broadcast.InstantOf(r.Clock.Now().Add(-time.Minute))
	r.ail(v, "tan-lap-1", wire.Fault{Code: broadcast.FaultMains, Since: since, Cause: "0 V"}, wire.Fault{Code: "flux-capacitor", Part: "left", Since: since})
	r.ail(v, "tan-quang-1", wire.Fault{Code: broadcast.FaultStoreFull, Part: "journal", Since: since})
	r.ail(v, "tan-lap-1", wire.Fault{Code: "flux-capacitor", Part: "left", Since: since})

	for query, want := range map[string][]string{
		"":                                     {"flux-capacitor", "store-full"},
		"?state=all":                           {"flux-capacitor", "mains", "store-full"},
		"?node=tan-lap-1":                      {"flux-capacitor"},
		"?node=tan-lap-1&state=all":            {"flux-capacitor", "mains"},
		"?area=bac-quang":                      {"flux-capacitor", "store-full"},
		"?area=tan-quang":                      {"store-full"},
		"?code=mains&state=all":                {"mains"},
		"?node=nobody":                         {},
		"?area=tan-lap&node=tan-quang-1":       {},
		"?area=tan-quang&code=mains&state=all": {},
	} {
		var page faultsPage
		r.get("/api/v1/faults"+query, &page)
		got := map[string]bool{}
		for _, f := range page.Faults {
			if f.Node != "" && f.Code != string(broadcast.FaultNodeGone) {
				got[f.Code] = true
			}
		}
		if fmt.Sprint(len(got)) != fmt.Sprint(len(want)) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
		for _, code := range want {
			if !got[code] {
				t.Errorf("%s: %v, want %v", query, got, want)
			}
		}
	}

	var page faultsPage
	r.get("/api/v1/faults?code=mains&state=all", &page)
	f := page.Faults[0]
	if f.AreaName == "" || f.Gravity != "notice" || f.Part != "power" || f.PartVI == "" || f.VI == "" || f.EN == "" || f.DoVI == "" || f.DoEN == "" ||
		f.Since == "" || f.Shown == "" || f.Cleared == "" || f.Cause != "0 V" {
		t.Errorf("%+v", f)
	}
	r.get("/api/v1/faults?code=flux-capacitor", &page)
	if f := page.Faults[0]; f.VI != "flux-capacitor" || f.EN != "flux-capacitor" || f.Which != "left" || f.Gravity != "trouble" {
		t.Errorf("of a later version: %+v", f)
	}
	var nodes struct{ Nodes []api.Node }
	r.get("/api/v1/nodes", &nodes)
	if n := nodes.Nodes[0]; n.ID != "tan-lap-1" || len(n.Faults) == 0 || n.Faults[0].Code != "flux-capacitor" {
		t.Errorf("the node shows %+v", n.Faults)
	}
}

func TestFaultsComeInPages(t *testing.T) {
	r := newRig(t)
	var list []store.Fault
	for i := range 25 {
		list = append(list, store.Fault{ID: broadcast.ID(fmt.Sprintf("f%02d", i)), Code: broadcast.FaultOfficerWeek, Part: fmt.Sprint(i), Since: 1, Shown: 1})
	}
	if err := r.DB.Update(t.Context(), func(tx store.Tx) error { return tx.SaveFaults(t.Context(), list) }); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for cursor, pages := "", 0; ; pages++ {
		var page faultsPage
		r.get("/api/v1/faults?limit=10&cursor="+cursor, &page)
		for _, f := range page.Faults {
			if want := fmt.Sprint(24 - seen); f.Which != want {
				t.Errorf("%s in place of %s", f.Which, want)
			}
			seen++
		}
		if page.Next == "" || pages > 5 {
			break
		}
		cursor = page.Next
	}
	if seen != 25 {
		t.Errorf("%d of 25", seen)
	}
}
