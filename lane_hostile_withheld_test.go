package loaxa

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// withheld is one thing that a broker, and the file server with it, keeps back.
type withheld struct {
	name string
	// kind is that of the documents kept back; channel that of a node's messages.
	kind    broadcast.Kind
	channel string
	// publish is what the office does meanwhile; nil for a node that comes with
	// an empty card instead.
	publish func()
	shows   broadcast.FaultCode
}

// hides says whether a message is kept back.
func (h *withheld) hides(m carried) bool {
	if h == nil {
		return false
	}
	if topic, err := wire.ParseTopic(m.topic); err == nil && h.channel == topic.Channel.Name && m.from == wire.FromNode {
		return true
	}
	return h.file(m.payload)
}

func (h *withheld) file(raw []byte) bool {
	kind, err := seal.Peek(raw)
	return h != nil && err == nil && kind == h.kind
}

// unlisted are kinds that no node ought to hold, with what their absence leaves
// as it was.
func unlisted() map[broadcast.Kind]string {
	return map[broadcast.Kind]string{
		broadcast.KindCommand:     "the controller gives none by itself, and it expires unobeyed",
		broadcast.KindRebase:      "the clock stays unproved, which shows",
		broadcast.KindCertificate: "it travels in an authority",
		broadcast.KindRoot:        "it travels in an authority",
		broadcast.KindSession:     "it comes with the sound of its relay, which ends without it, with its reason in the receipt",
	}
}

// watched is a pair under the eyes of a vigil, with a broker that keeps back.
type watched struct {
	*pair
	hidden atomic.Pointer[withheld]
}

// Up says that the controller's own line is.
func (*watched) Up() bool { return true }

// Lost says that every station can be heard.
func (*watched) Lost() map[broadcast.ID]string { return nil }

func newWatched(t *testing.T) *watched {
	t.Helper()
	r := &tape{files: map[broadcast.Digest][]byte{}}
	w := &watched{}
	w.pair = newOffice(t, r, func(raw []byte) bool { return !w.hidden.Load().file(raw) })
	w.carries = func(m carried) bool { return !w.hidden.Load().hides(m) }
	w.on()
	w.dispatch.Up(t.Context())
	w.rules(t)
	<-time.After(time.Minute)
	w.programme(t, r)
	<-time.After(3 * time.Minute)
	return w
}

// looks lets a minute pass under the eyes of a vigil, and returns what the
// controller shows of the node.
func (w *watched) looks(t *testing.T, vigil *fleet.Vigil) (out []broadcast.FaultCode) {
	t.Helper()
	for end := time.Now().Add(broadcast.MaxFaultDelay); time.Now().Before(end); {
		<-time.After(5 * time.Second)
		if err := vigil.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	standings, err := w.fleet.Overview(t.Context())
	if err != nil || len(standings) != 1 {
		t.Fatal(standings, err)
	}
	for _, f := range standings[0].Faults {
		out = append(out, f.Code)
	}
	return out
}

// TestWhateverABrokerWithholdsShowsWithinAMinute keeps every kind of document
// back by itself, on every way, and what the node says of its presence, its
// holdings and its health.
func TestWhateverABrokerWithholdsShowsWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatched(t)
		rows := w.rows(t)
		everyRow(t, rows)
		for _, h := range rows {
			w.endure(t, h)
		}
	})
}

// endure keeps one thing back for a minute, and lets it come for another. The
// vigil is a new one each time: to one that remembers the last row, the fault
// would be one that comes and goes.
func (w *watched) endure(t *testing.T, h withheld) {
	t.Helper()
	vigil := fleet.NewVigil(fleet.VigilConfig{Fleet: w.fleet, Line: w, Holdings: w.dispatch, Stations: w})
	w.dispatch.Up(t.Context()) // as when a controller starts
	if open := w.looks(t, vigil); slices.Contains(open, h.shows) {
		t.Errorf("before %s is withheld the controller shows %q", h.name, open)
	}
	w.hidden.Store(&h)
	if h.publish == nil {
		w.Stop()
		w.Disk = storetest.New()
		w.on()
	} else {
		h.publish()
	}
	if open := w.looks(t, vigil); !slices.Contains(open, h.shows) {
		t.Errorf("%s is withheld and the controller shows %q, want %s", h.name, open, h.shows)
	}
	w.hidden.Store(nil)
	w.Wire.Down()
	w.Wire.Up()
	if open := w.looks(t, vigil); slices.Contains(open, h.shows) {
		t.Errorf("%s came in the end and the controller shows %q", h.name, open)
	}
}

// rows is the table of what is withheld.
func (w *watched) rows(t *testing.T) []withheld {
	t.Helper()
	alarm := func() {
		id := broadcast.ID("alarm-" + time.Now().UTC().Format("150405"))
		w.publish(t, w.Announcement(id, broadcast.Emergency, 2*time.Hour, time.Second))
	}
	rows := []withheld{
		{name: "the list", kind: broadcast.KindManifest, publish: alarm, shows: broadcast.FaultDrift},
		{name: "what it holds", channel: "state", publish: alarm, shows: broadcast.FaultDrift},
		{name: "what it proved", kind: broadcast.KindReceipts, publish: alarm, shows: broadcast.FaultUnanswered},
		{name: "that its proof came", kind: broadcast.KindAck, publish: alarm, shows: broadcast.FaultUnanswered},
	}
	for _, p := range w.kinds(t, w.Announcement("market", broadcast.Normal, time.Hour, time.Second)) {
		rows = append(rows, withheld{name: string(p.kind), kind: p.kind, publish: p.publish, shows: broadcast.FaultDrift})
	}
	return append(rows,
		withheld{name: "the answer to its question", kind: broadcast.KindTime, shows: broadcast.FaultClock},
		withheld{name: "its place", kind: broadcast.KindAssignment, shows: broadcast.FaultDrift},
		withheld{name: "all authority", kind: broadcast.KindAuthority, shows: broadcast.FaultDrift},
		withheld{name: "its question", channel: "presence", shows: broadcast.FaultClock},
		withheld{name: "what ails it", channel: "health", shows: broadcast.FaultNoAnswer},
	)
}

// everyRow checks that no kind and no channel is without one.
func everyRow(t *testing.T, rows []withheld) {
	t.Helper()
	for _, k := range broadcast.Kinds() {
		_, without := unlisted()[k]
		if slices.ContainsFunc(rows, func(h withheld) bool { return h.kind == k }) == without {
			t.Errorf("kind %s: give it a row here, or say what its absence leaves as it was", k)
		}
	}
	for _, c := range wire.Channels() {
		row := slices.ContainsFunc(rows, func(h withheld) bool { return h.channel == c.Name })
		if c.From == wire.FromNode && !row && len(c.Kinds) == 0 {
			t.Errorf("what a node says on %s: give it a row here", wire.Node(nodetest.NodeID, c.Name))
		}
	}
}
