package broker

import (
	"bufio"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// patience bounds every wait of these tests; what it guards takes milliseconds.
const patience = 10 * time.Second

// rawClient speaks MQTT 3.1.1 byte by byte. Unlike a library it says forbidden
// things, and it costs one goroutine.
type rawClient struct {
	conn   net.Conn
	in     chan Message
	suback chan byte
	puback chan struct{}
	pong   chan struct{}
	gone   chan struct{}
	nextID atomic.Uint32
}

// dialOptions are the parts of a CONNECT that tests vary.
type dialOptions struct {
	id, username, password string
	will                   *Message
}

func text(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func packet(kind byte, body []byte) []byte {
	out := []byte{kind}
	for n := len(body); ; {
		digit := byte(n & 0x7f)
		if n >>= 7; n > 0 {
			out = append(out, digit|0x80)
			continue
		}
		return append(append(out, digit), body...)
	}
}

// rawDial connects, or returns the code with which the broker refused.
func rawDial(addr string, o dialOptions) (*rawClient, error) {
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		return nil, err
	}
	if o.id == "" {
		o.id = rand.Text()[:20]
	}
	flags, payload := byte(2), text(nil, o.id)
	if o.will != nil {
		flags |= 4
		if o.will.Retained {
			flags |= 0x20
		}
		payload = text(text(payload, o.will.Topic), string(o.will.Payload))
	}
	if o.username != "" {
		flags |= 0xc0
		payload = text(text(payload, o.username), o.password)
	}
	head := append(text(nil, "MQTT"), 4, flags, 0, 60)
	c := &rawClient{conn: conn, in: make(chan Message, 4096), suback: make(chan byte, 16),
		puback: make(chan struct{}, 64), pong: make(chan struct{}, 16), gone: make(chan struct{})}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.Write(packet(0x10, append(head, payload...))); err != nil {
		conn.Close()
		return nil, err
	}
	reader := bufio.NewReaderSize(conn, 1024)
	kind, body, err := readPacket(reader)
	if err != nil || kind>>4 != 2 || len(body) != 2 || body[1] != 0 {
		conn.Close()
		return nil, fmt.Errorf("CONNACK % x: %w", body, err)
	}
	_ = conn.SetReadDeadline(time.Time{})
	go c.loop(reader)
	return c, nil
}

func mustDial(t testing.TB, addr string, o dialOptions) *rawClient {
	t.Helper()
	c, err := rawDial(addr, o)
	if err != nil {
		t.Fatalf("connect as %q: %v", o.username, err)
	}
	t.Cleanup(func() { c.conn.Close() })
	return c
}

func readPacket(r *bufio.Reader) (byte, []byte, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	n := 0
	for shift := 0; ; shift += 7 {
		digit, err := r.ReadByte()
		if err != nil {
			return 0, nil, err
		}
		if n |= int(digit&0x7f) << shift; digit&0x80 == 0 {
			break
		}
	}
	body := make([]byte, n)
	_, err = io.ReadFull(r, body)
	return kind, body, err
}

func (c *rawClient) loop(r *bufio.Reader) {
	defer close(c.gone)
	for {
		kind, body, err := readPacket(r)
		if err != nil {
			return
		}
		switch kind >> 4 {
		case 3:
			n := 2 + int(binary.BigEndian.Uint16(body))
			m := Message{Topic: string(body[2:n]), Retained: kind&1 != 0}
			if kind&6 != 0 {
				n += 2
				_, _ = c.conn.Write([]byte{0x40, 2, body[n-2], body[n-1]})
			}
			m.Payload = body[n:]
			c.in <- m
		case 4:
			c.puback <- struct{}{}
		case 9:
			c.suback <- body[2]
		case 13:
			c.pong <- struct{}{}
		}
	}
}

func (c *rawClient) id() []byte {
	return binary.BigEndian.AppendUint16(nil, uint16(c.nextID.Add(1)))
}

// subscribe returns the broker's answer to one filter: 0x80 is a refusal.
func (c *rawClient) subscribe(t testing.TB, filter string, qos byte) byte {
	t.Helper()
	if _, err := c.conn.Write(packet(0x82, append(text(c.id(), filter), qos))); err != nil {
		t.Fatalf("subscribe to %s: %v", filter, err)
	}
	select {
	case answer := <-c.suback:
		return answer
	case <-c.gone:
		return 0x80 // cut off instead of answered: a refusal as well
	case <-time.After(patience):
		t.Fatalf("subscribe to %s: no SUBACK", filter)
		return 0
	}
}

func (c *rawClient) mustSubscribe(t testing.TB, filter string) {
	t.Helper()
	if answer := c.subscribe(t, filter, 0); answer != 0 {
		t.Fatalf("subscribe to %s: answer %#x", filter, answer)
	}
}

func (c *rawClient) publish(topic string, payload string, retained bool) {
	kind := byte(0x30)
	if retained {
		kind |= 1
	}
	_, _ = c.conn.Write(packet(kind, append(text(nil, topic), payload...)))
}

func (c *rawClient) publishQoS1(t testing.TB, topic, payload string) {
	t.Helper()
	_, _ = c.conn.Write(packet(0x32, append(append(text(nil, topic), c.id()...), payload...)))
	select {
	case <-c.puback:
	case <-time.After(patience):
		t.Fatalf("publish to %s: no PUBACK", topic)
	}
}

// ping returns once the broker has read all that was sent before, or false when
// it has cut the client off.
func (c *rawClient) ping(t testing.TB) bool {
	t.Helper()
	_, _ = c.conn.Write([]byte{0xc0, 0})
	select {
	case <-c.pong:
		return true
	case <-c.gone:
		return false
	case <-time.After(patience):
		t.Fatal("no PINGRESP")
		return false
	}
}

func (c *rawClient) next(t testing.TB) Message {
	t.Helper()
	select {
	case m := <-c.in:
		return m
	case <-time.After(patience):
		t.Fatal("no message in time")
		return Message{}
	}
}

// reset breaks the link without a goodbye, so that the will is published.
func (c *rawClient) reset() {
	_ = c.conn.(*net.TCPConn).SetLinger(0)
	c.conn.Close()
}

// goodbye disconnects in good order.
func (c *rawClient) goodbye() {
	_, _ = c.conn.Write([]byte{0xe0, 0})
	c.conn.Close()
}
