//go:build !linux

package sink

import (
	"context"
	"errors"
)

// Ear is a microphone that this system does not have.
type Ear struct{}

// Listen opens none.
func Listen(string) (*Ear, error) { return nil, errors.New("sink: microphones are read on Linux only") }

// Read gives nothing.
func (*Ear) Read(context.Context, []int16) (int, error) { return 0, errors.ErrUnsupported }

// Close closes nothing.
func (*Ear) Close() error { return nil }
