package link

import "sync/atomic"

// event is one call of the Listener.
type event struct {
	kind       eventKind
	connection string
	why        error
	topic      string
	payload    []byte
}

type eventKind uint8

const (
	message eventKind = iota
	up
	down
)

// queue stands between Paho's goroutine, which must never wait, and the
// Listener, which may.
type queue struct {
	events  chan event
	bytes   atomic.Int64
	overrun atomic.Int64
}

func newQueue() *queue { return &queue{events: make(chan event, queueLength)} }

// message queues what came, or drops and counts it.
func (q *queue) message(topic string, payload []byte) {
	size := int64(len(topic) + len(payload))
	if q.bytes.Add(size) <= queueBytes {
		select {
		case q.events <- event{kind: message, topic: topic, payload: payload}:
			return
		default:
		}
	}
	q.bytes.Add(-size)
	q.overrun.Add(1)
}

// state queues a change of the connection. It waits for room, so a listener
// that hangs holds up the next connection rather than missing one.
func (q *queue) state(e event) { q.events <- e }

// deliver calls the listener until over is closed, and then once more for every
// change of the connection that is still queued.
func (q *queue) deliver(over <-chan struct{}, to Listener) {
	for {
		select {
		case e := <-q.events:
			q.call(to, e)
			continue
		case <-over:
		}
		for range len(q.events) {
			if e := <-q.events; e.kind != message {
				q.call(to, e)
			}
		}
		return
	}
}

func (q *queue) call(to Listener, e event) {
	switch e.kind {
	case message:
		q.bytes.Add(-int64(len(e.topic) + len(e.payload)))
		to.OnMessage(e.topic, e.payload)
	case up:
		to.OnUp(e.connection)
	case down:
		to.OnDown(e.connection, e.why)
	}
}
