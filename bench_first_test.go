package loaxa

import (
	"testing"
	"time"
)

// benchRounds are how often 23 nodes begin: 138 beginnings.
const benchRounds = 6

// began is how one sounding of one node began.
type began struct {
	node          string
	closed, first time.Time
}

// BenchmarkFirstAnnouncement23 has an emergency sound on 23 nodes, several times
// over, in the real programs: from the answer to the approval until every
// relay is closed and every first sample has left.
//
// accepted-to-relay may be as long as the signed lead plus 1 s; relay-after-due
// is how late a relay closes against start less warm-up; sample-error is how far
// the first sample is from relay closed plus warm-up; the skews are how far the
// first and the last node of one announcement are apart.
func BenchmarkFirstAnnouncement23(b *testing.B) {
	conditions(b)
	w := newWorld(b, communes)
	content, err := w.upload(musicMP3(b, 4), "")
	if err != nil {
		b.Fatal(err)
	}
	var wait, over, due, off, relaySkew, soundSkew, bare spread
	var lead time.Duration
	last, lastOf := began{}, published{}
	for range benchRounds {
		p := w.publish("emergency", content, time.Time{})
		lead = max(lead, p.Start.Sub(p.Accepted))
		bare = append(bare, late(p.Start.Add(-warmUp)))
		nodes := w.beginnings(p)
		var relays, sounds spread
		for _, n := range nodes {
			if last.node == "" || n.closed.Sub(p.Start) > last.closed.Sub(lastOf.Start) {
				last, lastOf = n, p
			}
			wait = append(wait, n.closed.Sub(p.Accepted))
			over = append(over, n.closed.Sub(p.Start))
			due = append(due, n.closed.Sub(p.Start.Add(-warmUp)))
			off = append(off, n.first.Sub(n.closed.Add(warmUp)).Abs())
			relays, sounds = append(relays, n.closed.Sub(p.Start)), append(sounds, n.first.Sub(p.Start))
		}
		relaySkew, soundSkew = append(relaySkew, relays.width()), append(soundSkew, sounds.width())
	}
	once(b)
	bare.report(b, "bare-timer-late")
	b.ReportMetric(millis(lead), "lead-ms")
	wait.report(b, "accepted-to-relay")
	b.ReportMetric(millis(over.at(0.99)), "relay-after-start-p99-ms")
	due.report(b, "relay-after-due")
	off.report(b, "sample-error")
	b.ReportMetric(millis(relaySkew.most()), "relay-skew-max-ms")
	b.ReportMetric(millis(soundSkew.most()), "sample-skew-max-ms")
	b.Logf("%d soundings of %d rounds; relay skew p50 %v, sample skew p50 %v", len(due), benchRounds, relaySkew.at(0.5), soundSkew.at(0.5))
	w.tell(b, last, lastOf)
}

// tell logs how the node whose relay was the last came there, from its receipts.
func (w *world) tell(b *testing.B, last began, p published) {
	b.Helper()
	b.Logf("the last relay of all, that of %s, closed %v after it was due; since the approval was answered:%s",
		last.node, last.closed.Sub(p.Start.Add(-warmUp)), w.story(p, last.node))
}

// beginnings waits until an announcement has sounded everywhere and every relay
// is open again, and returns how it began.
func (w *world) beginnings(p published) []began {
	w.Helper()
	var out []began
	for _, name := range w.names() {
		w.until(name+" has sounded and its relay is open", func() bool {
			one, done := w.beginning(p, name)
			if done {
				out = append(out, one)
			}
			return done
		})
	}
	return out
}

// beginning reads the logs of one node; false while it is not over.
func (w *world) beginning(p published, name string) (began, bool) {
	one := began{node: name}
	for _, h := range w.heard(name) {
		if h.Announcement == p.ID && h.Samples > 0 {
			one.first = h.First
		}
	}
	edges := w.edges(name)
	for _, e := range edges {
		if e.Closed && e.At.After(p.Accepted) && one.closed.IsZero() {
			one.closed = e.At
		}
	}
	open := len(edges) > 0 && !edges[len(edges)-1].Closed
	return one, open && !one.first.IsZero() && !one.closed.IsZero()
}

// late is how late a timer of an idle program is on this machine now.
func late(at time.Time) time.Duration {
	<-time.After(time.Until(at))
	return time.Since(at)
}
