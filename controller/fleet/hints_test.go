package fleet

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/store"
)

// standing returns what the fleet shows of one node.
func (r *rig) standing(f *Fleet, id broadcast.ID) Standing {
	r.t.Helper()
	all, err := f.Overview(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, s := range all {
		if s.Node.ID == id {
			return s
		}
	}
	r.t.Fatalf("no node %s", id)
	return Standing{}
}

// come has a node say that it is ready, live or out of the broker's memory.
func (r *rig) come(f *Fleet, id, connection broadcast.ID, live bool) {
	r.t.Helper()
	p := wire.Presence{State: wire.Ready, Connection: connection, Boot: "b"}
	if err := f.Presence(r.t.Context(), id, p, live); err != nil {
		r.t.Fatal(err)
	}
}

// says has a node give its state.
func (r *rig) says(f *Fleet, id broadcast.ID, version string, live bool) {
	r.t.Helper()
	raw, err := broadcast.Encode(wire.State{Boot: "b", Version: version, Board: "simulated", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "c"})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := f.State(r.t.Context(), id, raw, live); err != nil {
		r.t.Fatal(err)
	}
}

func TestSilentNodeDoesNotStayPresent(t *testing.T) {
	r := newRig(t)
	r.invite("n1", "tan-lap")
	if s := r.standing(r.Fleet, "n1"); s.Present || s.LastSign != 0 {
		t.Errorf("before any sign: %+v", s)
	}
	r.come(r.Fleet, "n1", "c1", true)
	for _, step := range []struct {
		after   time.Duration
		speaks  bool
		present bool
	}{{0, false, true}, {5 * time.Minute, true, true}, {silentAfter, false, true}, {time.Second, false, false}, {time.Hour, false, false}, {0, true, true}} {
		r.clock = r.clock.Add(step.after)
		if step.speaks {
			r.says(r.Fleet, "n1", "v1", true)
		}
		if s := r.standing(r.Fleet, "n1"); s.Present != step.present {
			t.Errorf("after %v, speaking %v: present %v", step.after, step.speaks, s.Present)
		}
	}
}

func TestWhatTheBrokerRememberedIsNoSignOfLife(t *testing.T) {
	r := newRig(t)
	r.invite("n1", "tan-lap")
	r.come(r.Fleet, "n1", "c1", false)
	r.says(r.Fleet, "n1", "v1", false)
	s := r.standing(r.Fleet, "n1")
	if s.Present || s.LastSign != 0 || s.State == nil || s.State.Version != "v1" {
		t.Errorf("of unknown age: %+v", s)
	}
	r.says(r.Fleet, "n1", "v2", true)
	at := broadcast.InstantOf(r.clock)
	if s = r.standing(r.Fleet, "n1"); !s.Present || s.LastSign != at {
		t.Errorf("spoke itself: %+v", s)
	}
	r.clock = r.clock.Add(time.Minute)
	r.says(r.Fleet, "n1", "v0", false)
	r.come(r.Fleet, "n1", "c1", false)
	if s = r.standing(r.Fleet, "n1"); s.State.Version != "v2" || s.LastSign != at || !s.Present {
		t.Errorf("an old state came again after a new one: %+v", s)
	}
}

func TestLastWillIsNoSignOfTheNode(t *testing.T) {
	r := newRig(t)
	r.invite("n1", "tan-lap")
	r.come(r.Fleet, "n1", "c1", true)
	r.says(r.Fleet, "n1", "v1", true)
	spoke := broadcast.InstantOf(r.clock)
	r.clock = r.clock.Add(time.Minute)
	if err := r.Presence(t.Context(), "n1", wire.Presence{State: wire.Gone, Connection: "c1", Boot: "b"}, true); err != nil {
		t.Fatal(err)
	}
	if s := r.standing(r.Fleet, "n1"); s.Present || s.LastSign != spoke {
		t.Errorf("%+v", s)
	}
	// A broker that restarted remembers the connection that came before.
	r.come(r.Fleet, "n1", "c0", false)
	if s := r.standing(r.Fleet, "n1"); s.LastSign != spoke || s.Hints.PresenceAt != 0 {
		t.Errorf("the will's time became the node's: %+v", s)
	}
}

func TestStoredHintsKeepTheirAgeOverARestart(t *testing.T) {
	r := newRig(t)
	r.invite("n1", "tan-lap")
	r.come(r.Fleet, "n1", "c1", true)
	came := broadcast.InstantOf(r.clock)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.clock = r.clock.Add(time.Hour)
	next := New(r.cfg)
	r.come(next, "n1", "c1", false)
	if s := r.standing(next, "n1"); s.Present || s.LastSign != came {
		t.Errorf("%+v", s)
	}
}

func TestHintsThatCouldNotBeStoredAreStoredLater(t *testing.T) {
	r := newRig(t)
	r.invite("n1", "tan-lap")
	r.come(r.Fleet, "n1", "c1", true)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Flush(gone); err == nil {
		t.Fatal("stored without a database")
	}
	r.says(r.Fleet, "n1", "v1", true)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := r.standing(New(r.cfg), "n1"); !s.Present || s.State == nil {
		t.Errorf("%+v", s)
	}
	if len(r.hints.waiting) != 0 {
		t.Errorf("%d hints wait although all are stored", len(r.hints.waiting))
	}
}

func TestStrangersLeaveNothingBehind(t *testing.T) {
	r := newRig(t)
	for range 100 {
		if err := r.Presence(t.Context(), "nobody", wire.Presence{State: wire.Ready, Connection: "c", Boot: "b"}, true); !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if len(r.hints.last) != 0 || len(r.hints.waiting) != 0 {
		t.Errorf("kept of strangers: %v", r.hints.last)
	}
}

func TestManyNodesSpeakAtOnce(t *testing.T) {
	r := newRig(t)
	ids := []broadcast.ID{"n1", "n2", "n3", "n4"}
	for _, id := range ids {
		r.invite(id, "tan-lap")
	}
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			for range 20 {
				if err := r.Presence(t.Context(), id, wire.Presence{State: wire.Ready, Connection: "c", Boot: "b"}, true); err != nil {
					t.Error(err)
				}
				if _, err := r.Overview(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() {
		for range 10 {
			if err := r.Flush(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	all.Wait()
	for _, id := range ids {
		if !r.standing(r.Fleet, id).Present {
			t.Errorf("%s was lost", id)
		}
	}
}
