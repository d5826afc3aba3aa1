package broker

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"
)

func TestFullQueueDropsAndCountsAndNeverWaits(t *testing.T) {
	l := newLanes()
	taken := 0
	for range laneMessages + 10 {
		if l.push(Message{Topic: "loaxa/1/node/a/receipt"}) {
			taken++
		}
	}
	if taken != laneMessages || l.dropped.Load() != 10 {
		t.Errorf("%d taken, %d dropped", taken, l.dropped.Load())
	}
}

func TestQueueIsBoundedInBytesAndRecovers(t *testing.T) {
	l := newLanes()
	big := Message{Topic: "loaxa/1/node/a/receipt", Payload: make([]byte, laneBytes/4)}
	for i := range 3 {
		if !l.push(big) {
			t.Fatalf("message %d of a quarter refused", i+1)
		}
	}
	if l.push(big) {
		t.Error("a fourth quarter fits beside the bookkeeping")
	}
	ctx, cancel := context.WithCancel(t.Context())
	var handled int
	l.run(ctx, func(Message) {
		if handled++; handled == 3 {
			cancel()
		}
	})
	if left := l.bytes.Load(); left != 0 {
		t.Errorf("%d bytes counted in an empty queue", left)
	}
	if !l.push(big) {
		t.Error("the emptied queue takes nothing")
	}
}

func TestSlowConsumerIsReportedOncePerPeriod(t *testing.T) {
	said := spoken{lines: make(chan string, 64)}
	c, err := Connect(ClientConfig{URL: "mqtt://b", OnMessage: func(Message) {}, Log: slog.New(said)})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	c.reports.now = func() time.Time { return now }
	for range laneMessages + 50 {
		c.receive(nil, arrived{topic: "loaxa/1/node/a/receipt"})
	}
	if c.Dropped() != 50 || len(said.lines) != 1 {
		t.Errorf("%d dropped, %d lines", c.Dropped(), len(said.lines))
	}
	now = now.Add(c.reports.period)
	c.receive(nil, arrived{topic: "loaxa/1/node/a/receipt"})
	if len(said.lines) != 2 {
		t.Errorf("%d lines after the next period", len(said.lines))
	}
}

// arrived is a message as the client library hands it over.
type arrived struct{ topic string }

func (arrived) Duplicate() bool   { return false }
func (arrived) Qos() byte         { return 0 }
func (arrived) Retained() bool    { return false }
func (a arrived) Topic() string   { return a.topic }
func (arrived) MessageID() uint16 { return 0 }
func (arrived) Payload() []byte   { return nil }
func (arrived) Ack()              {}

func TestAllTopicsOfANodeShareALaneAndNodesSpread(t *testing.T) {
	l := newLanes()
	used := map[int]bool{}
	for i := range 200 {
		node := fmt.Sprintf("loaxa/1/node/n-%d/", i)
		lane := l.lane(node + "receipt")
		used[lane] = true
		for _, topic := range []string{"presence", "state", "health"} {
			if got := l.lane(node + topic); got != lane {
				t.Fatalf("%s%s in lane %d, receipt in lane %d", node, topic, got, lane)
			}
		}
	}
	if len(used) != laneCount {
		t.Errorf("200 nodes use %d of %d lanes", len(used), laneCount)
	}
}

func TestLaneHandsOnInTheOrderOfArrival(t *testing.T) {
	l := newLanes()
	const count = 500
	for i := range count {
		l.push(Message{Topic: "loaxa/1/node/a/receipt", Payload: []byte(fmt.Sprint(i))})
	}
	ctx, cancel := context.WithCancel(t.Context())
	next := 0
	l.run(ctx, func(m Message) {
		if string(m.Payload) != fmt.Sprint(next) {
			t.Errorf("handed on %s, want %d", m.Payload, next)
		}
		if next++; next == count {
			cancel()
		}
	})
}
