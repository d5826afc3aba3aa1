package config

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
)

// Carriers says by which ways, beside the network, the node takes what is
// sealed. None of them is trusted.
type Carriers struct {
	// Stick is the folder where the system mounts USB sticks; empty for none.
	Stick string `toml:"stick"`
	// LAN is the address at which documents may be handed over, such as
	// 192.168.4.1:8088 or :8088; empty for none.
	LAN string `toml:"lan"`
}

func defaultCarriers() Carriers { return Carriers{Stick: "/media/loaxa"} }

// Validate refuses a folder that depends on where the program was started, and
// addresses without a port.
func (c Carriers) Validate() error {
	if c.Stick != "" && !filepath.IsAbs(c.Stick) {
		return errors.New("stick: write the whole path of the folder, such as /media/loaxa, or nothing for no stick")
	}
	if c.LAN == "" {
		return nil
	}
	if _, port, err := net.SplitHostPort(c.LAN); err != nil || port == "" || port == "0" {
		return fmt.Errorf("lan %q: write an address with its port, such as 192.168.4.1:8088, or nothing for none", c.LAN)
	}
	return nil
}
