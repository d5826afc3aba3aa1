package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loaxa/loaxa/device/guard/lease"
)

// holderMode makes this test binary a lease holder: it takes a lease on the
// socket named by the variable, says "held" and renews until it is killed, or
// until it dies as fateMode says.
const (
	holderMode = "LOAXA_TEST_HOLDER_SOCKET"
	fateMode   = "LOAXA_TEST_HOLDER_FATE"
)

// fates are deaths that a process dies by itself, half a second after it took
// the lease. They get the step in which its samples move.
var fates = map[string]func(step *uint64){
	"panic": func(*uint64) { panic("audio driver") },
	"memory bomb": func(*uint64) {
		limit := &unix.Rlimit{Cur: 1 << 30, Max: 1 << 30}
		if err := unix.Setrlimit(unix.RLIMIT_AS, limit); err != nil {
			panic(err)
		}
		for kept := [][]byte{}; ; {
			kept = append(kept, bytes.Repeat([]byte{1}, 16<<20))
		}
	},
	"samples stand still": func(step *uint64) { *step = 0 },
}

// lawful is the law: whatever happens to the holder, the relay opens within it.
const lawful = 10 * time.Second

func TestMain(m *testing.M) {
	if socket := os.Getenv(holderMode); socket != "" {
		if err := hold(socket); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// hold keeps the relay closed, with samples that seem to move, for ever.
func hold(socket string) error {
	client := lease.NewClient(socket)
	ctx := context.Background()
	if err := client.Renew(ctx, lease.Lease{Phase: lease.Close}); err != nil {
		return err
	}
	fmt.Println("held")
	tick := time.NewTicker(100 * time.Millisecond)
	frames, step := uint64(1), uint64(4800)
	for n := 0; ; n++ {
		if fate := fates[os.Getenv(fateMode)]; fate != nil && n == 5 {
			fmt.Println(time.Now().Format(time.RFC3339Nano))
			fate(&step)
		}
		frames += step
		if err := client.Renew(ctx, lease.Lease{Phase: lease.Moving, Frames: frames}); err != nil {
			return err
		}
		<-tick.C
	}
}

// process is a child with its output collected.
type process struct {
	*exec.Cmd
	out  *bufio.Reader
	logs *bytes.Buffer
}

// start runs a child that is killed at the end of the test.
func start(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd, logs: new(bytes.Buffer)}
	cmd.Stderr = p.logs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), p.logs)
		}
	})
	return p
}

// guarded is one built guard with a simulated relay.
type guarded struct {
	dir, program string
	guard        *process
}

// flags of the guards under test: a short off-time, a maximum on-time long
// enough not to matter.
func (g *guarded) flags(more ...string) []string {
	return append([]string{
		"-simulate", g.relay(), "-socket", filepath.Join(g.dir, "guard.sock"),
		"-minimum-off", "0s", "-expiry", "1500ms",
	}, more...)
}

func (g *guarded) relay() string { return filepath.Join(g.dir, "relay.jsonl") }

func (g *guarded) run(t *testing.T, more ...string) {
	t.Helper()
	g.guard = start(t, exec.Command(g.program, g.flags(more...)...))
	awaitFile(t, filepath.Join(g.dir, "guard.sock"))
}

// build compiles the real program once for a test, which runs beside the
// others: most of its time is waiting.
func build(t *testing.T) *guarded {
	t.Helper()
	t.Parallel()
	g := &guarded{dir: t.TempDir()}
	g.program = filepath.Join(g.dir, "loaxa-guard")
	cmd := exec.Command("go", "build", "-o", g.program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return g
}

// holder starts a process that holds the relay closed, until a fate if one is
// named.
func (g *guarded) holder(t *testing.T, fate ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), holderMode+"="+filepath.Join(g.dir, "guard.sock"), fateMode+"="+strings.Join(fate, ""))
	p := start(t, cmd)
	if line, err := p.out.ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("holder said %q, %v: %s", line, err, p.logs)
	}
	return p
}

// edge is a line of relay.jsonl, read as a stranger would.
type edge struct {
	At     time.Time `json:"at"`
	Closed bool      `json:"closed"`
}

func edges(t *testing.T, path string) []edge {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []edge
	for d := json.NewDecoder(f); ; {
		var e edge
		if err := d.Decode(&e); err == io.EOF || err == io.ErrUnexpectedEOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}

// await looks every 5 ms until done is true, at most lawful.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(lawful)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, lawful)
		}
	}
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	await(t, path, func() bool { _, err := os.Stat(path); return err == nil })
}

// awaitEdge returns the last edge once the relay is as wanted.
func (g *guarded) awaitEdge(t *testing.T, closed bool) edge {
	t.Helper()
	var last edge
	await(t, fmt.Sprintf("relay closed=%v", closed), func() bool {
		if all := edges(t, g.relay()); len(all) > 0 {
			last = all[len(all)-1]
			return last.Closed == closed
		}
		return false
	})
	return last
}

// TestTheRelayOpensWhateverHappensToItsHolder does to a real process what
// crashes, the kernel and people do, and judges by the relay's own record.
func TestTheRelayOpensWhateverHappensToItsHolder(t *testing.T) {
	g := build(t)
	g.run(t)
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		within time.Duration
	}{
		{"kill -9", syscall.SIGKILL, time.Second},
		{"SIGTERM", syscall.SIGTERM, time.Second},
		{"abort with a core", syscall.SIGABRT, time.Second},
		{"SIGSTOP", syscall.SIGSTOP, 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := g.holder(t)
			g.awaitEdge(t, true)
			before := time.Now()
			if err := p.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			opened := g.awaitEdge(t, false)
			took := opened.At.Sub(before)
			t.Logf("relay open %v after %s", took.Round(time.Millisecond), c.name)
			if took > c.within {
				t.Errorf("relay open after %v, want at most %v", took, c.within)
			}
		})
	}
}

