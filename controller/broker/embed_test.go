package broker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func TestNobodyEntersWithoutAnAcceptedCredential(t *testing.T) {
	p := newEmbedded(t, everybody("node-a"))
	for name, o := range map[string]dialOptions{
		"anonymous":      {},
		"unknown":        as("node-x"),
		"wrong password": {username: "node-a", password: "secret-of-node-b"},
		"empty password": {username: "node-a"},
		"only password":  {username: "", password: "secret-of-node-a"},
	} {
		if c, err := rawDial(p.addr(), o); err == nil {
			c.conn.Close()
			t.Errorf("%s was let in", name)
		}
	}
	mustDial(t, p.addr(), as("node-a"))
}

func TestNodeReadsOnlyWhatItsRightsName(t *testing.T) {
	p := newEmbedded(t, everybody("node-a", "node-b"))
	allowed := append(nodeRights("node-a").Read, "loaxa/1/area/bac-quang/manifest")
	for _, filter := range allowed {
		if answer := mustDial(t, p.addr(), as("node-a")).subscribe(t, filter, 0); answer != 0 {
			t.Errorf("own filter %s answered %#x", filter, answer)
		}
	}
	for _, filter := range []string{
		"#", "+", "+/#", "+/+/+/+/+", "/#", "/+", "loaxa/#", "loaxa/1/#", "loaxa/1/node/#", "loaxa/1/node/+/command",
		"loaxa/1/node/node-b/command", "loaxa/1/node/node-b/+", "loaxa/1/node/node-b/#", "loaxa/1/node/node-a/#", "loaxa/1/node/node-a/+",
		"loaxa/1/node/node-a/receipt", "loaxa/1/area/+/manifest", "loaxa/1/area/other/manifest", "loaxa/1/area/bac-quang/#", "loaxa/1/area/#",
		// The server's own wildcards and separators, which mean nothing in MQTT.
		">", "*", "loaxa/1/node/*/command", "loaxa/1/node/>", "loaxa/1/>", "loaxa.1.node.node-b.command", "loaxa/1/area/*/manifest",
		// What the server keeps for itself.
		"$SYS/#", "$SYS/+", "$SYS/broker/uptime", "$SYS/ACCOUNT/#", "$SYS/REQ/USER/INFO", "$JS/#", "$JS/API/#", "$JS/API/STREAM/NAMES", "$JS/EVENT/#",
		"$MQTT/#", "$MQTT/sub/#", "$MQTT/sub/+", "$MQTT/msgs/#", "$MQTT/rmsgs/#", "$MQTT/sess/#", "$MQTT/JSA/#", "$MQTT/deliver/pubrel/#",
		"$NRG/#", "$G/#", "$KV/#", "$sparkplug/#", "_INBOX/#", "_R_/#", "broker-awake", "broker-awake/#",
	} {
		if answer := mustDial(t, p.addr(), as("node-a")).subscribe(t, filter, 0); answer != 0x80 {
			t.Errorf("foreign filter %s answered %#x", filter, answer)
		}
	}
}

func TestNodeReachesNobodyElsesTopics(t *testing.T) {
	p := newEmbedded(t, everybody("node-a", "node-b"))
	controller := mustDial(t, p.addr(), as("controller"))
	controller.mustSubscribe(t, "loaxa/1/#")
	node := mustDial(t, p.addr(), as("node-a"))
	for _, topic := range []string{
		"loaxa/1/node/node-b/receipt", "loaxa/1/node/node-b/presence", "loaxa/1/node/node-b/command", "loaxa/1/node/node-a/command",
		"loaxa/1/node/node-a/assignment", "loaxa/1/node/node-a/receipt/ack", "loaxa/1/node/node-a/receipt/x", "loaxa/1/node/node-a/time", "loaxa/1/node/node-a",
		"loaxa/1/area/bac-quang/manifest", "loaxa/1/area/bac-quang/announcement", "loaxa/1/area/viet-vinh/silence", "loaxa/1/controller/state",
		"loaxa/1/node/*/state", "loaxa/1/node/>", "loaxa.1.node.node-b.state", "loaxa/1/node/node-b//state", "loaxa", "x",
	} {
		node.publish(topic, "forged", false)
		node.publish(topic, "forged", true)
		if !node.ping(t) { // some are protocol errors, for which the server cuts the link
			node = mustDial(t, p.addr(), as("node-a"))
		}
	}
	node.publish("loaxa/1/node/node-a/receipt", "true", false)
	if m := controller.next(t); string(m.Payload) != "true" {
		t.Errorf("heard %q on %s", m.Payload, m.Topic)
	}
	late := mustDial(t, p.addr(), as("controller"))
	late.mustSubscribe(t, "loaxa/1/#")
	late.publish("loaxa/1/end", "end", false)
	if m := late.next(t); string(m.Payload) != "end" {
		t.Errorf("retained although refused: %q on %s", m.Payload, m.Topic)
	}
}

