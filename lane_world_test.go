package loaxa

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/link/linetest"
)

// world is a demo controller with simulated nodes, in folders of their own.
type world struct {
	testing.TB
	binaries
	dir   string
	url   string
	http  string // host:port, kept over restarts
	mqtt  string
	more  []string // further arguments of the controller
	token string
	ctl   *process
	sim   *process
	nodes int
	line  *linetest.Line // between controller and nodes; nil for none
}

// newWorld starts both and waits until every node is confirmed and in step.
func newWorld(t testing.TB, nodes int, more ...string) *world {
	t.Helper()
	w := &world{TB: t, binaries: built(t), dir: t.TempDir(), http: "127.0.0.1:0", mqtt: "127.0.0.1:0", more: more, nodes: nodes}
	w.begin()
	return w
}

// newDistant is newWorld with a line between the controller and the nodes.
func newDistant(t testing.TB, nodes int, line *linetest.Line) *world {
	t.Helper()
	w := &world{TB: t, binaries: built(t), dir: t.TempDir(), http: linetest.Office + ":8080", mqtt: linetest.Office + ":1883", nodes: nodes, line: line}
	w.begin()
	return w
}

func (w *world) begin() {
	w.Helper()
	began := time.Now()
	w.startController()
	w.startNodes()
	w.token = w.tokenOf("officer")
	w.awaitNodes()
	w.Logf("%d nodes ready after %v; load %s", w.nodes, time.Since(began).Round(time.Millisecond), load())
}

// launch starts a program, at its end of the line if there is one.
func (w *world) launch(at, log, program string, args ...string) *process {
	w.Helper()
	log = filepath.Join(w.dir, log)
	if w.line == nil {
		return start(w, log, program, args...)
	}
	return startAs(w, log, w.line.Command(at, program, args...))
}

func (w *world) data() string { return filepath.Join(w.dir, "controller") }
func (w *world) out() string  { return filepath.Join(w.dir, "nodes") }

// startController starts the controller, and after the first time on the same
// addresses as before.
func (w *world) startController() {
	w.Helper()
	_ = os.Remove(filepath.Join(w.data(), "listening.json"))
	args := append([]string{"demo", "--data", w.data(), "--http", w.http, "--mqtt", w.mqtt}, w.more...)
	w.ctl = w.launch(linetest.Office, "controller.log", w.controller, args...)
	var at struct{ HTTP, MQTT string }
	w.until("the controller listens", func() bool {
		b, err := os.ReadFile(filepath.Join(w.data(), "listening.json"))
		return err == nil && json.Unmarshal(b, &at) == nil && at.HTTP != ""
	})
	w.url, w.http, w.mqtt = at.HTTP, strings.TrimPrefix(at.HTTP, "http://"), strings.TrimPrefix(at.MQTT, "mqtt://")
}

func (w *world) startNodes() {
	w.Helper()
	w.sim = w.launch(linetest.Village, "sim.log", w.device, "sim", "--controller", w.url, "--nodes", fmt.Sprint(w.nodes), "--out", w.out())
}

// tokenOf makes a token of somebody in a role.
func (w *world) tokenOf(role string) string {
	w.Helper()
	out, errs, err := w.run("admin", "token", "--data", w.data(), "--role", role)
	if err != nil || strings.Count(out, "\n") != 1 {
		w.Fatalf("no token of role %s: %v: %q %s", role, err, out, errs)
	}
	return strings.TrimSpace(out)
}

// awaitNodes waits until every node is confirmed, holds documents and knows
// the time.
func (w *world) awaitNodes() {
	w.Helper()
	w.until("every node is ready", func() bool {
		var all struct {
			Nodes []struct {
				Status, Clock, Holding string
				Present                bool
			}
		}
		if w.get("/api/v1/nodes", &all) != nil || len(all.Nodes) != w.nodes {
			return false
		}
		for _, n := range all.Nodes {
			if n.Status != "confirmed" || !n.Present || n.Clock != "proved" || n.Holding == "" {
				return false
			}
		}
		return true
	})
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
	return w.ask(http.MethodGet, path, "", "", nil, into)
}

// post sends JSON under an Idempotency-Key, if there is one.
func (w *world) post(path, key string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return w.ask(http.MethodPost, path, key, "application/json", b, into)
}

// upload sends a file and returns the digest of the content made of it.
func (w *world) upload(path, key string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, err := m.CreateFormFile("file", filepath.Base(path))
	if err != nil {
		return "", err
	}
	_, _ = part.Write(raw) // into memory
	_ = m.Close()
	var content struct{ SHA256 string }
	err = w.ask(http.MethodPost, "/api/v1/contents", key, m.FormDataContentType(), form.Bytes(), &content)
	return content.SHA256, err
}

func (w *world) ask(method, path, key, media string, body []byte, into any) error {
	req, err := http.NewRequest(method, w.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	client := http.Client{Timeout: 20 * time.Second}
	if w.line != nil {
		client.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return w.line.Dial(ctx, address)
		}}
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
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

// announcing are the arguments of one announcement to the whole district. Lanes
// run at any hour: in the quiet hours of the demo what is not urgent is meant to
// stay silent. What sounds beside it may have to wait.
func (w *world) announcing(file, class, title string, more ...string) []string {
	return append([]string{"announce", "--controller", w.url, "--token", w.token, "--file", file, "--area", "bac-quang",
		"--class", class, "--title", title, "--reason", "nobody else is on duty",
		"--accept-silence", "quiet", "--accept-difference"}, more...)
}
