package site

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/board"
)

func TestBoardThatFailsUnusedIsSaidWithinAMinuteAndTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var unplugged atomic.Bool
		faults := &book{present: map[broadcast.FaultCode]string{}}
		looks := []board.Look{
			{Code: broadcast.FaultSoundCard, See: func() error {
				if unplugged.Load() {
					return errors.New("no sound card")
				}
				return nil
			}},
			{Code: broadcast.FaultStoreFull, See: func() error { return nil }},
		}
		go probe(ctx, looks, faults)
		for _, step := range []struct {
			unplugged bool
			want      string
		}{{false, "[]"}, {true, "[sound-card]"}, {true, "[sound-card]"}, {false, "[]"}} {
			unplugged.Store(step.unplugged)
			<-time.After(broadcast.MaxFaultDelay / 2)
			synctest.Wait()
			if got := faults.codes(); got != step.want {
				t.Errorf("unplugged %v: %s, want %s", step.unplugged, got, step.want)
			}
		}
		// What a sounding found is left to the next one.
		faults.Raise(broadcast.FaultSoundCard, "", "it failed in mid-sounding")
		<-time.After(time.Minute)
		synctest.Wait()
		if got := faults.codes(); got != "[sound-card]" {
			t.Errorf("a look took back what a sounding found: %s", got)
		}
	})
}
