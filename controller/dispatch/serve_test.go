package dispatch

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
)

const nonce = "AAAAAAAAAAAAAAAAAAAAAA"

// lost is a node that knows nothing.
func lost() wire.State {
	return wire.State{Boot: "b1", Version: "1", Board: "simulated", Clock: broadcast.ClockUnset, Holding: broadcast.Sum(nil), Chain: "c1", Resync: true}
}

func TestNodeComesInStepThroughTheBroker(t *testing.T) {
	w := newWorld(t)
	n := w.connect()
	raw := w.list("a1", "bac-quang")
	w.Changed()
	n.hears(wire.Area("bac-quang", "announcement"), nil)
	n.hears(wire.Area("bac-quang", "manifest"), w.lists("a1"))

	asked := broadcast.InstantOf(time.Now())
	n.hint("presence", wire.Presence{State: wire.Ready, Connection: "k1", Boot: "b1", Nonce: nonce}, true)
	m := n.hears(wire.Node(node, "time"), nil)
	answer, _, err := seal.Open[broadcast.TimeAnswer](w.house.Keyring(places()), broadcast.KindTime, m.Payload, seal.Context{Places: places()})
	if err != nil || answer.Nonce != nonce || answer.At < asked {
		t.Errorf("asked at %s: %+v %v", asked, answer, err)
	}

	n.hint("state", lost(), true)
	n.hears(wire.Node(node, "assignment"), nil)
	n.hears(wire.Node(node, "document"), func(m broker.Message) bool { return string(m.Payload) == string(raw) })

	all := receipts(t, 5, "")
	for i, part := range [][]broadcast.Receipt{all[:2], all[:2], all[1:5]} {
		want := part[len(part)-1]
		ack := w.proves(n, part)
		digest, err := want.Digest()
		if err != nil || ack.Seq != want.Seq || ack.Hash != digest || w.stored() != int(want.Seq) {
			t.Errorf("part %d: acknowledged %+v, stored %d", i, ack, w.stored())
		}
	}
	standings, err := w.fleet.Overview(t.Context())
	if err != nil || len(standings) != 1 || !standings[0].Present || standings[0].State == nil {
		t.Errorf("%+v %v", standings, err)
	}
}

func TestBrokerThatForgotEverythingIsFilledAgain(t *testing.T) {
	w := newWorld(t)
	n := w.connect()
	w.list("a1", "tan-lap")
	w.Changed()
	n.hears(wire.Area("tan-lap", "manifest"), w.lists("a1"))

	w.stopBroker()
	w.list("a2", "tan-lap")
	w.dir = t.TempDir()
	w.startBroker()
	n.online()
	got := n.hears(wire.Area("tan-lap", "manifest"), w.lists("a2"))
	if !w.lists("a1")(got) {
		t.Error("what was listed before is gone")
	}
	// Who comes only now may have missed it, says what it holds, and is served.
	late := w.connect()
	late.hint("state", lost(), true)
	late.hears(wire.Node(node, "document"), w.lists("a2"))
	late.hears(wire.ControllerTopic, func(m broker.Message) bool { return runOf(t, m) == "run1-2" })
	if ack := w.proves(n, receipts(t, 1, "")); ack.Seq != 1 {
		t.Errorf("%+v", ack)
	}
}

// runOf reads which start of the controller is online.
func runOf(t *testing.T, m broker.Message) broadcast.ID {
	t.Helper()
	var s wire.ControllerState
	if err := json.Unmarshal(m.Payload, &s); err != nil || !s.Online {
		t.Errorf("%s %v", m.Payload, err)
	}
	return s.Run
}

func TestNewControllerGoesOnWhereTheOldOneStopped(t *testing.T) {
	w := newWorld(t)
	n := w.connect()
	all := receipts(t, 4, "")
	w.proves(n, all[:2])
	w.list("a1", "tan-lap")
	w.Changed()
	before := n.hears(wire.Area("tan-lap", "manifest"), w.lists("a1"))

	w.stopDispatch()
	// Sent while nobody listens: lost, and sent again.
	n.say("receipt", []byte("nobody hears this"), false)
	w.newFleet()
	w.startDispatch("run2")
	n.hears(wire.ControllerTopic, func(m broker.Message) bool { return runOf(t, m) == "run2-1" })
	after := n.hears(wire.Area("tan-lap", "manifest"), w.lists("a1"))
	if string(after.Payload) != string(before.Payload) {
		t.Error("another manifest, although nothing changed")
	}
	if ack := w.proves(n, all[1:]); ack.Seq != 4 || w.stored() != 4 {
		t.Errorf("acknowledged %+v, stored %d", ack, w.stored())
	}
	w.list("a2", "tan-lap")
	w.Changed()
	n.hears(wire.Area("tan-lap", "announcement"), nil)
	if again := n.hears(wire.Area("tan-lap", "manifest"), w.lists("a2")); w.manifest(again).Revision <= w.manifest(before).Revision {
		t.Error("the revision went back")
	}
}

func TestRevokedNodeIsSentAwayAndStaysOut(t *testing.T) {
	w := newWorld(t)
	n := w.connect()
	n.hint("state", lost(), true)
	n.hears(wire.Node(node, "document"), nil)
	if err := w.fleet.Revoke(t.Context(), "quan-tri", node); err != nil {
		t.Fatal(err)
	}
	w.Changed()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); n.Publish(wire.Node(node, "health"), []byte("{}"), false) == nil; {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("a revoked node still speaks")
		}
	}
	if _, ok := w.fleet.Authorise(string(node), w.secret); ok || len(n.up) != 0 {
		t.Error("a revoked node may come back")
	}
}
