package loaxa

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// box is one speaker site as a board has it: a guard with a relay in a file, a
// daemon, and a service manager over both.
type box struct {
	*world
	name, dir, relay string
	guard, daemon    *service
	fate             fate
	made             time.Time
	delay            time.Duration // into the state
	once             sync.Once
	signed           *signed
	struck           time.Time
}

func newBox(w *world, name string, f fate, delay time.Duration) *box {
	w.Helper()
	guard, err := builtGuard()
	if err != nil {
		w.Fatal(err)
	}
	// Sockets have short names: a folder of their own near the root.
	dir, err := os.MkdirTemp("", "box-")
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = os.RemoveAll(dir) })
	b := &box{world: w, name: name, dir: dir, relay: filepath.Join(dir, "relay.jsonl"), fate: f, made: time.Now(), delay: delay}
	socket := filepath.Join(dir, "guard.sock")
	b.guard = newService(w, "loaxa-guard.service", dir, 0, map[string][]string{"/usr/bin/loaxa-guard": {guard},
		"$GUARD_FLAGS": {"-socket", socket, "-simulate", b.relay, "-warm-up", "7s", "-hold", "7s", "-minimum-off", "500ms"}})
	b.daemon = newService(w, "loaxa-device.service", dir, hangs, map[string][]string{"/usr/bin/loaxa-device": {w.device},
		"/etc/loaxa/card.toml": {w.card(name, dir, socket)}})
	return b
}

func (b *box) ready() bool {
	_, _, guard := b.guard.at()
	_, _, daemon := b.daemon.at()
	return guard && daemon
}

// firstClosing is when the relay closed for the first time.
func (b *box) firstClosing() time.Time {
	for _, e := range lines[relayEdge](b, b.relay) {
		if e.Closed {
			return e.At
		}
	}
	return time.Time{}
}

func (b *box) closedAfter(at time.Time) bool {
	for _, e := range lines[relayEdge](b, b.relay) {
		if e.Closed && e.At.After(at) {
			return true
		}
	}
	return false
}

// meet waits for the state and then strikes, once.
func (b *box) meet(s *signed) {
	b.once.Do(func() {
		b.signed = s
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for until := time.After(time.Minute); ; {
			at := b.fate.after(b, s)
			if !at.IsZero() && !time.Now().Before(at.Add(b.delay)) {
				break
			}
			select {
			case <-tick.C:
			case <-until:
				first, second := s.both()
				b.Errorf("%s: %s never came: %s", b.fate, b.fate.state.name, append(b.log(first.ID), b.log(second.ID)...))
				return
			}
		}
		b.struck = time.Now()
		if err := b.fate.strike(b); err != nil {
			b.Errorf("%s: %v", b.fate, err)
		}
	})
}

// decoders strikes every decoder that the daemon starts until the second of the
// emergencies is over: no recording can be decoded by anyone. What they delivered before
// is still heard, so what counts is the time from the last.
func (b *box) decoders(signal syscall.Signal) error {
	pid, _, _ := b.daemon.at()
	struck := map[int]bool{}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for asked := time.Now(); ; <-tick.C {
		for _, child := range childrenOf(pid) {
			if struck[child] || !decodes(child) {
				continue
			}
			if err := syscall.Kill(child, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
			b.struck, struck[child] = time.Now(), true
		}
		if time.Since(asked) < time.Second {
			continue
		}
		asked = time.Now()
		// The first was withdrawn by then. What it came to is not waited for: of one
		// that failed before, nobody is told that it does not sound again.
		_, second := b.signed.both()
		if last, told := b.told(second); told && (last.Attempts > 1 || last.End != "failed") {
			return nil
		}
		if asked.Sub(b.made) > 3*time.Minute {
			return fmt.Errorf("%d decoders were struck and no end is told", len(struck))
		}
	}
}

// decodes says that a child has become a decoder: until then it is a copy of
// the daemon, which waits for it.
func decodes(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && strings.Contains(string(raw), "\x00decode\x00")
}

// told is what the controller knows of the box and one emergency, once it has
// ended here.
func (b *box) told(p published) (delivery, bool) {
	if p.ID == "" {
		return delivery{}, false
	}
	d, err := b.deliveries(p.ID)
	at := slices.IndexFunc(d.Nodes, func(n delivery) bool { return n.Node == b.name && n.End != "" })
	if err != nil || at < 0 {
		return delivery{}, false
	}
	return d.Nodes[at], true
}

// ended is when the box heard an emergency to its end, by its own log.
func (b *box) ended(id string) time.Time {
	for _, line := range b.log(id, "rung=ended") {
		text, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
		at, _ := time.Parse(time.RFC3339Nano, text) // the zero time has not come
		return at
	}
	return time.Time{}
}

// log are the lines of the daemon's log about an emergency that hold some words.
func (b *box) log(id string, words ...string) (found []string) {
	raw, err := os.ReadFile(filepath.Join(b.dir, "loaxa-device.log"))
	if err != nil || id == "" {
		return nil
	}
	for line := range strings.Lines(string(raw)) {
		if !slices.ContainsFunc(append(words, id), func(word string) bool { return !strings.Contains(line, word) }) {
			found = append(found, line)
		}
	}
	return found
}

// off is how long the relay stayed closed after the strike, 0 if it was open.
// A card that takes nothing more is no reason to stop: that box may sound to
// the end of what was ordered.
func (b *box) off(s *signed) (time.Duration, bool) {
	from := b.struck
	_, second := s.both()
	if heard := near(second, lastSecond); b.fate.death.name == cardFull && from.Before(heard) {
		from = heard
	}
	var at time.Time
	look := func() bool {
		closed := false
		for _, e := range lines[relayEdge](b, b.relay) {
			if !e.At.After(from) {
				closed = e.Closed
				at = from
			} else if closed && !e.Closed {
				at, closed = e.At, false
				return true
			}
		}
		return !closed
	}
	for until := time.Now().Add(time.Until(from) + 2*lawfulOff); !look(); {
		if time.Now().After(until) {
			return time.Since(from), false
		}
		<-time.After(20 * time.Millisecond)
	}
	return max(0, at.Sub(from)), true
}
