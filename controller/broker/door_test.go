package broker

import (
	"os"
	"path/filepath"
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

// Whoever knows a name must not be able to throw its holder off.
func TestWrongPasswordsDisplaceNobody(t *testing.T) {
	p := newEmbedded(t, everybody("node-a"))
	var all []*rawClient
	for range maxSessions {
		all = append(all, mustDial(t, p.addr(), as("node-a")))
	}
	for range 3 {
		if _, err := rawDial(p.addr(), dialOptions{username: "node-a", password: "guess"}); err == nil {
			t.Error("a guess was let in")
		}
	}
	for i, c := range all {
		if !c.ping(t) {
			t.Errorf("session %d was displaced", i+1)
		}
	}
}

// lateRevoker says yes at the very moment in which the credential is revoked.
type lateRevoker struct {
	kick  func()
	asked int
}

func (r *lateRevoker) Authorise(string, string) (Rights, bool) {
	if r.asked++; r.asked == 1 {
		r.kick()
		return Rights{}, true
	}
	return Rights{}, false
}

func TestRevocationDuringTheQuestionIsNotMissed(t *testing.T) {
	who := &lateRevoker{}
	d := newDoor(who, quiet())
	d.alive, d.expel = func(uint64) bool { return true }, func(uint64) {}
	who.kick = func() { d.kick("node-a") }
	close(d.open)
	if k := (&knock{}); d.Check(k) || k.registered != nil || who.asked != 2 {
		t.Errorf("let in after %d questions", who.asked)
	}
}
