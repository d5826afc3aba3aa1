package relay

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/BurntSushi/toml"

	"github.com/loaxa/loaxa/broadcast"
)

// Station is one that may be relayed.
type Station struct {
	ID   broadcast.ID `toml:"id"`
	Name string       `toml:"name"`
	URL  string       `toml:"url"`
	// Areas may relay it, with all below them.
	Areas []broadcast.ID `toml:"areas"`
	// Private lets it be at a private address, such as an encoder in the house.
	Private bool `toml:"private"`
}

// Bounds of the file.
const (
	mostSetup    = 64 << 10
	mostStations = 64
)

// ReadStations reads relays.toml in the data folder. Without the file there are
// none. Errors say what to correct.
func ReadStations(data string) ([]Station, error) {
	path := filepath.Join(data, "relays.toml")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("stations: %w", err)
	}
	list, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

func parse(b []byte) ([]Station, error) {
	if len(b) > mostSetup {
		return nil, fmt.Errorf("%d bytes, at most %d", len(b), mostSetup)
	}
	var file struct {
		Stations []Station `toml:"station"`
	}
	read, err := toml.Decode(string(b), &file)
	if err != nil {
		return nil, err
	}
	if extra := read.Undecoded(); len(extra) > 0 {
		return nil, fmt.Errorf("%q is not known here", extra[0].String())
	}
	if len(file.Stations) > mostStations {
		return nil, fmt.Errorf("%d stations, at most %d", len(file.Stations), mostStations)
	}
	for i, s := range file.Stations {
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("station %d %q: %w", i+1, string(s.ID), err)
		}
		if slices.ContainsFunc(file.Stations[:i], func(o Station) bool { return o.ID == s.ID }) {
			return nil, fmt.Errorf("station %q stands twice", string(s.ID))
		}
	}
	return file.Stations, nil
}

func (s Station) check() error {
	if err := s.ID.Validate(); err != nil {
		return fmt.Errorf("id: %w", err)
	}
	if s.Name == "" || len(s.Name) > 100 {
		return errors.New("name: give one of at most 100 bytes")
	}
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("url: http://… or https://… is needed")
	}
	if len(s.Areas) == 0 || len(s.Areas) > broadcast.MaxAreas {
		return fmt.Errorf("areas: name 1 to %d that may relay it", broadcast.MaxAreas)
	}
	for _, a := range s.Areas {
		if err := a.Validate(); err != nil {
			return fmt.Errorf("areas: %w", err)
		}
	}
	return nil
}
