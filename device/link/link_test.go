package link_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/link/linktest"
)

// ear is a Listener that writes down what it is told.
type ear struct {
	mu    sync.Mutex
	said  []string
	block chan struct{} // OnMessage waits for it when it is set
}

func (e *ear) OnUp(id string)              { e.note("up " + id) }
func (e *ear) OnDown(id string, why error) { e.note("down " + id) }
func (e *ear) OnMessage(topic string, payload []byte) {
	if e.block != nil {
		<-e.block
	}
	e.note(fmt.Sprintf("%s=%.20s", topic, payload))
}

func (e *ear) note(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.said = append(e.said, s)
}

func (e *ear) heard(prefix string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var list []string
	for _, s := range e.said {
		if strings.HasPrefix(s, prefix) {
			list = append(list, s)
		}
	}
	return list
}

// world is a link and its broker in virtual time.
type world struct {
	t      *testing.T
	broker *linktest.Broker
	ear    *ear
	link   *link.Link
	stop   func()
}

const seed = 20261122

func config(b *linktest.Broker, e *ear) link.Config {
	return link.Config{
		Brokers:  []string{"tcp://one.example"},
		Topics:   []string{"area/a/manifest", "node/n/command"},
		Dial:     b.Dial,
		Listener: e,
		Log:      slog.New(slog.NewTextHandler(io.Discard, nil)),
		Rand:     rand.New(rand.NewPCG(seed, 1)),
	}
}

// inWorld runs f beside a link that serves, in virtual time.
func inWorld(t *testing.T, change func(*link.Config, *linktest.Broker), f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, broker: linktest.NewBroker(), ear: &ear{}}
		cfg := config(w.broker, w.ear)
		if change != nil {
			change(&cfg, w.broker)
		}
		l, err := link.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.link = l
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- l.Serve(ctx) }()
		w.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-served; !errors.Is(err, context.Canceled) {
				t.Errorf("Serve returned %v", err)
			}
		})
		defer func() {
			w.stop()
			w.broker.Close()
			// Whatever Paho still does ends by itself within a write's time; a
			// goroutine that stays longer fails the test.
			<-time.After(15 * time.Second)
		}()
		f(w)
	})
}

// within waits until cond is true and returns how long that took.
func (w *world) within(limit time.Duration, what string, cond func() bool) time.Duration {
	w.t.Helper()
	began := time.Now()
	for synctest.Wait(); !cond(); synctest.Wait() {
		if time.Since(began) > limit {
			w.t.Fatalf("%s: not within %v; seed %d, heard %v", what, limit, seed, w.ear.heard(""))
		}
		<-time.After(10 * time.Millisecond)
	}
	return time.Since(began)
}

func (w *world) up(n int) {
	w.t.Helper()
	w.within(3*time.Minute, fmt.Sprintf("connection %d", n), func() bool { return len(w.ear.heard("up")) >= n })
}

func TestMessagesArriveInOrder(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.up(1)
		for i := range 100 {
			w.broker.Publish("node/n/command", fmt.Appendf(nil, "%03d", i), false)
		}
		w.broker.Publish("node/other/command", []byte("not ours"), false)
		w.within(time.Second, "100 messages", func() bool { return len(w.ear.heard("node/")) == 100 })
		if got := w.ear.heard("node/"); !slices.IsSorted(got) {
			t.Errorf("out of order: %v", got)
		}
	})
}

func TestRetainedMessagesComeWithTheSubscription(t *testing.T) {
	retain := func(_ *link.Config, b *linktest.Broker) { b.Publish("area/a/manifest", []byte("v7"), true) }
	inWorld(t, retain, func(w *world) {
		w.up(1)
		if got := w.ear.heard("area/a/manifest=v7"); len(got) != 1 {
			t.Errorf("heard %v", w.ear.heard(""))
		}
	})
}

func TestARefusedSubscriptionIsNoticedAndTriedAgain(t *testing.T) {
	refuse := func(_ *link.Config, b *linktest.Broker) {
		b.Misbehave(linktest.Faults{RefuseFilter: func(f string) bool { return f == "area/a/manifest" }})
	}
	inWorld(t, refuse, func(w *world) {
		w.up(1)
		if got := w.link.Stats().Refused; !slices.Equal(got, []string{"area/a/manifest"}) {
			t.Errorf("refused: %v", got)
		}
		w.broker.Publish("node/n/command", []byte("heard"), false)
		w.within(time.Second, "the topic that was granted", func() bool { return len(w.ear.heard("node/")) == 1 })
		w.broker.Misbehave(linktest.Faults{})
		w.within(2*time.Minute, "the refused topic", func() bool { return len(w.link.Stats().Refused) == 0 })
		w.broker.Publish("area/a/manifest", []byte("v8"), false)
		w.within(time.Second, "its message", func() bool { return len(w.ear.heard("area/")) == 1 })
		if ups := w.ear.heard("up"); len(ups) != 1 {
			t.Errorf("the connection was lost over it: %v", ups)
		}
	})
}

