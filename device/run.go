package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/config"
	"github.com/loaxa/loaxa/device/guard/lease"
	"github.com/loaxa/loaxa/device/guard/notify"
	"github.com/loaxa/loaxa/device/link/counter"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/panel"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/decode"
	"github.com/loaxa/loaxa/device/player/sink"
	"github.com/loaxa/loaxa/device/sim"
	"github.com/loaxa/loaxa/device/site"
	"github.com/loaxa/loaxa/device/speech"
	"github.com/loaxa/loaxa/device/trial"
)

// run is one node on its board.
type run struct {
	Config string `required:"" type:"existingfile" help:"The provisioning file of this card."`
}

// Run serves the node until it is told to stop.
func (r run) Run(ctx context.Context, log *slog.Logger) error {
	c, err := config.Load(r.Config)
	if err != nil {
		return err
	}
	profile, err := board.Load(c.Board)
	if err != nil {
		return err
	}
	chimes, err := site.Chimes()
	if err != nil {
		return err
	}
	night, err := c.Prefetch.Span()
	if err != nil {
		return err
	}
	watch, err := notify.Started(os.Getenv, log)
	if err != nil {
		return err
	}
	inputs, sys, err := box(ctx, c, profile, log)
	if err != nil {
		return err
	}
	guard := lease.NewClient(c.Guard.Socket)
	defer func() { _ = guard.Close() }()   // hanging up opens the relay
	eye := lease.NewClient(c.Guard.Socket) // a look that fails costs no lease
	defer func() { _ = eye.Close() }()
	memory, giveBack := refuge(log)
	defer giveBack()
	update := begun(ctx, c.Data, log)
	s, err := site.Open(site.Config{
		Candidate: node.Candidate{Controller: c.Controller, Node: c.Node, Token: c.Token, Board: profile.Name, Pin: c.Root, Demo: c.Demo},
		Top:       c.Top, Data: c.Data, Memory: memory, Quota: c.Quota << 20, Night: night, Daily: c.Prefetch.Daily << 20, Stick: c.Carriers.Stick, LAN: c.Carriers.LAN, Counter: filepath.Join(c.Data, counter.Socket), Profile: profile, Chimes: chimes, Version: version(), Built: built(), Log: log,
		Parts: site.Parts{Lessor: guard, Relay: eye, Decoder: decode.Contained{}, Sinks: sinks(c, profile, log), Looks: append(looks(c, profile), update), Sys: sys, Microphone: microphone(profile, sys), Inputs: inputs},
	})
	if err != nil {
		return err
	}
	log.Info("running", "node", c.Node, "board", profile.Name, "controller", c.Controller, "version", version())
	return watched(ctx, watch, s)
}

// refuge is a folder in memory: the one that the service manager gives, or else
// one where the system keeps what is temporary, which goes with the program.
func refuge(log *slog.Logger) (dir string, giveBack func()) {
	given, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":")
	if given != "" {
		return filepath.Join(given, "contents"), func() {}
	}
	dir, err := os.MkdirTemp("", "loaxa-")
	if err != nil {
		log.Warn("no folder for what the card may not take", "err", err)
		return "", func() {}
	}
	return dir, func() { _ = os.RemoveAll(dir) } // nobody misses it
}

// begun counts this start in, if this version is on trial, and looks at what becomes of it.
func begun(ctx context.Context, data string, log *slog.Logger) board.Look {
	t, err := trial.Begin(data, version())
	if err != nil {
		log.Error("the trial of an update is not counted", "err", err)
	}
	go func() {
		if err := t.Serve(ctx); err != nil && ctx.Err() == nil {
			log.Error("the trial of an update did not end", "err", err)
		}
	}()
	return board.Look{Code: broadcast.FaultUpdate, See: t.See}
}

// lifeEvery is how often a node that nobody watches is asked for a turn.
const lifeEvery = time.Minute

// watched serves the site and has its loop answer for it.
func watched(ctx context.Context, watch *notify.Watch, s *site.Site) error {
	life, end := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer end()
	beside.Go(func() { watch.Serve(life, lifeEvery, s.Turned) })
	return s.Serve(ctx)
}

