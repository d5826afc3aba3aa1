// Package site puts one speaker site together: card, identity, link, player,
// amplifier and the node that uses them.
//
// It promises that whoever serves a site to its end has an open relay: the node
// leaves the stage first, then the amplifier lets go, then the link says
// goodbye. A site without credentials asks for them until it is enrolled or
// refused. Real boards and simulated ones differ only in the Parts that they
// bring.
package site

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/amplifier"
	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/link/stick"
	"github.com/loaxa/loaxa/device/live"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/panel"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/power"
	"github.com/loaxa/loaxa/device/speech"
	"github.com/loaxa/loaxa/device/store"
)

// Config is who the site is, and what it is made of.
type Config struct {
	// Candidate is what the provisioning file says.
	node.Candidate
	// Top is the area that only the root moves the node out of.
	Top broadcast.ID
	// Data is the folder of the card.
	Data string
	// Quota is what recordings may take of it, in bytes.
	Quota int64
	// Memory is a folder in memory for recordings of emergencies that the card does
	// not take; empty for none.
	Memory string
	// Night and Daily bound what is fetched ahead; see node.Config.
	Night   broadcast.Span
	Daily   int64
	Profile board.Profile
	Parts   Parts
	// Chimes by class; they may be shared by many sites.
	Chimes map[string][]int16
	// Version of the program and the date of its making.
	Version string
	Built   broadcast.Instant
	// Stick is the folder where sticks are mounted; empty for none.
	Stick string
	// LAN is where documents may be handed over; empty for nowhere.
	LAN string
	// Counter is the socket at which a shell at the box hands things over; empty
	// for none.
	Counter string
	// Client is for enrolment, Transport for everything that is fetched; nil
	// for the usual ones.
	Client    *http.Client
	Transport http.RoundTripper
	// Heard is told what left the sound card; nil for nobody.
	Heard func(node.Heard)
	Log   *slog.Logger
}

// Decoder decodes what is on the card, and what is on the air.
type Decoder interface {
	player.Decoder
	live.Codec
}

// Parts are what differs between boards.
type Parts struct {
	// Lessor grants the amplifier's power; Relay tells what became of it, nil
	// for nobody.
	Lessor amplifier.Lessor
	Relay  Relay
	// Decoder opens recordings, and decodes relays.
	Decoder Decoder
	// Sinks opens the sound card, which runs by the clock that is given.
	Sinks func(now func() time.Time) (player.Opener, error)
	// Looks are what is looked at while the node runs; nil for nothing.
	Looks []board.Look
	// Sys is where the sensors are; empty for /sys.
	Sys string
	// Microphone is the one in the box; nil for none.
	Microphone speech.Source
	// Inputs are the buttons and key switches; nil for none.
	Inputs panel.Lines
}

// What a card holds at most, beside recordings.
const (
	recordBytes   = 256 << 10
	segmentBytes  = 128 << 10
	journalBytes  = 16 << 20
	registerBytes = 260 << 10
	registers     = 6000
	shelfBytes    = 64 << 20
	contentBytes  = 64 << 20
	memoryBytes   = 16 << 20 // half an hour of speech, and no danger to the rest of the board
)

// Site is one speaker site, open on its card.
type Site struct {
	cfg       Config
	journal   *store.Journal
	registers *store.Registers
	contents  *store.Contents
	refuge    *store.Contents // nil for none
	folder    string
	rand      *rand.Rand
	turn      atomic.Pointer[turn]
}

// Open opens the card. It reaches nobody and moves nothing.
func Open(cfg Config) (*Site, error) {
	fs := store.OS()
	cfg.Log = cfg.Log.With("node", cfg.Node)
	s := &Site{cfg: cfg, folder: filepath.Join(cfg.Data, "contents")}
	var err error
	if s.rand, err = random(); err != nil {
		return nil, err
	}
	if s.registers, err = store.OpenRegisters(fs, filepath.Join(cfg.Data, "registers"),
		store.RegisterLimits{Value: registerBytes, Count: registers, Total: shelfBytes}); err != nil {
		return nil, fmt.Errorf("site %s: %w", cfg.Node, err)
	}
	if s.contents, err = store.OpenContents(fs, s.folder, store.ContentLimits{File: contentBytes, Quota: max(cfg.Quota, contentBytes)}); err != nil {
		return nil, fmt.Errorf("site %s: %w", cfg.Node, err)
	}
	if s.journal, err = store.OpenJournal(fs, filepath.Join(cfg.Data, "journal"),
		store.JournalLimits{Record: recordBytes, Segment: segmentBytes, Total: journalBytes}); err != nil {
		return nil, fmt.Errorf("site %s: %w", cfg.Node, err)
	}
	if cfg.Memory != "" {
		s.refuge, err = store.OpenContents(fs, cfg.Memory, store.ContentLimits{File: memoryBytes, Quota: memoryBytes})
		if err != nil { // the card alone does, as long as it takes what comes
			cfg.Log.Warn("no room in memory for what the card may not take", "err", err)
		}
	}
	return s, nil
}