func TestABrokerThatRefusesEveryTopicIsLeft(t *testing.T) {
	var good *linktest.Broker
	two := func(c *link.Config, b *linktest.Broker) {
		good = linktest.NewBroker()
		b.Misbehave(linktest.Faults{RefuseFilter: func(string) bool { return true }})
		c.Brokers = []string{"tcp://bad.example", "tcp://good.example:1900"}
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "bad.example:1883" {
				return b.Dial(ctx, network, address)
			}
			return good.Dial(ctx, network, address)
		}
	}
	inWorld(t, two, func(w *world) {
		w.up(1)
		if len(good.Clients()) != 1 {
			t.Errorf("%d clients at the good broker", len(good.Clients()))
		}
		w.stop()
		good.Close()
	})
}

func TestAnUnansweredSubscriptionEndsTheConnection(t *testing.T) {
	silent := func(_ *link.Config, b *linktest.Broker) { b.Misbehave(linktest.Faults{NoSubacks: true}) }
	inWorld(t, silent, func(w *world) {
		w.within(time.Minute, "a second attempt", func() bool { return w.broker.Connects() >= 2 })
		if got := w.ear.heard("up"); len(got) > 0 {
			t.Errorf("told of a connection that hears nothing: %v", got)
		}
		w.broker.Misbehave(linktest.Faults{})
		w.up(1)
	})
}

func TestAHalfOpenLinkIsNoticedWithin45Seconds(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.up(1)
		<-time.After(7 * time.Second)
		w.broker.Misbehave(linktest.Faults{Mute: true})
		took := w.within(46*time.Second, "the dead link", func() bool { return len(w.ear.heard("down")) == 1 })
		t.Logf("noticed after %v", took)
		w.broker.Misbehave(linktest.Faults{})
		w.up(2)
	})
}

func TestTheLinkComesBackAfterEveryCut(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		ids := map[string]bool{}
		for n := 1; n <= 20; n++ {
			w.up(n)
			c := w.broker.Clients()[0]
			if ids[c.ID] || len(c.ID) != 22 || !c.Clean || c.KeepAlive != 30 {
				t.Fatalf("connection %d: %+v", n, c)
			}
			ids[c.ID] = true
			if !slices.Equal(c.Filters, []string{"area/a/manifest", "node/n/command"}) {
				t.Fatalf("connection %d subscribed %v", n, c.Filters)
			}
			w.broker.Cut()
			w.within(time.Second, "the cut", func() bool { return len(w.ear.heard("down")) == n })
		}
		all := w.ear.heard("")
		for i := 0; i+1 < len(all); i += 2 {
			if strings.TrimPrefix(all[i], "up ") != strings.TrimPrefix(all[i+1], "down ") {
				t.Errorf("%q is followed by %q", all[i], all[i+1])
			}
		}
	})
}

// A thousand nodes that lost one broker must not come back in step, and none
// may stay away for longer than a minute a time.
func TestPausesGrowToAMinuteAndAreSpread(t *testing.T) {
	var mu sync.Mutex
	var tries []time.Time
	down := func(c *link.Config, _ *linktest.Broker) {
		c.Dial = func(context.Context, string, string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			tries = append(tries, time.Now())
			return nil, errors.New("no route")
		}
	}
	inWorld(t, down, func(w *world) {
		<-time.After(6 * time.Hour)
		mu.Lock()
		defer mu.Unlock()
		var late []time.Duration
		for i := 1; i < len(tries); i++ {
			gap := tries[i].Sub(tries[i-1])
			if gap > link.MaxWait || (i < 4 && gap > 4*time.Second) {
				t.Errorf("pause %d is %v", i, gap)
			}
			if i > 10 {
				late = append(late, gap)
			}
		}
		slices.Sort(late)
		n := len(late)
		if n < 500 || late[n/10] > 12*time.Second || late[n/2] < 20*time.Second || late[n/2] > 40*time.Second || late[9*n/10] < 48*time.Second {
			t.Errorf("%d pauses are not spread over the minute: %v %v %v (seed %d)", n, late[n/10], late[n/2], late[9*n/10], seed)
		}
	})
}

