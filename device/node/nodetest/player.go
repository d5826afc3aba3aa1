package nodetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/player"
)

// Played is one sounding that a Player was asked for.
type Played struct {
	Sounding player.Sounding
	// Powered and First are zero when it did not come so far.
	Powered, First time.Time
	// At is when the first sample left by the clock of the world, which a node
	// may have wrong.
	At       time.Time
	Evidence player.Evidence
	Err      error
	// Over says that it ended.
	Over bool
}

// Edge is one movement of the relay, by trusted time.
type Edge struct {
	At     time.Time
	Closed bool
}

// Player plays to nobody, in the time that a real one would take. It is safe
// for several goroutines.
type Player struct {
	// Now is trusted time, WarmUp that of the amplifier, Hold how long it keeps
	// the relay closed, MinOff how long the relay stays open at least.
	Now                  func() time.Time
	WarmUp, Hold, MinOff time.Duration

	mu      sync.Mutex
	played  []*Played
	busy    bool
	closed  time.Time // by the machine's clock: since when the relay is, or was last
	opens   time.Time // likewise: when it opens, or opened
	edges   []Edge    // but for the opening after the last closing
	prepare func(player.Sounding) error
	fail    func(player.Sounding) error
	level   media.Decibel // 0 for that of speech
}

// RefusePrepare makes Prepare ask f first; nil stops that.
func (p *Player) RefusePrepare(f func(player.Sounding) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prepare = f
}

// FailPlay makes every sounding that has begun end with what f returns, halfway
// through, if that is an error; nil stops that.
func (p *Player) FailPlay(f func(player.Sounding) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = f
}

// Level sets how loud everything is from now on, as a card that was turned down
// or a recording of silence; 0 stops that.
func (p *Player) Level(d media.Decibel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.level = d
}

// loudness is what leaves, and whether that is worth telling every second.
func (p *Player) loudness() (media.Decibel, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.level == 0 {
		return -2000, false
	}
	return p.level, true
}

// Played are the soundings handed over so far.
func (p *Player) Played() []Played {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Played
	for _, one := range p.played {
		out = append(out, *one)
	}
	return out
}

// Sounded are those of which a sample left.
func (p *Player) Sounded() []Played {
	return slices.DeleteFunc(p.Played(), func(one Played) bool { return one.First.IsZero() })
}

// Prepare prepares a sounding.
func (p *Player) Prepare(_ context.Context, s player.Sounding) (node.Performance, error) {
	p.mu.Lock()
	refuse := p.prepare
	p.mu.Unlock()
	if refuse != nil {
		if err := refuse(s); err != nil {
			return nil, err
		}
	}
	return &performance{p: p, s: s}, nil
}

type performance struct {
	p *Player
	s player.Sounding
}

// Discard gives nothing back: there is nothing.
func (x *performance) Discard() {}

// Play takes the time of a real sounding.
func (x *performance) Play(ctx context.Context, events player.Events) (player.Evidence, error) {
	p := x.p
	p.mu.Lock()
	if p.busy {
		p.mu.Unlock()
		return player.Evidence{}, player.ErrBusy
	}
	p.busy = true
	one := &Played{Sounding: x.s}
	p.played = append(p.played, one)
	fail := p.fail
	p.mu.Unlock()
	evidence, err := x.sound(ctx, events, one, fail)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy, one.Over, one.Evidence, one.Err = false, true, evidence, err
	return evidence, err
}

func (x *performance) sound(ctx context.Context, events player.Events, one *Played, fail func(player.Sounding) error) (player.Evidence, error) {
	p := x.p
	if err := p.until(ctx, x.s.Start.Add(-p.WarmUp)); err != nil {
		return player.Evidence{}, err
	}
	closed, err := p.on(ctx)
	if err != nil {
		return player.Evidence{}, err
	}
	closed = p.Now().Add(-time.Since(closed)) // the same moment by the trusted clock
	p.mu.Lock()
	one.Powered = closed
	p.mu.Unlock()
	defer p.rest()
	events.Powered(closed)
	first := x.s.Start
	if warm := closed.Add(p.WarmUp); warm.After(first) {
		first = warm
	}
	evidence := player.Evidence{Powered: closed}
	if late := first.Sub(x.s.Start); late > x.s.Late {
		return evidence, fmt.Errorf("%w: %v", player.ErrLate, late)
	}
	if err := p.until(ctx, first.Add(-500*time.Millisecond)); err != nil {
		return evidence, err
	}
	if err := events.Playing(first); err != nil {
		return evidence, fmt.Errorf("%w: %w", player.ErrNotJournalled, err)
	}
	if err := p.until(ctx, first); err != nil {
		return evidence, err
	}
	p.mu.Lock()
	one.First, one.At = first, time.Now()
	p.mu.Unlock()
	return x.pour(ctx, evidence, first, fail, events)
}

