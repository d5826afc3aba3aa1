package loaxa

import (
	"bytes"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// tape is everything that a broker and a file server in the middle have
// of one morning, and what the office meant by it.
type tape struct {
	built, end broadcast.Instant

	mu    sync.Mutex
	over  bool // nothing more is recorded
	said  []carried
	files map[broadcast.Digest][]byte

	// meant is what the office would still say it wants to be heard.
	meant   []broadcast.Announcement
	holding broadcast.Digest
	// early is a card from before anything sounded, late one from the end.
	early, late func() *storetest.Disk
	// clerk may withdraw and nothing else; elsewhere and second are officers of
	// another commune.
	clerk, elsewhere, second seal.Signer
}

// hear records what passes the broker.
func (r *tape) hear(m carried) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return true
	}
	r.said = append(r.said, carried{m.topic, bytes.Clone(m.payload), m.retained, m.from})
	r.files[broadcast.Sum(m.payload)] = m.payload
	return true
}

// down is what was said to the node.
func (r *tape) down() []carried {
	return slices.DeleteFunc(slices.Clone(r.said), func(m carried) bool { return m.from != wire.FromController })
}

// file is what the file server of the morning has under a name.
func (r *tape) file(sum broadcast.Digest) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.files[sum]
}

// allows says which start of an announcement a sounding at an instant belongs to.
func (r *tape) allows(id broadcast.ID, at broadcast.Instant) (broadcast.Instant, bool) {
	for _, a := range r.meant {
		if a.ID == id {
			return plan.Next(a.Timing, a.Class, at, at)
		}
	}
	return 0, false
}

// server answers requests without a network.
type server func(broadcast.Digest) []byte

// RoundTrip answers one.
func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	raw := s(broadcast.Digest(path.Base(r.URL.Path)))
	status := http.StatusOK
	if raw == nil {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: r,
		ContentLength: int64(len(raw)), Body: io.NopCloser(bytes.NewReader(raw))}, nil
}

// fetchFrom gives a node the fetcher of the product.
func fetchFrom(t *testing.T, cfg *node.Config, s server) {
	t.Helper()
	f, err := link.NewFetcher(link.FetchConfig{Controllers: []string{"http://controller.example"}, Transport: s,
		Log: slog.New(slog.DiscardHandler), Rand: rand.New(rand.NewPCG(5, 6))})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Fetcher, cfg.Log = f, slog.New(slog.DiscardHandler)
}

// snapshot is the card as it is now, to be copied as often as wanted.
func snapshot(d *storetest.Disk) func() *storetest.Disk {
	ops := d.Ops()
	return func() *storetest.Disk {
		card, _ := d.Cut(ops, storetest.KeepAll)
		return card
	}
}

