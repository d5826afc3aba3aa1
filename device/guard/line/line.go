// Package line holds the one output that powers the amplifier.
//
// What always holds: asking for a GPIO line makes it an output and gives it
// its value "open" in one step, so that no moment exists in which the relay
// pulls; the level is never read back, because on some chips a reading turns
// the output into an input and drops the relay. Polarity is the kernel's
// business: here true always means that the amplifier has power.
//
// How: GPIO is a thin layer over version 2 of the character device. File is
// the line of a simulated node: it appends every edge to a file of JSON lines
// that is judged from outside.
package line

import (
	"errors"
	"fmt"
	"strings"

	"github.com/warthog618/go-gpiocdev"
)

// consumer is the name under which the kernel shows who holds the line.
const consumer = "loaxa-guard"

// ErrNoChip means that this board has no GPIO chip with the label asked for.
var ErrNoChip = errors.New("no GPIO chip with this label")

// Place says where the relay hangs. A chip is chosen by its label, because the
// numbers of /dev/gpiochipN change from one kernel to the next.
type Place struct {
	Chip      string // label of the GPIO chip, such as pinctrl-bcm2711
	Offset    int    // line offset within the chip
	ActiveLow bool   // the relay pulls when the pin is low
}

// Info is what the kernel tells about a line without anybody asking for it.
type Info struct {
	Chip     string // device name, such as gpiochip0
	Used     bool
	Consumer string // who uses it, if anybody
}

// output is a line granted by the kernel.
type output interface {
	SetValue(value int) error
	Close() error
}

// system is the part of the kernel's GPIO interface that is used here.
type system interface {
	// chips lists the device names of the GPIO chips.
	chips() []string
	// label tells the label of a chip.
	label(chip string) (string, error)
	// info tells who uses a line.
	info(chip string, offset int) (Info, error)
	// request asks for a line.
	request(chip string, offset int, options ...gpiocdev.LineReqOption) (output, error)
}

// GPIO is a relay line of a real board.
type GPIO struct {
	out output
}

// OpenGPIO takes the line at p, as an output that is open from its first
// moment. It fails with ErrNoChip, naming the labels that exist, and when
// another program holds the line.
func OpenGPIO(p Place) (*GPIO, error) { return openGPIO(kernel{}, p) }

// Look tells what the kernel knows about the line at p and changes nothing.
func Look(p Place) (Info, error) { return look(kernel{}, p) }

func openGPIO(sys system, p Place) (*GPIO, error) {
	chip, err := find(sys, p.Chip)
	if err != nil {
		return nil, err
	}
	out, err := sys.request(chip, p.Offset, options(p)...)
	if err != nil {
		return nil, fmt.Errorf("line %d of %s (%s): %w", p.Offset, p.Chip, chip, err)
	}
	return &GPIO{out: out}, nil
}

// options ask for everything in one request: output, inactive, polarity.
// Version 2 of the interface applies them together before the pin changes
// direction; version 1 is not accepted.
func options(p Place) []gpiocdev.LineReqOption {
	level := gpiocdev.LineReqOption(gpiocdev.AsActiveHigh)
	if p.ActiveLow {
		level = gpiocdev.AsActiveLow
	}
	const inactive = 0
	return []gpiocdev.LineReqOption{
		gpiocdev.WithABIVersion(2), gpiocdev.WithConsumer(consumer), level, gpiocdev.AsOutput(inactive),
	}
}

// Set closes or opens the relay.
func (g *GPIO) Set(closed bool) error {
	value := 0
	if closed {
		value = 1
	}
	if err := g.out.SetValue(value); err != nil {
		return fmt.Errorf("gpio: set: %w", err)
	}
	return nil
}

// Close opens the relay and gives the line back. What the pin does afterwards
// is the driver's choice: a pull resistor must keep the relay open.
func (g *GPIO) Close() error {
	err := errors.Join(g.Set(false), g.out.Close())
	if err != nil {
		return fmt.Errorf("gpio: close: %w", err)
	}
	return nil
}

func look(sys system, p Place) (Info, error) {
	chip, err := find(sys, p.Chip)
	if err != nil {
		return Info{}, err
	}
	info, err := sys.info(chip, p.Offset)
	if err != nil {
		return Info{}, fmt.Errorf("line %d of %s (%s): %w", p.Offset, p.Chip, chip, err)
	}
	return info, nil
}

// find returns the device name of the chip with this label.
func find(sys system, label string) (string, error) {
	var seen []string
	for _, chip := range sys.chips() {
		l, err := sys.label(chip)
		if err != nil {
			seen = append(seen, fmt.Sprintf("%s (%v)", chip, err))
			continue
		}
		if l == label {
			return chip, nil
		}
		seen = append(seen, l)
	}
	if len(seen) == 0 {
		return "", fmt.Errorf("%w: %q; this machine has no GPIO chip at all", ErrNoChip, label)
	}
	return "", fmt.Errorf("%w: %q; found: %s", ErrNoChip, label, strings.Join(seen, ", "))
}

// kernel is the real system.
type kernel struct{}

func (kernel) chips() []string { return gpiocdev.Chips() }

func (kernel) label(chip string) (string, error) {
	c, err := gpiocdev.NewChip(chip)
	if err != nil {
		return "", err
	}
	defer c.Close()
	return c.Label, nil
}

func (kernel) info(chip string, offset int) (Info, error) {
	c, err := gpiocdev.NewChip(chip)
	if err != nil {
		return Info{}, err
	}
	defer c.Close()
	li, err := c.LineInfo(offset)
	if err != nil {
		return Info{}, err
	}
	return Info{Chip: chip, Used: li.Used, Consumer: li.Consumer}, nil
}

func (kernel) request(chip string, offset int, options ...gpiocdev.LineReqOption) (output, error) {
	return gpiocdev.RequestLine(chip, offset, options...)
}
