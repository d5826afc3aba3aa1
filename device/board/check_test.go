package board

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/guard/line"
)

// machine is a fake tree that a check can be run against.
type machine struct {
	t *testing.T
	Roots
}

// healthy is a Raspberry Pi 4 on which nothing is wrong.
func healthy(t *testing.T) *machine {
	root := t.TempDir()
	m := &machine{t: t, Roots: Roots{
		Proc: filepath.Join(root, "proc"), Sys: filepath.Join(root, "sys"), Dev: filepath.Join(root, "dev"),
		Data: root, Guard: filepath.Join(root, "guard.sock"),
		Now:      func() time.Time { return time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC) },
		Line:     func(line.Place) (line.Info, error) { return line.Info{Chip: "gpiochip0"}, nil },
		Free:     func(string) (uint64, error) { return 8 << 30, nil },
		ReadOnly: func(string) (bool, error) { return false, nil },
	}}
	m.write("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\x00")
	m.write("proc/meminfo", "MemTotal:        1892784 kB\nMemFree: 1 kB\n")
	m.write("proc/asound/cards", " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n                      vc4-hdmi-0\n"+
		" 1 [Device         ]: USB-Audio - USB Audio Device\n                      C-Media at usb-1\n")
	m.write("proc/asound/card1/pcm0p/info", "card: 1\n")
	m.write("sys/class/rtc/rtc0/name", "rtc-ds1307\n")
	m.write("sys/class/thermal/thermal_zone0/temp", "48312\n")
	m.write("dev/watchdog", "")
	l, err := net.Listen("unix", m.Guard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return m
}