// newOffice makes a pair whose node has an empty card and is given everything
// by the controller alone, with a file server that serves what it is allowed to.
func newOffice(t *testing.T, r *tape, serves func([]byte) bool) *pair {
	t.Helper()
	w := newPair(t)
	r.built = w.Centre.House.From
	w.Change = func(cfg *node.Config) {
		fetchFrom(t, cfg, func(sum broadcast.Digest) []byte {
			raw := w.Centre.Document(sum)
			if raw == nil || !serves(raw) {
				return nil
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.files[sum] = raw
			return raw
		})
	}
	w.carries = r.hear
	r.elsewhere = w.Centre.House.Officer("elsewhere", broadcast.Commune, "viet-quang")
	r.second = w.Centre.House.Officer("second", broadcast.Commune, "viet-quang")
	r.clerk = w.Centre.House.Certify(broadcast.Certificate{Person: "clerk", Level: broadcast.Commune, Areas: []broadcast.ID{nodetest.Area},
		Classes: []broadcast.Class{broadcast.Normal}, Acts: []broadcast.Act{broadcast.ActWithdraw}})
	return w
}

// on connects the node, on the card as it is.
func (w *pair) on() {
	w.plugIn()
	w.Wire.Up()
}

// taped lets a morning pass and returns it.
func taped(t *testing.T) *tape {
	t.Helper()
	r := &tape{files: map[broadcast.Digest][]byte{}}
	synctest.Test(t, func(t *testing.T) {
		w := newOffice(t, r, func([]byte) bool { return true })
		w.on()
		w.dispatch.Up(t.Context())
		w.rules(t)
		<-time.After(time.Minute)
		w.programme(t, r)
		<-time.After(time.Minute)
		r.early = snapshot(w.Disk)
		w.turns(t)
		<-time.After(time.Hour)
		r.late, r.end = snapshot(w.Disk), w.Centre.Instant()
		w.inStep(t, r)
		w.restored(t, r)
	})
	return r
}

// restored puts the card from before the first sound in, on an honest line on
// which somebody plays the whole morning back.
func (w *pair) restored(t *testing.T, r *tape) {
	t.Helper()
	r.mu.Lock()
	r.over = true
	r.mu.Unlock()
	before := len(w.Player.Sounded())
	w.Stop()
	w.Disk = r.early()
	w.on()
	for _, m := range r.down() {
		<-time.After(100 * time.Millisecond)
		w.Send(m.topic, m.payload)
	}
	<-time.After(20 * time.Minute)
	if heard := w.Player.Sounded()[before:]; len(heard) > 0 {
		t.Errorf("an old card on an honest line: %s sounded again", heard[0].Sounding.Name)
	}
	standings, err := w.fleet.Overview(t.Context())
	if err != nil || standings[0].State == nil || standings[0].State.Holding != r.holding || standings[0].State.Clock != broadcast.ClockProved {
		t.Errorf("an old card on an honest line does not come in step: %+v %v", standings, err)
	}
}

// rules are what the office gives a node before anything else.
func (w *pair) rules(t *testing.T) {
	t.Helper()
	house := w.Centre.House
	w.hold(t, broadcast.KindAuthority, broadcast.Authority{Area: nodetest.Top, Revision: w.Centre.Revision("authority"),
		Roots: []broadcast.Envelope{house.Root}, Certificates: house.Certs}, w.in(90*24*time.Hour), house.RootKey)
	w.rule(t, nil)
}

// rule publishes the next policy.
func (w *pair) rule(t *testing.T, change func(*broadcast.Policy)) {
	t.Helper()
	doc := broadcast.Policy{Area: nodetest.Top, Revision: w.Centre.Revision("policy")}
	for _, class := range broadcast.Classes() {
		doc.Thresholds = append(doc.Thresholds, broadcast.Threshold{Class: class, Officers: 2})
	}
	if change != nil {
		change(&doc)
	}
	w.hold(t, broadcast.KindPolicy, doc, w.in(90*24*time.Hour), w.Centre.Editor, w.Centre.Approver)
}

func (w *pair) in(d time.Duration) broadcast.Instant { return w.Centre.Instant().Add(d) }

// programme publishes what is to sound: a daily item, an emergency soon and one
// in the afternoon.
func (w *pair) programme(t *testing.T, r *tape) {
	t.Helper()
	market := w.Announcement("market", broadcast.Normal, 20*time.Minute, 5*time.Second)
	market.Timing.Recurrence, market.Timing.Until = &broadcast.Recurrence{Rule: "FREQ=DAILY"}, market.Timing.Start.Add(72*time.Hour)
	flood := w.Announcement("flood", broadcast.Emergency, 5*time.Minute, 5*time.Second)
	siren := w.Announcement("siren", broadcast.Emergency, 4*time.Hour, 5*time.Second)
	for _, a := range []broadcast.Announcement{market, flood, siren} {
		r.meant = append(r.meant, a)
		w.publish(t, a)
	}
	for _, kind := range w.kinds(t, market) {
		kind.publish()
		<-time.After(5 * time.Second)
	}
}

// publication is one document of a kind, on its way out.
type publication struct {
	kind    broadcast.Kind
	publish func()
}

// kinds has a fresh document of every kind that lists name; the commune places
// what it was offered.
func (w *pair) kinds(t *testing.T, offered broadcast.Announcement) []publication {
	c, here := w.Centre, []broadcast.ID{nodetest.Area}
	local := c.House.Officer("local", broadcast.Commune, nodetest.Area)
	both := []seal.Signer{c.Editor, c.Approver}
	var drill broadcast.Announcement
	hold := func(kind broadcast.Kind, by []seal.Signer, make func(broadcast.Revision) (broadcast.Validator, broadcast.Instant)) publication {
		return publication{kind, func() {
			doc, until := make(c.Revision("any"))
			w.hold(t, kind, doc, until, by...)
		}}
	}
	type (
		rev  = broadcast.Revision
		doc  = broadcast.Validator
		till = broadcast.Instant
	)
	return []publication{
		{broadcast.KindAuthority, func() { w.rules(t) }},
		{broadcast.KindPolicy, func() { w.rule(t, func(p *broadcast.Policy) { p.Quiet = []broadcast.Span{{From: 120, To: 240}} }) }},
		{broadcast.KindAnnouncement, func() { w.publish(t, w.Announcement("bell", broadcast.Priority, 30*time.Minute, 5*time.Second)) }},
		hold(broadcast.KindSilence, []seal.Signer{c.Approver}, func(r rev) (doc, till) {
			return broadcast.Silence{ID: "hush", Revision: r, Areas: here, Classes: []broadcast.Class{broadcast.Priority}, Until: w.in(20 * time.Hour)}, w.in(20 * time.Hour)
		}),
		hold(broadcast.KindTemplate, both, func(r rev) (doc, till) {
			return broadcast.Template{ID: "standing", Revision: r, Class: broadcast.Emergency, Title: "Vỡ đập", Areas: here,
				Versions: w.Announcement("standing", broadcast.Emergency, 0, 5*time.Second).Versions, Expires: w.in(96 * time.Hour)}, w.in(96 * time.Hour)
		}),
		hold(broadcast.KindPlacement, []seal.Signer{local}, func(r rev) (doc, till) {
			return broadcast.Placement{ID: "order", Revision: r, Areas: here, Until: w.in(96 * time.Hour),
				Items: []broadcast.Placed{{Announcement: offered.ID, Revision: offered.Revision}}}, w.in(96 * time.Hour)
		}),
		hold(broadcast.KindSlot, []seal.Signer{local}, func(r rev) (doc, till) {
			return broadcast.Slot{ID: "evening", Revision: r, Areas: here, Level: broadcast.District, Spans: []broadcast.Span{{From: 1080, To: 1110}},
				From: w.in(0), Until: w.in(96 * time.Hour)}, w.in(96 * time.Hour)
		}),
		hold(broadcast.KindDrill, both, func(r rev) (doc, till) {
			drill = w.Announcement("drill", broadcast.Emergency, 40*time.Minute, 5*time.Second)
			drill.Revision = r
			return drill, drill.Timing.Deadline(drill.Class)
		}),
		hold(broadcast.KindWithdrawal, []seal.Signer{c.Approver}, func(r rev) (doc, till) {
			return broadcast.Withdrawal{ID: "w-drill", Revision: r, Announcement: drill.ID, Upto: drill.Revision, Class: drill.Class, Areas: drill.Areas},
				drill.Timing.Deadline(drill.Class)
		}),
	}
}

// turns is the rest of the morning: a false alarm that is withdrawn, orders to
// this one node, and a line that breaks.
func (w *pair) turns(t *testing.T) {
	t.Helper()
	dam := w.Announcement("dam", broadcast.Emergency, 4*time.Hour, 5*time.Second)
	w.publish(t, dam)
	<-time.After(8 * time.Minute) // the flood is over
	w.hold(t, broadcast.KindWithdrawal, broadcast.Withdrawal{ID: "w-dam", Revision: w.Centre.Revision("w-dam"), Announcement: dam.ID,
		Upto: dam.Revision, Class: dam.Class, Areas: dam.Areas}, dam.Timing.Deadline(dam.Class), w.Centre.Approver)
	w.orders(t)
	w.Wire.Down()
	<-time.After(time.Minute)
	w.Wire.Up()
}

// orders are what the office sends to this node alone. A session travels with the
// sound of its relay; who holds one may put it on a topic all the same.
func (w *pair) orders(t *testing.T) {
	t.Helper()
	standings, err := w.fleet.Overview(t.Context())
	if err != nil || standings[0].State == nil {
		t.Fatal(standings, err)
	}
	now := w.Centre.Revision("orders")
	tone := broadcast.Command{ID: "tone", Revision: now, Node: nodetest.NodeID, Boot: standings[0].State.Boot, Verb: broadcast.VerbResync, Expires: w.in(10 * time.Minute)}
	rebase := broadcast.Rebase{Node: nodetest.NodeID, Revision: now, Floor: w.in(-time.Hour)}
	session := broadcast.Session{Key: sealtest.Public("session"), Station: "national", Signer: sealtest.Public("signer"), At: w.in(0), Until: w.in(time.Hour)}
	for _, m := range []carried{
		{topic: wire.Node(nodetest.NodeID, "command"), payload: sealtest.Sealed(broadcast.KindCommand, tone, w.Centre.Editor)},
		{topic: wire.Node(nodetest.NodeID, "document"), payload: sealtest.Sealed(broadcast.KindRebase, rebase, w.Centre.House.RootKey)},
		{topic: wire.Node(nodetest.NodeID, "document"), payload: sealtest.Sealed(broadcast.KindSession, session, w.Centre.House.Service)},
	} {
		if err := w.Publish(m.topic, m.payload, false); err != nil {
			t.Fatal(err)
		}
	}
}

// inStep checks that the morning went as it was meant: without this the attacks
// would be made on a node that believes nothing anyway.
func (w *pair) inStep(t *testing.T, r *tape) {
	t.Helper()
	var err error
	if r.holding, err = w.dispatch.Holding(t.Context(), nodetest.NodeID); err != nil {
		t.Fatal(err)
	}
	standings, err := w.fleet.Overview(t.Context())
	if err != nil || standings[0].State == nil || standings[0].State.Holding != r.holding {
		t.Fatalf("the node is not in step: %+v %v", standings, err)
	}
	if s := standings[0].State; s.Acked != s.Seq || s.Seq == 0 {
		t.Errorf("receipts %d, acknowledged %d", s.Seq, s.Acked)
	}
	heard := w.Player.Sounded()
	if len(heard) != 2 {
		t.Errorf("%d soundings in the morning, want the flood and the market", len(heard))
	}
	for _, one := range heard {
		if _, ok := r.allows(soundingOf(one), broadcast.InstantOf(one.At)); !ok {
			t.Errorf("%s sounded at %v", one.Sounding.Name, one.At)
		}
	}
}
