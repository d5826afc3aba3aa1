//go:build !linux

package sink

import (
	"errors"

	"github.com/loaxa/loaxa/device/player"
)

func newALSA(Config) (player.Opener, error) {
	return nil, errors.New("sink: kind alsa exists on Linux only; use wav, null or oto")
}
