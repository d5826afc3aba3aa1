package link

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// session is one connection from CONNECT to its end. Paho's own reconnecting is
// off: a client is used once and thrown away.
type session struct {
	id     string
	client mqtt.Client
	lost   chan struct{} // closed when the connection is over

	once sync.Once
	mu   sync.Mutex
	why  error
	conn net.Conn
}

// newID is random: identity is the credential, and an id that can be guessed
// lets anybody with a broker account throw a node off. 22 characters of 5 bits.
func newID() string { return strings.ToLower(rand.Text()[:22]) }

// connect dials and says CONNECT; it returns when the broker has accepted.
func (l *Link) connect(ctx context.Context, b broker) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := l.dial(ctx, b)
	if err != nil {
		return nil, err
	}
	s := &session{id: newID(), lost: make(chan struct{}), conn: newGuard(conn, &l.traffic)}
	s.client = mqtt.NewClient(l.options(s))
	token := s.client.Connect()
	select {
	case <-token.Done():
		err = token.Error()
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		s.end(err)
		return nil, err
	}
	return s, nil
}

func (l *Link) options(s *session) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions()
	o.AddBroker("tcp://guarded") // never dialled: the connection is there
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return s.conn, nil })
	o.SetClientID(s.id)
	o.SetProtocolVersion(4)
	o.SetCleanSession(true)
	o.SetAutoReconnect(false)
	o.SetConnectRetry(false)
	o.SetConnectTimeout(connectTimeout)
	o.SetKeepAlive(keepAlive)
	o.SetPingTimeout(pingTimeout)
	o.SetWriteTimeout(writeTimeout)
	// In order, because the handler below never waits: out of order costs a
	// goroutine per message, without a bound.
	o.SetOrderMatters(true)
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { l.queue.message(m.Topic(), m.Payload()) })
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { s.end(err) })
	if l.cfg.Credentials != nil {
		if user, password, ok := l.cfg.Credentials(); ok {
			o.SetUsername(user)
			o.SetPassword(password)
		}
	}
	if l.cfg.Will != nil {
		if will := l.cfg.Will(s.id); will.Topic != "" {
			o.SetBinaryWill(will.Topic, will.Payload, will.QoS, will.Retained)
		}
	}
	return o
}

// end closes the connection without a DISCONNECT, so that the will is published.
func (s *session) end(why error) {
	s.once.Do(func() {
		s.mu.Lock()
		s.why = why
		s.mu.Unlock()
		_ = s.conn.Close() // Paho's goroutines end with it
		close(s.lost)
	})
}

func (s *session) reason() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// ask makes a request of Paho and waits for the answer, no longer than ctx. A
// broker that leaves it unanswered for ten seconds loses the connection: Paho
// keeps what is unanswered in memory. Neither the call nor its token is trusted
// to end by itself. release is called when nothing of the request is left.
func (s *session) ask(ctx context.Context, request func() mqtt.Token, release func()) (mqtt.Token, error) {
	answered := make(chan mqtt.Token, 1)
	go func() {
		defer release()
		timer := time.NewTimer(answerTimeout)
		defer timer.Stop()
		token := request()
		select {
		case <-token.Done():
			if err := token.Error(); err != nil {
				s.end(err)
			}
			answered <- token
		case <-timer.C:
			s.end(ErrUnanswered)
		case <-s.lost:
		}
	}()
	select {
	case token := <-answered:
		return token, token.Error()
	case <-s.lost:
		return nil, fmt.Errorf("%w: %w", ErrDown, s.reason())
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnanswered, ctx.Err())
	}
}

// nothing is the release of a request that holds nothing.
func nothing() {}

// subscribe asks for one topic and reads the answer: 0x80 is a refusal that
// Paho reports as success.
func (s *session) subscribe(ctx context.Context, topic string) error {
	token, err := s.ask(ctx, func() mqtt.Token { return s.client.Subscribe(topic, 0, nil) }, nothing)
	if err != nil {
		return err
	}
	if t, ok := token.(*mqtt.SubscribeToken); ok {
		if code, answered := t.Result()[topic]; answered && code == 0 {
			return nil
		}
	}
	return errRefused
}

var errRefused = errors.New("broker refuses the subscription: the node's account may not read this topic")

// tune brings the subscriptions from have to want. It returns those granted
// now, those refused, and an error when the connection is of no use.
func (s *session) tune(ctx context.Context, have, want []string) (granted, refused []string, err error) {
	for _, topic := range have {
		if slices.Contains(want, topic) {
			granted = append(granted, topic)
			continue
		}
		if _, err := s.ask(ctx, func() mqtt.Token { return s.client.Unsubscribe(topic) }, nothing); err != nil {
			return nil, nil, fmt.Errorf("unsubscribe %s: %w", topic, err)
		}
	}
	for _, topic := range want {
		if slices.Contains(have, topic) {
			continue
		}
		switch err := s.subscribe(ctx, topic); {
		case err == nil:
			granted = append(granted, topic)
		case errors.Is(err, errRefused):
			refused = append(refused, topic)
		default:
			return nil, nil, fmt.Errorf("subscribe %s: %w", topic, err)
		}
	}
	return granted, refused, nil
}

// goodbye ends the connection in order: no will is published.
func (s *session) goodbye() {
	s.client.Disconnect(250)
	s.end(context.Canceled)
}
