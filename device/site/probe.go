package site

import (
	"context"
	"time"

	"github.com/loaxa/loaxa/device/board"
)

// probeEvery is how often the board is looked at.
const probeEvery = 20 * time.Second

// probe looks at the board until ctx ends and says what is wrong with it, and
// what is no more.
func probe(ctx context.Context, looks []board.Look, to complaints) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	wrong := make([]bool, len(looks))
	for {
		for i, l := range looks {
			err := l.See()
			switch {
			case err != nil:
				to.Raise(l.Code, l.Part, err.Error())
			case wrong[i]:
				to.Clear(l.Code, l.Part)
			}
			wrong[i] = err != nil
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
