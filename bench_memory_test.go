package loaxa

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// restFor is how long programs rest before their memory at rest is read.
const restFor = 15 * time.Second

// BenchmarkIdleNode is what one more simulated node at rest costs in memory:
// that of 300 in one process less that of 1, each connected, confirmed, in step
// and then left alone for a while. It counts what is resident (RSS).
func BenchmarkIdleNode(b *testing.B) {
	conditions(b)
	one, all := idle(b, 1), idle(b, crowd)
	once(b)
	b.ReportMetric(megabytes(all-one)/(crowd-1), "MB/node")
	b.ReportMetric(megabytes(one), "MB-with-1-node")
	b.ReportMetric(megabytes(all), "MB-with-300-nodes")
}

// idle is the memory of a simulation at rest.
func idle(b *testing.B, nodes int) int64 {
	b.Helper()
	w := newWorld(b, nodes)
	<-time.After(restFor)
	m := memoryOf(w.sim.cmd.Process.Pid)
	w.sim.kill()
	w.ctl.kill()
	if m.resident == 0 {
		b.Fatal("the simulation has ended")
	}
	return m.resident
}

// BenchmarkRealDaemonPlaying is what one loaxa-device run needs in memory while
// it plays, with the decoder that it starts and without the guard, which is
// another program. MB-playing counts every page once (PSS): daemon and decoder
// are one program, and its code is in memory once. MB-rss-daemon and
// MB-rss-decoder are what each shows by itself (RSS), MB-rss-sum both together,
// with the code that they share counted twice.
func BenchmarkRealDaemonPlaying(b *testing.B) {
	conditions(b)
	w := &world{TB: b, binaries: built(b), dir: b.TempDir(), http: "127.0.0.1:0", mqtt: "127.0.0.1:0", nodes: 1}
	w.startController()
	w.token = w.tokenOf("officer")
	relay, daemon := w.startDaemon(b)
	w.awaitNodes()
	content, err := w.upload(musicMP3(b, 30), "")
	if err != nil {
		b.Fatal(err)
	}
	<-time.After(restFor)
	rest := memoryOf(daemon)
	w.publish("emergency", content, time.Time{})
	var counted, own, child, sum int64
	closed, over := false, false
	w.until("the sounding is over", func() bool {
		edges := lines[relayEdge](w, relay)
		now := len(edges) > 0 && edges[len(edges)-1].Closed
		closed, over = closed || now, closed && !now
		all := memoryOf(daemon)
		own = max(own, all.resident)
		for _, pid := range childrenOf(daemon) {
			m := memoryOf(pid)
			child = max(child, m.resident)
			all.resident, all.counted = all.resident+m.resident, all.counted+m.counted
		}
		counted, sum = max(counted, all.counted), max(sum, all.resident)
		return over
	})
	once(b)
	if child == 0 {
		b.Fatal("no decoder was seen")
	}
	b.ReportMetric(megabytes(counted), "MB-playing")
	b.ReportMetric(megabytes(own), "MB-rss-daemon")
	b.ReportMetric(megabytes(child), "MB-rss-decoder")
	b.ReportMetric(megabytes(sum), "MB-rss-sum")
	b.ReportMetric(megabytes(rest.resident), "MB-rss-at-rest")
}

// startDaemon starts a guard with a relay in a file, and the daemon of one
// board. It returns the file and the daemon's process.
func (w *world) startDaemon(b *testing.B) (relay string, pid int) {
	b.Helper()
	guard, err := builtGuard()
	if err != nil {
		b.Fatal(err)
	}
	relay = filepath.Join(w.dir, "relay.jsonl")
	socket := filepath.Join(w.dir, "guard.sock")
	start(b, filepath.Join(w.dir, "guard.log"), guard, "-socket", socket, "-simulate", relay)
	w.until("the guard listens", func() bool {
		_, err := os.Stat(socket)
		return err == nil
	})
	file := w.card("tan-lap-1", w.dir, socket)
	p := start(b, filepath.Join(w.dir, "device.log"), w.device, "run", "--config", file)
	return relay, p.cmd.Process.Pid
}

// card invites a node of Tân Lập and writes the provisioning file of its card
// into a folder. Its board is simulated and its sound goes nowhere.
func (w *world) card(node, dir, socket string) (file string) {
	w.Helper()
	var invited struct {
		Fingerprint string
		Tokens      []struct{ Token string }
	}
	place := map[string]any{"nodes": []map[string]string{{"node": node, "area": "tan-lap"}}}
	if err := w.post("/api/v1/demo/enrolment-tokens", "", place, &invited); err != nil {
		w.Fatal(err)
	}
	config := fmt.Sprintf("node = %q\ntop = %q\ncontroller = %q\nroot = %q\ntoken = %q\ndata = %q\nboard = %q\ndemo = true\n[guard]\nsocket = %q\n[sound]\nkind = %q\n",
		node, "bac-quang", w.url, invited.Fingerprint, invited.Tokens[0].Token, filepath.Join(dir, "card"), "simulated", socket, "null")
	file = filepath.Join(dir, "loaxa.toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		w.Fatal(err)
	}
	return file
}

// builtGuard builds the guard beside the other programs, once.
var builtGuard = sync.OnceValues(func() (string, error) {
	dir, err := buildDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "loaxa-guard")
	cmd := exec.Command("go", "build", "-o", path, "./device/guard")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the guard: %w\n%s", err, out)
	}
	return path, nil
})

// childrenOf are the processes that a process started.
func childrenOf(pid int) []int {
	var out []int
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		for _, text := range strings.Fields(string(raw)) {
			if n, err := strconv.Atoi(text); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}
