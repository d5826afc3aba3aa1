// Package speech is the microphone in the box, for whoever may speak there.
//
// What always holds: the microphone is open only from the moment a sounding is
// prepared until it is over, and hears nothing before its first sample; what is
// heard from the horns is what is recorded; a microphone that is gone, or gives
// nothing but silence for a quarter of a minute, ends the sounding; and a
// recording that is cut by the power ends where the card was last told, two
// seconds before at most. It never decides who may speak: the node does.
//
// How: a Booth opens a speech (Path) as a player opens a recording. Samples go
// to the player at once, and to the card through a queue (recording.go), so that
// a card that hangs is not heard. What is on the card stays until the centre has
// it or its room is needed (kept.go).
package speech

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
)

// ErrMicrophone means that the microphone is not there, failed, or is silent.
var ErrMicrophone = errors.New("the microphone")

// Source opens the microphone.
type Source interface {
	// Open makes sure that it is there.
	Open(ctx context.Context) (Capture, error)
}

// Capture is an open microphone: 48 kHz, mono, signed 16-bit.
type Capture interface {
	// Read waits for the next samples, from the first call on, at the pace at
	// which they are spoken; one that gives none for two seconds is an error.
	Read(ctx context.Context, pcm []int16) (int, error)
	Close() error
}

// Config is what a Booth is made of. All but Log is required.
type Config struct {
	Source Source
	// Each opens everything that is not a speech.
	Each player.Decoder
	// Dir is where recordings are kept.
	Dir string
	Log *slog.Logger
}

// Booth is where somebody speaks, one at a time.
type Booth struct {
	cfg    Config
	record func(path string, log *slog.Logger) (*tape, error)

	mu  sync.Mutex
	now *take // nil while nobody speaks
}

// New makes a booth. It opens nothing.
func New(cfg Config) *Booth {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Booth{cfg: cfg, record: record}
}

const (
	prefix = "speech:"
	// cushion is what the sound card has in hand while a block is spoken.
	cushion = media.SampleRate / 10
	// quiet is below what any open microphone gives: 60 dB under full scale.
	quiet = 32
	// silence is how long it may give no more.
	silence = 15 * media.SampleRate
)

// order is what a Path says.
type order struct {
	Name       string `json:"name"`
	Millis     int64  `json:"ms"`
	Unrecorded bool   `json:"unrecorded,omitempty"`
}

// Path names a speech of at most that length, to be opened by a Booth. Without a
// recording it is heard only if unrecorded says so.
func Path(name string, most time.Duration, unrecorded bool) string {
	b, err := json.Marshal(order{name, most.Milliseconds(), unrecorded})
	if err != nil {
		return prefix // unreachable: text and numbers always encode
	}
	return prefix + string(b)
}

// Open opens the microphone for a speech.
func (b *Booth) Open(ctx context.Context, path string, from int64) (player.Stream, error) {
	text, found := strings.CutPrefix(path, prefix)
	if !found {
		return b.cfg.Each.Open(ctx, path, from)
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil || o.Name == "" || o.Name != filepath.Base(o.Name) || o.Millis <= 0 || from != 0 {
		return nil, errors.Join(err, fmt.Errorf("speech: %q from sample %d", text, from))
	}
	t := &take{booth: b, name: o.Name, total: o.Millis * media.SampleRate / 1000, pause: cushion, over: make(chan struct{})}
	if err := b.enter(t); err != nil {
		return nil, err
	}
	var err error
	if t.capture, err = b.cfg.Source.Open(ctx); err != nil {
		b.leave(t)
		return nil, fmt.Errorf("%w: %w", ErrMicrophone, err)
	}
	t.tape, err = taped(func() (*tape, error) { return b.record(b.file(o.Name), b.cfg.Log) })
	switch {
	case err != nil && o.Unrecorded:
		b.cfg.Log.Error("what is spoken is not recorded", "speech", o.Name, "err", err)
	case err != nil:
		b.leave(t)
		return nil, errors.Join(fmt.Errorf("speech: %w", err), t.capture.Close())
	}
	return t, nil
}

func (b *Booth) enter(t *take) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now != nil {
		return fmt.Errorf("%w: somebody speaks already", ErrMicrophone)
	}
	b.now = t
	return nil
}

func (b *Booth) leave(t *take) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now == t {
		b.now = nil
	}
}

// End ends the speech of that name, as whoever spoke wants it.
func (b *Booth) End(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now != nil && b.now.name == name {
		b.now.end()
	}
}

// file is where what is spoken under a name is recorded.
func (b *Booth) file(name string) string { return b.path(name, suffix) }

// take is one speech.
type take struct {
	booth   *Booth
	name    string
	capture Capture
	tape    *tape // nil: it is not recorded
	total   int64
	pause   int64 // samples of silence to give before the next that is spoken
	paused  bool  // what was given last was silence
	dumb    int64 // samples of silence at the end of what was given
	once    sync.Once
	over    chan struct{}
}

func (t *take) end() { t.once.Do(func() { close(t.over) }) }

// Samples is the greatest length; see player.Stream.
func (t *take) Samples() int64 { return t.total }

// Read gives what is spoken now.
func (t *take) Read(ctx context.Context, pcm []int16) (int, error) {
	select {
	case <-t.over:
		return 0, player.ErrSpoken
	default:
	}
	if t.paused = t.pause > 0; t.paused {
		n := int(min(t.pause, int64(len(pcm))))
		clear(pcm[:n])
		t.pause -= int64(n)
		return n, nil
	}
	n, err := t.capture.Read(ctx, pcm)
	if err != nil {
		return n, fmt.Errorf("%w: %w", ErrMicrophone, err)
	}
	if t.tape != nil {
		t.tape.take(pcm[:n])
	}
	if t.dumb = dumb(t.dumb, pcm[:n]); t.dumb > silence {
		return n, fmt.Errorf("%w is silent", ErrMicrophone)
	}
	return n, nil
}

// Late has the card wait for what is spoken next: a moment of silence instead of
// all that follows. What the silence itself comes too late for is not counted.
func (t *take) Late() {
	if !t.paused {
		t.pause = cushion
	}
}

// dumb counts on how many samples in a row are silence.
func dumb(before int64, pcm []int16) int64 {
	for i := len(pcm) - 1; i >= 0; i-- {
		if pcm[i] > quiet || pcm[i] < -quiet {
			return int64(len(pcm) - 1 - i)
		}
	}
	return before + int64(len(pcm))
}

// Close closes the microphone, and the recording once it is on the card.
func (t *take) Close() error {
	defer t.booth.leave(t)
	err := t.capture.Close()
	if t.tape != nil {
		err = errors.Join(err, t.tape.close())
	}
	return err
}
