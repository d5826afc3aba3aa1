// Package linktest is an MQTT broker that a test owns and that can be as bad as
// a broker in the field.
//
// The promise: it does exactly what its Faults say, sees everything that is
// published, and says anything to anybody when told to: forged messages, raw
// bytes, silence. With no Faults it is a small honest MQTT 3.1.1 broker for
// QoS 0 and 1, with retained messages and wills, on real TCP or, for tests in
// virtual time, on pipes. Then: one goroutine reads each connection, another
// writes to it, and every change wakes those who Await it.
package linktest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// Message is one MQTT publish.
type Message struct {
	// Client is the id of the client that published it, "" for the broker itself.
	Client string
	// Topic and Payload are what was published.
	Topic   string
	Payload []byte
	// Retained says that the message asked to be retained.
	Retained bool
	// Will says that the broker published it because its client vanished.
	Will bool
}

// Client is one connection as the broker sees it.
type Client struct {
	// ID, User and Password are what the client gave in CONNECT.
	ID, User, Password string
	// KeepAlive is in seconds.
	KeepAlive int
	// Clean tells whether it asked for a clean session.
	Clean bool
	// Will is its last will, without a topic when it has none.
	Will Message
	// Filters are its subscriptions that were granted.
	Filters []string
}

// Faults are the ways in which the broker is bad. The zero value is honest.
type Faults struct {
	// RefuseConnect is the CONNACK code given to every client, 0 to accept.
	RefuseConnect byte
	// RefuseFilter answers a subscription with 0x80 where it returns true.
	RefuseFilter func(filter string) bool
	// Drop swallows a message, acknowledged as if nothing were wrong.
	Drop func(Message) bool
	// Copies is how many times more than once each message is delivered.
	Copies int
	// Mute makes the broker half open: it accepts connections, reads nothing
	// more and answers nothing.
	Mute bool
	// NoPubacks leaves every QoS 1 publish unanswered.
	NoPubacks bool
	// NoSubacks leaves every subscription unanswered.
	NoSubacks bool
}

// maxSeen bounds what the broker remembers of the messages published.
const maxSeen = 10000

// Broker is a broker in a test. All methods are safe for several goroutines.
type Broker struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	closed   bool
	faults   Faults
	sessions []*session
	retained map[string]Message
	seen     []Message
	listener []net.Listener
	connects int
	work     sync.WaitGroup
}

// NewBroker returns an honest broker that listens nowhere yet.
func NewBroker() *Broker {
	return &Broker{changed: make(chan struct{}), retained: map[string]Message{}}
}

// Listen opens a TCP port on the loopback interface and returns its URL,
// tcp://127.0.0.1:port.
func (b *Broker) Listen() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen: %w", err)
	}
	b.mu.Lock()
	b.listener = append(b.listener, ln)
	b.mu.Unlock()
	b.work.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return // closed
			}
			b.serve(conn)
		}
	})
	return "tcp://" + ln.Addr().String(), nil
}

// Dial connects to the broker through a pipe, whatever the address. It has the
// form of net.Dialer.DialContext.
func (b *Broker) Dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	b.serve(there)
	return here, nil
}

// Misbehave replaces the Faults from now on.
func (b *Broker) Misbehave(f Faults) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = f
	b.change()
}

// Publish sends a message to every client subscribed to its topic, as if some
// client had published it.
func (b *Broker) Publish(topic string, payload []byte, retained bool) {
	b.route(Message{Topic: topic, Payload: payload, Retained: retained})
}

// Force sends a message to every connection, subscribed or not, and returns how
// many there were.
func (b *Broker) Force(topic string, payload []byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sessions {
		s.send(publish(Message{Topic: topic, Payload: payload}, false))
	}
	return len(b.sessions)
}

// Raw sends bytes to every connection as they are.
func (b *Broker) Raw(data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sessions {
		s.send(data)
	}
}

// Cut drops every connection without a word; the wills are published.
func (b *Broker) Cut() {
	b.mu.Lock()
	sessions := slices.Clone(b.sessions)
	b.mu.Unlock()
	for _, s := range sessions {
		_ = s.conn.Close() // its reader notices and does the rest
	}
}

// Close ends everything and waits for it.
func (b *Broker) Close() {
	b.mu.Lock()
	b.closed = true
	listeners := b.listener
	b.change()
	b.mu.Unlock()
	for _, ln := range listeners {
		_ = ln.Close() // only unblocks Accept
	}
	b.Cut()
	b.work.Wait()
}

// Published returns what was published so far, by clients and by wills, the
// oldest first: the last 10,000.
func (b *Broker) Published() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.seen)
}

// Clients returns the connections that were accepted and are still there.
func (b *Broker) Clients() []Client {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Client
	for _, s := range b.sessions {
		c := s.client
		c.Filters = slices.Clone(c.Filters)
		list = append(list, c)
	}
	return list
}

// Connects is the number of CONNECT packets seen, refused ones too.
func (b *Broker) Connects() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.connects
}

// Await returns nil as soon as cond is true. It looks again after every change
// of the broker, and gives up with ctx. cond may call the broker.
func (b *Broker) Await(ctx context.Context, cond func() bool) error {
	for {
		b.mu.Lock()
		changed := b.changed
		b.mu.Unlock()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the broker: %w", ctx.Err())
		}
	}
}

// change wakes everybody in Await. b.mu is held.
func (b *Broker) change() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// route remembers a message and delivers it.
func (b *Broker) route(m Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.routeLocked(m)
}

func (b *Broker) routeLocked(m Message) {
	b.seen = append(b.seen, m)
	if len(b.seen) > maxSeen {
		b.seen = slices.Delete(b.seen, 0, len(b.seen)-maxSeen)
	}
	b.change()
	if b.faults.Drop != nil && b.faults.Drop(m) {
		return
	}
	if m.Retained {
		b.retained[m.Topic] = m
		if len(m.Payload) == 0 {
			delete(b.retained, m.Topic)
		}
	}
	for _, s := range b.sessions {
		if slices.ContainsFunc(s.client.Filters, func(f string) bool { return Matches(f, m.Topic) }) {
			for range 1 + b.faults.Copies {
				s.send(publish(m, false))
			}
		}
	}
}

func publish(m Message, retained bool) []byte {
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload, p.Retain = m.Topic, m.Payload, retained
	return encode(p)
}

// Matches tells whether a topic matches a subscription's filter (MQTT 3.1.1,
// section 4.7).
func Matches(filter, topic string) bool {
	want, have := strings.Split(filter, "/"), strings.Split(topic, "/")
	if strings.HasPrefix(topic, "$") && (want[0] == "#" || want[0] == "+") {
		return false
	}
	for i, w := range want {
		if w == "#" {
			return true
		}
		if i >= len(have) || (w != "+" && w != have[i]) {
			return false
		}
	}
	return len(want) == len(have)
}
