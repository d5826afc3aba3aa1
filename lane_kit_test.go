package loaxa

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs are the built binaries of the product.
type programs struct{ controller, device string }

// built builds the programs once for all lanes of a run.
func built(t testing.TB) programs {
	t.Helper()
	dir, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return programs{controller: filepath.Join(dir, "loaxa-controller"), device: filepath.Join(dir, "loaxa-device")}
}

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "loaxa-lane-")
	if err != nil {
		return "", err
	}
	for name, pkg := range map[string]string{"loaxa-controller": "./controller", "loaxa-device": "./device"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := buildOnce(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// process is a running program whose words are kept.
type process struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan struct{}
}

// start starts a program; its output goes to a file, which a failed test shows.
func start(t testing.TB, logPath, program string, args ...string) *process {
	t.Helper()
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(program, args...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		_ = log.Close()
		if t.Failed() {
			b, _ := os.ReadFile(logPath)
			t.Logf("%s said at the end:\n%s", filepath.Base(program), b[max(0, len(b)-3000):])
		}
	})
	return p
}

// kill ends the process as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// stop asks the process to end and waits until it did.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	<-p.done
}

// world is a demo controller with simulated nodes, in folders of their own.
type world struct {
	testing.TB
	programs
	dir   string
	url   string
	http  string // host:port, kept over restarts
	mqtt  string
	token string
	ctl   *process
	sim   *process
	nodes int
}

// newWorld starts both and waits until every node is confirmed and in step.
func newWorld(t testing.TB, nodes int) *world {
	t.Helper()
	w := &world{TB: t, programs: built(t), dir: t.TempDir(), http: "127.0.0.1:0", mqtt: "127.0.0.1:0", nodes: nodes}
	w.startController()
	w.startNodes()
	out, err := exec.Command(w.controller, "admin", "token", "--data", w.data(), "--role", "officer").Output()
	if err != nil {
		t.Fatalf("no token: %v", err)
	}
	w.token = strings.TrimSpace(string(out))
	w.awaitNodes()
	return w
}

func (w *world) data() string { return filepath.Join(w.dir, "controller") }
func (w *world) out() string  { return filepath.Join(w.dir, "nodes") }

// startController starts the controller, and after the first time on the same
// addresses as before.
func (w *world) startController() {
	w.Helper()
	_ = os.Remove(filepath.Join(w.data(), "listening.json"))
	w.ctl = start(w, filepath.Join(w.dir, "controller.log"), w.controller, "demo", "--data", w.data(), "--http", w.http, "--mqtt", w.mqtt)
	var at struct{ HTTP, MQTT string }
	w.until("the controller listens", func() bool {
		b, err := os.ReadFile(filepath.Join(w.data(), "listening.json"))
		return err == nil && json.Unmarshal(b, &at) == nil && at.HTTP != ""
	})
	w.url, w.http, w.mqtt = at.HTTP, strings.TrimPrefix(at.HTTP, "http://"), strings.TrimPrefix(at.MQTT, "mqtt://")
}

func (w *world) startNodes() {
	w.Helper()
	w.sim = start(w, filepath.Join(w.dir, "sim.log"), w.device, "sim", "--controller", w.url, "--nodes", fmt.Sprint(w.nodes), "--out", w.out())
}

// until waits for a condition, and fails the test after a generous while.
func (w *world) until(what string, done func() bool) {
	w.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(90 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			w.Fatalf("waited in vain: %s", what)
		}
	}
}

// get asks the controller and decodes the answer.
func (w *world) get(path string, into any) error {
	req, err := http.NewRequest(http.MethodGet, w.url+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	client := http.Client{Timeout: 5 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", path, res.Status, b)
	}
	return json.Unmarshal(b, into)
}

// run runs one command of the controller to its end.
func (w *world) run(args ...string) (stdout, stderr string, err error) {
	cmd := exec.Command(w.controller, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// relayEdge is one line of a node's relay log.
type relayEdge struct {
	At     time.Time `json:"at"`
	Closed bool      `json:"closed"`
}

// lines decodes a file of one JSON value a line.
func lines[T any](t testing.TB, path string) []T {
	t.Helper()
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	for _, line := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		var v T
		if len(line) == 0 {
			continue
		}
		if err := json.Unmarshal(line, &v); err != nil {
			continue // a line cut by a kill
		}
		out = append(out, v)
	}
	return out
}
