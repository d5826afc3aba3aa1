package board

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	longestWarmUp  = 30 * time.Second
	longestHold    = time.Minute
	longestOff     = time.Minute
	shortestOn     = time.Minute
	longestOn      = 12 * time.Hour
	mostLines      = 1024
	mostSensors    = 16
	mostInputs     = 8
	mostPoints     = 32
	longestName    = 64 // of a sensor, in bytes
	fewestReserved = 10 // soundings of 60 s that a battery keeps for emergencies
)

// word is what names and card ids look like.
var word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$`)

// Validate names everything that is wrong with the profile, with the bounds
// that hold.
func (p Profile) Validate() error {
	faults := []error{
		when(!word.MatchString(p.Name), "name %q: one word of letters, digits and dashes", p.Name),
		when(p.Title == "", "title is missing: say which board this is"),
	}
	faults = append(faults, p.Relay.validate()...)
	faults = append(faults, p.Sound.validate(p.Relay.Simulated)...)
	faults = append(faults, when(len(p.Sensors) > mostSensors, "%d sensors: at most %d", len(p.Sensors), mostSensors))
	for _, s := range p.Sensors {
		faults = append(faults, s.validate()...)
	}
	faults = append(faults, p.validatePower()...)
	faults = append(faults, p.validateInputs()...)
	return errors.Join(faults...)
}

func (r Relay) validate() []error {
	sense := -1
	if r.Sense != nil {
		sense = *r.Sense
	}
	return []error{
		when(r.Sense != nil && (r.Simulated || sense == r.Line), "relay.sense %d: an input of its own beside a real relay", sense),
		within("relay.sense", int64(sense), -1, mostLines-1),
		when(!r.Simulated && r.Chip == "", "relay.chip is missing: the label that gpiodetect shows"),
		when(r.Simulated && r.Chip != "", "relay.chip %q of a simulated relay: remove one of the two", r.Chip),
		within("relay.line", int64(r.Line), 0, mostLines-1),
		within("relay.warm_up", r.WarmUp, 0, longestWarmUp),
		within("relay.hold", r.Hold, 0, longestHold),
		within("relay.minimum_off", r.MinimumOff, 0, longestOff),
		within("relay.maximum_on", r.MaximumOn, shortestOn, longestOn),
	}
}

func (s Sound) validate(simulated bool) []error {
	return []error{
		when(s.Card == "" && !simulated, "sound.card is missing: the id in brackets in /proc/asound/cards"),
		when(s.Card != "" && !word.MatchString(s.Card), "sound.card %q: the id in brackets in /proc/asound/cards, not a device string", s.Card),
		within("sound.ceiling", s.Ceiling, 1, 100),
	}
}

// when is an error if wrong is true.
func when(wrong bool, format string, args ...any) error {
	if !wrong {
		return nil
	}
	return fmt.Errorf(format, args...)
}

// within is an error if value lies outside least and most.
func within[T cmp.Ordered](name string, value, least, most T) error {
	return when(!(value >= least && value <= most), "%s is %v: choose a value from %v to %v", name, value, least, most)
}

// quoted lists words for a sentence.
func quoted(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}
