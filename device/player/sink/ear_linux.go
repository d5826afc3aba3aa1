package sink

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// microphone is one open PCM that listens. Its errors are errno values.
type microphone interface {
	// read gives some of the samples and starts the card if it stands; it never
	// waits (EAGAIN) and says EPIPE when samples were lost.
	read(samples []int16) (int, error)
	prepare() error
	close() error
}

const (
	earBuffer = 500 * time.Millisecond // what may wait while we are held up
	earDeaf   = 2 * time.Second        // without a sample for so long it is gone
)

// Ear is an open microphone: 48 kHz, mono, signed 16-bit.
type Ear struct {
	device string
	card   microphone
}

// Listen opens the microphone of a card by its ALSA name. It hears nothing before
// the first Read.
func Listen(device string) (*Ear, error) { return listen(device, (&libasound{}).listen) }

func listen(device string, open func(string, time.Duration, time.Duration) (microphone, error)) (*Ear, error) {
	card, err := open(device, earBuffer, alsaPeriod)
	if err != nil {
		return nil, fmt.Errorf("listen to %s: %w", device, err)
	}
	return &Ear{device, card}, nil
}

// Read waits for the next samples. Those that nobody fetched in time are left
// out: what is spoken is never heard late.
func (e *Ear) Read(ctx context.Context, samples []int16) (int, error) {
	for waited := time.Duration(0); waited < earDeaf; waited += alsaPeriod / 4 {
		n, err := e.card.read(samples)
		if n > 0 {
			return n, nil
		}
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ESTRPIPE) {
			err = e.card.prepare()
		}
		if err != nil && !errors.Is(err, syscall.EAGAIN) {
			return 0, fmt.Errorf("listen to %s: %w", e.device, err)
		}
		if err := sleep(ctx, alsaPeriod/4); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("listen to %s: %w", e.device, syscall.ETIMEDOUT)
}

// Close lets the card go.
func (e *Ear) Close() error { return e.card.close() }
