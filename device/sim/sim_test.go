package sim_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player/decode"
	"github.com/loaxa/loaxa/device/player/playertest"
	"github.com/loaxa/loaxa/device/sim"
)

const warmUp = 1500 * time.Millisecond

// simulation runs a simulation in the background until the test stops it.
type simulation struct {
	t      *testing.T
	out    string
	cancel context.CancelFunc
	done   chan error
}

func simulated(t *testing.T, c *centre, out string, n int) *simulation {
	t.Helper()
	places, err := sim.DefaultPlaces(n)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sim.New(sim.Config{Controller: c.http.URL, Demo: true, Top: nodetest.Top, Places: places, Out: out, Version: "test",
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	run := &simulation{t: t, out: out, cancel: cancel, done: make(chan error, 1)}
	go func() { run.done <- s.Serve(ctx) }()
	t.Cleanup(run.stop)
	return run
}

func (s *simulation) stop() {
	s.cancel()
	if s.done == nil {
		return
	}
	if err := <-s.done; err != nil && !errors.Is(err, context.Canceled) {
		s.t.Errorf("the simulation ended with %v", err)
	}
	s.done = nil
}

// content puts the sweep of the decoder's tests at the centre.
func content(t testing.TB, c *centre) (broadcast.Content, []int16) {
	t.Helper()
	path := filepath.Join("..", "player", "decode", "testdata", "sweep.opus")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := decode.InProcess{}.Open(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	pcm := make([]int16, stream.Samples())
	for n := 0; n < len(pcm); {
		k, err := stream.Read(t.Context(), pcm[n:])
		if err != nil {
			t.Fatal(err)
		}
		n += k
	}
	sum := c.PutContent(raw)
	return broadcast.Content{SHA256: sum, Millis: int64(len(pcm)) * 1000 / media.SampleRate, Bytes: int64(len(raw))}, pcm
}

func emergency(c *centre, id broadcast.ID, content broadcast.Content, in time.Duration) broadcast.Announcement {
	return broadcast.Announcement{ID: id, Revision: c.Revision(string(id)), Class: broadcast.Emergency, Title: "Lũ quét trên sông Lô",
		Areas: []broadcast.ID{nodetest.Top}, Meta: broadcast.Sum([]byte("{}")),
		Versions: []broadcast.Version{{Language: "vi", Content: &content}},
		Timing:   broadcast.Timing{Mode: broadcast.ModeNow, Start: c.Instant().Add(in)}}
}

func (c *centre) announce(a broadcast.Announcement) {
	raw := c.Sealed(broadcast.KindAnnouncement, a, nodetest.Top, c.Editor, c.Approver)
	c.broker.Publish(wire.Area(nodetest.Top, "announcement"), raw, false)
	c.List()
}

func TestThreeNodesSoundOneEmergencyTogether(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	out := t.TempDir()
	run := simulated(t, c, out, 3)
	places, err := sim.DefaultPlaces(3)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []broadcast.ID
	for _, p := range places {
		nodes = append(nodes, p.Node)
	}
	c.until("nodes have their place and their time", func() bool {
		for _, n := range nodes {
			if s := c.State(n); s.Clock != broadcast.ClockProved || len(s.Manifests) == 0 {
				return false
			}
		}
		return true
	})
	audio, pcm := content(t, c)
	a := emergency(c, "flood", audio, 3*time.Second)
	c.announce(a)
	c.until("every node ended", func() bool { return c.proved("flood", "ended", nodes...) })
	run.stop()
	for _, n := range nodes {
		judge(t, filepath.Join(out, string(n)), a, pcm)
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}

// judge compares what one node recorded with what it should have played.
func judge(t *testing.T, dir string, a broadcast.Announcement, source []int16) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.wav"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s: recordings %q (%v), want one", dir, files, err)
	}
	first, pcm, err := playertest.ReadWAV(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if off := first.Sub(a.Timing.Start.Time()).Abs(); off > 5*time.Millisecond {
		t.Errorf("%s: first sample %v off its start", dir, off)
	}
	if peak, lag := media.Correlate(source, pcm); peak < 0.98 || lag < -480 || lag > 480 {
		t.Errorf("%s: the recording is alike to the source by %.3f at lag %d", dir, peak, lag)
	}
	if d := len(pcm) - len(source); d > len(source)/100 || d < -len(source)/100 {
		t.Errorf("%s: %d samples recorded of %d", dir, len(pcm), len(source))
	}
	closed, opened := edges(t, filepath.Join(dir, "relay.jsonl"))
	if off := first.Sub(closed) - warmUp; off.Abs() > 20*time.Millisecond {
		t.Errorf("%s: the relay closed %v before the first sample, want %v", dir, first.Sub(closed), warmUp)
	}
	heard := sounds(t, filepath.Join(dir, "sound.jsonl"))
	if len(heard) != 1 || !heard[0].First.Equal(first) || heard[0].Announcement != a.ID || heard[0].Samples != int64(len(pcm)) {
		t.Errorf("%s: sound.jsonl says %+v", dir, heard)
	}
	if len(heard) == 1 && !opened.After(heard[0].Last) {
		t.Errorf("%s: the relay opened at %v, the last sample left at %v", dir, opened, heard[0].Last)
	}
}

// edge is one line of relay.jsonl.
type edge struct {
	At     time.Time
	Closed bool
}

// edges returns when the relay closed and opened; it must have done so once.
func edges(t *testing.T, path string) (closed, opened time.Time) {
	t.Helper()
	list := lines[edge](t, path)
	if len(list) != 3 || list[0].Closed || !list[1].Closed || list[2].Closed {
		t.Fatalf("%s: edges %+v, want open, closed, open", path, list)
	}
	return list[1].At, list[2].At
}

func sounds(t *testing.T, path string) []node.Heard {
	t.Helper()
	return lines[node.Heard](t, path)
}

func lines[T any](t *testing.T, path string) []T {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []T
	for s := bufio.NewScanner(f); s.Scan(); {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out = append(out, v)
	}
	return out
}

func TestRestartTakesUpCardsAndKeysAndChains(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	out := t.TempDir()
	run := simulated(t, c, out, 2)
	nodes := []broadcast.ID{"tan-lap-1", "viet-quang-1"}
	placed := func(boots map[broadcast.ID]broadcast.ID) func() bool {
		return func() bool {
			for _, n := range nodes {
				if s := c.State(n); s.Clock != broadcast.ClockProved || len(s.Manifests) == 0 || s.Boot == boots[n] {
					return false
				}
			}
			return true
		}
	}
	names, err := sim.DefaultPlaces(2)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range names {
		nodes[i] = p.Node
	}
	c.until("the first boot", placed(nil))
	audio, _ := content(t, c)
	c.announce(emergency(c, "first", audio, time.Hour)) // not yet
	c.until("all verified", func() bool { return c.proved("first", "verified", nodes...) })
	boots, chains := map[broadcast.ID]broadcast.ID{}, map[broadcast.ID]broadcast.ID{}
	for _, n := range nodes {
		boots[n], chains[n] = c.State(n).Boot, c.State(n).Chain
	}
	run.stop()
	simulated(t, c, out, 2)
	c.until("the second boot", placed(boots))
	if len(c.enrolled) != 2 || c.asked != 1 {
		t.Errorf("%d enrolments and %d questions for tokens, want 2 and 1: cards were not taken up", len(c.enrolled), c.asked)
	}
	for _, n := range nodes {
		if c.State(n).Chain != chains[n] {
			t.Errorf("%s began another chain of receipts", n)
		}
		if got := len(c.Receipts(n)); got < 2 || got > 3 {
			t.Errorf("%s has %d receipts, want two or three: %q", n, got, c.Rungs(n, "first"))
		}
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}

func TestSimulationWaitsForItsControllerAndSaysSo(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	said := &spoken{want: "waiting for the controller", heard: make(chan struct{})}
	places, err := sim.DefaultPlaces(1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sim.New(sim.Config{Controller: "http://" + address, Demo: true, Top: nodetest.Top, Places: places, Out: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	<-said.heard
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

// spoken tells when something is logged.
type spoken struct {
	want  string
	once  sync.Once
	heard chan struct{}
}

// Write is called for every line.
func (s *spoken) Write(b []byte) (int, error) {
	if strings.Contains(string(b), s.want) {
		s.once.Do(func() { close(s.heard) })
	}
	return len(b), nil
}

func TestRefusalsOfTheControllerEndTheSimulationWithTheReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, token string
		code        int
		body, want  string
	}{
		{"no demo", "", http.StatusNotFound, "", "--token"},
		{"a token that is refused", "lx_wrong", http.StatusUnauthorized, `{"title":"unknown token"}`, "unknown token"},
		{"nonsense", "", http.StatusOK, `<html>`, "not understood"},
		{"no fingerprint", "", http.StatusOK, `{"tokens":[]}`, "no fingerprint"},
		{"a token too few", "", http.StatusOK, `{"fingerprint":"` + strings.Repeat("0", 64) + `","tokens":[]}`, "no token for tan-lap-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked, bearer string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked, bearer = r.URL.Path, r.Header.Get("Authorization")
				w.WriteHeader(c.code)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			s, err := sim.New(sim.Config{Controller: server.URL, Token: c.token, Top: nodetest.Top, Out: t.TempDir(),
				Places: []sim.Place{{Node: "tan-lap-1", Area: "tan-lap"}}, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Serve(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it ended with %v, want %q in it", err, c.want)
			}
			if c.token != "" && (asked != "/api/v1/enrolment-tokens" || bearer != "Bearer "+c.token) {
				t.Errorf("asked %s as %q", asked, bearer)
			}
		})
	}
}
