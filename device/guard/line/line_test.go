package line

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/warthog618/go-gpiocdev"
)

// fakeSystem is a kernel with three chips, one of which cannot be asked. It
// writes down what it is asked for.
type fakeSystem struct {
	labels  map[string]string
	failure error
	asked   []string
	offset  int
	options []gpiocdev.LineReqOption
	granted *fakeOutput
	contact fakeInput
}

func newFakeSystem() *fakeSystem {
	return &fakeSystem{
		labels:  map[string]string{"gpiochip0": "raspberrypi-exp-gpio", "gpiochip1": "", "gpiochip4": "pinctrl-bcm2711"},
		granted: &fakeOutput{},
	}
}

func (s *fakeSystem) chips() []string { return []string{"gpiochip0", "gpiochip1", "gpiochip4"} }

func (s *fakeSystem) label(chip string) (string, error) {
	if s.labels[chip] == "" {
		return "", errors.New("permission denied")
	}
	return s.labels[chip], nil
}

func (s *fakeSystem) info(chip string, offset int) (Info, error) {
	return Info{Chip: chip, Used: offset == 5, Consumer: "leds"}, s.failure
}

func (s *fakeSystem) request(chip string, offset int, options ...gpiocdev.LineReqOption) (output, error) {
	s.asked, s.offset, s.options = append(s.asked, chip), offset, options
	return s.granted, s.failure
}

func (s *fakeSystem) watch(chip string, offset int, options ...gpiocdev.LineReqOption) (input, error) {
	s.asked, s.offset, s.options = append(s.asked, chip), offset, options
	if s.failure != nil {
		return nil, s.failure
	}
	return &s.contact, nil
}

// fakeOutput writes down the values it is set to. It cannot be read: the code
// under test has no way to ask.
type fakeOutput struct {
	values  []int
	closed  bool
	failure error
}

func (o *fakeOutput) SetValue(v int) error {
	o.values = append(o.values, v)
	return o.failure
}

func (o *fakeOutput) Close() error {
	o.closed = true
	return nil
}

// TestTheLineIsAnOpenOutputFromItsFirstMoment proves that one request carries
// direction, inactive value and polarity, which the kernel applies together.
func TestTheLineIsAnOpenOutputFromItsFirstMoment(t *testing.T) {
	for name, c := range map[string]struct {
		activeLow bool
		level     gpiocdev.LevelOption
	}{
		"active high": {false, gpiocdev.AsActiveHigh},
		"active low":  {true, gpiocdev.AsActiveLow},
	} {
		t.Run(name, func(t *testing.T) {
			sys := newFakeSystem()
			if _, err := openGPIO(sys, Place{Chip: "pinctrl-bcm2711", Offset: 17, ActiveLow: c.activeLow}); err != nil {
				t.Fatal(err)
			}
			want := []gpiocdev.LineReqOption{
				gpiocdev.WithABIVersion(2), gpiocdev.WithConsumer("loaxa-guard"), c.level, gpiocdev.AsOutput(0),
			}
			if !reflect.DeepEqual(sys.options, want) {
				t.Errorf("options %#v, want %#v", sys.options, want)
			}
			if !reflect.DeepEqual(sys.asked, []string{"gpiochip4"}) || sys.offset != 17 {
				t.Errorf("asked %v for line %d", sys.asked, sys.offset)
			}
			if len(sys.granted.values) != 0 {
				t.Errorf("set to %v while being opened", sys.granted.values)
			}
		})
	}
}

func TestTrueAlwaysMeansPowerWhateverThePolarity(t *testing.T) {
	for _, low := range []bool{false, true} {
		sys := newFakeSystem()
		g, err := openGPIO(sys, Place{Chip: "pinctrl-bcm2711", ActiveLow: low})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(g.Set(true), g.Set(false), g.Set(true), g.Close()); err != nil {
			t.Fatal(err)
		}
		if want := []int{1, 0, 1, 0}; !reflect.DeepEqual(sys.granted.values, want) {
			t.Errorf("active low %v: values %v, want %v (the last by Close)", low, sys.granted.values, want)
		}
		if !sys.granted.closed {
			t.Error("the line was not given back")
		}
	}
}

