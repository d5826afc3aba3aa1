package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// TestANodeComesIntoTheFleet goes from an invitation to a confirmed place.
func TestANodeComesIntoTheFleet(t *testing.T) {
	r := newRig(t)
	technician := r.Named("ky-thuat").Token
	var invited api.Invited
	r.ok(r.post(technician, "/api/v1/enrolment-tokens", api.Invitations{Nodes: []api.Invitation{{Node: "tan-lap-1", Area: "tan-lap"}}}), 201, &invited)
	if invited.Fingerprint != string(r.Office.Fingerprint()) || len(invited.Tokens) != 1 {
		t.Fatalf("%+v", invited)
	}
	e := wire.Enrolment{Node: "tan-lap-1", Token: invited.Tokens[0].Token, Board: "simulated"}.Prove(sealtest.Key("tan-lap-1"))
	var done wire.Enrolled
	r.ok(r.post("", "/api/v1/enrolments", e), 201, &done)
	if err := done.Validate(); err != nil {
		t.Error(err)
	}
	var nodes struct{ Nodes []api.Node }
	r.get("/api/v1/nodes", &nodes)
	if n := nodes.Nodes[0]; n.Status != "pending" || n.ShortCode != done.ShortCode || n.AreaName != "Xã Tân Lập" {
		t.Errorf("%+v", n)
	}
	if got := r.post(technician, "/api/v1/nodes/tan-lap-1/confirm", map[string]string{"short_code": "0000-0000"}); got.Status != 409 || got.Problem(t).Code != "short-code" {
		t.Errorf("a wrong code: %d %s", got.Status, got.Body)
	}
	if got := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/nodes/tan-lap-1/plan", Token: r.first}); got.Status != 409 || got.Problem(t).Code != "node-status" {
		t.Errorf("a plan without a place: %d %s", got.Status, got.Body)
	}
	nodes.Nodes = nil
	r.ok(r.post(technician, "/api/v1/nodes/tan-lap-1/confirm", map[string]string{"short_code": done.ShortCode}), 200, &nodes)
	if n := nodes.Nodes[0]; n.Status != "confirmed" || n.ShortCode != "" {
		t.Errorf("%+v", n)
	}
	if got := r.post(technician, "/api/v1/nodes/tan-lap-1/confirm", map[string]string{"short_code": done.ShortCode}); got.Status != 409 {
		t.Errorf("confirmed twice: %d", got.Status)
	}
	if got := r.post(technician, "/api/v1/enrolment-tokens", api.Invitations{Nodes: []api.Invitation{{Node: "x", Area: "tuyen-quang"}}}); got.Status != 403 {
		t.Errorf("above one's areas: %d %s", got.Status, got.Body)
	}
}

