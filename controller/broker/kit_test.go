package broker

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// peer is a broker under test, embedded or real, that can be stopped and
// started again on the same address with the same store.
type peer interface {
	addr() string
	start(t testing.TB)
	stop(t testing.TB)
}

// people is an Authoriser made of a table.
type people struct {
	mu   sync.Mutex
	list map[string]Rights // by user name; the password is "secret-of-" + the name
}

func (p *people) Authorise(username, password string) (Rights, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rights, known := p.list[username]
	return rights, known && password == "secret-of-"+username
}

func (p *people) revoke(username string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.list, username)
}

// nodeRights are the rights of a node in one commune of one district.
func nodeRights(id string) Rights {
	own := "loaxa/1/node/" + id + "/"
	return Rights{
		Publish: []string{own + "presence", own + "state", own + "health", own + "receipt"},
		Read: []string{own + "assignment", own + "command", own + "receipt/ack", own + "time",
			"loaxa/1/area/bac-quang/+", "loaxa/1/area/viet-vinh/+", "loaxa/1/controller/state"},
	}
}

var controllerRights = Rights{Publish: []string{"loaxa/1/#"}, Read: []string{"loaxa/1/#"}}

func everybody(nodes ...string) *people {
	p := &people{list: map[string]Rights{"controller": controllerRights}}
	for _, id := range nodes {
		p.list[id] = nodeRights(id)
	}
	return p
}

func as(username string) dialOptions {
	return dialOptions{username: username, password: "secret-of-" + username}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// embeddedPeer runs an Embedded.
type embeddedPeer struct {
	dir    string
	at     string
	who    Authoriser
	log    *slog.Logger
	broker *Embedded
	end    context.CancelFunc
	ended  chan error
}

func newEmbedded(t testing.TB, who Authoriser) *embeddedPeer {
	t.Helper()
	p := &embeddedPeer{dir: t.TempDir(), at: "127.0.0.1:0", who: who, log: quiet()}
	p.start(t)
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *embeddedPeer) addr() string { return p.at }

// launch starts the broker without waiting for it.
func (p *embeddedPeer) launch(t testing.TB) {
	t.Helper()
	broker, err := Embed(EmbedConfig{Dir: p.dir, Addr: p.at, Authorise: p.who, Log: p.log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.broker, p.end, p.ended = broker, cancel, make(chan error, 1)
	go func() { p.ended <- broker.Serve(ctx) }()
}

func (p *embeddedPeer) start(t testing.TB) {
	t.Helper()
	p.launch(t)
	select {
	case <-p.broker.Ready():
		p.at = p.broker.Addr()
	case err := <-p.ended:
		t.Fatalf("embedded broker: %v", err)
	case <-time.After(patience):
		t.Fatal("embedded broker not ready in time")
	}
}

func (p *embeddedPeer) stop(t testing.TB) {
	t.Helper()
	if p.end == nil {
		return
	}
	p.end()
	if err := <-p.ended; err != nil {
		t.Errorf("embedded broker ended with %v", err)
	}
	p.end = nil
}

// mosquitto runs the Debian package's broker.
type mosquitto struct {
	dir, at string
	process *exec.Cmd
}

func newMosquitto(t testing.TB) *mosquitto {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mosquitto{dir: t.TempDir(), at: free.Addr().String()}
	free.Close()
	_, port, _ := net.SplitHostPort(m.at)
	conf := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nlog_dest stderr\n", port, m.dir)
	if os.Getuid() == 0 {
		conf += "user root\n" // it would otherwise give its store away to a user who cannot write here
	}
	if err := os.WriteFile(filepath.Join(m.dir, "m.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	m.start(t)
	t.Cleanup(func() { m.stop(t) })
	return m
}

func (m *mosquitto) addr() string { return m.at }

func (m *mosquitto) start(t testing.TB) {
	t.Helper()
	binary, err := exec.LookPath("mosquitto")
	if err != nil {
		binary = "/usr/sbin/mosquitto" // Debian keeps it out of a user's PATH
	}
	m.process = exec.Command(binary, "-c", filepath.Join(m.dir, "m.conf"))
	said, err := m.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.process.Start(); err != nil {
		t.Fatalf("start mosquitto, which these tests need (apt install mosquitto): %v", err)
	}
	running := make(chan string, 1)
	go func() {
		var log strings.Builder
		buffer := make([]byte, 4096)
		for {
			n, err := said.Read(buffer)
			log.Write(buffer[:n])
			if strings.Contains(log.String(), " running") || err != nil {
				select {
				case running <- log.String():
				default:
				}
			}
			if err != nil {
				return
			}
		}
	}()
	select {
	case log := <-running:
		if !strings.Contains(log, " running") {
			t.Fatalf("mosquitto ended at once: %s", log)
		}
	case <-time.After(patience):
		t.Fatal("mosquitto did not start in time")
	}
}

func (m *mosquitto) stop(t testing.TB) {
	t.Helper()
	if m.process == nil {
		return
	}
	_ = m.process.Process.Signal(os.Interrupt)
	_ = m.process.Wait()
	m.process = nil
}

// heard is a running Client with everything it reported.
type heard struct {
	client *Client
	up     chan struct{}
	in     chan Message
	end    func()
}

// listen runs a Client until the test ends.
func listen(t testing.TB, config ClientConfig) *heard {
	t.Helper()
	h := &heard{up: make(chan struct{}, 64), in: make(chan Message, 16384)}
	config.OnMessage = func(m Message) { h.in <- m }
	config.OnUp = func(context.Context) { h.up <- struct{}{} }
	if config.Log == nil {
		config.Log = quiet()
	}
	client, err := Connect(config)
	if err != nil {
		t.Fatal(err)
	}
	h.client = client
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- client.Serve(ctx) }()
	h.end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("client ended with %v", err)
		}
	})
	t.Cleanup(h.end)
	return h
}

func (h *heard) waitUp(t testing.TB) {
	t.Helper()
	select {
	case <-h.up:
	case <-time.After(2 * patience):
		t.Fatal("client not up in time")
	}
}

func (h *heard) next(t testing.TB) Message {
	t.Helper()
	select {
	case m := <-h.in:
		return m
	case <-time.After(patience):
		t.Fatal("client heard nothing in time")
		return Message{}
	}
}
