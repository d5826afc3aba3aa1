package intake

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// spoil changes one byte of a stored file.
func spoil(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// full is a file on a disk that has room for so many bytes and fails at one operation.
type full struct {
	file
	room    int
	failing string
}

func (f *full) Write(p []byte) (int, error) {
	if f.failing == "write" && len(p) > f.room {
		n, _ := f.file.Write(p[:f.room])
		f.room = 0
		return n, &os.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
	}
	f.room -= len(p)
	return f.file.Write(p)
}

func (f *full) Sync() error {
	if f.failing == "sync" {
		return &os.PathError{Op: "sync", Path: f.Name(), Err: syscall.EDQUOT}
	}
	return f.file.Sync()
}

func TestAFullDiskIsSaidAndLosesNothing(t *testing.T) {
	t.Parallel()
	said := wave(44100, 1, chords(1, 1))
	for _, which := range []string{"upload-", "content-"} {
		for _, failing := range []string{"create", "write", "sync"} {
			t.Run(which+failing, func(t *testing.T) {
				t.Parallel()
				armed := false
				in := newIntake(t, func(c *Config) {
					c.create = func(dir, pattern string) (file, error) {
						if !armed || !strings.HasPrefix(pattern, which) {
							return createFile(dir, pattern)
						}
						if failing == "create" {
							return nil, &os.PathError{Op: "open", Path: dir, Err: syscall.ENOSPC}
						}
						made, err := createFile(dir, pattern)
						return &full{made, 3000, failing}, err
					}
				})
				kept := accepted(t, in, wave(48000, 1, sine(1, -20)))
				armed = true
				refusal := mustRefuse(t, in, said, DiskFull)
				if !refusal.Code.Retry() {
					t.Error("a full disk is no fault of the file")
				}
				if !holds(must(in.folder.path(kept.SHA256)), kept.SHA256) {
					t.Error("what was accepted before is gone")
				}
			})
		}
	}
}

func TestWhatACrashLeftIsSweptAndContentStays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	here := func(c *Config) { c.Dir = dir }
	first := newIntake(t, here)
	c := accepted(t, first, speech(t))
	for _, name := range []string{"upload-1", "content-2", "home-3"} {
		if err := os.WriteFile(filepath.Join(dir, ".staging", name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	second := newIntake(t, here)
	mustBeCanonical(t, second, c)
	if kept := files(t, second); len(kept) != 1 {
		t.Errorf("kept %q", kept)
	}
}

func TestContentLiesUnderTheFirstTwoDigitsOfItsName(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	c := accepted(t, in, wave(48000, 1, sine(1, -20)))
	if _, err := os.Stat(filepath.Join(in.folder.dir, c.SHA256[:2], c.SHA256)); err != nil {
		t.Error(err)
	}
}

// gate is an upload that waits until it is opened.
type gate struct {
	open   chan struct{}
	inside chan struct{}
	data   io.Reader
}

func newGate(data []byte) *gate {
	return &gate{open: make(chan struct{}), inside: make(chan struct{}, 1), data: bytes.NewReader(data)}
}

func (g *gate) Read(p []byte) (int, error) {
	select {
	case g.inside <- struct{}{}:
	default:
	}
	<-g.open
	return g.data.Read(p)
}

func TestOneUploadTooManyIsToldToComeBack(t *testing.T) {
	t.Parallel()
	in := newIntake(t, func(c *Config) { c.limits.tickets = 1 })
	slow, done := newGate(wave(48000, 1, sine(1, -20))), make(chan error, 1)
	go func() {
		_, err := in.Take(t.Context(), "slow", slow, nil)
		done <- err
	}()
	<-slow.inside
	refusal := refusalOf(take(t, in, speech(t)))
	if refusal == nil || refusal.Code != Busy {
		t.Errorf("got %v", refusal)
	}
	close(slow.open)
	if err := <-done; err != nil {
		t.Error(err)
	}
	accepted(t, in, speech(t))
}

// refusalOf returns the refusal in an answer of Take, or nil.
func refusalOf(_ Content, err error) *Refusal {
	var refusal *Refusal
	errors.As(err, &refusal)
	return refusal
}

func TestConversionsWaitForTheirTurnAndLeaveTheQueueWhenGivenUp(t *testing.T) {
	t.Parallel()
	in := newIntake(t, func(c *Config) { c.limits.jobs = 1 })
	in.jobs <- struct{}{} // one conversion is under way
	ctx, cancel := context.WithCancel(t.Context())
	_, err := in.Take(ctx, "b", bytes.NewReader(speech(t)), func(p Progress) {
		if p.Stage == Waiting {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if kept := files(t, in); len(kept) > 0 {
		t.Errorf("left behind: %q", kept)
	}
	<-in.jobs
	accepted(t, in, speech(t))
}

func TestGivingUpKillsTheConverter(t *testing.T) {
	t.Parallel()
	const word = "86398.25"
	in := newIntake(t, actor(t, "head -c 200000 /dev/zero; sleep "+word))
	ctx, cancel := context.WithCancel(soon(t))
	began := time.Now()
	_, err := in.Take(ctx, "a", bytes.NewReader(speech(t)), func(p Progress) {
		if p.Stage == Measuring {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if running(t, word) {
		t.Error("the converter lives on")
	}
	if kept := files(t, in); len(kept) > 0 {
		t.Errorf("left behind: %q", kept)
	}
}

func TestAMissingConverterIsNamedWithItsCure(t *testing.T) {
	t.Parallel()
	alone := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(alone, []byte("#!/bin/sh\nexit 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "absent"), alone} {
		_, err := New(Config{Dir: t.TempDir(), FFmpeg: path, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "apt install ffmpeg") {
			t.Errorf("%s: %v", path, err)
		}
	}
	without := Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}
	actor(t, "")(&without)
	if err := os.WriteFile(without.FFmpeg, []byte("#!/bin/sh\necho nothing known\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := New(without); err == nil || !strings.Contains(err.Error(), "libopus") {
		t.Errorf("an ffmpeg without Opus: %v", err)
	}
}

func TestADecoderThatDisagreesIsNeverBelieved(t *testing.T) {
	t.Parallel()
	// What ffmpeg renders while proving is noise here: the two decoders cannot agree.
	in := newIntake(t, actor(t, `case "$*" in *"-f ogg -format"*) exec head -c 90000 /dev/urandom;; esac; exec ffmpeg "$@"`))
	_, err := take(t, in, wave(48000, 1, sine(1, -20)))
	if !errors.Is(err, errDisagree) {
		t.Errorf("got %v", err)
	}
	if kept := files(t, in); len(kept) > 0 {
		t.Errorf("left behind: %q", kept)
	}
}
