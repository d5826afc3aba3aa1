package power

import (
	"context"
	"errors"
	"time"

	"github.com/loaxa/loaxa/device/board"
)

const (
	strikes  = 3                // values in a row before they are believed
	recovery = 30 * time.Second // of good values before a trouble is over
	patience = 2 * time.Second  // for a driver to answer
)

var errSlow = errors.New("the driver does not answer")

// watch follows one sensor.
type watch struct {
	board.Sensor
	value   float64
	known   bool // value is from now
	pending chan answer
	// How often in a row it failed, or told of something outside its bounds.
	failed, struck int
	cause          string
	// blind says that it cannot be read, bad that it lies outside its bounds;
	// well is since when it lies inside again, as far as it counts.
	blind, bad, recovering bool
	well                   time.Duration
}

type answer struct {
	value float64
	err   error
}

// read asks the sensor. At most one question is under way: a driver that hangs
// costs one goroutine and not one for each reading.
func (w *watch) read(ctx context.Context, ask func(board.Sensor) (float64, error)) (float64, error) {
	if w.pending == nil {
		w.pending = make(chan answer, 1)
		go func(s board.Sensor, to chan<- answer) {
			v, err := ask(s)
			to <- answer{v, err}
		}(w.Sensor, w.pending)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case a := <-w.pending:
		w.pending = nil
		return a.value, a.err
	case <-timer.C:
		return 0, errSlow
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// take learns what came of a reading.
func (w *watch) take(v float64, err error, at time.Duration) {
	w.known = err == nil
	if err != nil {
		if w.failed++; w.failed >= strikes {
			w.blind, w.bad, w.struck, w.cause = true, false, 0, err.Error()
		}
		return
	}
	w.value, w.failed, w.blind = v, 0, false
	if w.outside(v) {
		w.recovering = false
		if w.struck++; w.struck >= strikes && !w.bad {
			w.bad, w.cause = true, w.Say(v)
		}
		return
	}
	w.struck = 0
	if w.bad && !w.recovering {
		w.recovering, w.well = true, at
	}
	if w.bad && at-w.well >= recovery {
		w.bad = false
	}
}

// outside asks for a little more once a value was bad.
func (w *watch) outside(v float64) bool {
	margin := 0.0
	switch {
	case !w.bad:
	case w.Kind == board.Temperature:
		margin = 5
	default:
		margin = max(w.Least, w.Most) / 100
	}
	return w.Outside(v, margin) != 0
}

// doubtful says that the next reading is worth having soon.
func (w *watch) doubtful() bool {
	return w.failed > 0 && !w.blind || w.struck > 0 && !w.bad
}
