package fortnight

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/historytest"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// The size of the district.
const (
	communes = 23
	perPlace = 15
)

// world is a district for a while: one centre, 23 communes, and those of their
// speaker sites that are played.
type world struct {
	testing.TB
	seed uint64
	dice *rand.Rand
	log  *slog.Logger
	// ahead is by how much the time of the world is before that of the machine,
	// as where a board has no battery for its clock: nothing may go by the latter.
	ahead time.Duration

	centre     *nodetest.Centre
	areas      []broadcast.ID
	officers   map[broadcast.ID][]seal.Signer // two of every commune, and of the district
	recordings *recordings
	sites      []*site
	items      []*published // in the order of their publishing
	silences   int
	fates      []fate
	chronicle  []string // what fate did

	mu       sync.Mutex
	retained map[string]nodetest.Outgoing
	papers   map[broadcast.Digest]historytest.Given
	orders   map[broadcast.Digest]broadcast.RunningOrder
}

// published is an announcement that was made.
type published struct {
	broadcast.Announcement
	area broadcast.ID // in whose list it stands
	raw  []byte       // as it travels
	gone bool         // withdrawn or taken off the list
}

// newWorld makes a district of which some sites are played, chosen by the seed.
func newWorld(t testing.TB, seed uint64, played int) *world {
	w := &world{TB: t, seed: seed, dice: rand.New(rand.NewPCG(seed, 14)), log: quiet(), officers: map[broadcast.ID][]seal.Signer{},
		recordings: &recordings{long: map[string]time.Duration{}}, retained: map[string]nodetest.Outgoing{},
		papers: map[broadcast.Digest]historytest.Given{}, orders: map[broadcast.Digest]broadcast.RunningOrder{}}
	w.ahead = w.between(-3*365*24*time.Hour, 30*365*24*time.Hour)
	w.centre = nodetest.NewCentre(func() time.Time { return time.Now().Add(w.ahead) }, false)
	w.centre.Stored = w.stored
	tree, err := broadcast.BacQuangTree()
	w.must(err)
	w.areas = broadcast.FormerCommunes(tree)
	if len(w.areas) != communes {
		t.Fatalf("%d communes", len(w.areas))
	}
	for _, n := range w.dice.Perm(communes * perPlace)[:played] {
		w.sites = append(w.sites, w.newSite(w.areas[n/perPlace], n%perPlace+1))
	}
	w.officers[nodetest.Top] = []seal.Signer{w.centre.Editor, w.centre.Approver}
	for _, area := range w.used() {
		for _, who := range []string{"a", "b"} {
			w.officers[area] = append(w.officers[area], w.centre.House.Officer(broadcast.ID(who+"-"+string(area)), broadcast.Commune, area))
		}
	}
	return w
}

func (w *world) must(err error) {
	if err != nil {
		w.Helper()
		w.Fatal(err)
	}
}

func (w *world) note(format string, args ...any) {
	w.chronicle = append(w.chronicle, fmt.Sprintf("%s %s", w.centre.Instant(), fmt.Sprintf(format, args...)))
}

// stored is told what the centre stored of a node.
func (w *world) stored(id, chain broadcast.ID, r broadcast.Receipt) {
	if s := w.site(id); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told(historytest.Proved{Chain: chain, Receipt: r})
	}
}

func (w *world) site(id broadcast.ID) *site {
	i := slices.IndexFunc(w.sites, func(s *site) bool { return s.id == id })
	if i < 0 {
		return nil
	}
	return w.sites[i]
}

// open publishes what every area begins with and starts the sites.
func (w *world) open() {
	w.send(wire.Area(nodetest.Top, "authority"), w.centre.Authority())
	w.policy(nodetest.Top, nil)
	for _, s := range w.sites {
		w.place(s, s.home)
	}
	w.lists()
	for _, s := range w.sites {
		s.power()
	}
}

// place assigns a site to a commune.
func (w *world) place(s *site, area broadcast.ID) {
	s.mu.Lock()
	s.area = area
	s.mu.Unlock()
	raw := w.centre.Assignment(s.id, s.public(), area)
	authority := w.kept([]string{wire.Area(nodetest.Top, "authority")})[0]
	w.centre.Give(s.id, nodetest.Outgoing{Topic: wire.Node(s.id, "document"), Payload: authority.Payload},
		nodetest.Outgoing{Topic: wire.Node(s.id, "assignment"), Payload: raw})
	w.learn(broadcast.KindAssignment, raw, 1, broadcast.District)
	w.send(wire.Node(s.id, "assignment"), raw)
}

// used are the communes in which played sites stand.
func (w *world) used() []broadcast.ID {
	in := map[broadcast.ID]bool{}
	for _, s := range w.sites {
		in[s.area] = true
	}
	return slices.Sorted(maps.Keys(in))
}

