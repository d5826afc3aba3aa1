package app

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

// patience is far above what anything here takes.
const patience = 60 * time.Second

// diary is a log that tests read.
type diary struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (d *diary) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.buf.Write(b)
}

func (d *diary) has(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Contains(d.buf.Bytes(), []byte(text))
}

func (d *diary) log() *slog.Logger { return slog.New(slog.NewTextHandler(d, nil)) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// demoFolder sets up a demo house whose passphrases cost next to nothing.
func demoFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := people.InitDemo(t.Context(), dir, peopletest.Config(t, time.Now)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// running is a controller that serves in this process.
type running struct {
	t     *testing.T
	at    broadcast.Controller
	end   context.CancelFunc
	ended chan error
}

// run starts a controller and waits until it is reachable.
func run(t *testing.T, opt Options) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, end: cancel, ended: make(chan error, 1)}
	ready := make(chan broadcast.Controller, 1)
	opt.Ready = func(c broadcast.Controller) { ready <- c }
	go func() { r.ended <- Serve(ctx, opt) }()
	t.Cleanup(cancel)
	select {
	case r.at = <-ready:
	case err := <-r.ended:
		t.Fatalf("did not start: %v", err)
	case <-time.After(patience):
		t.Fatal("not ready in time")
	}
	return r
}

// stop ends the controller and returns how long that took.
func (r *running) stop() time.Duration {
	r.t.Helper()
	began := time.Now()
	r.end()
	select {
	case err := <-r.ended:
		if err != nil {
			r.t.Errorf("did not end in good order: %v", err)
		}
	case <-time.After(patience):
		r.t.Fatal("did not end")
	}
	return time.Since(began)
}

func demoOptions(dir string) Options {
	return Options{Data: dir, HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0", Demo: true, Version: "test", Log: quiet()}
}

// status asks a controller how it is.
func (r *running) status() map[string]any {
	r.t.Helper()
	res, err := http.Get(r.at.HTTP + "/api/v1/status")
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusOK {
		r.t.Fatalf("%s %v", res.Status, err)
	}
	return out
}

// listening reads what scripts are told.
func listening(t *testing.T, dir string) (broadcast.Controller, error) {
	t.Helper()
	var c broadcast.Controller
	b, err := os.ReadFile(filepath.Join(dir, listeningName))
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(b, &c)
}
