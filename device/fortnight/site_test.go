package fortnight

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/historytest"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/amplifier"
	"github.com/loaxa/loaxa/device/guard/lease"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/power"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// emergencyChime is how long the chime of emergencies is.
const emergencyChime = 2 * time.Second

// board is that of every site.
func board() plan.Board {
	return plan.Board{WarmUp: 1500 * time.Millisecond, Hold: 2 * time.Second, MinOff: 500 * time.Millisecond, MaxOn: 20 * time.Minute,
		Chimes: map[string]time.Duration{"emergency": emergencyChime}}
}

// site is one speaker site over the whole fortnight: its card, its clock, and
// who watches it.
type site struct {
	w    *world
	id   broadcast.ID
	home broadcast.ID // where it stood at first
	key  ed25519.PrivateKey
	dice *rand.Rand

	disk  *storetest.Disk
	boots int
	boot  *boot // nil while it is off
	fed   power.State

	mu       sync.Mutex
	area     broadcast.ID
	off      time.Duration // by how much its wall clock is wrong
	linked   bool          // as the weather wants it
	judge    *historytest.Judge
	tail     []historytest.Event // the last events, for a failure
	breaches []historytest.Breach
	playing  *boot // that is given messages
}

// boot is a site from power on to power off.
type boot struct {
	*site
	dead   bool // nothing that happens now is seen by anybody
	timed  bool // the centre answered this boot's question
	topics []string
	ended  map[string]bool // recordings that were read to their end
	card   *card           // that sounds now
	ticks  *nodetest.Ticks
	node   *node.Node
	keeper *lease.Keeper
	stop   func()
}

func (w *world) newSite(area broadcast.ID, number int) *site {
	id := broadcast.ID(fmt.Sprintf("%s-%d", area, number))
	seed := sha256.Sum256([]byte(id))
	return &site{w: w, id: id, home: area, area: area, linked: true, key: ed25519.NewKeyFromSeed(seed[:]), disk: storetest.New(),
		fed:  power.State{Battery: number%2 == 0, Mains: true, Charge: 100},
		dice: rand.New(rand.NewPCG(w.seed, uint64(seed[0])<<8|uint64(seed[1]))), judge: historytest.New(board(), historytest.DefaultSlack)}
}

func (s *site) public() broadcast.Key { return broadcast.KeyOf(s.key.Public().(ed25519.PublicKey)) }

// power starts the site on its card.
func (s *site) power() {
	b := &boot{site: s, ended: map[string]bool{}, ticks: nodetest.NewTicks()}
	b.ticks.Set(s.w.ahead+s.wrong(), false)
	s.boots++
	keeper, err := lease.NewKeeper(relay{b}, limits(), s.w.log)
	s.w.must(err)
	b.keeper = keeper
	amp := amplifier.New(keeper.Tenant(), amplifier.Timings{Hold: board().Hold}, s.w.log)
	b.node, err = node.New(b.config(amp))
	s.w.must(err)
	b.node.Connect(b)
	node, power := serve(b.node.Serve), serve(amp.Serve)
	b.stop = func() {
		node()
		power()
		s.w.must(keeper.Stop())
	}
	s.boot = b
	s.mu.Lock()
	s.playing = b
	up := s.linked
	s.mu.Unlock()
	b.state()
	s.feed(s.fed)
	if up {
		b.connect()
	}
}

// feed tells the node what its power gauge would, and the judge what follows.
func (s *site) feed(fed power.State) {
	s.fed = fed
	spared := map[power.Level][]broadcast.Class{power.First: {broadcast.Normal}, power.Second: {broadcast.Normal, broadcast.Priority},
		power.Reserved: {broadcast.Normal, broadcast.Priority}}[fed.Level]
	if b := s.boot; b != nil {
		b.tell(historytest.Spared{Classes: spared})
		b.node.OnPower(fed)
	}
}

// limits are those of the guard of the board.
func limits() lease.Limits {
	l, b := lease.DefaultLimits(), board()
	l.WarmUp, l.Hold, l.MinimumOff, l.MaximumOn = b.WarmUp+b.MinOff+5*time.Second, b.Hold+5*time.Second, b.MinOff, b.MaxOn
	return l
}

// serve runs f until the stop that it returns, which waits for its end.
func serve(f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = f(ctx) // ends with ctx
	}()
	return func() { cancel(); <-done }
}

