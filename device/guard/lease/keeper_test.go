package lease

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a keeper in virtual time with one tenant, past its first off-time.
type bench struct {
	t      *testing.T
	line   *recordedLine
	keeper *Keeper
	tenant *Tenant
}

// inBubble runs play against a fresh bench in virtual time.
func inBubble(t *testing.T, play func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		line := newRecordedLine()
		k := newTestKeeper(t, line, testLimits())
		b := &bench{t: t, line: line, keeper: k, tenant: k.Tenant()}
		b.pass(testLimits().MinimumOff)
		play(b)
		if err := k.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
		if line.isClosed() || !line.shut {
			t.Error("the line is not open and given back after Stop")
		}
	})
}

// pass lets virtual time pass.
func (b *bench) pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (b *bench) hasTimer() bool {
	b.keeper.mu.Lock()
	defer b.keeper.mu.Unlock()
	return b.keeper.timer != nil
}

func (b *bench) renew(l Lease) error { return b.tenant.Renew(context.Background(), l) }

func (b *bench) granted(p Phase, frames uint64) {
	b.t.Helper()
	if err := b.renew(Lease{p, frames}); err != nil {
		b.t.Fatalf("%s refused: %v", p, err)
	}
	if !b.line.isClosed() {
		b.t.Fatalf("%s granted with an open line", p)
	}
}

func (b *bench) refused(p Phase, frames uint64, reason string) *Refusal {
	b.t.Helper()
	err := b.renew(Lease{p, frames})
	var no *Refusal
	if !errors.As(err, &no) || !strings.Contains(no.Reason, reason) {
		b.t.Fatalf("%s answered %v, want a refusal with %q", p, err, reason)
	}
	return no
}

// openAfter proves that the line stays closed until just before d and is open at d.
func (b *bench) openAfter(d time.Duration) {
	b.t.Helper()
	b.pass(d - time.Millisecond)
	if !b.line.isClosed() {
		b.t.Fatalf("open before %v", d)
	}
	b.pass(time.Millisecond)
	if b.line.isClosed() {
		b.t.Fatalf("still closed after %v", d)
	}
}

func TestLineIsOpenedBeforeAnyLease(t *testing.T) {
	line := newRecordedLine()
	line.closed = true // left so by a guard that was killed
	newTestKeeper(t, line, testLimits())
	if line.isClosed() {
		t.Error("closed after NewKeeper")
	}
}

func TestKeeperRefusesALineThatDoesNotOpen(t *testing.T) {
	line := newRecordedLine()
	line.openFails = errors.New("input/output error")
	_, err := NewKeeper(line, testLimits(), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "input/output error") || !line.shut {
		t.Errorf("err %v, line given back: %v", err, line.shut)
	}
}

func TestRelayOpensWhenTheLeaseExpires(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		b.pass(time.Second)
		b.granted(WarmUp, 0)
		b.openAfter(testLimits().Expiry)
		b.refused(Moving, 1, expired)
	})
}

func TestARenewalNeverClosesTheRelay(t *testing.T) {
	inBubble(t, func(b *bench) {
		for _, p := range []Phase{WarmUp, Moving, Hold} {
			b.refused(p, 1, lineOpen)
		}
		b.refused("", 0, badPhase)
		b.refused("CLOSE", 0, badPhase)
		if len(b.line.moves) != 0 {
			t.Errorf("the line moved: %v", b.line.moves)
		}
	})
}

func TestMinimumOffTimeIsWaitedOut(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		if err := b.tenant.Release(context.Background()); err != nil {
			t.Fatal(err)
		}
		b.pass(2 * time.Second)
		no := b.refused(Close, 0, minimumOff)
		if no.RetryAfter != 3*time.Second {
			t.Errorf("retry after %v", no.RetryAfter)
		}
		b.pass(no.RetryAfter - 1)
		b.refused(Close, 0, minimumOff)
		b.pass(1)
		b.granted(Close, 0)
	})
}

