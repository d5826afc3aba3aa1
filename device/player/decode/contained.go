package decode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/device/player"
)

const (
	// pipeBytes is the room of the pipe between the child and the player.
	pipeBytes = 256 << 10
	// aheadSamples are decoded and held before Open returns.
	aheadSamples = rate
	// maxReason bounds what is kept of the child's own words.
	maxReason = 2 << 10
)

// Contained decodes in a child process. The zero values of the limits mean
// their defaults.
type Contained struct {
	// Command starts a program that calls Child; the first wanted sample is
	// added as its last argument. Empty means this executable with the
	// argument "decode".
	Command []string
	// OpenLimit bounds the time from the start of the child to the first
	// second of samples (default 10 s: a slow card and a large file).
	OpenLimit time.Duration
	// StallLimit bounds the time for which the child may deliver nothing
	// while samples are wanted (default 2 s).
	StallLimit time.Duration
}

// Open starts the child on the content file and returns when the whole file
// has been examined and the first second after sample from is decoded. A
// child costs about 7 MB until Close.
func (c Contained) Open(ctx context.Context, path string, from int64) (player.Stream, error) {
	content, err := openContent(path)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	s := &childStream{stall: c.StallLimit}
	if s.stall <= 0 {
		s.stall = 2 * time.Second
	}
	if err := s.start(c.Command, content, from); err != nil {
		return nil, fmt.Errorf("decode: %w: start the decoder: %w", ErrUnreadable, err)
	}
	limit := c.OpenLimit
	if limit <= 0 {
		limit = 10 * time.Second
	}
	if err := s.prepare(ctx, limit); err != nil {
		return nil, errors.Join(fmt.Errorf("decode %s: %w", path, err), s.Close())
	}
	return s, nil
}

// childStream is the player's end of one child.
type childStream struct {
	cmd   *exec.Cmd
	pipe  *os.File
	words reason
	stall time.Duration
	total int64
	given int64 // samples handed to the player
	ahead []int16
	odd   []byte // half a sample left over by a read
	raw   []byte
	ended chan struct{}
	// interrupts are the cancellations under way.
	interrupts sync.WaitGroup
	status     error // of the process; valid when ended is closed
}

func (s *childStream) start(command []string, content *os.File, from int64) error {
	command, err := orSelf(command)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	widen(r)
	args := append(append([]string(nil), command[1:]...), strconv.FormatInt(from, 10))
	s.cmd = program(command[0], args, content, w, &s.words)
	err = s.cmd.Start()
	if err = errors.Join(err, w.Close()); err != nil {
		return errors.Join(err, r.Close())
	}
	s.pipe, s.ended = r, make(chan struct{})
	go func() {
		s.status = s.cmd.Wait()
		close(s.ended)
	}()
	return nil
}

// orSelf is the command that was given, or this program as a decoder.
func orSelf(command []string) ([]string, error) {
	if len(command) > 0 {
		return command, nil
	}
	self, err := os.Executable()
	return []string{self, "decode"}, err
}

// program is a decoder that is not started yet.
func program(name string, args []string, in, out *os.File, words *reason) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, words
	cmd.Env = []string{"GOMAXPROCS=1", "GOGC=50", "GOMEMLIMIT=8MiB", "GOTRACEBACK=none"}
	cmd.SysProcAttr = apart()
	cmd.WaitDelay = time.Second
	return cmd
}

// prepare reads the preamble and the first second.
func (s *childStream) prepare(ctx context.Context, limit time.Duration) error {
	until := time.Now().Add(limit)
	head := make([]byte, preambleBytes)
	for got := 0; got < len(head); {
		n, err := s.receive(ctx, head[got:], until)
		if err != nil {
			return err
		}
		got += n
	}
	s.total = int64(binary.LittleEndian.Uint64(head[len(preamble):]))
	if string(head[:len(preamble)]) != preamble || s.total <= 0 || s.total > maxSamples {
		return fmt.Errorf("%w: it does not speak as a decoder does; check the decoder command", ErrCrashed)
	}
	ahead := make([]int16, min(s.total, aheadSamples))
	for got := 0; got < len(ahead); {
		n, err := s.samples(ctx, ahead[got:], until)
		if err != nil {
			return err
		}
		got += n
	}
	s.ahead = ahead
	return nil
}

// Samples is the number of samples from the wanted beginning to the end.
func (s *childStream) Samples() int64 { return s.total }