func (b *boot) config(amp *amplifier.Amplifier) node.Config {
	fs := b.disk.FS()
	journal, err := store.OpenJournal(fs, "journal", journalLimits())
	b.w.must(err)
	registers, err := store.OpenRegisters(fs, "registers", store.RegisterLimits{Value: 260 << 10, Count: 4000, Total: 32 << 20})
	b.w.must(err)
	contents, err := store.OpenContents(fs, "contents", store.ContentLimits{File: 1 << 20, Quota: 8 << 20})
	b.w.must(err)
	dial := node.NewDial(b.ticks)
	play := player.New(player.Config{Amplifier: amp, Decoder: node.Splicer{Each: decoder{b}}, Sinks: cards{b, dial.Now},
		WarmUp: board().WarmUp, Now: dial.Now, Log: b.w.log})
	return node.Config{Node: b.id, Top: nodetest.Top, Pin: b.w.centre.House.Pin, Roots: []broadcast.Envelope{b.w.centre.House.Root}, Key: b.key,
		Version: "test", BoardName: "simulated", Built: b.w.centre.House.From, Board: board(),
		Chimes:  map[string][]int16{"emergency": make([]int16, emergencyChime.Milliseconds()*48)},
		Journal: journal, Registers: registers, Contents: contents, Path: func(s store.Sum) string { return fmt.Sprintf("%x", s) },
		Quota: 8 << 20, Fetcher: fetcher{b}, Player: performances{play}, Relays: true, Amplifier: amp, Ticks: b.ticks, Dial: dial,
		Rand: rand.New(rand.NewPCG(b.dice.Uint64(), uint64(b.boots))), Log: b.w.log}
}

func journalLimits() store.JournalLimits {
	return store.JournalLimits{Record: 256 << 10, Segment: 64 << 10, Total: 8 << 20}
}

// performances lets a node use a player.
type performances struct{ *player.Player }

// Prepare opens the content of a sounding.
func (p performances) Prepare(ctx context.Context, s player.Sounding) (node.Performance, error) {
	prepared, err := p.Player.Prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	return prepared, nil
}

// cut takes the power away at this instant: the relay falls open, the sound is
// gone, and the card is as it may be found then.
func (s *site) cut() {
	b := s.boot
	ops := s.disk.Ops()
	s.mu.Lock()
	b.over()
	s.told(historytest.Relay{Closed: false})
	s.gone(b)
	s.mu.Unlock()
	b.stop()
	s.disk, _ = s.disk.Cut(ops, s.dice.Uint64())
}

// halt ends the program in order, as a restart does.
func (s *site) halt() {
	b := s.boot
	if b == nil {
		return
	}
	b.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone(b)
}

// gone notes that a boot is over. s.mu is held.
func (s *site) gone(b *boot) {
	b.dead = true
	s.boot, s.playing = nil, nil
	s.told(historytest.State{})
}

// wrong is by how much the wall clock is.
func (s *site) wrong() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.off
}

// setClock makes the wall clock wrong, or right again.
func (s *site) setClock(off time.Duration, synced bool) {
	s.mu.Lock()
	s.off = off
	s.mu.Unlock()
	if b := s.boot; b != nil {
		b.ticks.Set(s.w.ahead+off, synced)
		b.state()
	}
}

// knowsTime says whether the centre answered this boot.
func (s *site) knowsTime() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.playing != nil && s.playing.timed
}

func (s *site) now() broadcast.Instant { return s.w.centre.Instant() }

// shown is how many of its last events a failure shows.
const shown = 30

// told gives the judge a fact. s.mu is held.
func (s *site) told(f historytest.Fact) {
	e := historytest.Event{At: s.now(), Fact: f}
	s.breaches = append(s.breaches, s.judge.Take(e)...)
	if _, given := f.(historytest.Given); !given {
		s.tail = append(s.tail[max(0, len(s.tail)-shown):], e)
	}
}

// tell gives the judge a fact that this boot brought about.
func (b *boot) tell(f historytest.Fact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.dead {
		b.told(f)
	}
}

// state tells how the site stands.
func (b *boot) state() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dead {
		return
	}
	state := historytest.State{Runs: true, Linked: b.linked, Timed: b.timed}
	if !b.timed {
		state.Ahead = b.off
	}
	b.told(state)
}

// begins and ends are told by the sound card.
func (b *boot) begins(c *card) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.dead {
		return
	}
	b.card = c
	b.told(historytest.Began{Sounding: c.sounding})
}

func (b *boot) ends(c *card) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.dead && b.card == c {
		b.over()
	}
}

