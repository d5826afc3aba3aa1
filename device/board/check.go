package board

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/device/guard/line"
)

// Level says how bad a finding is.
type Level string

// The levels of a finding.
const (
	OK   Level = "ok"
	Warn Level = "warn" // the node works, with the limit that the text names
	Fail Level = "fail" // the node cannot do its work
)

// Finding is one sentence about one part of the board, in plain words. What is
// not OK says what to do.
type Finding struct {
	Part  string
	Level Level
	Text  string
}

// Roots are the places and questions through which Check sees the machine.
type Roots struct {
	Proc, Sys, Dev string                              // usually /proc, /sys and /dev
	Data           string                              // where the node keeps its files
	Guard          string                              // the guard's socket
	Now            func() time.Time                    // the wall clock
	Line           func(line.Place) (line.Info, error) // what the kernel tells about a GPIO line
	ReadOnly       func(path string) (bool, error)     // whether nothing may be written there
	Free           func(path string) (uint64, error)   // bytes a program may still write there
}

// System sees this machine; data is the node's data folder and guard the
// guard's socket.
func System(data, guard string) Roots {
	return Roots{
		Proc: "/proc", Sys: "/sys", Dev: "/dev", Data: data, Guard: guard,
		Now: time.Now, Line: line.Look, ReadOnly: readOnly, Free: free,
	}
}

const (
	diskFail   = 100 << 20 // content and journal no longer fit
	diskWarn   = 1 << 30
	memoryWarn = 200 << 10 // kB, as /proc/meminfo counts
)

// firstDay is a day before which no node existed: a clock that shows an
// earlier one was never set.
var firstDay = time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)

// Check says what this board can and cannot do, part by part, always in the
// same order.
func Check(p Profile, r Roots) []Finding {
	parts := []struct {
		name string
		look func(Profile, Roots) []Finding
	}{
		{"board", model}, {"relay", relay}, {"guard", guard}, {"sound", sound},
		{"watchdog", watchdog}, {"clock", clock}, {"disk", disk}, {"memory", memory},
		{"sensor", sensors}, {"power", power}, {"input", inputs}, {"ffmpeg", ffmpeg},
	}
	var all []Finding
	for _, part := range parts {
		for _, f := range part.look(p, r) {
			f.Part = part.name
			all = append(all, f)
		}
	}
	return all
}

// say is one finding.
func say(l Level, format string, args ...any) []Finding {
	return []Finding{{Level: l, Text: fmt.Sprintf(format, args...)}}
}

func model(p Profile, r Roots) []Finding {
	b, err := os.ReadFile(filepath.Join(r.Proc, "device-tree/model"))
	found := strings.Trim(string(b), "\x00\n ")
	if len(p.Models) == 0 {
		return say(OK, "profile %s fits any board", p.Name)
	}
	if err != nil || found == "" {
		return say(Warn, "profile %s is for %s, but this machine does not say what it is: make sure that the profile fits", p.Name, quoted(p.Models))
	}
	for _, m := range p.Models {
		if found == m || strings.HasPrefix(found, m+" ") {
			return say(OK, "%s", found)
		}
	}
	return say(Warn, "this is a %q, but profile %s is for %s: choose another profile, or the relay line may be a wrong one", found, p.Name, quoted(p.Models))
}

func relay(p Profile, r Roots) []Finding {
	if p.Relay.Simulated {
		return say(Warn, "simulated: edges go to a file, no amplifier is switched")
	}
	info, err := r.Line(p.Relay.place())
	switch {
	case errors.Is(err, line.ErrNoChip):
		return say(Fail, "%v: write the right label into relay.chip", err)
	case errors.Is(err, os.ErrPermission):
		return say(Fail, "%v: run this as root or as a member of the group gpio", err)
	case err != nil:
		return say(Fail, "%v: check relay.line", err)
	case info.Used && info.Consumer == "loaxa-guard":
		return say(OK, "line %d of %s (%s) is held by the guard", p.Relay.Line, p.Relay.Chip, info.Chip)
	case info.Used:
		return say(Fail, "line %d of %s (%s) is in use by %q: free it or move the relay to another line", p.Relay.Line, p.Relay.Chip, info.Chip, info.Consumer)
	}
	return say(OK, "line %d of %s (%s) is free", p.Relay.Line, p.Relay.Chip, info.Chip)
}

