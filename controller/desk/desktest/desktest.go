// Package desktest sets up a desk with everything that it stands on, for tests.
//
// It promises a demo house in a temporary folder with a real database, its
// people, a fleet whose nodes enrol and are confirmed with real keys, and a
// clock that only the test moves. Content is a record without bytes.
package desktest

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

// Clock is a clock that the test moves.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// Now returns what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Add moves the clock on.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// Woken counts how often somebody was told that listings changed.
type Woken struct{ n atomic.Int64 }

// Changed counts.
func (w *Woken) Changed() { w.n.Add(1) }

// Times returns the count.
func (w *Woken) Times() int64 { return w.n.Load() }

// House is a desk with what it stands on.
type House struct {
	peopletest.House
	T     testing.TB
	Clock *Clock
	Tree  func() broadcast.Tree
	Hub   *events.Hub
	Woken *Woken
	Fleet *fleet.Fleet
	Desk  *desk.Desk
	// tokens are those of the people of the demo.
	tokens map[broadcast.ID]string
	// seqs is how many receipts each node gave.
	seqs map[broadcast.ID]int64
}

// New sets a house up at eight in the morning of 22/11/2026.
func New(t testing.TB) *House {
	t.Helper()
	h := &House{T: t, Clock: &Clock{at: morning()}, Hub: &events.Hub{}, Woken: &Woken{},
		seqs: map[broadcast.ID]int64{}}
	h.House, h.tokens = open(t, h.Clock.Now)
	h.Tree = h.Config.Tree
	h.Assemble()
	return h
}

// Assemble makes fleet and desk anew over the same database, as after a restart.
func (h *House) Assemble() {
	log := slog.New(slog.DiscardHandler)
	h.Fleet = fleet.New(fleet.Config{DB: h.DB, Office: h.Office, Tree: h.Tree, Events: h.Hub, ControllerSecret: "of the controller", Now: h.Clock.Now, Log: log,
		Controllers: []broadcast.Controller{{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}}})
	h.Desk = desk.New(desk.Config{DB: h.DB, Keys: h.Office, Rights: h.Office, Fleet: h.Fleet, Tree: h.Tree, Events: h.Hub, Wake: h.Woken,
		Now: h.Clock.Now, Log: log})
}

// Now is what the clock shows.
func (h *House) Now() broadcast.Instant { return broadcast.InstantOf(h.Clock.Now()) }

// Somebody is a person with a token.
type Somebody struct {
	Person people.Person
	people.Credential
}

// Somebody returns a person with a role over an area; the same arguments give
// the same person.
func (h *House) Somebody(role string, area broadcast.ID) Somebody {
	h.T.Helper()
	return h.bearer(h.Token(h.T, role, area))
}

// Named returns one of the people of the demo, such as duyet-1.
func (h *House) Named(id broadcast.ID) Somebody {
	h.T.Helper()
	return h.bearer(h.tokens[id])
}

func (h *House) bearer(token string) Somebody {
	h.T.Helper()
	b, err := h.Office.Bearer(context.Background(), token)
	if err != nil {
		h.T.Fatal(err)
	}
	return Somebody{Person: b.Person, Credential: people.Credential{Token: token}}
}

// Content makes a record of content of some length.
func (h *House) Content(length time.Duration) broadcast.Digest {
	h.T.Helper()
	sha := broadcast.Sum([]byte("content of " + length.String()))
	measured, err := json.Marshal(map[string]any{"sha256": sha})
	if err != nil {
		h.T.Fatal(err)
	}
	h.Update(func(tx store.Tx) error {
		return tx.AddContent(context.Background(), store.Content{SHA256: sha, Bytes: 30000, Millis: length.Milliseconds(), Name: "tin.mp3",
			Person: "bien-tap", Measured: string(measured), Created: h.Now()})
	})
	return sha
}

// Update runs a transaction that must succeed.
func (h *House) Update(f func(store.Tx) error) {
	h.T.Helper()
	if err := h.DB.Update(context.Background(), f); err != nil {
		h.T.Fatal(err)
	}
}

