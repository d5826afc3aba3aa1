package node_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// everyTopic are all topics that this node listens to.
func everyTopic() []string {
	var out []string
	for _, c := range wire.Channels() {
		switch {
		case c.From != wire.FromController:
		case c.Scope == "area":
			out = append(out, wire.Area(nodetest.Top, c.Name), wire.Area(nodetest.Area, c.Name))
		case c.Scope == "node":
			out = append(out, wire.Node(nodetest.NodeID, c.Name))
		default:
			out = append(out, wire.ControllerTopic)
		}
	}
	return out
}

// forgeries are what somebody without a key can make of a good document.
func forgeries(t *testing.T, good []byte) map[string][]byte {
	t.Helper()
	var env broadcast.Envelope
	if err := json.Unmarshal(good, &env); err != nil {
		t.Fatal(err)
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		t.Fatal(err)
	}
	with := func(p []byte, signatures ...broadcast.Signature) []byte {
		b, err := broadcast.Encode(broadcast.Envelope{Payload: base64.RawURLEncoding.EncodeToString(p), Signatures: signatures})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	header := func(typ string) broadcast.Signature {
		h := `{"alg":"EdDSA","kid":"` + strings.Repeat("0", 64) + `","typ":"` + typ + `"}`
		return broadcast.Signature{Protected: base64.RawURLEncoding.EncodeToString([]byte(h)), Signature: env.Signatures[0].Signature}
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	return map[string][]byte{
		"empty":                 {},
		"not JSON":              []byte("\x00\xff<xml/>"),
		"half":                  good[:len(good)/2],
		"one bit":               flipped,
		"another content":       with(bytes.Replace(payload, []byte(`"ms":`), []byte(`"ms":9`), 1), env.Signatures...),
		"another class":         with(bytes.Replace(payload, []byte("priority"), []byte("emergency"), 1), env.Signatures...),
		"another place":         with(bytes.Replace(payload, []byte(nodetest.Top), []byte(nodetest.Area), 1), env.Signatures...),
		"a duplicate key":       with(append([]byte(`{"id":"x",`), payload[1:]...), env.Signatures...),
		"a case-folded key":     with(bytes.Replace(payload, []byte(`"id"`), []byte(`"ID"`), 1), env.Signatures...),
		"a later version":       with(payload, header("loaxa/announcement.v2")),
		"no such kind":          with(payload, header("loaxa/order.v1")),
		"an unknown signer":     with(payload, header("loaxa/announcement.v1")),
		"one signature twice":   with(payload, env.Signatures[0], env.Signatures[0]),
		"an unprotected header": bytes.Replace(good, []byte(`"signatures"`), []byte(`"header":{},"signatures"`), 1),
		"too large":             bytes.Repeat(good, 200),
	}
}

// strangers are documents that are well sealed by people without the right.
func strangers(r *nodetest.Rig) map[string][]byte {
	elsewhere := r.Centre.House.Officer("elsewhere", broadcast.Commune, "viet-quang")
	mine := r.Announcement("mine", broadcast.Emergency, 5*time.Second, time.Second)
	other := mine
	other.ID, other.Areas = "other", []broadcast.ID{"viet-quang"}
	late := mine
	late.ID, late.Revision = "late", broadcast.Revision(r.Centre.Instant().Add(time.Hour))
	late.Timing.Start = r.Centre.Instant().Add(2 * time.Second)
	foreign := sealtest.NewHouse(nodetest.Top, r.Centre.Instant(), false)
	thief := sealtest.Bare("thief")
	service := r.Centre.House.Service
	return map[string][]byte{
		"of another commune":    sealtest.Sealed(broadcast.KindAnnouncement, mine, elsewhere, r.Centre.House.Officer("second", broadcast.Commune, "viet-quang")),
		"for another commune":   sealtest.Sealed(broadcast.KindAnnouncement, other, r.Centre.Editor, r.Centre.Approver),
		"by the service's key":  sealtest.Sealed(broadcast.KindAnnouncement, mine, service),
		"by a bare key":         sealtest.Sealed(broadcast.KindAnnouncement, mine, thief),
		"from the future":       sealtest.Sealed(broadcast.KindAnnouncement, late, r.Centre.Editor, r.Centre.Approver),
		"another root's":        sealtest.Sealed(broadcast.KindAnnouncement, mine, foreign.Certify(broadcast.Certificate{Person: "spy", Level: broadcast.Province, Areas: []broadcast.ID{nodetest.Top}, Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActAnnounce, broadcast.ActApprove}})),
		"another kind":          sealtest.Sealed(broadcast.KindDrill, mine, r.Centre.Editor, r.Centre.Approver),
		"a policy of one":       sealtest.Sealed(broadcast.KindPolicy, lax(r), r.Centre.Editor),
		"a manifest by a clerk": sealtest.Sealed(broadcast.KindManifest, broadcast.Manifest{Area: nodetest.Top, Revision: broadcast.Revision(r.Centre.Instant())}, r.Centre.Editor),
		"a time by a clerk":     sealtest.Sealed(broadcast.KindTime, broadcast.TimeAnswer{Node: nodetest.NodeID, Boot: "b", Nonce: strings.Repeat("A", 22), At: r.Centre.Instant()}, r.Centre.Editor),
	}
}

func lax(r *nodetest.Rig) broadcast.Policy {
	p := broadcast.Policy{Area: nodetest.Top, Revision: r.Centre.Revision("lax"), OneOfficer: broadcast.Classes()}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 1})
	}
	return p
}

