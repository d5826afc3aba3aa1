package power

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/device/board"
)

// site is a board with a battery of 240 Wh: 120 Wh stop normal items, 60 Wh
// priority items, and 11.7 Wh are the reserve.
func site() board.Profile {
	return board.Profile{
		Relay: board.Relay{WarmUp: 2 * time.Second, Hold: 5 * time.Second},
		Sensors: []board.Sensor{{Name: "battery", Kind: board.Voltage, Path: "volts", Scale: 1, Least: 10.8, Most: 15},
			{Name: "mains", Kind: board.Mains, Path: "mains", Scale: 1}, {Name: "box", Kind: board.Temperature, Path: "celsius", Scale: 1}},
		Power: board.Power{Battery: true, CapacityWh: 240, IdleWatts: 5, SoundingWatts: 60, ChargeWatts: 40, VoltageSensor: "battery", MainsSensor: "mains",
			Curve: []board.Point{{Volts: 11.6, Charge: 0}, {Volts: 12.2, Charge: 50}, {Volts: 12.8, Charge: 100}}, FirstLevel: 50, SecondLevel: 25, ReserveSounding: 10},
	}
}

func near(a, b, by float64) bool { return math.Abs(a-b) <= by }

func TestABatteryCountsWhatItGivesAndTakes(t *testing.T) {
	b := newBattery(site(), 50)
	b.take(measure{mains: On})
	b.take(measure{mains: Off, at: time.Hour}) // charged until it was seen that the mains are gone
	if !near(b.held, 160, 0.01) || b.mains {
		t.Errorf("%v Wh after an hour of charging, mains %v", b.held, b.mains)
	}
	b.take(measure{mains: Off, at: 2 * time.Hour})
	if !near(b.held, 155, 0.01) {
		t.Errorf("%v Wh after an hour idle", b.held)
	}
	b.take(measure{mains: Off, at: 2*time.Hour + time.Minute, sounding: true})
	b.take(measure{mains: Off, at: 2*time.Hour + 2*time.Minute})
	if !near(b.held, 153, 0.01) {
		t.Errorf("%v Wh after two minutes with the amplifier on", b.held)
	}
	if want := (153 - site().Reserve()) / 5; !near(b.hours(), want, 0.01) || !near(b.charge(), 63.75, 0.01) {
		t.Errorf("%v h left, want %v; %v %%", b.hours(), want, b.charge())
	}
	b.take(measure{mains: Off, at: 90 * time.Hour})
	if b.held != 0 || b.hours() != 0 || b.level != Reserved {
		t.Errorf("%v Wh, %v h, level %v of an empty battery", b.held, b.hours(), b.level)
	}
	b.take(measure{mains: Off, at: time.Hour}) // a clock that runs backwards takes and gives nothing
	if b.held != 0 {
		t.Errorf("%v Wh", b.held)
	}
}

func TestTheFirstChargeIsWhatIsKnownBest(t *testing.T) {
	for name, c := range map[string]struct {
		noted float64
		first measure
		want  float64 // percent
	}{
		"on battery, its voltage":              {90, measure{mains: Off, volts: 12.2}, 50},
		"on mains, the note":                   {30, measure{mains: On, volts: 13.6}, 30},
		"on mains without a note, the voltage": {-1, measure{mains: On, volts: 12.5}, 75},
		"nothing but a note":                   {30, measure{mains: Off}, 30},
		"nothing at all: as it was fitted":     {-1, measure{mains: Off}, 100},
	} {
		b := newBattery(site(), c.noted)
		b.take(c.first)
		if !near(b.charge(), c.want, 0.01) {
			t.Errorf("%s: %v %%, want %v", name, b.charge(), c.want)
		}
	}
}

func TestAVoltageTellsTheChargeOnlyAtRest(t *testing.T) {
	after := func(first, then measure) float64 {
		b := newBattery(site(), 80)
		b.take(first)
		for range 60 {
			then.at += 10 * time.Second
			b.take(then)
		}
		return b.charge()
	}
	if got := after(measure{mains: On, volts: 13.6}, measure{mains: On, volts: 11.7}); got < 80 {
		t.Errorf("the charger's voltage was believed: %v %%", got)
	}
	if got := after(measure{mains: On, volts: 13.6}, measure{mains: Off, volts: 11.7}); got < 79 {
		t.Errorf("a voltage was believed when the charger had hardly gone: %v %%", got)
	}
	if got := after(measure{mains: Off, volts: 12.56}, measure{mains: Off, volts: 11.7, sounding: true}); got < 75 {
		t.Errorf("a voltage under load was believed: %v %%", got)
	}
	if got := after(measure{mains: Off, volts: 12.56}, measure{mains: Off, volts: 11.72}); got > 12 || got < 9 {
		t.Errorf("after ten minutes at a voltage of 10 %%: %v %%", got)
	}
	if got := after(measure{mains: Off, volts: 12.2}, measure{mains: Off, volts: 12.8}); got > 70 || got < 55 {
		t.Errorf("a better voltage was believed too soon, or never: %v %%", got)
	}
}