// A client without an allow-list can empty the retained store by one message to
// the server's own interface.
func TestNodeCannotTouchTheServersInterior(t *testing.T) {
	p := newEmbedded(t, everybody("node-a"))
	controller := mustDial(t, p.addr(), as("controller"))
	controller.publish("loaxa/1/area/bac-quang/manifest", "rev-1", true)
	controller.ping(t)
	for _, username := range []string{"node-a", "controller"} {
		for _, topic := range []string{
			"$JS/API/STREAM/PURGE/$MQTT_rmsgs", "$JS/API/STREAM/DELETE/$MQTT_rmsgs", "$JS/API/STREAM/DELETE/$MQTT_sess", "$JS/API/STREAM/CREATE/x",
			"$MQTT/rmsgs/loaxa/1/area/bac-quang/manifest", "$MQTT/msgs/loaxa/1/area/bac-quang/manifest", "$MQTT/sub/x", "$MQTT/JSA/x/RD",
			"$SYS/REQ/SERVER/PING", "$SYS/REQ/ACCOUNT/PING/CONNZ",
		} {
			c := mustDial(t, p.addr(), as(username))
			c.publishQoS1(t, topic, `{"name":"x","subjects":["x"],"source":"forged"}`)
		}
	}
	reader := mustDial(t, p.addr(), as("node-a"))
	reader.mustSubscribe(t, "loaxa/1/area/bac-quang/+")
	if m := reader.next(t); string(m.Payload) != "rev-1" || !m.Retained {
		t.Errorf("retained manifest is now %+v", m)
	}
	if streams, err := os.ReadDir(filepath.Join(p.dir, "jetstream", "$G", "streams")); err != nil || len(streams) != 5 {
		t.Errorf("the store holds %v (%v), want the server's own five streams", streams, err)
	}
}

func TestWillsObeyTheSameRights(t *testing.T) {
	p := newEmbedded(t, everybody("node-a"))
	controller := mustDial(t, p.addr(), as("controller"))
	controller.mustSubscribe(t, "loaxa/1/#")
	forged, own := as("node-a"), as("node-a")
	forged.will = &Message{Topic: "loaxa/1/area/bac-quang/manifest", Payload: []byte("forged"), Retained: true}
	own.will = &Message{Topic: "loaxa/1/node/node-a/presence", Payload: []byte("gone"), Retained: true}
	first, second := mustDial(t, p.addr(), forged), mustDial(t, p.addr(), own)
	first.reset()
	second.reset()
	if m := controller.next(t); string(m.Payload) != "gone" {
		t.Errorf("heard %q on %s", m.Payload, m.Topic)
	}
	late := mustDial(t, p.addr(), as("node-a"))
	late.mustSubscribe(t, "loaxa/1/area/bac-quang/+")
	controller.publish("loaxa/1/area/bac-quang/manifest", "true", false)
	if m := late.next(t); string(m.Payload) != "true" {
		t.Errorf("the forged will was retained: %q", m.Payload)
	}
}

// Consumers of QoS 1 subscriptions are stored on the controller's disk.
func TestStoredSubscriptionsAreRefused(t *testing.T) {
	p := newEmbedded(t, everybody("node-a"))
	for qos := byte(1); qos <= 2; qos++ {
		if answer := mustDial(t, p.addr(), as("node-a")).subscribe(t, "loaxa/1/area/bac-quang/+", qos); answer != 0x80 {
			t.Errorf("QoS %d answered %#x", qos, answer)
		}
	}
}

func TestRightsThatCannotBeEnforcedLetNobodyIn(t *testing.T) {
	p := newEmbedded(t, &people{list: map[string]Rights{"node-a": {Read: []string{"#"}}}})
	if c, err := rawDial(p.addr(), as("node-a")); err == nil {
		c.conn.Close()
		t.Error("let in with a right that names everything")
	}
}

