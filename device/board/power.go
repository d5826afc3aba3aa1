package board

import "time"

// Power says what feeds the node when the mains are gone, and what of it is kept
// for whom. Levels are percent of the full battery.
type Power struct {
	Battery         bool    `toml:"battery"`
	CapacityWh      float64 `toml:"capacity_wh"`      // usable energy of the full battery
	IdleWatts       float64 `toml:"idle_watts"`       // board and modem
	SoundingWatts   float64 `toml:"sounding_watts"`   // the same with the amplifier on
	ChargeWatts     float64 `toml:"charge_watts"`     // into the battery, while the mains feed
	VoltageSensor   string  `toml:"voltage_sensor"`   // name of the sensor at the battery
	MainsSensor     string  `toml:"mains_sensor"`     // name of the sensor of the mains
	Curve           []Point `toml:"curve"`            // from the battery's voltage at rest to its charge
	FirstLevel      float64 `toml:"first_level"`      // on battery no normal item begins below
	SecondLevel     float64 `toml:"second_level"`     // and no priority item below this one
	ReserveSounding int64   `toml:"reserve_sounding"` // soundings of 60 s kept for emergencies
}

// Point says which charge a battery has at a voltage, at rest: the amplifier has
// been off for minutes and no charger feeds.
type Point struct {
	Volts  float64 `toml:"volts"`
	Charge float64 `toml:"charge"` // percent
}

// Charge is what the curve says of a voltage, in percent: straight between its
// points, and no more or less than at its ends.
func (w Power) Charge(volts float64) float64 {
	last := Point{}
	for i, p := range w.Curve {
		if volts < p.Volts {
			if i == 0 {
				return p.Charge
			}
			return last.Charge + (p.Charge-last.Charge)*(volts-last.Volts)/(p.Volts-last.Volts)
		}
		last = p
	}
	return last.Charge
}

// Full is the voltage at the upper end of the curve. A battery at rest never
// shows more; while it does, a charger feeds. Zero without a curve.
func (w Power) Full() float64 {
	if len(w.Curve) == 0 {
		return 0
	}
	return w.Curve[len(w.Curve)-1].Volts
}

// Reserve is the energy that is kept for emergencies, in Wh: that of the
// soundings with the time for which the amplifier is on around each, and half of
// another for what passes until a sounding is cut.
func (p Profile) Reserve() float64 {
	on := time.Minute + p.Relay.WarmUp + p.Relay.Hold
	return (float64(p.Power.ReserveSounding) + 0.5) * p.Power.SoundingWatts * on.Hours()
}

func (p Profile) validatePower() []error {
	w := p.Power
	if !w.Battery {
		return []error{when(w.CapacityWh != 0 || w.IdleWatts != 0 || w.SoundingWatts != 0 || w.ReserveSounding != 0 || len(w.Curve) > 0,
			"power: values without battery = true: add it or remove them")}
	}
	volts, hasVolts := p.Sensor(w.VoltageSensor)
	mains, hasMains := p.Sensor(w.MainsSensor)
	return append([]error{
		within("power.capacity_wh", w.CapacityWh, 1, 100000),
		within("power.idle_watts", w.IdleWatts, 0.1, 1000),
		within("power.sounding_watts", w.SoundingWatts, w.IdleWatts, 2000),
		within("power.charge_watts", w.ChargeWatts, 0.1, 5000),
		within("power.reserve_sounding", w.ReserveSounding, fewestReserved, 1000),
		within("power.first_level", w.FirstLevel, w.SecondLevel, 100),
		within("power.second_level", w.SecondLevel, 0, 100),
		when(w.VoltageSensor == "" && w.MainsSensor == "", "power: a battery that nothing measures has no budget: name a voltage_sensor, a mains_sensor or both"),
		when(w.VoltageSensor != "" && !(hasVolts && volts.Kind == Voltage), "power.voltage_sensor %q: no voltage sensor has this name", w.VoltageSensor),
		when(w.VoltageSensor != "" && volts.Least <= 0, "sensor %q: least is missing: the voltage below which nothing can sound", w.VoltageSensor),
		when(w.VoltageSensor != "" && len(w.Curve) == 0, "power.curve is missing: two or more points of volts and charge"),
		when(w.MainsSensor != "" && !(hasMains && mains.Kind == Mains), "power.mains_sensor %q: no mains sensor has this name", w.MainsSensor),
		when(p.Reserve() > w.CapacityWh*w.SecondLevel/100, "power: the reserve of %d soundings needs %.1f Wh, but the second level keeps %.1f Wh: raise second_level or take a larger battery",
			w.ReserveSounding, p.Reserve(), w.CapacityWh*w.SecondLevel/100),
	}, w.validateCurve()...)
}

func (w Power) validateCurve() []error {
	if len(w.Curve) == 0 {
		return nil
	}
	faults := []error{
		when(len(w.Curve) < 2 || len(w.Curve) > mostPoints, "power.curve has %d points: give 2 to %d", len(w.Curve), mostPoints),
		when(w.Curve[0].Charge != 0 || w.Curve[len(w.Curve)-1].Charge != 100, "power.curve: it leads from charge 0 to charge 100"),
	}
	for i, p := range w.Curve[1:] {
		faults = append(faults, when(p.Volts <= w.Curve[i].Volts || p.Charge < w.Curve[i].Charge,
			"power.curve: %v V with %v %% follows %v V with %v %%: sort the points by rising voltage", p.Volts, p.Charge, w.Curve[i].Volts, w.Curve[i].Charge))
	}
	return faults
}
