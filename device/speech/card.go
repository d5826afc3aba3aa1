package speech

import (
	"context"

	"github.com/loaxa/loaxa/device/player/sink"
)

// Card is the microphone of a sound card, by its ALSA name, best by id.
type Card string

// Open opens the card.
func (c Card) Open(context.Context) (Capture, error) {
	ear, err := sink.Listen(string(c))
	if err != nil {
		return nil, err
	}
	return ear, nil
}
