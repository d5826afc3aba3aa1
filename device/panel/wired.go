package panel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/guard/line"
)

// Wired are the inputs of a real board.
type Wired struct {
	inputs  map[string]*line.Input
	keypads map[string]*evdev
	moved   chan struct{}
}

// Wire takes the lines of the inputs. What cannot be taken is named in the error
// and cannot be read; the others work all the same, because a wrong line of a
// key switch must not disable the stop button. Whoever is given it Serves it.
func Wire(inputs []board.Input, log *slog.Logger) (*Wired, error) {
	return wire(inputs, line.Watch, log)
}

func wire(inputs []board.Input, watch func(line.Place, func()) (*line.Input, error), log *slog.Logger) (*Wired, error) {
	w := &Wired{inputs: map[string]*line.Input{}, keypads: map[string]*evdev{}, moved: make(chan struct{}, 1)}
	var faults []error
	for _, in := range inputs {
		if in.Act == board.Keypad {
			w.keypads[in.Name] = &evdev{name: in.Name, path: in.Device, struck: make(chan byte), log: log}
			continue
		}
		got, err := watch(in.Place(), w.move)
		if err != nil {
			faults = append(faults, fmt.Errorf("input %s: %w", in.Name, err))
			continue
		}
		w.inputs[in.Name] = got
	}
	return w, errors.Join(faults...)
}

func (w *Wired) move() {
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

// Active says how the input stands; see Lines.
func (w *Wired) Active(name string) (bool, error) {
	in := w.inputs[name]
	if in == nil {
		return false, fmt.Errorf("input %s: %w", name, errUnknown)
	}
	return in.Active()
}

// Moved receives after every edge; see Lines.
func (w *Wired) Moved() <-chan struct{} { return w.moved }

// Struck gives what is typed; see Lines.
func (w *Wired) Struck(name string) <-chan byte {
	if k := w.keypads[name]; k != nil {
		return k.struck
	}
	return nil
}

// Serve reads the keypads until ctx ends, and then gives the lines back.
func (w *Wired) Serve(ctx context.Context) error {
	var reading sync.WaitGroup
	for _, k := range w.keypads {
		reading.Go(func() { k.serve(ctx) })
	}
	reading.Wait()
	<-ctx.Done()
	faults := []error{ctx.Err()}
	for _, in := range w.inputs {
		faults = append(faults, in.Close())
	}
	return errors.Join(faults...)
}
