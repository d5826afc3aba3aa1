package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/store"
)

// How often things are looked at when nobody asks.
const (
	scanEvery    = 2 * time.Second
	refreshAfter = 6 * time.Hour
	resyncEvery  = 2 * time.Second
	sweepEvery   = time.Hour
	// listedFor is how long what has ended stays in the listings: they are asked
	// with a clock that may have run ahead.
	listedFor = 7 * 24 * time.Hour
	queued    = 4096
)

// Bus carries messages to the broker. An error means that the message was not
// handed over; no error means nothing.
type Bus interface {
	Publish(topic string, payload []byte, retained bool) error
}

// Broker ends every session of a credential and says how many there were.
type Broker interface {
	Kick(username string) int
}

// Office lends the key that signs manifests, time answers and acknowledgements.
// It is asked before each use, because its certificate is renewed meanwhile.
type Office interface {
	Service(ctx context.Context) (seal.Signer, error)
}

// Config is what a dispatch works with; all of it is needed.
type Config struct {
	DB     *store.DB
	Fleet  *fleet.Fleet
	Events *events.Hub
	// Office lends the service key.
	Office Office
	Bus    Bus
	// Broker ends the sessions of nodes whose rights changed; nil if the broker
	// is not ours, where that is for its operator.
	Broker Broker
	// Run is another at every start of the controller, at most 30 characters.
	Run broadcast.ID
	Now func() time.Time
	Log *slog.Logger
}

// Dispatch keeps database and fleet in step. Make one with New.
type Dispatch struct {
	cfg      Config
	changed  chan struct{}
	up       chan struct{}
	receipts chan incoming
	wanting  chan broadcast.ID
	refused  ration
	// began is when this dispatch was made; released, that no restoration waits.
	began    time.Time
	released atomic.Bool

	// The rest belongs to the loop that serves changes.
	areas map[broadcast.ID]*area
	// placed has the assignment that each node was given; nil until the first
	// scan, since nobody was connected before the controller started.
	placed map[broadcast.ID]broadcast.Digest
	// emergencies says of every listed announcement whether it is one.
	emergencies map[broadcast.Digest]bool

	mu        sync.Mutex
	ups       int // connections to the broker
	served    map[broadcast.ID]time.Time
	questions map[broadcast.ID]question
}

// New returns a dispatch that does nothing until Serve.
func New(cfg Config) *Dispatch {
	return &Dispatch{cfg: cfg, changed: make(chan struct{}, 1), up: make(chan struct{}, 1), receipts: make(chan incoming, queued),
		wanting: make(chan broadcast.ID, queued), areas: map[broadcast.ID]*area{},
		served: map[broadcast.ID]time.Time{}, questions: map[broadcast.ID]question{}, refused: ration{now: cfg.Now}, began: cfg.Now()}
}

func (d *Dispatch) now() broadcast.Instant { return broadcast.InstantOf(d.cfg.Now()) }

// Changed asks for a look at the listings now rather than at the next scan. It
// never blocks.
func (d *Dispatch) Changed() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Up is called after every connection to the broker: whatever it had retained
// may be gone or old, so everything is published again.
func (d *Dispatch) Up(ctx context.Context) {
	d.mu.Lock()
	d.ups++
	run := fmt.Sprintf("%s-%d", d.cfg.Run, d.ups)
	clear(d.served)
	d.mu.Unlock()
	online, err := broadcast.Encode(wire.ControllerState{Online: true, Run: broadcast.ID(run)})
	if err == nil {
		err = d.cfg.Bus.Publish(wire.ControllerTopic, online, true)
	}
	if err != nil {
		d.cfg.Log.WarnContext(ctx, "could not say that the controller is online", "err", err)
	}
	select {
	case d.up <- struct{}{}:
	default: // it is asked for already
	}
}

// Serve runs until ctx ends. Errors of single documents are logged and tried
// again at the next scan.
func (d *Dispatch) Serve(ctx context.Context) error {
	if r, err := d.restoration(ctx); err == nil && r != nil {
		d.cfg.Log.WarnContext(ctx, "restored from a backup: nothing of it goes out before an administrator has accepted the difference (restore show, restore accept)", "made", r.Made)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.serveReceipts(ctx) })
	g.Go(func() error { return d.serveChanges(ctx) })
	return g.Wait()
}

// serveChanges owns the areas: it alone seals and publishes manifests.
func (d *Dispatch) serveChanges(ctx context.Context) error {
	tick := time.NewTicker(scanEvery)
	defer tick.Stop()
	old := time.NewTicker(sweepEvery)
	defer old.Stop()
	d.sweep(ctx)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-old.C:
			d.sweep(ctx)
		case <-d.up:
			d.scan(ctx, true)
		case <-d.changed:
			d.scan(ctx, false)
		case <-tick.C:
			d.scan(ctx, false)
			if err := d.cfg.Fleet.Flush(ctx); err != nil {
				d.cfg.Log.ErrorContext(ctx, "hints of nodes were not stored", "err", err)
			}
		case node := <-d.wanting:
			if err := d.give(ctx, node); err != nil {
				d.cfg.Log.WarnContext(ctx, "node was not given what it lacks", "node", node, "err", err)
			}
		}
	}
}

