package sink

import (
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// heard is a microphone that gives what a test says, one answer a call.
type heard struct {
	answers  []error // nil gives samples
	prepared int
	closed   bool
}

func (h *heard) read(samples []int16) (int, error) {
	if len(h.answers) == 0 {
		return 0, syscall.EAGAIN
	}
	err := h.answers[0]
	h.answers = h.answers[1:]
	if err != nil {
		return 0, err
	}
	samples[0] = 7
	return 1, nil
}

func (h *heard) prepare() error { h.prepared++; return nil }
func (h *heard) close() error   { h.closed = true; return nil }

func TestAMicrophoneIsHeardAndOneThatIsGoneIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		answers []error
		want    error
	}{
		"at once":                {[]error{nil}, nil},
		"in a moment":            {[]error{syscall.EAGAIN, syscall.EAGAIN, nil}, nil},
		"after a loss":           {[]error{syscall.EPIPE, nil}, nil},
		"after it slept":         {[]error{syscall.ESTRPIPE, nil}, nil},
		"pulled out":             {[]error{syscall.ENODEV}, syscall.ENODEV},
		"never":                  {nil, syscall.ETIMEDOUT},
		"again and again a loss": {[]error{syscall.EPIPE, syscall.EPIPE, syscall.EPIPE}, syscall.ETIMEDOUT},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &heard{answers: c.answers}
			e, err := listen("mic", func(string, time.Duration, time.Duration) (microphone, error) { return h, nil })
			if err != nil {
				t.Fatal(err)
			}
			pcm, began := make([]int16, 960), time.Now()
			n, err := e.Read(t.Context(), pcm)
			if !errors.Is(err, c.want) || (err == nil) != (n == 1 && pcm[0] == 7) || time.Since(began) > earDeaf {
				t.Errorf("%s: %d samples, %v after %v", name, n, err, time.Since(began))
			}
			if err := e.Close(); err != nil || !h.closed {
				t.Errorf("%s: left open, %v", name, err)
			}
		})
	}
	gone := errors.New("no card")
	if _, err := listen("mic", func(string, time.Duration, time.Duration) (microphone, error) { return nil, gone }); !errors.Is(err, gone) {
		t.Errorf("a card that is not there: %v", err)
	}
}

// The true library refuses a card that is not there, or is itself not there.
func TestAMicrophoneThatNoMachineHasIsRefused(t *testing.T) {
	if e, err := Listen("plughw:CARD=NoSuchCardOnEarth,DEV=0"); err == nil {
		t.Errorf("opened %v", e)
	}
}
