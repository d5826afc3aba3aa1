package power

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/board"
)

// ErrVoltage says that the voltage is one that the amplifier does not survive,
// or cannot sound with.
var ErrVoltage = errors.New("the voltage lies outside what the amplifier bears")

// Trouble is something wrong with what feeds the board, or with the box.
type Trouble struct {
	Code broadcast.FaultCode
	// Part is the sensor that tells of it.
	Part string
	// Cause is a sentence for the office.
	Cause string
}

// State is what the gauge knows, rounded so that it changes only when it matters.
type State struct {
	// Battery says that the profile has one; Mains that the mains feed.
	Battery, Mains bool
	Level          Level
	// Charge is in percent, Hours the whole hours on duty until only the reserve
	// of emergencies is left, if nothing sounds. Both are about the battery.
	Charge, Hours int64
	// Millivolts are those at the battery, to 100; Celsius is the hottest of all
	// temperatures. Nil where no sensor tells.
	Millivolts, Celsius *int64
	// Unfit says that nothing may sound, because of the voltage.
	Unfit    bool
	Troubles []Trouble
}

// Amplifier is the load.
type Amplifier interface {
	// Closed says whether the relay is closed, as far as this program knows.
	Closed() bool
	// Off opens the relay at once.
	Off() error
}

// Config is what a gauge needs.
type Config struct {
	Profile board.Profile
	// Read takes the value of a sensor now. It may take its time.
	Read      func(board.Sensor) (float64, error)
	Amplifier Amplifier
	// Noted is the charge that Keep was told last, in percent; negative if never.
	Noted float64
	Keep  func(percent float64) error
	// Tell is told every change, the first state included. It must return soon.
	Tell func(State)
	Log  *slog.Logger
}

// How often a gauge reads: the sooner, the more depends on it.
const (
	everyIdle   = 5 * time.Second
	everyLoaded = time.Second
	fadeOut     = 2 * time.Second // for a sounding to fade before its power is cut
	keepApart   = 5               // percent between two notes of the charge
)

// Gauge reads the board's sensors. Make one with New and Serve it once.
type Gauge struct {
	cfg     Config
	watches []*watch
	battery *battery // nil without one
	began   time.Time
	noted   float64
	unfitAt time.Duration

	mu   sync.Mutex
	told *State
}

// New makes a gauge that has not read anything yet.
func New(cfg Config) *Gauge {
	g := &Gauge{cfg: cfg, noted: cfg.Noted}
	for _, s := range cfg.Profile.Sensors {
		g.watches = append(g.watches, &watch{Sensor: s})
	}
	if cfg.Profile.Power.Battery {
		g.battery = newBattery(cfg.Profile, cfg.Noted)
	}
	return g
}

// Fit returns ErrVoltage while nothing may sound because of the voltage.
func (g *Gauge) Fit() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.told != nil && g.told.Unfit {
		return ErrVoltage
	}
	return nil
}

// Serve reads until ctx ends. A board without sensors has nothing to be read.
func (g *Gauge) Serve(ctx context.Context) error {
	g.began = time.Now()
	if len(g.watches) == 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			g.note(1)
			return ctx.Err()
		case <-timer.C:
		}
		g.read(ctx)
		if ctx.Err() == nil {
			g.tell(g.state())
			g.protect()
			g.note(keepApart)
		}
		timer.Reset(g.pause())
	}
}

func (g *Gauge) now() time.Duration { return time.Since(g.began) }

// read asks all sensors and feeds the battery's model.
func (g *Gauge) read(ctx context.Context) {
	for _, w := range g.watches {
		v, err := w.read(ctx, g.cfg.Read)
		if ctx.Err() != nil {
			return
		}
		w.take(v, err, g.now())
	}
	if g.battery == nil {
		return
	}
	m := measure{at: g.now(), sounding: g.cfg.Amplifier.Closed()}
	if w := g.watch(g.cfg.Profile.Power.VoltageSensor); w != nil && w.known {
		m.volts = w.value
	}
	if w := g.watch(g.cfg.Profile.Power.MainsSensor); w != nil && !w.blind {
		m.mains = Off
		if w.value >= 0.5 {
			m.mains = On
		}
	}
	g.battery.take(m)
}

func (g *Gauge) watch(name string) *watch {
	i := slices.IndexFunc(g.watches, func(w *watch) bool { return w.Name == name })
	if i < 0 {
		return nil
	}
	return g.watches[i]
}

