package player

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

const (
	// prepareLead is how long before the relay the decoder is started.
	prepareLead = 5 * time.Second
	// openLead is how long before the relay the card is opened: its own
	// click stays inaudible, and a card that is missing closes no relay.
	openLead = 300 * time.Millisecond
	// journalLead is the time for the caller's journal to reach the disk.
	journalLead = 500 * time.Millisecond
	// relaySlack is how much shorter the warm-up may be because the relay
	// took a moment to answer; beyond it the start moves instead.
	relaySlack = 20 * time.Millisecond
	// stopFade is the fade-out of a sounding that is stopped.
	stopFade = 120 * time.Millisecond
	// stopGrace is the time the card has after a stop to play what it holds.
	stopGrace = 500 * time.Millisecond
	// blockSamples are handed to the card at a time: 20 ms.
	blockSamples = media.SampleRate / 50
	// movingSamples is the distance between two signs of life: 100 ms.
	movingSamples = media.SampleRate / 10
)

// run is one sounding under way.
type run struct {
	*Player
	prepared *Prepared
	s        Sounding
	events   Events
	sink     Sink
	patient  context.Context // outlives a stop by stopGrace

	gain    media.Gain
	in, out *media.Fade
	block   []int16
	chime   []int16
	total   int64 // samples that shall be heard
	sent    int64 // of them, handed to the card
	cut     bool

	powered, first time.Time
	position       Position
	moved, shown   uint64
	missed         uint64 // of position.Lost, what a live stream was told
	skipped        int64
	level          level
}

// Play sounds the prepared sounding at its start. It returns when the relay
// has been let go. See Player.Play for what it returns; after ErrBusy, and
// only then, the sounding is still prepared.
func (r *Prepared) Play(ctx context.Context, events Events) (Evidence, error) {
	p := r.player
	if !p.busy.CompareAndSwap(false, true) {
		return Evidence{}, fmt.Errorf("player: %s: %w", r.s.Name, ErrBusy)
	}
	defer p.busy.Store(false)
	if r.loose.Load() {
		return Evidence{}, fmt.Errorf("player: %s was played or discarded before", r.s.Name)
	}
	defer r.Discard()
	patient, give := outlive(ctx, stopGrace)
	defer give()
	x := &run{Player: p, prepared: r, s: r.s, events: events, patient: patient, chime: r.chime, total: r.Samples()}
	if err := x.sound(ctx); err != nil {
		return x.evidence(), fmt.Errorf("player: %s: after %v: %w", r.s.Name, duration(x.played()), err)
	}
	return x.evidence(), nil
}

// outlive returns a context that ends some time after ctx.
func outlive(ctx context.Context, grace time.Duration) (context.Context, func()) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		late := time.AfterFunc(grace, func() { cancel(context.Cause(ctx)) })
		context.AfterFunc(longer, func() { late.Stop() })
	})
	return longer, func() { stop(); cancel(nil) }
}

// sound is the sequence of one sounding from card to card.
func (x *run) sound(ctx context.Context) (err error) {
	if err := x.until(ctx, x.s.Start.Add(-x.cfg.WarmUp-openLead)); err != nil {
		return err
	}
	if err := x.tooLate(x.cfg.Now()); err != nil {
		return err
	}
	if x.sink, err = x.cfg.Sinks.Open(ctx, x.s.Name); err != nil {
		return fmt.Errorf("%w: open: %w", ErrSink, err)
	}
	defer func() { err = errors.Join(err, x.close()) }()
	if err := x.until(ctx, x.s.Start.Add(-x.cfg.WarmUp)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.rest()) }()
	start, err := x.power(ctx)
	if err != nil {
		return err
	}
	if err := x.announce(ctx, start); err != nil {
		return err
	}
	if err := x.arm(ctx, start); err != nil {
		return err
	}
	return x.pour(ctx)
}

