// Package events tells whoever watches that something changed.
//
// It promises never to block whoever publishes: a watcher that does not keep up
// loses events and is told so by a Missed event, after which it reads the
// database again. Events carry names, never facts: what is true is asked of the
// store, so that a screen cannot show what no transaction kept.
package events

import (
	"context"
	"sync"

	"github.com/loaxa/loaxa/broadcast"
)

// Kind says what changed.
type Kind string

// The kinds of events.
const (
	Announcement Kind = "announcement"
	Delivery     Kind = "delivery"
	Node         Kind = "node"
	Content      Kind = "content"
	Fault        Kind = "fault"
	Speech       Kind = "speech"
	Person       Kind = "person"
	Session      Kind = "session"
	Missed       Kind = "missed"
)

// Event names one thing that changed.
type Event struct {
	Kind Kind         `json:"kind" doc:"announcement, delivery, node, content, fault, speech, person, session or missed"`
	ID   broadcast.ID `json:"id" doc:"what changed, for fault the node, for session the person; empty for missed and for a fault of the controller"`
}

// backlog is how many events wait for one watcher.
const backlog = 256

// Hub hands events to its watchers. The zero value is ready to use.
type Hub struct {
	mu       sync.Mutex
	watchers map[chan Event]bool // value: missed events since the last one it took
}

// Publish tells every watcher and returns at once.
func (h *Hub) Publish(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w, missed := range h.watchers {
		if missed && len(w) == 0 {
			w <- Event{Kind: Missed}
			h.watchers[w] = false
		}
		select {
		case w <- e:
		default:
			h.watchers[w] = true
		}
	}
}

// Watch returns events until ctx ends, and then a closed channel.
func (h *Hub) Watch(ctx context.Context) <-chan Event {
	w := make(chan Event, backlog)
	h.mu.Lock()
	if h.watchers == nil {
		h.watchers = map[chan Event]bool{}
	}
	h.watchers[w] = false
	h.mu.Unlock()
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers, w)
		close(w)
	})
	return w
}