func TestMinimumOffTimeCountsFromTheGuardsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKeeper(t, newRecordedLine(), testLimits())
		b := &bench{t: t, keeper: k, tenant: k.Tenant()}
		if no := b.refused(Close, 0, minimumOff); no.RetryAfter != testLimits().MinimumOff {
			t.Errorf("retry after %v", no.RetryAfter)
		}
	})
}

func TestMaximumOnTimeCannotBeExtendedByLeases(t *testing.T) {
	inBubble(t, func(b *bench) {
		start := time.Now()
		b.granted(Close, 0)
		phases := []Phase{Moving, Moving, Hold, Moving, Moving, Close, Moving}
		for i := uint64(0); b.line.isClosed(); i++ {
			b.pass(500 * time.Millisecond)
			if err := b.renew(Lease{phases[i%7], i}); err != nil && b.line.isClosed() {
				t.Fatalf("%s refused at %v: %v", phases[i%7], time.Since(start), err)
			}
		}
		on := b.line.moves[1].at.Sub(b.line.moves[0].at)
		if on != testLimits().MaximumOn {
			t.Errorf("closed for %v, want %v", on, testLimits().MaximumOn)
		}
		b.refused(Moving, 1000, maximumOn)
	})
}

func TestStalledSamplesOpenTheRelay(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		b.granted(Moving, 48000)
		b.pass(time.Second)
		b.granted(Moving, 48001)
		for range 2 {
			b.pass(time.Second)
			b.granted(Moving, 48001)
		}
		b.openAfter(time.Second)
		b.refused(Moving, 48001, stalled)
	})
}

func TestAFrameCounterThatRestartsIsNoProofOfMovement(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		b.granted(Moving, 48000)
		for range 2 { // ever lower counters: cards opened anew that never play
			b.pass(time.Second)
			b.granted(Moving, 48000-uint64(time.Now().Second()))
		}
		b.openAfter(time.Second)
	})
}

func TestACardOpenedAnewMayGoOnPlaying(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		for _, frames := range []uint64{1000, 49000, 10, 48010, 96010} {
			b.granted(Moving, frames)
			b.pass(1400 * time.Millisecond)
		}
		b.granted(Moving, 96011)
	})
}

func TestWarmUpAndHoldAreBounded(t *testing.T) {
	for phase, bound := range map[Phase]time.Duration{WarmUp: testLimits().WarmUp, Hold: testLimits().Hold} {
		t.Run(string(phase), func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.granted(Close, 0)
				b.granted(Moving, 1)
				b.granted(Moving, 2)
				for range int(bound/time.Second) - 1 {
					b.granted(phase, 2)
					b.pass(time.Second)
				}
				b.granted(phase, 2)
				b.openAfter(time.Second)
				b.refused(phase, 2, phaseCause(phase))
			})
		})
	}
}

func TestChangingPhasesBuysNoSilentPower(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		phases := []Phase{Hold, WarmUp, Moving, Close, Moving}
		for i := 0; b.line.isClosed(); i++ {
			b.pass(time.Second)
			_ = b.renew(Lease{phases[i%len(phases)], 7}) // refused once the line is open
		}
		on := b.line.moves[1].at.Sub(b.line.moves[0].at)
		if most := testLimits().WarmUp + testLimits().Hold + testLimits().Stall; on > most {
			t.Errorf("closed for %v without a sample, want at most %v", on, most)
		}
	})
}

func TestASecondHolderNeitherGetsNorDisturbsTheRelay(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		second := &bench{t: t, line: b.line, keeper: b.keeper, tenant: b.keeper.Tenant()}
		for _, p := range []Phase{Close, WarmUp, Moving, Hold} {
			second.refused(p, 5, heldByOther)
		}
		if err := errors.Join(second.tenant.Release(context.Background()), second.tenant.leave()); err != nil {
			t.Fatal(err)
		}
		b.granted(Moving, 1)
		b.openAfter(testLimits().Expiry) // frozen holder
		b.pass(testLimits().MinimumOff)
		second.granted(Close, 0)
		b.refused(Moving, 2, heldByOther)
	})
}

