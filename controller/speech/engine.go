package speech

import (
	"context"
	"errors"
	"time"
)

// Voice is one that an engine has.
type Voice struct {
	ID       string
	Language string // such as vi
	// Name is for people.
	Name string
}

// Utterance is what an engine is asked to say.
type Utterance struct {
	// Text is letters, spaces, commas and hyphens; a sentence or less.
	Text  string
	Voice string
	// Rate is the speed in percent of the voice's own, 50 to 150.
	Rate int
}

// Engine speaks. It may be used at the same time.
type Engine interface {
	// Speak returns the sound of a text. ErrDown means that it may do so later; any other error that
	// this engine cannot say this.
	Speak(ctx context.Context, u Utterance) (Sound, error)
	// Voices lists its voices, or says why it is down.
	Voices(ctx context.Context) ([]Voice, error)
}

// Errors of engines.
var (
	// ErrDown: it does not run, does not answer in time or is not there.
	ErrDown = errors.New("the voice does not answer")
	// ErrGarbage: what it answered is no sound that can be used.
	ErrGarbage = errors.New("the voice gave no usable sound")
)

// Bounds of one utterance.
const (
	longestText   = 4000             // bytes
	mostSound     = 32 << 20         // bytes of an answer
	longestSpoken = 5 * time.Minute  // of sound
	speakingTime  = 90 * time.Second // of waiting
)
