package nodetest

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// The one node of a rig, and where it stands.
const (
	NodeID broadcast.ID = "tan-lap-1"
	Area   broadcast.ID = "tan-lap"
)

// InMemory is the folder of recordings that are in memory alone.
const InMemory = "memory"

// The limits of a rig's card.
var (
	JournalLimits  = store.JournalLimits{Record: 256 << 10, Segment: 64 << 10, Total: 8 << 20}
	RegisterLimits = store.RegisterLimits{Value: 260 << 10, Count: 4000, Total: 32 << 20}
	ContentLimits  = store.ContentLimits{File: 1 << 20, Quota: 8 << 20}
)

// WarmUp is that of a rig's amplifier.
const WarmUp = 1500 * time.Millisecond

// Rig is a node between stand-ins.
type Rig struct {
	T      testing.TB
	Centre *Centre
	Disk   *storetest.Disk
	// Memory is what the node holds recordings in that its card does not take; a
	// boot begins with none.
	Memory  *storetest.Disk
	Wire    *Wire
	Player  *Player
	Fetcher *Fetcher
	Ticks   *Ticks
	Node    *node.Node
	Key     ed25519.PrivateKey
	Board   plan.Board
	// Change is asked before each boot; it may be nil.
	Change func(*node.Config)
	// Through is what the stores write through to the card, for writers that are
	// not careful; nil for nothing.
	Through func(store.FS) store.FS

	stop func()
	mu   sync.Mutex
	err  error
}

// NewRig returns a rig whose node has not booted yet.
func NewRig(t testing.TB) *Rig {
	centre := NewCentre(time.Now, false)
	return &Rig{T: t, Centre: centre, Disk: storetest.New(), Ticks: NewTicks(),
		Fetcher: &Fetcher{Centre: centre}, Player: &Player{WarmUp: WarmUp, Hold: 2 * time.Second, MinOff: 500 * time.Millisecond},
		Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)),
		Board: plan.Board{WarmUp: WarmUp, Hold: 2 * time.Second, MinOff: 500 * time.Millisecond, MaxOn: 3 * time.Hour,
			Chimes: map[string]time.Duration{}}}
}

// Public is the node's own key.
func (r *Rig) Public() broadcast.Key { return broadcast.KeyOf(r.Key.Public().(ed25519.PublicKey)) }

// Boot starts the node on the rig's card and connects it.
func (r *Rig) Boot() {
	r.T.Helper()
	r.start()
	r.Wire.Up()
}

// BootAlone starts the node without its link.
func (r *Rig) BootAlone() {
	r.T.Helper()
	r.start()
}

func (r *Rig) start() {
	r.T.Helper()
	cfg := r.config()
	if r.Change != nil {
		r.Change(&cfg)
	}
	n, err := node.New(cfg)
	if err != nil {
		r.T.Fatal(err)
	}
	r.Node = n
	r.Wire = &Wire{Take: r.Centre.Take, node: n}
	n.Connect(r.Wire)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := n.Serve(ctx)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = err
	}()
	r.stop = func() {
		cancel()
		<-done
	}
}

func (r *Rig) config() node.Config {
	r.T.Helper()
	fs := r.Disk.FS()
	if r.Through != nil {
		fs = r.Through(fs)
	}
	journal, err := store.OpenJournal(fs, "journal", JournalLimits)
	if err != nil {
		r.T.Fatal(err)
	}
	registers, err := store.OpenRegisters(fs, "registers", RegisterLimits)
	if err != nil {
		r.T.Fatal(err)
	}
	contents, err := store.OpenContents(fs, "contents", ContentLimits)
	if err != nil {
		r.T.Fatal(err)
	}
	r.Memory = storetest.New()
	refuge, err := store.OpenContents(r.Memory.FS(), InMemory, store.ContentLimits{File: 1 << 20, Quota: 2 << 20})
	if err != nil {
		r.T.Fatal(err)
	}
	dial := node.NewDial(r.Ticks)
	r.Player.Now = dial.Now
	return node.Config{Node: NodeID, Top: Top, Pin: r.Centre.House.Pin, Roots: []broadcast.Envelope{r.Centre.House.Root}, Key: r.Key,
		Version: "test", BoardName: "simulated", Built: r.Centre.House.From, Board: r.Board,
		Journal: journal, Registers: registers, Contents: contents, Path: func(s store.Sum) string { return fmt.Sprintf("%x", s) },
		Refuge: refuge, RefugePath: func(s store.Sum) string { return fmt.Sprintf("%s/%x", InMemory, s) },
		Quota: ContentLimits.Quota, Fetcher: r.Fetcher, Player: r.Player, Amplifier: r.Player, Ticks: r.Ticks, Dial: dial,
		Rand: rand.New(rand.NewPCG(1, 2)), Log: slog.New(slog.NewTextHandler(r.T.Output(), nil))}
}