func TestMainsThatNobodyMeasuresAreSeenInTheVoltageAndOtherwiseCountAsGone(t *testing.T) {
	b := newBattery(site(), 80)
	b.take(measure{volts: 13.6})
	if !b.mains {
		t.Error("a charger feeds, but the mains count as gone")
	}
	b.take(measure{volts: 12.6, at: time.Second})
	if b.mains {
		t.Error("no battery at rest shows more than its curve, but the mains still count")
	}
	blind := newBattery(site(), 80)
	if blind.take(measure{}); blind.mains {
		t.Error("mains of which nothing is known count")
	}
}

func TestALevelIsReachedAtOnceAndLeftOnlyWellAboveIt(t *testing.T) {
	b := newBattery(site(), 51)
	b.take(measure{mains: Off})
	steps := []struct {
		held float64
		want Level
	}{{120, Plenty}, {119.9, First}, {120.1, First}, {131.9, First}, {132, Plenty}, {59, Second}, {71, Second}, {72.1, First},
		{11, Reserved}, {22, Reserved}, {24, Second}, {240, Plenty}}
	for _, s := range steps {
		b.held = s.held
		if b.level = b.grade(); b.level != s.want {
			t.Errorf("with %v Wh the level is %v, want %v", s.held, b.level, s.want)
		}
	}
}

func TestFlickeringMainsDoNotMakeTheLevelsFlap(t *testing.T) {
	b := newBattery(site(), 40)
	b.take(measure{mains: Off})
	changes := 0
	for i := range 600 { // ten minutes, a second at a time, in which they never hold for a minute
		before := b.level
		b.take(measure{mains: []Fed{Off, On}[min(1, i%50)], at: time.Duration(i) * time.Second})
		if b.level != before {
			changes++
		}
	}
	if b.level != First || changes > 0 {
		t.Errorf("level %v after %d changes", b.level, changes)
	}
	for i := range 70 {
		b.take(measure{mains: On, at: 600*time.Second + time.Duration(i)*time.Second})
	}
	if b.level != Plenty || !b.mains {
		t.Errorf("the mains have held for more than a minute: level %v", b.level)
	}
}

// TestTheReserveIsSpentOnEmergenciesAlone draws loads, mains and batteries, and
// plays the rules of the levels against the model: whatever happens, neither a
// normal nor a priority item takes anything of the reserve, but for the second
// in which the mains go away under it: nobody knows then.
func TestTheReserveIsSpentOnEmergenciesAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := site()
		p.Power.SoundingWatts = rapid.Float64Range(10, 200).Draw(t, "sounding")
		p.Power.IdleWatts = rapid.Float64Range(1, 9).Draw(t, "idle")
		p.Power.ReserveSounding = rapid.Int64Range(10, 14).Draw(t, "reserve")
		noted := rapid.Float64Range(0, 100).Draw(t, "charge")
		truth := noted / 100 * p.Power.CapacityWh
		keep := float64(p.Power.ReserveSounding) * p.Power.SoundingWatts * (time.Minute + p.Relay.WarmUp + p.Relay.Hold).Hours()
		b := newBattery(p, noted)
		now, fed, left := time.Duration(0), Off, time.Duration(0)
		var class int // 0 silent, 1 normal, 2 priority, 3 emergency
		b.take(measure{mains: fed})
		for range rapid.IntRange(1, 40).Draw(t, "spells") {
			if rapid.IntRange(0, 9).Draw(t, "mains") == 0 {
				fed, left = On+Off-fed, now+time.Second
			}
			want := rapid.IntRange(0, 3).Draw(t, "class")
			for range rapid.IntRange(1, 400).Draw(t, "seconds") {
				class = speaker(class, want, b.level)
				before := truth
				switch {
				case fed == On:
					truth = min(p.Power.CapacityWh, truth+p.Power.ChargeWatts/3600)
				case class > 0:
					truth -= p.Power.SoundingWatts / 3600
				default:
					truth -= p.Power.IdleWatts / 3600
				}
				truth = max(0, truth)
				now += time.Second
				b.take(measure{at: now, mains: fed, sounding: class > 0})
				if fed == Off && (class == 1 || class == 2) && before > truth && truth < keep && now != left {
					t.Fatalf("%.2f Wh are left of the reserve of %.2f Wh, and class %d sounds at level %v with %.2f Wh counted", truth, keep, class, b.level, b.held)
				}
			}
		}
	})
}

// speaker is who sounds in the next second: the one who does, unless the level
// ends that, or the one who wants to, if the level lets it begin.
func speaker(now, wants int, l Level) int {
	begins := map[Level]int{Plenty: 1, First: 2, Second: 3, Reserved: 3}[l]
	goesOn := map[Level]int{Plenty: 1, First: 1, Second: 2, Reserved: 3}[l]
	switch {
	case now > 0 && now == wants && now >= goesOn:
		return now
	case now != wants && wants >= begins:
		return wants
	}
	return 0
}
