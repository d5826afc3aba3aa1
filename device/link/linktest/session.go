package linktest

import (
	"bytes"
	"net"
	"slices"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// maxBacklog bounds what waits for one client; beyond it the broker drops, as
// brokers do.
const maxBacklog = 1024

// session is one connection.
type session struct {
	b      *Broker
	conn   net.Conn
	client Client
	out    chan []byte
	done   chan struct{} // closed when the connection is over
}

func encode(p packets.ControlPacket) []byte {
	var buf bytes.Buffer
	_ = p.Write(&buf) // a buffer takes everything
	return buf.Bytes()
}

// serve runs a new connection in the background.
func (b *Broker) serve(conn net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		_ = conn.Close() // nobody is here
		return
	}
	s := &session{b: b, conn: conn, out: make(chan []byte, maxBacklog), done: make(chan struct{})}
	b.work.Go(s.read)
	b.work.Go(s.write)
}

func (s *session) send(data []byte) {
	select {
	case s.out <- data:
	default:
	}
}

func (s *session) write() {
	for {
		select {
		case data := <-s.out:
			if s.muted() {
				continue
			}
			if _, err := s.conn.Write(data); err != nil {
				_ = s.conn.Close() // the reader ends the session
				return
			}
		case <-s.done:
			return
		}
	}
}

func (s *session) muted() bool {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	return s.b.faults.Mute
}

// read takes the client's packets until the connection ends.
func (s *session) read() {
	orderly := false
	for !orderly {
		p, err := packets.ReadPacket(s.conn)
		if err != nil {
			break
		}
		if s.muted() {
			s.deaf()
			break
		}
		ok := true
		if orderly, ok = s.take(p); !ok {
			break
		}
	}
	_ = s.conn.Close() // it is over either way
	close(s.done)
	s.leave(orderly)
}

// deaf reads nothing until the silence ends; the client may be long gone then.
func (s *session) deaf() {
	b := s.b
	for {
		b.mu.Lock()
		changed, stay := b.changed, b.faults.Mute && !b.closed
		b.mu.Unlock()
		if !stay {
			return
		}
		<-changed
	}
}

// take acts on one packet. orderly says that the client said goodbye, ok that
// the connection goes on.
func (s *session) take(p packets.ControlPacket) (orderly, ok bool) {
	switch p := p.(type) {
	case *packets.ConnectPacket:
		return false, s.connect(p)
	case *packets.SubscribePacket:
		s.subscribe(p)
	case *packets.UnsubscribePacket:
		s.unsubscribe(p)
	case *packets.PublishPacket:
		s.published(p)
	case *packets.PingreqPacket:
		s.send(encode(packets.NewControlPacket(packets.Pingresp)))
	case *packets.DisconnectPacket:
		return true, true
	}
	return false, true
}

func (s *session) connect(p *packets.ConnectPacket) bool {
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	b.connects++
	ack := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
	ack.ReturnCode = b.faults.RefuseConnect
	s.client = Client{ID: p.ClientIdentifier, User: p.Username, Password: string(p.Password), KeepAlive: int(p.Keepalive), Clean: p.CleanSession}
	if p.WillFlag {
		s.client.Will = Message{Client: s.client.ID, Topic: p.WillTopic, Payload: p.WillMessage, Retained: p.WillRetain, Will: true}
	}
	s.send(encode(ack))
	if ack.ReturnCode == 0 {
		b.sessions = append(b.sessions, s)
	}
	b.change()
	return true
}

func (s *session) subscribe(p *packets.SubscribePacket) {
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	ack := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
	ack.MessageID = p.MessageID
	var granted []string
	for _, filter := range p.Topics {
		if b.faults.RefuseFilter != nil && b.faults.RefuseFilter(filter) {
			ack.ReturnCodes = append(ack.ReturnCodes, 0x80)
			continue
		}
		ack.ReturnCodes = append(ack.ReturnCodes, 0)
		granted = append(granted, filter)
	}
	if b.faults.NoSubacks {
		return
	}
	s.send(encode(ack))
	for _, filter := range granted {
		if !slices.Contains(s.client.Filters, filter) {
			s.client.Filters = append(s.client.Filters, filter)
		}
		for _, topic := range b.retainedTopics() {
			if Matches(filter, topic) {
				s.send(publish(b.retained[topic], true))
			}
		}
	}
	b.change()
}

func (b *Broker) retainedTopics() []string {
	topics := make([]string, 0, len(b.retained))
	for topic := range b.retained {
		topics = append(topics, topic)
	}
	slices.Sort(topics)
	return topics
}

func (s *session) unsubscribe(p *packets.UnsubscribePacket) {
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	s.client.Filters = slices.DeleteFunc(s.client.Filters, func(f string) bool { return slices.Contains(p.Topics, f) })
	ack := packets.NewControlPacket(packets.Unsuback).(*packets.UnsubackPacket)
	ack.MessageID = p.MessageID
	s.send(encode(ack))
	b.change()
}

func (s *session) published(p *packets.PublishPacket) {
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.Qos > 0 && !b.faults.NoPubacks {
		ack := packets.NewControlPacket(packets.Puback).(*packets.PubackPacket)
		ack.MessageID = p.MessageID
		s.send(encode(ack))
	}
	b.routeLocked(Message{Client: s.client.ID, Topic: p.TopicName, Payload: p.Payload, Retained: p.Retain})
}

// leave takes the session off the list and publishes its will unless the client
// said goodbye.
func (s *session) leave(orderly bool) {
	b := s.b
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.sessions, s)
	if i < 0 {
		return // it never was accepted
	}
	b.sessions = slices.Delete(b.sessions, i, i+1)
	b.change()
	if !orderly && s.client.Will.Topic != "" {
		b.routeLocked(s.client.Will)
	}
}
