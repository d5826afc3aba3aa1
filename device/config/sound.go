package config

import (
	"fmt"
	"slices"
	"strings"
)

// Sound says how samples leave. Everything empty means the board's own card.
type Sound struct {
	// Kind is alsa, wav, null or oto.
	Kind string `toml:"kind"`
	// Device is the ALSA name of a card; empty for that of the board.
	Device string `toml:"device"`
	// Dir is the folder for recordings of kind wav.
	Dir string `toml:"dir"`
}

// Validate refuses kinds that do not exist.
func (s Sound) Validate() error {
	kinds := []string{"", "alsa", "wav", "null", "oto"}
	if !slices.Contains(kinds, s.Kind) {
		return fmt.Errorf("kind %q: choose one of %s", s.Kind, strings.Join(kinds[1:], ", "))
	}
	return nil
}