// Stop ends the node in order.
func (r *Rig) Stop() {
	if r.stop != nil {
		r.stop()
		r.stop = nil
	}
}

// Crash cuts the power: the card is as it may be found then, with the losses
// that the seed draws, and nothing that the node says afterwards is heard.
func (r *Rig) Crash(seed uint64) { r.crash(r.Disk.Ops(), seed) }

func (r *Rig) crash(ops int, seed uint64) {
	r.Wire.lose()
	r.Stop()
	r.Disk, _ = r.Disk.Cut(ops, seed)
}

// FailAfter lets the power fail when so many operations more were done on the
// card: the channel is closed then, and nothing that the node says from then on
// is heard. It is asked between two boots. Call fallen at once when it happened:
// it leaves the card as it may be found, with the losses that the seed draws.
func (r *Rig) FailAfter(more int) (failed <-chan struct{}, fallen func(seed uint64)) {
	ops, done, dark := r.Disk.Ops()+more, 0, make(chan struct{})
	r.Disk.Fail(func(op storetest.Op) error {
		if op.Kind == storetest.Read {
			return nil
		}
		if done++; done == more+1 {
			r.Wire.lose()
			close(dark)
		}
		return nil
	})
	return dark, func(seed uint64) { r.crash(ops, seed) }
}

// Err is how Serve ended.
func (r *Rig) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Settle gives the node authority, policy and place, and the list of its area.
func (r *Rig) Settle() {
	r.Send(wire.Node(NodeID, "document"), r.Centre.Authority())
	r.Send(wire.Node(NodeID, "assignment"), r.Centre.Assignment(NodeID, r.Public(), Area))
	r.Send(wire.Area(Top, "policy"), r.Centre.Policy(nil))
	r.List()
}

// List publishes the manifests of the node's areas as they are now.
func (r *Rig) List(nonces ...string) {
	r.Send(wire.Area(Top, "manifest"), r.Centre.Manifest(Top, nonces...))
	r.Send(wire.Area(Area, "manifest"), r.Centre.Manifest(Area, nonces...))
}

// Send gives the node a message, as the broker would.
func (r *Rig) Send(topic string, payload []byte) { r.Node.OnMessage(topic, payload) }

// Announce seals an announcement of the district for the whole district with
// two officers, lists it, pushes it and publishes the list. Its content can be
// fetched.
func (r *Rig) Announce(a broadcast.Announcement) []byte {
	raw := r.Sealed(a)
	r.Send(wire.Area(Top, "announcement"), raw)
	r.List()
	return raw
}

// Sealed seals an announcement and lists it, without telling the node.
func (r *Rig) Sealed(a broadcast.Announcement) []byte {
	return r.Centre.Sealed(broadcast.KindAnnouncement, a, Top, r.Centre.Editor, r.Centre.Approver)
}

// Announcement returns a complete announcement of a class that starts after a
// while and lasts some seconds. Its content lies at the centre.
func (r *Rig) Announcement(id broadcast.ID, class broadcast.Class, in, length time.Duration) broadcast.Announcement {
	raw := []byte("recording of " + string(id))
	sum := r.Centre.PutContent(raw)
	return broadcast.Announcement{ID: id, Revision: r.Centre.Revision("announcement " + string(id)), Class: class, Title: "Bản tin " + string(id),
		Areas: []broadcast.ID{Top}, Meta: broadcast.Sum([]byte("{}")),
		Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: sum, Millis: length.Milliseconds(), Bytes: int64(len(raw))}}},
		Timing:   broadcast.Timing{Mode: broadcast.ModeStart, Start: r.Centre.Instant().Add(in)}}
}

// Withdraw seals a withdrawal of an announcement and sends it.
func (r *Rig) Withdraw(a broadcast.Announcement, by ...seal.Signer) []byte {
	if len(by) == 0 {
		by = []seal.Signer{r.Centre.Approver}
	}
	doc := broadcast.Withdrawal{ID: "w-" + a.ID, Revision: r.Centre.Revision("withdrawal " + string(a.ID)), Announcement: a.ID,
		Upto: a.Revision, Class: a.Class, Areas: a.Areas}
	raw := r.Centre.Sealed(broadcast.KindWithdrawal, doc, Top, by...)
	r.Send(wire.Area(Top, "withdrawal"), raw)
	r.List()
	return raw
}
