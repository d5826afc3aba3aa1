package panel

import (
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/guard/line"
)

// Wired are the inputs of a real board.
type Wired struct {
	inputs map[string]*line.Input
	moved  chan struct{}
}

// Wire takes the lines of the inputs. What cannot be taken is named in the error
// and cannot be read; the others work all the same, because a wrong line of a
// key switch must not disable the stop button.
func Wire(inputs []board.Input) (*Wired, error) { return wire(inputs, line.Watch) }

func wire(inputs []board.Input, watch func(line.Place, func()) (*line.Input, error)) (*Wired, error) {
	w := &Wired{inputs: map[string]*line.Input{}, moved: make(chan struct{}, 1)}
	var faults []error
	for _, in := range inputs {
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

// Close gives the lines back.
func (w *Wired) Close() error {
	var faults []error
	for _, in := range w.inputs {
		faults = append(faults, in.Close())
	}
	return errors.Join(faults...)
}
