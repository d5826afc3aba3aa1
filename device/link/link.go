package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Errors that a caller tells apart.
var (
	// ErrDown means that no broker is connected now.
	ErrDown = errors.New("no connection to a broker")
	// ErrTooLarge means that a message is above MaxMessage.
	ErrTooLarge = errors.New("message is too large")
	// ErrUnanswered means that the broker did not take the message in time.
	// It may have arrived all the same.
	ErrUnanswered = errors.New("broker does not answer")
)

// Limits that both sides of the wire know or that a reader of a log may meet.
const (
	// MaxMessage is the longest payload in bytes, either way.
	MaxMessage = 256 << 10
	// MaxWait is the longest pause between two attempts to connect.
	MaxWait = time.Minute
)

const (
	firstWait      = 500 * time.Millisecond // the first pause, doubled at each failure
	connectTimeout = 20 * time.Second       // dialling, TLS and CONNACK over a bad 3G line
	writeTimeout   = 10 * time.Second       // one packet into the socket; a half-open link blocks here
	answerTimeout  = 10 * time.Second       // SUBACK, PUBACK
	keepAlive      = 30 * time.Second       // an idle link is probed this often
	pingTimeout    = 10 * time.Second
	stable         = time.Minute // a connection this old was a good one
	maxInflight    = 8           // publishes at once
	queueLength    = 128         // messages waiting for the listener
	queueBytes     = 1 << 20
)

// Message is one MQTT publish.
type Message struct {
	// Topic is where it goes.
	Topic string
	// Payload is at most MaxMessage long.
	Payload []byte
	// QoS is 0, or 1 to make Publish wait for the broker's answer.
	QoS byte
	// Retained asks the broker to keep it for later subscribers.
	Retained bool
}

// Listener is told what happens on the link, one call at a time, in order. It
// may Publish, but while it does not return nothing else is delivered and, after
// 128 messages or 1 MiB, new ones are dropped and counted.
type Listener interface {
	// OnUp tells that a broker took the node and at least one subscription.
	// Retained messages may have come before it. The id names the connection.
	OnUp(connection string)
	// OnDown follows every OnUp.
	OnDown(connection string, why error)
	// OnMessage hands over what came. The payload may be kept.
	OnMessage(topic string, payload []byte)
}

// Config is what a Link needs. Brokers, Listener, Log and Rand must be set.
type Config struct {
	// Brokers are the URLs in order of preference, tcp://host:1883 or
	// ssl://host:8883.
	Brokers []string
	// Topics are the first subscriptions; SetTopics changes them.
	Topics []string
	// Credentials gives user and password before each connection; ok false
	// connects without, as before enrolment. nil is the same.
	Credentials func() (user, password string, ok bool)
	// Will gives the message that the broker shall publish when the connection
	// with this id is lost. nil for none. It should carry the id, so that the
	// late will of an old connection can be told from the present one.
	Will func(connection string) Message
	// TLS is used with ssl:// brokers; nil for the defaults of the machine.
	TLS *tls.Config
	// Dial opens a connection to host:port; nil for TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Listener is told what happens.
	Listener Listener
	// Log gets what a person on site wants to know.
	Log *slog.Logger
	// Rand spreads the pauses; it is used by the Link alone.
	Rand *rand.Rand
}

// Stats are counters since the Link was made.
type Stats struct {
	// BytesIn and BytesOut are all bytes of MQTT, without TLS and TCP.
	BytesIn, BytesOut int64
	// Connections is how often a broker was reached and accepted the node.
	Connections int64
	// TooLarge and Overrun are messages dropped for their size and because the
	// listener was too slow.
	TooLarge, Overrun int64
	// Refused lists the subscriptions the present broker refuses; they are
	// tried again.
	Refused []string
}

// Link keeps one connection to the best broker that can be reached.
type Link struct {
	cfg      Config
	brokers  []broker
	queue    *queue
	traffic  traffic
	inflight chan struct{}

	mu      sync.Mutex
	topics  []string
	retune  chan struct{} // closed and replaced when topics change
	session *session      // nil while down
	refused []string
}

// New checks the configuration. It does not connect: Serve does.
func New(cfg Config) (*Link, error) {
	brokers, err := parseBrokers(cfg.Brokers)
	if err != nil {
		return nil, fmt.Errorf("new link: %w", err)
	}
	if cfg.Listener == nil || cfg.Log == nil || cfg.Rand == nil {
		return nil, errors.New("new link: Listener, Log and Rand must be set")
	}
	l := &Link{cfg: cfg, brokers: brokers, queue: newQueue(), inflight: make(chan struct{}, maxInflight), retune: make(chan struct{})}
	l.SetTopics(cfg.Topics)
	return l, nil
}

// Serve connects, and connects again, until ctx ends, and returns ctx's error.
// It is called once.
func (l *Link) Serve(ctx context.Context) error {
	var wg sync.WaitGroup
	over := make(chan struct{})
	wg.Go(func() { l.queue.deliver(over, l.cfg.Listener) })
	l.loop(ctx)
	close(over)
	wg.Wait()
	return ctx.Err()
}

// SetTopics replaces the subscriptions; what is new is subscribed and what is
// gone unsubscribed on the connection that stands.
func (l *Link) SetTopics(topics []string) {
	topics = slices.Clone(topics)
	slices.Sort(topics)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics = slices.Compact(topics)
	close(l.retune)
	l.retune = make(chan struct{})
}

func (l *Link) wanted() (topics []string, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.topics, l.retune
}

// Publish hands a message to the broker, waiting at most ten seconds and not beyond
// ctx for the answer. nil means that it left this machine and, at
// QoS 1, that a broker claims to have it. It proves nothing: only the other
// side's sealed answer does. The error wraps ErrDown, ErrTooLarge or
// ErrUnanswered where that is the reason.
func (l *Link) Publish(ctx context.Context, m Message) error {
	if len(m.Payload) > MaxMessage {
		return fmt.Errorf("publish %s: %d bytes, limit %d: %w", m.Topic, len(m.Payload), MaxMessage, ErrTooLarge)
	}
	if m.QoS > 1 {
		return fmt.Errorf("publish %s: QoS %d is not used here: take 0 or 1", m.Topic, m.QoS)
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	if s == nil {
		return fmt.Errorf("publish %s: %w", m.Topic, ErrDown)
	}
	select {
	case l.inflight <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("publish %s: too many at once: %w", m.Topic, ErrUnanswered)
	}
	_, err := s.ask(ctx,
		func() mqtt.Token { return s.client.Publish(m.Topic, m.QoS, m.Retained, m.Payload) },
		func() { <-l.inflight })
	if err != nil {
		return fmt.Errorf("publish %s: %w", m.Topic, err)
	}
	return nil
}

// Stats returns the counters.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Stats{
		BytesIn:     l.traffic.in.Load(),
		BytesOut:    l.traffic.out.Load(),
		Connections: l.traffic.connections.Load(),
		TooLarge:    l.traffic.tooLarge.Load(),
		Overrun:     l.queue.overrun.Load(),
		Refused:     slices.Clone(l.refused),
	}
}