func (m *machine) write(path, text string) {
	m.t.Helper()
	full := filepath.Join(m.Data, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) remove(path string) {
	m.t.Helper()
	if err := os.RemoveAll(filepath.Join(m.Data, path)); err != nil {
		m.t.Fatal(err)
	}
}

// about returns the worst finding on a part.
func about(all []Finding, part string) Finding {
	rank := map[Level]int{OK: 1, Warn: 2, Fail: 3}
	var worst Finding
	for _, f := range all {
		if f.Part == part && rank[f.Level] > rank[worst.Level] {
			worst = f
		}
	}
	return worst
}

func TestAHealthyBoardIsToldPartByPart(t *testing.T) {
	m := healthy(t)
	want := []Finding{
		{"board", OK, "Raspberry Pi 4 Model B Rev 1.4"},
		{"relay", OK, "line 17 of pinctrl-bcm2711 (gpiochip0) is free"},
		{"guard", OK, "its socket is at " + m.Guard},
		{"sound", OK, "sound card Device (card 1)"},
		{"watchdog", OK, "hardware watchdog at /dev/watchdog: start the guard with -watchdog"},
		{"clock", OK, "the clock shows 2026-11-22 05:00 UTC"},
		{"clock", OK, "battery-backed clock present"},
		{"disk", OK, "8192 MB free at " + m.Data},
		{"memory", OK, "1848 MB"},
		{"sensor", OK, "processor: 48.3 °C"},
		{"power", Warn, "no battery in this profile: silent when the mains fail"},
		{"ffmpeg", OK, "not needed on a node: content arrives ready to play"},
	}
	if got := Check(named(t, "raspberry-pi-4"), m.Roots); !reflect.DeepEqual(got, want) {
		for i := range max(len(got), len(want)) {
			t.Errorf("got  %v\nwant %v", got[min(i, len(got)-1)], want[min(i, len(want)-1)])
		}
	}
}

// TestEveryFaultOfABoardIsFoundAndSaysWhatToDo breaks one thing at a time.
func TestEveryFaultOfABoardIsFoundAndSaysWhatToDo(t *testing.T) {
	lineIs := func(info line.Info, err error) func(*machine) {
		return func(m *machine) { m.Line = func(line.Place) (line.Info, error) { return info, err } }
	}
	freeIs := func(n uint64, err error) func(*machine) {
		return func(m *machine) { m.Free = func(string) (uint64, error) { return n, err } }
	}
	cases := []struct {
		name, part string
		level      Level
		change     func(*machine)
		want       string
	}{
		{"another board", "board", Warn, func(m *machine) { m.write("proc/device-tree/model", "Raspberry Pi 400 Rev 1.0\x00") }, "choose another profile"},
		{"unknown board", "board", Warn, func(m *machine) { m.remove("proc/device-tree") }, "make sure that the profile fits"},
		{"no chip", "relay", Fail, lineIs(line.Info{}, fmt.Errorf("%w: found: gpio", line.ErrNoChip)), "relay.chip"},
		{"no permission", "relay", Fail, lineIs(line.Info{}, os.ErrPermission), "group gpio"},
		{"no such line", "relay", Fail, lineIs(line.Info{}, errors.New("invalid offset")), "check relay.line"},
		{"line taken", "relay", Fail, lineIs(line.Info{Chip: "gpiochip0", Used: true, Consumer: "leds"}, nil), `in use by "leds"`},
		{"line held by the guard", "relay", OK, lineIs(line.Info{Chip: "gpiochip0", Used: true, Consumer: "loaxa-guard"}, nil), "held by the guard"},
		{"no guard", "guard", Warn, func(m *machine) { m.Guard = "/run/none" }, "-chip pinctrl-bcm2711 -line 17"},
		{"file for a guard", "guard", Warn, func(m *machine) { m.Guard = m.Data }, "no guard serves"},
		{"card unplugged", "sound", Fail, func(m *machine) { m.write("proc/asound/cards", " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n") }, "found: vc4hdmi0"},
		{"no sound at all", "sound", Fail, func(m *machine) { m.remove("proc/asound") }, "found: none"},
		{"microphone only", "sound", Fail, func(m *machine) { m.remove("proc/asound/card1") }, "no output"},
		{"no watchdog", "watchdog", Warn, func(m *machine) { m.remove("dev/watchdog") }, "load the driver"},
		{"only watchdog0", "watchdog", OK, func(m *machine) { m.remove("dev/watchdog"); m.write("dev/watchdog0", "") }, "/dev/watchdog0"},
		{"clock of 1970", "clock", Fail, func(m *machine) { m.Now = func() time.Time { return time.Unix(9000, 0) } }, "shows 1970-01-01"},
		{"no RTC", "clock", Warn, func(m *machine) { m.remove("sys/class/rtc") }, "after a power cut"},
		{"disk full", "disk", Fail, freeIs(99<<20, nil), "only 99 MB free"},
		{"disk small", "disk", Warn, freeIs(500<<20, nil), "few announcements"},
		{"no data folder", "disk", Fail, freeIs(0, os.ErrNotExist), "create it"},
		{"little memory", "memory", Warn, func(m *machine) { m.write("proc/meminfo", "MemTotal: 120000 kB\n") }, "117 MB"},
		{"no meminfo", "memory", Warn, func(m *machine) { m.remove("proc/meminfo") }, "unknown"},
		{"odd meminfo", "memory", Warn, func(m *machine) { m.write("proc/meminfo", "MemTotal: much\n") }, "no MemTotal"},
		{"hot", "sensor", Warn, func(m *machine) { m.write("sys/class/thermal/thermal_zone0/temp", "85000") }, "85.0 °C is hot"},
		{"no sensor", "sensor", Warn, func(m *machine) { m.remove("sys/class/thermal") }, "cannot be read"},
		{"sensor talks", "sensor", Warn, func(m *machine) { m.write("sys/class/thermal/thermal_zone0/temp", "NaN") }, "holds no number"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := healthy(t)
			c.change(m)
			f := about(Check(named(t, "raspberry-pi-4"), m.Roots), c.part)
			if f.Level != c.level || !strings.Contains(f.Text, c.want) {
				t.Errorf("%s: %q, want %s with %q", f.Level, f.Text, c.level, c.want)
			}
		})
	}
}

func TestABatteryIsToldWithItsReserveAndItsCharge(t *testing.T) {
	p := named(t, "raspberry-pi-4")
	p.Sensors, p.Power = battery().Sensors, battery().Power
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	m := healthy(t)
	m.write("sys/online", "1")
	m.write("sys/volts", "12600")
	f := about(Check(p, m.Roots), "power")
	if f.Level != OK || f.Text != "battery of 100 Wh: 20.0 h idle, of which 12.2 Wh are kept for 10 emergency soundings" {
		t.Errorf("%s: %s", f.Level, f.Text)
	}
	m.write("sys/volts", "11700")
	if f := about(Check(p, m.Roots), "power"); f.Level != Warn || !strings.Contains(f.Text, "11.7 V, that is 8 %") {
		t.Errorf("%s: %s", f.Level, f.Text)
	}
	m.write("sys/volts", "15600")
	if f := about(Check(p, m.Roots), "sensor"); f.Level != Fail || !strings.Contains(f.Text, "15.6 V, above 15: nothing sounds") {
		t.Errorf("%s: %s", f.Level, f.Text)
	}
}

