package speech

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// setup is the file speech.toml in the data folder. Without it there is eSpeak NG
// alone.
type setup struct {
	Engines []engineSetup `toml:"engine"`
}

// engineSetup is one engine of the file.
type engineSetup struct {
	Name    string   `toml:"name"`
	Kind    string   `toml:"kind"`
	Command []string `toml:"command"`
	Address string   `toml:"address"`
	Model   string   `toml:"model"`
	// KeyFile holds the key of a server, so that the file itself is no secret.
	KeyFile string       `toml:"key_file"`
	Seconds int          `toml:"seconds"`
	Voices  []voiceSetup `toml:"voice"`
}

type voiceSetup struct {
	ID       string `toml:"id"`
	Language string `toml:"language"`
	Name     string `toml:"name"`
}

// Bounds of the file.
const (
	mostSetup   = 64 << 10
	mostEngines = 16
	mostVoices  = 100
)

var names = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// voiceIDs are those that may become an argument of a program: never an option.
var voiceIDs = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+/-]{0,99}$`)

// parseSetup reads the file. Errors say what to correct.
func parseSetup(b []byte) (setup, error) {
	if len(b) > mostSetup {
		return setup{}, fmt.Errorf("%d bytes, at most %d", len(b), mostSetup)
	}
	var s setup
	read, err := toml.Decode(string(b), &s)
	if err != nil {
		return s, err
	}
	if extra := read.Undecoded(); len(extra) > 0 {
		return s, fmt.Errorf("%q is not known here", extra[0].String())
	}
	if len(s.Engines) == 0 || len(s.Engines) > mostEngines {
		return s, fmt.Errorf("%d engines; give 1 to %d, each under [[engine]]", len(s.Engines), mostEngines)
	}
	seen := map[string]bool{}
	for _, e := range s.Engines {
		if err := e.check(); err != nil {
			return s, fmt.Errorf("engine %q: %w", e.Name, err)
		}
		if seen[e.Name] {
			return s, fmt.Errorf("engine %q stands twice", e.Name)
		}
		seen[e.Name] = true
	}
	return s, nil
}

func (e engineSetup) check() error {
	const longestWait = 600
	switch {
	case !names.MatchString(e.Name):
		return errors.New("a name has lower-case letters, digits and hyphens")
	case e.Seconds < 0 || e.Seconds > longestWait:
		return fmt.Errorf("seconds must be 1 to %d, or be left out", longestWait)
	case e.Kind != "espeak" && (len(e.Voices) == 0 || len(e.Voices) > mostVoices):
		return fmt.Errorf("it has %d voices; list 1 to %d under [[engine.voice]]", len(e.Voices), mostVoices)
	}
	for _, v := range e.Voices {
		if !voiceIDs.MatchString(v.ID) {
			return fmt.Errorf("voice %q: an id has letters, digits and . _ + / - inside", v.ID)
		}
	}
	return nil
}

// Open returns the engines that the file speech.toml of a data folder names, or eSpeak NG
// alone. homes is a folder for empty working directories.
func Open(data, homes string, log *slog.Logger) (map[string]Engine, error) {
	path := filepath.Join(data, "speech.toml")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		b, err = []byte("[[engine]]\nname = \"espeak\"\nkind = \"espeak\"\n"), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the voices: %w", err)
	}
	s, err := parseSetup(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := os.MkdirAll(homes, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder for voices: %w", err)
	}
	engines := map[string]Engine{}
	for _, e := range s.Engines {
		if engines[e.Name], err = e.open(homes, log); err != nil {
			return nil, fmt.Errorf("%s: engine %q: %w", path, e.Name, err)
		}
	}
	return engines, nil
}

func (e engineSetup) open(homes string, log *slog.Logger) (Engine, error) {
	wait := speakingTime
	if e.Seconds > 0 {
		wait = time.Duration(e.Seconds) * time.Second
	}
	var voices []Voice
	for _, v := range e.Voices {
		voices = append(voices, Voice(v))
	}
	switch e.Kind {
	case "espeak":
		return NewEspeak(homes, log)
	case "command":
		return NewCommand(e.Command, voices, homes, wait, log)
	case "server":
		key, err := e.key()
		if err != nil {
			return nil, err
		}
		return NewServer(e.Address, e.Model, key, voices, wait)
	}
	return nil, fmt.Errorf("kind %q is none of espeak, command and server", e.Kind)
}

func (e engineSetup) key() (string, error) {
	if e.KeyFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(e.KeyFile)
	return strings.TrimSpace(string(b)), err
}