// lists publishes the manifests of the district and of all its communes.
func (w *world) lists() {
	w.list(nodetest.Top)
	for _, area := range w.used() {
		w.list(area)
	}
}

func (w *world) list(area broadcast.ID) {
	raw := w.centre.Manifest(area)
	w.learn(broadcast.KindManifest, raw, 0, "")
	w.send(wire.Area(area, "manifest"), raw)
}

// policy seals the regulation of an area.
func (w *world) policy(area broadcast.ID, change func(*broadcast.Policy)) {
	doc := broadcast.Policy{Area: area, Revision: w.centre.Revision("policy " + string(area)), Quiet: []broadcast.Span{{From: 22 * 60, To: 5 * 60}},
		Chimes: []broadcast.Class{broadcast.Emergency}}
	for _, class := range broadcast.Classes() {
		doc.Thresholds = append(doc.Thresholds, broadcast.Threshold{Class: class, Officers: 2})
	}
	if change != nil {
		change(&doc)
	}
	w.seal(broadcast.KindPolicy, doc, area, "policy", w.officers[area]...)
}

// level is that of the officers of an area.
func level(area broadcast.ID) broadcast.Level {
	if area == nodetest.Top {
		return broadcast.District
	}
	return broadcast.Commune
}

// seal has officers of an area sign a document, lists it, publishes it, and
// publishes the list.
func (w *world) seal(kind broadcast.Kind, doc broadcast.Validator, area broadcast.ID, channel string, by ...seal.Signer) []byte {
	raw := w.centre.Sealed(kind, doc, area, by...)
	w.learn(kind, raw, len(by), level(area))
	w.send(wire.Area(area, channel), raw)
	w.list(area)
	return raw
}

// learn notes what a sealed document says, for the judges.
func (w *world) learn(kind broadcast.Kind, raw []byte, officers int, level broadcast.Level) {
	env, err := seal.Parse(kind, raw)
	w.must(err)
	payload, err := env.PayloadBytes()
	w.must(err)
	doc, err := decode(kind, payload)
	w.must(err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.papers[broadcast.Sum(raw)] = historytest.Given{Document: doc, Officers: officers, Level: level}
}

func decode(kind broadcast.Kind, payload []byte) (broadcast.Validator, error) {
	switch kind {
	case broadcast.KindAnnouncement:
		return broadcast.Decode[broadcast.Announcement](payload)
	case broadcast.KindManifest:
		return broadcast.Decode[broadcast.Manifest](payload)
	case broadcast.KindPolicy:
		return broadcast.Decode[broadcast.Policy](payload)
	case broadcast.KindSilence:
		return broadcast.Decode[broadcast.Silence](payload)
	case broadcast.KindWithdrawal:
		return broadcast.Decode[broadcast.Withdrawal](payload)
	case broadcast.KindAssignment:
		return broadcast.Decode[broadcast.Assignment](payload)
	}
	return nil, fmt.Errorf("no judge asks for a %s", kind)
}

// paper is what a message says, if a judge wants to know.
func (w *world) paper(raw []byte) (historytest.Given, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g, ok := w.papers[broadcast.Sum(raw)]
	return g, ok
}

// send publishes a message as a broker does: to those who listen now, and kept
// for those who come, if the channel is retained.
func (w *world) send(topic string, payload []byte) {
	t, err := wire.ParseTopic(topic)
	w.must(err)
	if t.Channel.Retained {
		w.mu.Lock()
		w.retained[topic] = nodetest.Outgoing{Topic: topic, Payload: payload, Retained: true}
		w.mu.Unlock()
	}
	for _, s := range w.sites {
		s.mu.Lock()
		b := s.playing
		s.mu.Unlock()
		if b != nil && b.listens(topic) {
			b.deliver(topic, payload)
		}
	}
}

// kept are the retained messages of topics, in a fixed order.
func (w *world) kept(filters []string) []nodetest.Outgoing {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []nodetest.Outgoing
	for _, topic := range slices.Sorted(maps.Keys(w.retained)) {
		if slices.ContainsFunc(filters, func(f string) bool { return matches(f, topic) }) {
			out = append(out, w.retained[topic])
		}
	}
	return out
}

// lastRecording is the last file, or the session of the last relay, of what a
// sounding names.
func (w *world) lastRecording(s historytest.Sounding) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range slices.Backward(w.items) {
		if p.ID != s.Announcement || p.Timing.Recurrence == nil && p.Timing.Repeat == 0 && p.Timing.Start != s.Start {
			continue
		}
		v := p.Versions[len(p.Versions)-1]
		if v.Programme != nil {
			order := w.orders[v.Programme.SHA256]
			last := order.Segments[len(order.Segments)-1]
			v.Content, v.Live = last.Content, last.Relay
		}
		if v.Live != nil {
			return v.Live.SessionKey
		}
		if v.Content != nil {
			return string(v.Content.SHA256)
		}
	}
	return ""
}
