package node_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
)

// turned asks the node for a turn, for at most a second.
func turned(t *testing.T, r *nodetest.Rig) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	return r.Node.Turned(ctx)
}

func TestTheLoopTurnsWhileTheNodeLivesAndSaysWhatItDoes(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		if status, err := turned(t, r); err != nil || !strings.HasPrefix(status, "silent; 0 announcements held; clock proved") {
			t.Errorf("%q, %v at rest", status, err)
		}
		r.Announce(r.Announcement("flood", broadcast.Emergency, 3*time.Second, 20*time.Second))
		pass(10 * time.Second)
		if status, err := turned(t, r); err != nil || !strings.HasPrefix(status, "sounding flood; 1 announcements") {
			t.Errorf("%q, %v while it sounds", status, err)
		}
		r.Stop()
		if status, err := turned(t, r); err == nil {
			t.Errorf("a stopped node says %q", status)
		}
		r.Boot()
	})
}

// stoppedTicks hang whoever reads them, as a driver of a clock may.
type stoppedTicks struct {
	node.Ticks
	hold atomic.Pointer[chan struct{}]
}

func (s *stoppedTicks) Read() node.Reading {
	if held := s.hold.Load(); held != nil {
		<-*held
	}
	return s.Ticks.Read()
}

func TestALoopThatDoesNotRunGivesNoTurn(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Stop()
		clocks := &stoppedTicks{}
		r.Change = func(cfg *node.Config) { clocks.Ticks, cfg.Ticks = cfg.Ticks, clocks }
		r.Boot()
		r.Settle()
		goes := make(chan struct{})
		clocks.hold.Store(&goes)
		if status, err := turned(t, r); err == nil {
			t.Errorf("a loop that hangs says %q", status)
		}
		clocks.hold.Store(nil)
		close(goes)
		if status, err := turned(t, r); err != nil {
			t.Errorf("a loop that goes on: %q, %v", status, err)
		}
	})
}

func TestASoundingThatNeverEndsIsNoLife(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		hang := make(chan struct{})
		r.Player.FailPlay(func(player.Sounding) error { <-hang; return nil })
		r.Announce(r.Announcement("flood", broadcast.Emergency, 3*time.Second, 20*time.Second))
		pass(40 * time.Second)
		if _, err := turned(t, r); err != nil {
			t.Errorf("a sounding that is a little late: %v", err)
		}
		pass(60 * time.Second)
		if status, err := turned(t, r); err == nil || !strings.Contains(err.Error(), "does not let go") {
			t.Errorf("a player that hangs: %q, %v", status, err)
		}
		close(hang)
		synctest.Wait()
		if status, err := turned(t, r); err != nil || !strings.HasPrefix(status, "silent") {
			t.Errorf("after it let go: %q, %v", status, err)
		}
	})
}
