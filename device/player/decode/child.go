package decode

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"
)

// Exit codes of the child process (sysexits.h values; the runtime's own fatal
// errors use 2).
const (
	exitDone       = 0
	exitUsage      = 64
	exitRefused    = 65
	exitUnreadable = 66
	exitUnconfined = 71
	exitUnread     = 74 // the medium gave no answer
)

// preamble opens the child's output: these eight bytes, then the number of
// samples that follow as a little-endian 64-bit integer, then the samples.
const preamble = "loaxapcm"

const preambleBytes = len(preamble) + 8

// Child is the whole program of the decoding process. It reads one content
// object from in, which must be a regular file, and writes the preamble and
// signed 16-bit little-endian samples to out. args names the first sample
// wanted (default 0). The reason of a failure is one line on errs. It returns
// the exit code; the caller exits with it at once.
//
// Before the first byte of the content is read, the process has given up the
// ability to open files and sockets, to write files, to gain privileges and
// to grow. It cannot be undone, so Child never runs inside a daemon.
//
// With the argument "live" it decodes packets as they come instead: each stands
// on in behind its length in two bytes, and gives PacketSamples samples.
func Child(args []string, in, out *os.File, errs io.Writer) int {
	if len(args) == 1 && args[0] == liveArgument {
		return child(nil, in, out, errs, func(_ int64, in io.ReadSeeker, out io.Writer) error { return decodePackets(in, out) })
	}
	return child(args, in, out, errs, decodeAll)
}

// work is what a confined process does; tests put hostile work in its place.
type work func(from int64, in io.ReadSeeker, out io.Writer) error

func child(args []string, in, out *os.File, errs io.Writer, do work) int {
	from, err := firstSample(args)
	if err != nil {
		fmt.Fprintln(errs, err)
		return exitUsage
	}
	if err := confine(); err != nil {
		fmt.Fprintln(errs, err)
		return exitUnconfined
	}
	if err := do(from, in, out); err != nil {
		fmt.Fprintln(errs, err)
		errno := syscall.Errno(0)
		switch {
		case errors.Is(err, ErrRefused):
			return exitRefused
		case errors.Is(err, ErrUnreadable) && errors.As(err, &errno):
			return exitUnread
		}
		return exitUnreadable
	}
	return exitDone
}

func firstSample(args []string) (int64, error) {
	switch len(args) {
	case 0:
		return 0, nil
	case 1:
		from, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil || from < 0 || from > maxSamples {
			return 0, fmt.Errorf("decode: the first sample must be a number from 0 to %d, got %q", maxSamples, args[0])
		}
		return from, nil
	}
	return 0, fmt.Errorf("decode: takes one number, the first sample; the content comes on standard input")
}

func decodeAll(from int64, in io.ReadSeeker, out io.Writer) error {
	s, err := openSound(in, from)
	if err != nil {
		return err
	}
	if err := allowCPU(s.remaining()); err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 8<<10)
	head := binary.LittleEndian.AppendUint64([]byte(preamble), uint64(s.remaining()))
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("write samples: %w", err)
	}
	bytes := make([]byte, 0, 2*maxPacketSamples)
	for {
		block, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(err, w.Flush())
		}
		bytes = bytes[:0]
		for _, v := range block {
			bytes = binary.LittleEndian.AppendUint16(bytes, uint16(v))
		}
		if _, err := w.Write(bytes); err != nil {
			return fmt.Errorf("write samples: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write samples: %w", err)
	}
	return nil
}
