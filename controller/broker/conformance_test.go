package broker

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// brokers are the two kinds of broker that must behave alike for our use.
var brokers = map[string]func(testing.TB) peer{
	"embedded":  func(t testing.TB) peer { return newEmbedded(t, everybody("node-a")) },
	"mosquitto": func(t testing.TB) peer { return newMosquitto(t) },
}

func forEachBroker(t *testing.T, check func(*testing.T, peer)) {
	for name, open := range brokers {
		t.Run(name, func(t *testing.T) { check(t, open(t)) })
	}
}

func controllerConfig(p peer) ClientConfig {
	return ClientConfig{
		URL: "mqtt://controller:secret-of-controller@" + p.addr(), Subscriptions: []string{"loaxa/1/node/+/receipt", "loaxa/1/node/+/presence"},
		Will: &Message{Topic: "loaxa/1/controller/state", Payload: []byte("offline"), Retained: true},
	}
}

func TestRetainedMessageReachesWhoeverComesLater(t *testing.T) {
	forEachBroker(t, func(t *testing.T, p peer) {
		h := listen(t, controllerConfig(p))
		h.waitUp(t)
		for _, payload := range []string{"rev-1", "rev-2"} {
			if err := h.client.Publish("loaxa/1/area/bac-quang/manifest", []byte(payload), true); err != nil {
				t.Fatal(err)
			}
		}
		settled(t, p, h)
		node := mustDial(t, p.addr(), as("node-a"))
		node.mustSubscribe(t, "loaxa/1/area/bac-quang/+")
		if m := node.next(t); string(m.Payload) != "rev-2" || !m.Retained || m.Topic != "loaxa/1/area/bac-quang/manifest" {
			t.Errorf("heard %+v", m)
		}
		if err := h.client.Publish("loaxa/1/area/bac-quang/manifest", nil, true); err != nil {
			t.Fatal(err)
		}
		if m := node.next(t); len(m.Payload) != 0 || m.Retained {
			t.Errorf("removal heard as %+v", m)
		}
		settled(t, p, h)
		late := mustDial(t, p.addr(), as("node-a"))
		late.mustSubscribe(t, "loaxa/1/area/bac-quang/+")
		if err := h.client.Publish("loaxa/1/area/bac-quang/manifest", []byte("live"), false); err != nil {
			t.Fatal(err)
		}
		if m := late.next(t); string(m.Payload) != "live" || m.Retained {
			t.Errorf("after the removal heard %+v", m)
		}
	})
}

// settled returns once the broker has handled all that the client published and
// forgotten or stored what was retained: it is asked in the same order.
func settled(t *testing.T, p peer, h *heard) {
	t.Helper()
	for round := 0; ; round++ {
		mark := fmt.Sprintf("mark-%d", round)
		if err := h.client.Publish("loaxa/1/controller/state", []byte(mark), true); err != nil {
			t.Fatal(err)
		}
		probe := mustDial(t, p.addr(), as("controller"))
		probe.mustSubscribe(t, "loaxa/1/controller/state")
		probe.publish("loaxa/1/controller/state", "echo", false)
		m := probe.next(t)
		probe.goodbye()
		if m.Retained && string(m.Payload) == mark {
			return
		}
		if round == 100 {
			t.Fatal("a retained message does not show up")
		}
	}
}

func TestWillTellsOfABrokenLinkAndOfAnOrderlyEnd(t *testing.T) {
	forEachBroker(t, func(t *testing.T, p peer) {
		h := listen(t, controllerConfig(p))
		h.waitUp(t)
		o := as("node-a")
		o.will = &Message{Topic: "loaxa/1/node/node-a/presence", Payload: []byte("gone"), Retained: true}
		mustDial(t, p.addr(), o).reset()
		if m := h.next(t); string(m.Payload) != "gone" || m.Topic != o.will.Topic {
			t.Errorf("heard %+v", m)
		}
		node := mustDial(t, p.addr(), as("node-a"))
		node.mustSubscribe(t, "loaxa/1/controller/state")
		h.end()
		if m := node.next(t); string(m.Payload) != "offline" {
			t.Errorf("the end of the controller was heard as %+v", m)
		}
	})
}

