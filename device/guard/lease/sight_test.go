package lease

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// seenLine is a line with a witness that can be told what to see.
type seenLine struct {
	*recordedLine
	mu    sync.Mutex
	sees  func(told bool) (bool, error) // nil: the contacts obey
	asked int
}

func (l *seenLine) Powered() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	if l.sees == nil {
		return l.isClosed(), nil
	}
	return l.sees(l.isClosed())
}

func (l *seenLine) see(sees func(bool) (bool, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sees = sees
}

// inSight runs play against a keeper with a witness, looked at every second
// as a guard does.
func inSight(t *testing.T, play func(b *bench, line *seenLine, after func(time.Duration) Sight)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		line := &seenLine{recordedLine: newRecordedLine()}
		k := newTestKeeper(t, line, testLimits())
		b := &bench{t: t, line: line.recordedLine, keeper: k, tenant: k.Tenant()}
		b.pass(testLimits().MinimumOff)
		play(b, line, func(d time.Duration) Sight {
			var last Sight
			for range d / time.Second {
				b.pass(time.Second)
				last = k.Alive()
			}
			return last
		})
		must(t, k.Stop())
		if s := k.Sight(); s != (Sight{}) {
			t.Errorf("a stopped keeper sees %+v", s)
		}
	})
}

func stuck(at bool) func(bool) (bool, error) { return func(bool) (bool, error) { return at, nil } }

func TestARelayThatStaysOnIsSeenAndClearsByItself(t *testing.T) {
	inSight(t, func(b *bench, line *seenLine, after func(time.Duration) Sight) {
		line.see(stuck(true))
		if s := after(3 * time.Second); s.Fault != "" {
			t.Errorf("%+v while contacts may still move", s)
		}
		if s := after(2 * time.Second); s != (Sight{Fault: StuckOn}) {
			t.Errorf("%+v, want %s", s, StuckOn)
		}
		b.granted(Close, 0) // an emergency has to be tried on any relay
		if s := b.keeper.Alive(); s != (Sight{Closed: true}) {
			t.Errorf("%+v with the relay told to close", s)
		}
		must(b.t, b.tenant.Release(context.Background()))
		if s := after(5 * time.Second); s.Fault != StuckOn {
			t.Errorf("%+v after the sounding", s)
		}
		line.see(nil)
		if s := after(time.Second); s != (Sight{}) {
			t.Errorf("%+v after the repair", s)
		}
	})
}

func TestARelayThatDoesNotMoveIsSeenWhileItShouldBeClosed(t *testing.T) {
	inSight(t, func(b *bench, line *seenLine, after func(time.Duration) Sight) {
		line.see(stuck(false))
		b.granted(Close, 0)
		after(time.Second)
		var s Sight
		for frames := uint64(1); frames < 5; frames++ {
			b.granted(Moving, frames)
			s = after(time.Second)
		}
		if s != (Sight{Closed: true, Fault: NotMoving}) {
			t.Errorf("%+v, want %s", s, NotMoving)
		}
		seen, err := b.tenant.Look(context.Background())
		if err != nil || seen != s {
			t.Errorf("the holder sees %+v, %v", seen, err)
		}
		must(b.t, b.tenant.Release(context.Background()))
		if s := b.keeper.Alive(); s != (Sight{}) {
			t.Errorf("%+v with the relay open, as it should be", s)
		}
	})
}

func TestSlowContactsAndABlindWitnessAreNoFault(t *testing.T) {
	for name, sees := range map[string]func(bool) (bool, error){
		"blind": func(bool) (bool, error) { return false, errors.New("bus stuck") },
		"obeys": func(told bool) (bool, error) { return told, nil },
	} {
		t.Run(name, func(t *testing.T) {
			inSight(t, func(b *bench, line *seenLine, after func(time.Duration) Sight) {
				line.see(sees)
				for range 3 { // every change begins a new time to settle
					b.granted(Close, 0)
					if s := b.keeper.Alive(); s.Fault != "" {
						t.Errorf("closed: %+v", s)
					}
					must(b.t, b.tenant.Release(context.Background()))
					if s := after(testLimits().MinimumOff); s.Fault != "" {
						t.Errorf("open: %+v", s)
					}
				}
				if line.asked == 0 {
					t.Error("nobody asked the witness")
				}
			})
		})
	}
}

func TestAnOutputThatTakesNoOrdersIsSeenWithoutAWitness(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		b.line.poke(func(l *recordedLine) { l.openFails = errors.New("input/output error") })
		if err := b.tenant.Release(context.Background()); err == nil {
			t.Error("the release claims success")
		}
		if s := b.keeper.Alive(); s.Fault != Disobeying {
			t.Errorf("%+v, want %s", s, Disobeying)
		}
		b.line.poke(func(l *recordedLine) { l.openFails = nil })
		if s := b.keeper.Alive(); s != (Sight{}) {
			t.Errorf("%+v once it obeys", s)
		}
	})
}

func TestTheSocketTellsWhatTheGuardSees(t *testing.T) {
	s := newStation(t)
	c, stranger := s.client(t), s.client(t)
	ctx := context.Background()
	must(t, c.Renew(ctx, Lease{Phase: Close}))
	s.line.await(t, true)
	if seen, err := stranger.Look(ctx); err != nil || seen != (Sight{Closed: true}) {
		t.Errorf("%+v, %v while closed", seen, err)
	}
	s.line.poke(func(l *recordedLine) { l.openFails = errors.New("input/output error") })
	if err := c.Release(ctx); err == nil {
		t.Error("the release claims success")
	}
	if seen, err := c.Look(ctx); err != nil || seen.Fault != Disobeying {
		t.Errorf("%+v, %v, want %s", seen, err, Disobeying)
	}
	s.line.poke(func(l *recordedLine) { l.openFails = nil })
	s.keeper.Alive()
	s.line.await(t, false)
	if seen, err := c.Look(ctx); err != nil || seen != (Sight{}) {
		t.Errorf("%+v, %v while open", seen, err)
	}
	if _, err := NewClient(s.path + ".none").Look(ctx); err == nil {
		t.Error("a guard that is not there sees something")
	}
}
