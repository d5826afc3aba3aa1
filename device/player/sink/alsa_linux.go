package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/device/player"
)

const (
	// alsaPeriod is the step in which the card takes samples.
	alsaPeriod = 20 * time.Millisecond
	// alsaCushion is queued before the first sample when there is no time
	// for more, so that the card does not run dry at once.
	alsaCushion = 60 * time.Millisecond
	// alsaAway is how long a card may be away, or stand still, before the
	// sounding fails. The relay opens after two seconds without movement.
	alsaAway = 1500 * time.Millisecond
	// alsaRetry is the pause between two attempts to open the card again.
	alsaRetry = 100 * time.Millisecond
	// alsaMends bounds the attempts between two samples that were taken.
	alsaMends = 8
	// alsaReadings of the queue are compared to find where the card stands.
	alsaReadings = 9
)

// library opens cards; libasound is one, tests have another.
type library interface {
	open(device string, buffer, period time.Duration) (card, error)
}

// card is one open PCM. Its errors are errno values.
type card interface {
	// write queues some of the samples and starts the card if it stands; it
	// never waits (EAGAIN) and says EPIPE when the card ran dry.
	write(samples []int16) (int, error)
	// delay is the number of frames between the next one written and the air.
	delay() (int, error)
	// prepare makes a card that ran dry ready again, with an empty queue.
	prepare() error
	close() error
}

type alsaOpener struct {
	cfg Config
	lib library
}

func (o alsaOpener) Open(context.Context, string) (player.Sink, error) {
	a := &alsa{cfg: o.cfg, lib: o.lib}
	if err := a.reach(); err != nil {
		return nil, fmt.Errorf("sink: open %s: %w", o.cfg.Device, err)
	}
	return a, nil
}

// alsa keeps a time line, frame n at first + n/48000, on a card that knows
// nothing of instants. It fills the card with silence up to the first sample,
// and after every interruption up to the sample whose turn it is, dropping
// those whose turn has passed.
type alsa struct {
	cfg  Config
	lib  library
	card card

	// The present run of the card, from prepare to interruption.
	written  int64       // frames queued, silence too
	sounding int64       // of them, samples of the sounding
	trail    int64       // silence queued behind the sounding
	origins  []time.Time // estimates of the instant of the run's frame 0

	// The time line, by the machine's clock.
	first   time.Time
	taken   int64 // frames accounted for
	lost    int64 // of them, never played
	late    int64 // coming frames to drop
	played  int64 // greatest count reported
	dryRuns int
	mended  int // attempts since a sample was taken
}

func (a *alsa) reach() error {
	c, err := a.lib.open(a.cfg.Device, a.cfg.Buffer, alsaPeriod)
	if err != nil {
		return err
	}
	a.card = c
	a.begin()
	return nil
}

// begin forgets the card's former run.
func (a *alsa) begin() {
	a.written, a.sounding, a.trail, a.origins = 0, 0, 0, a.origins[:0]
}

// Start runs the card on silence so that the next frame leaves at the instant.
func (a *alsa) Start(ctx context.Context, at time.Time) (time.Time, error) {
	wanted := time.Now().Add(at.Sub(a.cfg.Now()))
	var first time.Time
	align := func() (err error) {
		first, err = a.align(ctx, wanted)
		return err
	}
	if err := a.mend(ctx, align(), align); err != nil {
		return time.Time{}, err
	}
	a.first = first
	return at.Add(first.Sub(wanted)), nil
}

// mend makes the card usable again after err and then goes on, until that
// works, ctx ends or the card is given up.
func (a *alsa) mend(ctx context.Context, err error, then func() error) error {
	for err != nil && ctx.Err() == nil && !errors.Is(err, errGone) {
		if a.mended++; a.mended > alsaMends {
			return fmt.Errorf("%w: %s took no sample after %d attempts: %w", errGone, a.cfg.Device, alsaMends, err)
		}
		if err = a.recover(ctx, err); err == nil {
			err = then()
		}
	}
	return err
}