func TestHostileBroker(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		keep := r.Announcement("keep", broadcast.Priority, 30*time.Minute, time.Second)
		r.Announce(keep)
		pass(10 * time.Second)
		before := r.Centre.State(nodetest.NodeID)
		good := r.Centre.Sealed(broadcast.KindAnnouncement, r.Announcement("good", broadcast.Priority, 10*time.Second, time.Second), "",
			r.Centre.Editor, r.Centre.Approver)
		bad := forgeries(t, good)
		for name, raw := range strangers(r) {
			bad[name] = raw
		}
		for _, topic := range everyTopic() {
			for name, raw := range bad {
				if name == "another kind" && strings.HasSuffix(topic, "announcement") || name == "another kind" && strings.HasSuffix(topic, "document") {
					continue // a drill that two officers sealed is what it says
				}
				r.Send(topic, raw)
				synctest.Wait()
			}
		}
		pass(10 * time.Minute)
		sounded(t, r, 0)
		after := r.Centre.State(nodetest.NodeID)
		if after.Holding != before.Holding || after.Clock != before.Clock {
			t.Errorf("holding %s became %s, clock %s became %s", before.Holding.Short(), after.Holding.Short(), before.Clock, after.Clock)
		}
		for _, got := range r.Centre.Receipts(nodetest.NodeID) {
			if got.Announcement != "keep" && got.Rung != broadcast.Refused {
				t.Errorf("receipt %s of %s", got.Rung, got.Announcement)
			}
		}
		pass(time.Hour)
		rungs(t, r, "keep", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestDocumentsInAnyOrderComeToTheSame(t *testing.T) {
	seed := rand.Uint64()
	shuffle := rand.New(rand.NewPCG(seed, 1))
	for range 12 {
		synctest.Test(t, func(t *testing.T) {
			r := nodetest.NewRig(t)
			r.Boot()
			defer r.Stop()
			flood := r.Announcement("flood", broadcast.Emergency, time.Minute, time.Second)
			market := r.Announcement("market", broadcast.Priority, 2*time.Minute, time.Second)
			gone := r.Announcement("gone", broadcast.Emergency, 3*time.Minute, time.Second)
			messages := []nodetest.Outgoing{
				{Topic: wire.Node(nodetest.NodeID, "document"), Payload: r.Centre.Authority()},
				{Topic: wire.Node(nodetest.NodeID, "assignment"), Payload: r.Centre.Assignment(nodetest.NodeID, r.Public(), nodetest.Area)},
				{Topic: wire.Area(nodetest.Top, "policy"), Payload: r.Centre.Policy(nil)},
				{Topic: wire.Area(nodetest.Top, "announcement"), Payload: r.Sealed(flood)},
				{Topic: wire.Area(nodetest.Top, "announcement"), Payload: r.Sealed(market)},
				{Topic: wire.Area(nodetest.Top, "announcement"), Payload: r.Sealed(gone)},
				{Topic: wire.Area(nodetest.Top, "withdrawal"), Payload: r.Centre.Sealed(broadcast.KindWithdrawal,
					broadcast.Withdrawal{ID: "w-1", Revision: r.Centre.Revision("w-1"), Announcement: "gone", Upto: gone.Revision,
						Class: gone.Class, Areas: gone.Areas}, nodetest.Top, r.Centre.Approver)},
			}
			messages = append(messages, nodetest.Outgoing{Topic: wire.Area(nodetest.Top, "manifest"), Payload: r.Centre.Manifest(nodetest.Top)})
			shuffle.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
			for _, m := range messages {
				r.Send(m.Topic, m.Payload)
				pass(10 * time.Millisecond)
			}
			pass(time.Hour)
			names := []string{}
			for _, one := range sounded(t, r, 2) {
				name, _, _ := strings.Cut(one.Sounding.Name, "-")
				names = append(names, name)
			}
			if !slices.Equal(names, []string{"flood", "market"}) {
				t.Errorf("seed %d: %q sounded", seed, names)
			}
		})
	}
}

func TestOldDocumentsAreNotBelievedAfterABoot(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		oldManifest, oldPolicy := r.Centre.Manifest(nodetest.Top), r.Centre.Policy(func(p *broadcast.Policy) { p.OneOfficer = broadcast.Classes() })
		newPolicy := r.Centre.Policy(nil)
		r.Announce(r.Announcement("market", broadcast.Priority, time.Hour, time.Second))
		r.Send(wire.Area(nodetest.Top, "policy"), newPolicy)
		r.List()
		pass(10 * time.Second)
		holding := r.Centre.State(nodetest.NodeID).Holding
		r.Stop()
		r.Boot()
		for range 3 {
			r.Send(wire.Area(nodetest.Top, "manifest"), oldManifest)
			r.Send(wire.Area(nodetest.Top, "policy"), oldPolicy)
			pass(time.Second)
		}
		pass(10 * time.Second)
		if got := r.Centre.State(nodetest.NodeID).Holding; got != holding {
			t.Errorf("old lists changed what it holds from %s to %s", holding.Short(), got.Short())
		}
		one := r.Announcement("alone", broadcast.Priority, time.Minute, time.Second)
		one.Reason = "the old policy let one officer speak"
		r.Send(wire.Area(nodetest.Top, "announcement"), r.Centre.Sealed(broadcast.KindAnnouncement, one, nodetest.Top, r.Centre.Approver))
		r.List()
		pass(2 * time.Hour)
		rungs(t, r, "alone", "received", "verified", "cached", "refused threshold")
		sounded(t, r, 1)
	})
}

