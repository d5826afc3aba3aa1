package sink

import (
	"context"
	"errors"
	"time"

	"github.com/loaxa/loaxa/device/player"
)

// errNotStarted means that samples came before Start.
var errNotStarted = errors.New("sink: written to before it was started")

// tape takes down what an ideal card plays.
type tape interface {
	begin(first time.Time) error
	record(samples []int16) error
	// finish keeps the first played frames and forgets what was still queued.
	finish(played int64) error
}

// paced is an ideal card: frame n leaves at first + n/48000 exactly, and its
// queue has the size of a real one, so a writer that is late is punished as a
// real card would punish it.
type paced struct {
	now    func() time.Time
	buffer int64
	tape   tape

	began time.Time // the instant of frame 0 by the machine's clock
	taken int64     // frames of the time line that are accounted for
	lost  int64
}

func (p *paced) Start(ctx context.Context, at time.Time) (time.Time, error) {
	if err := context.Cause(ctx); err != nil {
		return time.Time{}, err
	}
	wait := max(at.Sub(p.now()), 0)
	p.began = time.Now().Add(wait)
	if wait == 0 {
		at = p.now()
	}
	return at, p.tape.begin(at)
}

func (p *paced) Write(ctx context.Context, samples []int16) (player.Position, error) {
	if p.began.IsZero() {
		return player.Position{}, errNotStarted
	}
	for len(samples) > 0 {
		n := min(int64(len(samples)), p.buffer/2)
		if err := p.until(ctx, p.taken+n-p.buffer); err != nil {
			return p.position(), err
		}
		if err := p.take(samples[:n]); err != nil {
			return p.position(), err
		}
		samples = samples[n:]
	}
	return p.position(), nil
}

// take queues samples; those whose time has passed are lost, and the silence
// that stood in their place is recorded.
func (p *paced) take(samples []int16) error {
	late := max(0, min(frames(time.Since(p.began))-p.taken, int64(len(samples))))
	p.taken += int64(len(samples))
	if late > 0 {
		p.lost += late
		if err := p.tape.record(make([]int16, late)); err != nil {
			return err
		}
	}
	return p.tape.record(samples[late:])
}

// left is the number of frames of the time line that have left.
func (p *paced) left() int64 {
	return max(0, min(frames(time.Since(p.began)), p.taken))
}

func (p *paced) position() player.Position {
	return player.Position{Frames: uint64(max(0, p.left()-p.lost)), Lost: uint64(p.lost)}
}

// until waits for frame n to leave.
func (p *paced) until(ctx context.Context, n int64) error {
	// One nanosecond more, because the length of n frames is rounded down.
	return sleep(ctx, time.Until(p.began.Add(span(n)+1)))
}

func (p *paced) Drain(ctx context.Context) (player.Position, error) {
	if p.began.IsZero() {
		return player.Position{}, nil
	}
	err := p.until(ctx, p.taken)
	return p.position(), err
}

func (p *paced) Close() error {
	if p.began.IsZero() {
		return nil
	}
	return p.tape.finish(p.left())
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type null struct{ cfg Config }

func newNull(cfg Config) (player.Opener, error) { return null{cfg}, nil }

func (n null) Open(context.Context, string) (player.Sink, error) {
	return &paced{now: n.cfg.Now, buffer: frames(n.cfg.Buffer), tape: noTape{}}, nil
}

type noTape struct{}

func (noTape) begin(time.Time) error { return nil }
func (noTape) record([]int16) error  { return nil }
func (noTape) finish(int64) error    { return nil }