func TestClientReturnsAfterARestartAndRetainedMessagesSurviveIt(t *testing.T) {
	forEachBroker(t, func(t *testing.T, p peer) {
		h := listen(t, controllerConfig(p))
		h.waitUp(t)
		if err := h.client.Publish("loaxa/1/area/bac-quang/manifest", []byte("rev-1"), true); err != nil {
			t.Fatal(err)
		}
		settled(t, p, h)
		p.stop(t)
		p.start(t)
		restarted := time.Now()
		h.waitUp(t)
		t.Logf("client back %v after the broker", time.Since(restarted))
		node := mustDial(t, p.addr(), as("node-a"))
		node.mustSubscribe(t, "loaxa/1/area/bac-quang/+")
		if m := node.next(t); string(m.Payload) != "rev-1" || !m.Retained {
			t.Errorf("after the restart heard %+v", m)
		}
		node.publish("loaxa/1/node/node-a/receipt", "r", false)
		if m := h.next(t); string(m.Payload) != "r" {
			t.Errorf("the returned client heard %+v", m)
		}
	})
}

const crowdSize = 300

// answerAll waits until each of the crowd heard one message and, where asked,
// answered it.
func answerAll(t testing.TB, all []*rawClient, answer bool) {
	t.Helper()
	var done sync.WaitGroup
	for i, c := range all {
		done.Go(func() {
			select {
			case <-c.in:
				if answer {
					c.publish("loaxa/1/node/node-a/receipt", fmt.Sprint(i), false)
				}
			case <-time.After(patience):
				t.Errorf("node %d heard nothing", i)
			}
		})
	}
	done.Wait()
}

// openForCrowd opens a broker that lets a crowd in.
func openForCrowd(t testing.TB, name string) peer {
	if name == "mosquitto" {
		return newMosquitto(t)
	}
	return newEmbedded(t, crowdRights{})
}

// crowdRights lets any node name in as node-a, so that each has its own sessions.
type crowdRights struct{}

func (crowdRights) Authorise(username, _ string) (Rights, bool) {
	if username == "controller" {
		return controllerRights, true
	}
	return nodeRights("node-a"), true
}

func TestGroupMessageReachesThreeHundredNodesAndTheirAnswersReturn(t *testing.T) {
	for name := range brokers {
		t.Run(name, func(t *testing.T) {
			p := openForCrowd(t, name)
			h := listen(t, controllerConfig(p))
			h.waitUp(t)
			all := namedCrowd(t, p)
			if err := h.client.Publish("loaxa/1/area/bac-quang/announcement", make([]byte, 2048), false); err != nil {
				t.Fatal(err)
			}
			answerAll(t, all, true)
			seen := map[string]bool{}
			for range all {
				seen[string(h.next(t).Payload)] = true
			}
			if len(seen) != crowdSize || h.client.Dropped() != 0 {
				t.Errorf("%d of %d answers, %d dropped", len(seen), crowdSize, h.client.Dropped())
			}
		})
	}
}

// namedCrowd is many nodes, each with a credential of its own.
func namedCrowd(t testing.TB, p peer) []*rawClient {
	t.Helper()
	all := make([]*rawClient, crowdSize)
	for i := range all {
		all[i] = mustDial(t, p.addr(), as(fmt.Sprintf("node-%d", i)))
		all[i].mustSubscribe(t, "loaxa/1/area/bac-quang/+")
	}
	return all
}

// BenchmarkGroupPublish300 measures one 2 KiB message to 300 nodes, live and
// retained, and the return of 300 answers to the controller's consumer.
func BenchmarkGroupPublish300(b *testing.B) {
	for name := range brokers {
		for _, mode := range []struct {
			name             string
			retained, answer bool
		}{{"live", false, false}, {"retained", true, false}, {"answered", false, true}} {
			b.Run(name+"/"+mode.name, func(b *testing.B) {
				p := openForCrowd(b, name)
				h := listen(b, controllerConfig(p))
				h.waitUp(b)
				all := namedCrowd(b, p)
				payload := make([]byte, 2048)
				b.ResetTimer()
				for b.Loop() {
					if err := h.client.Publish("loaxa/1/area/bac-quang/announcement", payload, mode.retained); err != nil {
						b.Fatal(err)
					}
					answerAll(b, all, mode.answer)
					if mode.answer {
						for range all {
							h.next(b)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/group")
			})
		}
	}
}
