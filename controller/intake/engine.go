package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// engine runs ffmpeg and ffprobe as contained children.
type engine struct {
	ffmpeg, ffprobe string
	homes           string // where a child gets its empty working directory
	step            time.Duration
	confine         confinement
}

// confinement returns what the kernel shall keep from a child. It is asked anew for every child.
type confinement func() *syscall.SysProcAttr

// box starts a child with nothing to write to, no core dump, few files, bounded processor time and
// memory, and behind everything else that wants the processor. A shell sets the bounds before the
// child exists, so there is no moment without them. "$0" and "$@" carry paths and arguments as they
// are; nothing of an upload is ever part of them.
const box = `ulimit -c 0 && ulimit -f 0 && ulimit -n 64 && ulimit -t 900 && ulimit -v 786432 && exec nice -n 10 "$0" "$@"`

// newEngine finds the programs and the strongest confinement under which they run.
func newEngine(ffmpeg, homes string, step time.Duration, log *slog.Logger) (*engine, error) {
	if ffmpeg == "" {
		ffmpeg = "ffmpeg"
	}
	found, err := exec.LookPath(ffmpeg)
	if err != nil {
		return nil, fmt.Errorf("ffmpeg is needed to read uploads (on Debian: apt install ffmpeg): %w", err)
	}
	if found, err = filepath.Abs(found); err != nil {
		return nil, fmt.Errorf("find ffmpeg: %w", err)
	}
	e := &engine{ffmpeg: found, ffprobe: filepath.Join(filepath.Dir(found), "ffprobe"), homes: homes, step: time.Minute}
	if _, err := exec.LookPath(e.ffprobe); err != nil {
		return nil, fmt.Errorf("ffprobe is needed beside ffmpeg (on Debian: apt install ffmpeg): %w", err)
	}
	for _, c := range confinements() {
		e.confine = c.confinement
		if err = e.try(); err == nil {
			if c.lacks != "" {
				log.Warn("uploads are converted with less confinement", "lacks", c.lacks)
			}
			e.step = step
			return e, nil
		}
	}
	return nil, err
}

// confined is one grade of confinement and what it lacks of the strongest.
type confined struct {
	confinement confinement
	lacks       string
}

// try runs ffmpeg once without an upload and looks for the encoder.
func (e *engine) try() error {
	var told bytes.Buffer
	_, err := e.run(context.Background(), e.ffmpeg, []string{"-hide_banner", "-h", "encoder=libopus"}, nil, bounded(&told))
	if err == nil && !strings.Contains(told.String(), "libopus AVOptions") {
		err = errors.New("this ffmpeg was built without libopus: install one that has it (on Debian: apt install ffmpeg)")
	}
	if err != nil {
		return fmt.Errorf("try %s: %w", e.ffmpeg, err)
	}
	return nil
}

// bounded reads what a child says into a buffer, 64 KiB at most.
func bounded(into *bytes.Buffer) func(io.Reader) error {
	return func(r io.Reader) error {
		_, err := io.Copy(into, io.LimitReader(r, 64<<10))
		return err
	}
}

// failure is a child that did not end well.
type failure struct {
	said  string // the end of what it wrote on standard error
	cause error
}

func (f *failure) Error() string { return fmt.Sprintf("%v: %s", f.cause, f.said) }
func (f *failure) Unwrap() error { return f.cause }

// errExhausted is a child that met a bound: time, processor time or memory.
var errExhausted = errors.New("a bound of the converter was met")

// run starts a program in the box with in as its standard input and hands its standard output to
// out. It returns the number of lines on standard error when both ended well. When out fails or ctx
// ends, the child and all of its kind are killed first.
func (e *engine) run(ctx context.Context, program string, args []string, in *os.File, out func(io.Reader) error) (int, error) {
	// The kernel kills the child when the thread that started it ends: stay on it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	bound, cancel := context.WithTimeout(ctx, e.step)
	defer cancel()

	home, err := os.MkdirTemp(e.homes, "home-*")
	if err != nil {
		return 0, storing("make a working directory", err)
	}
	defer os.RemoveAll(home)
	said := &tail{}
	command := e.boxed(bound, program, args)
	command.Dir, command.Stderr = home, said
	if in != nil {
		command.Stdin = in
	}
	heard, err := command.StdoutPipe()
	if err != nil {
		return 0, fmt.Errorf("open a pipe to the converter: %w", err)
	}
	if err := command.Start(); err != nil {
		return 0, fmt.Errorf("start the converter: %w", err)
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
		return 0, &failure{said: said.String(), cause: judge(bound, ended)}
	}
	return said.lines, nil
}

// boxed is the command of a child that is not started yet. When its context ends, its whole process
// group is killed.
func (e *engine) boxed(ctx context.Context, program string, args []string) *exec.Cmd {
	command := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", box, program}, args...)...)
	command.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	command.SysProcAttr = e.confine()
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = 5 * time.Second
	return command
}

// judge tells a child that met a bound from one that gave up by itself.
func judge(bound context.Context, ended error) error {
	var exit *exec.ExitError
	if bound.Err() != nil {
		return errors.Join(errExhausted, bound.Err())
	}
	if errors.As(ended, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return errors.Join(errExhausted, ended)
		}
	}
	return ended
}

// expected stands in what ffmpeg says of pictures and captions, whose decoders it may not open.
const expected = "not on whitelist"

// tail keeps the end of what is written to it and counts its lines but expected ones.
type tail struct {
	end   []byte
	lines int
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	const kept = 2048
	t.lines += bytes.Count(p, []byte("\n")) - bytes.Count(p, []byte(expected))
	t.end = append(t.end, p[max(0, len(p)-kept):]...)
	t.end = append(t.end[:0], t.end[max(0, len(t.end)-kept):]...)
	return len(p), nil
}

func (t *tail) String() string { return strings.ToValidUTF8(strings.TrimSpace(string(t.end)), "?") }
