// Package sink holds the sound cards that a player can play to, real and
// simulated.
//
// All of them promise the same: samples leave at 48,000 a second from an
// instant that is known before the first of them leaves; what the card
// reports as played has left it; samples that come too late are dropped and
// counted, and silence stands in their place, so that a sounding never falls
// behind its neighbours; a card that is away is given a stated time to come
// back and is then an error. Nothing is opened, loaded or running while
// nothing sounds.
//
// Open finds a card by the kind that a board profile names: alsa (the real
// one), wav (a recording for each sounding, at the pace of an ideal crystal),
// null (the same pace, no recording), and oto (any desktop; only in binaries
// built with the tag of that name). Listen is the other direction of a real card.
package sink

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
)

// Config is what the kinds need; each reads only its own part.
type Config struct {
	// Device is the ALSA name of the card, best by id, such as
	// "plughw:CARD=Device,DEV=0": an id survives replugging, a number does
	// not. Empty means "default".
	Device string
	// Dir is the folder for recordings of kind wav.
	Dir string
	// Buffer is what the card queues (0 means 100 ms).
	Buffer time.Duration
	// Now is the trusted clock, by which a sounding starts (nil means
	// time.Now). Once started it runs on the machine's own clock, so that a
	// correction is not heard.
	Now func() time.Time
	// Log hears of dropouts and reopened cards (nil means nobody does).
	Log *slog.Logger
}

// kinds is the table of cards.
var kinds = []struct {
	name string
	open func(Config) (player.Opener, error)
}{
	{"alsa", newALSA},
	{"wav", newWAV},
	{"null", newNull},
	{"oto", newOto},
}

// Open returns the kind of card that a board profile names. It touches no
// hardware; the card itself is opened for each sounding.
func Open(kind string, cfg Config) (player.Opener, error) {
	if cfg.Buffer <= 0 {
		cfg.Buffer = 100 * time.Millisecond
	}
	if cfg.Buffer < 40*time.Millisecond || cfg.Buffer > 2*time.Second {
		return nil, fmt.Errorf("sink: a buffer of %v; choose 40 ms to 2 s", cfg.Buffer)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	names := make([]string, 0, len(kinds))
	for _, k := range kinds {
		if k.name == kind {
			return k.open(cfg)
		}
		names = append(names, k.name)
	}
	return nil, fmt.Errorf("sink: no kind %q; choose one of %s", kind, strings.Join(names, ", "))
}

// span is the length of n frames.
func span(n int64) time.Duration {
	return time.Duration(n/media.SampleRate)*time.Second + time.Duration(n%media.SampleRate)*time.Second/media.SampleRate
}

// frames is the number of whole frames in a length.
func frames(d time.Duration) int64 {
	return int64(d/time.Second)*media.SampleRate + int64(d%time.Second)*media.SampleRate/int64(time.Second)
}
