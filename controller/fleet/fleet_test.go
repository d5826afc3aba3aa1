package fleet

import (
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/store"
)

// rig is a fleet over a real database with a clock that the test moves.
type rig struct {
	*Fleet
	t     *testing.T
	db    *store.DB
	house *sealtest.House
	clock time.Time
}

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, db: db, clock: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
	r.house = sealtest.NewHouse("tuyen-quang", broadcast.InstantOf(r.clock), true)
	r.Fleet = New(Config{DB: db, Office: sealtest.Belief{House: r.house, Places: broadcast.Assignment{}}, Tree: organisation.Fixed(tree), Events: &events.Hub{}, ControllerSecret: "of the controller", Log: slog.New(slog.DiscardHandler),
		Now:         func() time.Time { return r.clock },
		Controllers: []broadcast.Controller{{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}}})
	return r
}

func (r *rig) invite(id, area broadcast.ID) string {
	r.t.Helper()
	token, err := r.Invite(r.t.Context(), "ky-thuat", Invitation{Node: id, Area: area})
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

// enrol shows a token with the key that belongs to a name.
func (r *rig) enrol(id broadcast.ID, token, key string) (wire.Enrolled, error) {
	e := wire.Enrolment{Node: id, Token: token, Board: "simulated", Key: sealtest.Public(key)}.Prove(sealtest.Key(key))
	return r.Enrol(r.t.Context(), e, []broadcast.Envelope{r.house.Root})
}

func TestTokenMakesExactlyOneKeyKnown(t *testing.T) {
	r := newRig(t)
	token := r.invite("n1", "tan-lap")
	if _, err := r.enrol("n1", "guess", "thief"); !errors.Is(err, ErrToken) {
		t.Errorf("a guessed token: %v", err)
	}
	if _, err := r.enrol("n2", token, "thief"); !errors.Is(err, ErrToken) {
		t.Errorf("the token under another name: %v", err)
	}
	first, err := r.enrol("n1", token, "n1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.enrol("n1", token, "thief"); !errors.Is(err, ErrToken) {
		t.Errorf("the spent token with another key: %v", err)
	}
	second, err := r.enrol("n1", token, "n1")
	if err != nil || second.Secret == first.Secret || second.ShortCode != first.ShortCode {
		t.Errorf("the same key after a lost answer: %v", err)
	}
	if _, err := r.Credential(t.Context(), "n1", first.Secret); err == nil {
		t.Error("the secret of the lost answer still opens")
	}
	if n, err := r.Credential(t.Context(), "n1", second.Secret); err != nil || n.Status != store.Pending {
		t.Errorf("%v %v", n.Status, err)
	}
}

func TestTokenExpires(t *testing.T) {
	r := newRig(t)
	token := r.invite("n1", "tan-lap")
	r.clock = r.clock.Add(TokenLife + time.Second)
	if _, err := r.enrol("n1", token, "n1"); !errors.Is(err, ErrToken) {
		t.Errorf("%v", err)
	}
	if _, err := r.enrol("n1", r.invite("n1", "tan-lap"), "n1"); err != nil {
		t.Errorf("a new token: %v", err)
	}
}

func TestTokenIsStoredAsItsDigestOnly(t *testing.T) {
	r := newRig(t)
	token := r.invite("n1", "tan-lap")
	n, err := r.db.Node(t.Context(), "n1")
	if err != nil || n.TokenHash != broadcast.Sum([]byte(token)) {
		t.Errorf("%+v %v", n, err)
	}
}

func TestNodeCountsOnlyAfterItsCodeWasComparedOnSite(t *testing.T) {
	r := newRig(t)
	officer := r.house.Officer("ky-thuat", broadcast.District, "bac-quang")
	got, err := r.enrol("n1", r.invite("n1", "tan-lap"), "n1")
	if err != nil {
		t.Fatal(err)
	}
	pending, ok := r.Authorise("n1", got.Secret)
	if !ok || slices.ContainsFunc(pending.Read, func(f string) bool { return f == wire.Area("tan-lap", "+") }) {
		t.Errorf("a pending node reads %v", pending.Read)
	}
	if err := r.Confirm(t.Context(), "ky-thuat", "n1", "0000-0000", officer); !errors.Is(err, ErrCode) {
		t.Errorf("another code: %v", err)
	}
	if within, err := r.Within(t.Context(), []broadcast.ID{"bac-quang"}); err != nil || len(within) != 0 {
		t.Errorf("pending nodes count: %v %v", within, err)
	}
	if err := r.Confirm(t.Context(), "ky-thuat", "n1", got.ShortCode, officer); err != nil {
		t.Fatal(err)
	}
	if err := r.Confirm(t.Context(), "ky-thuat", "n1", got.ShortCode, officer); !errors.Is(err, ErrStatus) {
		t.Errorf("confirmed twice: %v", err)
	}
	r.checkAssignment("n1")
	for _, area := range []broadcast.ID{"tuyen-quang", "bac-quang", "xa-tan-quang", "tan-lap"} {
		if within, err := r.Within(t.Context(), []broadcast.ID{area}); err != nil || len(within) != 1 {
			t.Errorf("%s: %v %v", area, within, err)
		}
	}
	if within, err := r.Within(t.Context(), []broadcast.ID{"xa-hung-an"}); err != nil || len(within) != 0 {
		t.Errorf("another commune: %v %v", within, err)
	}
}

// checkAssignment opens what was signed as the node would.
func (r *rig) checkAssignment(id broadcast.ID) {
	r.t.Helper()
	n, err := r.db.Node(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	doc, err := r.db.Document(r.t.Context(), n.Assignment)
	if err != nil {
		r.t.Fatal(err)
	}
	chain, err := r.Chain(n.Area)
	if err != nil {
		r.t.Fatal(err)
	}
	places := broadcast.Assignment{Chain: chain}
	a, _, err := seal.Open[broadcast.Assignment](r.house.Keyring(places), broadcast.KindAssignment, doc.Raw, seal.Context{Places: places})
	if err != nil || a.Node != id || a.Key != n.Key || len(a.Chain) != 4 {
		r.t.Errorf("%+v %v", a, err)
	}
}

func TestNodesReadTheirOwnAreasAndWriteTheirOwnTopics(t *testing.T) {
	r := newRig(t)
	got, err := r.enrol("n1", r.invite("n1", "tan-lap"), "n1")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Confirm(t.Context(), "ky-thuat", "n1", got.ShortCode, r.house.Officer("ky-thuat", broadcast.District, "bac-quang")); err != nil {
		t.Fatal(err)
	}
	rights, ok := r.Authorise("n1", got.Secret)
	if !ok {
		t.Fatal("a confirmed node was refused")
	}
	want := []string{wire.Node("n1", "presence"), wire.Node("n1", "state"), wire.Node("n1", "health"), wire.Node("n1", "receipt")}
	if !slices.Equal(rights.Publish, want) {
		t.Errorf("publishes %v", rights.Publish)
	}
	for _, area := range []broadcast.ID{"tuyen-quang", "bac-quang", "xa-tan-quang", "tan-lap"} {
		if !slices.Contains(rights.Read, wire.Area(area, "+")) {
			t.Errorf("does not read %s", area)
		}
	}
	for _, bad := range [][2]string{{"n1", ""}, {"n1", "guess"}, {"n2", got.Secret}, {"", got.Secret}, {"N1", got.Secret}, {ControllerUser, got.Secret}, {ControllerUser, ""}} {
		if _, ok := r.Authorise(bad[0], bad[1]); ok {
			t.Errorf("%q with %q was let in", bad[0], bad[1])
		}
	}
	if _, ok := r.Authorise(ControllerUser, "of the controller"); !ok {
		t.Error("the controller was refused at its own broker")
	}
	if err := r.Revoke(t.Context(), "ky-thuat", "n1"); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Authorise("n1", got.Secret); ok {
		t.Error("a revoked node was let in")
	}
	if _, err := r.Invite(t.Context(), "ky-thuat", Invitation{Node: "n1", Area: "tan-lap"}); err != nil {
		t.Errorf("a revoked node cannot be invited again: %v", err)
	}
}

func TestNodeInUseCannotBeInvitedAway(t *testing.T) {
	r := newRig(t)
	if _, err := r.enrol("n1", r.invite("n1", "tan-lap"), "n1"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Invite(t.Context(), "ky-thuat", Invitation{Node: "n1", Area: "tan-lap"}); !errors.Is(err, ErrStatus) {
		t.Errorf("%v", err)
	}
	if _, err := r.Invite(t.Context(), "ky-thuat", Invitation{Node: "n2", Area: "nowhere"}); !errors.Is(err, ErrArea) {
		t.Errorf("%v", err)
	}
	if _, err := r.Invite(t.Context(), "ky-thuat", Invitation{Node: "N 2", Area: "tan-lap"}); err == nil {
		t.Error("a malformed name was taken")
	}
}

func TestLateWillOfAnOldConnectionIsIgnored(t *testing.T) {
	r := newRig(t)
	r.invite("n1", "tan-lap")
	say := func(s wire.PresenceState, c broadcast.ID) bool {
		t.Helper()
		if err := r.Presence(t.Context(), "n1", wire.Presence{State: s, Connection: c, Boot: "b"}, true); err != nil {
			t.Fatal(err)
		}
		all, err := r.Overview(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return all[0].Hints.Present
	}
	for i, step := range []struct {
		state wire.PresenceState
		conn  broadcast.ID
		want  bool
	}{{wire.Ready, "c1", true}, {wire.Ready, "c2", true}, {wire.Gone, "c1", true}, {wire.Gone, "c2", false}} {
		if got := say(step.state, step.conn); got != step.want {
			t.Errorf("step %d: present %v", i, got)
		}
	}
}

func TestHintsSurviveARestart(t *testing.T) {
	r := newRig(t)
	r.invite("n1", "tan-lap")
	state, err := broadcast.Encode(wire.State{Boot: "b", Version: "v9", Board: "simulated", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "c"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.State(t.Context(), "n1", state, true); err != nil {
		t.Fatal(err)
	}
	if err := r.Health(t.Context(), "n1", []byte(`{"boot":"b","faults":[{"code":"store-full"}],"later":"field"}`)); err != nil {
		t.Fatal(err)
	}
	if err := r.Health(t.Context(), "n1", []byte(`{"boot":"b","faults":[{"code":"Not A Code"}]}`)); err == nil {
		t.Error("a malformed fault was taken")
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := New(r.cfg)
	all, err := again.Overview(t.Context())
	if err != nil || len(all) != 1 || all[0].State == nil || all[0].State.Version != "v9" || all[0].Health == nil || all[0].Health.Faults[0].Code != "store-full" {
		t.Errorf("%+v %v", all, err)
	}
	if _, err := r.State(t.Context(), "unknown", state, true); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown node's state: %v", err)
	}
}