func TestInputsAreLookedAtAndNeverTaken(t *testing.T) {
	p := named(t, "raspberry-pi-4")
	p.Inputs = []Input{{Name: "stop", Act: Stop, Chip: "pinctrl-bcm2711", Line: 22}}
	for want, c := range map[string]struct {
		info  line.Info
		err   error
		level Level
	}{
		"stop (stop) on line 22":  {line.Info{}, nil, OK},
		"on line 22 of":           {line.Info{Used: true, Consumer: line.Panel}, nil, OK},
		`in use by "leds"`:        {line.Info{Used: true, Consumer: "leds"}, nil, Warn},
		"check its chip and line": {line.Info{}, line.ErrNoChip, Warn},
	} {
		m := healthy(t)
		m.Line = func(line.Place) (line.Info, error) { return c.info, c.err }
		if f := about(Check(p, m.Roots), "input"); f.Level != c.level || !strings.Contains(f.Text, want) {
			t.Errorf("%s: %s, want %s with %q", f.Level, f.Text, c.level, want)
		}
	}
}

func TestAKeypadIsLookedFor(t *testing.T) {
	p := named(t, "raspberry-pi-4")
	p.Inputs = []Input{{Name: "pad", Act: Keypad, Device: "/dev/input/event3"}}
	m := healthy(t)
	if f := about(Check(p, m.Roots), "input"); f.Level != Warn || !strings.Contains(f.Text, "plug the keypad in") {
		t.Errorf("%s: %s", f.Level, f.Text)
	}
	m.write("dev/input/event3", "")
	if f := about(Check(p, m.Roots), "input"); f.Level != OK || !strings.Contains(f.Text, "pad (keypad) at /dev/input/event3") {
		t.Errorf("%s: %s", f.Level, f.Text)
	}
}

func TestASimulatedBoardNeedsNoHardware(t *testing.T) {
	data := t.TempDir()
	r := System(data, filepath.Join(data, "guard.sock"))
	r.Line = func(line.Place) (line.Info, error) { t.Error("a GPIO line was looked at"); return line.Info{}, nil }
	all := Check(named(t, "simulated"), r)
	for _, part := range []string{"relay", "sound", "guard"} {
		if f := about(all, part); f.Level != Warn {
			t.Errorf("%s: %s: %s", part, f.Level, f.Text)
		}
	}
	if f := about(all, "guard"); !strings.Contains(f.Text, "-simulate relay.jsonl") {
		t.Errorf("guard: %s", f.Text)
	}
}

func TestThisMachineCanBeLookedAt(t *testing.T) {
	data := t.TempDir()
	p := named(t, "generic")
	p.Relay.Chip = "no-such-chip-on-earth"
	all := Check(p, System(data, filepath.Join(data, "guard.sock")))
	if f := about(all, "relay"); f.Level != Fail || !strings.Contains(f.Text, "relay.chip") {
		t.Errorf("relay: %+v", f)
	}
	if f := about(all, "disk"); !strings.Contains(f.Text, "MB free") {
		t.Errorf("disk: %+v", f)
	}
	if n, err := free(filepath.Join(data, "none")); err == nil {
		t.Errorf("a missing folder has %d bytes", n)
	}
}

func TestGuardFlagsCarryThePolarityAndTheSense(t *testing.T) {
	p, sense := named(t, "generic"), 27
	p.Relay.ActiveLow = true
	if flags := strings.Join(p.GuardFlags("/run/g"), " "); !strings.HasSuffix(flags, "-chip gpio -line 0 -active-low") {
		t.Errorf("flags %s", flags)
	}
	p.Relay.Sense, p.Relay.SenseLow = &sense, true
	if flags := strings.Join(p.GuardFlags("/run/g"), " "); !strings.HasSuffix(flags, "-active-low -sense 27 -sense-active-low") {
		t.Errorf("flags %s", flags)
	}
}

// TestTheGuardTakesTheFlagsThatTheCheckPrints keeps two programs in agreement:
// what a technician copies from the check must be understood by the guard.
func TestTheGuardTakesTheFlagsThatTheCheckPrints(t *testing.T) {
	program := filepath.Join(t.TempDir(), "loaxa-guard")
	if out, err := exec.Command("go", "build", "-o", program, "../guard").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, name := range Names() {
		p, dir := named(t, name), t.TempDir()
		if !p.Relay.Simulated {
			p.Relay.ActiveLow, p.Relay.Chip = true, "no-such-chip-on-earth" // touch no real line
		}
		f := about(Check(p, System(dir, filepath.Join(dir, "guard.sock"))), "guard")
		_, command, found := strings.Cut(f.Text, "loaxa-guard ")
		if !found {
			t.Fatalf("%s: no command in %q", name, f.Text)
		}
		cmd := exec.Command(program, append(strings.Fields(command), "-open")...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		code := cmd.ProcessState.ExitCode()
		if misread := 2; code == misread || code == 0 != p.Relay.Simulated {
			t.Errorf("%s: %s: exit code %d: %s", name, command, code, out)
		}
	}
}