func TestWithheldManifestTakesNothingAway(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		raw := r.Sealed(r.Announcement("flood", broadcast.Emergency, time.Minute, time.Second))
		r.Send(wire.Area(nodetest.Top, "announcement"), raw) // and no list ever names it
		pass(time.Hour)
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestEqualRevisionTwoBodiesIsAFaultAndTheFirstIsKept(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 10*time.Second, time.Second)
		b := a
		b.Title = "Một bản tin khác"
		r.Announce(a)
		pass(time.Second)
		r.Send(wire.Area(nodetest.Top, "announcement"), sealtest.Sealed(broadcast.KindAnnouncement, b, r.Centre.Editor, r.Centre.Approver))
		pass(5 * time.Second)
		if faults := r.Centre.Faults(nodetest.NodeID); !slices.Contains(faults, broadcast.FaultEquivocation) {
			t.Errorf("faults %q, want equivocation", faults)
		}
		pass(time.Minute)
		sounded(t, r, 1)
	})
}

func TestEnvelopeThatLostASignatureDoesNotBarTheWholeOne(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, 10*time.Second, time.Second)
		whole := r.Sealed(a)
		var env broadcast.Envelope
		if err := json.Unmarshal(whole, &env); err != nil {
			t.Fatal(err)
		}
		env.Signatures = env.Signatures[1:] // as a broker could do: the rest is valid
		stripped, err := broadcast.Encode(env)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range [][]byte{stripped, whole, stripped} {
			r.Send(wire.Area(nodetest.Top, "announcement"), raw)
			pass(time.Second)
		}
		pass(time.Minute)
		sounded(t, r, 1)
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		if faults := r.Centre.Faults(nodetest.NodeID); len(faults) > 0 {
			t.Errorf("faults %q", faults)
		}
	})
}

func TestOldAlarmUnsetClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		a := r.Announcement("flood", broadcast.Emergency, time.Hour, time.Second)
		raw := r.Announce(a)
		pass(time.Minute)
		r.Stop()
		pass(60 * 24 * time.Hour)
		// A year later by the truth, 1970 by the board, and nobody answers.
		r.Ticks.Set(-time.Since(time.Unix(0, 0)), false)
		r.Centre.Silence(false, true)
		r.Boot()
		r.Send(wire.Area(nodetest.Top, "announcement"), raw)
		pass(3 * time.Hour)
		sounded(t, r, 0)
		if s := r.Centre.State(nodetest.NodeID); s.Clock != broadcast.ClockUnset {
			t.Errorf("clock %s, want unset", s.Clock)
		}
		rungs(t, r, "flood", "received", "verified", "cached") // no verdict while the time is unknown
		r.Centre.Silence(false, false)
		r.Wire.Down()
		r.Wire.Up()
		pass(time.Minute)
		sounded(t, r, 0)
		rungs(t, r, "flood", "received", "verified", "cached", "expired expired")
	})
}

