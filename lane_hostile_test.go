package loaxa

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// attack is one way to use the recording against a node.
type attack struct {
	name string
	// card is what the node starts on: nil for an empty one.
	card func(*tape) *storetest.Disk
	// after is how long after the morning it begins; unset says that the node's
	// own clock lost the time.
	after time.Duration
	unset bool
	// stream is what the node is given, a message every few milliseconds, and
	// again after each of the reboots.
	stream  func(*tape, *rand.Rand) []carried
	reboots int
	// file answers fetches; nil for the files of the morning.
	file func(*tape, broadcast.Digest) []byte
	// lasts is how long the node is watched: two hours if it is zero.
	lasts time.Duration
	// converges says that in the end the node must hold what the office lists,
	// and sound what is still to come.
	converges bool
	// caught is what a control must be found to do.
	caught string
}

// judge compares what was found wrong with what had to be found.
func (a attack) judge(t *testing.T, seed uint64, found []string) {
	t.Helper()
	if a.caught != "" {
		if !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, a.caught) }) {
			t.Errorf("seed %d: the lane did not catch it: %q", seed, found)
		}
		return
	}
	for _, wrong := range found {
		t.Errorf("seed %d: %s", seed, wrong)
	}
}

func old(r *tape) *storetest.Disk     { return r.early() }
func present(r *tape) *storetest.Disk { return r.late() }

// TestHostileBrokerHoldingEveryMessageOfARun tapes a whole morning of a real
// controller side and a real node, and then gives everything that passed the
// broker, as it was or altered, to nodes on empty, old and present cards. Nothing
// is heard but what the office meant at that time.
func TestHostileBrokerHoldingEveryMessageOfARun(t *testing.T) {
	r := taped(t)
	r.complete(t)
	seed := rand.Uint64()
	for i, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a.judge(t, seed, newVictim(t, r, a).suffer(rand.New(rand.NewPCG(seed, uint64(i)))))
			})
		})
	}
}

// complete checks that every channel and every kind of the wire is on the tape,
// so that no attack passes one by.
func (r *tape) complete(t *testing.T) {
	t.Helper()
	channels, kinds := map[string]bool{}, map[broadcast.Kind]bool{broadcast.KindCertificate: true, broadcast.KindRoot: true} // inside of an authority
	for _, m := range r.said {
		topic, err := wire.ParseTopic(m.topic)
		if err != nil {
			t.Fatal(err)
		}
		channels[topic.Channel.Scope+"/"+topic.Channel.Name] = true
	}
	for _, raw := range r.files {
		if kind, err := seal.Peek(raw); err == nil {
			kinds[kind] = true
		}
	}
	for _, c := range wire.Channels() {
		if !channels[c.Scope+"/"+c.Name] {
			t.Errorf("nothing on %s/%s was taped: have the morning use it", c.Scope, c.Name)
		}
	}
	for _, k := range broadcast.Kinds() {
		if !kinds[k] {
			t.Errorf("no %s was taped: have the morning publish one", k)
		}
	}
}

// victim is a node in the hands of an attacker.
type victim struct {
	*nodetest.Rig
	t     *testing.T
	tape  *tape
	what  attack
	acked int64

	mu       sync.Mutex
	state    wire.State
	seen     map[int64]bool
	problems []string
}

func newVictim(t *testing.T, r *tape, a attack) *victim {
	t.Helper()
	<-time.After(time.Until(r.end.Add(a.after).Time()))
	v := &victim{Rig: nodetest.NewRig(t), t: t, tape: r, what: a, acked: -1, seen: map[int64]bool{}}
	if a.card != nil {
		v.Disk = a.card(r)
	}
	if a.unset {
		v.Ticks.Set(-time.Since(time.Unix(0, 0)), false)
	}
	v.Change = func(cfg *node.Config) {
		cfg.Built = r.built
		fetchFrom(t, cfg, func(sum broadcast.Digest) []byte {
			if a.file != nil {
				return a.file(r, sum)
			}
			return r.file(sum)
		})
	}
	return v
}

// suffer lets the attack happen and returns what went wrong.
func (v *victim) suffer(random *rand.Rand) []string {
	stream := v.what.stream(v.tape, random)
	for range v.what.reboots + 1 {
		v.BootAlone()
		v.Wire.Take = v.take
		v.Wire.Up()
		<-time.After(3 * time.Second)
		for _, m := range stream {
			v.Send(m.topic, m.payload)
			<-time.After(5 * time.Millisecond)
		}
		lasts := v.what.lasts
		if lasts == 0 {
			lasts = 4 * time.Hour
		}
		<-time.After(lasts)
		v.Stop()
	}
	v.heard()
	v.proved()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.what.converges && v.state.Holding != v.tape.holding {
		v.problems = append(v.problems, fmt.Sprintf("lost: it holds %s, and the office lists %s", v.state.Holding.Short(), v.tape.holding.Short()))
	}
	return v.problems
}

func (v *victim) wrong(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// heard judges every closing of the relay: each belongs to one start of an
// announcement that the office means now, and to no other.
func (v *victim) heard() {
	type start struct {
		id broadcast.ID
		at broadcast.Instant
	}
	once := map[start]bool{}
	for _, p := range v.Player.Played() {
		if p.Powered.IsZero() {
			continue
		}
		id := soundingOf(p)
		at, ok := v.tape.allows(id, broadcast.InstantOf(p.Sounding.Start))
		switch one := (start{id, at}); {
		case !ok || p.At.IsZero() || p.At.Sub(p.Sounding.Start).Abs() > time.Minute:
			v.wrong("unbidden: %s at %v, due %v", p.Sounding.Name, p.At.UTC(), p.Sounding.Start.UTC())
		case once[one]:
			v.wrong("twice: %s of %v", id, at)
		default:
			once[one] = true
		}
	}
	siren := v.tape.meant[2]
	if v.what.converges && !once[start{siren.ID, siren.Timing.Start}] {
		v.wrong("silent: %s of %v was not heard", siren.ID, siren.Timing.Start)
	}
}

// take is the broker's side: it answers nothing and misses nothing.
func (v *victim) take(topic string, payload []byte) []nodetest.Outgoing {
	switch topic {
	case wire.Node(nodetest.NodeID, "state"):
		v.states(payload)
	case wire.Node(nodetest.NodeID, "receipt"):
		v.receipts(payload)
	}
	return nil
}

// states checks that no list that the node holds goes back.
func (v *victim) states(payload []byte) {
	s, err := wire.DecodeState(payload)
	if err != nil {
		v.wrong("state: %v", err)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.acked < 0 {
		v.acked = s.Acked
	}
	for area, had := range v.state.Manifests {
		if now := s.Manifests[area]; now < had {
			v.problems = append(v.problems, fmt.Sprintf("floor: the list of %s went from %d back to %d", area, had, now))
		}
	}
	v.state = s
}

// receipts keeps the numbers of what the node proved.
func (v *victim) receipts(payload []byte) {
	batch, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, payload, v.Public())
	if err != nil {
		v.wrong("receipts: %v", err)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, r := range batch.Receipts {
		v.seen[r.Seq] = true
	}
}

// proved checks that the node told every receipt of which it had no true
// acknowledgement when the attack began.
func (v *victim) proved() {
	for seq := v.acked + 1; seq <= v.state.Seq; seq++ {
		if !v.seen[seq] {
			v.wrong("receipt %d of %d was never told", seq, v.state.Seq)
		}
	}
}

// soundingOf is the announcement that sounded.
func soundingOf(p nodetest.Played) broadcast.ID {
	id, _, _ := strings.Cut(p.Sounding.Name, "-")
	return broadcast.ID(id)
}
