package sim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/link/linktest"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// centre is a controller on real sockets: an API as far as nodes use it, and a
// broker.
type centre struct {
	*nodetest.Centre
	t      testing.TB
	broker *linktest.Broker
	mqtt   string
	http   *httptest.Server

	mu     sync.Mutex
	tokens map[broadcast.ID]string
	areas  map[broadcast.ID]broadcast.ID
	asked  int
	// onAir answers who listens to a station.
	onAir http.HandlerFunc
	// enrolled are the nodes that showed their token, each time they did.
	enrolled  []broadcast.ID
	authority []byte
	news      chan struct{} // closed and replaced when the centre has heard something
}

func newCentre(t testing.TB) *centre {
	t.Helper()
	c := &centre{Centre: nodetest.NewCentre(time.Now, true), t: t, broker: linktest.NewBroker(),
		tokens: map[broadcast.ID]string{}, areas: map[broadcast.ID]broadcast.ID{}, news: make(chan struct{})}
	url, err := c.broker.Listen()
	if err != nil {
		t.Fatal(err)
	}
	c.mqtt = "mqtt" + url[len("tcp"):]
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/demo/enrolment-tokens", c.invite)
	mux.HandleFunc("POST /api/v1/enrolments", c.enrol)
	mux.HandleFunc("GET /document/{sum}", c.give)
	mux.HandleFunc("GET /content/{sum}", c.give)
	mux.HandleFunc("GET /live/{station}/{session}", func(w http.ResponseWriter, r *http.Request) { c.onAir(w, r) })
	c.http = httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { c.answer(ctx) })
	t.Cleanup(func() {
		cancel()
		work.Wait()
		c.http.Close()
		c.broker.Close()
	})
	c.authority = c.Authority()
	c.broker.Publish(wire.Area(nodetest.Top, "authority"), c.authority, true)
	c.broker.Publish(wire.Area(nodetest.Top, "policy"), c.Policy(nil), true)
	c.List()
	return c
}

// List publishes the manifest of the district.
func (c *centre) List() {
	c.broker.Publish(wire.Area(nodetest.Top, "manifest"), c.Manifest(nodetest.Top), true)
}

// answer gives everything that nodes publish to the centre.
func (c *centre) answer(ctx context.Context) {
	next := 0
	for c.broker.Await(ctx, func() bool { return len(c.broker.Published()) > next }) == nil {
		for _, m := range c.broker.Published()[next:] {
			next++
			for _, o := range c.Take(m.Topic, m.Payload) {
				c.broker.Publish(o.Topic, o.Payload, o.Retained)
			}
		}
		c.mu.Lock()
		close(c.news)
		c.news = make(chan struct{})
		c.mu.Unlock()
	}
}

func (c *centre) invite(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Nodes []struct{ Node, Area broadcast.ID }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	type token struct {
		Node  broadcast.ID `json:"node"`
		Token string       `json:"token"`
	}
	out := struct {
		Fingerprint broadcast.Digest `json:"fingerprint"`
		Tokens      []token          `json:"tokens"`
	}{Fingerprint: c.House.Pin}
	for _, n := range in.Nodes {
		c.tokens[n.Node], c.areas[n.Node] = "token of "+string(n.Node), n.Area
		out.Tokens = append(out.Tokens, token{n.Node, c.tokens[n.Node]})
	}
	c.reply(w, out)
}

// enrol takes a node's key and confirms it at once.
func (c *centre) enrol(w http.ResponseWriter, r *http.Request) {
	var e wire.Enrolment
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil || e.Validate() != nil {
		http.Error(w, "bad enrolment", http.StatusUnprocessableEntity)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.Token == "" || c.tokens[e.Node] != e.Token {
		http.Error(w, `{"title":"token refused","detail":"ask for a new one"}`, http.StatusForbidden)
		return
	}
	at := broadcast.Controller{HTTP: c.http.URL, MQTT: c.mqtt}
	c.enrolled = append(c.enrolled, e.Node)
	c.Give(e.Node, nodetest.Outgoing{Topic: wire.Node(e.Node, "document"), Payload: c.authority},
		nodetest.Outgoing{Topic: wire.Node(e.Node, "assignment"), Payload: c.Assignment(e.Node, e.Key, c.areas[e.Node], at), Retained: true})
	code, err := wire.ShortCode(e.Key)
	if err != nil {
		c.t.Error(err)
	}
	c.reply(w, wire.Enrolled{Node: e.Node, Secret: "secret", Controllers: []broadcast.Controller{at},
		Roots: []broadcast.Envelope{c.House.Root}, ShortCode: code})
}

func (c *centre) reply(w http.ResponseWriter, v any) {
	w.WriteHeader(http.StatusCreated)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		c.t.Error(err)
	}
}

func (c *centre) give(w http.ResponseWriter, r *http.Request) {
	raw := c.Document(broadcast.Digest(r.PathValue("sum")))
	if raw == nil {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(raw) // a client that left is not our affair
}

// until waits for something that nodes tell the centre.
func (c *centre) until(what string, cond func() bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	for {
		c.mu.Lock()
		news := c.news
		c.mu.Unlock()
		if cond() {
			return
		}
		select {
		case <-news:
		case <-ctx.Done():
			c.t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// proved says whether every node has the rung of an announcement.
func (c *centre) proved(id broadcast.ID, rung string, nodes ...broadcast.ID) bool {
	for _, n := range nodes {
		found := false
		for _, got := range c.Rungs(n, id) {
			found = found || got == rung
		}
		if !found {
			return false
		}
	}
	return true
}