// random is a source for waits, different on every node.
func random() (*rand.Rand, error) {
	var seed [16]byte
	if _, err := cryptorand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("site: %w", err)
	}
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:8]), binary.LittleEndian.Uint64(seed[8:]))), nil
}

// child is another source, for another goroutine.
func (s *Site) child() *rand.Rand { return rand.New(rand.NewPCG(s.rand.Uint64(), s.rand.Uint64())) }

// NeedsToken says whether the site has no credentials yet.
func (s *Site) NeedsToken() (bool, error) {
	_, done, err := node.Enrolled(s.registers)
	return !done, err
}

// Serve runs the site until ctx ends: it enrols if it must, and then serves
// node, link and amplifier. An error before ctx ended says what cannot work.
func (s *Site) Serve(ctx context.Context) error {
	defer func() { _ = s.journal.Close() }() // all in it is on the card already
	key, err := node.OwnKey(s.registers, nil)
	if err != nil {
		return err
	}
	enrolled, done, err := node.Enrolled(s.registers)
	if err != nil {
		return err
	}
	if !done {
		s.answers(func(context.Context) (string, error) { return "asking to be enrolled", nil })
		client := s.cfg.Client
		if client == nil {
			client = &http.Client{Timeout: 30 * time.Second}
		}
		enrolled, err = insist(ctx, s.cfg.Log, s.rand, "enrol", func() (wire.Enrolled, error) {
			return node.Enrol(ctx, client, s.cfg.Candidate, key, s.registers)
		})
		if err != nil {
			return err
		}
		s.cfg.Log.Info("enrolled")
	}
	made, err := s.assemble(key, enrolled)
	if err != nil {
		return err
	}
	s.answers(made.node.Turned)
	return made.serve(ctx)
}

// insist tries until it works, is refused for good, or ctx ends.
func insist[T any](ctx context.Context, log *slog.Logger, r *rand.Rand, what string, try func() (T, error)) (T, error) {
	for round := 0; ; round++ {
		got, err := try()
		if err == nil || errors.Is(err, node.ErrRefusedEnrolment) || ctx.Err() != nil {
			return got, err
		}
		wait := min(time.Second<<min(round, 6), time.Minute)
		wait = wait/2 + time.Duration(r.Int64N(int64(wait/2)))
		log.Warn("not yet, trying again", "what", what, "in", wait.Round(time.Millisecond), "reason", err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return got, ctx.Err()
		}
	}
}

// made is a site ready to run.
type made struct {
	node      *node.Node
	link      *link.Link
	amplifier *amplifier.Amplifier
	relay     Relay
	looks     []board.Look
	gauge     *power.Gauge
	panel     *panel.Panel // nil without inputs
	slot      *stick.Slot  // nil without sticks
	doors     []func(context.Context)
}

// serve runs the parts and ends them in order: the node first, so that what
// sounds is faded out and stated while the link still stands.
func (m made) serve(ctx context.Context) error {
	rest, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var work sync.WaitGroup
	var powerErr error
	work.Go(func() { powerErr = m.amplifier.Serve(rest) })
	work.Go(func() { _ = m.link.Serve(rest) }) // ends with rest and says no more
	if m.relay != nil {
		work.Go(func() { observe(rest, m.relay, m.node) })
	}
	if len(m.looks) > 0 {
		work.Go(func() { probe(rest, m.looks, m.node) })
	}
	work.Go(func() { _ = m.gauge.Serve(rest) })
	if m.panel != nil {
		work.Go(func() { _ = m.panel.Serve(rest) })
	}
	if m.slot != nil {
		work.Go(func() { _ = m.slot.Serve(rest) })
	}
	for _, door := range m.doors {
		work.Go(func() { door(rest) })
	}
	err := m.node.Serve(ctx)
	cancel()
	work.Wait()
	if errors.Is(err, ctx.Err()) {
		err = nil
	}
	return errors.Join(err, powerErr)
}

// planBoard is what a plan needs to know of the board.
func (s *Site) planBoard() plan.Board {
	r := s.cfg.Profile.Relay
	b := plan.Board{WarmUp: max(r.WarmUp, time.Millisecond), Hold: r.Hold, MinOff: r.MinimumOff, MaxOn: r.MaximumOn,
		Ceiling: s.cfg.Profile.Sound.Ceiling, Chimes: map[string]time.Duration{}}
	for name, pcm := range s.cfg.Chimes {
		b.Chimes[name] = time.Duration(len(pcm)) * time.Second / rate
	}
	return b
}

// in names the files of the contents in a folder.
func in(folder string) func(store.Sum) string {
	return func(sum store.Sum) string { return filepath.Join(folder, hex.EncodeToString(sum[:])) }
}