// Node takes a node in, up to its confirmation, and returns its secret. Its key
// is sealtest's of its id.
func (h *House) Node(id, area broadcast.ID) string {
	h.T.Helper()
	ctx := context.Background()
	technician := h.Named("ky-thuat")
	token, err := h.Fleet.Invite(ctx, technician.Person.ID, fleet.Invitation{Node: id, Area: area})
	if err != nil {
		h.T.Fatal(err)
	}
	e := wire.Enrolment{Node: id, Token: token, Board: "simulated"}.Prove(sealtest.Key(string(id)))
	done, err := h.Fleet.Enrol(ctx, e, h.Office.Roots())
	if err != nil {
		h.T.Fatal(err)
	}
	err = h.Office.With(ctx, technician.Credential, func(s seal.Signer) error {
		return h.Fleet.Confirm(ctx, technician.Person.ID, id, done.ShortCode, s)
	})
	if err != nil {
		h.T.Fatal(err)
	}
	return done.Secret
}

// Prove stores receipts of a node as they would be after their verification.
func (h *House) Prove(node broadcast.ID, receipts ...broadcast.Receipt) {
	h.T.Helper()
	var rows []store.ReceiptRow
	for _, r := range receipts {
		h.seqs[node]++
		r.Seq, r.Prev, r.Boot = h.seqs[node], broadcast.Sum([]byte(node)), "boot"
		if r.Clock == "" {
			r.Clock = broadcast.ClockProved
		}
		raw, err := broadcast.Encode(r)
		if err != nil {
			h.T.Fatal(err)
		}
		rows = append(rows, store.ReceiptRow{Node: node, Chain: "chain-" + node, Seq: r.Seq, Announcement: r.Announcement, Of: r.Of,
			Stored: h.Now(), Raw: raw, Firing: r.Firing != nil})
	}
	h.Update(func(tx store.Tx) error {
		return tx.AddReceipts(context.Background(), []store.Chain{{Node: node, Chain: "chain-" + node, Seq: h.seqs[node], Head: broadcast.Sum(nil)}}, rows)
	})
}

// Doubt has it be unsure which box gave the receipts of a node, from the first
// on.
func (h *House) Doubt(node broadcast.ID) {
	h.T.Helper()
	h.Update(func(tx store.Tx) error {
		return tx.Doubt(context.Background(), store.Doubt{Node: node, Code: broadcast.FaultDuplicate, Since: h.Now(), Chain: "chain-" + node, Seq: 1})
	})
}

// Of has a receipt speak of an announcement as it was sealed.
func Of(a broadcast.Announcement, r broadcast.Receipt) broadcast.Receipt {
	b, err := broadcast.Encode(a)
	if err != nil {
		panic(err) // it was sealed before
	}
	r.Announcement, r.Of, r.Payload = a.ID, a.Revision, broadcast.Sum(b)
	return r
}

// Sounded is what a node gives for an announcement that it sounded to its end.
func Sounded(a broadcast.Announcement) []broadcast.Receipt {
	samples := 48 * a.Versions[0].Duration().Milliseconds()
	at := a.Timing.Start
	base := Of(a, broadcast.Receipt{})
	step := func(rung broadcast.Rung, start, at broadcast.Instant, e *broadcast.Evidence) broadcast.Receipt {
		r := base
		r.Rung, r.Start, r.At, r.Evidence = rung, start, at, e
		if start != 0 {
			r.Attempt = 1
		}
		return r
	}
	return []broadcast.Receipt{
		step(broadcast.Received, 0, at-2900, nil), step(broadcast.Verified, 0, at-2800, nil), step(broadcast.Cached, 0, at-2000, nil),
		step(broadcast.Powered, at, at-1500, nil), step(broadcast.Playing, at, at, nil),
		step(broadcast.Sounded, at, at+broadcast.Instant(samples/48), &broadcast.Evidence{Samples: samples, Of: samples, First: at}),
		step(broadcast.Ended, at, at+broadcast.Instant(samples/48)+300, nil),
	}
}