func TestABrokerThatAcceptsAndDropsIsNotHammered(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		for range 600 { // ten minutes
			w.broker.Cut()
			<-time.After(time.Second)
		}
		if n := w.broker.Connects(); n > 60 {
			t.Errorf("%d connections in ten minutes", n)
		}
	})
}

func TestBrokersAreTriedInTurnAndTheFirstIsPreferred(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	firstIsUp := false
	three := func(c *link.Config, b *linktest.Broker) {
		c.Brokers = []string{"tcp://a", "mqtt://b", "tcp://c:1"}
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, address)
			if address == "c:1" || firstIsUp {
				return b.Dial(ctx, network, address)
			}
			return nil, errors.New("down")
		}
	}
	inWorld(t, three, func(w *world) {
		w.up(1)
		<-time.After(2 * time.Minute)
		mu.Lock()
		firstIsUp = true
		mu.Unlock()
		w.broker.Cut()
		w.up(2)
		if want := []string{"a:1883", "b:1883", "c:1", "a:1883"}; !slices.Equal(asked, want) {
			t.Errorf("asked %v, want %v", asked, want)
		}
	})
}

func TestTheWillNamesItsConnection(t *testing.T) {
	will := func(c *link.Config, _ *linktest.Broker) {
		c.Will = func(id string) link.Message {
			return link.Message{Topic: "node/n/presence", Payload: []byte("gone " + id), QoS: 1, Retained: true}
		}
	}
	inWorld(t, will, func(w *world) {
		w.up(1)
		id := w.broker.Clients()[0].ID
		w.broker.Cut()
		w.up(2)
		seen := w.broker.Published()
		if len(seen) != 1 || string(seen[0].Payload) != "gone "+id || !seen[0].Retained || !seen[0].Will {
			t.Errorf("published %v, want the will of %s", seen, id)
		}
		w.stop()
		synctest.Wait()
		if n := len(w.broker.Published()); n != 1 {
			t.Errorf("an orderly goodbye published a will: %v", w.broker.Published())
		}
		if n := len(w.ear.heard("down")); n != 2 {
			t.Errorf("told of %d ends, want 2", n)
		}
	})
}

func TestCredentialsMayArriveLater(t *testing.T) {
	var mu sync.Mutex
	enrolled := false
	later := func(c *link.Config, _ *linktest.Broker) {
		c.Credentials = func() (string, string, bool) {
			mu.Lock()
			defer mu.Unlock()
			return "n", "secret", enrolled
		}
	}
	inWorld(t, later, func(w *world) {
		w.up(1)
		if c := w.broker.Clients()[0]; c.User != "" || c.Password != "" {
			t.Errorf("before enrolment: %+v", c)
		}
		mu.Lock()
		enrolled = true
		mu.Unlock()
		w.broker.Cut()
		w.up(2)
		if c := w.broker.Clients()[0]; c.User != "n" || c.Password != "secret" {
			t.Errorf("after enrolment: %+v", c)
		}
	})
}

func TestARefusedLoginIsTriedAgain(t *testing.T) {
	refuse := func(_ *link.Config, b *linktest.Broker) { b.Misbehave(linktest.Faults{RefuseConnect: 5}) }
	inWorld(t, refuse, func(w *world) {
		w.within(time.Minute, "three attempts", func() bool { return w.broker.Connects() >= 3 })
		w.broker.Misbehave(linktest.Faults{})
		w.up(1)
	})
}

func TestSubscriptionsFollowTheAssignment(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.up(1)
		w.link.SetTopics([]string{"node/n/command", "area/b/manifest", "area/b/manifest"})
		w.within(time.Second, "new topics", func() bool {
			f := w.broker.Clients()[0].Filters
			slices.Sort(f)
			return slices.Equal(f, []string{"area/b/manifest", "node/n/command"})
		})
		if n := len(w.ear.heard("up")); n != 1 {
			t.Errorf("%d connections for a change of topics", n)
		}
	})
}

