package link

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// traffic counts what passes the guards of one Link.
type traffic struct {
	in, out, connections, tooLarge atomic.Int64
}

// guard is a connection that lets only packets through that Paho can take. Paho
// 1.5.1 allocates whatever length a packet claims, up to 256 MB, before it
// reads it; a SUBACK with more codes than were asked for brings the whole process
// down; a CONNACK with an unknown code passes for a welcome. Writes get a
// deadline each, which Paho gives to publishes only.
type guard struct {
	net.Conn
	in      *bufio.Reader
	traffic *traffic
	pending []byte // rest of a packet that passed
	greeted bool   // the CONNACK came
}

// errEnded replaces the error of a connection that this side closed: Paho takes
// no notice of that one, and its goroutines would stay until a ping fails.
var errEnded = errors.New("connection ended by the node")

var errProtocol = errors.New("broker breaks the protocol")

// skipLimit is the longest packet that is read over; a longer one ends the
// connection.
const skipLimit = 16 * MaxMessage

// The packets a broker may send to this client (MQTT 3.1.1, section 2.2.1).
const (
	connack  = 2
	publish  = 3
	puback   = 4
	suback   = 9
	unsuback = 11
	pingresp = 13
)

// fixed maps the packets without a payload to their length. A SUBACK is one:
// each SUBSCRIBE here names one topic.
var fixed = map[byte]int{connack: 2, puback: 2, suback: 3, unsuback: 2, pingresp: 0}

func newGuard(conn net.Conn, t *traffic) *guard {
	return &guard{Conn: conn, in: bufio.NewReaderSize(conn, 1024), traffic: t}
}

// Read gives Paho the next bytes of packets that passed.
func (g *guard) Read(p []byte) (int, error) {
	for len(g.pending) == 0 {
		packet, err := g.next()
		if errors.Is(err, net.ErrClosed) {
			return 0, errEnded
		}
		if err != nil {
			return 0, err
		}
		g.pending = packet
	}
	n := copy(p, g.pending)
	if g.pending = g.pending[n:]; len(g.pending) == 0 {
		g.pending = nil // a large message must not stay in memory until the next
	}
	return n, nil
}

// next reads one packet; nil without an error means that it was dropped.
func (g *guard) next() ([]byte, error) {
	first, err := g.in.ReadByte()
	if err != nil {
		return nil, err
	}
	length, err := g.length()
	if err != nil {
		return nil, err
	}
	kind, flags := first>>4, first&15
	size, known := fixed[kind]
	switch {
	case (kind == connack) == g.greeted:
		return nil, fmt.Errorf("%w: packet of kind %d out of turn", errProtocol, kind)
	case kind == publish && (flags>>1&3) > 1:
		return nil, fmt.Errorf("%w: message at QoS %d, though QoS 0 was asked for", errProtocol, flags>>1&3)
	case kind == publish && length > skipLimit:
		return nil, fmt.Errorf("%w: message of %d bytes", errProtocol, length)
	case kind == publish && length > MaxMessage+1024:
		return nil, g.skip(int64(length))
	case kind != publish && (!known || flags != 0 || length != uint64(size)):
		return nil, fmt.Errorf("%w: packet of kind %d, flags %d, length %d", errProtocol, kind, flags, length)
	}
	packet := append(make([]byte, 0, length+6), first)
	packet = binary.AppendUvarint(packet, length)
	head := len(packet)
	packet = packet[:head+int(length)]
	if _, err := io.ReadFull(g.in, packet[head:]); err != nil {
		return nil, err
	}
	g.traffic.in.Add(int64(len(packet)))
	return g.pass(packet, kind, flags, packet[head:])
}

// length reads the remaining length, at most four bytes (section 2.2.3).
func (g *guard) length() (uint64, error) {
	var length uint64
	for shift := 0; shift < 28; shift += 7 {
		b, err := g.in.ReadByte()
		if err != nil {
			return 0, err
		}
		length |= uint64(b&127) << shift
		if b < 128 {
			return length, nil
		}
	}
	return 0, fmt.Errorf("%w: packet without an end", errProtocol)
}

// pass looks into a packet of the right shape.
func (g *guard) pass(packet []byte, kind, flags byte, body []byte) ([]byte, error) {
	switch kind {
	case connack:
		g.greeted = true
		if body[0] > 1 || body[1] > 5 {
			return nil, fmt.Errorf("%w: CONNACK with flags %d and code %d", errProtocol, body[0], body[1])
		}
	case publish:
		topic, payload, ok := splitPublish(body, flags>>1&3 > 0)
		if !ok {
			return nil, fmt.Errorf("%w: malformed message", errProtocol)
		}
		if !utf8.ValidString(topic) || topic == "" || strings.ContainsAny(topic, "\x00+#") {
			return nil, fmt.Errorf("%w: topic %.60q", errProtocol, topic)
		}
		if payload > MaxMessage {
			g.traffic.tooLarge.Add(1)
			return nil, nil
		}
	}
	return packet, nil
}

// splitPublish returns the topic and the length of the payload.
func splitPublish(body []byte, numbered bool) (topic string, payload int, ok bool) {
	if len(body) < 2 {
		return "", 0, false
	}
	n := int(binary.BigEndian.Uint16(body))
	rest := len(body) - 2 - n
	if numbered {
		rest -= 2
	}
	if rest < 0 {
		return "", 0, false
	}
	return string(body[2 : 2+n]), rest, true
}

// skip reads over a message that is too large without keeping it.
func (g *guard) skip(length int64) error {
	n, err := io.CopyN(io.Discard, g.in, length)
	g.traffic.in.Add(n)
	g.traffic.tooLarge.Add(1)
	return err
}

// Write sends with a deadline of its own.
func (g *guard) Write(p []byte) (int, error) {
	if err := g.SetWriteDeadline(time.Time{}); err != nil {
		return 0, err
	}
	n, err := g.Conn.Write(p)
	g.traffic.out.Add(int64(n))
	return n, err
}

// SetWriteDeadline ignores the time asked for: Paho clears the deadline after
// each publish, and its pings and acknowledgements would wait for ever.
func (g *guard) SetWriteDeadline(time.Time) error {
	return g.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
}

// SetDeadline is what Paho calls around the handshake.
func (g *guard) SetDeadline(t time.Time) error { return g.SetReadDeadline(t) }
