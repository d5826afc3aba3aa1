// Package nodetest has stand-ins for everything that a node deals with: a centre
// that signs and answers as a controller does, a link that can be cut, a player
// that makes no sound, a fetcher, and a rig that puts a node between them on a
// card that can lose its power.
//
// They promise to believe nothing that a real controller would not: receipts
// are opened with the node's key and must continue its chain. All of them live
// by the clock of the process, so a rig runs in a synctest bubble.
package nodetest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// Top is the area over which a Centre has authority.
const Top broadcast.ID = "bac-quang"

// Outgoing is a message that the centre wants published.
type Outgoing struct {
	Topic    string
	Payload  []byte
	Retained bool
}

// Chain is what a centre has of one node's receipts.
type Chain struct {
	ID       broadcast.ID
	Receipts []broadcast.Receipt
}

// Centre is a controller for tests. It is safe for several goroutines.
type Centre struct {
	House *sealtest.House
	// Editor and Approver are officers of the district with every right.
	Editor, Approver seal.Signer
	// Now is the centre's clock.
	Now func() time.Time
	// Stored is told every receipt that is stored for the first time; it may be
	// nil. It must not use the centre.
	Stored func(node, chain broadcast.ID, r broadcast.Receipt)

	mu        sync.Mutex
	documents map[broadcast.Digest][]byte
	contents  map[broadcast.Digest][]byte
	listed    map[broadcast.ID][]broadcast.Entry
	last      map[string]broadcast.Revision
	keys      map[broadcast.ID]broadcast.Key
	chains    map[broadcast.ID]*Chain
	states    map[broadcast.ID]wire.State
	health    map[broadcast.ID]wire.Health
	given     map[broadcast.ID][]Outgoing // what a lost node is given again
	// deaf keeps it from acknowledging, mute from answering the time.
	deaf, mute bool
	faults     []error
}

// NewCentre returns a centre with two officers over the district.
func NewCentre(now func() time.Time, demo bool) *Centre {
	h := sealtest.NewHouse(Top, broadcast.InstantOf(now()), demo)
	return &Centre{House: h, Now: now,
		Editor: h.Officer("lan", broadcast.District, Top), Approver: h.Officer("minh", broadcast.District, Top),
		documents: map[broadcast.Digest][]byte{}, contents: map[broadcast.Digest][]byte{}, listed: map[broadcast.ID][]broadcast.Entry{},
		last: map[string]broadcast.Revision{}, keys: map[broadcast.ID]broadcast.Key{}, chains: map[broadcast.ID]*Chain{},
		states: map[broadcast.ID]wire.State{}, health: map[broadcast.ID]wire.Health{},
		given: map[broadcast.ID][]Outgoing{}}
}

// Instant is the centre's time.
func (c *Centre) Instant() broadcast.Instant { return broadcast.InstantOf(c.Now()) }

// Revision returns a revision of a document that was not given before.
func (c *Centre) Revision(of string) broadcast.Revision {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := max(broadcast.Revision(c.Instant()), c.last[of]+1)
	c.last[of] = r
	return r
}

// Know makes a node's key known, as confirming it on site does.
func (c *Centre) Know(id broadcast.ID, key broadcast.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[id] = key
}

// Silence sets whether receipts stay unacknowledged and questions for the time
// unanswered.
func (c *Centre) Silence(receipts, time bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf, c.mute = receipts, time
}

// Put keeps a sealed document to be fetched, and returns its name.
func (c *Centre) Put(raw []byte) broadcast.Digest {
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := broadcast.Sum(raw)
	c.documents[sum] = raw
	return sum
}

// PutContent keeps a recording to be fetched, and returns its name.
func (c *Centre) PutContent(raw []byte) broadcast.Digest {
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := broadcast.Sum(raw)
	c.contents[sum] = raw
	return sum
}

// Document returns a document or recording by its name; nil if there is none.
func (c *Centre) Document(sum broadcast.Digest) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if raw, ok := c.documents[sum]; ok {
		return raw
	}
	return c.contents[sum]
}

// Authority seals everything that judges signatures, as the root.
func (c *Centre) Authority(revocations ...broadcast.Revocation) []byte {
	doc := broadcast.Authority{Area: Top, Revision: c.Revision("authority"), Roots: []broadcast.Envelope{c.House.Root},
		Certificates: c.House.Certs, Revocations: revocations}
	return c.sealed(broadcast.KindAuthority, doc, Top, doc.Revision, c.House.RootKey)
}

