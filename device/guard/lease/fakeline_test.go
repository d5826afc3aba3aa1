package lease

import (
	"log/slog"
	"sync"
	"testing"
	"time"
)

// move is one movement of a recorded line.
type move struct {
	closed bool
	at     time.Time
}

// recordedLine is a Line that writes down what it is told and can be made to
// fail.
type recordedLine struct {
	mu        sync.Mutex
	closed    bool
	moves     []move
	sets      int
	shut      bool
	openFails error // Set(false) fails with it
	shutFails error // Set(true) fails with it
	panics    bool  // Set(true) closes the line and panics
	moved     chan move
}

func newRecordedLine() *recordedLine { return &recordedLine{moved: make(chan move, 64)} }

func (l *recordedLine) Set(closed bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sets++
	if closed && l.shutFails != nil {
		return l.shutFails
	}
	if !closed && l.openFails != nil {
		return l.openFails
	}
	if l.closed != closed {
		m := move{closed, time.Now()}
		l.closed, l.moves = closed, append(l.moves, m)
		l.moved <- m
		if closed && l.panics {
			panic("relay driver")
		}
	}
	return nil
}

func (l *recordedLine) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut = true
	return nil
}

func (l *recordedLine) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

func (l *recordedLine) poke(change func(*recordedLine)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

// await returns the next movement; it fails the test after 10 s.
func (l *recordedLine) await(t *testing.T, closed bool) move {
	t.Helper()
	select {
	case m := <-l.moved:
		if m.closed != closed {
			t.Fatalf("line moved to closed=%v, want %v", m.closed, closed)
		}
		return m
	case <-time.After(10 * time.Second):
		t.Fatalf("line did not move to closed=%v", closed)
		return move{}
	}
}

// limits of the tests, each bound different from every other.
func testLimits() Limits {
	return Limits{
		Expiry: 2 * time.Second, Stall: 3 * time.Second, WarmUp: 7 * time.Second,
		Hold: 11 * time.Second, MinimumOff: 5 * time.Second, MaximumOn: 60 * time.Second,
	}
}

func newTestKeeper(t *testing.T, line Line, limits Limits) *Keeper {
	t.Helper()
	k, err := NewKeeper(line, limits, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return k
}
