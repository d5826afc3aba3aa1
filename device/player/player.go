// Package player makes one sounding heard: on time, once, and with the proof.
//
// It promises the order of things: the content is decoded and the sound card
// opened before the relay closes; the relay is closed for the whole warm-up
// before the first sample; the caller has journalled "playing" before the
// first sample, and when it could not, nothing sounds; the relay is released
// only after the card says that the last sample has left. Neighbouring nodes
// that are told the same start put the same sample on the air at the same
// instant, also when one of them begins late. What is reported as played was
// played by the card, not merely handed to it.
//
// It never decides whether something may sound, never queues and never
// repeats: the node does. One sounding at a time uses a Player; a second one
// gets ErrBusy. Cancelling the context of a sounding fades it out and lets go
// within half a second, which is how a withdrawal or an emergency takes over.
//
// Prepare may run while another sounding is heard, so that an emergency needs
// nothing but the relay and the card when its turn comes.
package player

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// Reasons for which a sounding ends before its end. A sounding whose context
// was cancelled wraps the cause of the cancellation instead.
var (
	// ErrBusy: another sounding uses the player, or too many are prepared.
	ErrBusy = errors.New("the player is in use")
	// ErrLate: the first sample could not leave within the sounding's limit.
	ErrLate = errors.New("too late to begin")
	// ErrNotJournalled: the caller could not record the sounding, so it did not sound.
	ErrNotJournalled = errors.New("not journalled")
	// ErrPower: the relay did not close, or opened while samples left.
	ErrPower = errors.New("no amplifier power")
	// ErrSink: the sound card could not be opened or stopped taking samples.
	ErrSink = errors.New("sound card failed")
	// ErrContent: the content could not be decoded, or not to its end.
	ErrContent = errors.New("content failed")
	// ErrSpoken is given by a stream whose length nobody knew: whoever spoke has
	// ended, and the sounding is complete with it.
	ErrSpoken = errors.New("whoever spoke has ended")
	// ErrCut: the sounding reached its MaxDuration and was faded out.
	ErrCut = errors.New("cut at its greatest duration")
)

// Amplifier powers the horns for a sounding.
type Amplifier interface {
	// On closes the relay, waiting out a minimum off time, and returns the
	// instant at which it closed by the machine's clock, time.Now (long ago
	// when it was still held).
	On(ctx context.Context) (closed time.Time, err error)
	// Moving is told the frames that the card has played, at least every
	// 200 ms while samples leave; its error means that the relay is open.
	Moving(frames uint64) error
	// Rest says that the sound is over.
	Rest() error
}

// Decoder opens content for playing.
type Decoder interface {
	// Open returns when the content is known to be sound and its first
	// second after sample from is decoded.
	Open(ctx context.Context, path string, from int64) (Stream, error)
}

// Stream is decoded content: 48 kHz, mono, signed 16-bit.
type Stream interface {
	// Samples is the exact number that Read will give in all, or the greatest
	// if it may end in ErrSpoken.
	Samples() int64
	// Read fills part of pcm, at least one sample, or returns io.EOF.
	Read(ctx context.Context, pcm []int16) (int, error)
	io.Closer
}

// Live is a Stream of what is said only now. It cannot be read faster, so once it
// is late it stays late, and every later sample would be lost as well.
type Live interface {
	// Late says that samples came too late for the card. The stream makes up
	// for it with a pause.
	Late()
}

// Opener opens the sound card for one sounding.
type Opener interface {
	// Open names the sounding so that a recording can be told from others.
	Open(ctx context.Context, name string) (Sink, error)
}

// Sink is an open sound card: 48 kHz, mono, signed 16-bit.
type Sink interface {
	// Start arms the card so that the next sample written leaves at the
	// instant, or as soon after it as can be, and returns the instant at
	// which it will leave. It may wait until shortly before.
	Start(ctx context.Context, at time.Time) (first time.Time, err error)
	// Write queues samples behind those queued before, at the pace of the
	// card: it returns when they are queued.
	Write(ctx context.Context, samples []int16) (Position, error)
	// Drain waits until everything queued has left.
	Drain(ctx context.Context) (Position, error)
	io.Closer
}

// Position is what the card itself says.
type Position struct {
	// Frames have left the card since Start; silence that the card filled
	// in by itself does not count.
	Frames uint64
	// Lost frames were taken and never left: the card was gone or ran dry,
	// and they were dropped so that the rest stays on time.
	Lost uint64
}

// Events are told to the caller as a sounding goes through its stages. None
// is called after Play has returned.
type Events interface {
	// Powered says when the relay closed.
	Powered(closed time.Time)
	// Playing announces the instant of the first sample before it leaves.
	// When it returns an error nothing sounds.
	Playing(first time.Time) error
	// Progress is called about once a second while samples leave.
	Progress(p Progress)
}