// TestADoubtIsShownInWords shows a node whose card was copied.
func TestADoubtIsShownInWords(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	var nodes struct{ Nodes []api.Node }
	r.get("/api/v1/nodes", &nodes)
	if nodes.Nodes[0].Doubt != nil {
		t.Errorf("%+v", nodes.Nodes[0].Doubt)
	}
	at := broadcast.InstantOf(r.Clock.Now())
	err := r.DB.Update(t.Context(), func(tx store.Tx) error {
		return tx.Doubt(t.Context(), store.Doubt{Node: "tan-lap-1", Code: broadcast.FaultDuplicate, Since: at, Chain: "c", Seq: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.get("/api/v1/nodes", &nodes)
	d := nodes.Nodes[0].Doubt
	if d == nil || d.Code != "duplicate" || d.Since == "" || d.VI == "" || d.EN == "" || d.DoVI == "" || d.DoEN == "" {
		t.Errorf("%+v", d)
	}
}

func TestBadEnrolmentsAreRefused(t *testing.T) {
	r := newRig(t)
	var invited api.Invited
	r.ok(r.post("", "/api/v1/demo/enrolment-tokens", api.Invitations{Nodes: []api.Invitation{{Node: "n1", Area: "tan-lap"}}}), 201, &invited)
	good := wire.Enrolment{Node: "n1", Token: invited.Tokens[0].Token, Board: "simulated"}.Prove(sealtest.Key("n1"))
	thief := wire.Enrolment{Node: "n1", Token: "guess", Board: "simulated"}.Prove(sealtest.Key("thief"))
	unproved := good
	unproved.Key = sealtest.Public("thief")
	for name, c := range map[string]struct {
		body   any
		status int
		code   string
	}{
		"a guessed token":           {thief, 403, "enrolment-token"},
		"a key that is not its own": {unproved, 422, "invalid"},
		"not JSON":                  {[]byte("x"), 422, "invalid"},
		"too large":                 {[]byte(`{"node":"` + strings.Repeat("a", 10000) + `"}`), 422, "invalid"},
	} {
		if got := r.post("", "/api/v1/enrolments", c.body); got.Status != c.status || got.Problem(t).Code != c.code {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	r.ok(r.post("", "/api/v1/enrolments", good), 201, nil)
	if got := r.post("", "/api/v1/demo/enrolment-tokens", api.Invitations{Nodes: []api.Invitation{{Node: "n1", Area: "tan-lap"}}}); got.Status != 409 {
		t.Errorf("a token for a node in use: %d %s", got.Status, got.Body)
	}
	if got := r.post("", "/api/v1/demo/enrolment-tokens", api.Invitations{Nodes: []api.Invitation{{Node: "n2", Area: "atlantis"}}}); got.Status != 422 || got.Problem(t).Code != "area-unknown" {
		t.Errorf("an unknown area: %d %s", got.Status, got.Body)
	}
}

func TestAreasNodesStatusAndMe(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	state := wire.State{Boot: "b", Version: "1.0", Board: "simulated", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "c", Free: 5}
	raw, err := broadcast.Encode(state)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Fleet.State(t.Context(), "tan-lap-1", raw, true); err != nil {
		t.Fatal(err)
	}
	if err := r.Fleet.Presence(t.Context(), "tan-lap-1", wire.Presence{State: wire.Ready, Connection: "c", Boot: "b"}, true); err != nil {
		t.Fatal(err)
	}
	var areas struct{ Areas []api.Area }
	r.get("/api/v1/areas", &areas)
	counts := map[string]int{}
	for _, a := range areas.Areas {
		counts[a.Level]++
		if a.ID == "bac-quang" && (a.Nodes != 1 || a.Parent != "tuyen-quang") {
			t.Errorf("%+v", a)
		}
	}
	if counts["commune"] != 8 || counts["village"] != 23 {
		t.Errorf("%v", counts)
	}
	var nodes struct{ Nodes []api.Node }
	r.get("/api/v1/nodes", &nodes)
	if n := nodes.Nodes[0]; !n.Present || n.Version != "1.0" || n.Clock != "proved" || n.Free != 5 || !n.Drift {
		t.Errorf("%+v", n)
	}
	r.Holdings["tan-lap-1"] = state.Holding
	nodes.Nodes = nil
	if r.get("/api/v1/nodes", &nodes); nodes.Nodes[0].Drift {
		t.Error("a node that holds what it ought to drifts")
	}
	var me api.Me
	r.get("/api/v1/me", &me)
	if me.ID != "duyet-1" || me.Role != "approver" || !me.Signs || me.Expires == "" || len(me.Permissions) == 0 {
		t.Errorf("%+v", me)
	}
	var status api.Status
	r.ok(r.Do(apitest.Call{Method: "GET", Path: "/api/v1/status"}), 200, &status)
	if !status.Demo || !status.Healthy || status.Nodes != 1 || status.Present != 1 || status.Version != "test" {
		t.Errorf("%+v", status)
	}
}

func TestANodeTellsForHowLongItsBatteryLasts(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	for want, supply := range map[string]*wire.Supply{
		`null`:           nil,
		`{"mains":true}`: {Mains: true},
		`{"mains":false,"celsius":41,"charge_percent":62,"hours_left":31,"volts":12.4}`: {Battery: &wire.Battery{Charge: 62, Hours: 31,
			Millivolts: new(int64(12400))}, Celsius: new(int64(41))},
		`{"mains":false,"charge_percent":0,"hours_left":0}`: {Battery: &wire.Battery{}},
	} {
		raw, err := broadcast.Encode(wire.State{Boot: "b", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "c", Supply: supply})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Fleet.State(t.Context(), "tan-lap-1", raw, true); err != nil {
			t.Fatal(err)
		}
		var nodes struct{ Nodes []api.Node }
		r.get("/api/v1/nodes", &nodes)
		if got, err := json.Marshal(nodes.Nodes[0].Supply); err != nil || string(got) != want {
			t.Errorf("%s, want %s: %v", got, want, err)
		}
	}
}

// TestThePlanIsThatOfTheNode previews without history, then with what the node
// proved.
func TestThePlanIsThatOfTheNode(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	a := r.published(r.flood())
	var plan api.Plan
	r.get("/api/v1/nodes/tan-lap-1/plan", &plan)
	if !plan.WithoutHistory || len(plan.Entries) != 1 || plan.Entries[0].Announcement != a.ID || plan.Entries[0].Rung != "ended" ||
		len(plan.Entries[0].Soundings) != 1 || plan.Entries[0].Soundings[0].From != a.Timing.Start {
		t.Errorf("%+v", plan)
	}
	doc, err := r.Desk.Announcement(t.Context(), broadcast.ID(a.ID))
	if err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(time.Minute)
	r.Prove("tan-lap-1", desktest.Sounded(doc.Document)...)
	from := r.Clock.Now().Add(-time.Hour).Format("2006-01-02T15:04:05Z07:00")
	plan = api.Plan{}
	r.get("/api/v1/nodes/tan-lap-1/plan?from="+strings.ReplaceAll(from, "+", "%2B"), &plan)
	if plan.WithoutHistory || len(plan.Entries) != 1 || plan.Entries[0].Rung != "ended" {
		t.Errorf("%+v", plan)
	}
	for _, query := range []string{"?from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z", "?from=2026-11-22T00:00:00Z&to=2027-11-21T00:00:00Z", "?from=gestern"} {
		if got := r.Do(apitest.Call{Method: "GET", Path: "/api/v1/nodes/tan-lap-1/plan" + query, Token: r.first}); got.Status != 422 {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
}

func TestEventsNameWhatChanged(t *testing.T) {
	r := newRig(t)
	ctx, stop := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", r.Server.URL+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.first)
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	lines := bufio.NewReader(got.Body)
	next := func() string {
		line, err := lines.ReadString('\n')
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	if got.Header.Get("Content-Type") != "text/event-stream" || next() != "retry: 3000" || next() != "" {
		t.Fatalf("%v", got.Header)
	}
	r.Hub.Publish(events.Event{Kind: events.Delivery, ID: "a1"})
	if kind, data := next(), next(); kind != "event: delivery" || data != `data: {"kind":"delivery","id":"a1"}` {
		t.Errorf("%q %q", kind, data)
	}
	stop()
}
