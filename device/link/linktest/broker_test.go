package linktest_test

import (
	"context"
	"net"
	"net/url"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/loaxa/loaxa/device/link/linktest"
)

// join connects a plain client, so that the broker is not judged by the code it
// is there to test.
func join(t *testing.T, b *linktest.Broker, address string) (c mqtt.Client, heard chan string) {
	t.Helper()
	heard = make(chan string, 100)
	o := mqtt.NewClientOptions().AddBroker(address).SetClientID(t.Name()).SetAutoReconnect(false)
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { heard <- m.Topic() + "=" + string(m.Payload()) })
	o.SetBinaryWill("will", []byte("gone"), 0, true)
	c = mqtt.NewClient(o)
	done(t, c.Connect())
	t.Cleanup(func() { c.Disconnect(10) })
	return c, heard
}

func done(t *testing.T, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(5*time.Second) || token.Error() != nil {
		t.Fatalf("the client got no answer: %v", token.Error())
	}
}

func listen(t *testing.T) (*linktest.Broker, string) {
	t.Helper()
	b := linktest.NewBroker()
	address, err := b.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b, address
}

func await(t *testing.T, b *linktest.Broker, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := b.Await(ctx, cond); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func next(t *testing.T, heard chan string, want string) {
	t.Helper()
	select {
	case got := <-heard:
		if got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	case <-time.After(5 * time.Second):
		t.Errorf("never heard %q", want)
	}
}

func TestAnHonestBrokerDelivers(t *testing.T) {
	b, address := listen(t)
	b.Publish("a/old", []byte("kept"), true)
	b.Publish("a/older", []byte("kept"), true)
	b.Publish("a/older", nil, true) // an empty one takes it back
	c, heard := join(t, b, address)
	done(t, c.Subscribe("a/#", 1, nil))
	next(t, heard, "a/old=kept")
	done(t, c.Publish("a/b", 1, false, "hello"))
	next(t, heard, "a/b=hello")
	done(t, c.Publish("other", 0, false, "not heard"))
	done(t, c.Unsubscribe("a/#"))
	await(t, b, "what was published", func() bool { return len(b.Published()) == 5 })
	if m := b.Published()[3]; m.Client != t.Name() || m.Topic != "a/b" {
		t.Errorf("seen %+v", m)
	}
	if cl := b.Clients(); len(cl) != 1 || len(cl[0].Filters) != 0 || cl[0].Will.Topic != "will" {
		t.Errorf("clients %+v", cl)
	}
}

func TestAHostileBrokerSaysWhatItIsTold(t *testing.T) {
	b, address := listen(t)
	c, heard := join(t, b, address)
	if n := b.Force("never/asked", []byte("x")); n != 1 {
		t.Errorf("forced on %d clients", n)
	}
	next(t, heard, "never/asked=x")
	b.Raw([]byte("\x30\x04\x00\x01tx"))
	next(t, heard, "t=x")
	done(t, c.Subscribe("a", 0, nil))
	b.Misbehave(linktest.Faults{Copies: 2, Drop: func(m linktest.Message) bool { return string(m.Payload) == "swallowed" }})
	b.Publish("a", []byte("swallowed"), false)
	b.Publish("a", []byte("thrice"), false)
	for range 3 {
		next(t, heard, "a=thrice")
	}
}

func TestAWillIsPublishedUnlessTheClientSaysGoodbye(t *testing.T) {
	b, address := listen(t)
	join(t, b, address)
	b.Cut()
	await(t, b, "the will", func() bool { return len(b.Published()) == 1 })
	if m := b.Published()[0]; !m.Will || m.Topic != "will" || !m.Retained {
		t.Errorf("published %+v", m)
	}
	c, _ := join(t, b, address)
	c.Disconnect(100)
	await(t, b, "the goodbye", func() bool { return len(b.Clients()) == 0 })
	if n := len(b.Published()); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestAMuteBrokerAnswersNothing(t *testing.T) {
	b := linktest.NewBroker()
	t.Cleanup(b.Close)
	b.Misbehave(linktest.Faults{Mute: true})
	o := mqtt.NewClientOptions().AddBroker("tcp://pipe").SetConnectTimeout(100 * time.Millisecond).SetProtocolVersion(4)
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return b.Dial(t.Context(), "", "") })
	token := mqtt.NewClient(o).Connect()
	if !token.WaitTimeout(5*time.Second) || token.Error() == nil {
		t.Errorf("connected to a mute broker: %v", token.Error())
	}
	if b.Connects() != 0 {
		t.Error("it listened all the same")
	}
}

func TestFiltersMatchAsTheStandardSays(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/c", false}, {"a", "a/b", false}, {"a/b", "a", false},
		{"a/+", "a/b", true}, {"a/+", "a", false}, {"a/+", "a/b/c", false}, {"+/b", "a/b", true},
		{"a/#", "a/b/c", true}, {"a/#", "a", true}, {"#", "a/b", true}, {"+", "a", true},
		{"#", "$SYS/x", false}, {"+/x", "$SYS/x", false}, {"$SYS/#", "$SYS/x", true}, {"a/+/c", "a//c", true},
	} {
		if got := linktest.Matches(c.filter, c.topic); got != c.want {
			t.Errorf("%q matches %q: %t", c.filter, c.topic, got)
		}
	}
}
