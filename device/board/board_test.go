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
[power]
battery = true
capacity_wh = 100
idle_watts = 4
sounding_watts = 60
voltage_sensor = "battery"
empty_volts = 11.4
reserve_sounding = 20
`)
	if err != nil {
		t.Fatal(err)
	}
	want := named(t, "raspberry-pi-4")
	want.Relay.Line, want.Relay.ActiveLow, want.Relay.WarmUp = 27, true, 3*time.Second
	want.Sensors = []Sensor{{Name: "battery", Kind: Voltage, Path: "bus/iio/devices/iio:device0/in_voltage0_raw", Scale: 0.01}}
	want.Power = Power{true, 100, 4, 60, "battery", 11.4, 20}
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
		Name: "two words", Power: Power{Battery: true, CapacityWh: 1, IdleWatts: 5, SoundingWatts: 100, VoltageSensor: "gone", ReserveSounding: 10},
		Sensors: slices.Repeat([]Sensor{{Kind: "smell", Path: "/etc/passwd"}}, mostSensors+1),
	}
	err := p.Validate()
	for _, want := range []string{
		"name", "title", "relay.chip", "relay.maximum_on", "sound.card", "sound.ceiling", "at most 16", "has no name", `"smell"`,
		"/etc/passwd", "scale", "voltage_sensor", "empty_volts", "reserve needs 16.7 Wh",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in %v", want, err)
		}
	}
	if err := (Power{CapacityWh: 5}).validate(nil)[0]; err == nil {
		t.Error("a capacity without a battery was taken")
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