// state sums up what was read.
func (g *Gauge) state() State {
	s := State{Mains: true}
	if b := g.battery; b != nil {
		s.Battery, s.Mains, s.Level = true, b.mains, b.level
		s.Charge, s.Hours = int64(math.Round(b.charge())), int64(b.hours())
		s.trouble(!s.Mains, broadcast.FaultMains, g.cfg.Profile.Power.MainsSensor, "the node runs on its battery")
		s.trouble(s.Level != Plenty, broadcast.FaultBattery, g.cfg.Profile.Power.VoltageSensor, g.lowCause(s.Level))
	}
	for _, w := range g.watches {
		g.add(&s, w)
	}
	return s
}

// lowCause says what a level means; rounded, so that it does not change with
// every percent.
func (g *Gauge) lowCause(l Level) string {
	return map[Level]string{
		First:    fmt.Sprintf("below %v %%: normal items do not begin", g.cfg.Profile.Power.FirstLevel),
		Second:   fmt.Sprintf("below %v %%: only emergencies begin", g.cfg.Profile.Power.SecondLevel),
		Reserved: fmt.Sprintf("only the reserve of %d emergency soundings is left", g.cfg.Profile.Power.ReserveSounding),
	}[l]
}

func (s *State) trouble(there bool, code broadcast.FaultCode, part, cause string) {
	if there {
		s.Troubles = append(s.Troubles, Trouble{Code: code, Part: part, Cause: cause})
	}
}

// add takes one sensor into the state.
func (g *Gauge) add(s *State, w *watch) {
	s.trouble(w.blind, broadcast.FaultSensor, w.Name, w.cause)
	switch w.Kind {
	case board.Temperature:
		s.trouble(w.bad, broadcast.FaultTemperature, w.Name, w.cause)
		if c := int64(math.Round(w.value)); w.known && (s.Celsius == nil || c > *s.Celsius) {
			s.Celsius = &c
		}
	case board.Voltage:
		s.trouble(w.bad, broadcast.FaultVoltage, w.Name, w.cause)
		s.Unfit = s.Unfit || w.bad && g.binds(w, s.Mains)
		if w.known && w.Name == g.cfg.Profile.Power.VoltageSensor {
			mv := int64(math.Round(w.value*10)) * 100
			s.Millivolts = &mv
		}
	}
}

// binds says whether the amplifier hangs on what a sensor measures: that at the
// battery always does, any other while the mains feed.
func (g *Gauge) binds(w *watch, mains bool) bool {
	return w.Name == g.cfg.Profile.Power.VoltageSensor || mains
}

// tell passes a change on.
func (g *Gauge) tell(s State) {
	g.mu.Lock()
	same := g.told != nil && g.told.equal(s)
	if !same {
		g.told = &s
	}
	g.mu.Unlock()
	if !same {
		g.cfg.Tell(s)
	}
}

func (s State) equal(o State) bool {
	same := func(a, b *int64) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
	return s.Battery == o.Battery && s.Mains == o.Mains && s.Level == o.Level && s.Charge == o.Charge && s.Hours == o.Hours &&
		s.Unfit == o.Unfit && same(s.Millivolts, o.Millivolts) && same(s.Celsius, o.Celsius) && slices.Equal(s.Troubles, o.Troubles)
}

// protect cuts the amplifier's power when the voltage is still bad after what
// sounded had its time to fade.
func (g *Gauge) protect() {
	if g.Fit() == nil {
		g.unfitAt = 0
		return
	}
	if g.unfitAt == 0 {
		g.unfitAt = g.now()
	}
	if g.now()-g.unfitAt < fadeOut || !g.cfg.Amplifier.Closed() {
		return
	}
	if err := g.cfg.Amplifier.Off(); err != nil {
		g.cfg.Log.Error("the amplifier stays on at a voltage that it does not bear", "err", err)
	}
}

// note keeps the charge when it has moved far enough.
func (g *Gauge) note(apart float64) {
	if g.battery == nil || !g.battery.begun || g.noted >= 0 && math.Abs(g.battery.charge()-g.noted) < apart {
		return
	}
	if err := g.cfg.Keep(math.Round(g.battery.charge())); err != nil {
		g.cfg.Log.Warn("the charge of the battery is not noted", "err", err)
		return
	}
	g.noted = g.battery.charge()
}

// pause is how long to wait before the next reading.
func (g *Gauge) pause() time.Duration {
	if g.cfg.Amplifier.Closed() || g.Fit() != nil || slices.ContainsFunc(g.watches, (*watch).doubtful) {
		return everyLoaded
	}
	return everyIdle
}
