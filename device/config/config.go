// Package config reads the provisioning file of one card.
//
// It promises that what Load returns is complete: every name and number was
// checked, keys that mean nothing are errors, and every error says which line
// of the file to mend. It reads one file and nothing else.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/BurntSushi/toml"

	"github.com/loaxa/loaxa/broadcast"
)

// Config is what a card is told: who it is, whom it obeys and what it is made
// of. The flash tool writes it; a person may write it by hand.
type Config struct {
	// Node is the name of this speaker site, Top the area that only the root
	// may move it out of.
	Node broadcast.ID `toml:"node"`
	Top  broadcast.ID `toml:"top"`
	// Controller is the base address of the controller's API.
	Controller string `toml:"controller"`
	// Root is the fingerprint of the root document, given out of band.
	Root broadcast.Digest `toml:"root"`
	// Token is good for one enrolment; it may be removed afterwards.
	Token string `toml:"token"`
	// Data is the folder where the node keeps everything.
	Data string `toml:"data"`
	// Board is the name of a profile, or the path of one.
	Board string `toml:"board"`
	// Demo nodes obey a root for training.
	Demo bool `toml:"demo"`
	// Quota is what recordings may take of the card, in megabytes.
	Quota    int64    `toml:"quota_mb"`
	Prefetch Prefetch `toml:"prefetch"`
	Guard    Guard    `toml:"guard"`
	Sound    Sound    `toml:"sound"`
	Carriers Carriers `toml:"carriers"`
}

const (
	defaultQuota = 1024
	maxFile      = 64 << 10
)

// Load reads and checks a file.
func Load(path string) (Config, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Config{}, fmt.Errorf("provisioning file: %w (write one, or let the flash tool do it)", err)
	}
	if info.Size() > maxFile {
		return Config{}, fmt.Errorf("provisioning file %s: larger than %d bytes", path, maxFile)
	}
	c := Config{Data: "/var/lib/loaxa", Quota: defaultQuota, Prefetch: defaultPrefetch(), Guard: defaultGuard(), Carriers: defaultCarriers()}
	meta, err := toml.DecodeFile(path, &c)
	if err != nil {
		return Config{}, fmt.Errorf("provisioning file %s: %w", path, err)
	}
	var faults []error
	for _, key := range meta.Undecoded() {
		faults = append(faults, fmt.Errorf("unknown key %q: check its spelling", key.String()))
	}
	if err := errors.Join(append(faults, c.Validate())...); err != nil {
		return Config{}, fmt.Errorf("provisioning file %s: %w", path, err)
	}
	return c, nil
}

// Validate names everything that is missing or wrong.
func (c Config) Validate() error {
	faults := []error{
		named("node", c.Node.Validate()), named("top", c.Top.Validate()), named("root", c.Root.Validate()),
		named("sound", c.Sound.Validate()), named("prefetch", c.Prefetch.Validate()), named("carriers", c.Carriers.Validate()),
	}
	if u, err := url.Parse(c.Controller); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		faults = append(faults, fmt.Errorf("controller %q: write https://HOST or https://HOST:PORT", c.Controller))
	}
	if c.Board == "" {
		faults = append(faults, errors.New("board: missing; write the name of a profile, such as raspberry-pi-4 or simulated"))
	}
	if c.Data == "" {
		faults = append(faults, errors.New("data: missing; write the folder where the node keeps its files"))
	}
	if c.Quota < 64 || c.Quota > 1<<20 {
		faults = append(faults, fmt.Errorf("quota_mb %d: choose 64 to %d", c.Quota, 1<<20))
	}
	return errors.Join(faults...)
}

func named(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", key, err)
}
