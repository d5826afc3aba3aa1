package panel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/device/board"
)

// Pipe are the inputs of a simulated board: a named pipe that takes one line for
// each thing that people do, "NAME press", "NAME hold" or "NAME release", or, of
// a keypad, "NAME type KEYS". What is pressed is released again after a moment.
type Pipe struct {
	file   *os.File
	moved  chan struct{}
	struck map[string]chan byte

	mu     sync.Mutex
	active map[string]bool
}

// pressFor is how long a simulated finger stays on a button.
const pressFor = 300 * time.Millisecond

// lineLimit bounds one line, in bytes.
const lineLimit = 256

// OpenPipe makes the pipe at path, if it is not there, for these inputs.
func OpenPipe(path string, inputs ...board.Input) (*Pipe, error) {
	if err := syscall.Mkfifo(path, 0o600); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("inputs: pipe %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0) // with a writer of our own it never ends
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	p := &Pipe{file: f, moved: make(chan struct{}, 1), active: map[string]bool{}, struck: map[string]chan byte{}}
	for _, in := range inputs {
		if in.Act == board.Keypad {
			p.struck[in.Name] = make(chan byte, lineLimit)
			continue
		}
		p.active[in.Name] = false
	}
	return p, nil
}

// Serve reads the pipe until ctx ends. Lines that mean nothing are returned to
// nobody: whoever writes them sees that nothing happens.
func (p *Pipe) Serve(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = p.file.Close() }) // ends the reading
	defer stop()
	in := bufio.NewReaderSize(p.file, lineLimit)
	for {
		text, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull): // longer than any line that means something
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("inputs: %w", err)
		}
		p.obey(strings.Fields(string(text)))
	}
}

// obey does what one line says.
func (p *Pipe) obey(words []string) {
	if len(words) == 3 && words[1] == "type" {
		p.strike(p.struck[words[0]], words[2])
	}
	if len(words) != 2 {
		return
	}
	switch name := words[0]; words[1] {
	case "press":
		p.set(name, true)
		time.AfterFunc(pressFor, func() { p.set(name, false) })
	case "hold":
		p.set(name, true)
	case "release":
		p.set(name, false)
	}
}

// strike brings keys to a keypad as far as it has room: more than a line of
// them in one moment is nobody's finger.
func (p *Pipe) strike(keypad chan<- byte, keys string) {
	for _, key := range []byte(keys) {
		select {
		case keypad <- key:
		default:
		}
	}
}

func (p *Pipe) set(name string, active bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.active[name]; !known {
		return
	}
	p.active[name] = active
	select {
	case p.moved <- struct{}{}:
	default:
	}
}

// Active says how the input stands; see Lines.
func (p *Pipe) Active(name string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	active, known := p.active[name]
	if !known {
		return false, fmt.Errorf("input %s: %w", name, errUnknown)
	}
	return active, nil
}

// Struck gives what is typed; see Lines.
func (p *Pipe) Struck(name string) <-chan byte { return p.struck[name] }

// Moved receives after every edge; see Lines.
func (p *Pipe) Moved() <-chan struct{} { return p.moved }