func TestRevokedCredentialIsCutOffAndStaysOut(t *testing.T) {
	who := everybody("node-a", "node-b")
	p := newEmbedded(t, who)
	one, two, other := mustDial(t, p.addr(), as("node-a")), mustDial(t, p.addr(), as("node-a")), mustDial(t, p.addr(), as("node-b"))
	who.revoke("node-a")
	began := time.Now()
	if n := p.broker.Kick("node-a"); n != 2 {
		t.Errorf("kicked %d sessions, want 2", n)
	}
	for _, c := range []*rawClient{one, two} {
		select {
		case <-c.gone:
		case <-time.After(5 * time.Second):
			t.Fatal("still connected after 5 s")
		}
	}
	t.Logf("cut off after %v", time.Since(began))
	if c, err := rawDial(p.addr(), as("node-a")); err == nil {
		c.conn.Close()
		t.Error("let in again")
	}
	if !other.ping(t) {
		t.Error("another credential was cut off as well")
	}
	if n := p.broker.Kick("node-a"); n != 0 {
		t.Errorf("kicked %d sessions of a credential that has none", n)
	}
}

func TestOneCredentialMayConnectTwice(t *testing.T) {
	p := newEmbedded(t, everybody("node-a"))
	one, two := mustDial(t, p.addr(), as("node-a")), mustDial(t, p.addr(), as("node-a"))
	if !one.ping(t) || !two.ping(t) {
		t.Error("one connection threw the other off")
	}
}

// Dead links of a bad network must not lock a node out.
func TestNewestConnectionsOfACredentialStay(t *testing.T) {
	p := newEmbedded(t, everybody("node-a"))
	var all []*rawClient
	for range maxSessions + 3 {
		all = append(all, mustDial(t, p.addr(), as("node-a")))
	}
	for i, c := range all {
		if i < 3 {
			select {
			case <-c.gone:
			case <-time.After(patience):
				t.Errorf("connection %d of %d was not closed", i+1, len(all))
			}
			continue
		}
		if !c.ping(t) {
			t.Errorf("connection %d of %d was closed", i+1, len(all))
		}
	}
}

func TestSameClientIDReplacesTheOlderAndGainsNothing(t *testing.T) {
	p := newEmbedded(t, everybody("node-a", "node-b"))
	first, second := as("node-a"), as("node-b")
	first.id, second.id = "same", "same"
	a := mustDial(t, p.addr(), first)
	a.mustSubscribe(t, "loaxa/1/node/node-a/command")
	b := mustDial(t, p.addr(), second)
	select {
	case <-a.gone:
	case <-time.After(patience):
		t.Fatal("the older connection stayed")
	}
	b.mustSubscribe(t, "loaxa/1/node/node-b/command")
	controller := mustDial(t, p.addr(), as("controller"))
	controller.publish("loaxa/1/node/node-a/command", "for a", false)
	controller.publish("loaxa/1/node/node-b/command", "for b", false)
	if m := b.next(t); string(m.Payload) != "for b" {
		t.Errorf("the newer connection heard %q", m.Payload)
	}
}

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

// knock is a connection that waits at the door.
type knock struct {
	server.ClientAuthentication
	registered *server.User
}

func (k *knock) GetOpts() *server.ClientOpts {
	return &server.ClientOpts{Username: "node-a", Password: "secret-of-node-a"}
}
func (k *knock) GetID() uint64               { return 1 }
func (k *knock) RegisterUser(u *server.User) { k.registered = u }

func TestNobodyIsAnsweredBeforeTheRetainedMessagesAreLoaded(t *testing.T) {
	for name, end := range map[string]struct {
		close func(*door)
		want  bool
	}{
		"opened": {func(d *door) { close(d.open) }, true},
		"shut":   {func(d *door) { close(d.shut) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDoor(everybody("node-a"), quiet())
				d.alive, d.expel = func(uint64) bool { return true }, func(uint64) {}
				k, answer := &knock{}, make(chan bool, 1)
				go func() { answer <- d.Check(k) }()
				synctest.Wait()
				if len(answer) != 0 || k.registered != nil {
					t.Error("answered at once")
				}
				end.close(d)
				if got := <-answer; got != end.want || (k.registered != nil) != end.want {
					t.Errorf("answered %v, registered %v", got, k.registered)
				}
			})
		})
	}
}

func TestAnonymousStaysOutEvenWhereEverybodyIsWelcome(t *testing.T) {
	p := newEmbedded(t, crowdRights{})
	mustDial(t, p.addr(), as("node-a"))
	if c, err := rawDial(p.addr(), dialOptions{}); err == nil {
		c.conn.Close()
		t.Error("let in without a name")
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
