package node

import (
	"sync/atomic"
	"time"
)

// Ticks are the clocks of the machine.
type Ticks interface {
	// Read returns what all of them say now.
	Read() Reading
}

// SystemTicks reads the clocks of this machine; its Mono begins at 0 now.
func SystemTicks() Ticks { return systemTicks{began: time.Now()} }

type systemTicks struct{ began time.Time }

func (s systemTicks) Read() Reading {
	now := time.Now()
	return Reading{Wall: now.Round(0), Mono: now.Sub(s.began), Synced: synced()}
}

// Dial shows trusted time to those who sound by it: player and sound card. The
// node moves it only while nothing sounds, so a clock that is set in the middle
// of a sounding tears nothing. It is safe for use by several goroutines.
type Dial struct {
	ticks  Ticks
	offset atomic.Int64
}

// NewDial returns a dial that shows the wall clock until a node sets it.
func NewDial(ticks Ticks) *Dial {
	d := &Dial{ticks: ticks}
	r := ticks.Read()
	d.offset.Store(r.Wall.UnixNano() - int64(r.Mono))
	return d
}

// Now returns trusted time. It carries no monotonic reading.
func (d *Dial) Now() time.Time { return d.at(d.ticks.Read().Mono) }

func (d *Dial) at(mono time.Duration) time.Time {
	return time.Unix(0, d.offset.Load()+int64(mono)).UTC()
}

func (d *Dial) set(offset time.Duration) { d.offset.Store(int64(offset)) }
