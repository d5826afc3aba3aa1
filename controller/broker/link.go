package broker

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	connectTimeout   = 15 * time.Second
	writeTimeout     = 10 * time.Second
	subscribeTimeout = 15 * time.Second
	keepAlive        = 30 * time.Second
	pingTimeout      = 10 * time.Second
	// farewell is how long a link may take to end in good order, in milliseconds.
	farewell = 250
	// maxHeader is room for what precedes topic and payload in a packet, and
	// for what a broker adds to it inside.
	maxHeader = 256
)

// hold makes one link, serves it until it breaks or the context ends, and
// returns how long it was up. Each link has its own client and its own random
// id: the credential is the identity, and an old session is never taken up.
func (c *Client) hold(ctx context.Context) (up time.Duration, err error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close() // the last word, should the client library still hang on it
	broken := make(chan error, 1)
	link := mqtt.NewClient(c.linkOptions(conn, broken))
	defer link.Disconnect(farewell)
	if err := within(ctx, connectTimeout, link.Connect()); err != nil {
		return 0, fmt.Errorf("connect: %w", err)
	}
	if err := c.subscribe(ctx, link); err != nil {
		return 0, err
	}
	began := c.now()
	c.setLink(link)
	defer c.setLink(nil)
	c.config.Log.Info("link to the broker is up", "broker", c.address.host)
	err = c.live(ctx, broken)
	if ctx.Err() != nil && c.config.Will != nil {
		_ = publish(link, *c.config.Will) // a broker drops the will of those who say goodbye
	}
	return c.now().Sub(began), err
}

// live runs OnUp beside the link and returns when both have ended.
func (c *Client) live(ctx context.Context, broken <-chan error) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	var greeting sync.WaitGroup
	defer greeting.Wait()
	defer cancel()
	if c.config.OnUp != nil {
		greeting.Go(func() { c.config.OnUp(ctx) })
	}
	select {
	case err = <-broken:
	case <-ctx.Done():
	}
	return err
}

// dial opens the connection, over TLS where the address asks for it.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var dialer interface {
		DialContext(ctx context.Context, network, addr string) (net.Conn, error)
	} = &net.Dialer{}
	if c.address.tls {
		dialer = &tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}
	}
	conn, err := dialer.DialContext(ctx, "tcp", c.address.host)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return &limitedConn{Conn: conn, meter: packetMeter{limit: MaxPacket, granted: len(c.config.Subscriptions)}}, nil
}

// linkOptions describes one link to the client library. Everything the library
// would do on its own, from reconnecting to keeping messages, stays off.
func (c *Client) linkOptions(conn net.Conn, broken chan<- error) *mqtt.ClientOptions {
	options := baseOptions(c.address.host).
		SetUsername(c.address.username).SetPassword(c.address.password).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return conn, nil }).
		SetDefaultPublishHandler(c.receive).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) {
			select {
			case broken <- err:
			default:
			}
		})
	if will := c.config.Will; will != nil {
		options.SetBinaryWill(will.Topic, will.Payload, 0, will.Retained)
	}
	return options
}

// baseOptions are common to every client of this package.
func baseOptions(host string) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().
		AddBroker("tcp://" + host).
		SetClientID("c" + rand.Text()[:22]). // 23 characters are all that MQTT 3.1.1 promises
		SetProtocolVersion(4).
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetOrderMatters(true). // the handler never waits, so order costs nothing
		SetKeepAlive(keepAlive).
		SetPingTimeout(pingTimeout).
		SetConnectTimeout(connectTimeout).
		SetWriteTimeout(writeTimeout)
}

// subscribe asks for every filter and checks every single answer: a broker
// refuses a filter inside an otherwise good reply.
func (c *Client) subscribe(ctx context.Context, link mqtt.Client) error {
	if len(c.config.Subscriptions) == 0 {
		return nil
	}
	filters := map[string]byte{}
	for _, filter := range c.config.Subscriptions {
		filters[filter] = 0
	}
	token, ok := link.SubscribeMultiple(filters, nil).(*mqtt.SubscribeToken)
	if !ok {
		return errors.New("subscribe: the client library gave no answer to check")
	}
	if err := within(ctx, subscribeTimeout, token); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	if refused := refusals(c.config.Subscriptions, token.Result()); len(refused) > 0 {
		return fmt.Errorf("the broker refused to let this credential read %s; extend its access list there", strings.Join(refused, ", "))
	}
	return nil
}

// refusals lists the filters that were not granted. One without an answer was
// not granted either.
func refusals(filters []string, answers map[string]byte) []string {
	var refused []string
	for _, filter := range filters {
		if answer, answered := answers[filter]; !answered || answer > 2 {
			refused = append(refused, filter)
		}
	}
	return refused
}

// publish hands one message to the network at QoS 0. The library bounds both
// waits by its write timeout.
func publish(link mqtt.Client, m Message) error {
	return within(context.Background(), writeTimeout, link.Publish(m.Topic, 0, m.Retained, m.Payload))
}

// within waits for a token of the client library, which may never complete when
// the link is lost.
func within(ctx context.Context, limit time.Duration, token mqtt.Token) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return fmt.Errorf("no answer in time: %w", ctx.Err())
	}
}
