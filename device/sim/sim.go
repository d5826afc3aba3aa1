// Package sim runs many speaker sites in one process, with the same code as on
// boards and simulated relays and sound cards.
//
// What always holds: every node has a card, a key and a chain of receipts of
// its own, under its own folder, and takes them up again when the simulation is
// started there once more. What a relay did stands in relay.jsonl, what left
// the sound card in one WAV file for each sounding and, as instants, in
// sound.jsonl. What it measures and what people press on it are files in its
// folder box (see Box). When the simulation ends, every relay is open.
//
// How: a place becomes a site (package site) whose guard is a lease.Keeper in
// this process over a line that is a file. Nodes without credentials get tokens
// from the controller and enrol by themselves.
package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/guard/lease"
	"github.com/loaxa/loaxa/device/guard/line"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/decode"
	"github.com/loaxa/loaxa/device/player/sink"
	"github.com/loaxa/loaxa/device/site"
)

// Config is what a simulation needs.
type Config struct {
	// Controller is the base address of its API.
	Controller string
	// Token is a technician's; empty for a demo controller.
	Token string
	// Demo nodes obey a root for training.
	Demo bool
	// Top is the area that only the root moves the nodes out of.
	Top    broadcast.ID
	Places []Place
	// Out is the folder for everything; each node has its own below.
	Out string
	// Mute records no sound, for simulations of hundreds.
	Mute    bool
	Version string
	Built   broadcast.Instant
	Log     *slog.Logger
}

// buffer is what a simulated sound card queues: more than a real one, because
// dozens of them share the processors of one machine.
const buffer = 250 * time.Millisecond

// quota is what the recordings of one node may take.
const quota = 256 << 20

// Sim is a simulation. Make one with New and Serve it once.
type Sim struct {
	cfg    Config
	client *http.Client
	shared *http.Transport
	chimes map[string][]int16
	board  board.Profile
}

// New checks the configuration.
func New(cfg Config) (*Sim, error) {
	if len(cfg.Places) == 0 || cfg.Out == "" || cfg.Log == nil {
		return nil, errors.New("sim: places, an output folder and a log are needed")
	}
	profile, err := board.Named("simulated")
	if err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	chimes, err := site.Chimes()
	if err != nil {
		return nil, fmt.Errorf("sim: %w", err)
	}
	shared := &http.Transport{MaxIdleConnsPerHost: 8, MaxConnsPerHost: 64, IdleConnTimeout: 15 * time.Second, DisableCompression: true}
	return &Sim{cfg: cfg, client: &http.Client{Timeout: 30 * time.Second, Transport: shared}, shared: shared, chimes: chimes, board: profile}, nil
}

// identity is what a simulated node keeps of its provisioning file.
type identity struct {
	Fingerprint broadcast.Digest `json:"fingerprint"`
	Token       string           `json:"token"`
}

// Serve runs all nodes until ctx ends. A node that cannot run is reported and
// leaves the others running; if none can, the error says why.
func (s *Sim) Serve(ctx context.Context) error {
	known, err := s.identities(ctx)
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, p := range s.cfg.Places {
		work.Go(func() {
			err := s.serveOne(ctx, p, known[p.Node])
			if err == nil {
				return
			}
			s.cfg.Log.Error("a node has stopped", "node", p.Node, "err", err)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, fmt.Errorf("%s: %w", p.Node, err))
		})
	}
	s.cfg.Log.Info("simulating", "nodes", len(s.cfg.Places), "controller", s.cfg.Controller, "out", s.cfg.Out)
	work.Wait()
	s.shared.CloseIdleConnections()
	if len(errs) == len(s.cfg.Places) || ctx.Err() != nil {
		return errors.Join(errs...)
	}
	return nil
}

// identities reads what earlier runs kept and asks for the rest.
func (s *Sim) identities(ctx context.Context) (map[broadcast.ID]identity, error) {
	known := map[broadcast.ID]identity{}
	var fresh []Place
	for _, p := range s.cfg.Places {
		var id identity
		raw, err := os.ReadFile(s.identityFile(p.Node))
		if err == nil && json.Unmarshal(raw, &id) == nil && id.Fingerprint.Validate() == nil {
			known[p.Node] = id
			continue
		}
		fresh = append(fresh, p)
	}
	if len(fresh) == 0 {
		return known, nil
	}
	got, err := s.invite(ctx, fresh)
	if err != nil {
		return nil, fmt.Errorf("get tokens for %d nodes: %w", len(fresh), err)
	}
	for _, t := range got.Tokens {
		known[t.Node] = identity{got.Fingerprint, t.Token}
		if err := s.keep(t.Node, known[t.Node]); err != nil {
			return nil, err
		}
	}
	for _, p := range fresh {
		if known[p.Node].Token == "" {
			return nil, fmt.Errorf("the controller gave no token for %s", p.Node)
		}
	}
	return known, nil
}

func (s *Sim) identityFile(id broadcast.ID) string {
	return filepath.Join(s.cfg.Out, string(id), "identity.json")
}

func (s *Sim) keep(id broadcast.ID, i identity) error {
	if err := os.MkdirAll(filepath.Dir(s.identityFile(id)), 0o755); err != nil {
		return err
	}
	raw, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return os.WriteFile(s.identityFile(id), raw, 0o600)
}

// serveOne runs one node with a guard of its own.
func (s *Sim) serveOne(ctx context.Context, p Place, id identity) (err error) {
	dir := filepath.Join(s.cfg.Out, string(p.Node))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	relay, err := line.OpenFile(filepath.Join(dir, "relay.jsonl"), time.Now)
	if err != nil {
		return err
	}
	keeper, err := lease.NewKeeper(relay, s.board.Limits(), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keeper.Stop()) }()
	heard, err := os.OpenFile(filepath.Join(dir, "sound.jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, heard.Close()) }()
	box := filepath.Join(dir, "box")
	inputs, err := Box(box, s.board)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var pressing sync.WaitGroup
	defer pressing.Wait()
	defer cancel()
	pressing.Go(func() { _ = inputs.Serve(ctx) }) // without it nobody presses anything
	one, err := site.Open(site.Config{
		Candidate: node.Candidate{Controller: s.cfg.Controller, Node: p.Node, Token: id.Token, Board: s.board.Name, Pin: id.Fingerprint, Demo: s.cfg.Demo},
		Top:       s.cfg.Top, Data: filepath.Join(dir, "store"), Quota: quota, Profile: s.board, Chimes: s.chimes,
		Parts:   site.Parts{Lessor: keeper.Tenant(), Decoder: decode.InProcess{}, Sinks: s.sinks(dir), Sys: box, Microphone: Microphone(box), Inputs: inputs},
		Version: s.cfg.Version, Built: s.cfg.Built, Client: s.client, Transport: s.shared, Log: s.cfg.Log,
		Heard: func(h node.Heard) { note(heard, h, s.cfg.Log) },
	})
	if err != nil {
		return err
	}
	return one.Serve(ctx)
}

func (s *Sim) sinks(dir string) func(func() time.Time) (player.Opener, error) {
	kind := "wav"
	if s.cfg.Mute {
		kind = "null"
	}
	return func(now func() time.Time) (player.Opener, error) {
		return sink.Open(kind, sink.Config{Dir: dir, Now: now, Buffer: buffer})
	}
}

// note writes one line of sound.jsonl.
func note(f *os.File, h node.Heard, log *slog.Logger) {
	raw, err := json.Marshal(h)
	if err == nil {
		_, err = f.Write(append(raw, '\n'))
	}
	if err != nil {
		log.Warn("sound.jsonl not written", "err", err)
	}
}