func guard(p Profile, r Roots) []Finding {
	if info, err := os.Stat(r.Guard); err == nil && info.Mode()&os.ModeSocket != 0 {
		return say(OK, "its socket is at %s", r.Guard)
	}
	return say(Warn, "no guard serves %s, so no relay can close; start it with: loaxa-guard %s", r.Guard, strings.Join(p.GuardFlags(r.Guard), " "))
}

// GuardFlags start the guard with what this profile says.
func (p Profile) GuardFlags(socket string) []string {
	l := p.Limits()
	flags := []string{"-socket", socket,
		"-warm-up", l.WarmUp.String(), "-hold", l.Hold.String(),
		"-minimum-off", l.MinimumOff.String(), "-maximum-on", l.MaximumOn.String()}
	if p.Relay.Simulated {
		return append(flags, "-simulate", "relay.jsonl")
	}
	flags = append(flags, "-chip", p.Relay.Chip, "-line", strconv.Itoa(p.Relay.Line))
	if p.Relay.ActiveLow {
		flags = append(flags, "-active-low")
	}
	if p.Relay.Sense != nil {
		flags = append(flags, "-sense", strconv.Itoa(*p.Relay.Sense))
	}
	if p.Relay.SenseLow {
		flags = append(flags, "-sense-active-low")
	}
	return flags
}

func sound(p Profile, r Roots) []Finding {
	if p.Sound.Card == "" {
		return say(Warn, "no sound card in this profile: samples go to files only")
	}
	cards := cardIDs(r.Proc)
	number, ok := cards[p.Sound.Card]
	if !ok {
		ids := make([]string, 0, len(cards))
		for id := range cards {
			ids = append(ids, id)
		}
		return say(Fail, "no sound card with the id %s (found: %s): plug it in, or write the right id into sound.card", p.Sound.Card, quoted(sorted(ids)))
	}
	outs, _ := filepath.Glob(filepath.Join(r.Proc, "asound", "card"+number, "pcm*p"))
	if len(outs) == 0 {
		return say(Fail, "sound card %s (card %s) has no output: choose a card that can play", p.Sound.Card, number)
	}
	return say(OK, "sound card %s (card %s)", p.Sound.Card, number)
}

func watchdog(_ Profile, r Roots) []Finding {
	for _, name := range []string{"watchdog", "watchdog0"} {
		if _, err := os.Stat(filepath.Join(r.Dev, name)); err == nil {
			return say(OK, "hardware watchdog at %s: start the guard with -watchdog", filepath.Join("/dev", name))
		}
	}
	return say(Warn, "no hardware watchdog: a board that hangs with the relay closed needs a person; load the driver (bcm2835_wdt, sunxi_wdt) if the board has one")
}

func clock(_ Profile, r Roots) []Finding {
	var all []Finding
	now := r.Now().UTC()
	if now.Before(firstDay) {
		all = say(Fail, "the clock shows %s, it was never set: connect the network once or set it by hand", now.Format(time.DateOnly))
	} else {
		all = say(OK, "the clock shows %s UTC", now.Format("2006-01-02 15:04"))
	}
	if _, err := os.Stat(filepath.Join(r.Sys, "class/rtc/rtc0")); err != nil {
		return append(all, say(Warn, "no battery-backed clock: after a power cut nothing planned sounds until the network tells the time")...)
	}
	return append(all, say(OK, "battery-backed clock present")...)
}