// over ends what sounds. It was whole if its last recording was read to its end
// and all of it has left. b.mu is held.
func (b *boot) over() {
	c := b.card
	if c == nil {
		return
	}
	b.card = nil
	last := b.w.lastRecording(c.sounding)
	b.told(historytest.Over{Sounding: c.sounding, Samples: c.left(), Whole: b.ended[last] && c.left() == c.taken})
	b.ended = map[string]bool{}
}

func (b *boot) finished(path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended[path] = true
}

// weather brings the link up or down, whether the site runs or not.
func (s *site) weather(up bool) {
	s.mu.Lock()
	was, b := s.linked, s.playing
	s.linked = up
	s.mu.Unlock()
	switch {
	case b == nil || was == up:
	case up:
		b.state()
		b.connect()
	default:
		b.node.OnDown("connection-1", link.ErrDown)
		b.state()
	}
}

// connect gives the node what the broker kept for it.
func (b *boot) connect() {
	b.node.OnUp("connection-1")
	b.mu.Lock()
	topics := slices.Clone(b.topics)
	b.mu.Unlock()
	for _, o := range b.w.kept(topics) {
		b.deliver(o.Topic, o.Payload)
	}
}

// up says whether messages come through.
func (b *boot) up() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.dead && b.linked
}

// deliver hands the node a message, and tells the judge what it says.
func (b *boot) deliver(topic string, payload []byte) {
	if !b.up() {
		return
	}
	b.given(payload)
	b.node.OnMessage(topic, payload)
	if topic == wire.Node(b.id, "time") {
		b.mu.Lock()
		b.timed = true
		b.mu.Unlock()
		b.state()
	}
}

func (b *boot) given(payload []byte) {
	if g, known := b.w.paper(payload); known {
		b.tell(g)
	}
}

// Publish hands a message of the node to the centre, and the answers back.
func (b *boot) Publish(_ context.Context, m link.Message) error {
	if !b.up() {
		return link.ErrDown
	}
	for _, o := range b.w.centre.Take(m.Topic, m.Payload) {
		b.deliver(o.Topic, o.Payload)
	}
	return nil
}

// SetTopics notes what the node listens to, and gives it what the broker kept
// on topics that are new.
func (b *boot) SetTopics(topics []string) {
	b.mu.Lock()
	fresh := slices.DeleteFunc(slices.Clone(topics), func(t string) bool { return slices.Contains(b.topics, t) })
	b.topics = slices.Clone(topics)
	b.mu.Unlock()
	if !b.up() {
		return
	}
	go func() { // the node is in the middle of something
		for _, o := range b.w.kept(fresh) {
			b.deliver(o.Topic, o.Payload)
		}
	}()
}

// listens says whether a topic is among those that the node listens to.
func (b *boot) listens(topic string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.topics, func(filter string) bool { return matches(filter, topic) })
}

func matches(filter, topic string) bool {
	head, wild := strings.CutSuffix(filter, "+")
	return filter == topic || wild && strings.HasPrefix(topic, head) && !strings.Contains(topic[len(head):], "/")
}

// fetcher gets things from the centre while the link is up.
type fetcher struct{ b *boot }

// Document returns a document or a running order after a moment.
func (f fetcher) Document(ctx context.Context, sum link.Sum) ([]byte, error) {
	if err := wait(ctx, 20*time.Millisecond); err != nil {
		return nil, err
	}
	if !f.b.up() {
		return nil, link.ErrDown
	}
	raw := f.b.w.centre.Document(broadcast.Digest(fmt.Sprintf("%x", sum)))
	if raw == nil {
		return nil, link.ErrNotFound
	}
	f.b.given(raw)
	return bytes.Clone(raw), nil
}

// Content writes a recording to its destination after a moment.
func (f fetcher) Content(ctx context.Context, o link.Order) error {
	raw, err := f.Document(ctx, o.Sum)
	if err != nil {
		return err
	}
	p, err := o.Open()
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // committed, or of no use
	if _, err := p.Write(raw[p.Offset():]); err != nil {
		return err
	}
	return p.Commit()
}

// journal is what the site wrote down itself.
func (s *site) journal() []broadcast.Receipt {
	j, err := store.OpenJournal(s.disk.FS(), "journal", journalLimits())
	s.w.must(err)
	defer func() { _ = j.Close() }()
	var out []broadcast.Receipt
	s.w.must(j.Read(0, 1<<20, func(_ uint64, raw []byte) error {
		var page struct {
			Lines []struct{ Receipt broadcast.Receipt }
		}
		err := json.Unmarshal(raw, &page)
		for _, line := range page.Lines {
			if line.Receipt.Seq > 0 { // else it keeps a document
				out = append(out, line.Receipt)
			}
		}
		return err
	}))
	return out
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
