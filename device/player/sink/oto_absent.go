//go:build !oto

package sink

import (
	"errors"

	"github.com/loaxa/loaxa/device/player"
)

func newOto(Config) (player.Opener, error) {
	return nil, errors.New("sink: kind oto is not in this binary; build it with -tags oto (on Linux that needs cgo and libasound2-dev)")
}
