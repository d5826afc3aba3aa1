package box

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Config bounds the children of a Box.
type Config struct {
	// Homes is where a child gets its empty working directory.
	Homes string
	// Step is how long a child may take.
	Step time.Duration
	// Processor is how much processor time it may use.
	Processor time.Duration
	// Memory is how much address space it may use, in MiB.
	Memory int
	// Expected is what a child says of itself on standard error without meaning
	// anything; such lines are not counted.
	Expected string
	Log      *slog.Logger
}

// Box runs children. It may be used at the same time.
type Box struct {
	Config
	confine confinement
}

// confinement returns what the kernel shall keep from a child. It is asked anew for every child.
type confinement func() *syscall.SysProcAttr

// confined is one grade of confinement and what it lacks of the strongest.
type confined struct {
	confinement confinement
	lacks       string
}

// script sets the bounds and becomes the program. "$0" and "$@" carry paths and
// arguments as they are. A write to a file fails instead of killing, since programs
// try things that they can do without.
const script = `trap "" XFSZ && ulimit -c 0 && ulimit -f 0 && ulimit -n 64 && ulimit -t %d && ulimit -v %d && exec nice -n 10 "$0" "$@"`

// New finds the strongest confinement under which try succeeds, and warns of what
// it lacks. The error is that of the last try.
func New(config Config, try func(*Box) error) (*Box, error) {
	var err error
	for _, c := range confinements() {
		b := &Box{Config: config, confine: c.confinement}
		if err = try(b); err == nil {
			if c.lacks != "" {
				config.Log.Warn("children are boxed with less confinement", "lacks", c.lacks)
			}
			return b, nil
		}
	}
	return nil, err
}

// Failure is a child that did not end well.
type Failure struct {
	Said  string // the end of what it wrote on standard error
	Cause error
}

// Error returns the cause and the end of what the child said.
func (f *Failure) Error() string { return fmt.Sprintf("%v: %s", f.Cause, f.Said) }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// ErrExhausted is a child that met a bound: time, processor time or memory.
var ErrExhausted = errors.New("a bound of the box was met")

// Run starts a program with in as its standard input, or without any, and hands
// its standard output to out. It returns the number of lines on standard error when both ended
// well. When out fails or ctx ends, the child and all of its kind are killed first, and the error
// is theirs; a child that did not end well is a *Failure.
func (b *Box) Run(ctx context.Context, program string, args []string, in io.Reader, out func(io.Reader) error) (int, error) {
	// The kernel kills the child when the thread that started it ends: stay on it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	bound, cancel := context.WithTimeout(ctx, b.Step)
	defer cancel()

	home, err := os.MkdirTemp(b.Homes, "home-*")
	if err != nil {
		return 0, fmt.Errorf("make a working directory: %w", err)
	}
	defer os.RemoveAll(home)
	said := &tail{expected: b.Expected}
	command := b.command(bound, program, args)
	command.Dir, command.Stderr = home, said
	if in != nil {
		command.Stdin = in
	}
	heard, err := command.StdoutPipe()
	if err != nil {
		return 0, fmt.Errorf("open a pipe to %s: %w", program, err)
	}
	if err := command.Start(); err != nil {
		return 0, fmt.Errorf("start %s: %w", program, err)
	}
	failed := out(heard)
	if failed != nil {
		cancel()
	}
	ended := command.Wait()
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case failed != nil:
		return 0, failed
	case ended != nil:
		return 0, &Failure{Said: said.String(), Cause: judge(bound, ended)}
	}
	return said.lines, nil
}

// command is that of a child that is not started yet. When its context ends, its
// whole process group is killed.
func (b *Box) command(ctx context.Context, program string, args []string) *exec.Cmd {
	bounds := fmt.Sprintf(script, int(b.Processor.Seconds()), b.Memory<<10)
	command := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", bounds, program}, args...)...)
	command.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	command.SysProcAttr = b.confine()
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = 5 * time.Second
	return command
}

// judge tells a child that met a bound from one that gave up by itself.
func judge(bound context.Context, ended error) error {
	var exit *exec.ExitError
	if bound.Err() != nil {
		return errors.Join(ErrExhausted, bound.Err())
	}
	if errors.As(ended, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return errors.Join(ErrExhausted, ended)
		}
	}
	return ended
}

// tail keeps the end of what is written to it and counts its lines but expected ones.
type tail struct {
	expected string
	end      []byte
	lines    int
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	const kept = 2048
	t.lines += bytes.Count(p, []byte("\n"))
	if t.expected != "" {
		t.lines -= bytes.Count(p, []byte(t.expected))
	}
	t.end = append(t.end, p[max(0, len(p)-kept):]...)
	t.end = append(t.end[:0], t.end[max(0, len(t.end)-kept):]...)
	return len(p), nil
}

func (t *tail) String() string { return strings.ToValidUTF8(strings.TrimSpace(string(t.end)), "?") }
