package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/player/decode"
)

// stream is one relay under way.
type stream struct {
	r           *Receiver
	order       order
	from, total int64
	queue       *queue
	cancel      context.CancelFunc
	done        chan struct{}

	// All below belongs to the goroutine that listens.
	session broadcast.Session
	signer  broadcast.Key // of the last session, also while there is none
	next    int64         // the least number of a packet of the signer that was not heard yet
	codec   decode.Packets
}

// Samples is the length from the wanted beginning on.
func (s *stream) Samples() int64 { return s.total - s.from }

// Read fills pcm with what is due. It waits for nobody.
func (s *stream) Read(_ context.Context, pcm []int16) (int, error) {
	if err := s.queue.take(pcm); err != nil {
		return 0, fmt.Errorf("live %s: %w", s.order.Station, err)
	}
	return len(pcm), nil
}

// Close stops listening and returns when that has ended.
func (s *stream) Close() error {
	s.cancel()
	<-s.done
	return nil
}

// listen fetches until the relay is over, again and again.
func (s *stream) listen(ctx context.Context) {
	defer close(s.done)
	defer s.silence()
	for ctx.Err() == nil {
		err := s.hear(ctx)
		if ctx.Err() != nil {
			return
		}
		s.r.cfg.Log.Warn("a relay was interrupted", "station", s.order.Station, "err", err)
		if errors.Is(err, ErrUnauthenticated) {
			s.queue.fail(err)
			return
		}
		s.queue.troubled(err)
		select {
		case <-time.After(again):
		case <-ctx.Done():
		}
	}
}

// hear is one answer from its session to its end.
func (s *stream) hear(ctx context.Context) error {
	body, err := s.r.cfg.Line.Live(ctx, wire.LivePath(s.order.Station, s.order.Session))
	switch {
	case err != nil && s.r.cfg.Unreached(err):
		return fmt.Errorf("%w: %w", ErrLine, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrStation, err)
	}
	defer context.AfterFunc(ctx, func() { _ = body.Close() })() // whatever the line does
	defer body.Close()
	s.session = broadcast.Session{}
	s.queue.troubled(ErrStation)
	for {
		frame, raw, err := wire.ReadFrame(body)
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%w: the answer is over", ErrStation)
		case err != nil:
			return fmt.Errorf("%w: %w", ErrLine, err)
		}
		if frame == wire.SessionFrame {
			err = s.begin(ctx, raw)
		} else {
			err = s.block(ctx, raw)
		}
		if err != nil {
			return err
		}
	}
}

// begin takes the session under which blocks follow.
func (s *stream) begin(ctx context.Context, sealed []byte) error {
	session, err := s.r.cfg.Session(ctx, sealed)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnauthenticated, err)
	}
	if !session.Of(s.order.body()) {
		return fmt.Errorf("%w: this is the session of another relay, of %s", ErrUnauthenticated, session.Station)
	}
	if session.Signer != s.signer {
		s.next = 0
	}
	s.session, s.signer = session, session.Signer
	return nil
}

// block takes up to 100 ms of sound, once it is believed.
func (s *stream) block(ctx context.Context, raw []byte) error {
	b, err := wire.OpenBlock(raw, s.session.Signer)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnauthenticated, err)
	case b.At > s.session.Until:
		return fmt.Errorf("%w: its session ended at %s", ErrUnauthenticated, s.session.Until)
	case b.First < s.next: // heard before the answer broke off
		return nil
	}
	s.next = b.First + int64(len(b.Packets))
	first := (b.At.Sub(s.order.Start) + Delay).Milliseconds() * (rate / 1000)
	if s.queue.late(first + int64(len(b.Packets))*decode.PacketSamples) {
		return nil
	}
	for !s.queue.room(first) {
		select {
		case <-s.queue.taken:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if first >= s.total {
		return nil
	}
	pcm, err := s.decode(b.Packets)
	if err != nil {
		s.r.cfg.Log.Warn("live sound could not be decoded", "station", s.order.Station, "err", err)
		return nil
	}
	s.queue.put(chunk{first, pcm})
	return nil
}

// decode makes samples of packets. A decoder that failed is replaced with the
// next block.
func (s *stream) decode(packets [][]byte) ([]int16, error) {
	if s.codec == nil {
		var err error
		if s.codec, err = s.r.cfg.Codec.Packets(); err != nil {
			return nil, err
		}
	}
	pcm := make([]int16, len(packets)*decode.PacketSamples)
	for i, p := range packets {
		if err := s.codec.Decode(p, pcm[i*decode.PacketSamples:]); err != nil {
			s.silence()
			return nil, err
		}
	}
	return pcm, nil
}

// silence gives the decoder back.
func (s *stream) silence() {
	if s.codec == nil {
		return
	}
	if err := s.codec.Close(); err != nil {
		s.r.cfg.Log.Warn("close the decoder of a relay", "err", err)
	}
	s.codec = nil
}