func disk(_ Profile, r Roots) []Finding {
	n, err := r.Free(r.Data)
	switch {
	case err != nil:
		return say(Fail, "data folder %s: %v: create it", r.Data, err)
	case n < diskFail:
		return say(Fail, "only %d MB free at %s, at least %d are needed: remove files or use a larger card", n>>20, r.Data, diskFail>>20)
	case n < diskWarn:
		return say(Warn, "%d MB free at %s: few announcements fit in advance", n>>20, r.Data)
	}
	return say(OK, "%d MB free at %s", n>>20, r.Data)
}

func memory(_ Profile, r Roots) []Finding {
	b, err := os.ReadFile(filepath.Join(r.Proc, "meminfo"))
	if err != nil {
		return say(Warn, "memory unknown: %v", err)
	}
	for l := range strings.Lines(string(b)) {
		f := strings.Fields(l)
		if len(f) < 2 || f[0] != "MemTotal:" {
			continue
		}
		if kb, err := strconv.ParseUint(f[1], 10, 64); err == nil {
			if kb < memoryWarn {
				return say(Warn, "%d MB of memory is little: run nothing else on this board", kb>>10)
			}
			return say(OK, "%d MB", kb>>10)
		}
	}
	return say(Warn, "memory unknown: %s/meminfo has no MemTotal", r.Proc)
}

func sensors(p Profile, r Roots) []Finding {
	var all []Finding
	for _, s := range p.Sensors {
		all = append(all, s.check(r)...)
	}
	return all
}

func (s Sensor) check(r Roots) []Finding {
	v, err := s.Read(r.Sys)
	if err != nil {
		return say(Warn, "%s cannot be read: %v", s.Name, err)
	}
	switch side := s.Outside(v, 0); {
	case side > 0 && s.Kind == Temperature:
		return say(Warn, "%s: %.1f %s is hot: give the box air or shade", s.Name, v, s.Kind.unit())
	case side != 0 && s.Kind == Voltage:
		return say(Fail, "%s: %s: nothing sounds until that is mended", s.Name, s.Say(v))
	}
	return say(OK, "%s: %.1f %s", s.Name, v, s.Kind.unit())
}

func power(p Profile, r Roots) []Finding {
	if !p.Power.Battery {
		return say(Warn, "no battery in this profile: silent when the mains fail")
	}
	w := p.Power
	all := say(OK, "battery of %.0f Wh: %.1f h idle, of which %.1f Wh are kept for %d emergency soundings", w.CapacityWh, w.CapacityWh/w.IdleWatts, p.Reserve(), w.ReserveSounding)
	s, ok := p.Sensor(w.VoltageSensor)
	if !ok {
		return all
	}
	if v, err := s.Read(r.Sys); err == nil && w.Charge(v) < w.SecondLevel {
		all = append(all, say(Warn, "battery at %.1f V, that is %.0f %%: only emergencies sound while the mains are gone", v, w.Charge(v))...)
	}
	return all
}

func inputs(p Profile, r Roots) []Finding {
	var all []Finding
	for _, i := range p.Inputs {
		all = append(all, i.check(p, r)...)
	}
	return all
}

func (i Input) check(p Profile, r Roots) []Finding {
	if p.Relay.Simulated {
		return say(OK, "%s (%s) is simulated", i.Name, i.Act)
	}
	if i.Act == Keypad {
		if err := i.plugged(r); err != nil {
			return say(Warn, "%s (%s): %v", i.Name, i.Act, err)
		}
		return say(OK, "%s (%s) at %s", i.Name, i.Act, i.Device)
	}
	info, err := r.Line(i.Place())
	switch {
	case err != nil:
		return say(Warn, "%s (%s): %v: check its chip and line", i.Name, i.Act, err)
	case info.Used && info.Consumer != line.Panel:
		return say(Warn, "%s (%s): line %d of %s is in use by %q: free it or move the input", i.Name, i.Act, i.Line, i.Chip, info.Consumer)
	}
	return say(OK, "%s (%s) on line %d of %s", i.Name, i.Act, i.Line, i.Chip)
}

func ffmpeg(Profile, Roots) []Finding {
	return say(OK, "not needed on a node: content arrives ready to play")
}

// free asks the file system that holds path.
func free(path string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}
