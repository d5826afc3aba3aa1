package board

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// SensorKind says what a sensor measures and in which unit.
type SensorKind string

// The kinds of sensors.
const (
	Temperature SensorKind = "temperature" // °C
	Voltage     SensorKind = "voltage"     // V
	Current     SensorKind = "current"     // A
	Mains       SensorKind = "mains"       // 1 while they feed the board, 0 while not
)

// unit of each kind of sensor; a kind without a unit does not exist.
func (k SensorKind) unit() string {
	return map[SensorKind]string{Temperature: "°C", Voltage: "V", Current: "A", Mains: "(1 = on)"}[k]
}

// Sensor is a number that the kernel keeps in a file.
type Sensor struct {
	Name  string     `toml:"name"`
	Kind  SensorKind `toml:"kind"`
	Path  string     `toml:"path"`  // below /sys
	Scale float64    `toml:"scale"` // value in the kind's unit = number in the file × scale
	// Least and Most are the bounds of health in the kind's unit; 0 for none. A
	// fault shows outside of them. A voltage outside of them is one that the
	// amplifier does not survive or cannot sound with: its relay stays open then,
	// for emergencies too.
	Least float64 `toml:"least"`
	Most  float64 `toml:"most"`
}

// What is read of a sensor's file at most, in bytes, and believed at most, in
// any unit.
const (
	sensorBytes = 64
	mostValue   = 10_000
)

// Read takes the value now, in the kind's unit; sys is where the kernel's tree
// is, usually /sys. A file that holds anything but one number of a possible size is an error.
// Some drivers answer only after seconds.
func (s Sensor) Read(sys string) (float64, error) {
	f, err := os.Open(filepath.Join(sys, s.Path))
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	b, err := io.ReadAll(io.LimitReader(f, sensorBytes))
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	if v *= s.Scale; err != nil || len(b) == sensorBytes || !(math.Abs(v) <= mostValue) {
		return 0, fmt.Errorf("%s holds no number that can be true", s.Path)
	}
	return v, nil
}

// hot is where small boards slow down, in °C: the bound of a temperature sensor
// that names none.
const hot = 80

// Outside says on which side of its bounds a value lies: -1 below, 1 above, 0
// within. With a margin, in the kind's unit, it is within only if it lies inside
// by as much.
func (s Sensor) Outside(v, margin float64) int {
	switch most := s.most(); {
	case s.Least != 0 && v < s.Least+margin:
		return -1
	case most != 0 && v > most-margin:
		return 1
	}
	return 0
}

func (s Sensor) most() float64 {
	if s.Most == 0 && s.Kind == Temperature {
		return hot
	}
	return s.Most
}

// Say is a value with its unit and the bound that it is beyond, for people.
func (s Sensor) Say(v float64) string {
	text := fmt.Sprintf("%.1f %s", v, s.Kind.unit())
	switch s.Outside(v, 0) {
	case -1:
		return fmt.Sprintf("%s, below %v", text, s.Least)
	case 1:
		return fmt.Sprintf("%s, above %v", text, s.most())
	}
	return text
}

// Sensor returns the sensor of that name.
func (p Profile) Sensor(name string) (Sensor, bool) {
	for _, s := range p.Sensors {
		if s.Name == name {
			return s, true
		}
	}
	return Sensor{}, false
}

func (s Sensor) validate() []error {
	return []error{
		when(s.Name == "", "a sensor has no name"),
		when(len(s.Name) > longestName, "sensor %q: a name of at most %d bytes", s.Name, longestName),
		when(s.Kind.unit() == "", "sensor %q: kind %q: choose temperature, voltage, current or mains", s.Name, s.Kind),
		when(!filepath.IsLocal(s.Path), "sensor %q: path %q: a path below /sys without .. and without a leading slash", s.Name, s.Path),
		when(s.Scale == 0, "sensor %q: scale is missing (0.001 for thousandths)", s.Name),
		when(s.Least != 0 && s.Most != 0 && s.Least >= s.Most, "sensor %q: least %v is not below most %v", s.Name, s.Least, s.Most),
		when(s.Kind != Temperature && s.Kind != Voltage && (s.Least != 0 || s.Most != 0), "sensor %q: only a temperature and a voltage have bounds", s.Name),
	}
}
