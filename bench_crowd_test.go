package loaxa

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/sim"
	"github.com/loaxa/loaxa/device/store"
)

// patience bounds the wait for one answer.
const patience = 20 * time.Second

var errNoAnswer = errors.New("no answer")

// member is a node of a crowd on its link. It keeps the last answer and the
// authority of the district.
type member struct {
	*chained
	link      *link.Link
	answers   chan []byte
	authority chan []byte
	up        chan struct{}
}

func newMember(b *testing.B, broker, user, password string, topics []string) *member {
	b.Helper()
	m := &member{answers: make(chan []byte, 1), authority: make(chan []byte, 1), up: make(chan struct{}, 1)}
	var err error
	m.link, err = link.New(link.Config{Brokers: []string{broker}, Topics: topics, Listener: m, Log: slog.New(slog.DiscardHandler),
		Credentials: func() (string, string, bool) { return user, password, true }, Rand: rand.New(rand.NewPCG(rand.Uint64(), 1))})
	if err != nil {
		b.Fatal(err)
	}
	served(b, m.link.Serve)
	return m
}

// served runs something until the benchmark is over.
func served(b *testing.B, serve func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = serve(ctx) // the context's error
	}()
	b.Cleanup(func() {
		cancel()
		<-done
	})
}

// OnUp notes that the link is up.
func (m *member) OnUp(string) { put(m.up, struct{}{}) }

// OnDown changes nothing: the link comes back.
func (m *member) OnDown(string, error) {}

// OnMessage keeps what the benchmark waits for.
func (m *member) OnMessage(topic string, payload []byte) {
	switch {
	case strings.HasSuffix(topic, "/receipt/ack"):
		put(m.answers, payload)
	case strings.HasSuffix(topic, "/authority"):
		put(m.authority, payload)
	}
}

// put keeps the first of what nobody took yet.
func put[T any](c chan T, v T) {
	select {
	case c <- v:
	default:
	}
}

func take[T any](c chan T) (T, error) {
	select {
	case v := <-c:
		return v, nil
	case <-time.After(patience):
		var none T
		return none, errNoAnswer
	}
}

// exchange sends and returns the answer.
func (m *member) exchange(topic string, payload []byte) ([]byte, error) {
	if err := m.link.Publish(context.Background(), link.Message{Topic: topic, Payload: payload}); err != nil {
		return nil, err
	}
	return take(m.answers)
}

// connected are 300 nodes at a real controller.
type connected struct {
	nodes []*member
	ring  *seal.Keyring
}

// newConnected starts a controller, enrols 300 nodes and waits until all of
// them are confirmed and hear their areas.
func newConnected(b *testing.B) *connected {
	b.Helper()
	w := &world{TB: b, binaries: built(b), dir: b.TempDir(), http: "127.0.0.1:0", mqtt: "127.0.0.1:0", nodes: crowd}
	w.startController()
	w.token = w.tokenOf("officer")
	places, err := sim.DefaultPlaces(crowd)
	if err != nil {
		b.Fatal(err)
	}
	var invited sim.Invitations
	if err := w.post("/api/v1/demo/enrolment-tokens", "", map[string]any{"nodes": places}, &invited); err != nil {
		b.Fatal(err)
	}
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		b.Fatal(err)
	}
	c := &connected{}
	for i, t := range invited.Tokens {
		chain, err := tree.Chain(places[i].Area, broadcast.InstantOf(time.Now()))
		if err != nil {
			b.Fatal(err)
		}
		m, ring := w.enrol(b, invited.Fingerprint, t, chain)
		c.nodes, c.ring = append(c.nodes, m), ring
	}
	authority := authorityOf(b, c.nodes)
	if err := c.ring.Learn(authority.Certificates, nil, anywhere{}); err != nil {
		b.Fatal(err)
	}
	return c
}

