package line

import (
	"fmt"

	"github.com/warthog618/go-gpiocdev"
)

// Panel is the name under which the kernel shows who watches an input.
const Panel = "loaxa-panel"

// Input is a button or a switch of a real board.
type Input struct {
	in input
}

// Watch takes the line at p as an input and calls changed, from a goroutine of
// its own, at every edge. Changed must return at once and never call the Input:
// how the line stands is asked afterwards, so that no edge which comes in a
// burst and is lost can leave a wrong idea. It fails as OpenGPIO does.
func Watch(p Place, changed func()) (*Input, error) {
	return openInput(kernel{}, kernelWatch, p, changed)
}

func openInput(sys system, watch watch, p Place, changed func()) (*Input, error) {
	chip, err := find(sys, p.Chip)
	if err != nil {
		return nil, err
	}
	in, err := watch(chip, p.Offset, inputOptions(p, func(gpiocdev.LineEvent) { changed() })...)
	if err != nil {
		return nil, fmt.Errorf("line %d of %s (%s): %w", p.Offset, p.Chip, chip, err)
	}
	return &Input{in: in}, nil
}

// inputOptions leave the pull as the board has it: which one is right depends on
// how the contact is wired.
func inputOptions(p Place, edge func(gpiocdev.LineEvent)) []gpiocdev.LineReqOption {
	level := gpiocdev.LineReqOption(gpiocdev.AsActiveHigh)
	if p.ActiveLow {
		level = gpiocdev.AsActiveLow
	}
	return []gpiocdev.LineReqOption{
		gpiocdev.WithABIVersion(2), gpiocdev.WithConsumer(Panel), level, gpiocdev.AsInput,
		gpiocdev.WithBothEdges, gpiocdev.WithEventHandler(edge),
	}
}

// Active says whether the button is pressed or the switch turned now.
func (i *Input) Active() (bool, error) {
	v, err := i.in.Value()
	if err != nil {
		return false, fmt.Errorf("gpio: read input: %w", err)
	}
	return v != 0, nil
}

// Close gives the line back.
func (i *Input) Close() error {
	if err := i.in.Close(); err != nil {
		return fmt.Errorf("gpio: close input: %w", err)
	}
	return nil
}