func TestPublishReachesTheBroker(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.up(1)
		for qos := range byte(2) {
			m := link.Message{Topic: "node/n/state", Payload: []byte{'0' + qos}, QoS: qos, Retained: true}
			if err := w.link.Publish(w.t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		w.within(time.Second, "both messages", func() bool { return len(w.broker.Published()) == 2 })
		if got := w.broker.Published(); string(got[0].Payload) != "0" || string(got[1].Payload) != "1" || !got[0].Retained {
			t.Errorf("published %v", got)
		}
		if s := w.link.Stats(); s.BytesIn == 0 || s.BytesOut < 40 || s.Connections != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestPublishNeverWaitsLongAndNeverPretends(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		m := link.Message{Topic: "node/n/receipt", Payload: []byte("r"), QoS: 1}
		if err := w.link.Publish(w.t.Context(), m); !errors.Is(err, link.ErrDown) {
			t.Errorf("before the first connection: %v", err)
		}
		w.up(1)
		w.broker.Misbehave(linktest.Faults{NoPubacks: true})
		began := time.Now()
		if err := w.link.Publish(w.t.Context(), m); !errors.Is(err, link.ErrUnanswered) || time.Since(began) > 11*time.Second {
			t.Errorf("unanswered: %v after %v", err, time.Since(began))
		}
		w.within(time.Second, "the end of that connection", func() bool { return len(w.ear.heard("down")) == 1 })
		w.broker.Misbehave(linktest.Faults{})
		w.up(2)
		w.broker.Misbehave(linktest.Faults{Mute: true})
		ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Second)
		defer cancel()
		began = time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if w.link.Publish(ctx, m) == nil {
					t.Error("a deaf broker took a message")
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("twenty publishes waited %v beyond their context", took)
		}
		if n := len(w.ear.heard("down")); n != 1 {
			t.Error("a caller's own haste ended the connection")
		}
		big := link.Message{Topic: "t", Payload: make([]byte, link.MaxMessage+1)}
		if err := w.link.Publish(w.t.Context(), big); !errors.Is(err, link.ErrTooLarge) {
			t.Errorf("too large: %v", err)
		}
		if err := w.link.Publish(w.t.Context(), link.Message{Topic: "t", QoS: 2}); err == nil {
			t.Error("QoS 2 was accepted")
		}
		w.broker.Misbehave(linktest.Faults{})
	})
}

func TestASlowListenerCostsMessagesAndNothingElse(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.up(1)
		slow := make(chan struct{})
		w.ear.block = slow
		for i := range 1000 {
			w.broker.Publish("node/n/command", fmt.Appendf(nil, "%03d", i), false)
		}
		synctest.Wait()
		<-time.After(5 * time.Minute) // pings are answered all the while
		if n := w.link.Stats().Overrun; n < 800 {
			t.Errorf("%d messages dropped, want most of 1,000", n)
		}
		close(slow)
		w.within(time.Second, "the rest", func() bool { return int64(len(w.ear.heard("node/")))+w.link.Stats().Overrun == 1000 })
		if n := len(w.ear.heard("down")); n != 0 {
			t.Error("the connection was lost over it")
		}
	})
}

func TestMessagesWaitingAreBoundedInBytes(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.up(1)
		slow := make(chan struct{})
		w.ear.block = slow
		for range 20 {
			w.broker.Publish("node/n/command", make([]byte, 200<<10), false)
		}
		synctest.Wait()
		if n := w.link.Stats().Overrun; n < 14 {
			t.Errorf("%d of 20 messages of 200 kB dropped: more than 1 MiB waits", n)
		}
		close(slow)
	})
}

func TestATooLargeMessageIsDroppedAndTheRestGoesOn(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.up(1)
		w.broker.Publish("node/n/command", bytes.Repeat([]byte("a"), link.MaxMessage), false)
		w.broker.Publish("node/n/command", bytes.Repeat([]byte("b"), link.MaxMessage+1), false)
		w.broker.Publish("node/n/command", bytes.Repeat([]byte("c"), 3*link.MaxMessage), false)
		w.broker.Publish("node/n/command", []byte("d"), false)
		w.within(time.Second, "the last", func() bool { return len(w.ear.heard("node/n/command=d")) == 1 })
		if got := w.ear.heard("node/"); len(got) != 2 || w.link.Stats().TooLarge != 2 {
			t.Errorf("heard %v, %d too large", got, w.link.Stats().TooLarge)
		}
		w.broker.Publish("node/n/command", make([]byte, 17*link.MaxMessage), false)
		w.within(time.Second, "the end of a broker that sends such things", func() bool { return len(w.ear.heard("down")) == 1 })
		w.up(2)
	})
}

func TestLinkRefusesAConfigurationThatCannotWork(t *testing.T) {
	good := config(linktest.NewBroker(), &ear{})
	for name, spoil := range map[string]func(*link.Config){
		"no broker":   func(c *link.Config) { c.Brokers = nil },
		"web address": func(c *link.Config) { c.Brokers = []string{"https://x"} },
		"no host":     func(c *link.Config) { c.Brokers = []string{"tcp://:1883"} },
		"not a URL":   func(c *link.Config) { c.Brokers = []string{"tcp://a b\x7f"} },
		"no listener": func(c *link.Config) { c.Listener = nil },
		"no log":      func(c *link.Config) { c.Log = nil },
		"no rand":     func(c *link.Config) { c.Rand = nil },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := link.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