// Policy seals a policy of the district with two officers. Change may be nil.
func (c *Centre) Policy(change func(*broadcast.Policy)) []byte {
	doc := broadcast.Policy{Area: Top, Revision: c.Revision("policy")}
	for _, class := range broadcast.Classes() {
		doc.Thresholds = append(doc.Thresholds, broadcast.Threshold{Class: class, Officers: 2})
	}
	if change != nil {
		change(&doc)
	}
	return c.sealed(broadcast.KindPolicy, doc, Top, doc.Revision, c.Editor, c.Approver)
}

// Assignment seals the place of a node: an area below the district.
func (c *Centre) Assignment(id broadcast.ID, key broadcast.Key, area broadcast.ID, at ...broadcast.Controller) []byte {
	if len(at) == 0 {
		at = []broadcast.Controller{{HTTP: "http://centre", MQTT: "mqtt://centre"}}
	}
	doc := broadcast.Assignment{Node: id, Revision: c.Revision("assignment " + string(id)),
		Chain:     []broadcast.Place{{Area: Top, Level: broadcast.District}, {Area: area, Level: broadcast.Commune}},
		Languages: []broadcast.Language{"vi"}, Controllers: at, Key: key}
	c.Know(id, key)
	return c.sealed(broadcast.KindAssignment, doc, "", 0, c.Editor)
}

// Sealed seals any document, keeps it, and lists it in an area unless that is "".
func (c *Centre) Sealed(kind broadcast.Kind, doc broadcast.Validator, area broadcast.ID, signers ...seal.Signer) []byte {
	claim, _ := seal.ClaimOf(doc)
	raw := c.sealed(kind, doc, area, claim.Revision, signers...)
	if area == "" {
		return raw
	}
	entry := broadcast.Entry{Kind: kind, ID: claim.ID, Revision: claim.Revision, SHA256: broadcast.Sum(raw)}
	c.list(area, entry)
	return raw
}

func (c *Centre) sealed(kind broadcast.Kind, doc broadcast.Validator, area broadcast.ID, revision broadcast.Revision, signers ...seal.Signer) []byte {
	raw := sealtest.Sealed(kind, doc, signers...)
	sum := c.Put(raw)
	if area != "" && (kind == broadcast.KindAuthority || kind == broadcast.KindPolicy) {
		c.list(area, broadcast.Entry{Kind: kind, ID: area, Revision: revision, SHA256: sum})
	}
	return raw
}

func (c *Centre) list(area broadcast.ID, e broadcast.Entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed[area] = slices.DeleteFunc(c.listed[area], func(old broadcast.Entry) bool { return old.Compare(e) == 0 })
	c.listed[area] = append(c.listed[area], e)
	slices.SortFunc(c.listed[area], broadcast.Entry.Compare)
}

// Delist takes a document out of an area's list.
func (c *Centre) Delist(area broadcast.ID, kind broadcast.Kind, id broadcast.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed[area] = slices.DeleteFunc(c.listed[area], func(e broadcast.Entry) bool { return e.Kind == kind && e.ID == id })
}

// Manifest seals the list of an area as it is now.
func (c *Centre) Manifest(area broadcast.ID, nonces ...string) []byte {
	revision := c.Revision("manifest " + string(area))
	c.mu.Lock()
	doc := broadcast.Manifest{Area: area, Revision: revision, Documents: slices.Clone(c.listed[area]), Nonces: nonces}
	c.mu.Unlock()
	return sealtest.Sealed(broadcast.KindManifest, doc, c.House.Service)
}

// Take is told what a node published and returns what to publish in answer.
func (c *Centre) Take(topic string, payload []byte) []Outgoing {
	t, err := wire.ParseTopic(topic)
	if err != nil || t.Channel.From != wire.FromNode || len(payload) == 0 {
		return nil
	}
	var answer []Outgoing
	switch t.Channel.Name {
	case "presence":
		answer, err = c.presence(t.ID, payload)
	case "receipt":
		answer, err = c.receipts(t.ID, payload)
	case "state":
		answer, err = c.state(t.ID, payload)
	case "health":
		err = c.unwell(t.ID, payload)
	}
	if err != nil {
		c.mu.Lock()
		c.faults = append(c.faults, fmt.Errorf("%s: %w", topic, err))
		c.mu.Unlock()
	}
	return answer
}

func (c *Centre) presence(id broadcast.ID, payload []byte) ([]Outgoing, error) {
	p, err := wire.DecodePresence(payload)
	c.mu.Lock()
	mute := c.mute
	c.mu.Unlock()
	if err != nil || p.State == wire.Gone || p.Nonce == "" || mute {
		return nil, err
	}
	doc := broadcast.TimeAnswer{Node: id, Boot: p.Boot, Nonce: p.Nonce, At: c.Instant()}
	return []Outgoing{{Topic: wire.Node(id, "time"), Payload: sealtest.Sealed(broadcast.KindTime, doc, c.House.Service)}}, nil
}