// enrol makes one node known to the controller and connects it.
func (w *world) enrol(b *testing.B, pin broadcast.Digest, t sim.Invitation, chain []broadcast.Place) (*member, *seal.Keyring) {
	b.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	dir := filepath.Join(w.dir, "cards")
	registers, err := store.OpenRegisters(store.OS(), filepath.Join(dir, string(t.Node), "registers"),
		store.RegisterLimits{Value: 64 << 10, Count: 16, Total: 1 << 20})
	if err != nil {
		b.Fatal(err)
	}
	who := node.Candidate{Controller: w.url, Node: t.Node, Token: t.Token, Board: "simulated", Pin: pin, Demo: true}
	e, err := node.Enrol(b.Context(), &http.Client{Timeout: patience}, who, key, registers)
	if err != nil {
		b.Fatal(err)
	}
	ring, err := seal.NewKeyring(pin, e.Roots, true)
	if err != nil {
		b.Fatal(err)
	}
	_, topics := wire.NodeRights(t.Node, chain)
	m := newMember(b, e.Controllers[0].MQTT, string(t.Node), e.Secret, topics)
	if m.chained, err = newChained(dir, t.Node, key); err != nil {
		b.Fatal(err)
	}
	return m, ring
}

// authorityOf waits until every node was given the authority of its district,
// which the broker gives only to confirmed ones.
func authorityOf(b *testing.B, nodes []*member) broadcast.Authority {
	b.Helper()
	var raw []byte
	for _, m := range nodes {
		var err error
		if raw, err = take(m.authority); err != nil {
			b.Fatalf("%s was not given the authority: %v", m.id, err)
		}
	}
	env, err := seal.Parse(broadcast.KindAuthority, raw)
	if err != nil {
		b.Fatal(err)
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		b.Fatal(err)
	}
	a, err := broadcast.Decode[broadcast.Authority](payload)
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// round is one exchange of all nodes.
func (c *connected) round() error {
	return allOf(c.nodes, func(m *member) error {
		raw, err := m.state()
		if err != nil {
			return err
		}
		ack, err := m.exchange(wire.Node(m.id, "receipt"), raw)
		if err != nil {
			return fmt.Errorf("%s: %w", m.id, err)
		}
		return m.settle(ack, c.ring)
	})
}

// raw is a crowd whose messages are answered without being read.
type raw struct {
	nodes   []*member
	payload []byte
}

// open lets everybody in, each to its own topics.
type open struct{}

const consumer = "consumer"

// Authorise gives a node its topics, and the consumer all of them.
func (open) Authorise(user, _ string) (broker.Rights, bool) {
	if user == consumer {
		return broker.Rights{Publish: []string{wire.Prefix + "/#"}, Read: []string{wire.Prefix + "/#"}}, true
	}
	publish, read := wire.NodeRights(broadcast.ID(user), nil)
	return broker.Rights{Publish: publish, Read: read}, true
}

// newRaw starts the embedded broker alone, a consumer that answers, and 300
// nodes. A message is as long as a sealed receipt.
func newRaw(b *testing.B) *raw {
	b.Helper()
	e, err := broker.Embed(broker.EmbedConfig{Dir: b.TempDir(), Addr: "127.0.0.1:0", Authorise: open{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	served(b, e.Serve)
	<-e.Ready()
	url := "mqtt://" + e.Addr()
	answer := make([]byte, 600)
	ready := make(chan struct{}, 1)
	var c *broker.Client
	c, err = broker.Connect(broker.ClientConfig{URL: url, Username: consumer, Password: "-", Subscriptions: []string{wire.Prefix + "/node/+/receipt"},
		Log: slog.New(slog.DiscardHandler), OnUp: func(context.Context) { put(ready, struct{}{}) },
		OnMessage: func(m broker.Message) { _ = c.Publish(m.Topic+"/ack", answer, false) }}) // what is lost shows
	if err != nil {
		b.Fatal(err)
	}
	served(b, c.Serve)
	r := &raw{payload: make([]byte, 900)}
	for i := range crowd {
		id := broadcast.ID(fmt.Sprintf("raw-%d", i))
		m := newMember(b, url, string(id), "-", []string{wire.Node(id, "receipt/ack")})
		m.chained = &chained{id: id}
		r.nodes = append(r.nodes, m)
	}
	for _, m := range r.nodes {
		if _, err := take(m.up); err != nil {
			b.Fatalf("%s is not connected: %v", m.id, err)
		}
	}
	if _, err := take(ready); err != nil {
		b.Fatal(err)
	}
	return r
}

// round is one message of every node and its answer.
func (r *raw) round() error {
	return allOf(r.nodes, func(m *member) error {
		_, err := m.exchange(wire.Node(m.id, "receipt"), r.payload)
		return err
	})
}
