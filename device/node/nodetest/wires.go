package nodetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/node"
)

// Wire is a link without a network: what a node publishes is given to Take, and
// what that returns comes back to the node. It is safe for several goroutines.
type Wire struct {
	// Take is told what was published.
	Take func(topic string, payload []byte) []Outgoing

	mu        sync.Mutex
	node      *node.Node
	up        bool
	topics    []string
	published []link.Message
}

// Publish hands a message to Take, and its answers to the node.
func (w *Wire) Publish(_ context.Context, m link.Message) error {
	w.mu.Lock()
	up, to := w.up, w.node
	w.published = append(w.published, m)
	w.mu.Unlock()
	if !up {
		return link.ErrDown
	}
	for _, o := range w.Take(m.Topic, m.Payload) {
		to.OnMessage(o.Topic, o.Payload)
	}
	return nil
}

// SetTopics notes what the node listens to.
func (w *Wire) SetTopics(topics []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.topics = slices.Clone(topics)
}

// Topics are what the node listens to.
func (w *Wire) Topics() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.topics)
}

// Published is everything that the node handed over, up or down.
func (w *Wire) Published() []link.Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.published)
}

// Up connects, Down cuts.
func (w *Wire) Up() { w.set(true) }

// Down cuts the link.
func (w *Wire) Down() { w.set(false) }

// lose cuts the link without the node's being told: it has no power either.
func (w *Wire) lose() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.up = false
}

func (w *Wire) set(up bool) {
	w.mu.Lock()
	was, to := w.up, w.node
	w.up = up
	w.mu.Unlock()
	switch {
	case up && !was:
		to.OnUp("connection-1")
	case !up && was:
		to.OnDown("connection-1", errors.New("cut"))
	}
}

// Fetcher fetches from a centre. It is safe for several goroutines.
type Fetcher struct {
	Centre *Centre

	mu     sync.Mutex
	refuse func(broadcast.Digest) error
	asked  []broadcast.Digest
	rate   int64
	got    int64
}

// Pace lets so many bytes of a recording through in a second; 0 all at once.
func (f *Fetcher) Pace(bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rate = bytes
}

// Got is how many bytes of recordings came so far.
func (f *Fetcher) Got() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got
}

// Refuse makes every fetch ask f first; nil stops that.
func (f *Fetcher) Refuse(refuse func(broadcast.Digest) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = refuse
}

// Asked are the names of everything asked for so far.
func (f *Fetcher) Asked() []broadcast.Digest {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *Fetcher) get(sum link.Sum) ([]byte, error) {
	name := broadcast.Digest(fmt.Sprintf("%x", sum))
	f.mu.Lock()
	f.asked = append(f.asked, name)
	refuse := f.refuse
	f.mu.Unlock()
	if refuse != nil {
		if err := refuse(name); err != nil {
			return nil, err
		}
	}
	raw := f.Centre.Document(name)
	if raw == nil {
		return nil, link.ErrNotFound
	}
	return bytes.Clone(raw), nil
}

// Document returns a document after a moment.
func (f *Fetcher) Document(ctx context.Context, sum link.Sum) ([]byte, error) {
	if err := pause(ctx, 20*time.Millisecond); err != nil {
		return nil, err
	}
	return f.get(sum)
}

// Content writes a recording to its destination after a moment.
func (f *Fetcher) Content(ctx context.Context, o link.Order) (err error) {
	if err := pause(ctx, 20*time.Millisecond); err != nil {
		return err
	}
	raw, err := f.get(o.Sum)
	if err != nil {
		return err
	}
	p, err := o.Open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	for chunk := range slices.Chunk(raw[p.Offset():], 16<<10) {
		if err := f.let(ctx, int64(len(chunk))); err != nil {
			return err
		}
		if _, err := p.Write(chunk); err != nil {
			return err
		}
	}
	return p.Commit()
}

// let waits until some bytes have come.
func (f *Fetcher) let(ctx context.Context, bytes int64) error {
	f.mu.Lock()
	rate := f.rate
	f.mu.Unlock()
	if rate > 0 {
		if err := pause(ctx, time.Duration(bytes)*time.Second/time.Duration(rate)); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got += bytes
	return nil
}

// pause lets time pass.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ticks are clocks whose wall clock can be set. They are safe for several
// goroutines.
type Ticks struct {
	began time.Time

	mu     sync.Mutex
	off    time.Duration
	synced bool
}

// NewTicks returns clocks that are right.
func NewTicks() *Ticks { return &Ticks{began: time.Now()} }

// Set puts the wall clock wrong by a span.
func (t *Ticks) Set(off time.Duration, synced bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.off, t.synced = off, synced
}

// Read returns the clocks.
func (t *Ticks) Read() node.Reading {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	return node.Reading{Wall: now.Round(0).Add(t.off), Mono: now.Sub(t.began), Synced: t.synced}
}
