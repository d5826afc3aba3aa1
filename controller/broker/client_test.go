package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestBrokerAddressesThatCannotWorkAreNamedWithoutTheirPassword(t *testing.T) {
	for _, raw := range []string{
		"", "broker", "broker:1883", "tcp://u:hidden@broker", "http://u:hidden@broker", "mqtt://", "mqtt://:1883",
		"mqtt://u:hidden@broker/path", "mqtt://u:hidden@broker?x=1", "mqtt://u:hidden@broker#x", "mqtt://u:hidden@bro ker", "mqtt://u:hid%zzden@broker",
	} {
		_, err := parseAddress(raw)
		if err == nil || !strings.Contains(err.Error(), "mqtts://host:8883") {
			t.Errorf("%q: error %v does not say what to give instead", raw, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "den@")) {
			t.Errorf("%q: error repeats the password: %v", raw, err)
		}
	}
}

func TestBrokerAddressesAreReadWithTheirDefaults(t *testing.T) {
	for raw, want := range map[string]address{
		"mqtt://broker":             {host: "broker:1883"},
		"mqtt://broker/":            {host: "broker:1883"},
		"mqtts://broker":            {host: "broker:8883", tls: true},
		"mqtts://u:p%40w@broker:99": {host: "broker:99", tls: true, username: "u", password: "p@w"},
		"mqtt://u@[::1]":            {host: "[::1]:1883", username: "u"},
	} {
		if got, err := parseAddress(raw); err != nil || got != want {
			t.Errorf("%s: got %+v, %v", raw, got, err)
		}
	}
}

func TestConnectRefusesWhatCannotWork(t *testing.T) {
	if _, err := Connect(ClientConfig{URL: "mqtt://b", Log: quiet()}); err == nil {
		t.Error("no consumer was accepted")
	}
	if _, err := Connect(ClientConfig{URL: "mqtt://b", OnMessage: func(Message) {}}); err == nil {
		t.Error("no logger was accepted")
	}
}

// spoken collects log lines.
type spoken struct {
	slog.Handler
	lines chan string
}

func (s spoken) Enabled(context.Context, slog.Level) bool { return true }
func (s spoken) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	select {
	case s.lines <- line:
	default:
	}
	return nil
}

func TestClientIsNotUpWhileOneSubscriptionIsRefused(t *testing.T) {
	p := newEmbedded(t, everybody("node-a"))
	said := spoken{lines: make(chan string, 64)}
	h := listen(t, ClientConfig{
		URL: "mqtt://" + p.addr(), Username: "node-a", Password: "secret-of-node-a", Log: slog.New(said),
		Subscriptions: []string{"loaxa/1/area/bac-quang/+", "loaxa/1/node/node-b/command"},
	})
	for range 2 {
		line := <-said.lines
		if !strings.Contains(line, "refused to let this credential read loaxa/1/node/node-b/command") {
			t.Errorf("log says %q", line)
		}
	}
	select {
	case <-h.up:
		t.Error("reported itself up")
	default:
	}
	if err := h.client.Publish("loaxa/1/node/node-a/state", nil, false); !errors.Is(err, ErrDown) {
		t.Errorf("publish: %v", err)
	}
}

func TestRefusedOrUnansweredFiltersAreListed(t *testing.T) {
	got := refusals([]string{"a", "b", "c"}, map[string]byte{"a": 0, "b": 0x80})
	if fmt.Sprint(got) != "[b c]" {
		t.Errorf("got %v", got)
	}
}

