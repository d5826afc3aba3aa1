// Package panel listens to the buttons, key switches and keypads in the box.
//
// It promises that a press counts once, however the contact bounces; that what is
// pressed already when the program starts counts for nothing until it was
// released, or a key that was left turned would speak after every power cut; and
// that a contact which is pressed for more than a minute is
// told as stuck and then ignored until it was released: a bent button must not
// keep a site silent, and a wet key switch must not speak. An input that cannot
// be read presses nothing. What is typed on a keypad is told when it is complete
// and kept nowhere, neither here nor in any log.
//
// How: whatever watches the lines (package line on a board, a Pipe in a
// simulation) only says that something moved; how each contact stands is asked
// then, and judged by a model without clocks (contact.go). Keypads bring their
// strokes one by one (evdev.go), for another such model (keypad.go).
package panel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/loaxa/loaxa/device/board"
)

// Lines are the inputs as they stand.
type Lines interface {
	// Active says whether the input of that name is pressed or turned now.
	Active(name string) (bool, error)
	// Moved receives after every edge; edges in a burst may share one.
	Moved() <-chan struct{}
	// Struck gives what is struck on the keypad of that name: digits, hash to
	// end, star to begin anew; nil if there is no such keypad.
	Struck(name string) <-chan byte
}

// Listener is told what people do. Its methods must return soon.
type Listener interface {
	// OnStop says that a stop button was pressed.
	OnStop()
	// OnKey says which key switch was turned.
	OnKey(name string)
	// OnTalk says that a key of the microphone was turned, or that it is back, or
	// counts as such because nobody speaks for so long.
	OnTalk(name string, turned bool)
	// OnCode says what was typed on a keypad: a number and a PIN.
	OnCode(keypad, number, pin string)
	// OnStuck says that an input is stuck, or free again.
	OnStuck(name string, stuck bool, cause string)
}

// Panel is what people can press. Make one with New and Serve it once.
type Panel struct {
	inputs   []board.Input // buttons and key switches
	keypads  []string
	contacts []contact
	blind    []bool
	lines    Lines
	listener Listener
	log      *slog.Logger
}

// lookAnew is when an input that could not be read is asked again.
const lookAnew = 10 * time.Second

// New makes a panel of the inputs of a board's profile.
func New(inputs []board.Input, lines Lines, listener Listener, log *slog.Logger) *Panel {
	p := &Panel{lines: lines, listener: listener, log: log}
	for _, in := range inputs {
		if in.Act == board.Keypad {
			p.keypads = append(p.keypads, in.Name)
			continue
		}
		p.inputs = append(p.inputs, in)
	}
	p.contacts, p.blind = make([]contact, len(p.inputs)), make([]bool, len(p.inputs))
	for i, in := range p.inputs {
		if in.Act == board.Talk {
			p.contacts[i].patient = talks
		}
	}
	return p
}

// Serve listens until ctx ends.
func (p *Panel) Serve(ctx context.Context) error {
	var typing sync.WaitGroup
	defer typing.Wait()
	for _, name := range p.keypads {
		typing.Go(func() { p.typed(ctx, name, p.lines.Struck(name)) })
	}
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.lines.Moved():
		case <-timer.C:
		}
		timer.Stop()
		if next := p.look(time.Since(began)); next > 0 {
			timer.Reset(next)
		}
	}
}

// look asks how every input stands and returns when to ask again without an
// edge; 0 for never.
func (p *Panel) look(now time.Duration) time.Duration {
	var next time.Duration
	for i := range p.inputs {
		again := p.lookAt(i, now)
		if again > 0 && (next == 0 || again < next) {
			next = again
		}
	}
	return next
}

func (p *Panel) lookAt(i int, now time.Duration) time.Duration {
	in := p.inputs[i]
	active, err := p.lines.Active(in.Name)
	if (err != nil) != p.blind[i] {
		p.blind[i] = err != nil
		p.log.Warn("an input of the box", "input", in.Name, "readable", err == nil, "err", err)
	}
	came, again := p.contacts[i].see(active && err == nil, now)
	p.tell(i, came)
	if err != nil {
		return lookAnew
	}
	return again
}

func (p *Panel) tell(i int, came turn) {
	in := p.inputs[i]
	if in.Act == board.Talk && came != nothing {
		p.listener.OnTalk(in.Name, came == pressed)
	}
	switch {
	case came == sticks:
		p.listener.OnStuck(in.Name, true, fmt.Sprintf("pressed for more than %v", p.contacts[i].patience()))
	case came == freed:
		p.listener.OnStuck(in.Name, false, "")
	case came == pressed && in.Act == board.Stop:
		p.listener.OnStop()
	case came == pressed && in.Act == board.Key:
		p.listener.OnKey(in.Name)
	}
}

// errUnknown is an input that nobody watches.
var errUnknown = errors.New("nobody watches this input")
