package loaxa

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// service is one program under a service manager that does what the program's
// own unit says: it starts the program, kills it when its signs of life stop,
// runs what the unit has run after its end, and starts it again.
type service struct {
	t        testing.TB
	unit     map[string]string   // options of its file in firmware/systemd
	stands   map[string][]string // what the words of the unit mean here
	patience time.Duration       // of the watchdog
	again    time.Duration       // until it is started again
	dir      string

	mu     sync.Mutex
	pid    int
	ready  bool
	starts int
}

// newService reads a unit. patience replaces the unit's own if it is not 0.
func newService(t testing.TB, unit, dir string, patience time.Duration, stands map[string][]string) *service {
	t.Helper()
	s := &service{t: t, unit: map[string]string{}, stands: stands, dir: dir}
	raw, err := os.ReadFile(filepath.Join("firmware", "systemd", unit))
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(strings.NewReader(string(raw))); lines.Scan(); {
		if key, value, found := strings.Cut(lines.Text(), "="); found {
			s.unit[key] = value
		}
	}
	own, bad := time.ParseDuration(s.unit["WatchdogSec"])
	if s.again, err = time.ParseDuration(s.unit["RestartSec"]); errors.Join(err, bad) != nil || s.unit["ExecStart"] == "" {
		t.Fatalf("%s: %v", unit, errors.Join(err, bad))
	}
	if s.patience = own; patience != 0 {
		s.patience = patience
	}
	return s
}

// command is a line of the unit with its words as they stand here.
func (s *service) command(option string) *exec.Cmd {
	var words []string
	for _, word := range strings.Fields(s.unit[option]) {
		if here, known := s.stands[word]; known {
			words = append(words, here...)
			continue
		}
		words = append(words, word)
	}
	return exec.Command(words[0], words[1:]...)
}

// serve runs the service until ctx ends, and then kills it.
func (s *service) serve(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.once(ctx); err != nil {
			s.t.Errorf("%s: %v", s.unit["Description"], err)
			return
		}
		if s.unit["ExecStopPost"] != "" {
			if out, err := s.command("ExecStopPost").CombinedOutput(); err != nil {
				s.t.Errorf("%s: %v: %s", s.unit["ExecStopPost"], err, out)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(s.again):
		}
	}
}

// once is one life of the program.
func (s *service) once(ctx context.Context) error {
	name := filepath.Join(s.dir, "notify-"+filepath.Base(s.command("ExecStart").Path))
	_ = os.Remove(name)
	ear, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer ear.Close()
	log, err := os.OpenFile(filepath.Join(s.dir, filepath.Base(s.command("ExecStart").Path)+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command("ExecStart")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+name, fmt.Sprintf("WATCHDOG_USEC=%d", s.patience.Microseconds()))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, cmd.Process.Pid, -10)
	s.is(cmd.Process.Pid, false)
	defer s.is(0, false)
	over := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(over)
		_ = ear.SetReadDeadline(time.Now())
	}()
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	s.listen(ear, over, func() { _ = cmd.Process.Kill() })
	<-over
	return nil
}

// is notes which process serves, and whether it is ready.
func (s *service) is(pid int, ready bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pid != s.pid && pid != 0 {
		s.starts++
	}
	s.pid, s.ready = pid, ready
}

// at is the process that serves; ready says that it told so.
func (s *service) at() (pid, starts int, ready bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid, s.starts, s.ready
}

// listen hears the program until it is over. One that was ready and falls
// silent for longer than its unit allows is killed.
func (s *service) listen(ear *net.UnixConn, over <-chan struct{}, kill func()) {
	buf := make([]byte, 4096)
	for {
		pid, _, ready := s.at()
		deadline := time.Now().Add(time.Minute)
		if ready {
			deadline = time.Now().Add(s.patience)
		}
		_ = ear.SetReadDeadline(deadline)
		select {
		case <-over:
			return
		default:
		}
		n, err := ear.Read(buf)
		if err != nil {
			kill()
			return
		}
		if strings.Contains(string(buf[:n]), "READY=1") {
			s.is(pid, true)
		}
	}
}
