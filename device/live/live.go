// Package live hears relays: sound that exists only now and comes from a
// controller while it is played.
//
// What always holds: not a sample is heard that was not signed by the key that
// the sealed session of exactly this live body names; what is signed otherwise
// ends the relay at once; nothing sounds at another moment than Delay after it was
// on the air, so a recording of yesterday's relay is silence, and neighbours who
// relay the same say the same syllable together, whoever of them comes late; and
// a line that is gone, or a station that gives nothing, for Patience ends the
// relay with the reason. Gaps are silence with soft edges. It never decides
// whether a relay may sound: the node does.
//
// How: a Receiver opens a relay (Path) as a player opens a recording. Opening
// reaches nobody and waits for nobody. One goroutine fetches, verifies and decodes
// into a queue that is sorted by time (queue.go); Read takes from it what is due
// and is never held up.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/decode"
)

const (
	// Delay is what lies between the air and the horns: time for a line to
	// stumble in, the same on every node.
	Delay = 4 * time.Second
	// Patience is how long a relay may be silent because nothing comes.
	Patience = 12 * time.Second
	// Lead is how long before its first sample a relay is best opened.
	Lead = 15 * time.Second

	prefix = "live:"
	rate   = media.SampleRate
	// again is the pause between two attempts to reach a station.
	again = time.Second
)

// The reasons for which a relay ends before its end.
var (
	// ErrStation: the controller was reached, and had nothing to hear.
	ErrStation = errors.New("the station gave no sound")
	// ErrLine: the controller was not reached, or the answer broke off.
	ErrLine = errors.New("no line to the station")
	// ErrUnauthenticated: sound came that nobody with the right to vouches for.
	ErrUnauthenticated = errors.New("live sound is not authenticated")
)

// Line reaches the controllers.
type Line interface {
	// Live begins an answer that goes on as long as there is something to hear.
	Live(ctx context.Context, path string) (io.ReadCloser, error)
}

// Codec makes decoders for live sound.
type Codec interface {
	Packets() (decode.Packets, error)
}

// Config is what a Receiver is made of. Log may be nil.
type Config struct {
	Line  Line
	Codec Codec
	// Session believes a sealed session, or says why not.
	Session func(ctx context.Context, sealed []byte) (broadcast.Session, error)
	// Unreached tells the errors of Line that mean that nobody answered.
	Unreached func(error) bool
	// Each opens everything that is not a relay.
	Each player.Decoder
	Log  *slog.Logger
}

// Receiver opens relays. It is safe for several goroutines.
type Receiver struct{ cfg Config }

// New makes a receiver. It reaches nobody.
func New(cfg Config) *Receiver {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Receiver{cfg}
}

// order is what a Path says.
type order struct {
	Station broadcast.ID      `json:"station"`
	Session broadcast.Key     `json:"session"`
	Start   broadcast.Instant `json:"start"`
	Millis  int64             `json:"ms"`
}

func (o order) body() broadcast.Live {
	return broadcast.Live{Source: broadcast.Relay, Station: o.Station, SessionKey: string(o.Session), Millis: o.Millis}
}

// Path names a relay of a length whose first sample is heard at start, to be
// opened by a Receiver.
func Path(station broadcast.ID, session broadcast.Key, start broadcast.Instant, length time.Duration) string {
	b, err := json.Marshal(order{station, session, start, length.Milliseconds()})
	if err != nil {
		return prefix // unreachable: text and numbers always encode
	}
	return prefix + string(b)
}

// Open begins to listen for a relay from one of its samples on, and returns at once.
func (r *Receiver) Open(ctx context.Context, path string, from int64) (player.Stream, error) {
	text, found := strings.CutPrefix(path, prefix)
	if !found {
		return r.cfg.Each.Open(ctx, path, from)
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return nil, fmt.Errorf("live: %q: %w", text, err)
	}
	total := o.Millis * rate / 1000
	if err := o.body().Validate(); err != nil || from < 0 || from >= total {
		return nil, errors.Join(err, fmt.Errorf("live: %q from sample %d", text, from))
	}
	s := &stream{r: r, order: o, from: from, total: total, done: make(chan struct{}), queue: newQueue(from)}
	listening, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	go s.listen(listening)
	return s, nil
}
