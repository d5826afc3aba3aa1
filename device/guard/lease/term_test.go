package lease

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNoSequenceOfLeasesEscapesTheLimits plays random leases at random times
// and reckons every bound anew from the outside.
func TestNoSequenceOfLeasesEscapesTheLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := testLimits()
		now := time.Unix(1_800_000_000, 0)
		m := term{limits: limits}
		m.open(now, atStart)
		w := witness{limits: limits, openedAt: now}
		phases := rapid.SampledFrom([]Phase{Close, WarmUp, Moving, Hold})
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			to := now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms")) * time.Millisecond)
			if m.closed && !m.next().at.After(to) { // the timer comes first
				if end := m.next().at; end.After(now) {
					now = end
				}
				cause, due := m.overdue(now)
				if !due {
					t.Fatalf("not overdue at its own deadline")
				}
				m.open(now, cause)
				w.opened(t, now)
			}
			now = to
			l := Lease{phases.Draw(t, "phase"), uint64(rapid.IntRange(0, 3).Draw(t, "frames"))}
			holder := uint64(rapid.IntRange(1, 2).Draw(t, "holder"))
			closing, no := m.renew(now, holder, l)
			if closing {
				w.closed(t, now, l, holder)
				m.close(now, holder)
			} else if no == nil {
				w.renewed(t, now, l, holder)
			}
		}
	})
}

// witness knows the rules only as their author would tell them.
type witness struct {
	limits                               Limits
	isClosed                             bool
	holder                               uint64
	openedAt, closedAt, renewedAt, proof time.Time
	frames                               uint64
	counted                              bool
}

func (w *witness) closed(t *rapid.T, now time.Time, l Lease, holder uint64) {
	if l.Phase != Close {
		t.Fatalf("%s closed the line", l.Phase)
	}
	if off := now.Sub(w.openedAt); off < w.limits.MinimumOff {
		t.Fatalf("closed after only %v off", off)
	}
	w.isClosed, w.holder, w.counted = true, holder, false
	w.closedAt, w.renewedAt, w.proof = now, now, now
}

func (w *witness) renewed(t *rapid.T, now time.Time, l Lease, holder uint64) {
	if !w.isClosed || holder != w.holder {
		t.Fatalf("holder %d renewed; closed %v, held by %d", holder, w.isClosed, w.holder)
	}
	if l.Phase == Moving {
		if w.counted && l.Frames > w.frames {
			w.proof = now
		}
		w.frames, w.counted = l.Frames, true
	}
	w.renewedAt = now
}

func (w *witness) opened(t *rapid.T, now time.Time) {
	l := w.limits
	bounds := []struct {
		name  string
		value time.Duration
		most  time.Duration
	}{
		{"on", now.Sub(w.closedAt), l.MaximumOn},
		{"unrenewed", now.Sub(w.renewedAt), l.Expiry},
		{"silent", now.Sub(w.proof), l.WarmUp + l.Hold + l.Stall},
	}
	for _, b := range bounds {
		if b.value > b.most {
			t.Fatalf("%s for %v, more than %v", b.name, b.value, b.most)
		}
	}
	w.isClosed, w.openedAt = false, now
}