// state notes what a node says, and gives one that is lost its place again.
func (c *Centre) state(id broadcast.ID, payload []byte) ([]Outgoing, error) {
	s, err := wire.DecodeState(payload)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states[id] = s
	if err != nil || !s.Resync {
		return nil, err
	}
	return c.given[id], nil
}

// Give has the centre publish these whenever a node says that it is lost.
func (c *Centre) Give(id broadcast.ID, list ...Outgoing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.given[id] = list
}

func (c *Centre) unwell(id broadcast.ID, payload []byte) error {
	h, err := wire.DecodeHealth(payload)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.health[id] = h
	return err
}

// receipts opens a batch, continues the chain and acknowledges it.
func (c *Centre) receipts(id broadcast.ID, payload []byte) ([]Outgoing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key, known := c.keys[id]
	if !known || c.deaf {
		return nil, nil
	}
	batch, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, payload, key)
	if err != nil || batch.Node != id {
		return nil, errors.Join(err, fmt.Errorf("batch of %s", batch.Node))
	}
	chain := c.chains[id]
	if chain == nil || chain.ID != batch.Chain {
		chain = &Chain{ID: batch.Chain}
		c.chains[id] = chain
	}
	head := broadcast.Sum(nil)
	if n := len(chain.Receipts); n > 0 {
		if head, err = chain.Receipts[n-1].Digest(); err != nil {
			return nil, err
		}
	}
	for _, r := range batch.Receipts {
		if r.Seq != int64(len(chain.Receipts))+1 {
			continue
		}
		if r.Prev != head {
			return nil, fmt.Errorf("receipt %d forks the chain", r.Seq)
		}
		chain.Receipts = append(chain.Receipts, r)
		if c.Stored != nil {
			c.Stored(id, chain.ID, r)
		}
		if head, err = r.Digest(); err != nil {
			return nil, err
		}
	}
	if len(chain.Receipts) == 0 {
		return nil, nil
	}
	ack := broadcast.ReceiptAck{Node: id, Chain: chain.ID, Seq: int64(len(chain.Receipts)), Hash: head, At: c.Instant()}
	return []Outgoing{{Topic: wire.Node(id, "receipt/ack"), Payload: sealtest.Sealed(broadcast.KindAck, ack, c.House.Service)}}, nil
}

// Receipts are what a node proved so far, in order.
func (c *Centre) Receipts(id broadcast.ID) []broadcast.Receipt {
	c.mu.Lock()
	defer c.mu.Unlock()
	if chain := c.chains[id]; chain != nil {
		return slices.Clone(chain.Receipts)
	}
	return nil
}

// Rungs are a node's receipts of one document, each as "rung", "rung reason" or,
// above the first attempt, "rung reason 2".
func (c *Centre) Rungs(id, announcement broadcast.ID) []string {
	var out []string
	for _, r := range c.Receipts(id) {
		if r.Announcement != announcement {
			continue
		}
		text := string(r.Rung)
		if r.Reason != "" {
			text += " " + string(r.Reason)
		}
		if r.Attempt > 1 {
			text += fmt.Sprintf(" %d", r.Attempt)
		}
		out = append(out, text)
	}
	return out
}

// State is what a node last said of itself.
func (c *Centre) State(id broadcast.ID) wire.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.states[id]
}

// Faults are what a node last said to be wrong with it, by code.
func (c *Centre) Faults(id broadcast.ID) []broadcast.FaultCode {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []broadcast.FaultCode
	for _, f := range c.health[id].Faults {
		out = append(out, f.Code)
	}
	return out
}

// Unwell is what a node last said to be wrong with it.
func (c *Centre) Unwell(id broadcast.ID) []wire.Fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.health[id].Faults)
}

// Nodes are those that have proved anything.
func (c *Centre) Nodes() []broadcast.ID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.SortedFunc(maps.Keys(c.chains), func(a, b broadcast.ID) int { return cmp.Compare(a, b) })
}

// Err is what nodes said that a controller would not accept.
func (c *Centre) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.faults...)
}

// Listed is what an area's next manifest lists.
func (c *Centre) Listed(area broadcast.ID) []broadcast.Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.listed[area])
}

// Forget loses everything that a node proved, as a controller without a backup.
func (c *Centre) Forget(id broadcast.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.chains, id)
}

// Restore loses all but the first n receipts of a node, as a controller that
// was restored from a backup.
func (c *Centre) Restore(id broadcast.ID, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chains[id].Receipts = c.chains[id].Receipts[:n]
}