// power closes the relay and returns the instant from which samples may leave.
func (x *run) power(ctx context.Context) (time.Time, error) {
	closed, err := x.cfg.Amplifier.On(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return time.Time{}, cause
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", ErrPower, err)
	}
	closed = x.cfg.Now().Add(-time.Since(closed)) // the same moment by the trusted clock
	x.powered = closed
	x.events.Powered(closed)
	start := x.s.Start
	if warm := closed.Add(x.cfg.WarmUp); warm.Sub(start) > relaySlack {
		start = warm
	}
	return start, x.tooLate(start)
}

// tooLate says whether a sounding that begins at first is still wanted.
func (x *run) tooLate(first time.Time) error {
	late := first.Sub(x.s.Start)
	if late > x.s.Late {
		return fmt.Errorf("%w: it could begin %v after its start, the limit is %v", ErrLate, late, x.s.Late)
	}
	if !x.s.Whole && samplesIn(late) >= x.prepared.Samples() {
		return fmt.Errorf("%w: it would be over, %v after its start", ErrLate, late)
	}
	return nil
}

// announce has the sounding journalled before its first sample.
func (x *run) announce(ctx context.Context, start time.Time) error {
	if err := x.until(ctx, start.Add(-journalLead)); err != nil {
		return err
	}
	if err := x.events.Playing(start); err != nil {
		return fmt.Errorf("%w: %w", ErrNotJournalled, err)
	}
	return context.Cause(ctx)
}

// arm starts the card and settles which samples will be heard.
func (x *run) arm(ctx context.Context, start time.Time) error {
	first, err := x.sink.Start(ctx, start)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if err != nil {
		return fmt.Errorf("%w: start: %w", ErrSink, err)
	}
	if err := x.tooLate(first); err != nil {
		return err
	}
	x.first = first
	if late := first.Sub(x.s.Start); late > 0 && !x.s.Whole {
		x.skipped = samplesIn(late)
	}
	x.total = x.prepared.Samples() - x.skipped
	if most := samplesIn(x.s.MaxDuration); x.total > most {
		x.total, x.cut = most, true
	}
	fadeOut := min(samplesIn(x.s.FadeOut), x.total)
	x.in = media.FadeIn(media.EqualPower, int(samplesIn(x.s.FadeIn)))
	x.out = media.FadeOut(media.EqualPower, x.total-fadeOut, int(fadeOut))
	x.gain = media.NewGain(x.s.Gain, x.s.Ceiling)
	x.block = make([]int16, blockSamples)
	return x.skip(ctx)
}

