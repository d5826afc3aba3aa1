// Package node is the daemon's heart: what one speaker site believes, what it
// will sound, and what it can prove.
//
// What always holds: nothing changes and nothing sounds because of a message
// that package seal does not believe; nothing but an emergency sounds before its
// receipt "playing" is on the card; no occurrence sounds twice, save an
// emergency whose sounding was lost, and then the attempt says so; every
// occurrence ends in one verdict with its reason; and whatever the network does,
// what was promised is kept from the card. A message that is not believed is
// counted and leaves no other trace.
//
// How: one goroutine owns everything and is fed by one bounded channel. After
// each event it goes through the same steps: documents, fetches, the plan, its
// verdicts, the stage, receipts, presence (step). What takes long, such as
// decoding, fetching and publishing, runs beside it and comes back as an event.
// Trusted time is reckoned in clock.go, the chain of receipts kept in ledger.go,
// the stage that plays one sounding stands in stage.go.
package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/loaxa/loaxa/broadcast"
	charts "github.com/loaxa/loaxa/broadcast/health"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/health"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/store"
)

// Config is what a node is made of.
type Config struct {
	// Node, Top and Pin come from the provisioning file: who the node is, the
	// area that only the root moves it out of, and the fingerprint of the root.
	Node broadcast.ID
	Top  broadcast.ID
	Pin  broadcast.Digest
	// Demo nodes obey a root that is marked so; others refuse it.
	Demo bool
	// Roots are the root documents given at enrolment.
	Roots []broadcast.Envelope
	// Key is the node's own.
	Key ed25519.PrivateKey
	// Version of the program and BoardName are told in the state.
	Version, BoardName string
	// Built is the date of the program: no node is older.
	Built broadcast.Instant

	Board     plan.Board
	Chimes    map[string][]int16
	Journal   *store.Journal
	Registers *store.Registers
	Contents  *store.Contents
	// Path is the file of a content; Quota what all of them may take.
	Path  func(store.Sum) string
	Quota int64
	// Refuge holds in memory what the card does not take of an emergency or does
	// not give, RefugePath is the file of a content there; nil for nothing.
	Refuge     *store.Contents
	RefugePath func(store.Sum) string
	// Night is when recordings come that are due later than tomorrow, the zero
	// Span for 00:00 to 04:30. Daily is what recordings may cost of a day's data,
	// in bytes, 0 for no bound.
	Night broadcast.Span
	Daily int64

	// Microphone is the one in the box; nil for none.
	Microphone Microphone
	// Tapes are what was spoken into it, Sender brings them to the controllers;
	// without either they stay here.
	Tapes  Tapes
	Sender Sender
	// Relays says that Player can open what live.Path names.
	Relays bool

	Link    Link
	Fetcher Fetcher
	Player  Player
	// Amplifier is the player's; nil if it holds long enough by itself.
	Amplifier Amplifier
	Ticks     Ticks
	Dial      *Dial
	// Traffic tells the data used since the start, Heard is told what left; both
	// may be nil.
	Traffic func() (sent, received int64)
	Heard   func(Heard)
	// Entropy makes nonces and ids (nil means the system's), Rand spreads waits.
	Entropy io.Reader
	Rand    *rand.Rand
	Log     *slog.Logger
}

