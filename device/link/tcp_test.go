package link_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/link/linktest"
)

// overTCP starts n links to a broker on a real port and waits until all are up.
func overTCP(t *testing.T, n int) (b *linktest.Broker, links []*link.Link, stop func()) {
	t.Helper()
	b = linktest.NewBroker()
	url, err := b.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := range n {
		cfg := config(b, &ear{})
		cfg.Brokers, cfg.Dial = []string{url}, nil
		cfg.Rand = rand.New(rand.NewPCG(seed, uint64(i)))
		l, err := link.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, l)
		wg.Go(func() { _ = l.Serve(ctx) }) // ends with ctx
	}
	limit, done := context.WithTimeout(context.Background(), 30*time.Second)
	defer done()
	err = b.Await(limit, func() bool {
		ready := 0
		for _, c := range b.Clients() {
			if len(c.Filters) == 2 {
				ready++
			}
		}
		return ready == n
	})
	if err != nil {
		t.Fatal(err)
	}
	return b, links, sync.OnceFunc(func() { cancel(); wg.Wait(); b.Close() })
}

// pahos counts the goroutines of the Paho client; its packets the broker uses too.
func pahos() int {
	buf := make([]byte, 4<<20)
	n := 0
	for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "paho%2emqtt%2egolang.") {
			n++
		}
	}
	return n
}

func eventually(t *testing.T, limit time.Duration, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !cond(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// A connection that this side gives up must not leave Paho's goroutines behind
// until a ping fails: on a bad line that happens every few seconds.
func TestAConnectionThatIsGivenUpLeavesNothingBehind(t *testing.T) {
	b, links, stop := overTCP(t, 1)
	defer stop()
	eventually(t, 5*time.Second, "up", func() bool { return links[0].Stats().Connections == 1 })
	one := pahos()
	refuse := func(string) bool { return true }
	b.Misbehave(linktest.Faults{RefuseFilter: refuse})
	b.Cut()
	limit, done := context.WithTimeout(context.Background(), 20*time.Second)
	defer done()
	if err := b.Await(limit, func() bool { return b.Connects() >= 3 }); err != nil {
		t.Fatal(err)
	}
	b.Misbehave(linktest.Faults{RefuseFilter: refuse, RefuseConnect: 3})
	eventually(t, 5*time.Second, "Paho's end", func() bool { return pahos() == 0 })
	if one == 0 {
		t.Error("Paho was never there: the count is wrong")
	}
}

func TestLinksOverTCPEndWithoutARest(t *testing.T) {
	b, links, stop := overTCP(t, 20)
	b.Publish("area/a/manifest", []byte("to all"), false)
	for i, l := range links {
		m := link.Message{Topic: fmt.Sprint("node/", i, "/state"), Payload: []byte("x"), QoS: 1}
		eventually(t, 5*time.Second, "publish", func() bool { return !errors.Is(l.Publish(context.Background(), m), link.ErrDown) })
	}
	eventually(t, 5*time.Second, "all messages", func() bool { return len(b.Published()) == 21 })
	stop()
	eventually(t, 5*time.Second, "Paho's end", func() bool { return pahos() == 0 })
}

// Hundreds of nodes run in one process with 4 MB each for everything; the broker's
// half of each connection is in this figure too.
func TestALinkAtRestCostsLittleMemory(t *testing.T) {
	const n = 100
	before := inUse()
	_, links, stop := overTCP(t, n)
	defer stop()
	each := (inUse() - before) / n
	t.Logf("%d bytes a link, with the broker's half", each)
	if each > 250<<10 {
		t.Errorf("a link costs %d bytes", each)
	}
	runtime.KeepAlive(links)
}

func TestAFetcherAtRestCostsLittleMemory(t *testing.T) {
	const n = 100
	fetchers := make([]*link.Fetcher, n)
	before := inUse()
	for i := range fetchers {
		f, err := link.NewFetcher(link.FetchConfig{Controllers: []string{"http://127.0.0.1:1"},
			Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Rand: rand.New(rand.NewPCG(seed, 3))})
		if err != nil {
			t.Fatal(err)
		}
		fetchers[i] = f
	}
	if each := (inUse() - before) / n; each > 16<<10 {
		t.Errorf("a fetcher costs %d bytes", each)
	}
	runtime.KeepAlive(fetchers)
}

func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