// skip throws away what should have been heard before the first sample.
func (x *run) skip(ctx context.Context) error {
	for left := x.skipped; left > 0; {
		n, err := x.fill(ctx, x.block[:min(left, blockSamples)])
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	return nil
}

// pour hands the whole sounding to the card and waits until it has left.
func (x *run) pour(ctx context.Context) error {
	for x.sent < x.total {
		if ctx.Err() != nil {
			return x.stop(context.Cause(ctx))
		}
		n, err := x.fill(ctx, x.block[:min(blockSamples, x.total-x.sent)])
		if errors.Is(err, ErrSpoken) {
			return x.spoken(ctx, n)
		}
		if err == nil {
			err = x.send(x.block[:n])
		} else if ctx.Err() == nil {
			err = errors.Join(err, x.soften())
		} else {
			err = x.stop(context.Cause(ctx))
		}
		if err != nil {
			return err
		}
	}
	if err := x.hush(ctx); err != nil {
		return err
	}
	if x.cut {
		return fmt.Errorf("%w of %v", ErrCut, x.s.MaxDuration)
	}
	return nil
}

// spoken ends a sounding with the last samples that somebody spoke.
func (x *run) spoken(ctx context.Context, n int) error {
	x.total = x.sent + int64(n)
	if err := errors.Join(x.send(x.block[:n]), x.soften()); err != nil {
		return err
	}
	return x.hush(ctx)
}

// fill reads the next samples of chime and content until the block is full.
func (x *run) fill(ctx context.Context, block []int16) (int, error) {
	n := copy(block, x.chime)
	x.chime = x.chime[n:]
	for n < len(block) {
		got, err := x.prepared.stream.Read(ctx, block[n:])
		n += got
		if errors.Is(err, io.EOF) {
			return n, fmt.Errorf("%w: it ended early", ErrContent)
		}
		if err != nil {
			return n, fmt.Errorf("%w: %w", ErrContent, err)
		}
	}
	return n, nil
}

// send shapes samples and queues them.
func (x *run) send(block []int16) error {
	x.gain.Apply(block)
	x.in.Apply(block)
	x.out.Apply(block)
	x.sent += int64(len(block))
	x.level.queue(uint64(x.sent), block)
	return x.write(block)
}

func (x *run) write(block []int16) error {
	position, err := x.sink.Write(x.patient, block)
	return x.told(position, err)
}

// told takes the card's word for what it has played, which holds whether it
// goes on or fails.
func (x *run) told(position Position, err error) error {
	if err != nil {
		x.position = position
		x.level.retire(position.Frames + position.Lost)
		return fmt.Errorf("%w: %w", ErrSink, err)
	}
	return x.heard(position)
}

// heard passes on what the card says it has played.
func (x *run) heard(position Position) error {
	x.position = position
	if stream, live := x.prepared.stream.(Live); live && position.Lost > x.missed {
		x.missed = position.Lost
		stream.Late()
	}
	x.level.retire(position.Frames + position.Lost)
	if position.Frames >= x.moved+movingSamples || (x.moved == 0 && position.Frames > 0) {
		x.moved = position.Frames
		if err := x.cfg.Amplifier.Moving(position.Frames); err != nil {
			return fmt.Errorf("%w: %w", ErrPower, err)
		}
	}
	if position.Frames >= x.shown+media.SampleRate {
		x.shown = position.Frames
		x.events.Progress(Progress{Played: x.played(), Total: x.total, Level: x.level.lately()})
	}
	return nil
}

// hush plays the tail and waits for the card.
func (x *run) hush(ctx context.Context) error {
	for left := samplesIn(x.s.Tail); left > 0 && ctx.Err() == nil; left -= blockSamples {
		clear(x.block)
		if err := x.write(x.block[:min(blockSamples, left)]); err != nil {
			return err
		}
	}
	return x.drain()
}

func (x *run) drain() error {
	position, err := x.sink.Drain(x.patient)
	return x.told(position, err)
}

// stop fades out because of cause and returns it. Before the first sample
// there is nothing to fade: closing the card drops what it holds.
func (x *run) stop(cause error) error {
	if x.cfg.Now().Before(x.first) {
		return cause
	}
	length := min(samplesIn(stopFade), x.total-x.sent)
	fade := media.FadeOut(media.Linear, 0, int(length))
	for length > 0 {
		n, err := x.fill(x.patient, x.block[:min(blockSamples, length)])
		if err != nil {
			return errors.Join(cause, x.soften())
		}
		fade.Apply(x.block[:n])
		if err := x.send(x.block[:n]); err != nil {
			return errors.Join(cause, err)
		}
		length -= int64(n)
	}
	return errors.Join(cause, x.drain())
}

// soften ends a sound that has no more samples without a crack: the last
// value goes to zero in 5 ms.
func (x *run) soften() error {
	if x.sent > 0 {
		last := x.level.last
		ramp := x.block[:blockSamples/4]
		for i := range ramp {
			ramp[i] = last
		}
		media.FadeOut(media.Linear, 0, len(ramp)).Apply(ramp)
		if err := x.write(ramp); err != nil {
			return err
		}
	}
	return x.drain()
}

func (x *run) rest() error {
	if err := x.cfg.Amplifier.Rest(); err != nil {
		return fmt.Errorf("%w: let the relay go: %w", ErrPower, err)
	}
	return nil
}

func (x *run) close() error {
	if err := x.sink.Close(); err != nil {
		return fmt.Errorf("%w: close: %w", ErrSink, err)
	}
	return nil
}
