package site

import (
	"context"
	"errors"
)

// turn is whoever answers for the site at present.
type turn func(ctx context.Context) (string, error)

// errOpening means that the site is still reading its card.
var errOpening = errors.New("the card is being opened")

// Turned returns when the site's own loop has turned once more, with one line
// that says what the site is doing. A loop that hangs makes it wait for ctx. A
// site that asks to be enrolled has no loop: it waits for the controller, and
// nothing in it can sound.
func (s *Site) Turned(ctx context.Context) (string, error) {
	if t := s.turn.Load(); t != nil {
		return (*t)(ctx)
	}
	return "", errOpening
}

// answers has somebody else answer for the site.
func (s *Site) answers(t turn) { s.turn.Store(&t) }
