package site

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/amplifier"
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

const rate = media.SampleRate

// Chimes makes the chimes of all classes and of drills, each cut to whole
// milliseconds, in which plans count. They cost more to make than to keep.
func Chimes() (map[string][]int16, error) {
	out := map[string][]int16{}
	names := []string{"drill"}
	for _, c := range broadcast.Classes() {
		names = append(names, string(c))
	}
	for _, name := range names {
		pcm, err := media.Chime(name)
		if err != nil {
			return nil, fmt.Errorf("chime %s: %w", name, err)
		}
		out[name] = pcm[:len(pcm)/(rate/1000)*(rate/1000)]
	}
	return out, nil
}

// assemble makes the parts and ties them together.
func (s *Site) assemble(key ed25519.PrivateKey, e wire.Enrolled) (made, error) {
	ticks := node.SystemTicks()
	dial := node.NewDial(ticks)
	m := made{amplifier: amplifier.New(s.cfg.Parts.Lessor, s.cfg.Profile.Timings(), s.cfg.Log), relay: s.cfg.Parts.Relay, looks: s.cfg.Parts.Looks}
	m.gauge = s.gauge(m.amplifier, func(now power.State) { m.node.OnPower(now) })
	power := fitAmplifier{m.amplifier, m.gauge.Fit}
	booth := speech.New(speech.Config{Source: s.cfg.Parts.Microphone, Each: s.cfg.Parts.Decoder, Dir: filepath.Join(s.cfg.Data, "speech"), Log: s.cfg.Log})
	fetcher, err := link.NewFetcher(link.FetchConfig{Controllers: addresses(e.Controllers, func(c broadcast.Controller) string { return c.HTTP }),
		Credentials: s.credentials(e), Transport: s.cfg.Transport, Log: s.cfg.Log, Rand: s.rand})
	if err != nil {
		return made{}, fmt.Errorf("site %s: %w", s.cfg.Node, err)
	}
	receiver := live.New(live.Config{Line: fetcher, Codec: s.cfg.Parts.Decoder, Each: booth, Log: s.cfg.Log,
		Session: func(ctx context.Context, sealed []byte) (broadcast.Session, error) {
			return m.node.Session(ctx, sealed)
		},
		Unreached: func(err error) bool { return errors.Is(err, link.ErrUnreached) }})
	play, err := s.player(power, receiver, dial)
	if err != nil {
		return made{}, err
	}
	m.node, err = node.New(node.Config{
		Node: s.cfg.Node, Top: s.cfg.Top, Pin: s.cfg.Pin, Demo: s.cfg.Demo, Roots: e.Roots, Key: key,
		Version: s.cfg.Version, BoardName: s.cfg.Profile.Name, Built: s.cfg.Built, Board: s.planBoard(), Chimes: s.cfg.Chimes,
		Journal: s.journal, Registers: s.registers, Contents: s.contents, Path: in(s.folder), Quota: s.cfg.Quota,
		Refuge: s.refuge, RefugePath: in(s.cfg.Memory),
		Night: s.cfg.Night, Daily: s.cfg.Daily,
		Fetcher: fetcher, Player: performances{play}, Ticks: ticks, Dial: dial, Heard: s.cfg.Heard, Rand: s.child(), Log: s.cfg.Log,
		Amplifier: power, Microphone: s.microphone(booth), Tapes: booth, Sender: fetcher, Relays: true,
		Traffic: func() (int64, int64) {
			stats := m.link.Stats()
			return stats.BytesOut + fetcher.Sent(), stats.BytesIn + fetcher.Received()
		},
	})
	if err != nil {
		return made{}, err
	}
	m.link, err = link.New(link.Config{Brokers: addresses(e.Controllers, func(c broadcast.Controller) string { return c.MQTT }),
		Credentials: s.credentials(e), Will: m.node.Will, Listener: m.node, Log: s.cfg.Log, Rand: s.child()})
	if err != nil {
		return made{}, fmt.Errorf("site %s: %w", s.cfg.Node, err)
	}
	m.node.Connect(m.link)
	if s.cfg.Parts.Inputs != nil && len(s.cfg.Profile.Inputs) > 0 {
		m.panel = panel.New(s.cfg.Profile.Inputs, s.cfg.Parts.Inputs, m.node, s.cfg.Log)
	}
	if s.cfg.Stick != "" {
		m.slot = stick.New(stick.Config{Name: s.cfg.Node, Folder: s.cfg.Stick, FS: store.OS(), Node: m.node, Tapes: booth, Log: s.cfg.Log})
	}
	m.doors = s.doors(m.node)
	return m, nil
}

func (s *Site) credentials(e wire.Enrolled) func() (string, string, bool) {
	return func() (string, string, bool) { return string(s.cfg.Node), e.Secret, true }
}

func addresses(list []broadcast.Controller, of func(broadcast.Controller) string) []string {
	var out []string
	for _, c := range list {
		out = append(out, of(c))
	}
	return out
}

// microphone is the booth, if the box has a microphone.
func (s *Site) microphone(booth *speech.Booth) node.Microphone {
	if s.cfg.Parts.Microphone == nil {
		return nil
	}
	return booth
}

// player makes the player, which lives by trusted time.
func (s *Site) player(power fitAmplifier, recordings player.Decoder, dial *node.Dial) (*player.Player, error) {
	sinks, err := s.cfg.Parts.Sinks(dial.Now)
	if err != nil {
		return nil, fmt.Errorf("site %s: %w", s.cfg.Node, err)
	}
	return player.New(player.Config{Amplifier: power, Decoder: node.Splicer{Each: recordings},
		Sinks: sinks, WarmUp: max(s.cfg.Profile.Relay.WarmUp, time.Millisecond), Now: dial.Now, Log: s.cfg.Log}), nil
}

// fitAmplifier does not close at a voltage that it does not bear. It tells by the
// machine's clock when it closed, however wrong that is: the player alone says
// which moment of trusted time that was.
type fitAmplifier struct {
	*amplifier.Amplifier
	fit func() error
}

// On closes the relay; see amplifier.Amplifier.On.
func (a fitAmplifier) On(ctx context.Context) (time.Time, error) {
	if err := a.fit(); err != nil {
		return time.Time{}, fmt.Errorf("amplifier on: %w", err)
	}
	return a.Amplifier.On(ctx)
}

// performances lets a node use a player.
type performances struct{ *player.Player }

// Prepare opens the content of a sounding; see player.Player.Prepare.
func (p performances) Prepare(ctx context.Context, s player.Sounding) (node.Performance, error) {
	prepared, err := p.Player.Prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	return prepared, nil
}