// Progress says how far a sounding has come, in samples, and how loud it was
// since the last time it was said.
type Progress struct {
	Played, Total int64
	Level         media.Decibel
}

// Config is what a Player is made of. All interfaces are required.
type Config struct {
	Amplifier Amplifier
	Decoder   Decoder
	Sinks     Opener
	// WarmUp is the time from the relay's closing to the first sample
	// (board profile; 0 means 1500 ms).
	WarmUp time.Duration
	// Now is the trusted clock that Start instants are read against, and the
	// one that Sinks was given (nil means time.Now). A correction of it moves
	// a sounding that has not begun and none that has.
	Now func() time.Time
	Log *slog.Logger
}

// maxPrepared bounds the decoders that wait for their turn: the sounding in
// progress, the next, and an emergency before both, with one to spare.
const maxPrepared = 4

// Player plays one sounding at a time. At rest it holds no buffer, no process
// and no open card.
type Player struct {
	cfg      Config
	busy     atomic.Bool
	prepared atomic.Int32
}

// New returns a Player at rest.
func New(cfg Config) *Player {
	if cfg.WarmUp <= 0 {
		cfg.WarmUp = 1500 * time.Millisecond
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Player{cfg: cfg}
}

// Prepared is a sounding whose first second is decoded. It holds a decoder
// until Play or Discard.
type Prepared struct {
	player *Player
	s      Sounding
	stream Stream
	chime  []int16 // what is left of the chime after the offset
	loose  atomic.Bool
}

// Prepare opens the content of a sounding and decodes its first second. The
// result must be played or discarded. Errors: ErrBusy when too many wait,
// ErrContent with the decoder's reason, or a sounding without sense.
func (p *Player) Prepare(ctx context.Context, s Sounding) (*Prepared, error) {
	s, err := s.complete()
	if err != nil {
		return nil, err
	}
	if p.prepared.Add(1) > maxPrepared {
		p.prepared.Add(-1)
		return nil, fmt.Errorf("player: %w: %d soundings are prepared already", ErrBusy, maxPrepared)
	}
	offset := samplesIn(s.Offset)
	skipped := min(offset, int64(len(s.Chime)))
	stream, err := p.open(ctx, s.Content.Path, offset-skipped)
	if err != nil {
		p.prepared.Add(-1)
		return nil, fmt.Errorf("player: prepare %s: %w: %w", s.Name, ErrContent, err)
	}
	r := &Prepared{player: p, s: s, stream: stream, chime: s.Chime[skipped:]}
	r.compareDuration(offset - skipped)
	return r, nil
}

func (p *Player) open(ctx context.Context, path string, from int64) (Stream, error) {
	if path == "" {
		return nothing{}, nil
	}
	return p.cfg.Decoder.Open(ctx, path, from)
}

// nothing is the content of a sounding that is only a chime.
type nothing struct{}

func (nothing) Samples() int64                             { return 0 }
func (nothing) Read(context.Context, []int16) (int, error) { return 0, io.EOF }
func (nothing) Close() error                               { return nil }

// compareDuration warns when the content is not as long as the plan thought;
// it sounds all the same, because its hash was right.
func (r *Prepared) compareDuration(from int64) {
	want, got := r.s.Content.Duration, duration(from+r.stream.Samples())
	if want > 0 && (got-want).Abs() > time.Second {
		r.player.cfg.Log.Warn("content is not as long as announced", "sounding", r.s.Name, "announced", want, "found", got)
	}
}

// Samples is the length of what will be heard when it begins on time.
func (r *Prepared) Samples() int64 { return int64(len(r.chime)) + r.stream.Samples() }

// Discard gives the decoder back. It may be called at any time and again.
func (r *Prepared) Discard() {
	if !r.loose.CompareAndSwap(false, true) {
		return
	}
	if err := r.stream.Close(); err != nil {
		r.player.cfg.Log.Warn("close the decoder", "sounding", r.s.Name, "error", err)
	}
	r.player.prepared.Add(-1)
}

// Play prepares a sounding shortly before its start and plays it. It returns
// when the sound is over, with what was proved of it; the evidence is right
// whatever the error.
func (p *Player) Play(ctx context.Context, s Sounding, events Events) (Evidence, error) {
	if err := p.until(ctx, s.Start.Add(-p.cfg.WarmUp-prepareLead)); err != nil {
		return Evidence{}, fmt.Errorf("player: %s: %w", s.Name, err)
	}
	prepared, err := p.Prepare(ctx, s)
	if err != nil {
		return Evidence{}, err
	}
	defer prepared.Discard()
	return prepared.Play(ctx, events)
}

// until sleeps to an instant of the trusted clock; the past returns at once.
// It looks at the clock every second, because that clock may be corrected.
func (p *Player) until(ctx context.Context, at time.Time) error {
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		wait := at.Sub(p.cfg.Now())
		if wait <= 0 {
			return nil
		}
		timer := time.NewTimer(min(wait, time.Second))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}