func TestALineThatDoesNotObeyIsAnErrorAndStillGivenBack(t *testing.T) {
	sys := newFakeSystem()
	g, err := openGPIO(sys, Place{Chip: "pinctrl-bcm2711"})
	if err != nil {
		t.Fatal(err)
	}
	sys.granted.failure = errors.New("bus stuck")
	if err := g.Set(true); !errors.Is(err, sys.granted.failure) {
		t.Errorf("Set: %v", err)
	}
	if err := g.Close(); !errors.Is(err, sys.granted.failure) || !sys.granted.closed {
		t.Errorf("Close: %v, given back %v", err, sys.granted.closed)
	}
}

func TestAnUnknownChipIsRefusedWithTheLabelsThatExist(t *testing.T) {
	sys := newFakeSystem()
	_, err := openGPIO(sys, Place{Chip: "pinctrl-bcm2835"})
	if !errors.Is(err, ErrNoChip) {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{`"pinctrl-bcm2835"`, "raspberrypi-exp-gpio", "pinctrl-bcm2711", "gpiochip1 (permission denied)"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %q", err, want)
		}
	}
	if len(sys.asked) != 0 {
		t.Errorf("a line of %v was requested", sys.asked)
	}
}

func TestALineInUseIsAnErrorThatNamesIt(t *testing.T) {
	sys := newFakeSystem()
	sys.failure = errors.New("device or resource busy")
	_, err := openGPIO(sys, Place{Chip: "pinctrl-bcm2711", Offset: 17})
	if !errors.Is(err, sys.failure) || !strings.Contains(err.Error(), "line 17 of pinctrl-bcm2711") {
		t.Errorf("error %v", err)
	}
	if _, err := look(sys, Place{Chip: "pinctrl-bcm2711", Offset: 17}); !errors.Is(err, sys.failure) {
		t.Errorf("look: %v", err)
	}
}

func TestLookingRequestsNothing(t *testing.T) {
	sys := newFakeSystem()
	info, err := look(sys, Place{Chip: "pinctrl-bcm2711", Offset: 5})
	if want := (Info{Chip: "gpiochip4", Used: true, Consumer: "leds"}); err != nil || info != want {
		t.Errorf("info %+v, %v; want %+v", info, err, want)
	}
	if len(sys.asked) != 0 {
		t.Errorf("a line of %v was requested", sys.asked)
	}
	if _, err := look(sys, Place{Chip: "nobody"}); !errors.Is(err, ErrNoChip) {
		t.Errorf("unknown chip: %v", err)
	}
}

// TestTheKernelIsAskedForALabelThatNoMachineHas runs the thin layer itself.
func TestTheKernelIsAskedForALabelThatNoMachineHas(t *testing.T) {
	const label = "no-such-chip-on-earth"
	if _, err := OpenGPIO(Place{Chip: label}); !errors.Is(err, ErrNoChip) {
		t.Errorf("OpenGPIO: %v", err)
	}
	if _, err := Look(Place{Chip: label}); !errors.Is(err, ErrNoChip) {
		t.Errorf("Look: %v", err)
	}
	for _, ask := range []func() error{
		func() error { _, err := (kernel{}).label("gpiochip999"); return err },
		func() error { _, err := (kernel{}).info("gpiochip999", 0); return err },
		func() error { _, err := (kernel{}).request("gpiochip999", 0, options(Place{})...); return err },
		func() error { _, err := kernelWatch("gpiochip999", 0, inputOptions(Place{}, nil)...); return err },
	} {
		if ask() == nil {
			t.Error("gpiochip999 answered")
		}
	}
}
