package speech

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// Tape is a microphone of a simulated box: it hears the same samples again and
// again, at the pace of an ideal crystal, until they are replaced.
type Tape struct {
	// Load returns what it hears, 48 kHz and mono, when somebody begins to speak.
	Load func() ([]int16, error)
}

// Open makes sure that there is something to hear.
func (t Tape) Open(context.Context) (Capture, error) {
	pcm, err := t.Load()
	if err == nil && len(pcm) == 0 {
		err = errors.New("nothing to hear")
	}
	if err != nil {
		return nil, fmt.Errorf("simulated microphone: %w", err)
	}
	return &played{pcm: pcm}, nil
}

type played struct {
	pcm   []int16
	began time.Time
	given int64
}

// Read gives the next 20 ms at the earliest when they have passed.
func (p *played) Read(ctx context.Context, pcm []int16) (int, error) {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	n := min(len(pcm), media.SampleRate/50)
	timer := time.NewTimer(time.Until(p.began.Add(time.Duration(p.given+int64(n)) * time.Second / media.SampleRate)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-timer.C:
	}
	for i := range pcm[:n] {
		pcm[i] = p.pcm[(p.given+int64(i))%int64(len(p.pcm))]
	}
	p.given += int64(n)
	return n, nil
}

// Close forgets the samples.
func (p *played) Close() error { return nil }
