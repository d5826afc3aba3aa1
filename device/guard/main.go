// Command loaxa-guard owns the relay that powers the amplifier.
//
// What always holds: opening the relay is its first action and its last. In
// between the relay is closed only while a living process renews a lease on
// it, and never longer than the maximum on-time given here. The guard knows
// nothing of announcements, networks or keys, so nothing that arrives from
// outside can reach the relay through it. If the guard itself dies, its
// service restarts it or runs it with -open, and if it hangs, the hardware
// watchdog that it feeds restarts the board: both end with an open relay.
//
// It starts with flags only (see -help), serves one unix socket (package
// lease), drives one line (package line) and says once a second to whoever
// started it that it still judges (package notify).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/device/guard/lease"
	"github.com/loaxa/loaxa/device/guard/line"
	"github.com/loaxa/loaxa/device/guard/notify"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return
	case errors.Is(err, errUsage):
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "loaxa-guard:", err)
	os.Exit(1)
}

// errUsage says that the flags were wrong and that the user has been told.
var errUsage = errors.New("usage")

// settings are what the flags say.
type settings struct {
	socket   string
	place    line.Place
	sense    line.Sense // no offset: nothing sees the amplifier
	simulate string     // a file to record edges in, instead of a GPIO line
	contacts string     // a file that says what a simulated relay does
	watchdog string
	openOnly bool
	limits   lease.Limits
}

// run lives from the first opening of the relay to the last.
func run(ctx context.Context, args []string, stderr io.Writer) error {
	s, err := parse(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	watch, err := notify.Started(os.Getenv, log)
	if err != nil {
		return err
	}
	relay, err := s.line()
	if err != nil {
		return err
	}
	if s.openOnly {
		return relay.Close()
	}
	keeper, err := lease.NewKeeper(relay, s.limits, log)
	if err != nil {
		return err
	}
	return errors.Join(serve(ctx, s, keeper, watch, log), keeper.Stop())
}

// aliveEvery is how often the keeper is asked whether it still judges. It looks
// at the relay then.
const aliveEvery = time.Second

// serve answers leases until ctx ends.
func serve(ctx context.Context, s settings, keeper *lease.Keeper, watch *notify.Watch, log *slog.Logger) error {
	listener, err := lease.Listen(s.socket)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	beside.Go(func() {
		if err := feed(ctx, s.watchdog, func() { keeper.Alive() }); err != nil {
			log.Error("guarding without a watchdog", "err", err) // better than a silent node
		}
	})
	beside.Go(func() {
		watch.Serve(ctx, aliveEvery, func(context.Context) (string, error) { return status(keeper.Alive()), nil })
	})
	log.Info("guarding", "socket", s.socket, "maximum_on", s.limits.MaximumOn, "watchdog", s.watchdog)
	return lease.NewServer(listener, keeper, log).Serve(ctx)
}

// status is the relay in one line.
func status(seen lease.Sight) string {
	text := "relay open"
	if seen.Closed {
		text = "relay closed"
	}
	if seen.Fault != "" {
		text += ", " + string(seen.Fault)
	}
	return text
}

// line takes the output; it is open when line returns.
func (s settings) line() (lease.Line, error) {
	switch {
	case s.simulate != "":
		relay, err := line.OpenFile(s.simulate, time.Now)
		if err != nil || s.contacts == "" {
			return relay, err
		}
		return line.NewSensedFile(relay, s.contacts), nil
	case s.sense.Offset >= 0 && !s.openOnly:
		return line.OpenSensed(s.place, s.sense)
	}
	return line.OpenGPIO(s.place)
}

// parse reads the flags and refuses what cannot be meant.
func parse(args []string, stderr io.Writer) (settings, error) {
	s := settings{limits: lease.DefaultLimits()}
	f := flag.NewFlagSet("loaxa-guard", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.socket, "socket", "/run/loaxa/guard.sock", "unix `path` on which leases are granted")
	f.StringVar(&s.place.Chip, "chip", "", "`label` of the GPIO chip, such as pinctrl-bcm2711")
	f.IntVar(&s.place.Offset, "line", -1, "line `offset` of the relay within the chip")
	f.BoolVar(&s.place.ActiveLow, "active-low", false, "the relay pulls when the pin is low")
	f.IntVar(&s.sense.Offset, "sense", -1, "line `offset` of the input that sees the amplifier's power, if there is one")
	f.BoolVar(&s.sense.ActiveLow, "sense-active-low", false, "the input is low while the amplifier has power")
	f.StringVar(&s.contacts, "simulate-contacts", "", "with -simulate: `file` that says closed or open when the contacts do not obey")
	f.StringVar(&s.simulate, "simulate", "", "no GPIO: append relay edges to this `file`")
	f.StringVar(&s.watchdog, "watchdog", "", "hardware watchdog to feed, such as /dev/watchdog (`device`)")
	f.BoolVar(&s.openOnly, "open", false, "open the relay and exit")
	f.DurationVar(&s.limits.Expiry, "expiry", s.limits.Expiry, "a lease not renewed for this long opens the relay")
	f.DurationVar(&s.limits.Stall, "stall", s.limits.Stall, "samples that stand still this long open the relay")
	f.DurationVar(&s.limits.WarmUp, "warm-up", s.limits.WarmUp, "longest warm-up")
	f.DurationVar(&s.limits.Hold, "hold", s.limits.Hold, "longest hold after a sounding")
	f.DurationVar(&s.limits.MinimumOff, "minimum-off", s.limits.MinimumOff, "shortest time open before closing again")
	f.DurationVar(&s.limits.MaximumOn, "maximum-on", s.limits.MaximumOn, "longest time closed, whatever is asked")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return s, err
		}
		return s, errUsage
	}
	if err := s.validate(f.Args()); err != nil {
		fmt.Fprintf(stderr, "loaxa-guard: %v\nrun loaxa-guard -help for the flags\n", err)
		return s, errUsage
	}
	return s, nil
}

func (s settings) validate(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case s.simulate == "" && (s.place.Chip == "" || s.place.Offset < 0):
		return errors.New("say which relay: -chip LABEL and -line OFFSET, or -simulate FILE")
	case s.simulate != "" && s.place.Chip != "":
		return errors.New("choose either -chip or -simulate")
	case s.contacts != "" && s.simulate == "":
		return errors.New("-simulate-contacts is for a relay under -simulate")
	case s.sense.Offset >= 0 && s.sense.Offset == s.place.Offset:
		return fmt.Errorf("-sense %d is the relay's own line: an output cannot see the amplifier", s.sense.Offset)
	}
	return s.limits.Validate()
}
