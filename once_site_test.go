package loaxa

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/historytest"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

func onceBoard() plan.Board {
	return plan.Board{WarmUp: warmUp, Hold: 2 * time.Second, MinOff: 500 * time.Millisecond, MaxOn: 3 * time.Hour, Chimes: map[string]time.Duration{}}
}

// onceSite is a speaker site over all its lives, and what was seen of it.
type onceSite struct {
	w       *onceWorld
	id      broadcast.ID
	enrol   wire.Enrolled
	disk    *storetest.Disk
	history []historytest.Event
	boot    *onceBoot // nil while it is off
	boots   uint64
}

func newOnceSite(w *onceWorld, id broadcast.ID, e wire.Enrolled) *onceSite {
	return &onceSite{w: w, id: id, enrol: e, disk: storetest.New()}
}

// onceBoot is a site from power on to power off. It stands between node and
// link, so that the power can fail between any two messages.
type onceBoot struct {
	*onceSite
	node          *node.Node
	link          *link.Link
	player        *nodetest.Player
	stop          func()
	last          rites
	ops           int // of the card, when it last wanted to say something
	linked, timed bool
}

// power starts the site on its card.
func (s *onceSite) power() {
	w := s.w
	s.boots++
	b := &onceBoot{onceSite: s, last: rites{died: make(chan struct{})}}
	dial := node.NewDial(node.SystemTicks())
	board := onceBoard()
	b.player = &nodetest.Player{Now: dial.Now, WarmUp: board.WarmUp, Hold: board.Hold, MinOff: board.MinOff}
	cfg := b.config(dial)
	var err error
	b.node, err = node.New(cfg)
	w.must(err)
	b.link, err = link.New(link.Config{Brokers: []string{s.enrol.Controllers[0].MQTT}, Dial: w.dial, Will: b.node.Will, Listener: b,
		Credentials: func() (string, string, bool) { return string(s.id), s.enrol.Secret, true },
		Log:         slog.New(slog.DiscardHandler), Rand: rand.New(rand.NewPCG(w.seed, s.boots))})
	w.must(err)
	b.node.Connect(b)
	w.mu.Lock()
	s.boot = b
	b.stands()
	w.mu.Unlock()
	b.stop = serveAll(func(ctx context.Context) { _ = b.node.Serve(ctx) }, func(ctx context.Context) { _ = b.link.Serve(ctx) })
}

func (b *onceBoot) config(dial *node.Dial) node.Config {
	w := b.w
	fs := b.disk.FS()
	if w.wrong == forgetfulJournal {
		fs = forgetful(fs)
	}
	journal, err := store.OpenJournal(fs, "journal", onceJournal())
	w.must(err)
	registers, err := store.OpenRegisters(fs, "registers", store.RegisterLimits{Value: 260 << 10, Count: 4000, Total: 32 << 20})
	w.must(err)
	contents, err := store.OpenContents(fs, "contents", store.ContentLimits{File: 1 << 20, Quota: 8 << 20})
	w.must(err)
	cfg := node.Config{Node: b.id, Top: broadcast.BacQuang, Pin: w.pin, Demo: true, Roots: b.enrol.Roots, Key: sealtest.Key(string(b.id)),
		Version: "test", BoardName: "simulated", Built: broadcast.InstantOf(w.kit.begun.Add(-time.Hour)), Board: onceBoard(),
		Journal: journal, Registers: registers, Contents: contents, Path: func(s store.Sum) string { return fmt.Sprintf("%x", s) },
		Quota: 8 << 20, Fetcher: b, Player: b.player, Amplifier: b.player, Ticks: node.SystemTicks(), Dial: dial,
		Rand: rand.New(rand.NewPCG(w.seed, b.boots)), Log: slog.New(slog.DiscardHandler)}
	if w.wrong == stutteringHorn {
		cfg.Player = stutterer{b.player}
	}
	return cfg
}

func onceJournal() store.JournalLimits {
	return store.JournalLimits{Record: 256 << 10, Segment: 64 << 10, Total: 8 << 20}
}

// leaves says whether what the node says still gets out.
func (b *onceBoot) leaves() bool {
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	if b.last.gone {
		return false
	}
	b.ops = b.disk.Ops()
	return b.last.speak()
}

// Publish hands a message to the link.
func (b *onceBoot) Publish(ctx context.Context, m link.Message) error {
	if !b.leaves() {
		return link.ErrDown
	}
	return b.link.Publish(ctx, m)
}

// SetTopics tells the link what to listen to.
func (b *onceBoot) SetTopics(topics []string) { b.link.SetTopics(topics) }

// OnUp, OnDown and OnMessage pass on what comes, and note it.
func (b *onceBoot) OnUp(connection string) {
	b.changes(func() { b.linked = true })
	b.node.OnUp(connection)
}

// OnDown passes on that the connection is gone.
func (b *onceBoot) OnDown(connection string, why error) {
	b.changes(func() { b.linked = false })
	b.node.OnDown(connection, why)
}

// OnMessage passes on what came.
func (b *onceBoot) OnMessage(topic string, payload []byte) {
	b.given(payload)
	b.node.OnMessage(topic, payload)
	if topic == wire.Node(b.id, "time") {
		b.changes(func() { b.timed = true })
	}
}

// Document fetches from the controller.
func (b *onceBoot) Document(ctx context.Context, sum link.Sum) ([]byte, error) {
	var raw []byte
	name := broadcast.Digest(fmt.Sprintf("%x", sum))
	err := b.fetch(func(c *onceCentre) error {
		d, err := c.db.Document(ctx, name)
		raw = d.Raw
		return err
	})
	if err == nil {
		b.given(raw)
	}
	return raw, err
}

