// Package board describes the boards a node can run on, as data.
//
// What always holds: a profile that Named or Read returns is complete and
// within bounds, so nobody downstream checks it again; a key that no profile
// has is an error, never ignored. Check looks and never touches: it opens no
// line, plays nothing and writes nothing.
//
// How: one TOML file per board is embedded; a site that differs writes its own
// file with base = "name of a board" and only the values that differ.
package board

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/loaxa/loaxa/device/amplifier"
	"github.com/loaxa/loaxa/device/guard/lease"
	"github.com/loaxa/loaxa/device/guard/line"
)

//go:embed profiles/*.toml
var profiles embed.FS

// fileLimit bounds a profile file, in bytes.
const fileLimit = 64 << 10

// Profile is what a node must know about its board.
type Profile struct {
	Name    string   `toml:"name"`   // one word, such as raspberry-pi-4
	Title   string   `toml:"title"`  // for people
	Models  []string `toml:"models"` // beginnings of the device tree's model text
	Relay   Relay    `toml:"relay"`
	Sound   Sound    `toml:"sound"`
	Sensors []Sensor `toml:"sensor"`
	Power   Power    `toml:"power"`
	Inputs  []Input  `toml:"input"`
}

// Relay says where the amplifier's relay hangs and how gently it wants to be
// treated.
type Relay struct {
	Simulated  bool          `toml:"simulated"` // no GPIO: edges are recorded in a file
	Chip       string        `toml:"chip"`      // label of the GPIO chip
	Line       int           `toml:"line"`      // offset within the chip
	ActiveLow  bool          `toml:"active_low"`
	Sense      *int          `toml:"sense"`            // offset of the input that sees the amplifier's power; none: nothing sees it
	SenseLow   bool          `toml:"sense_active_low"` // it is low while there is power
	WarmUp     time.Duration `toml:"warm_up"`          // from relay closed to first sample
	Hold       time.Duration `toml:"hold"`             // kept on for a next sounding
	MinimumOff time.Duration `toml:"minimum_off"`      // inrush current and contacts
	MaximumOn  time.Duration `toml:"maximum_on"`       // heat; the guard's own bound
}

// Sound is the way out for samples.
type Sound struct {
	Card string `toml:"card"` // ALSA card id (not its number); empty: no card
	// Microphone is the ALSA card id of the one in the box; empty: nobody speaks there.
	Microphone string `toml:"microphone"`
	Ceiling    int64  `toml:"ceiling"` // loudest volume the hardware stands, percent; holds for emergencies too
}

// Names lists the embedded profiles in alphabetical order.
func Names() []string {
	entries, err := fs.ReadDir(profiles, "profiles")
	if err != nil {
		return nil // unreachable: the folder is part of the program
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".toml")
	}
	return names
}

// Named returns the embedded profile of that name.
func Named(name string) (Profile, error) {
	b, err := profiles.ReadFile("profiles/" + name + ".toml")
	if err != nil {
		return Profile{}, fmt.Errorf("no board named %q: choose one of %s, or write a file with base = one of them", name, strings.Join(Names(), ", "))
	}
	p := Profile{}
	if err := decode(b, &p); err != nil {
		return Profile{}, fmt.Errorf("board %s: %w", name, err)
	}
	return p, p.Validate()
}

// Load returns the profile that ref means: the name of an embedded board, or
// the path of a file (anything with a slash or ending in .toml).
func Load(ref string) (Profile, error) {
	if !strings.Contains(ref, "/") && !strings.HasSuffix(ref, ".toml") {
		return Named(ref)
	}
	f, err := os.Open(ref)
	if err != nil {
		return Profile{}, fmt.Errorf("board profile: %w", err)
	}
	defer f.Close()
	p, err := read(f)
	if err != nil {
		return Profile{}, fmt.Errorf("board profile %s: %w", ref, err)
	}
	return p, nil
}

// read decodes a site's own profile over the one it is based on.
func read(r io.Reader) (Profile, error) {
	b, err := io.ReadAll(io.LimitReader(r, fileLimit+1))
	if err != nil {
		return Profile{}, err
	}
	if len(b) > fileLimit {
		return Profile{}, fmt.Errorf("larger than %d bytes", fileLimit)
	}
	var own struct {
		Base    string           `toml:"base"`
		Sensors []map[string]any `toml:"sensor"`
		Inputs  []map[string]any `toml:"input"`
		Power   struct {
			Curve []map[string]any `toml:"curve"`
		} `toml:"power"`
	}
	if err := toml.Unmarshal(b, &own); err != nil {
		return Profile{}, err
	}
	p := Profile{}
	if own.Base != "" {
		if p, err = Named(own.Base); err != nil {
			return Profile{}, err
		}
	}
	p = p.without(own.Sensors != nil, own.Inputs != nil, own.Power.Curve != nil)
	if err := decode(b, &p); err != nil {
		return Profile{}, err
	}
	return p, p.Validate()
}

// without forgets the lists that a file brings itself: each replaces that of the
// base as a whole.
func (p Profile) without(sensors, inputs, curve bool) Profile {
	if sensors {
		p.Sensors = nil
	}
	if inputs {
		p.Inputs = nil
	}
	if curve {
		p.Power.Curve = nil
	}
	return p
}

// decode reads b over p and refuses keys that mean nothing.
func decode(b []byte, p *Profile) error {
	file := struct {
		*Profile
		Base string `toml:"base"`
	}{Profile: p}
	meta, err := toml.Decode(string(b), &file)
	if err != nil {
		return err
	}
	var faults []error
	for _, key := range meta.Undecoded() {
		faults = append(faults, fmt.Errorf("unknown key %q: check its spelling", key.String()))
	}
	return errors.Join(faults...)
}

// Timings are what the amplifier of this board needs.
func (p Profile) Timings() amplifier.Timings { return amplifier.Timings{Hold: p.Relay.Hold} }

// slack is what the guard allows beyond the planned warm-up and hold, so that
// a player that starts a little late is not cut off.
const slack = 5 * time.Second

// Limits are what the guard of this board enforces. A relay that could not open
// and close again before the next sounding stays closed for it, which counts as
// warm-up.
func (p Profile) Limits() lease.Limits {
	l := lease.DefaultLimits()
	l.WarmUp, l.Hold = min(p.Relay.WarmUp+p.Relay.MinimumOff+slack, time.Minute), p.Relay.Hold+slack
	l.MinimumOff, l.MaximumOn = p.Relay.MinimumOff, p.Relay.MaximumOn
	return l
}

// place of the relay, for the GPIO layer.
func (r Relay) place() line.Place {
	return line.Place{Chip: r.Chip, Offset: r.Line, ActiveLow: r.ActiveLow}
}