func TestRelayOpensWhenItsHolderLeaves(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		if err := b.tenant.leave(); err != nil {
			t.Fatal(err)
		}
		if b.line.isClosed() {
			t.Error("closed after its holder left")
		}
		b.refused(Moving, 1, left)
	})
}

func TestStopOpensAndRefusesForGood(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		if err := b.keeper.Stop(); err != nil {
			t.Fatal(err)
		}
		if b.line.isClosed() {
			t.Error("closed after Stop")
		}
		b.pass(time.Minute)
		b.refused(Close, 0, stopped)
	})
}

func TestALineThatDoesNotOpenIsToldUntilItDoes(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		b.line.poke(func(l *recordedLine) { l.openFails = errors.New("bus stuck") })
		b.pass(testLimits().Expiry)
		if no := b.refused(Moving, 1, "bus stuck"); no.RetryAfter != retryOpen {
			t.Errorf("retry after %v", no.RetryAfter)
		}
		if err := b.tenant.Release(context.Background()); err == nil {
			t.Error("Release claims success")
		}
		b.line.poke(func(l *recordedLine) { l.openFails = nil })
		b.pass(retryOpen)
		if b.line.isClosed() {
			t.Error("not told again")
		}
		b.refused(Close, 0, minimumOff)
		b.pass(testLimits().MinimumOff)
		b.granted(Close, 0)
	})
}

func TestALineThatDoesNotCloseIsReportedAndLeftOpen(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.line.poke(func(l *recordedLine) { l.shutFails = errors.New("no such device") })
		b.refused(Close, 0, "no such device")
		b.refused(Moving, 0, lineOpen)
		if b.hasTimer() {
			t.Error("a timer runs for an open line")
		}
	})
}

func TestAnOpenLineCostsNoTimer(t *testing.T) {
	inBubble(t, func(b *bench) {
		if b.hasTimer() {
			t.Error("timer before the first lease")
		}
		b.granted(Close, 0)
		if !b.hasTimer() {
			t.Fatal("no timer while closed")
		}
		b.pass(testLimits().Expiry)
		if b.hasTimer() {
			t.Error("timer after the line opened")
		}
	})
}

func TestAliveOpensALineWhoseTimerFailed(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.granted(Close, 0)
		b.keeper.mu.Lock()
		b.keeper.timer.Stop()
		b.keeper.mu.Unlock()
		b.pass(testLimits().Expiry)
		if !b.line.isClosed() {
			t.Fatal("the timer was not stopped: nothing is proved")
		}
		b.keeper.Alive()
		if b.line.isClosed() {
			t.Error("closed after Alive")
		}
	})
}

func TestLimitsOutOfBoundsAreRefusedByName(t *testing.T) {
	if err := DefaultLimits().Validate(); err != nil {
		t.Fatalf("default limits: %v", err)
	}
	line := newRecordedLine()
	_, err := NewKeeper(line, Limits{Expiry: time.Minute}, slog.New(slog.DiscardHandler))
	for _, want := range []string{"expiry is 1m0s", "stall is 0s", "warm-up", "hold", "maximum on-time"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %q", err, want)
		}
	}
	if !line.shut {
		t.Error("the line was not given back")
	}
}

func BenchmarkRenew(b *testing.B) {
	line := newRecordedLine()
	limits := testLimits()
	limits.MinimumOff = 0
	limits.MaximumOn = time.Hour
	k, err := NewKeeper(line, limits, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	tenant := k.Tenant()
	l := Lease{Phase: Close}
	for b.Loop() {
		if err := tenant.Renew(context.Background(), l); err != nil {
			b.Fatal(err)
		}
		l = Lease{Moving, l.Frames + 1}
	}
}
