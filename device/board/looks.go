package board

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/loaxa/loaxa/broadcast"
)

// Look is one thing that is looked at again and again while a node runs. Like
// Check it touches nothing and wears nothing.
type Look struct {
	// Code is the fault that it finds, Part which one.
	Code broadcast.FaultCode
	Part string
	// See says what is wrong; nil for nothing.
	See func() error
}

// cardFull is what must be free for receipts and documents, in bytes.
const cardFull = 16 << 20

// Looks are what may go wrong with the board although nobody uses it: a sound
// card or a keypad that was unplugged, a memory card that the system gave up writing to.
func Looks(p Profile, r Roots) []Look {
	looks := []Look{
		{broadcast.FaultStoreReadOnly, "card", func() error { return writable(r) }},
		{broadcast.FaultStoreFull, "card", func() error { return roomy(r) }},
	}
	if p.Sound.Card != "" {
		looks = append(looks, Look{broadcast.FaultSoundCard, "", func() error { return failing(sound(p, r)) }})
	}
	for _, i := range p.Inputs {
		if i.Act == Keypad && !p.Relay.Simulated {
			looks = append(looks, Look{broadcast.FaultKeypad, i.Name, func() error { return i.plugged(r) }})
		}
	}
	return looks
}

// plugged says what keeps a keypad from being read; nil for nothing. It is opened
// and closed again, which takes it from nobody who reads it.
func (i Input) plugged(r Roots) error {
	f, err := os.OpenFile(filepath.Join(r.Dev, strings.TrimPrefix(i.Device, "/dev/")), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%s is not there: plug the keypad in, and see ls -l /dev/input/by-path", i.Device)
	case err != nil:
		return fmt.Errorf("%s cannot be read: %w", i.Device, err)
	}
	return f.Close()
}

// failing makes an error of findings that say so.
func failing(all []Finding) error {
	for _, f := range all {
		if f.Level == Fail {
			return errors.New(f.Text)
		}
	}
	return nil
}

func writable(r Roots) error {
	locked, err := r.ReadOnly(r.Data)
	if err == nil && locked {
		err = fmt.Errorf("the file system of %s is mounted read-only", r.Data)
	}
	return err
}

func roomy(r Roots) error {
	n, err := r.Free(r.Data)
	if err != nil || n >= cardFull {
		return nil // what cannot be read says nothing of room
	}
	return fmt.Errorf("%d MB are free at %s, %d MB are needed", n>>20, r.Data, cardFull>>20)
}

func readOnly(path string) (bool, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return false, err
	}
	return st.Flags&syscall.MS_RDONLY != 0, nil // ST_RDONLY of statvfs has the same value
}
