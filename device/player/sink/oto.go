//go:build oto

package sink

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/ebitengine/oto/v3"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
)

// The kind oto plays on whatever a desktop has. It is for hearing Loaxa on a
// developer's machine, not for a loudspeaker node, because the library
//   - tells neither the position nor the delay of the hardware: what is
//     reported as played is what the library has taken, less its buffer, by
//     the clock, and the start is exact to some tens of milliseconds only;
//   - opens one card for the life of the process and chooses it itself;
//   - stays silent for good after an error of the card while it claims to play.

type otoOpener struct {
	cfg  Config
	once sync.Once
	ctx  *oto.Context
	err  error
}

func newOto(cfg Config) (player.Opener, error) { return &otoOpener{cfg: cfg}, nil }

func (o *otoOpener) Open(ctx context.Context, _ string) (player.Sink, error) {
	o.once.Do(func() {
		var ready chan struct{}
		o.ctx, ready, o.err = oto.NewContext(&oto.NewContextOptions{
			SampleRate: media.SampleRate, ChannelCount: 1, Format: oto.FormatSignedInt16LE, BufferSize: o.cfg.Buffer,
		})
		if o.err == nil {
			<-ready
		}
	})
	if o.err != nil {
		return nil, fmt.Errorf("sink: oto: %w", o.err)
	}
	feed := &otoFeed{}
	p := o.ctx.NewPlayer(feed)
	p.SetBufferSize(int(2 * frames(o.cfg.Buffer)))
	return &otoSink{
		paced: &paced{now: o.cfg.Now, buffer: frames(o.cfg.Buffer), tape: &otoTape{feed: feed, player: p, now: o.cfg.Now}},
		oto:   o.ctx,
	}, ctx.Err()
}

// otoSink keeps the time of an ideal card and asks the library for its errors.
type otoSink struct {
	*paced
	oto *oto.Context
}

func (s *otoSink) Write(ctx context.Context, samples []int16) (player.Position, error) {
	if err := s.oto.Err(); err != nil {
		return s.position(), fmt.Errorf("sink: oto: %w", err)
	}
	return s.paced.Write(ctx, samples)
}

// otoTape passes what an ideal card plays to the library.
type otoTape struct {
	feed   *otoFeed
	player *oto.Player
	now    func() time.Time
}

func (t *otoTape) begin(first time.Time) error {
	time.AfterFunc(first.Sub(t.now()), t.player.Play)
	return nil
}

func (t *otoTape) record(samples []int16) error { return t.feed.put(samples) }

func (t *otoTape) finish(int64) error {
	t.feed.end()
	return t.player.Close()
}

// otoFeed is read by the library's own goroutine, which must never wait: when
// nothing is there it gets silence.
type otoFeed struct {
	mu    sync.Mutex
	bytes []byte
	over  bool
}

// maxFeed bounds what waits for the library: one second.
const maxFeed = 2 * media.SampleRate

func (f *otoFeed) put(samples []int16) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.bytes)+2*len(samples) > maxFeed {
		return errors.New("sink: oto takes no samples")
	}
	for _, v := range samples {
		f.bytes = binary.LittleEndian.AppendUint16(f.bytes, uint16(v))
	}
	return nil
}

func (f *otoFeed) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := copy(p, f.bytes)
	f.bytes = append(f.bytes[:0], f.bytes[n:]...)
	if f.over {
		return n, io.EOF
	}
	if n == 0 {
		n = copy(p, make([]byte, min(len(p), 2*media.SampleRate/100)))
	}
	return n, nil
}

func (f *otoFeed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
}