// Content fetches a recording from the controller.
func (b *onceBoot) Content(_ context.Context, o link.Order) (err error) {
	raw, known := b.w.kit.recordings[broadcast.Digest(fmt.Sprintf("%x", o.Sum))]
	if !known {
		return link.ErrNotFound
	}
	if err := b.fetch(func(*onceCentre) error { return nil }); err != nil {
		return err
	}
	p, err := o.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	if _, err := p.Write(raw[p.Offset():]); err != nil {
		return err
	}
	return p.Commit()
}

func (b *onceBoot) fetch(f func(c *onceCentre) error) error {
	b.w.mu.Lock()
	c := b.w.centre
	b.w.mu.Unlock()
	if c == nil {
		return link.ErrDown
	}
	if err := f(c); err != nil {
		return fmt.Errorf("%w: %w", link.ErrNotFound, err)
	}
	if !c.leaves() || !b.leaves() {
		return link.ErrDown
	}
	return nil
}

// given notes a sealed document that reached the node, if a judge asks for it.
func (b *onceBoot) given(raw []byte) {
	for kind, read := range judged {
		env, err := seal.Parse(kind, raw)
		if err != nil {
			continue
		}
		payload, err := env.PayloadBytes()
		b.w.must(err)
		doc, err := read(payload)
		b.w.must(err)
		b.changes(func() {
			if a, is := doc.(broadcast.Announcement); is {
				b.w.revisions[string(a.ID)+" "+string(a.Versions[0].Content.SHA256)] = a.Revision
			}
			b.saw(time.Now(), historytest.Given{Document: doc, Officers: len(env.Signatures), Level: broadcast.District})
		})
	}
}

// judged are the documents that a judge asks for.
var judged = map[broadcast.Kind]func([]byte) (broadcast.Validator, error){
	broadcast.KindAnnouncement: readAs[broadcast.Announcement],
	broadcast.KindManifest:     readAs[broadcast.Manifest],
	broadcast.KindPolicy:       readAs[broadcast.Policy],
	broadcast.KindWithdrawal:   readAs[broadcast.Withdrawal],
	broadcast.KindSilence:      readAs[broadcast.Silence],
	broadcast.KindAssignment:   readAs[broadcast.Assignment],
}

func readAs[T broadcast.Validator](raw []byte) (broadcast.Validator, error) {
	return broadcast.Decode[T](raw)
}

// changes notes how the site stands after a change, unless it is dead.
func (b *onceBoot) changes(f func()) {
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	if b.last.gone {
		return
	}
	f()
	b.stands()
}

// stands notes how the site stands: whoever cannot reach the controller is
// reached by nobody. w.mu is held.
func (b *onceBoot) stands() {
	b.saw(time.Now(), historytest.State{Runs: true, Linked: b.linked && b.w.centre != nil, Timed: b.timed})
}

// saw notes what was seen of a site. w.mu is held.
func (s *onceSite) saw(at time.Time, fact historytest.Fact) {
	s.history = append(s.history, historytest.Event{At: broadcast.InstantOf(at), Fact: fact})
}

// cut takes the power away: the relay falls open, the sound is gone, and the
// card is as it may be found at some moment after the node last said something.
func (s *onceSite) cut() (revive func()) {
	w, b := s.w, s.boot
	w.doom(&b.last)
	now := time.Now()
	w.mu.Lock()
	inWords := b.last.end()
	ops := b.disk.Ops()
	if inWords {
		ops = b.ops + w.dice.IntN(ops-b.ops+1)
	}
	b.testify(now)
	s.saw(now, historytest.State{})
	s.boot = nil
	w.mu.Unlock()
	w.note("power cut of %s, %d operations lost", s.id, b.disk.Ops()-ops)
	b.stop()
	s.disk, _ = b.disk.Cut(ops, w.dice.Uint64())
	return s.power
}

// halt ends the site in order.
func (s *onceSite) halt() {
	s.boot.stop()
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.boot.testify(time.Now())
	s.saw(time.Now(), historytest.State{})
	s.boot = nil
}

// testify notes what relay and sound did in this life, which ends now. w.mu is
// held.
func (b *onceBoot) testify(now time.Time) {
	closed, end := false, broadcast.InstantOf(now) // history knows milliseconds, and one is none
	for _, e := range b.player.Edges() {
		if broadcast.InstantOf(e.At) >= end {
			break // with the power
		}
		b.saw(e.At, historytest.Relay{Closed: e.Closed})
		closed = e.Closed
	}
	for _, p := range b.player.Sounded() {
		if broadcast.InstantOf(p.At) >= end {
			break // no sample left
		}
		name := soundingNamed(p.Sounding.Name)
		name.Revision = b.w.revisions[string(name.Announcement)+" "+p.Sounding.Content.Path]
		b.saw(p.At, historytest.Began{Sounding: name})
		over := historytest.Over{Sounding: name, Samples: p.Evidence.Samples, Whole: p.Err == nil}
		at := p.Evidence.Last
		if !p.Over {
			over.Samples, over.Whole, at = int64(now.Sub(p.At))*48000/int64(time.Second), false, now
		}
		b.saw(at, over)
	}
	if closed {
		b.saw(now, historytest.Relay{})
	}
}

// soundingNamed takes the name of a sounding apart.
func soundingNamed(name string) (s historytest.Sounding) {
	part := strings.Split(name, "-")
	start, _ := strconv.ParseInt(part[1], 10, 64)
	s.Announcement, s.Start = broadcast.ID(part[0]), broadcast.Instant(start)
	s.Attempt, _ = strconv.ParseInt(part[2], 10, 64)
	return s
}

// sounds says whether something sounds now.
func (b *onceBoot) sounds() bool {
	for _, p := range b.player.Sounded() {
		if !p.Over {
			return true
		}
	}
	return false
}
