package loaxa

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/loaxa/loaxa/device/link/linetest"
)

// binaries are the built binaries of the product.
type binaries struct{ controller, device string }

// built builds the programs once for all lanes of a run.
func built(t testing.TB) binaries {
	t.Helper()
	dir, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return binaries{controller: filepath.Join(dir, "loaxa-controller"), device: filepath.Join(dir, "loaxa-device")}
}

// buildDir is where the programs stand, made with the first of them.
var buildDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "loaxa-lane-") })

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := buildDir()
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
	linetest.Main()
	code := m.Run()
	if dir, err := buildDir(); err == nil {
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
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return startAs(t, logPath, cmd)
}

// startAs is start for a command in a process group of its own.
func startAs(t testing.TB, logPath string, cmd *exec.Cmd) *process {
	t.Helper()
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The programs stand for two dozen machines. Where this one lets us, they
	// go before whatever else it is busy with; the lanes hold without it too.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, p.cmd.Process.Pid, -10)
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		_ = log.Close()
		if t.Failed() {
			b, _ := os.ReadFile(logPath)
			t.Logf("%s said at the end:\n%s", filepath.Base(cmd.Path), b[max(0, len(b)-3000):])
		}
	})
	return p
}

// kill ends the process as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// ended says whether the process is gone, and with which code.
func (p *process) ended() (code int, gone bool) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), true
	default:
		return 0, false
	}
}

// said is what the process has written so far.
func (p *process) said() string {
	b, _ := os.ReadFile(p.log.Name())
	return string(b)
}

// stop asks the process to end and waits until it did.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	<-p.done
}
