package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/device/guard/lease"
	"github.com/loaxa/loaxa/device/guard/line"
)

func TestFlagsThatCannotBeMeantAreRefusedWithTheWayOut(t *testing.T) {
	cases := map[string]struct {
		args string
		want string
	}{
		"no relay":          {"", "-chip LABEL and -line OFFSET, or -simulate FILE"},
		"chip without line": {"-chip pinctrl-bcm2711", "-line OFFSET"},
		"two relays":        {"-chip a -line 1 -simulate f", "either -chip or -simulate"},
		"stray word":        {"-simulate f now", `unexpected argument "now"`},
		"unknown flag":      {"-simulate f -fast", "-fast"},
		"no number":         {"-chip a -line five", "five"},
		"expiry too long":   {"-simulate f -expiry 1m", "expiry is 1m0s: choose a value"},
		"stray contacts":    {"-chip a -line 1 -simulate-contacts f", "-simulate-contacts is for"},
		"blind sense":       {"-chip a -line 1 -sense 1", "-sense 1 is the relay's own line"},
		"on for ever":       {"-simulate f -maximum-on 100h", "maximum on-time is 100h0m0s"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var told bytes.Buffer
			err := run(context.Background(), strings.Fields(c.args), &told)
			if !errors.Is(err, errUsage) || !strings.Contains(told.String(), c.want) {
				t.Errorf("error %v, told %q, want %q", err, told.String(), c.want)
			}
		})
	}
	if err := run(context.Background(), []string{"-help"}, new(bytes.Buffer)); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help: %v", err)
	}
}

func TestFlagsSayWhereTheRelayHangs(t *testing.T) {
	s, err := parse(strings.Fields("-chip pinctrl-bcm2711 -line 17 -active-low -maximum-on 2h -sense 27 -sense-active-low"), new(bytes.Buffer))
	if err != nil {
		t.Fatal(err)
	}
	if want := (line.Place{Chip: "pinctrl-bcm2711", Offset: 17, ActiveLow: true}); s.place != want {
		t.Errorf("place %+v, want %+v", s.place, want)
	}
	if s.sense != (line.Sense{Offset: 27, ActiveLow: true}) {
		t.Errorf("sense %+v", s.sense)
	}
	if s.limits.MaximumOn != 2*time.Hour || s.limits.Expiry != 2*time.Second {
		t.Errorf("limits %+v", s.limits)
	}
}

func TestAGuardWithoutItsChipEndsWithTheReason(t *testing.T) {
	err := run(context.Background(), strings.Fields("-chip no-such-chip -line 3"), new(bytes.Buffer))
	if !errors.Is(err, line.ErrNoChip) {
		t.Errorf("error %v", err)
	}
}

// kennel is a file in place of /dev/watchdog.
func kennel(t *testing.T) (path string, fed func() string) {
	path = filepath.Join(t.TempDir(), "watchdog")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, func() string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
}

func TestTheWatchdogIsFedWhileTheGuardLivesAndDisarmedAtItsEnd(t *testing.T) {
	path, fed := kennel(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 4*feedEvery-time.Second)
		defer cancel()
		asked := 0
		if err := feed(ctx, path, func() { asked++ }); err != nil {
			t.Error(err)
		}
		if fed() != "....V" || asked != 4 {
			t.Errorf("the dog got %q after %d questions, want ....V after 4", fed(), asked)
		}
	})
}

func TestAHangingGuardIsNotFed(t *testing.T) {
	path, fed := kennel(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		hang, asked := make(chan struct{}), 0
		done := make(chan error, 1)
		go func() {
			done <- feed(ctx, path, func() {
				if asked++; asked == 2 {
					<-hang
				}
			})
		}()
		<-time.After(10 * feedEvery)
		if fed() != "." {
			t.Errorf("the dog got %q from a guard that hangs", fed())
		}
		cancel()
		close(hang)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestAMissingWatchdogIsReportedAndTheGuardServesOn(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "watchdog")
	if err := feed(context.Background(), missing, func() {}); err == nil || !strings.Contains(err.Error(), "watchdog") {
		t.Errorf("feed: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	var told bytes.Buffer
	socket := filepath.Join(dir, "guard.sock")
	go func() {
		ended <- run(ctx, []string{"-simulate", filepath.Join(dir, "relay.jsonl"), "-socket", socket, "-watchdog", missing}, &told)
	}()
	awaitFile(t, socket)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the guard ended with %v", err)
	}
	if !strings.Contains(told.String(), "without a watchdog") {
		t.Errorf("log: %s", told.String())
	}
}

func TestTheStatusNamesTheRelayAndItsFault(t *testing.T) {
	for want, seen := range map[string]lease.Sight{
		"relay open":               {},
		"relay closed":             {Closed: true},
		"relay open, stuck-on":     {Fault: lease.StuckOn},
		"relay closed, not-moving": {Closed: true, Fault: lease.NotMoving},
	} {
		if got := status(seen); got != want {
			t.Errorf("%+v is %q, want %q", seen, got, want)
		}
	}
}