// Node is one speaker site. Make one with New, then Serve it once.
type Node struct {
	cfg    Config
	log    *slog.Logger
	boot   broadcast.ID
	public broadcast.Key
	signer seal.Signer

	events chan func()
	outbox chan link.Message
	over   chan struct{}
	ctx    context.Context // of everything that runs beside the loop
	work   sync.WaitGroup

	// All below belongs to the loop.
	reading  Reading
	clock    *clock
	usable   time.Duration     // since when the clock is fit to act by: it was not before it was set
	shown    broadcast.Quality // of the clock by which the dial was set
	tookBack bool              // what a clock that was ahead gave up, in this boot
	sinceAt  broadcast.Instant
	shelf    *shelf
	floors   seal.Floors
	keyring  *seal.Keyring
	revoked  []broadcast.Revocation
	holdings holdings
	// unshelved documents are on their way to the shelf: in the journal, or only
	// in memory because the card took no more. behind are lists to be written.
	unshelved  []kept
	behind     map[string]kept
	writeAt    time.Duration
	shelveAt   time.Duration
	waiting    []waiting
	voided     []voided
	obeyed     map[broadcast.Digest]broadcast.Instant // commands, until they expire
	ledger     *ledger
	fetches    fetches
	allowance  allowance
	sending    sending
	recordings recordings
	// needed are the recordings of the coming days and of templates, in the order
	// in which they are kept; unloadAt is when memory is emptied next.
	needed    []store.Sum
	unloadAt  time.Duration
	unloading bool
	reread    reread
	short     map[broadcast.ID]bool // whose recordings are said to be missing
	want      []wanted
	plan      plan.Plan
	planNext  broadcast.Instant
	// crowded says that not all that the plan is for had room in it, until when
	// that is not asked again.
	crowded      bool
	crowdedUntil broadcast.Instant
	settled      broadcast.Instant
	// settledKept is when that was last noted on the card.
	settledKept broadcast.Instant
	stage       stage
	delivery    delivery
	presence    presence
	call        call
	chart       charts.Chart
	voice       health.Voice
	watch       watch
	supply      supply
	barred      time.Duration // until when the stop button bars; 0 if it was never pressed
	turns       []turn        // of key switches and PINs that fired something in this boot
	keypad      keypad
	talk        map[broadcast.Switch]bool // keys of the microphone that are turned
	noise       int64
	ration      ration
	tidied      time.Duration

	// What changed since the last step.
	docDirty, planDirty, ackDirty, floorDirty bool
	reload, learned, placed, resync, wonder   bool
	// unswept says that documents of a former place may be on the card.
	unswept bool
	// loading says that documents of the card are judged again.
	loading  bool
	loadedAt broadcast.Instant
}

const (
	eventsQueue = 64
	tidyEvery   = time.Hour
	leaveWithin = 3 * time.Second
)

// errStopped means that the node is going down.
var errStopped = errors.New("the node is stopping")

// New checks the configuration and makes a node that does nothing yet.
func New(cfg Config) (*Node, error) {
	if err := errors.Join(cfg.Node.Validate(), cfg.Top.Validate(), cfg.Pin.Validate()); err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	if len(cfg.Key) != ed25519.PrivateKeySize || cfg.Journal == nil || cfg.Registers == nil || cfg.Contents == nil || cfg.Path == nil ||
		cfg.Refuge != nil && cfg.RefugePath == nil || cfg.Fetcher == nil || cfg.Player == nil || cfg.Ticks == nil || cfg.Dial == nil || cfg.Rand == nil || cfg.Log == nil {
		return nil, errors.New("node: the configuration is not complete")
	}
	public := broadcast.KeyOf(cfg.Key.Public().(ed25519.PublicKey))
	id, err := public.ID()
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	n := &Node{cfg: cfg, log: cfg.Log, public: public, signer: seal.Signer{KID: id, Key: cfg.Key},
		events: make(chan func(), eventsQueue), outbox: make(chan link.Message, outboxSize), over: make(chan struct{}),
		floors: seal.Floors{}, holdings: newHoldings(), behind: map[string]kept{},
		keypad: keypad{tries: map[broadcast.Number]tries{}}, talk: map[broadcast.Switch]bool{},
		obeyed: map[broadcast.Digest]broadcast.Instant{}}
	if n.allowance.limit = max(0, cfg.Daily); n.cfg.Night.From == n.cfg.Night.To {
		n.cfg.Night = usualNight
	}
	n.recordings = recordings{card: cfg.Contents, refuge: cfg.Refuge, cardPath: cfg.Path, refugePath: cfg.RefugePath}
	n.reading = cfg.Ticks.Read()
	n.boot = n.newID()
	return n, nil
}

// newID makes a lower-case ULID.
func (n *Node) newID() broadcast.ID {
	id, err := ulid.New(ulid.Timestamp(time.UnixMilli(max(0, n.reading.Wall.UnixMilli()))), orSystem(n.cfg.Entropy))
	if err != nil {
		id = ulid.Make()
	}
	return broadcast.ID(strings.ToLower(id.String()))
}

// Connect gives the node its link, which in turn needs the node to listen. It
// is called once, before Serve.
func (n *Node) Connect(l Link) { n.cfg.Link = l }

