package relay

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// State is what is known of a station now.
type State string

// The states of a station. One that nobody listens to is at rest, and nobody
// knows whether it is there.
const (
	AtRest     State = "at rest"
	Connecting State = "connecting"
	OnAir      State = "on air"
	Silent     State = "silent"
	Gone       State = "gone"
)

const (
	// settle is how long is listened before the moment of the first packet is
	// fixed: many stations begin with some seconds of the past, all at once.
	settle = time.Second
	// drift is by how much sound may come too late before its moments are fixed anew.
	drift = 2 * time.Second
	// lead is by how much it may come too early; then it is no longer read.
	lead = 10 * time.Second
	// quiet packets hold digital silence, silentAfter is for how long until it is
	// said, silentEnds until nobody hears it any more.
	quiet       = 10
	silentAfter = 15 * time.Second
	silentEnds  = 90 * time.Second
	// linger is how long a station is fetched for nobody.
	linger = 10 * time.Second
	// perBlock packets stand under one signature.
	perBlock = int(wire.BlockLength / wire.PacketLength)
)

var (
	errSilent = errors.New("it is silent")
	errNobody = errors.New("nobody listens")
)

// pull is one run of one station.
type pull struct {
	station Station
	key     ed25519.PrivateKey
	now     func() time.Time
	ring    *ring
	cancel  context.CancelCauseFunc

	mu        sync.Mutex
	state     State
	since     time.Time
	why       string
	listeners int
	idle      *time.Timer

	// All below belongs to the goroutine that encodes.
	waiting [][]byte // packets of the next block, or those before the first
	began   time.Time
	at      broadcast.Instant // of the next packet; 0 before the first is fixed
	number  int64
	silent  time.Duration
}

func newPull(s Station, now func() time.Time) (*pull, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &pull{station: s, key: key, now: now, ring: newRing(), state: Connecting, since: now()}, nil
}

func (p *pull) signer() broadcast.Key {
	public, _ := p.key.Public().(ed25519.PublicKey)
	return broadcast.KeyOf(public)
}

func (p *pull) become(s State, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != s {
		p.state, p.since, p.why = s, p.now(), why
	}
}

// run fetches and encodes until ctx ends or the station does.
func (p *pull) run(ctx context.Context, e *encoder) error {
	in, container, err := fetch(ctx, p.station)
	if err == nil {
		defer in.Close()
		err = e.run(ctx, container, in, func(packet []byte) error { return p.heard(ctx, packet) })
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err == nil {
		err = errors.New("it ended")
	}
	err = fmt.Errorf("station %s: %w", p.station.ID, err)
	p.become(Gone, err.Error())
	p.ring.end(err)
	return err
}

// heard takes one packet.
func (p *pull) heard(ctx context.Context, packet []byte) error {
	if len(packet) == 0 || len(packet) > wire.MaxPacket {
		return nil
	}
	if err := p.listen(len(packet) > quiet); err != nil {
		return err
	}
	p.waiting = append(p.waiting, bytes.Clone(packet))
	now := p.now()
	if p.at == 0 {
		if p.began.IsZero() {
			p.began = now
		}
		length := time.Duration(len(p.waiting)) * wire.PacketLength
		if now.Sub(p.began) < settle && length < lead {
			return nil
		}
		p.at = broadcast.InstantOf(now.Add(-length))
	} else if late := now.Sub(p.at.Time()) - time.Duration(len(p.waiting))*wire.PacketLength; late > drift {
		p.at = broadcast.InstantOf(now)
	}
	for len(p.waiting) >= perBlock {
		b := wire.Block{First: p.number, At: p.at, Packets: p.waiting[:perBlock]}
		p.ring.add(wire.AppendFrame(nil, wire.BlockFrame, b.Sign(p.key)))
		p.number, p.at, p.waiting = p.number+int64(perBlock), p.at.Add(wire.BlockLength), p.waiting[perBlock:]
	}
	return p.wait(ctx)
}

// listen says what is known of the station after a packet with sound or without.
func (p *pull) listen(sound bool) error {
	if sound {
		p.silent = 0
		p.become(OnAir, "")
		return nil
	}
	p.silent += wire.PacketLength
	if p.silent >= silentEnds {
		return errSilent
	}
	if p.silent >= silentAfter {
		p.become(Silent, errSilent.Error())
	}
	return nil
}

// wait holds a station up that sends faster than time goes.
func (p *pull) wait(ctx context.Context) error {
	early := p.at.Time().Sub(p.now()) - lead
	if early <= 0 {
		return nil
	}
	select {
	case <-time.After(early):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
