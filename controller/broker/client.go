package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// ErrDown is returned by Publish while no link is up. Nothing was sent; publish
// the present state again from OnUp.
var ErrDown = errors.New("no link to the broker")

// ErrTooLarge is returned by Publish for a payload above MaxPacket.
var ErrTooLarge = errors.New("payload above the packet limit of the broker")

// Message is one publication.
type Message struct {
	Topic   string
	Payload []byte
	// Retained asks the broker to keep a message that goes out. On one that
	// came in it says that it is an old one, sent because of a subscription.
	Retained bool
}

// size is what a queued message costs, with a guess at the bookkeeping.
func (m Message) size() int64 { return int64(len(m.Topic) + len(m.Payload) + 64) }

// ClientConfig says which broker to speak to and what to hear from it.
type ClientConfig struct {
	// URL is mqtt://host:1883, or mqtts://host:8883 over TLS with the system's
	// certificate authorities. It may carry user:password@.
	URL string
	// Username and Password are used when URL carries no user.
	Username, Password string
	// Subscriptions are the topic filters to hear, at QoS 0.
	Subscriptions []string
	// OnMessage takes what arrives. It is called from several goroutines at
	// once, but for topics that differ only in the last level in the order of
	// arrival. While it waits, its share of the queue fills and then drops.
	OnMessage func(Message)
	// OnUp is called each time a link is up and every subscription granted; it
	// may publish. Its context ends with that link, and the next link waits
	// for its return. It may be nil.
	OnUp func(context.Context)
	// Will is published when the client goes, by the broker when the link
	// breaks and by the client itself when Serve ends. It may be nil.
	Will *Message
	// Log takes the client's voice.
	Log *slog.Logger
}

// Client is the controller's own connection to a broker. It reconnects for as
// long as it is served.
type Client struct {
	config  ClientConfig
	address address
	lanes   *lanes
	reports ration
	now     func() time.Time

	mu   sync.Mutex
	link mqtt.Client // nil while down
}

// Connect prepares a client; Serve makes the connection. It fails when the
// configuration cannot work, naming the part to correct.
func Connect(config ClientConfig) (*Client, error) {
	where, err := parseAddress(config.URL)
	if err != nil {
		return nil, err
	}
	if where.username == "" {
		where.username, where.password = config.Username, config.Password
	}
	if config.OnMessage == nil || config.Log == nil {
		return nil, errors.New("broker client: no consumer or no logger given")
	}
	return &Client{
		config: config, address: where, lanes: newLanes(), now: time.Now,
		reports: ration{now: time.Now, period: 10 * time.Second, limit: 1},
	}, nil
}

// Serve keeps one link up until the context ends, and then returns nil once
// nothing of it runs any more.
func (c *Client) Serve(ctx context.Context) error {
	var consumers sync.WaitGroup
	consumers.Go(func() { c.lanes.run(ctx, c.config.OnMessage) })
	defer consumers.Wait()

	pause := newBackoff()
	for ctx.Err() == nil {
		up, err := c.hold(ctx)
		if ctx.Err() != nil {
			break
		}
		pause.lived(up)
		wait := pause.next()
		c.config.Log.Warn("no link to the broker; trying again", "broker", c.address.host, "in", wait.Round(time.Millisecond), "error", err)
		if !rest(ctx, wait) {
			break
		}
	}
	return nil
}

// Publish sends one message at QoS 0 and returns once it was written to the
// network, after at most ten seconds. Success says nothing about its arrival.
// It may be called from many goroutines at once.
func (c *Client) Publish(topic string, payload []byte, retained bool) error {
	if len(topic)+len(payload) > MaxPacket-maxHeader {
		return fmt.Errorf("publish to %s, %d bytes: %w", topic, len(payload), ErrTooLarge)
	}
	c.mu.Lock()
	link := c.link
	c.mu.Unlock()
	if link == nil {
		return fmt.Errorf("publish to %s: %w", topic, ErrDown)
	}
	if err := publish(link, Message{Topic: topic, Payload: payload, Retained: retained}); err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	return nil
}

// Up says whether there is a link to the broker.
func (c *Client) Up() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link != nil
}

// Dropped returns how many messages found the queue full since the client was
// made.
func (c *Client) Dropped() uint64 { return c.lanes.dropped.Load() }

// receive runs on the link's own goroutine and must not wait.
func (c *Client) receive(_ mqtt.Client, m mqtt.Message) {
	if c.lanes.push(Message{Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained()}) {
		return
	}
	if fits, _ := c.reports.take(); fits {
		c.config.Log.Warn("messages from the broker dropped because they come faster than they are handled; their senders will repeat them", "topic", m.Topic(), "dropped_in_all", c.Dropped())
	}
}

func (c *Client) setLink(link mqtt.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link = link
}
