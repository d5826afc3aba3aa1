package power

import (
	"math"
	"time"

	"github.com/loaxa/loaxa/device/board"
)

// Level says whom the battery feeds.
type Level int

// The levels, from the mains or a well charged battery downwards. What began
// above a level may go on below it, but never below the next one.
const (
	Plenty   Level = iota // every class
	First                 // no normal item begins
	Second                // no priority item begins, and no normal item goes on
	Reserved              // what is left is kept for emergencies
)

// Fed says what a sensor of the mains knows.
type Fed int

// What can be known of the mains.
const (
	Unknown Fed = iota
	On
	Off
)

const (
	relief   = 5                // percent above a level at which it is left again
	settled  = time.Minute      // the mains hold so long before they count as back
	quiet    = 2 * time.Minute  // without the amplifier, before a voltage tells the charge
	unloaded = 10 * time.Minute // without the charger, before a voltage tells the charge
	sinking  = 2 * time.Minute  // in which an estimate follows a voltage that tells less
	rising   = 30 * time.Minute // and one that tells more
)

// measure is what is known at one moment.
type measure struct {
	at       time.Duration // of a clock that only runs forward
	mains    Fed
	volts    float64 // 0 if unknown
	sounding bool    // the amplifier is on
}

// battery is the model of a battery: pure, and fed with one measure after the
// other. It counts what the board draws and what the charger gives, and corrects
// itself by the voltage while nothing loads or charges the battery: only then
// does a voltage tell the charge. It believes a voltage that tells less at once
// and one that tells more slowly, and mains of which nothing is known it counts
// as gone, because the reserve stands above every programme.
type battery struct {
	power   board.Power
	reserve float64 // Wh
	held    float64 // Wh
	begun   bool
	last    measure
	mains   bool
	// Since when the mains are as they are, and when the amplifier was last on.
	since, sounded time.Duration
	feeding        time.Duration // since when the mains are seen without a break
	level          Level
}

// newBattery makes a model. Noted is the charge that was noted last, in percent;
// below 0 there is no note, and a battery of which no voltage speaks counts as
// full, as it was when it was fitted.
func newBattery(p board.Profile, noted float64) *battery {
	return &battery{power: p.Power, reserve: p.Reserve(), held: noted / 100 * p.Power.CapacityWh}
}

// take learns what is known now.
func (b *battery) take(m measure) {
	seen := b.sees(m)
	if !b.begun {
		b.begin(m, seen)
	}
	passed := max(0, m.at-b.last.at)
	switch {
	case b.mains:
		b.held += b.power.ChargeWatts * passed.Hours()
	case m.sounding || b.last.sounding:
		b.held -= b.power.SoundingWatts * passed.Hours()
	default:
		b.held -= b.power.IdleWatts * passed.Hours()
	}
	if m.sounding {
		b.sounded = m.at
	}
	b.switchOver(m.at, seen)
	b.correct(m, passed)
	b.held = min(max(0, b.held), b.power.CapacityWh)
	b.level = b.grade()
	b.last = m
}

// sees says whether the mains feed, as far as one measure tells.
func (b *battery) sees(m measure) bool {
	if m.mains != Unknown {
		return m.mains == On
	}
	return m.volts > b.power.Full() && b.power.Full() > 0
}

func (b *battery) begin(m measure, fed bool) {
	b.begun, b.mains, b.since, b.feeding, b.sounded = true, fed, m.at, m.at, m.at-quiet
	b.last = m
	switch {
	case m.volts > 0 && !fed:
		b.held = b.told(m.volts)
		b.since = m.at - unloaded // as good a guess as any
	case b.held < 0 && m.volts > 0:
		b.held = b.told(m.volts)
	case b.held < 0:
		b.held = b.power.CapacityWh
	}
}

// told is the energy that a voltage at rest stands for.
func (b *battery) told(volts float64) float64 {
	return b.power.Charge(volts) / 100 * b.power.CapacityWh
}

// switchOver believes in lost mains at once and in their return after a while.
func (b *battery) switchOver(at time.Duration, seen bool) {
	if !seen {
		b.feeding = at
	}
	switch {
	case b.mains && !seen:
		b.mains, b.since = false, at
	case !b.mains && seen && at-b.feeding >= settled:
		b.mains, b.since = true, at
	}
}

// correct moves the estimate towards what the voltage tells at rest.
func (b *battery) correct(m measure, passed time.Duration) {
	if b.mains || m.volts <= 0 || m.at-b.since < unloaded || m.at-b.sounded < quiet || b.sees(m) {
		return
	}
	told, pace := b.told(m.volts), rising
	if told < b.held {
		pace = sinking
	}
	b.held += (told - b.held) * -math.Expm1(-passed.Hours()/pace.Hours())
}

// grade is the level. It is reached at once and left only well above it.
func (b *battery) grade() Level {
	if b.mains {
		return Plenty
	}
	marks := [...]float64{First: b.share(b.power.FirstLevel), Second: b.share(b.power.SecondLevel), Reserved: b.reserve}
	level := Plenty
	for l := First; l <= Reserved; l++ {
		mark := marks[l]
		if l <= b.level {
			mark += b.share(relief)
		}
		if b.held < mark {
			level = l
		}
	}
	return level
}

func (b *battery) share(percent float64) float64 { return percent / 100 * b.power.CapacityWh }

// hours is for how long the board stays on duty before only the reserve is left,
// if nothing sounds.
func (b *battery) hours() float64 { return max(0, b.held-b.reserve) / b.power.IdleWatts }

// charge is in percent of the full battery.
func (b *battery) charge() float64 { return 100 * b.held / b.power.CapacityWh }