// align queues silence until the next frame written leaves at the instant, or
// as soon after it as the card can.
func (a *alsa) align(ctx context.Context, at time.Time) (time.Time, error) {
	if err := a.quiet(ctx, frames(alsaCushion)); err != nil {
		return time.Time{}, err
	}
	for {
		if err := a.look(); err != nil {
			return time.Time{}, err
		}
		next := a.next()
		ahead := frames(at.Sub(next))
		switch {
		case len(a.origins) < 2: // one reading may be off by a period
			if err := sleep(ctx, alsaPeriod/4); err != nil {
				return time.Time{}, err
			}
			continue
		case ahead <= 0:
			return next, nil
		case time.Until(next.Add(span(ahead))) <= a.cfg.Buffer:
			err := a.quiet(ctx, ahead)
			return a.next(), err
		}
		if err := a.quiet(ctx, min(ahead, frames(alsaPeriod))); err != nil {
			return time.Time{}, err
		}
	}
}

// look takes a reading of where the card stands. One that was held up between
// its two looks at the clock says little and is taken again.
func (a *alsa) look() error {
	for try := 0; ; try++ {
		before := time.Now()
		d, err := a.card.delay()
		if err != nil {
			return err
		}
		bracket := time.Since(before)
		if bracket > 200*time.Microsecond && try < 5 {
			continue
		}
		if len(a.origins) == alsaReadings {
			a.origins = slices.Delete(a.origins, 0, 1)
		}
		a.origins = append(a.origins, before.Add(bracket/2+span(int64(d))-span(a.written)))
		return nil
	}
}

// next is the instant at which the next frame written will leave, by the
// earliest of the readings: a card that counts in periods reports too long a
// queue, never too short a one.
func (a *alsa) next() time.Time {
	return slices.MinFunc(a.origins, time.Time.Compare).Add(span(a.written))
}

// quiet queues n frames of silence.
func (a *alsa) quiet(ctx context.Context, n int64) error {
	silence := make([]int16, min(n, frames(alsaPeriod)))
	for n > 0 {
		got, err := a.push(ctx, silence[:min(n, int64(len(silence)))])
		n -= int64(got)
		if err != nil {
			return err
		}
	}
	return nil
}

// push queues at least one sample, waiting for room.
func (a *alsa) push(ctx context.Context, samples []int16) (int, error) {
	for waited := time.Duration(0); ; waited += alsaPeriod / 4 {
		n, err := a.card.write(samples)
		if n > 0 {
			a.written += int64(n)
			return n, nil
		}
		if err != nil && !errors.Is(err, syscall.EAGAIN) {
			return 0, err
		}
		if waited > alsaAway/2 {
			return 0, syscall.ETIMEDOUT // a card that stands still is as good as gone
		}
		if err := sleep(ctx, alsaPeriod/4); err != nil {
			return 0, err
		}
	}
}

// Write queues the samples; those that an interruption has made late are lost.
func (a *alsa) Write(ctx context.Context, samples []int16) (player.Position, error) {
	if a.first.IsZero() {
		return player.Position{}, errNotStarted
	}
	for len(samples) > 0 {
		if n := min(a.late, int64(len(samples))); n > 0 {
			a.late -= n
			a.lost += n
			a.taken += n
			samples = samples[n:]
			continue
		}
		n, err := a.push(ctx, samples)
		a.taken += int64(n)
		a.sounding += int64(n)
		samples = samples[n:]
		if n > 0 {
			a.mended = 0
		}
		if err := a.mend(ctx, err, func() error { return a.resume(ctx) }); err != nil {
			return a.position(), err
		}
	}
	return a.position(), nil
}

// errGone means that a card stayed away for longer than a sounding can bear.
var errGone = errors.New("sink: the sound card is gone")

