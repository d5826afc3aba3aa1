package config

import (
	"errors"
	"path/filepath"
)

// Carriers says by which ways, beside the network, the node takes what is
// sealed. None of them is trusted.
type Carriers struct {
	// Stick is the folder where the system mounts USB sticks; empty for none.
	Stick string `toml:"stick"`
}

func defaultCarriers() Carriers { return Carriers{Stick: "/media/loaxa"} }

// Validate refuses a folder that depends on where the program was started.
func (c Carriers) Validate() error {
	if c.Stick != "" && !filepath.IsAbs(c.Stick) {
		return errors.New("stick: write the whole path of the folder, such as /media/loaxa, or nothing for no stick")
	}
	return nil
}
