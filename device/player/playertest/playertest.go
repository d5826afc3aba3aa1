// Package playertest holds stand-ins for what a player needs: an amplifier, a
// decoder and the caller's journal, each of which writes down what was asked
// of it and fails when told to. They read the clock of the process, so they
// serve in a synctest bubble as in real time. ReadWAV reads the
// recordings of the wav sink.
package playertest

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/loaxa/loaxa/device/player"
)

// Call is one thing that was asked for.
type Call struct {
	At     time.Time
	What   string // "on", "moving", "rest"; "powered", "playing", "progress"; "open", "close"
	Frames uint64
}

// Calls is a list that may be written from several goroutines.
type Calls struct {
	mu   sync.Mutex
	list []Call
}

func (c *Calls) add(what string, frames uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, Call{At: time.Now(), What: what, Frames: frames})
}

// Of returns the calls of one kind, in order; of every kind when none is named.
func (c *Calls) Of(what string) []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []Call
	for _, call := range c.list {
		if what == "" || call.What == what {
			found = append(found, call)
		}
	}
	return found
}

// Amplifier closes a relay that does not exist. Its zero value works.
type Amplifier struct {
	Calls
	// OnErr and MovingErr are returned by On and Moving when set.
	OnErr, MovingErr error
	// Delay passes before the relay closes.
	Delay time.Duration
	// Held is what On returns when set: the relay closed long ago.
	Held time.Time
}

// On closes the relay after the delay.
func (a *Amplifier) On(ctx context.Context) (time.Time, error) {
	if a.Delay > 0 {
		timer := time.NewTimer(a.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		}
	}
	a.add("on", 0)
	if !a.Held.IsZero() {
		return a.Held, a.OnErr
	}
	return time.Now(), a.OnErr
}

// Moving writes down the frames.
func (a *Amplifier) Moving(frames uint64) error {
	a.add("moving", frames)
	return a.MovingErr
}

// Rest writes down the end.
func (a *Amplifier) Rest() error {
	a.add("rest", 0)
	return nil
}

// Decoder gives samples made up by a function of their position.
type Decoder struct {
	Calls
	// Samples is the length of every content.
	Samples int64
	// Value is sample number n (nil: a loud square wave of 100 Hz).
	Value func(n int64) int16
	// OpenErr is returned by Open when set.
	OpenErr error
	// FailAt is the sample before which Read returns ReadErr, when set.
	FailAt  int64
	ReadErr error
	// HangAt is the sample before which Read waits for its context, when set.
	HangAt int64
}

// Open gives a stream from sample from on.
func (d *Decoder) Open(_ context.Context, path string, from int64) (player.Stream, error) {
	d.add("open", uint64(from))
	if d.OpenErr != nil {
		return nil, d.OpenErr
	}
	if from >= d.Samples {
		return nil, fmt.Errorf("%s has %d samples, none at %d", path, d.Samples, from)
	}
	return &stream{d: d, at: from, from: from}, nil
}

type stream struct {
	d        *Decoder
	at, from int64
}

func (s *stream) Samples() int64 { return s.d.Samples - s.from }

func (s *stream) Read(ctx context.Context, pcm []int16) (int, error) {
	end := s.d.Samples
	if s.at == end {
		return 0, io.EOF
	}
	if s.d.FailAt > 0 {
		if end = min(end, s.d.FailAt); s.at == end {
			return 0, s.d.ReadErr
		}
	}
	if s.d.HangAt > 0 {
		if end = min(end, s.d.HangAt); s.at == end {
			<-ctx.Done()
			return 0, context.Cause(ctx)
		}
	}
	n := int(min(int64(len(pcm)), end-s.at))
	for i := range n {
		pcm[i] = s.d.value(s.at + int64(i))
	}
	s.at += int64(n)
	return n, nil
}

func (d *Decoder) value(n int64) int16 {
	if d.Value != nil {
		return d.Value(n)
	}
	if n/240%2 == 0 {
		return 10000
	}
	return -10000
}

func (s *stream) Close() error {
	s.d.add("close", 0)
	return nil
}

// Journal is a caller's journal.
type Journal struct {
	Calls
	// PlayingErr is returned by Playing when set.
	PlayingErr error
	// Delay is how long Playing takes.
	Delay time.Duration

	mu    sync.Mutex
	first time.Time
	last  player.Progress
}

// Powered writes down when the relay closed.
func (j *Journal) Powered(time.Time) { j.add("powered", 0) }

// Playing takes its time, as a slow card does, and writes down the instant.
func (j *Journal) Playing(first time.Time) error {
	if j.Delay > 0 {
		<-time.After(j.Delay)
	}
	j.mu.Lock()
	j.first = first
	j.mu.Unlock()
	j.add("playing", 0)
	return j.PlayingErr
}

// Progress writes down how far it is.
func (j *Journal) Progress(p player.Progress) {
	j.mu.Lock()
	j.last = p
	j.mu.Unlock()
	j.add("progress", uint64(p.Played))
}

// First is the instant that Playing was told.
func (j *Journal) First() time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.first
}

// Last is the latest progress.
func (j *Journal) Last() player.Progress {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}