// Read fills pcm with what is ready, at least one sample, and returns io.EOF
// after the last one. It waits no longer than the stall limit.
func (s *childStream) Read(ctx context.Context, pcm []int16) (int, error) {
	if s.given == s.total {
		return 0, io.EOF
	}
	if len(s.ahead) > 0 {
		n := copy(pcm, s.ahead)
		if s.ahead = s.ahead[n:]; len(s.ahead) == 0 {
			s.ahead = nil
		}
		s.given += int64(n)
		return n, nil
	}
	pcm = pcm[:min(int64(len(pcm)), s.total-s.given)]
	n, err := s.samples(ctx, pcm, time.Now().Add(s.stall))
	s.given += int64(n)
	if err != nil {
		return n, fmt.Errorf("decode: at %v of %v: %w", length(s.given), length(s.total), err)
	}
	return n, nil
}

// samples receives at least one sample.
func (s *childStream) samples(ctx context.Context, pcm []int16, until time.Time) (int, error) {
	if need := 2 * len(pcm); cap(s.raw) < need {
		s.raw = make([]byte, need)
	}
	for {
		buf := s.raw[:2*len(pcm)]
		half := copy(buf, s.odd)
		n, err := s.receive(ctx, buf[half:], until)
		if err != nil {
			return 0, err
		}
		n += half
		s.odd = append(s.odd[:0], buf[n&^1:n]...)
		for i := range n / 2 {
			pcm[i] = int16(binary.LittleEndian.Uint16(buf[2*i:]))
		}
		if n >= 2 {
			return n / 2, nil
		}
	}
}

// receive reads from the child until the deadline or the end of ctx.
func (s *childStream) receive(ctx context.Context, buf []byte, until time.Time) (int, error) {
	if err := s.pipe.SetReadDeadline(until); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	s.interrupts.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer s.interrupts.Done()
		_ = s.pipe.SetReadDeadline(time.Unix(1, 0))
	})
	defer func() {
		if stop() {
			s.interrupts.Done()
		}
		s.interrupts.Wait() // or a late interrupt would hit the next read
	}()
	n, err := s.pipe.Read(buf)
	switch {
	case n > 0 || err == nil:
		return n, nil
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, fmt.Errorf("%w: no sample came in time", ErrStalled)
	case errors.Is(err, io.EOF):
		return 0, s.verdict()
	}
	return 0, fmt.Errorf("%w: %w", ErrUnreadable, err)
}

// verdict says why a child stopped before it had delivered everything.
func (s *childStream) verdict() error {
	select {
	case <-s.ended:
	case <-time.After(s.stall):
		return fmt.Errorf("%w: it closed its output and stays", ErrStalled)
	}
	said := s.words.String()
	switch code := s.cmd.ProcessState.ExitCode(); {
	case exhausted(said, s.status):
		return fmt.Errorf("%w: %v: %s", ErrExhausted, s.status, said)
	case code == exitRefused:
		return fmt.Errorf("%w: %s", ErrRefused, strings.TrimPrefix(said, ErrRefused.Error()+": "))
	case code == exitUnread:
		return fmt.Errorf("%w: %w: %s", ErrUnreadable, syscall.EIO, said)
	case code == exitUnreadable || code == exitUnconfined || code == exitUsage:
		return fmt.Errorf("%w: %s", ErrUnreadable, said)
	}
	return fmt.Errorf("%w: %v: %s", ErrCrashed, s.status, said)
}

// exhausted tells a limit from another crash: the Go runtime names memory in
// its last words, and the kernel kills a process that used up its processor
// time or the machine's memory (Close, the other who kills, comes later).
func exhausted(said string, status error) bool {
	for _, sign := range []string{"out of memory", "cannot allocate memory", "failed to allocate", "address space"} {
		if strings.Contains(said, sign) {
			return true
		}
	}
	return status != nil && status.Error() == "signal: killed"
}

// Close ends the child, whatever it is doing, and returns when it is gone.
func (s *childStream) Close() error {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.ended
	if err := s.pipe.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}

// reason keeps the beginning of what a child says, which holds the reason; the
// rest, a stack dump, is dropped.
type reason struct{ buf bytes.Buffer }

func (t *reason) Write(p []byte) (int, error) {
	room := maxReason - t.buf.Len()
	t.buf.Write(p[:min(len(p), max(room, 0))])
	return len(p), nil
}

func (t *reason) String() string {
	return strings.Join(strings.Fields(t.buf.String()), " ")
}
