package site

import (
	"cmp"
	"strconv"

	"github.com/loaxa/loaxa/device/amplifier"
	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/power"
)

// registerCharge is where the card keeps the charge of the battery, in percent.
const registerCharge = "charge"

// gauge reads the sensors of this board.
func (s *Site) gauge(a *amplifier.Amplifier, tell func(power.State)) *power.Gauge {
	sys := cmp.Or(s.cfg.Parts.Sys, "/sys")
	return power.New(power.Config{
		Profile: s.cfg.Profile, Amplifier: a, Noted: s.charge(), Tell: tell, Log: s.cfg.Log,
		Read: func(one board.Sensor) (float64, error) { return one.Read(sys) },
		Keep: func(percent float64) error {
			return s.registers.Put(registerCharge, strconv.AppendFloat(nil, percent, 'f', 0, 64))
		},
	})
}

// charge is what was noted last; negative if nothing can be read.
func (s *Site) charge() float64 {
	raw, err := s.registers.Get(registerCharge)
	if err != nil {
		return -1
	}
	percent, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !(percent >= 0 && percent <= 100) {
		return -1
	}
	return percent
}
