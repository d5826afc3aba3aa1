package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// The limits of the embedded broker.
const (
	// MaxPacket is the largest MQTT packet that the embedded broker accepts and
	// the largest payload that Client.Publish sends, in bytes. An envelope has
	// 2 KiB; the largest manifest of an area stays far below.
	MaxPacket = 512 << 10

	// maxPending is what waits for one slow reader before it is cut off. The
	// controller gets the retained messages of every node in one burst.
	maxPending     = 32 << 20
	maxConnections = 20_000
	// maxSubscriptions counts per connection; a filter that ends in "#" counts twice.
	maxSubscriptions = 64
	maxStore         = 1 << 30
	maxStoreMemory   = 32 << 20

	// sweepEvery is how often Serve asks whether the store still works.
	sweepEvery = time.Second
)

// EmbedConfig says where the embedded broker lives and whom it obeys.
type EmbedConfig struct {
	// Dir holds the retained messages. The broker owns this folder.
	Dir string
	// Addr is the TCP address of the MQTT listener, as host:port. Port 0 picks
	// a free one.
	Addr string
	// Authorise decides on every credential. There is no default.
	Authorise Authoriser
	// Log takes the broker's voice.
	Log *slog.Logger
}

// Embedded is an MQTT 3.1.1 broker inside this process. It denies by default.
type Embedded struct {
	config EmbedConfig
	host   string
	ready  chan struct{}

	mu    sync.Mutex
	port  int
	doors *door
	srv   *server.Server
}

// Embed prepares a broker; Serve starts it. It fails when the configuration
// cannot work, naming the part to correct.
func Embed(config EmbedConfig) (*Embedded, error) {
	host, port, err := splitAddr(config.Addr)
	switch {
	case err != nil:
		return nil, err
	case config.Dir == "":
		return nil, errors.New("embedded broker: no folder given for its store")
	case config.Authorise == nil:
		return nil, errors.New("embedded broker: no authoriser given, and nobody is let in without one")
	case config.Log == nil:
		return nil, errors.New("embedded broker: no logger given")
	}
	return &Embedded{config: config, host: host, port: port, ready: make(chan struct{})}, nil
}

func splitAddr(addr string) (host string, port int, err error) {
	host, service, err := net.SplitHostPort(addr)
	if err == nil {
		port, err = strconv.Atoi(service)
	}
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("embedded broker: address %q is not host:port; give for example 127.0.0.1:1883 or :1883", addr)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	return host, port, nil
}

// Ready is closed once the broker listens and has loaded what it retained.
func (e *Embedded) Ready() <-chan struct{} { return e.ready }

// Addr returns the address of the MQTT listener as host:port. With port 0 in
// the configuration it is meaningful only after Ready.
func (e *Embedded) Addr() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return net.JoinHostPort(e.host, strconv.Itoa(e.port))
}

// Kick ends every live session of a credential at once and returns how many
// there were. Revoke the credential first: the Authoriser is asked again when
// its holder comes back. The wills of the sessions are published.
func (e *Embedded) Kick(username string) int {
	e.mu.Lock()
	door := e.doors
	e.mu.Unlock()
	if door == nil {
		return 0
	}
	return door.kick(username)
}

// Serve runs the broker until the context ends, which returns nil. It returns
// an error when the listener or the store cannot be opened, or when the store
// fails later, for example on a full disk; it may then be called again and
// keeps its port.
func (e *Embedded) Serve(ctx context.Context) error {
	if err := dropSessions(e.config.Dir); err != nil {
		return fmt.Errorf("embedded broker: %w", err)
	}
	door := newDoor(e.config.Authorise, e.config.Log)
	defer close(door.shut)
	voice := newServerLog(e.config.Log)
	srv, err := e.start(door, voice)
	if err != nil {
		return fmt.Errorf("embedded broker on %s: %w", e.Addr(), err)
	}
	defer func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	}()
	if err := warm(ctx, e.Addr(), door.user, door.pass); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("embedded broker: load retained messages: %w", err)
	}
	close(door.open)
	e.announceReady()
	return e.watch(ctx, voice)
}

// start brings the server up with its listener bound.
func (e *Embedded) start(door *door, voice *serverLog) (*server.Server, error) {
	options := e.options(door)
	srv, err := server.NewServer(options)
	if err != nil {
		return nil, err
	}
	door.alive = func(cid uint64) bool { return srv.GetClient(cid) != nil }
	door.expel = func(cid uint64) { _ = srv.DisconnectClientByID(cid) } // already gone is what we want
	srv.SetLoggerV2(voice, false, false, false)
	srv.Start() // returns once everything listens, since there is no NATS listener to serve
	if err := voice.failure(); err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, err
	}
	e.mu.Lock()
	e.port, e.doors, e.srv = options.MQTT.Port, door, srv
	e.mu.Unlock()
	if err := persevereAt(e.Addr()); err != nil {
		e.config.Log.Warn("connections of nodes have the pauses of the system over a bad line", "error", err)
	}
	return srv, nil
}

func (e *Embedded) options(door *door) *server.Options {
	port := e.port
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return &server.Options{
		ServerName: "loaxa", // retained messages remember who stored them: never change it
		DontListen: true,
		NoSigs:     true,

		MaxConn:       maxConnections,
		MaxSubs:       maxSubscriptions,
		MaxPayload:    MaxPacket,
		MaxPending:    maxPending,
		WriteDeadline: writeTimeout,

		CustomClientAuthentication: door,

		JetStream:          true,
		StoreDir:           e.config.Dir,
		JetStreamMaxMemory: maxStoreMemory,
		JetStreamMaxStore:  maxStore,
		// The server's own limit of 1,000 would refuse clients without a word.
		JetStreamLimits: server.JSLimitOpts{DefaultMaxConsumers: -1},

		MQTT: server.MQTTOpts{Host: e.host, Port: port, AckWait: 5 * time.Second},
	}
}

// announceReady closes Ready, once in the life of this broker.
func (e *Embedded) announceReady() {
	select {
	case <-e.ready:
	default:
		close(e.ready)
	}
}

// watch waits for the end. The server disables its store when a write fails
// and would then refuse everybody while looking healthy.
func (e *Embedded) watch(ctx context.Context, voice *serverLog) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := voice.failure(); err != nil {
			return fmt.Errorf("embedded broker stopped: %w", err)
		}
		if !e.srv.JetStreamEnabled() {
			return errors.New("embedded broker: its store failed; free space on the disk of the data folder")
		}
	}
}

// dropSessions removes what clients of the previous life left behind. Sessions
// are clean and client ids random, so nobody ever comes back for them; a crash
// would leave a record per client for good. Retained messages stay.
func dropSessions(dir string) error {
	for _, stream := range []string{"$MQTT_sess", "$MQTT_msgs", "$MQTT_out", "$MQTT_qos2in"} {
		if err := os.RemoveAll(filepath.Join(dir, "jetstream", "$G", "streams", stream)); err != nil {
			return fmt.Errorf("remove stale sessions: %w", err)
		}
	}
	return nil
}
