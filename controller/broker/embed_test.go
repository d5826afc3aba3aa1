package broker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOversizedPacketEndsOnlyItsSender(t *testing.T) {
	p := newEmbedded(t, everybody("node-a"))
	controller := mustDial(t, p.addr(), as("controller"))
	controller.mustSubscribe(t, "loaxa/1/node/node-a/receipt")
	node := mustDial(t, p.addr(), as("node-a"))
	node.publish("loaxa/1/node/node-a/receipt", strings.Repeat("x", 256<<10), false)
	if m := controller.next(t); len(m.Payload) != 256<<10 {
		t.Errorf("256 KiB arrived as %d bytes", len(m.Payload))
	}
	node.publish("loaxa/1/node/node-a/receipt", strings.Repeat("x", 2*MaxPacket), false)
	select {
	case <-node.gone:
	case <-time.After(patience):
		t.Error("a packet of twice the limit was taken")
	}
	if !controller.ping(t) {
		t.Error("the reader was cut off too")
	}
}

// The server alone gives a client that comes early a part of what it retains,
// or nothing.
func TestFirstClientAfterARestartGetsTheWholeRetainedSet(t *testing.T) {
	p := newEmbedded(t, everybody())
	const count = 2000
	controller := mustDial(t, p.addr(), as("controller"))
	for i := range count {
		controller.publish(fmt.Sprintf("loaxa/1/area/a-%d/manifest", i), "held", true)
	}
	controller.publish("loaxa/1/area/a-0/manifest", "", true)
	controller.ping(t)
	p.stop(t)

	p.launch(t)
	early := dialUntilUp(t, p.addr(), as("controller")) // knocks before the broker is ready
	early.mustSubscribe(t, "loaxa/1/#")
	early.publish("loaxa/1/end", "end", false)
	seen := map[string]bool{}
	for m := early.next(t); string(m.Payload) != "end"; m = early.next(t) {
		if string(m.Payload) != "held" || !m.Retained {
			t.Fatalf("heard %+v", m)
		}
		seen[m.Topic] = true
	}
	if len(seen) != count-1 || seen["loaxa/1/area/a-0/manifest"] {
		t.Errorf("%d topics retained over the restart, want %d and not the removed one", len(seen), count-1)
	}
}

func TestStaleSessionsOfACrashAreDroppedAtTheStart(t *testing.T) {
	p := newEmbedded(t, everybody())
	p.stop(t)
	streams := filepath.Join(p.dir, "jetstream", "$G", "streams")
	for _, name := range []string{"$MQTT_sess", "$MQTT_msgs", "$MQTT_rmsgs"} {
		if err := os.WriteFile(filepath.Join(streams, name, "stale"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.start(t)
	left, err := filepath.Glob(filepath.Join(streams, "*", "stale"))
	if err != nil || len(left) != 1 || !strings.Contains(left[0], "$MQTT_rmsgs") {
		t.Errorf("left %v (%v), want the retained messages alone", left, err)
	}
}

func TestBrokerThatLostItsStoreSaysSo(t *testing.T) {
	p := newEmbedded(t, everybody())
	if err := p.broker.srv.ShutdownJetStream(); err != nil { // what the server does when a write fails
		t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err == nil || !strings.Contains(err.Error(), "free space") {
			t.Errorf("ended with %v", err)
		}
		p.end = nil
	case <-time.After(patience):
		t.Fatal("went on without a store")
	}
	// The supervisor starts it again on the same port.
	ctx, cancel := context.WithCancel(context.Background())
	p.end = cancel
	go func() { p.ended <- p.broker.Serve(ctx) }()
	c := dialUntilUp(t, p.addr(), as("controller"))
	if !c.ping(t) {
		t.Error("no answer after the restart")
	}
}

// dialUntilUp knocks until the listener is there.
func dialUntilUp(t *testing.T, addr string, o dialOptions) *rawClient {
	t.Helper()
	deadline := time.After(patience)
	for {
		if c, err := rawDial(addr, o); err == nil {
			t.Cleanup(func() { c.conn.Close() })
			return c
		}
		select {
		case <-deadline:
			t.Fatal("listener not back in time")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestConfigurationThatCannotWorkIsNamed(t *testing.T) {
	good := EmbedConfig{Dir: t.TempDir(), Addr: "127.0.0.1:0", Authorise: everybody(), Log: quiet()}
	for word, spoil := range map[string]func(*EmbedConfig){
		"folder":     func(c *EmbedConfig) { c.Dir = "" },
		"host:port":  func(c *EmbedConfig) { c.Addr = "localhost" },
		"authoriser": func(c *EmbedConfig) { c.Authorise = nil },
		"logger":     func(c *EmbedConfig) { c.Log = nil },
	} {
		config := good
		spoil(&config)
		if _, err := Embed(config); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("error %v does not name the %s", err, word)
		}
	}
}

func TestPortInUseIsAnErrorAndNotAnExit(t *testing.T) {
	p := newEmbedded(t, everybody())
	second, err := Embed(EmbedConfig{Dir: t.TempDir(), Addr: p.addr(), Authorise: everybody(), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), p.addr()) {
		t.Errorf("second broker on one port ended with %v", err)
	}
}
