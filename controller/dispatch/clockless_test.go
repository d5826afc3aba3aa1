package dispatch

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/store"
)

// nonceOf returns a well-formed nonce.
func nonceOf(i int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%016d", i))
}

// asks has the node ask for the time in a boot.
func (r *rig) asks(boot broadcast.ID, nonce string) {
	r.t.Helper()
	p, err := broadcast.Encode(wire.Presence{State: wire.Ready, Connection: "c1", Boot: boot, Nonce: nonce})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Message(broker.Message{Topic: wire.Node(node, "presence"), Payload: p})
}

// says has the node state its clock and the manifests that it holds.
func (r *rig) says(boot broadcast.ID, clock broadcast.Quality, held map[broadcast.ID]broadcast.Revision) {
	r.t.Helper()
	raw, err := broadcast.Encode(wire.State{Boot: boot, Version: "1", Board: "simulated", Clock: clock, Holding: broadcast.Sum(nil), Chain: "c1", Manifests: held})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Message(broker.Message{Topic: wire.Node(node, "state"), Payload: raw})
}

// calm makes an area hold an announcement that is no emergency.
func (r *rig) calm(id, area broadcast.ID) {
	r.t.Helper()
	a := sealtest.Announcement(id, broadcast.InstantOf(r.clock), area)
	a.Class, a.Timing.Mode = broadcast.Normal, broadcast.ModeStart
	raw := sealtest.Sealed(broadcast.KindAnnouncement, a, r.house.Officer("lan", broadcast.District, "bac-quang"))
	err := r.db.Update(r.t.Context(), func(tx store.Tx) error {
		sha, err := tx.PutDocument(r.t.Context(), store.Document{Kind: broadcast.KindAnnouncement, ID: id, Revision: a.Revision, Raw: raw})
		if err != nil {
			return err
		}
		return tx.List(r.t.Context(), store.Listing{Area: area, Kind: broadcast.KindAnnouncement, ID: id, Revision: a.Revision, SHA256: sha,
			Until: broadcast.InstantOf(r.clock).Add(time.Hour)})
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// lists has the clock go on, looks, and returns the manifests of the district
// that went out.
func (r *rig) lists(after time.Duration) []broadcast.Manifest {
	r.t.Helper()
	r.clock = r.clock.Add(after)
	r.scan(r.t.Context(), false)
	var out []broadcast.Manifest
	for _, m := range r.bus.on(wire.Area("bac-quang", "manifest")) {
		out = append(out, r.manifest(m))
	}
	return out
}

func TestManifestsCarryQuestionsOnlyWhileAnEmergencyIsListed(t *testing.T) {
	r := newRig(t)
	r.lists(0)
	r.asks("b1", nonceOf(1))
	if got := r.lists(time.Minute); len(got) != 0 {
		t.Fatalf("with nothing listed, %d manifests", len(got))
	}
	r.calm("market", "bac-quang")
	if got := r.lists(time.Second); len(got) != 1 || len(got[0].Nonces) != 0 {
		t.Fatalf("for a normal item: %+v", got)
	}
	r.list("flood", "bac-quang")
	got := r.lists(time.Second)
	if len(got) != 1 || !slices.Equal(got[0].Nonces, []string{nonceOf(1)}) {
		t.Fatalf("the first list of the emergency: %+v", got)
	}
	if other := r.bus.on(wire.Area("tan-lap", "manifest")); len(other) != 1 || len(r.manifest(other[0]).Nonces) != 0 {
		t.Errorf("an area without the emergency: %d manifests", len(other))
	}
	if again := r.lists(time.Minute); len(again) != 0 {
		t.Errorf("said again without a new question: %+v", again)
	}
	if got := r.lists(24 * time.Hour); len(got) != 1 || len(got[0].Nonces) != 0 {
		t.Errorf("after the emergency: %+v", got)
	}
}

func TestNewQuestionIsAnsweredButNotAtAnyPace(t *testing.T) {
	r := newRig(t)
	r.list("flood", "bac-quang")
	r.lists(0)
	r.asks("b1", nonceOf(1))
	if got := r.lists(answerLead / 2); len(got) != 0 {
		t.Fatalf("before the plain answer had its chance: %+v", got)
	}
	if got := r.lists(nonceEvery); len(got) != 1 || !slices.Equal(got[0].Nonces, []string{nonceOf(1)}) {
		t.Fatalf("%+v", got)
	}
	manifests := 0
	for i := range 60 { // a node that asks every second
		r.asks("b1", nonceOf(2+i))
		manifests += len(r.lists(time.Second))
	}
	if manifests > 6 {
		t.Errorf("%d manifests in a minute", manifests)
	}
}

func TestNodeThatHasTheTimeOrTheAnswerIsLeftAlone(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(r *rig, revision broadcast.Revision)
		want int
	}{
		"it said nothing":               {func(*rig, broadcast.Revision) {}, 1},
		"it still has no time":          {func(r *rig, _ broadcast.Revision) { r.says("b1", broadcast.ClockUnset, nil) }, 1},
		"another boot had the time":     {func(r *rig, _ broadcast.Revision) { r.says("b0", broadcast.ClockProved, nil) }, 1},
		"it has the time":               {func(r *rig, _ broadcast.Revision) { r.says("b1", broadcast.ClockProved, nil) }, 0},
		"its RTC will do":               {func(r *rig, _ broadcast.Revision) { r.says("b1", broadcast.ClockPlausible, nil) }, 0},
		"it holds an older list":        {func(r *rig, m broadcast.Revision) { r.holds(m - 1) }, 1},
		"it holds the list":             {func(r *rig, m broadcast.Revision) { r.holds(m) }, 0},
		"its question is an hour old":   {func(r *rig, _ broadcast.Revision) { r.clock = r.clock.Add(questionLife + time.Minute) }, 0},
		"it was revoked in between":     {func(r *rig, _ broadcast.Revision) { r.revoke() }, 0},
		"it started again, no question": {func(r *rig, _ broadcast.Revision) { r.says("b2", broadcast.ClockUnset, nil) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.list("flood", "bac-quang")
			r.lists(0)
			r.asks("b1", nonceOf(1))
			got := r.lists(nonceEvery)
			if len(got) != 1 {
				t.Fatalf("%d manifests", len(got))
			}
			r.asks("b1", nonceOf(2))
			c.say(r, got[0].Revision)
			if got := r.lists(nonceEvery); len(got) != c.want {
				t.Errorf("%d manifests, want %d", len(got), c.want)
			}
		})
	}
}

func (r *rig) holds(m broadcast.Revision) {
	r.says("b1", broadcast.ClockUnset, map[broadcast.ID]broadcast.Revision{"bac-quang": m})
}

func (r *rig) revoke() {
	r.t.Helper()
	if err := r.cfg.Fleet.Revoke(r.t.Context(), "ky-thuat", node); err != nil {
		r.t.Fatal(err)
	}
}

func TestSecondEmergencyIsAnsweredToWhoHasTheFirst(t *testing.T) {
	r := newRig(t)
	r.list("flood", "bac-quang")
	r.lists(0)
	r.asks("b1", nonceOf(1))
	first := r.lists(nonceEvery)
	r.holds(first[0].Revision)
	r.list("dam", "bac-quang")
	got := r.lists(time.Second)
	if len(got) != 1 || !slices.Equal(got[0].Nonces, []string{nonceOf(1)}) {
		t.Errorf("%+v", got)
	}
}

func TestManifestIsSealedWhateverNodesAsk(t *testing.T) {
	r := newRig(t)
	r.list("flood", "bac-quang")
	r.lists(0)
	r.asks("b1", "not a nonce")
	r.asks("b1", "AAAAAAAAAAAAAAAAAAAAA!")
	if got := r.lists(time.Minute); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	var askers []asker
	for i := range 3 * mostNonces {
		askers = append(askers, asker{question: question{boot: "b", nonce: nonceOf(i), at: r.now()}, node: broadcast.ID(fmt.Sprintf("n%d", i))})
	}
	a := r.area("bac-quang")
	askers = a.unanswered("bac-quang", askers)
	if err := r.renew(t.Context(), "bac-quang", a, a.manifest.Documents, askers); err != nil || len(a.manifest.Nonces) != mostNonces {
		t.Errorf("%d nonces: %v", len(a.manifest.Nonces), err)
	}
}
