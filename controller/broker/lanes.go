package broker

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

// The limits of what waits for the consumer.
const (
	laneCount    = 8
	laneMessages = 4096     // per lane: every node of a province may report at once
	laneBytes    = 64 << 20 // over all lanes
)

// lanes stand between the link, which must never wait, and the consumer, which
// may. Messages whose topics differ only in the last level, such as all those
// of one node, share a lane and so keep their order; lanes run side by side.
type lanes struct {
	seed    maphash.Seed
	queues  []chan Message
	bytes   atomic.Int64
	dropped atomic.Uint64
}

func newLanes() *lanes {
	l := &lanes{seed: maphash.MakeSeed(), queues: make([]chan Message, laneCount)}
	for i := range l.queues {
		l.queues[i] = make(chan Message, laneMessages)
	}
	return l
}

// push queues a message without ever waiting, or drops it and returns false.
func (l *lanes) push(m Message) bool {
	size := m.size()
	if l.bytes.Add(size) > laneBytes {
		l.bytes.Add(-size)
		l.dropped.Add(1)
		return false
	}
	select {
	case l.queues[l.lane(m.Topic)] <- m:
		return true
	default:
		l.bytes.Add(-size)
		l.dropped.Add(1)
		return false
	}
}

func (l *lanes) lane(topic string) int {
	if i := strings.LastIndexByte(topic, '/'); i >= 0 {
		topic = topic[:i]
	}
	return int(maphash.String(l.seed, topic) % uint64(len(l.queues)))
}

// run hands messages to the consumer until the context ends. What is still
// queued then is dropped: its senders repeat what was never acknowledged.
func (l *lanes) run(ctx context.Context, consume func(Message)) {
	var all sync.WaitGroup
	for _, queue := range l.queues {
		all.Go(func() {
			for ctx.Err() == nil {
				select {
				case m := <-queue:
					l.bytes.Add(-m.size())
					consume(m)
				case <-ctx.Done():
				}
			}
		})
	}
	all.Wait()
}
