package sim_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/sim"
)

// childEnv makes this test program a simulation: controller, folder and number
// of nodes, with spaces between.
const childEnv = "LOAXA_SIMULATION_OF_A_TEST"

// TestMain runs the tests, or a simulation for one that wants it alone in a
// process.
func TestMain(m *testing.M) {
	if job := os.Getenv(childEnv); job != "" {
		if err := child(job); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func child(job string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fields := strings.Fields(job)
	n, err := strconv.Atoi(fields[2])
	if err != nil {
		return err
	}
	places, err := sim.DefaultPlaces(n)
	if err != nil {
		return err
	}
	s, err := sim.New(sim.Config{Controller: fields[0], Demo: true, Top: nodetest.Top, Places: places, Out: fields[1], Version: "test",
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	return s.Serve(ctx)
}

// process is a simulation in a process of its own.
type process struct {
	cmd *exec.Cmd
	out string
}

func started(tb testing.TB, c *centre, out string, n int) *process {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	p := &process{cmd: exec.Command(self), out: out}
	p.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d", childEnv, c.http.URL, out, n))
	p.cmd.Stderr = tb.Output()
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	return p
}

// end sends a signal and waits.
func (p *process) end(tb testing.TB, s os.Signal) {
	tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		tb.Fatal(err)
	}
	if err := p.cmd.Wait(); (err == nil) != (s == syscall.SIGTERM) {
		tb.Errorf("after %v it ended with %v", s, err)
	}
}

// resident is the memory of the process in bytes.
func (p *process) resident(tb testing.TB) float64 {
	tb.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) == 3 && fields[0] == "VmRSS:" {
			kb, err := strconv.Atoi(fields[1])
			if err != nil {
				tb.Fatal(err)
			}
			return float64(kb) * 1024
		}
	}
	tb.Fatal("no VmRSS")
	return 0
}

func (c *centre) allPlaced(nodes []broadcast.ID) func() bool {
	return func() bool {
		for _, n := range nodes {
			if s := c.State(n); s.Clock != broadcast.ClockProved || len(s.Manifests) == 0 {
				return false
			}
		}
		return true
	}
}

// BenchmarkNodesAtRest gives the memory of one of 300 nodes that have their
// place, their policy and one announcement for tomorrow. The aim is 4 MB.
func BenchmarkNodesAtRest(b *testing.B) {
	const n = 300
	for b.Loop() {
		c := newCentre(b)
		p := started(b, c, b.TempDir(), n)
		places, err := sim.DefaultPlaces(n)
		if err != nil {
			b.Fatal(err)
		}
		var nodes []broadcast.ID
		for _, one := range places {
			nodes = append(nodes, one.Node)
		}
		c.until("all nodes have their place", c.allPlaced(nodes))
		audio, _ := content(b, c)
		c.announce(emergency(c, "tomorrow", audio, 24*time.Hour))
		c.until("all hold the announcement", func() bool { return c.proved("tomorrow", "verified", nodes...) })
		rss := p.resident(b)
		b.ReportMetric(rss/n/1e6, "MB/node")
		p.end(b, syscall.SIGTERM)
	}
}

func TestKilledSimulationGoesOnWhereItStood(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	out := t.TempDir()
	places, err := sim.DefaultPlaces(2)
	if err != nil {
		t.Fatal(err)
	}
	nodes := []broadcast.ID{places[0].Node, places[1].Node}
	p := started(t, c, out, 2)
	c.until("all nodes have their place", c.allPlaced(nodes))
	audio, pcm := content(t, c)
	c.announce(emergency(c, "flood", audio, 2500*time.Millisecond))
	c.until("it sounds everywhere", func() bool { return c.proved("flood", "playing", nodes...) })
	p.end(t, syscall.SIGKILL)
	p = started(t, c, out, 2)
	c.until("it sounded again and ended", func() bool { return c.proved("flood", "ended repeat 2", nodes...) })
	p.end(t, syscall.SIGTERM)
	for _, n := range nodes {
		if got := c.Rungs(n, "flood"); !slices.Contains(got, "interrupted crash") {
			t.Errorf("%s: receipts %q", n, got)
		}
		dir := filepath.Join(out, string(n))
		heard := sounds(t, filepath.Join(dir, "sound.jsonl"))
		if len(heard) != 1 || heard[0].Attempt != 2 || heard[0].Samples < int64(len(pcm))*9/10 {
			t.Errorf("%s: sound.jsonl says %+v", n, heard)
		}
		list := lines[edge](t, filepath.Join(dir, "relay.jsonl"))
		if last := list[len(list)-1]; last.Closed {
			t.Errorf("%s: the relay is closed at the end", n)
		}
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}