// sweep forgets listings that ended long ago.
func (d *Dispatch) sweep(ctx context.Context) {
	var gone int64
	err := d.cfg.DB.Update(ctx, func(tx store.Tx) (err error) {
		gone, err = tx.DropListings(ctx, d.now().Add(-listedFor))
		return err
	})
	switch {
	case err != nil && ctx.Err() == nil:
		d.cfg.Log.ErrorContext(ctx, "ended listings were not dropped", "err", err)
	case gone > 0:
		d.cfg.Log.InfoContext(ctx, "ended listings were dropped", "count", gone)
	}
}

// Message takes one message from the broker. Messages of one node must come in
// order; those of different nodes may come at the same time. It needs no
// context: what it asks is answered by this machine, at once.
func (d *Dispatch) Message(m broker.Message) {
	ctx := context.Background()
	topic, err := wire.ParseTopic(m.Topic)
	if err != nil || topic.Channel.From != wire.FromNode || len(m.Payload) == 0 || len(m.Payload) > topic.Channel.Limit {
		return
	}
	switch topic.Channel.Name {
	case "presence":
		err = d.presence(ctx, topic.ID, m)
	case "state":
		err = d.state(ctx, topic.ID, m)
	case "health":
		err = d.cfg.Fleet.Health(ctx, topic.ID, m.Payload)
	case "receipt":
		select {
		case d.receipts <- incoming{node: topic.ID, raw: m.Payload}:
		default: // the node sends them again
		}
	}
	if err != nil {
		d.complain(ctx, "message refused", "topic", m.Topic, "err", err)
	}
}

// complain logs what a node did wrong, as far as the ration goes.
func (d *Dispatch) complain(ctx context.Context, said string, args ...any) {
	if fits, left := d.refused.take(); fits {
		d.cfg.Log.WarnContext(ctx, said, append(args, "unsaid_before", left)...)
	}
}

// presence answers a node's nonce at once, so that the answer is young, and
// makes sure that the node knows its place.
func (d *Dispatch) presence(ctx context.Context, node broadcast.ID, m broker.Message) error {
	p, err := wire.DecodePresence(m.Payload)
	if err != nil {
		return err
	}
	if err := d.cfg.Fleet.Presence(ctx, node, p, !m.Retained); err != nil || p.State == wire.Gone {
		return err
	}
	if p.Nonce == "" {
		return nil
	}
	answer := broadcast.TimeAnswer{Node: node, Boot: p.Boot, Nonce: p.Nonce, At: d.now()}
	if err := answer.Validate(); err != nil {
		return err
	}
	d.remember(node, question{boot: p.Boot, nonce: p.Nonce, at: answer.At})
	if m.Retained { // of an unknown age, which only the node can judge
		return nil
	}
	return d.seal(ctx, broadcast.KindTime, answer, wire.Node(node, "time"), false)
}

// state compares what a node holds with what it should hold.
func (d *Dispatch) state(ctx context.Context, node broadcast.ID, m broker.Message) error {
	s, err := d.cfg.Fleet.State(ctx, node, m.Payload, !m.Retained)
	if err != nil {
		return err
	}
	if !m.Retained {
		if err := d.compare(ctx, node, s); err != nil {
			return err
		}
	}
	want, err := d.Holding(ctx, node)
	if err != nil || want == s.Holding && !s.Resync {
		return err
	}
	d.mu.Lock()
	last, ok := d.served[node]
	soon := ok && d.cfg.Now().Sub(last) < resyncEvery
	if !soon {
		d.served[node] = d.cfg.Now()
	}
	d.mu.Unlock()
	if soon {
		return nil
	}
	select {
	case d.wanting <- node:
	default: // its next state asks again
	}
	return nil
}

// seal seals a document with the service key and publishes it.
func (d *Dispatch) seal(ctx context.Context, kind broadcast.Kind, doc broadcast.Validator, topic string, retained bool) error {
	raw, err := d.sealed(ctx, kind, doc)
	if err != nil {
		return err
	}
	return d.cfg.Bus.Publish(topic, raw, retained)
}

// sealed returns a document under the service key as it travels.
func (d *Dispatch) sealed(ctx context.Context, kind broadcast.Kind, doc broadcast.Validator) ([]byte, error) {
	service, err := d.cfg.Office.Service(ctx)
	if err != nil {
		return nil, err
	}
	return sealedBy(kind, doc, service)
}

func sealedBy(kind broadcast.Kind, doc broadcast.Validator, service seal.Signer) ([]byte, error) {
	env, err := seal.Seal(kind, doc, service)
	if err != nil {
		return nil, err
	}
	return seal.Bytes(kind, env)
}