func TestPublishSaysThatItIsDownOrTooLarge(t *testing.T) {
	p := newEmbedded(t, everybody())
	config := controllerConfig(p)
	config.OnMessage, config.Log = func(Message) {}, quiet()
	idle, err := Connect(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := idle.Publish("loaxa/1/x", nil, false); !errors.Is(err, ErrDown) {
		t.Errorf("before Serve: %v", err)
	}
	h := listen(t, controllerConfig(p))
	h.waitUp(t)
	if err := h.client.Publish("loaxa/1/x", make([]byte, MaxPacket), false); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if err := h.client.Publish("loaxa/1/node/n/receipt", make([]byte, MaxPacket-maxHeader-32), false); err != nil {
		t.Errorf("largest: %v", err)
	}
	if m := h.next(t); len(m.Payload) != MaxPacket-maxHeader-32 {
		t.Errorf("largest arrived with %d bytes", len(m.Payload))
	}
	h.end()
	if err := h.client.Publish("loaxa/1/x", nil, false); !errors.Is(err, ErrDown) {
		t.Errorf("after Serve: %v", err)
	}
}

func TestWrongPasswordIsRetriedAndTheReasonTold(t *testing.T) {
	p := newEmbedded(t, everybody())
	said := spoken{lines: make(chan string, 64)}
	listen(t, ClientConfig{URL: "mqtt://controller:hidden@" + p.addr(), Log: slog.New(said)})
	for range 2 {
		if line := <-said.lines; !strings.Contains(line, "not Authorized") || strings.Contains(line, "hidden") {
			t.Errorf("log says %q", line)
		}
	}
}

func TestReconnectingLeavesNothingBehind(t *testing.T) {
	p := newEmbedded(t, everybody())
	h := listen(t, controllerConfig(p))
	h.waitUp(t)
	before := runtime.NumGoroutine()
	for range 3 {
		if p.broker.Kick("controller") != 1 {
			t.Error("the client holds other than one session")
		}
		h.waitUp(t)
	}
	deadline := time.After(patience)
	for runtime.NumGoroutine() > before {
		select {
		case <-deadline:
			t.Fatalf("%d goroutines before, %d after three reconnects", before, runtime.NumGoroutine())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func TestEndOfServeLeavesNothingBehind(t *testing.T) {
	p := newEmbedded(t, everybody())
	before := runtime.NumGoroutine()
	h := listen(t, controllerConfig(p))
	h.waitUp(t)
	h.end()
	deadline := time.After(patience)
	for runtime.NumGoroutine() > before {
		select {
		case <-deadline:
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// The retained set of many nodes arrives in one burst at the start.
func TestOneNodesMessagesStayInOrder(t *testing.T) {
	const nodes, each = 20, 100
	p := newEmbedded(t, everybody())
	h := listen(t, controllerConfig(p))
	h.waitUp(t)
	sender := mustDial(t, p.addr(), as("controller"))
	for i := range each {
		for n := range nodes {
			kind := []string{"receipt", "presence"}[i%2]
			sender.publish(fmt.Sprintf("loaxa/1/node/n-%d/%s", n, kind), fmt.Sprint(i), false)
		}
	}
	next := map[string]int{}
	for range nodes * each {
		m := h.next(t)
		node := strings.Split(m.Topic, "/")[3]
		if string(m.Payload) != fmt.Sprint(next[node]) {
			t.Fatalf("%s: heard %s, want %d", node, m.Payload, next[node])
		}
		next[node]++
	}
}

func TestBackoffIsJitteredAndNeverAboveAMinute(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	b := &backoff{random: random.Float64}
	var longest time.Duration
	for i := range 1000 {
		d := b.next()
		if ceiling := min(backoffCap, backoffFirst<<min(i, 20)); d < 0 || d > ceiling {
			t.Fatalf("seed %d: attempt %d waits %v, ceiling %v", seed, i, d, ceiling)
		}
		longest = max(longest, d)
	}
	if longest < backoffCap/2 {
		t.Errorf("seed %d: never waited longer than %v", seed, longest)
	}
	b.lived(backoffProof - 1)
	if b.failure == 0 {
		t.Error("a short link forgot the failures")
	}
	b.lived(backoffProof)
	if d := b.next(); d > backoffFirst {
		t.Errorf("after a proven link waits %v", d)
	}
}

func TestRationCountsWhatItHoldsBack(t *testing.T) {
	now := time.Unix(0, 0)
	r := ration{now: func() time.Time { return now }, period: time.Minute, limit: 2}
	var fits int
	for range 7 {
		if ok, _ := r.take(); ok {
			fits++
		}
	}
	now = now.Add(time.Minute)
	if ok, held := r.take(); fits != 2 || !ok || held != 5 {
		t.Errorf("%d lines fit, then %v with %d held back", fits, ok, held)
	}
}

func TestServerLogIsRationedAndKeepsTheFatalReason(t *testing.T) {
	said := spoken{lines: make(chan string, 100)}
	l := newServerLog(slog.New(said))
	for range 80 {
		l.Errorf("refused %s", "x")
	}
	l.Tracef("secret")
	l.Debugf("secret")
	if n := len(said.lines); n != 30 {
		t.Errorf("%d lines of 80", n)
	}
	if l.failure() != nil {
		t.Error("a refusal counts as the end")
	}
	l.Fatalf("no %s", "port")
	if err := l.failure(); err == nil || err.Error() != "no port" {
		t.Errorf("fatal reason %v", err)
	}
}

// The library starts a goroutine per message unless order matters, reconnects
// in lockstep, and hangs in a write without a deadline.
func TestLinkLeavesNothingToTheLibrary(t *testing.T) {
	one, two := baseOptions("b:1883"), baseOptions("b:1883")
	if !one.Order || one.AutoReconnect || one.ConnectRetry || !one.CleanSession || one.WriteTimeout <= 0 || one.ConnectTimeout <= 0 || one.KeepAlive != 30 || one.ProtocolVersion != 4 {
		t.Errorf("options %+v", one)
	}
	if one.ClientID == two.ClientID || len(one.ClientID) > 23 {
		t.Errorf("client ids %q and %q are not random or too long", one.ClientID, two.ClientID)
	}
}
