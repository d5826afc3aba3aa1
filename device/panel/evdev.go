package panel

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"syscall"
	"time"
)

// again is when a keypad that is not there is looked for again.
const again = 10 * time.Second

// The values of linux/input-event-codes.h and linux/input.h that are used.
const (
	evKey  = 1          // the type of an event that is a key
	struck = 1          // its value when the key goes down; 0 is up, 2 a repeat
	grab   = 0x40044590 // EVIOCGRAB
)

// keyCodes are the keys of number pads, of the digits of a keyboard, and of
// telephone pads.
func keyCodes() map[uint16]byte {
	out := map[uint16]byte{28: hash, 96: hash, 0x20b: hash, 1: star, 14: star, 55: star, 83: star, 111: star, 0x20a: star}
	for _, digits := range [][]uint16{
		{11, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {82, 79, 80, 81, 75, 76, 77, 71, 72, 73},
		{0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207, 0x208, 0x209},
	} {
		for digit, code := range digits {
			out[code] = '0' + byte(digit)
		}
	}
	return out
}

// eventSize is how long a struct input_event is for a program of that word size
// in bits: two words of time, which nobody needs, then type, code and value.
func eventSize(word int) int { return 2*word/8 + 8 }

// stroke is the key that an event tells of, in the machine's own byte order; 0
// for anything else. Enter counts as hash; escape, backspace and delete as star.
func stroke(event []byte, codes map[uint16]byte) byte {
	tail := event[len(event)-8:]
	kind, code, value := binary.NativeEndian.Uint16(tail), binary.NativeEndian.Uint16(tail[2:]), binary.NativeEndian.Uint32(tail[4:])
	if kind != evKey || value != struck {
		return 0
	}
	return codes[code]
}

// evdev is a keypad as the kernel tells of it.
type evdev struct {
	name, path string
	struck     chan byte
	log        *slog.Logger
}

// serve reads the keypad until ctx ends, and looks for it again when it is gone.
func (e *evdev) serve(ctx context.Context) {
	gone := false
	for {
		err := e.read(ctx)
		if ctx.Err() != nil {
			return
		}
		if !gone {
			e.log.Warn("a keypad cannot be read", "input", e.name, "device", e.path, "err", err)
		}
		gone = true
		timer := time.NewTimer(again)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func (e *evdev) read(ctx context.Context) error {
	f, err := os.Open(e.path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()                         // opened for reading
	stop := context.AfterFunc(ctx, func() { _ = f.Close() }) // ends the reading
	defer stop()
	if err := alone(f); err != nil {
		e.log.Warn("others read this keypad, too", "input", e.name, "err", err)
	}
	return events(f, strconv.IntSize, func(key byte) {
		select {
		case e.struck <- key:
		case <-ctx.Done():
		}
	})
}

// alone keeps what is typed from everybody else, above all from a console that
// would take it for a name and show it.
func alone(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var errno syscall.Errno
	err = raw.Control(func(fd uintptr) { _, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, grab, 1) })
	if err == nil && errno != 0 {
		err = errno
	}
	return err
}

// events tells of every key in a stream of events until it ends.
func events(r io.Reader, word int, tell func(byte)) error {
	codes, event := keyCodes(), make([]byte, eventSize(word))
	for {
		if _, err := io.ReadFull(r, event); err != nil {
			return fmt.Errorf("events: %w", err)
		}
		if key := stroke(event, codes); key != 0 {
			tell(key)
		}
	}
}