// recover makes the card usable again after an error: one that ran dry is
// prepared, any other is closed and opened by its name until it is back.
func (a *alsa) recover(ctx context.Context, cause error) error {
	if errors.Is(cause, syscall.EPIPE) || errors.Is(cause, syscall.ESTRPIPE) {
		a.dryRuns++
		a.cfg.Log.Warn("sound card ran dry", "device", a.cfg.Device, "times", a.dryRuns)
		if err := a.card.prepare(); err == nil {
			a.begin()
			return nil
		}
	}
	a.cfg.Log.Warn("sound card lost, opening it again", "device", a.cfg.Device, "error", cause)
	a.forget()
	_ = a.card.close() // it is broken already
	for waited := time.Duration(0); waited < alsaAway; waited += alsaRetry {
		if err := a.reach(); err == nil {
			a.cfg.Log.Info("sound card is back", "device", a.cfg.Device, "after", waited)
			return nil
		}
		if err := sleep(ctx, alsaRetry); err != nil {
			a.card = closedCard{}
			return err
		}
	}
	a.card = closedCard{}
	return fmt.Errorf("%w: %s stayed away for %v: %w", errGone, a.cfg.Device, alsaAway, cause)
}

// forget counts what a lost card still held as lost.
func (a *alsa) forget() {
	if a.first.IsZero() {
		return
	}
	held := a.taken - frames(time.Since(a.first))
	a.lost += max(0, min(held, a.sounding))
}

// resume brings the card back onto the time line.
func (a *alsa) resume(ctx context.Context) error {
	due := a.first.Add(span(a.taken))
	actual, err := a.align(ctx, due)
	if err != nil {
		return err
	}
	a.late = max(0, frames(actual.Sub(due)))
	return nil
}

func (a *alsa) position() player.Position {
	held := a.sounding
	if d, err := a.card.delay(); err == nil {
		held = max(0, min(int64(d)-a.trail, a.sounding))
	} else if errors.Is(err, syscall.EPIPE) {
		held = 0 // dry: everything has left
	}
	a.played = max(a.played, a.taken-a.lost-held)
	return player.Position{Frames: uint64(a.played), Lost: uint64(a.lost)}
}

// Drain waits until the last sample has left. Silence follows it for so long,
// because the way from the queue to the air is part of the delay and a card
// that ran dry no longer tells it.
func (a *alsa) Drain(ctx context.Context) (player.Position, error) {
	if a.first.IsZero() {
		return player.Position{}, nil
	}
	for from := time.Now(); a.holds() && time.Since(from) < alsaAway; {
		before := a.written
		err := a.quiet(ctx, frames(alsaPeriod/4))
		a.trail += a.written - before
		if cause := context.Cause(ctx); cause != nil {
			return a.position(), cause
		}
		if err != nil {
			break // the position says how far it came
		}
	}
	return a.position(), nil
}

// holds tells whether samples of the sounding are still on their way.
func (a *alsa) holds() bool {
	d, err := a.card.delay()
	return err == nil && int64(d) > a.trail
}

func (a *alsa) Close() error {
	if err := a.card.close(); err != nil {
		return fmt.Errorf("sink: close %s: %w", a.cfg.Device, err)
	}
	return nil
}

// closedCard stands where a card was given up.
type closedCard struct{}

func (closedCard) write([]int16) (int, error) { return 0, syscall.ENODEV }
func (closedCard) delay() (int, error)        { return 0, syscall.ENODEV }
func (closedCard) prepare() error             { return syscall.ENODEV }
func (closedCard) close() error               { return nil }

// newALSA is the kind alsa. libasound is loaded when the first card is opened,
// so a binary starts on a machine that has none.
func newALSA(cfg Config) (player.Opener, error) {
	if cfg.Device == "" {
		cfg.Device = "default"
	}
	return alsaOpener{cfg: cfg, lib: &libasound{}}, nil
}