// box finds what can be pressed and measured: in files of the data folder on a
// simulated board, in the kernel's tree on a real one. Lines that cannot be taken
// are told and left out: the loudspeaker works without them.
func box(ctx context.Context, c config.Config, p board.Profile, log *slog.Logger) (panel.Lines, string, error) {
	if p.Relay.Simulated {
		sys := filepath.Join(c.Data, "box")
		pipe, err := sim.Box(sys, p)
		if err != nil {
			return nil, "", err
		}
		go func() { _ = pipe.Serve(ctx) }() // without it nobody presses anything
		return pipe, sys, nil
	}
	wired, err := panel.Wire(p.Inputs, log)
	if err != nil {
		log.Error("an input of the box does not work", "err", err)
	}
	go func() { _ = wired.Serve(ctx) }() // what is wrong with an input is in the log
	return wired, "/sys", nil
}

// microphone is that of the board, a file on a simulated one, and nil for none.
func microphone(p board.Profile, sys string) speech.Source {
	switch {
	case p.Relay.Simulated:
		return sim.Microphone(sys)
	case p.Sound.Microphone != "":
		return speech.Card("plughw:CARD=" + p.Sound.Microphone + ",DEV=0")
	}
	return nil
}

// looks are what is looked at while the node runs. The board's own sound card
// matters only if it is the one in use.
func looks(c config.Config, p board.Profile) []board.Look {
	if c.Sound.Kind != "" && c.Sound.Kind != "alsa" || c.Sound.Device != "" {
		p.Sound.Card = ""
	}
	return board.Looks(p, board.System(c.Data, c.Guard.Socket))
}

// sinks opens the card that the file names, or that of the board.
func sinks(c config.Config, p board.Profile, log *slog.Logger) func(func() time.Time) (player.Opener, error) {
	kind, device := c.Sound.Kind, c.Sound.Device
	if kind == "" && p.Sound.Card == "" {
		kind = "wav"
	}
	if kind == "" {
		kind = "alsa"
	}
	if device == "" && p.Sound.Card != "" {
		device = "plughw:CARD=" + p.Sound.Card + ",DEV=0"
	}
	dir := c.Sound.Dir
	if dir == "" {
		dir = c.Data + "/sound"
	}
	return func(now func() time.Time) (player.Opener, error) {
		return sink.Open(kind, sink.Config{Device: device, Dir: dir, Now: now, Log: log})
	}
}

// simulate is many nodes in one process.
type simulate struct {
	Controller string `required:"" help:"Base address of the controller, such as http://127.0.0.1:8080."`
	Nodes      int    `xor:"places" help:"How many nodes, spread over the 23 former communes (23 if not given)."`
	Areas      string `type:"existingfile" xor:"places" help:"A file with one area id a line, optionally followed by a number of nodes."`
	Out        string `required:"" type:"path" help:"Folder for the nodes' cards, relay logs and recordings."`
	Token      string `help:"Personal token of a technician; a demo controller needs none." env:"LOAXA_TOKEN"`
	Demo       bool   `help:"Obey a root for training; implied without a token."`
	Top        string `default:"bac-quang" help:"The area that only the root moves the nodes out of."`
	Mute       bool   `help:"Record no sound; relay and sound logs are kept."`
}

// Run serves the simulation until it is told to stop.
func (s simulate) Run(ctx context.Context, log *slog.Logger) error {
	places, err := s.places()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(s.Controller, "http://") && !strings.HasPrefix(s.Controller, "https://") {
		return fmt.Errorf("controller %q: write http://HOST:PORT", s.Controller)
	}
	top := broadcast.ID(s.Top)
	if err := top.Validate(); err != nil {
		return fmt.Errorf("top: %w", err)
	}
	all, err := sim.New(sim.Config{Controller: s.Controller, Token: s.Token, Demo: s.Demo || s.Token == "", Top: top, Places: places,
		Out: s.Out, Mute: s.Mute, Version: version(), Built: built(), Log: log})
	if err != nil {
		return err
	}
	if err := all.Serve(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// defaultNodes is one in each former commune.
const defaultNodes = 23

func (s simulate) places() ([]sim.Place, error) {
	switch {
	case s.Areas == "" && s.Nodes == 0:
		return sim.DefaultPlaces(defaultNodes)
	case s.Areas == "":
		return sim.DefaultPlaces(s.Nodes)
	}
	f, err := os.Open(s.Areas)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	places, err := sim.ReadPlaces(f)
	if err != nil {
		return nil, fmt.Errorf("areas %s: %w", s.Areas, err)
	}
	return places, nil
}