// Serve runs the node until ctx ends. What sounds then is faded out and ends as
// interrupted; the relay is for the amplifier's own Serve to open. The error
// says that the card could not be read at all, or is ctx's.
func (n *Node) Serve(ctx context.Context) error {
	var cancel context.CancelCauseFunc
	n.ctx, cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	defer n.work.Wait()
	defer cancel(errStopped)
	defer close(n.over)
	if n.cfg.Link == nil {
		return errors.New("node: Connect comes before Serve")
	}
	if err := n.wakeUp(); err != nil {
		return fmt.Errorf("node %s: %w", n.cfg.Node, err)
	}
	n.work.Go(func() { n.carryOut(n.ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(n.step())
		select {
		case <-ctx.Done():
			n.leave()
			return ctx.Err()
		case f := <-n.events:
			n.take(f)
		case <-timer.C:
		}
	}
}

// take runs an event and those that already wait behind it.
func (n *Node) take(f func()) {
	for range eventsQueue {
		n.look()
		f()
		select {
		case f = <-n.events:
		default:
			return
		}
	}
	n.look()
	f()
}

// post hands an event to the loop from another goroutine; false if the node is
// going down.
func (n *Node) post(f func()) bool {
	select {
	case <-n.over:
		return false
	default:
	}
	select {
	case n.events <- f:
		return true
	case <-n.over:
		return false
	}
}

// look reads the clocks, and sets the dial by them while nothing sounds.
func (n *Node) look() {
	n.reading = n.cfg.Ticks.Read()
	if n.clock == nil {
		return
	}
	n.clock.tune(n.reading)
	n.setDial()
}

func (n *Node) setDial() {
	if !n.stage.idle() {
		return
	}
	before := n.cfg.Dial.at(n.reading.Mono)
	n.cfg.Dial.set(n.clock.offset)
	n.shown = n.clock.quality
	moved := n.now().Sub(broadcast.InstantOf(before)).Abs() > time.Second
	n.planDirty = n.planDirty || moved
	if n.clock.quality != broadcast.ClockUnset && (n.usable == 0 || moved) {
		n.usable = max(1, n.reading.Mono)
	}
}

// now is trusted time as the dial shows it.
func (n *Node) now() broadcast.Instant {
	return broadcast.InstantOf(n.cfg.Dial.at(n.reading.Mono))
}

func (n *Node) mono() time.Duration { return n.reading.Mono }

// jitter is a wait between half of d and d.
func (n *Node) jitter(d time.Duration) time.Duration {
	return d/2 + time.Duration(n.cfg.Rand.Int64N(int64(d/2)+1))
}

// step brings everything in order after an event and returns how long nothing
// needs to be done.
func (n *Node) step() time.Duration {
	n.look()
	var wake time.Duration
	var at broadcast.Instant
	for range 8 { // verdicts and failures make plans anew; they run out
		n.judgeAgain()
		n.takeBack()
		wake = n.fetch()
		if n.planDirty || n.now() >= n.planNext {
			n.replan()
		}
		n.settle()
		at = n.direct()
		if !n.planDirty && !n.reload && !n.learned {
			break
		}
	}
	wake = sooner(wake, n.write())
	wake = sooner(wake, n.deliver())
	wake = sooner(wake, n.supervise())
	wake = sooner(wake, n.announce())
	wake = sooner(wake, n.tidy())
	wake = sooner(wake, n.reshelve())
	wake = sooner(wake, n.unload())
	wake = sooner(wake, n.readAgain())
	wake = sooner(wake, n.sendSpoken())
	for _, i := range []broadcast.Instant{at, n.planNext} {
		if i != 0 {
			wake = sooner(wake, max(1, n.mono()+i.Sub(n.now())))
		}
	}
	if n.planDirty {
		return time.Millisecond
	}
	return max(0, wake-n.mono())
}

// judgeAgain looks anew at documents whose authority or place has changed.
func (n *Node) judgeAgain() {
	if n.placed {
		n.placed = false
		n.delivery.soon() // a confirmed node's receipts count
		n.cfg.Link.SetTopics(n.topics())
	}
	if n.reload {
		n.reload = false
		if err := n.load(); err != nil {
			n.log.Error("documents not judged again", "err", err)
			n.card(partDocuments, err)
		}
		n.learned = true
	}
	for _, v := range n.voided {
		n.state(statement{document: v.document, class: v.class, rung: broadcast.Refused, reason: v.reason})
	}
	n.voided = nil
	if n.learned {
		n.learned = false
		n.learnCertificate()
		n.wonder = !n.clock.answered
		n.docDirty, n.planDirty = true, true
		n.again()
	}
	if n.floorDirty {
		n.floorDirty = false
		if err := n.shelf.put(shelfClock, n.clock.floor); err != nil {
			n.log.Warn("the floor of time is not kept", "err", err)
		}
	}
}

// tidy keeps the card in order once an hour.
func (n *Node) tidy() time.Duration {
	if n.tidied != 0 && n.mono() < n.tidied+tidyEvery {
		return n.tidied + tidyEvery
	}
	n.tidied = max(1, n.mono())
	n.keepAcknowledged()
	n.forgetTries(n.oldTries)
	if n.clock.answered {
		now := n.now()
		n.sweep(now)
		n.sweepFormer()
		n.sweepOrders()
		n.tidySpeech(now, false)
		old := now.Add(-remembered)
		n.ledger.history.forget(old)
		if err := n.ledger.prune(old); err != nil {
			n.log.Warn("old receipts stay on the card", "err", err)
		}
	}
	return n.tidied + tidyEvery
}

// stale says that the policy's limit for acting without contact has passed.
func (n *Node) stale() bool {
	fresh := n.holdings.fresh()
	return fresh != 0 && n.now().Sub(fresh) > n.law().OfflineLimit()
}

// Documents go to the shelf when the card has nothing better to do.
const (
	shelveSoon  = 5 * time.Second
	shelveAgain = time.Minute
)

// reshelve puts on the shelf what the journal holds for it, what the card did
// not take, and the newest lists. It waits while anything sounds.
func (n *Node) reshelve() time.Duration {
	if len(n.unshelved) == 0 && len(n.behind) == 0 {
		n.shelveAt = 0
		return 0
	}
	if n.shelveAt == 0 {
		n.shelveAt = n.mono() + shelveSoon
	}
	if n.mono() < n.shelveAt || !n.stage.idle() {
		return max(n.shelveAt, n.mono()+time.Second)
	}
	n.shelveAt = 0
	if err := n.putOnShelf(); err != nil {
		n.log.Warn("documents wait for their shelf", "err", err)
		n.shelveAt = n.mono() + shelveAgain
	}
	return n.shelveAt
}

func (n *Node) putOnShelf() error {
	for place, k := range n.behind {
		if err := n.shelf.keep(k); err != nil {
			return err
		}
		delete(n.behind, place)
	}
	for len(n.unshelved) > 0 {
		k := n.unshelved[0]
		have, err := n.shelf.read(k.place())
		if unanswers(err) {
			return err // it may have a newer one
		}
		if !n.shelf.gave(k.label) && (err != nil || have.Digest != k.Digest && !have.newer(k.label)) {
			if err := n.shelf.keep(k); err != nil {
				return err
			}
		}
		delete(n.ledger.loose, k.Digest)
		n.unshelved = n.unshelved[1:]
	}
	n.unshelved = nil
	return nil
}

// leave ends what sounds, states it, and says goodbye.
func (n *Node) leave() {
	deadline := time.NewTimer(leaveWithin)
	defer deadline.Stop()
	if n.stage.next != nil {
		n.stage.next.drop()
		n.stage.next = nil
	}
	if n.stage.run != nil {
		n.stage.run.cancel(stop{broadcast.Interrupted, broadcast.WhyStopped})
	}
	for n.stage.run != nil {
		select {
		case f := <-n.events:
			n.look()
			f()
			continue
		case <-deadline.C:
			n.log.Error("the player does not let go")
		}
		break
	}
	if err := errors.Join(n.ledger.flush(), n.putOnShelf()); err != nil {
		n.log.Warn("not all of the last is on the card", "err", err)
	}
	n.keepAcknowledged()
	n.goodbye()
}

// goodbye says that the node is gone, and gives the controller what it proved
// last, as far as one second goes.
func (n *Node) goodbye() {
	if !n.presence.up {
		return
	}
	ctx, cancel := context.WithTimeout(n.ctx, time.Second)
	defer cancel()
	if batch, err := n.batch(broadcast.MaxReceiptBatch); err == nil && len(batch) > 0 {
		_ = n.cfg.Link.Publish(ctx, link.Message{Topic: wire.Node(n.cfg.Node, "receipt"), Payload: batch}) // sent again after the next boot
	}
	_ = n.cfg.Link.Publish(ctx, n.Will(string(n.presence.connection))) // otherwise the broker says it
}
