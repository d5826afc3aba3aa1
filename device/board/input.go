package board

import (
	"path"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/device/guard/line"
)

// Act is what an input of the box means.
type Act string

// The acts of inputs.
const (
	Stop   Act = "stop"   // a button: what sounds here stops now
	Key    Act = "key"    // a key switch: whoever has the key asks for something
	Keypad Act = "keypad" // a keypad: whoever has a PIN asks for something
	Talk   Act = "talk"   // a key switch that stays turned while somebody speaks
)

// Input is a button or a key switch in the box, on a line of its own that is
// active while it is pressed or turned; or a keypad, which has a device.
type Input struct {
	Name      string `toml:"name"` // one word; for people, in faults and in the log
	Act       Act    `toml:"act"`
	Chip      string `toml:"chip"` // label of the GPIO chip
	Line      int    `toml:"line"` // offset within the chip
	ActiveLow bool   `toml:"active_low"`
	Device    string `toml:"device"` // of a keypad: its file below /dev/input, best by-path or by-id
}

// Place of the input, for the GPIO layer.
func (i Input) Place() line.Place {
	return line.Place{Chip: i.Chip, Offset: i.Line, ActiveLow: i.ActiveLow}
}

func (p Profile) validateInputs() []error {
	faults := []error{when(len(p.Inputs) > mostInputs, "%d inputs: at most %d", len(p.Inputs), mostInputs)}
	names, places := map[string]bool{}, map[Input]bool{{Chip: p.Relay.Chip, Line: p.Relay.Line}: !p.Relay.Simulated}
	for _, i := range p.Inputs {
		faults = append(faults,
			when(!word.MatchString(i.Name), "input %q: a name of one word", i.Name),
			when(names[i.Name], "input %q is there twice: give each its own name", i.Name),
			when(!slices.Contains([]Act{Stop, Key, Keypad, Talk}, i.Act), "input %q: act %q: choose stop, key, keypad or talk", i.Name, i.Act))
		names[i.Name] = true
		if i.Act == Keypad {
			faults = append(faults, when(!p.Relay.Simulated && !i.hasDevice(), "input %q: device %q: the file of the keypad below /dev/input", i.Name, i.Device))
			continue
		}
		place := Input{Chip: i.Chip, Line: i.Line}
		faults = append(faults,
			when(i.Device != "", "input %q: device %q is for keypads", i.Name, i.Device),
			when(!p.Relay.Simulated && i.Chip == "", "input %q: chip is missing: the label that gpiodetect shows", i.Name),
			when(!p.Relay.Simulated && places[place], "input %q: line %d of %s is taken already", i.Name, i.Line, i.Chip),
			within("line of input "+i.Name, int64(i.Line), 0, mostLines-1))
		places[place] = true
	}
	return faults
}

func (i Input) hasDevice() bool {
	return strings.HasPrefix(i.Device, "/dev/input/") && path.Clean(i.Device) == i.Device
}
