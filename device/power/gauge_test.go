package power

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/board"
)

// bench is a board whose sensors are files, with an amplifier that a test
// switches.
type bench struct {
	t    *testing.T
	dir  string
	mu   sync.Mutex
	on   bool
	offs int
	told []State
	kept []float64
	fail error // of the card
	*Gauge
}

func (b *bench) Closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on
}

func (b *bench) Off() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on = false
	b.offs++
	return b.fail
}

func (b *bench) sound(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.on = on
}

func (b *bench) set(file string, v any) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, file), fmt.Append(nil, v, "\n"), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// last is what was told last.
func (b *bench) last() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.told) == 0 {
		return State{}
	}
	return b.told[len(b.told)-1]
}

func (b *bench) troubles() string {
	var out []string
	for _, t := range b.last().Troubles {
		out = append(out, string(t.Code)+" "+t.Part)
	}
	return strings.Join(out, ", ")
}

// gauged serves a gauge in a bubble, on mains, with a full battery in a cool box.
func gauged(t *testing.T, p board.Profile, noted float64, test func(t *testing.T, b *bench)) *bench {
	b := &bench{dir: t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		b.t = t
		b.set("volts", 13.6)
		b.set("mains", 1)
		b.set("celsius", 40)
		b.Gauge = New(Config{Profile: p, Read: func(s board.Sensor) (float64, error) { return s.Read(b.dir) }, Amplifier: b, Noted: noted, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
			Keep: func(percent float64) error {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.kept = append(b.kept, percent)
				return b.fail
			},
			Tell: func(s State) {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.told = append(b.told, s)
			}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Serve(ctx) }()
		pass(time.Second)
		test(t, b)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return b
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAGaugeTellsWhatChangedAndNothingElse(t *testing.T) {
	gauged(t, site(), -1, func(t *testing.T, b *bench) {
		if s := b.last(); !s.Mains || !s.Battery || s.Level != Plenty || s.Charge != 100 || s.Hours != 45 || *s.Millivolts != 13600 || *s.Celsius != 40 || len(s.Troubles) > 0 {
			t.Errorf("at first %+v", s)
		}
		pass(2 * time.Hour)
		if len(b.told) != 1 {
			t.Errorf("told %d times of nothing new", len(b.told))
		}
		b.set("mains", 0)
		b.set("volts", 12.8)
		pass(6 * time.Second)
		if s := b.last(); s.Mains || b.troubles() != "mains mains" || *s.Millivolts != 12800 {
			t.Errorf("the plug was pulled: %+v", s)
		}
		b.set("volts", 12.1)
		pass(40 * time.Minute)
		if s := b.last(); s.Level != First || s.Charge > 45 || b.troubles() != "mains mains, battery battery" || s.Hours != int64((float64(s.Charge)/100*240-site().Reserve())/5) {
			t.Errorf("at 12.1 V for half an hour: %+v", s)
		}
		b.set("mains", 1)
		pass(2 * time.Minute)
		if s := b.last(); !s.Mains || s.Level != Plenty || b.troubles() != "" {
			t.Errorf("the mains are back: %+v", s)
		}
	})
}

func TestABadVoltageIsNoticedWithinSecondsAndTheAmplifierSwitchedOff(t *testing.T) {
	gauged(t, site(), -1, func(t *testing.T, b *bench) {
		b.sound(true)
		pass(10 * time.Second)
		b.set("volts", 15.4)
		pass(4 * time.Second)
		if !b.last().Unfit || !errors.Is(b.Fit(), ErrVoltage) || b.troubles() != "voltage battery" {
			t.Fatalf("15.4 V for four seconds: %+v, %v", b.last(), b.Fit())
		}
		if !b.Closed() {
			t.Error("what sounds had no time to fade")
		}
		pass(2 * time.Second)
		if b.Closed() || b.offs != 1 {
			t.Errorf("the amplifier is on: %v, switched off %d times", b.Closed(), b.offs)
		}
		b.set("volts", 14.95) // inside, but hardly
		pass(time.Hour)
		if b.Fit() == nil {
			t.Error("a voltage at its very bound is good")
		}
		b.set("volts", 13.6)
		pass(29 * time.Second)
		if b.Fit() == nil {
			t.Error("good after 29 s")
		}
		pass(5 * time.Second)
		if err := b.Fit(); err != nil || b.troubles() != "" {
			t.Errorf("good for more than half a minute: %v, %s", err, b.troubles())
		}
	})
}

func TestTheDipOfAnAmplifierThatSwitchesOnIsNoBadVoltage(t *testing.T) {
	gauged(t, site(), -1, func(t *testing.T, b *bench) {
		for range 20 {
			b.set("volts", 10.1)
			pass(1500 * time.Millisecond)
			b.set("volts", 12.5)
			pass(7 * time.Second)
		}
		if b.Fit() != nil || len(b.last().Troubles) > 0 {
			t.Errorf("%+v", b.last())
		}
	})
}

func TestAVoltageOfTheMainsBindsOnlyWhileTheyFeed(t *testing.T) {
	p := site()
	p.Sensors = append(p.Sensors, board.Sensor{Name: "grid", Kind: board.Voltage, Path: "grid", Scale: 1, Least: 90, Most: 240})
	gauged(t, p, -1, func(t *testing.T, b *bench) {
		b.set("grid", 310) // a broken neutral
		pass(time.Minute)
		if b.Fit() == nil || b.troubles() != "voltage grid" {
			t.Errorf("310 V: %+v", b.last())
		}
		b.set("grid", 0)
		b.set("mains", 0)
		pass(time.Minute)
		if err := b.Fit(); err != nil || b.troubles() != "mains mains, voltage grid" {
			t.Errorf("on battery: %v, %s", err, b.troubles())
		}
	})
}

func TestASensorThatCannotBeReadIsAFaultAndSilencesNobody(t *testing.T) {
	gauged(t, site(), -1, func(t *testing.T, b *bench) {
		b.set("volts", 9.0)
		pass(20 * time.Second)
		if b.Fit() == nil || b.last().Troubles[0].Cause != "9.0 V, below 10.8" {
			t.Fatalf("9 V are good: %+v", b.last())
		}
		for _, text := range []string{"", "NaN", "1e999", "-", strings.Repeat("1", 400)} {
			b.set("volts", text)
			pass(20 * time.Second)
			if b.troubles() != "sensor battery" || b.Fit() != nil || b.last().Millivolts != nil {
				t.Errorf("%.9q in the file: %+v", text, b.last())
			}
		}
		for _, f := range []string{"volts", "mains", "celsius"} {
			if err := os.Remove(filepath.Join(b.dir, f)); err != nil {
				t.Fatal(err)
			}
		}
		pass(20 * time.Second)
		if want := "mains mains, sensor battery, sensor mains, sensor box"; b.troubles() != want || b.last().Mains {
			t.Errorf("troubles %q, want %q; mains of which nothing is known count as gone", b.troubles(), want)
		}
		b.set("volts", 13.6)
		b.set("mains", 1)
		b.set("celsius", 40)
		pass(2 * time.Minute)
		if b.troubles() != "" {
			t.Errorf("all is well again, but: %q", b.troubles())
		}
	})
}

func TestHeatIsToldAndSilencesNobody(t *testing.T) {
	gauged(t, site(), -1, func(t *testing.T, b *bench) {
		b.set("celsius", 85)
		pass(20 * time.Second)
		if b.troubles() != "temperature box" || b.last().Troubles[0].Cause != "85.0 °C, above 80" || b.Fit() != nil || *b.last().Celsius != 85 {
			t.Errorf("%+v", b.last())
		}
		b.set("celsius", 78) // hardly cooler
		pass(10 * time.Minute)
		if b.troubles() == "" {
			t.Error("cool at 78 °C after 85 °C")
		}
		b.set("celsius", 60)
		pass(time.Minute)
		if b.troubles() != "" {
			t.Errorf("%q", b.troubles())
		}
	})
}

func TestTheChargeIsNotedNowAndThenAndAtTheEnd(t *testing.T) {
	hungry := site()
	hungry.Power.IdleWatts = 10
	b := gauged(t, hungry, 80, func(t *testing.T, b *bench) {
		b.set("mains", 0)
		b.set("volts", 0) // no voltage tells
		pass(3 * time.Hour)
	})
	if n := len(b.kept); n != 3 || !slices.IsSortedFunc(b.kept, func(x, y float64) int { return int(y - x) }) || b.kept[n-1] != 68 {
		t.Errorf("kept %v", b.kept)
	}
	worn := gauged(t, site(), -1, func(_ *testing.T, b *bench) { b.mu.Lock(); b.fail = os.ErrPermission; b.mu.Unlock() })
	if len(worn.kept) == 0 || worn.kept[0] != 100 {
		t.Errorf("a battery that was never noted: %v", worn.kept)
	}
}

func TestABoardWithoutSensorsIsLeftAlone(t *testing.T) {
	b := gauged(t, board.Profile{}, -1, func(*testing.T, *bench) { pass(time.Hour) })
	if len(b.told) > 0 || b.Fit() != nil {
		t.Errorf("%+v", b.told)
	}
	bare := site()
	bare.Power, bare.Sensors = board.Power{}, bare.Sensors[2:]
	if s := gauged(t, bare, -1, func(*testing.T, *bench) {}).last(); s.Battery || !s.Mains || *s.Celsius != 40 {
		t.Errorf("a board with nothing but a thermometer: %+v", s)
	}
}

func TestADriverThatHangsHoldsUpNoOther(t *testing.T) {
	w := watch{Sensor: board.Sensor{Path: "x", Scale: 1}, pending: make(chan answer, 1)}
	synctest.Test(t, func(t *testing.T) {
		w.pending = make(chan answer, 1)
		began := time.Now()
		for i := range strikes {
			v, err := w.read(t.Context(), nil)
			w.take(v, err, time.Duration(i)*time.Second)
		}
		if took := time.Since(began); took != strikes*patience || !w.blind || w.cause != errSlow.Error() {
			t.Errorf("blind %v after %v: %s", w.blind, took, w.cause)
		}
		w.pending <- answer{value: 7}
		if v, err := w.read(t.Context(), nil); v != 7 || err != nil || w.pending != nil {
			t.Errorf("the late answer was lost: %v, %v", v, err)
		}
	})
}

func TestEveryTroubleIsInTheTableOfFaults(t *testing.T) {
	for _, c := range []broadcast.FaultCode{broadcast.FaultMains, broadcast.FaultBattery, broadcast.FaultVoltage, broadcast.FaultTemperature, broadcast.FaultSensor} {
		if f, ok := broadcast.FaultOf(c); !ok || f.By != broadcast.ByNode {
			t.Errorf("%s: %+v", c, f)
		}
	}
}