func TestTheRelayOpensWhenItsHolderDiesByItself(t *testing.T) {
	g := build(t)
	g.run(t)
	for fate, within := range map[string]time.Duration{
		"panic": time.Second, "memory bomb": 3 * time.Second, "samples stand still": 3 * time.Second,
	} {
		t.Run(fate, func(t *testing.T) {
			p := g.holder(t, fate)
			g.awaitEdge(t, true)
			text, err := p.out.ReadString('\n')
			began, bad := time.Parse(time.RFC3339Nano, strings.TrimSpace(text))
			if err != nil || bad != nil {
				t.Fatalf("holder said %q: %v", text, errors.Join(err, bad))
			}
			took := g.awaitEdge(t, false).At.Sub(began)
			t.Logf("relay open %v after %s", took.Round(time.Millisecond), fate)
			if took > within {
				t.Errorf("relay open after %v, want at most %v", took, within)
			}
		})
	}
}

func TestWhatTheContactsDoReachesWhoeverAsks(t *testing.T) {
	g := build(t)
	contacts := filepath.Join(g.dir, "contacts")
	g.run(t, "-simulate-contacts", contacts)
	client := lease.NewClient(filepath.Join(g.dir, "guard.sock"))
	sees := func(want lease.Sight) func() bool {
		return func() bool {
			got, err := client.Look(context.Background())
			return err == nil && got == want
		}
	}
	if err := os.WriteFile(contacts, []byte("closed"), 0o600); err != nil {
		t.Fatal(err)
	}
	await(t, "stuck on", sees(lease.Sight{Fault: lease.StuckOn}))
	if err := os.WriteFile(contacts, []byte("open"), 0o600); err != nil {
		t.Fatal(err)
	}
	await(t, "well again", sees(lease.Sight{}))
	g.holder(t)
	await(t, "not moving", sees(lease.Sight{Closed: true, Fault: lease.NotMoving}))
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheGuardTellsItsServiceManagerThatItJudges(t *testing.T) {
	g := build(t)
	socket := filepath.Join(g.dir, "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	if err := manager.SetReadDeadline(time.Now().Add(lawful)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(g.program, g.flags()...)
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=300000")
	g.guard = start(t, cmd)
	heard := func() string {
		buf := make([]byte, 512)
		n, err := manager.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	for _, want := range []string{"READY=1\nWATCHDOG=1\nSTATUS=relay open", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := heard(); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	if err := g.guard.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for got := heard(); got != "STOPPING=1"; got = heard() {
		if got != "WATCHDOG=1" {
			t.Fatalf("told %q at the end", got)
		}
	}
}

func TestAHolderThatWakesUpDoesNotCloseTheRelayAgain(t *testing.T) {
	g := build(t)
	g.run(t)
	p := g.holder(t)
	g.awaitEdge(t, true)
	if err := p.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	g.awaitEdge(t, false)
	before := len(edges(t, g.relay()))
	if err := p.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err == nil {
		t.Error("the holder's renewal was granted")
	}
	if after := edges(t, g.relay()); len(after) != before {
		t.Errorf("the relay moved again: %v", after[before:])
	}
}

func TestTheGuardOpensTheRelayWhenItIsToldToStop(t *testing.T) {
	g := build(t)
	g.run(t)
	g.holder(t)
	g.awaitEdge(t, true)
	if err := g.guard.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := g.guard.Wait(); err != nil {
		t.Errorf("guard ended with %v", err)
	}
	if all := edges(t, g.relay()); all[len(all)-1].Closed {
		t.Errorf("relay left closed: %v", all)
	}
}

func TestARestartedGuardFirstOpensWhatAKilledOneLeftClosed(t *testing.T) {
	for name, again := range map[string]func(*testing.T, *guarded){
		"restart": func(t *testing.T, g *guarded) { g.run(t) },
		"-open": func(t *testing.T, g *guarded) {
			if out, err := exec.Command(g.program, g.flags("-open")...).CombinedOutput(); err != nil {
				t.Fatalf("-open: %v: %s", err, out)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := build(t)
			g.run(t)
			g.holder(t)
			g.awaitEdge(t, true)
			if err := g.guard.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = g.guard.Wait()
			if all := edges(t, g.relay()); !all[len(all)-1].Closed {
				t.Fatal("the relay opened by itself: nothing is proved")
			}
			again(t, g)
			g.awaitEdge(t, false)
		})
	}
}

func TestTheGuardsMaximumOnTimeCutsALivingHolder(t *testing.T) {
	g := build(t)
	g.run(t, "-maximum-on", "1200ms")
	g.holder(t)
	on := g.awaitEdge(t, true)
	off := g.awaitEdge(t, false)
	if d := off.At.Sub(on.At); d < 1100*time.Millisecond || d > 2200*time.Millisecond {
		t.Errorf("closed for %v, want 1.2 s", d)
	}
}

func TestASecondGuardOnTheSocketEndsWithAnError(t *testing.T) {
	g := build(t)
	g.run(t)
	out, err := exec.Command(g.program, g.flags("-simulate", filepath.Join(g.dir, "other.jsonl"))...).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("another guard answers")) {
		t.Errorf("second guard: %v: %s", err, out)
	}
}
