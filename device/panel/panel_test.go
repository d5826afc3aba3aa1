package panel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/guard/line"
)

// box is a board's inputs under a test's fingers, and what came of them.
type box struct {
	mu     sync.Mutex
	active map[string]bool
	broken map[string]error
	moved  chan struct{}
	told   []string
}

func (b *box) Active(name string) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.active[name], b.broken[name]
}

func (b *box) Moved() <-chan struct{} { return b.moved }

func (b *box) Struck(string) <-chan byte { return nil }

func (b *box) set(name string, active bool, err error) {
	b.mu.Lock()
	b.active[name], b.broken[name] = active, err
	b.mu.Unlock()
	select {
	case b.moved <- struct{}{}:
	default:
	}
	synctest.Wait()
}

func (b *box) say(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = append(b.told, text)
}

func (b *box) OnStop()                         { b.say("stop") }
func (b *box) OnKey(name string)               { b.say("key " + name) }
func (b *box) OnTalk(name string, turned bool) { b.say(fmt.Sprintf("talk %s %v", name, turned)) }
func (b *box) OnCode(keypad, _, _ string)      { b.say("code " + keypad) }
func (b *box) OnStuck(name string, stuck bool, cause string) {
	b.say(strings.TrimSpace(fmt.Sprintf("%s stuck %v %s", name, stuck, cause)))
}

// expect compares what was told since the last time.
func (b *box) expect(t *testing.T, want ...string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Equal(b.told, want) {
		t.Errorf("told %q, want %q", b.told, want)
	}
	b.told = nil
}

var inputs = []board.Input{{Name: "red", Act: board.Stop}, {Name: "flood", Act: board.Key}, {Name: "talk", Act: board.Talk}}

// at serves a panel in a bubble.
func at(t *testing.T, test func(t *testing.T, b *box, log *bytes.Buffer), held ...string) {
	synctest.Test(t, func(t *testing.T) {
		b := &box{active: map[string]bool{}, broken: map[string]error{}, moved: make(chan struct{}, 1)}
		for _, name := range held {
			b.active[name] = true
		}
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- New(inputs, b, b, slog.New(slog.NewTextHandler(&log, nil))).Serve(ctx) }()
		synctest.Wait()
		test(t, b, &log)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAPressCountsOnceHoweverTheContactBounces(t *testing.T) {
	at(t, func(t *testing.T, b *box, _ *bytes.Buffer) {
		for i := range 21 {
			b.set("red", i%2 == 0, nil)
			pass(3 * time.Millisecond)
		}
		b.expect(t)
		pass(bounce)
		b.expect(t, "stop")
		for i := range 21 {
			b.set("red", i%2 == 1, nil)
			pass(3 * time.Millisecond)
		}
		pass(time.Hour)
		b.expect(t)
		b.set("flood", true, nil)
		pass(bounce)
		b.expect(t, "key flood")
	})
}

func TestAPressStopsWithinATenthOfASecond(t *testing.T) {
	at(t, func(t *testing.T, b *box, _ *bytes.Buffer) {
		b.set("red", true, nil)
		pass(100 * time.Millisecond)
		b.expect(t, "stop")
	})
}

func TestASparkIsNoPress(t *testing.T) {
	at(t, func(t *testing.T, b *box, _ *bytes.Buffer) {
		b.set("flood", true, nil)
		pass(bounce - time.Millisecond)
		b.set("flood", false, nil)
		pass(time.Hour)
		b.expect(t)
	})
}

func TestAStuckInputIsToldAndThenIgnoredUntilItIsFree(t *testing.T) {
	at(t, func(t *testing.T, b *box, _ *bytes.Buffer) {
		b.set("flood", true, nil)
		pass(stuck)
		b.expect(t, "key flood")
		pass(bounce)
		b.expect(t, "flood stuck true pressed for more than 1m0s")
		b.set("red", true, nil) // the other one works all the same
		pass(time.Second)
		b.expect(t, "stop")
		pass(20 * time.Second)
		b.set("flood", false, nil)
		pass(bounce)
		b.expect(t, "flood stuck false")
		b.set("flood", true, nil)
		pass(bounce)
		b.expect(t, "key flood")
	})
}

func TestAKeyOfTheMicrophoneIsToldWhenItTurnsAndWhenItIsBack(t *testing.T) {
	at(t, func(t *testing.T, b *box, _ *bytes.Buffer) {
		b.set("talk", true, nil)
		pass(5 * time.Minute)
		b.set("talk", false, nil)
		pass(time.Second)
		b.expect(t, "talk talk true", "talk talk false")
		b.set("talk", true, nil)
		pass(time.Hour) // nobody speaks for so long: it counts as back
		b.expect(t, "talk talk true", "talk talk false", "talk stuck true pressed for more than 15m0s")
		b.set("talk", false, nil)
		pass(time.Second)
		b.expect(t, "talk talk false", "talk stuck false")
	})
}

func TestWhatIsPressedAtTheStartCountsForNothing(t *testing.T) {
	at(t, func(t *testing.T, b *box, _ *bytes.Buffer) {
		pass(30 * time.Second)
		b.expect(t)
		b.set("flood", false, nil)
		pass(time.Second)
		b.set("flood", true, nil)
		pass(time.Second)
		b.expect(t, "key flood")
		pass(29 * time.Second)
		b.expect(t, "red stuck true pressed for more than 1m0s")
	}, "red", "flood")
}

func TestAnInputThatCannotBeReadPressesNothingAndIsAskedAgain(t *testing.T) {
	at(t, func(t *testing.T, b *box, log *bytes.Buffer) {
		b.set("red", true, errors.New("wire off"))
		pass(time.Minute)
		b.expect(t)
		if strings.Count(log.String(), "wire off") != 1 {
			t.Errorf("the log has it not once: %s", log)
		}
		b.mu.Lock()
		b.broken["red"] = nil // and nobody tells of an edge
		b.mu.Unlock()
		pass(lookAnew + bounce)
		b.expect(t, "stop")
	})
}

// TestPressesAreAsManyAsSomebodyMade draws fingers and bounces, and counts.
func TestPressesAreAsManyAsSomebodyMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c contact
		var now, wake time.Duration
		got := map[turn]int{}
		see := func(active bool) {
			came, again := c.see(active, now)
			got[came]++
			if wake = 0; again > 0 {
				wake = now + again
			}
		}
		rest := func(active bool, d time.Duration) {
			end := now + d
			for wake > 0 && wake <= end {
				now = wake
				see(active)
			}
			now = end
		}
		see(false)
		var presses, long int
		for range rapid.IntRange(0, 12).Draw(t, "presses") {
			for _, active := range []bool{true, false} {
				for range rapid.IntRange(0, 9).Draw(t, "bounces") {
					see(!active)
					rest(!active, time.Duration(rapid.IntRange(0, 10).Draw(t, "ms"))*time.Millisecond)
					see(active)
					rest(active, time.Duration(rapid.IntRange(0, 10).Draw(t, "ms"))*time.Millisecond)
				}
				see(active)
				d := time.Duration(rapid.IntRange(60, 90_000).Draw(t, "for")) * time.Millisecond
				rest(active, d)
				if active {
					presses++
				}
				if active && d >= stuck+bounce {
					long++
				}
			}
		}
		if got[pressed] != presses || got[sticks] < long || got[freed] != got[sticks] {
			t.Fatalf("%d presses, %d of them long: told %v", presses, long, got)
		}
	})
}

func TestASimulatedBoxIsPressedThroughAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inputs")
	p, err := OpenPipe(path, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Serve(ctx) }()
	write := func(text string) {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	until := func(name string, want bool) {
		t.Helper()
		limit := time.NewTimer(10 * time.Second)
		defer limit.Stop()
		for {
			if got, err := p.Active(name); err != nil || got == want {
				if err != nil {
					t.Error(err)
				}
				return
			}
			select {
			case <-p.Moved():
			case <-limit.C:
				t.Fatalf("%s is not %v", name, want)
			}
		}
	}
	write(strings.Repeat("x", 3*lineLimit) + "\nred\nred sing\nblue hold\n\nred hold\n")
	until("red", true)
	write("red release\n")
	until("red", false)
	write("flood press\n")
	until("flood", true)
	until("flood", false)
	if _, err := p.Active("blue"); !errors.Is(err, errUnknown) {
		t.Errorf("an input that is not there: %v", err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := OpenPipe(path); err != nil {
		t.Errorf("the same folder again: %v", err)
	}
	if _, err := OpenPipe("/dev/null/inputs"); err == nil {
		t.Error("a pipe where none can be")
	}
}

func TestAWrongLineDoesNotDisableTheOthers(t *testing.T) {
	var edge func()
	w, err := wire(inputs, func(p line.Place, moved func()) (*line.Input, error) {
		if edge == nil {
			edge = moved
			return nil, line.ErrNoChip
		}
		return &line.Input{}, nil
	}, slog.New(slog.DiscardHandler))
	if !errors.Is(err, line.ErrNoChip) || !strings.Contains(err.Error(), "input red") || len(w.inputs) != 2 {
		t.Errorf("%v, %d inputs", err, len(w.inputs))
	}
	if _, err := w.Active("red"); !errors.Is(err, errUnknown) {
		t.Errorf("an input that nobody watches: %v", err)
	}
	edge()
	edge()
	<-w.Moved()
	if _, err := Wire([]board.Input{{Name: "red", Chip: "no-such-chip-on-earth"}}, slog.New(slog.DiscardHandler)); !errors.Is(err, line.ErrNoChip) {
		t.Errorf("a chip that is not there: %v", err)
	}
	w.inputs = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Serve(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
