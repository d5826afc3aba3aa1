package broker

import (
	"errors"
	"fmt"
	"net"
)

var (
	errPacketTooLarge = errors.New("the broker sent a packet above the size limit")
	errAnswerTooLong  = errors.New("the broker answered more subscriptions than were asked for")
)

// suback is the type of the packet that answers a SUBSCRIBE, without its flags.
const suback = 0x90

// limitedConn ends a link whose peer announces what the client library does not
// survive: it would set aside up to 256 MiB on the peer's word, and it panics
// on a SUBACK with more answers than there were questions.
type limitedConn struct {
	net.Conn
	meter packetMeter
}

// Read passes bytes on after they were measured.
func (c *limitedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if over := c.meter.feed(p[:n]); over != nil {
		return 0, over
	}
	return n, err
}

// packetMeter follows the packet boundaries of an MQTT stream: one byte of
// type, one to four bytes of length with seven bits each, then the body.
type packetMeter struct {
	limit   int // bytes in a body
	granted int // subscriptions that may be answered at once

	place meterPlace
	kind  byte
	shift int // position in the length
	body  int // bytes of the body still to come
}

type meterPlace byte

const (
	atType meterPlace = iota
	atLength
	atBody
)

func (m *packetMeter) feed(p []byte) error {
	for len(p) > 0 {
		switch m.place {
		case atType:
			m.place, m.kind, m.shift, m.body = atLength, p[0]&0xf0, 0, 0
			p = p[1:]
		case atLength:
			if err := m.length(p[0]); err != nil {
				return err
			}
			p = p[1:]
		case atBody:
			n := min(len(p), m.body)
			m.body -= n
			p = p[n:]
			if m.body == 0 {
				m.place = atType
			}
		}
	}
	return nil
}

func (m *packetMeter) length(b byte) error {
	m.body |= int(b&0x7f) << m.shift
	m.shift += 7
	switch {
	case m.body > m.limit:
		return fmt.Errorf("%w of %d bytes", errPacketTooLarge, m.limit)
	case b&0x80 != 0 && m.shift >= 28:
		return fmt.Errorf("%w: its length never ends", errPacketTooLarge)
	case b&0x80 != 0:
	case m.kind == suback && m.body > 2+m.granted:
		return errAnswerTooLong
	case m.body == 0:
		m.place = atType
	default:
		m.place = atBody
	}
	return nil
}
