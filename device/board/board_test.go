package board

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/guard/lease"
)

func named(t *testing.T, name string) Profile {
	t.Helper()
	p, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryBoardIsCompleteAndNamedAsItsFile(t *testing.T) {
	want := []string{"generic", "orange-pi-one", "orange-pi-zero", "orange-pi-zero2", "raspberry-pi-3", "raspberry-pi-4", "simulated"}
	if got := Names(); !reflect.DeepEqual(got, want) {
		t.Fatalf("boards %v, want %v", got, want)
	}
	for _, name := range want {
		t.Run(name, func(t *testing.T) {
			p := named(t, name)
			if p.Name != name {
				t.Errorf("the profile calls itself %q", p.Name)
			}
			if p.Relay.WarmUp != 1500*time.Millisecond {
				t.Errorf("warm-up %v", p.Relay.WarmUp)
			}
			if p.Relay.Simulated != (name == "simulated") {
				t.Errorf("simulated: %v", p.Relay.Simulated)
			}
		})
	}
}

func TestNoTwoBoardsClaimTheSameModel(t *testing.T) {
	owner := map[string]string{}
	for _, name := range Names() {
		for _, m := range named(t, name).Models {
			if owner[m] != "" {
				t.Errorf("%s and %s both claim %q", owner[m], name, m)
			}
			owner[m] = name
		}
	}
	if len(owner) == 0 {
		t.Error("no board claims a model")
	}
}

// TestEveryBoardsGuardLeavesRoomForItsPlayer proves that a guard started with
// the profile's limits takes them, and never cuts off a planned warm-up or hold.
func TestEveryBoardsGuardLeavesRoomForItsPlayer(t *testing.T) {
	for _, name := range Names() {
		p := named(t, name)
		l := p.Limits()
		if err := l.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if l.WarmUp <= p.Relay.WarmUp || l.Hold <= p.Timings().Hold || p.Timings().Hold != p.Relay.Hold {
			t.Errorf("%s: limits %+v for %+v", name, l, p.Relay)
		}
		if l.MaximumOn != p.Relay.MaximumOn || l.MinimumOff != p.Relay.MinimumOff {
			t.Errorf("%s: limits %+v for %+v", name, l, p.Relay)
		}
	}
}

func TestTheLongestAllowedTimesStillMakeValidLimits(t *testing.T) {
	p := named(t, "generic")
	p.Relay.WarmUp, p.Relay.Hold, p.Relay.MinimumOff, p.Relay.MaximumOn = longestWarmUp, longestHold, longestOff, longestOn
	if err := errors.Join(p.Validate(), p.Limits().Validate()); err != nil {
		t.Error(err)
	}
}

func site(t *testing.T, text string) (Profile, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "site.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

func TestASiteFileChangesOnlyWhatItNames(t *testing.T) {
	got, err := site(t, `
base = "raspberry-pi-4"
[relay]
line = 27
active_low = true
warm_up = "3s"
[[sensor]]
name = "battery"
kind = "voltage"
path = "bus/iio/devices/iio:device0/in_voltage0_raw"
scale = 0.01
least = 11.4
most = 15
[power]
battery = true
capacity_wh = 200
idle_watts = 4
sounding_watts = 60
charge_watts = 30
voltage_sensor = "battery"
curve = [{volts = 11.6, charge = 0}, {volts = 12.8, charge = 100}]
first_level = 60
second_level = 30
reserve_sounding = 20
[[input]]
name = "stop"
act = "stop"
chip = "pinctrl-bcm2711"
line = 22
active_low = true
`)
	if err != nil {
		t.Fatal(err)
	}
	want := named(t, "raspberry-pi-4")
	want.Relay.Line, want.Relay.ActiveLow, want.Relay.WarmUp = 27, true, 3*time.Second
	want.Sensors = []Sensor{{Name: "battery", Kind: Voltage, Path: "bus/iio/devices/iio:device0/in_voltage0_raw", Scale: 0.01, Least: 11.4, Most: 15}}
	want.Power = Power{Battery: true, CapacityWh: 200, IdleWatts: 4, SoundingWatts: 60, ChargeWatts: 30, VoltageSensor: "battery",
		Curve: []Point{{11.6, 0}, {12.8, 100}}, FirstLevel: 60, SecondLevel: 30, ReserveSounding: 20}
	want.Inputs = []Input{{Name: "stop", Act: Stop, Chip: "pinctrl-bcm2711", Line: 22, ActiveLow: true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestAListOfSensorsReplacesThatOfTheBase(t *testing.T) {
	_, err := site(t, "base = \"raspberry-pi-4\"\n[[sensor]]\nname = \"box\"\nkind = \"temperature\"\npath = \"x\"\n")
	if err == nil || !strings.Contains(err.Error(), "scale is missing") {
		t.Errorf("the scale of another sensor was inherited: %v", err)
	}
}

func TestLoadTakesANameOrAPath(t *testing.T) {
	if p, err := Load("simulated"); err != nil || p.Name != "simulated" {
		t.Errorf("%v, %v", p.Name, err)
	}
	for _, ref := range []string{"banana-pi", "../generic", filepath.Join(t.TempDir(), "none.toml")} {
		if _, err := Load(ref); err == nil {
			t.Errorf("%s was loaded", ref)
		}
	}
	_, err := Load("banana-pi")
	for _, want := range []string{`"banana-pi"`, "raspberry-pi-4", "base ="} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestASiteFileThatCannotBeMeantIsRefused(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"misspelt key":       {"base = \"generic\"\n[relay]\nwarmup = \"2s\"", `unknown key "relay.warmup"`},
		"unknown base":       {`base = "banana-pi"`, "no board named"},
		"no TOML":            {"relay: 17", "toml"},
		"no duration":        {"base = \"generic\"\n[relay]\nwarm_up = \"soon\"", "soon"},
		"nothing":            {"", "relay.chip is missing"},
		"too large":          {strings.Repeat("# x\n", fileLimit), "larger than"},
		"warm-up too long":   {"base = \"generic\"\n[relay]\nwarm_up = \"1h\"", "relay.warm_up is 1h0m0s"},
		"on for ever":        {"base = \"generic\"\n[relay]\nmaximum_on = \"24h\"", "relay.maximum_on"},
		"sense on the relay": {"base = \"generic\"\n[relay]\nsense = 0", "relay.sense 0: an input of its own"},
		"negative line":      {"base = \"generic\"\n[relay]\nline = -1", "relay.line is -1"},
		"device string":      {"base = \"generic\"\n[sound]\ncard = \"hw:1,0\"", "not a device string"},
		"silent ceiling":     {"base = \"generic\"\n[sound]\nceiling = 0", "sound.ceiling"},
		"two relays":         {"base = \"simulated\"\n[relay]\nchip = \"gpio\"", "simulated relay"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := site(t, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestEveryFaultOfAProfileIsNamedAtOnce(t *testing.T) {
	p := Profile{
		Name: "two words", Power: Power{Battery: true, CapacityWh: 1, IdleWatts: 5, SoundingWatts: 100, VoltageSensor: "gone", MainsSensor: "gone",
			FirstLevel: 20, SecondLevel: 30, ReserveSounding: 10, Curve: []Point{{12, 5}, {11, 90}}},
		Sensors: slices.Repeat([]Sensor{{Kind: "smell", Path: "/etc/passwd", Least: 5, Most: 4}}, mostSensors+1),
		Inputs:  slices.Repeat([]Input{{Name: "press me", Act: "sing"}}, mostInputs+1),
	}
	err := p.Validate()
	for _, want := range []string{
		"name", "title", "relay.chip", "relay.maximum_on", "sound.card", "sound.ceiling", "at most 16", "has no name", `"smell"`,
		"/etc/passwd", "scale", "voltage_sensor \"gone\"", "mains_sensor \"gone\"", "charge_watts", "first_level", "least 5", "only a temperature and a voltage", "sort the points",
		"from charge 0", "reserve of 10 soundings needs 17.5 Wh", "9 inputs", "\"press me\"", "\"sing\"", "there twice", "chip is missing",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in %v", want, err)
		}
	}
	if err := (Profile{Power: Power{CapacityWh: 5}}).validatePower()[0]; err == nil {
		t.Error("a capacity without a battery was taken")
	}
}

// battery is a board of which everything is measured.
func battery() Profile {
	return Profile{
		Relay: Relay{WarmUp: 2 * time.Second, Hold: 8 * time.Second},
		Sensors: []Sensor{{Name: "battery", Kind: Voltage, Path: "volts", Scale: 0.001, Least: 11, Most: 15},
			{Name: "mains", Kind: Mains, Path: "online", Scale: 1}},
		Power: Power{Battery: true, CapacityWh: 100, IdleWatts: 5, SoundingWatts: 60, ChargeWatts: 20, VoltageSensor: "battery", MainsSensor: "mains",
			Curve: []Point{{11.6, 0}, {12.2, 50}, {12.8, 100}}, FirstLevel: 60, SecondLevel: 30, ReserveSounding: 10},
	}
}

func TestABatteryThatCannotKeepItsWordIsRefused(t *testing.T) {
	if err := errors.Join(battery().validatePower()...); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Profile){
		"nothing measures":                  func(p *Profile) { p.Power.VoltageSensor, p.Power.MainsSensor = "", "" },
		"no voltage sensor has this name":   func(p *Profile) { p.Power.VoltageSensor = "mains" },
		"no mains sensor has this name":     func(p *Profile) { p.Power.MainsSensor = "battery" },
		"least is missing":                  func(p *Profile) { p.Sensors[0].Least = 0 },
		"curve is missing":                  func(p *Profile) { p.Power.Curve = nil },
		"has 1 points":                      func(p *Profile) { p.Power.Curve = p.Power.Curve[:1] },
		"has 33 points":                     func(p *Profile) { p.Power.Curve = slices.Repeat([]Point{{1, 1}}, 33) },
		"power.reserve_sounding is 9":       func(p *Profile) { p.Power.ReserveSounding = 9 },
		"raise second_level":                func(p *Profile) { p.Power.SecondLevel = 10 },
		"power.first_level is 20":           func(p *Profile) { p.Power.FirstLevel = 20 },
		"12.2 V with 50 % follows 12.2 V":   func(p *Profile) { p.Power.Curve[0] = Point{12.2, 0} },
		"11.9 V with 40 % follows 11.8 V w": func(p *Profile) { p.Power.Curve = []Point{{11.6, 0}, {11.8, 60}, {11.9, 40}, {12, 100}} },
	} {
		p := battery()
		change(&p)
		if err := errors.Join(p.validatePower()...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in %v", want, err)
		}
	}
}

func TestTheCurveIsStraightBetweenItsPoints(t *testing.T) {
	w := battery().Power
	for volts, want := range map[float64]float64{0: 0, 11.6: 0, 11.9: 25, 12.2: 50, 12.5: 75, 12.8: 100, 14.4: 100} {
		if got := w.Charge(volts); got < want-0.01 || got > want+0.01 {
			t.Errorf("%v V are %v %%, want %v", volts, got, want)
		}
	}
	if w.Full() != 12.8 || (Power{}).Full() != 0 || (Power{}).Charge(12) != 0 {
		t.Error("the end of the curve")
	}
}

func TestTheReserveCountsTheAmplifiersWholeTimeOn(t *testing.T) {
	if got, want := battery().Reserve(), 10.5*60*70.0/3600; got < want-0.001 || got > want+0.001 {
		t.Errorf("%v Wh are kept, want %v", got, want)
	}
}

func TestNoInputMaySitOnTheRelay(t *testing.T) {
	p := Profile{Relay: Relay{Chip: "gpio", Line: 17}, Inputs: []Input{{Name: "stop", Act: Stop, Chip: "gpio", Line: 17}}}
	if err := errors.Join(p.validateInputs()...); err == nil || !strings.Contains(err.Error(), "taken already") {
		t.Errorf("the relay's line as a button: %v", err)
	}
	p.Inputs[0].Line = 18
	p.Inputs = append(p.Inputs, Input{Name: "flood", Act: Key, Chip: "other", Line: 17})
	p.Inputs = append(p.Inputs, Input{Name: "pad", Act: Keypad, Device: "/dev/input/by-path/usb-event-kbd"})
	for _, device := range []string{"", "/dev/mem", "/dev/input/../mem", "event3"} {
		q := Profile{Relay: p.Relay, Inputs: []Input{{Name: "pad", Act: Keypad, Device: device}}}
		if err := errors.Join(q.validateInputs()...); err == nil || !strings.Contains(err.Error(), "below /dev/input") {
			t.Errorf("a keypad at %q: %v", device, err)
		}
	}
	if err := errors.Join(p.validateInputs()...); err != nil {
		t.Error(err)
	}
}

func TestAValueIsWithinOnlyWellInsideItsBounds(t *testing.T) {
	s := Sensor{Kind: Voltage, Least: 11, Most: 15}
	for _, c := range []struct {
		v, margin float64
		want      int
	}{{10.99, 0, -1}, {11, 0, 0}, {15, 0, 0}, {15.1, 0, 1}, {11.05, 0.1, -1}, {11.1, 0.1, 0}, {14.95, 0.1, 1}} {
		if got := s.Outside(c.v, c.margin); got != c.want {
			t.Errorf("%v with %v to spare: %d, want %d", c.v, c.margin, got, c.want)
		}
	}
	if (Sensor{Kind: Temperature}).Outside(81, 0) != 1 || (Sensor{Kind: Temperature, Most: 60}).Outside(61, 0) != 1 || (Sensor{Kind: Voltage}).Outside(1e6, 0) != 0 {
		t.Error("bounds that the profile leaves out")
	}
}

func TestAKeeperTakesEveryBoardsLimits(t *testing.T) {
	for _, name := range Names() {
		k, err := lease.NewKeeper(idleLine{}, named(t, name).Limits(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := k.Stop(); err != nil {
			t.Error(err)
		}
	}
}

type idleLine struct{}

func (idleLine) Set(bool) error { return nil }
func (idleLine) Close() error   { return nil }