func TestFreshManifestLetsAnEmergencySoundWithoutAClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Ticks.Set(-20*365*24*time.Hour, false)
		r.Centre.Silence(false, true)
		r.Boot()
		defer r.Stop()
		r.Settle()
		pass(time.Second)
		a := r.Announcement("flood", broadcast.Emergency, 5*time.Second, time.Second)
		r.Announce(a)
		pass(20 * time.Second)
		sounded(t, r, 0) // nothing says that it is not an old one
		b := r.Announcement("again", broadcast.Emergency, 30*time.Second, time.Second)
		r.Announce(b)
		pass(time.Second)
		r.List(asked(t, r))
		pass(time.Second)
		r.List() // a later list takes nothing back
		pass(2 * time.Minute)
		heard := sounded(t, r, 2) // the first joined on its grid
		if off := heard[len(heard)-1].First.Sub(b.Timing.Start.Time()).Abs(); off > time.Second {
			t.Errorf("the alarm sounded %v off by the time of the manifest", off)
		}
	})
}

// asked is the nonce that the node asked with last.
func asked(t *testing.T, r *nodetest.Rig) string {
	t.Helper()
	for _, m := range slices.Backward(r.Wire.Published()) {
		if m.Topic == wire.Node(nodetest.NodeID, "presence") {
			p, err := wire.DecodePresence(m.Payload)
			if err != nil {
				t.Fatal(err)
			}
			return p.Nonce
		}
	}
	t.Fatal("the node asked for no time")
	return ""
}

func TestControllerRestoredYesterdayCanGoOn(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("market", broadcast.Priority, 48*time.Hour, time.Second))
		pass(time.Second)
		// The backup's lists are older than what the node holds; a key of the
		// next epoch begins a new series.
		old := broadcast.Manifest{Area: nodetest.Top, Revision: broadcast.Revision(r.Centre.Instant().Add(-time.Hour))}
		r.Send(wire.Area(nodetest.Top, "manifest"), sealtest.Sealed(broadcast.KindManifest, old, r.Centre.House.Service))
		pass(10 * time.Second)
		before := r.Centre.State(nodetest.NodeID).Manifests[nodetest.Top]
		next := r.Centre.House.Certify(broadcast.Certificate{Person: "service-2", Level: broadcast.Province,
			Areas: []broadcast.ID{nodetest.Top}, Acts: broadcast.ServiceActs(), Epoch: 2})
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
		r.Send(wire.Area(nodetest.Top, "manifest"), sealtest.Sealed(broadcast.KindManifest, old, next))
		pass(10 * time.Second)
		after := r.Centre.State(nodetest.NodeID).Manifests[nodetest.Top]
		if before <= old.Revision || after != old.Revision {
			t.Errorf("manifest %d before the new epoch, %d after; the backup's is %d", before, after, old.Revision)
		}
	})
}

func TestDemoRootIsRefusedByARealNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Centre = nodetest.NewCentre(time.Now, true)
		r.Fetcher.Centre = r.Centre
		r.Boot()
		defer r.Stop()
		r.Settle()
		pass(time.Second)
		r.Announce(r.Announcement("flood", broadcast.Emergency, 5*time.Second, time.Second))
		pass(time.Hour)
		sounded(t, r, 0)
		if topics := r.Wire.Topics(); slices.Contains(topics, wire.Area(nodetest.Top, "+")) {
			t.Errorf("a demo root gave the node a place: %q", topics)
		}
	})
}

func TestCommandsOfAnotherBootAreNotObeyed(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		boot := r.Centre.State(nodetest.NodeID).Boot
		stated := func() int {
			n := 0
			for _, m := range r.Wire.Published() {
				if m.Topic == wire.Node(nodetest.NodeID, "state") && bytes.Contains(m.Payload, []byte(`"resync":true`)) {
					n++
				}
			}
			return n
		}
		pass(time.Minute)
		before := stated()
		command := func(id, boot broadcast.ID, by seal.Signer) {
			now := r.Centre.Instant()
			doc := broadcast.Command{ID: id, Revision: broadcast.Revision(now), Node: nodetest.NodeID, Boot: boot, Verb: broadcast.VerbResync,
				Expires: now.Add(time.Minute)}
			r.Send(wire.Node(nodetest.NodeID, "command"), sealtest.Sealed(broadcast.KindCommand, doc, by))
			pass(10 * time.Second)
		}
		command("c-1", "another-boot", r.Centre.Approver)
		command("c-2", boot, r.Centre.House.Officer("far", broadcast.Commune, "viet-quang"))
		if got := stated(); got != before {
			t.Error("a command of another boot or place was obeyed")
		}
		command("c-3", boot, r.Centre.Approver)
		if got := stated(); got != before+1 {
			t.Errorf("a good command was not obeyed: %d states ask for everything, %d before", got, before)
		}
	})
}