// on closes the relay, waiting out the time that it must stay open, or finds it
// closed still.
func (p *Player) on(ctx context.Context) (time.Time, error) {
	p.mu.Lock()
	opens, closed := p.opens, p.closed
	held := time.Now().Before(opens)
	if held {
		p.opens = time.Now().Add(24 * time.Hour)
	}
	p.mu.Unlock()
	if held {
		return closed, nil
	}
	if !opens.IsZero() {
		if err := pause(ctx, time.Until(opens.Add(p.MinOff))); err != nil {
			return time.Time{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !opens.IsZero() {
		p.edges = append(p.edges, Edge{At: opens})
	}
	p.closed, p.opens = time.Now(), time.Now().Add(24*time.Hour)
	p.edges = append(p.edges, Edge{At: p.closed, Closed: true})
	return p.closed, nil
}

// Edges are the movements of the relay up to now, by the machine's clock.
func (p *Player) Edges() []Edge {
	p.mu.Lock()
	defer p.mu.Unlock()
	edges := slices.Clone(p.edges)
	if len(edges) > 0 && !time.Now().Before(p.opens) {
		edges = append(edges, Edge{At: p.opens})
	}
	return edges
}

// On has the relay stay closed, as that of a real amplifier does.
func (p *Player) On(ctx context.Context) (time.Time, error) { return p.on(ctx) }

// Rest lets the relay open after its hold.
func (p *Player) Rest() error {
	p.rest()
	return nil
}

// Opens is when the relay opens, or opened, as things stand, by the machine's clock.
func (p *Player) Opens() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.opens
}

func (p *Player) rest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Before(p.opens) {
		p.opens = now.Add(p.Hold)
	}
}

// lasts is the length of a body: pieces that are spliced say theirs themselves.
func lasts(c player.Content) time.Duration {
	var order struct{ Pieces []struct{ At, Millis int64 } }
	text, spliced := strings.CutPrefix(c.Path, "splice:")
	if !spliced || json.Unmarshal([]byte(text), &order) != nil || len(order.Pieces) == 0 {
		return c.Duration
	}
	last := order.Pieces[len(order.Pieces)-1]
	return time.Duration(last.At+last.Millis) * time.Millisecond
}

// pour lets the length of the sounding pass.
func (x *performance) pour(ctx context.Context, e player.Evidence, first time.Time, fail func(player.Sounding) error, events player.Events) (player.Evidence, error) {
	const rate = 48000
	length := lasts(x.s.Content) + time.Duration(len(x.s.Chime))*time.Second/rate - x.s.Offset
	cut := x.s.MaxDuration > 0 && length > x.s.MaxDuration
	if cut {
		length = x.s.MaxDuration
	}
	e.First, e.Expected, e.RMS, e.Peak = first, int64(length)*rate/int64(time.Second), -2000, -600
	if late := first.Sub(x.s.Start); late > 0 && !x.s.Whole {
		length -= late
		e.Expected, e.Skipped = int64(length)*rate/int64(time.Second), int64(late)*rate/int64(time.Second)
	}
	var err error
	if fail != nil {
		if err = fail(x.s); err != nil {
			length /= 2
		}
	}
	if stopped := x.p.play(ctx, first, length, events); stopped != nil {
		<-time.After(120 * time.Millisecond) // the fade of a real player
		length, err = x.p.Now().Sub(first), stopped
	}
	if err == nil && cut {
		err = player.ErrCut
	}
	e.Samples = int64(length) * rate / int64(time.Second)
	e.RMS, _ = x.p.loudness()
	e.Last = first.Add(length)
	return e, err
}

// play waits for the end and tells every second how loud it is, if it is.
func (p *Player) play(ctx context.Context, first time.Time, length time.Duration, events player.Events) error {
	for at := time.Second; at < length; at += time.Second {
		level, told := p.loudness()
		if !told {
			break
		}
		if err := p.until(ctx, first.Add(at)); err != nil {
			return err
		}
		events.Progress(player.Progress{Level: level})
	}
	return p.until(ctx, first.Add(length))
}

// until waits for an instant of trusted time.
func (p *Player) until(ctx context.Context, at time.Time) error {
	for {
		wait := at.Sub(p.Now())
		if wait <= 0 {
			return context.Cause(ctx)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}
