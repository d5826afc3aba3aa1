package systemd

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// unit is one file: values by section and option, in their order.
type unit map[string][]string

// read reads a unit as systemd.syntax(7) says, without continued lines, which
// ours have none of.
func read(t *testing.T, name string) unit {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	u, section := unit{}, ""
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		default:
			key, value, found := strings.Cut(line, "=")
			if !found || section == "" || strings.HasSuffix(line, `\`) {
				t.Fatalf("%s: %q is no option", name, line)
			}
			u[section+"."+key] = append(u[section+"."+key], value)
		}
	}
	return u
}

// one is the only value of an option.
func (u unit) one(t *testing.T, option string) string {
	t.Helper()
	if len(u[option]) != 1 {
		t.Fatalf("%s stands %d times", option, len(u[option]))
	}
	return u[option][0]
}

// span reads a time as ours are written: one number with its unit.
func (u unit) span(t *testing.T, option string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(strings.Replace(u.one(t, option), "min", "m", 1))
	if err != nil {
		t.Fatalf("%s: %v", option, err)
	}
	return d
}

const (
	relayOff = "loaxa-relay-off.service"
	guard    = "loaxa-guard.service"
	device   = "loaxa-device.service"
)

// options are all that ours use, as systemd.unit(5), systemd.service(5),
// systemd.exec(5), systemd.kill(5) and systemd.resource-control(5) of version
// 252 spell them; RestartSteps and RestartMaxDelaySec are of 254 and passed over
// before. systemd only warns of a word that it does not know, and the promise is
// gone.
var options = map[string]string{
	"Unit":    "Description Documentation DefaultDependencies Wants Before After Conflicts StartLimitIntervalSec",
	"Install": "WantedBy",
	"Service": "Type RemainAfterExit EnvironmentFile ExecStart ExecStop ExecStopPost Restart RestartSec RestartSteps RestartMaxDelaySec " +
		"WatchdogSec WatchdogSignal TimeoutAbortSec TimeoutStartSec TimeoutStopSec NotifyAccess KillMode " +
		"User Group SupplementaryGroups UMask RuntimeDirectory RuntimeDirectoryMode RuntimeDirectoryPreserve StateDirectory StateDirectoryMode " +
		"OOMPolicy OOMScoreAdjust Nice MemoryMax MemorySwapMax TasksMax LimitCORE DevicePolicy DeviceAllow PrivateNetwork " +
		"RestrictAddressFamilies IPAddressDeny CapabilityBoundingSet AmbientCapabilities NoNewPrivileges PrivateTmp ProtectSystem ReadWritePaths ProtectHome " +
		"ProtectHostname ProtectClock ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups ProtectProc " +
		"RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality MemoryDenyWriteExecute SystemCallArchitectures " +
		"SystemCallFilter SystemCallErrorNumber",
}

func TestEveryOptionIsSpelledAsSystemdSpellsIt(t *testing.T) {
	names, err := filepath.Glob("*.service")
	if err != nil || len(names) != 3 {
		t.Fatalf("units %q, %v", names, err)
	}
	for _, name := range names {
		for option := range read(t, name) {
			section, key, _ := strings.Cut(option, ".")
			if !slices.Contains(strings.Fields(options[section]), key) {
				t.Errorf("%s: [%s] %s is not in the table of options: is it spelled right?", name, section, key)
			}
		}
	}
}

// promise is what a unit must say, and what for.
type promise struct{ unit, option, value, why string }

var promises = []promise{
	{relayOff, "Unit.DefaultDependencies", "no", "it runs before what others wait for"},
	{relayOff, "Unit.Before", "sysinit.target network-pre.target loaxa-guard.service shutdown.target", "first of all; the network and the guard come after"},
	{relayOff, "Unit.Conflicts", "shutdown.target", "it ends, and opens the line, with the board"},
	{relayOff, "Service.ExecStart", "/usr/bin/loaxa-guard $GUARD_FLAGS -open", "the line is forced off at boot"},
	{relayOff, "Service.ExecStop", "/usr/bin/loaxa-guard $GUARD_FLAGS -open", "and once more behind the guard at the end"},
	{relayOff, "Service.RemainAfterExit", "yes", "or there would be no end to open it at"},
	{relayOff, "Service.Restart", "on-failure", "the driver of the line may come late"},
	{relayOff, "Unit.StartLimitIntervalSec", "0", "however late"},
	{relayOff, "Install.WantedBy", "sysinit.target", "it is part of every boot"},

	{guard, "Service.Type", "notify", "it is up when it judges, not when it was started"},
	{guard, "Service.ExecStopPost", "/usr/bin/loaxa-guard $GUARD_FLAGS -open", "however it died, the line is opened"},
	{guard, "Service.Restart", "always", "no node without a guard"},
	{guard, "Unit.StartLimitIntervalSec", "0", "never left dead"},
	{guard, "Unit.After", "loaxa-relay-off.service", "the line is off before it begins"},
	{guard, "Service.WatchdogSignal", "SIGKILL", "a stopped process hears it"},
	{guard, "Service.PrivateNetwork", "yes", "nothing reaches it from outside"},
	{guard, "Service.RestrictAddressFamilies", "AF_UNIX", "its socket, and nothing else"},
	{guard, "Service.CapabilityBoundingSet", "", "root in name only"},
	{guard, "Service.NoNewPrivileges", "yes", "and it stays so"},
	{guard, "Service.PrivateTmp", "yes", "nobody's files"},
	{guard, "Service.ProtectSystem", "strict", "nothing to write but its folder in /run"},
	{guard, "Service.DevicePolicy", "closed", "no device but those named"},
	{guard, "Service.RuntimeDirectory", "loaxa", "where its socket stands"},
	{guard, "Service.OOMScoreAdjust", "-1000", "never taken for lack of memory"},

	{device, "Service.Type", "notify", "it is up when its loop turns"},
	{device, "Unit.Wants", "loaxa-guard.service", "a guard that dies does not take it along"},
	{device, "Unit.After", "loaxa-guard.service sound.target", "and it waits for no network"},
	{device, "Service.Restart", "always", "no node without its daemon"},
	{device, "Unit.StartLimitIntervalSec", "0", "never left dead"},
	{device, "Service.KillMode", "mixed", "a decoder lives until the fade is over"},
	{device, "Service.OOMPolicy", "continue", "a decoder that eats memory ends alone"},
	{device, "Service.MemoryMax", "192M", "it cannot starve the guard"},
	{device, "Service.StateDirectory", "loaxa", "where its card stands"},
	{device, "Service.RuntimeDirectory", "loaxa-device", "where a recording goes that the card does not take"},
	{device, "Service.User", "loaxa", "not root"},
	{device, "Service.CapabilityBoundingSet", "", "and never root"},
	{device, "Service.NoNewPrivileges", "yes", "nor its decoders"},
	{device, "Service.ProtectSystem", "strict", "nothing to write but its card and"},
	{device, "Service.ReadWritePaths", "-/media/loaxa", "receipts on a stick, where there is one"},
}

func TestUnitsKeepTheirPromises(t *testing.T) {
	for _, p := range promises {
		t.Run(p.unit+" "+p.option, func(t *testing.T) {
			if got := read(t, p.unit)[p.option]; !slices.Equal(got, []string{p.value}) {
				t.Errorf("%q, want %q: %s", got, p.value, p.why)
			}
		})
	}
}

func TestTheGuardReachesItsLineAndItsWatchdogAndNoOtherDevice(t *testing.T) {
	want := []string{"char-gpiochip rw", "char-watchdog rw", "/dev/watchdog rw"}
	if got := read(t, guard)["Service.DeviceAllow"]; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheDaemonReachesItsCardAndWhatPeoplePressAndNoOtherDevice(t *testing.T) {
	want := []string{"char-alsa rw", "char-input r", "char-gpiochip r"} // the relay is the guard's
	if got := read(t, device)["Service.DeviceAllow"]; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTheChipsAreReadByTheDaemonsGroupAndWrittenByNobodyElse(t *testing.T) {
	raw, err := os.ReadFile("loaxa.rules")
	if err != nil {
		t.Fatal(err)
	}
	group := read(t, device).one(t, "Service.Group")
	if want := `SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="` + group + `", MODE="0640"`; !strings.Contains(string(raw), "\n"+want+"\n") {
		t.Errorf("no line %s in\n%s", want, raw)
	}
}

// TestTheRelayIsOpenInTimeWhoeverHangs adds up what passes until a line is open
// whose guard hangs: the watchdog's patience and the time to start -open.
func TestTheRelayIsOpenInTimeWhoeverHangs(t *testing.T) {
	const lawful, open = 10 * time.Second, time.Second
	g, d := read(t, guard), read(t, device)
	if late := g.span(t, "Service.WatchdogSec") + open; late > lawful/2 {
		t.Errorf("a guard that hangs keeps the relay for %v", late)
	}
	if late := g.span(t, "Service.TimeoutStopSec") + open; late > lawful/2 {
		t.Errorf("a guard that does not stop keeps the relay for %v", late)
	}
	if again := g.span(t, "Service.RestartSec"); again > time.Second {
		t.Errorf("a guard that died comes back after %v", again)
	}
	// A daemon that fades out and says goodbye needs five seconds.
	if stop := d.span(t, "Service.TimeoutStopSec"); stop < 5*time.Second {
		t.Errorf("a daemon is killed %v after it was asked to stop", stop)
	}
	// A card may take half a minute for one write and is then not to be blamed.
	if life := d.span(t, "Service.WatchdogSec"); life < 30*time.Second || life > 2*time.Minute {
		t.Errorf("a daemon that hangs is restarted after %v", life)
	}
	if first := d.span(t, "Service.RestartSec"); first > 5*time.Second {
		t.Errorf("a daemon that died comes back after %v", first)
	}
}

func TestTheDaemonsUserIsMadeByItsFile(t *testing.T) {
	raw, err := os.ReadFile("loaxa.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	d := read(t, device)
	lines := []string{fmt.Sprintf("u %s - ", d.one(t, "Service.User"))}
	for _, group := range strings.Fields(d.one(t, "Service.SupplementaryGroups")) {
		lines = append(lines, fmt.Sprintf("m %s %s\n", d.one(t, "Service.User"), group))
	}
	for _, want := range lines {
		if !strings.Contains(string(raw), want) {
			t.Errorf("loaxa.sysusers has no %q", want)
		}
	}
	if got := read(t, guard).one(t, "Service.Group"); got != d.one(t, "Service.Group") {
		t.Errorf("the guard's socket is for %s, the daemon is in %s", got, d.one(t, "Service.Group"))
	}
}
