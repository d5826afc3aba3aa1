package line

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/warthog618/go-gpiocdev"
)

// input is a line that the kernel lets us read. It is never the relay's own.
type input interface {
	Value() (int, error)
	Close() error
}

// watch asks the kernel for an input.
type watch func(chip string, offset int, options ...gpiocdev.LineReqOption) (input, error)

// Sense says which input of the relay's chip shows that the amplifier has
// power: an auxiliary contact, or an opto-coupler at its supply.
type Sense struct {
	Offset    int  // line offset within the chip
	ActiveLow bool // power shows as a low pin
}

// Sensed is a relay whose amplifier is seen by an input of its own.
type Sensed struct {
	*GPIO
	in input
}

// OpenSensed takes the relay at p as OpenGPIO does, and then the input that
// sees it. Without the input the relay is given back, open.
func OpenSensed(p Place, s Sense) (*Sensed, error) {
	return openSensed(kernel{}, kernelWatch, p, s)
}

func openSensed(sys system, watch watch, p Place, s Sense) (*Sensed, error) {
	relay, err := openGPIO(sys, p)
	if err != nil {
		return nil, err
	}
	chip, err := find(sys, p.Chip)
	if err != nil {
		return nil, errors.Join(err, relay.Close())
	}
	level := gpiocdev.LineReqOption(gpiocdev.AsActiveHigh)
	if s.ActiveLow {
		level = gpiocdev.AsActiveLow
	}
	in, err := watch(chip, s.Offset, gpiocdev.WithABIVersion(2), gpiocdev.WithConsumer(consumer), level, gpiocdev.AsInput)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("sense line %d of %s (%s): %w", s.Offset, p.Chip, chip, err), relay.Close())
	}
	return &Sensed{GPIO: relay, in: in}, nil
}

// Powered says whether the amplifier has power.
func (s *Sensed) Powered() (bool, error) {
	v, err := s.in.Value()
	if err != nil {
		return false, fmt.Errorf("gpio: sense: %w", err)
	}
	return v != 0, nil
}

// Close opens the relay and gives both lines back.
func (s *Sensed) Close() error { return errors.Join(s.GPIO.Close(), s.in.Close()) }

func kernelWatch(chip string, offset int, options ...gpiocdev.LineReqOption) (input, error) {
	return gpiocdev.RequestLine(chip, offset, options...)
}

// SensedFile is a simulated relay whose contacts may do something else than they
// are told: a file says "closed" or "open". While it says nothing they obey.
type SensedFile struct {
	*File
	contacts string
}

// NewSensedFile gives a relay contacts at a path of their own, which need
// not exist.
func NewSensedFile(relay *File, contacts string) *SensedFile {
	return &SensedFile{File: relay, contacts: contacts}
}

// Powered says what the contacts do.
func (f *SensedFile) Powered() (bool, error) {
	b, err := os.ReadFile(f.contacts)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, fmt.Errorf("simulated contacts: %w", err)
	}
	switch strings.TrimSpace(string(b)) {
	case "closed":
		return true, nil
	case "open":
		return false, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closed, nil
}
